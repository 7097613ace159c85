"""What a network's name stands for: a model with weights, and what it wants to be shown."""

import dataclasses
import pathlib
from collections.abc import Callable

import keras

from tfvis import files
from tfvis.errors import InputError, nearest
from tfvis.networks import contract_files, shallow
from tfvis.networks import preprocessing as contracts
from tfvis.networks import weights as sources
from tfvis.networks.caffe import named, prototxt, schema, translating

_FILES = (".keras", ".prototxt")


@dataclasses.dataclass(frozen=True)
class Opened:
    """A model as a name asked for it.

    Attributes:
        name: as it was asked for; in lower case if it is no file.
        model: with its weights.
        record: where they came from.
        contract: what it wants to be shown.
    """

    name: str
    model: keras.Model
    record: sources.Record
    contract: contracts.Preprocessing


def known() -> tuple[str, ...]:
    """Returns every name that stands for a network, in lower case."""
    return (*contracts.applications(), *named.BUILDERS, *shallow.BUILDERS)


def is_file(name: str) -> bool:
    """Tells whether a name is that of a file of a network, there or not."""
    return name.endswith(_FILES)


def label(name: str) -> str:
    """Returns a short name for a network: of a file, its name without folder and suffix."""
    return pathlib.PurePath(name).stem if is_file(name) else name


def opened(
    name: str, weights: str | None, pooling: str, activation: str, top: bool | None
) -> Opened:
    """Returns what `name` stands for; see `network.build`, whose arguments these are.

    Raises:
        InputError: as `network.build`.
    """
    if name.endswith(".keras"):
        return _keras_file(name, weights)
    if name.endswith(".prototxt"):
        return _prototxt(name, weights, top)
    name = name.lower()
    applications = contracts.applications()
    if name in applications:
        model, record = sources.find(name, applications[name], weights, bool(top))
        return Opened(name, model, record, contracts.application(name))
    if name in named.BUILDERS:
        construct = _translation(named.BUILDERS[name](), name, bool(top))
        if weights:
            model, record = sources.given(name, construct, weights)
        else:
            model, record = sources.kept(name, construct, named.FILES[name])
        return Opened(name, model, record, contracts.named(named.CONTRACTS[name]))
    if name in shallow.BUILDERS:
        model = shallow.build(name, weights, pooling, activation)
        record = sources.Record("computed", sources.fingerprint(model), None)
        return Opened(name, model, record, contracts.named("none"))
    raise InputError(
        f"--network={name}: neither a .keras or .prototxt file nor a known network. "
        f"{nearest(name, known())}"
    )


def _keras_file(name: str, weights: str | None) -> Opened:
    if weights == "random":
        raise InputError(f"--weights=random: {name} holds weights of its own; leave the flag out.")
    model = sources.open_model(name)
    record = sources.from_file(model, weights or name, source_is_model=not weights)
    contract = contract_files.read(files.located(name))
    return Opened(name, model, record, contract or _by_name(model.name))


def _prototxt(name: str, weights: str | None, top: bool | None) -> Opened:
    path = files.located(name)
    read = prototxt.read(path)
    beside = path.with_suffix(".caffemodel")
    if not weights and not beside.is_file():
        raise InputError(
            f"--network={name}: describes layers and holds no weights. Give them as "
            f"--weights=FILE.caffemodel, put them at {beside}, or use --weights=random."
        )
    own = read.net.name or path.stem
    construct = _translation(read.net, own, top is not False, read.lines, name)
    model, record = sources.given(own, construct, weights or str(beside))
    return Opened(name, model, record, contracts.named(named.contract(own, "caffe")))


def _translation(
    net: schema.NetParameter,
    name: str,
    top: bool,
    lines: dict[str, int] | None = None,
    label: str = "",
) -> Callable[[], keras.Model]:
    return lambda: translating.translated(net, name=name, lines=lines, top=top, label=label)


def _by_name(name: str) -> contracts.Preprocessing:
    """Returns the contract of a model by its own name, "none" where that is not known."""
    name = name.lower()
    if name in contracts.applications():
        return contracts.application(name)
    return contracts.named(named.contract(name, "none"))
