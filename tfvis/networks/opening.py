"""What a network's name stands for: a model with weights, and what it wants to be shown."""

import dataclasses
import pathlib

import keras
import numpy as np

from tfvis import files
from tfvis.errors import InputError, Text, arg, marked
from tfvis.networks import (
    channels_first,
    classifier_head,
    hog_sift,
    preprocessing_choice,
    registry,
    rewiring,
    vgg_small,
)
from tfvis.networks import weights as sources
from tfvis.networks.caffe import network_files, own_mean
from tfvis.networks.caffe.zoo import named
from tfvis.networks.files import checkpoint_files, weight_files
from tfvis.networks.preprocessing import contract_files, contracts

# Checkpoints that stand on each other; no training of ours makes more than two.
_MOST_CHECKPOINTS = 8


@dataclasses.dataclass(frozen=True)
class Opened:
    """A model as a name asked for it.

    Attributes:
        name: as it was asked for; in lower case if it is no file.
        model: with its weights.
        record: where they came from.
        contract: what it wants to be shown.
        why: a clause, what the contract is known by.
        checkpoint: what was trained, where it is a checkpoint.
        notes: what should be known of it, a line each, such as what is left out.
        classes: what a file of a checkpoint that was converted says of them, and how large
            the pictures are.
    """

    name: str
    model: keras.Model
    record: sources.Record
    contract: contracts.Preprocessing
    why: str
    checkpoint: "Checkpoint | None" = None
    notes: tuple[str, ...] = ()
    classes: contract_files.Classes = contract_files.Classes()


@dataclasses.dataclass(frozen=True)
class Checkpoint:
    """What a checkpoint says of a classifier.

    Attributes:
        folder: where it lies.
        base: the network it stands on; its layers behind the cut have the trained weights.
        variant: (pooling, activation) that base is run with.
        cut: path of the last frozen output.
        last: path of the map that is averaged.
        classes: names, in the order of the probabilities.
        size: side of the square that pictures are squeezed into.
        about: the rest: data, split, accuracies.
    """

    folder: pathlib.Path
    base: Opened
    variant: tuple[str, str]
    cut: str
    last: str
    classes: tuple[str, ...]
    size: int
    about: dict

    @property
    def root(self) -> str:
        """Name of the network at the bottom, where checkpoints stand on each other."""
        return self.base.checkpoint.root if self.base.checkpoint else self.base.name


def opened(
    name: str,
    weights: str | None = None,
    pooling: str = "max",
    activation: str = "post",
    top: bool | None = None,
    stage: tuple[str, ...] = (),
    until: str | None = None,
) -> Opened:
    """Returns what `name` stands for; see `network.build`, whose arguments these are.

    Raises:
        InputError: as `network.build`.
    """
    registry.check(name)
    if stage and not name.endswith(".prototxt"):
        raise InputError(f"{arg('stage')}={','.join(stage)}: {name} has none; a .prototxt may.")
    if until is not None and not (name.endswith(".prototxt") or name.lower() in named.BUILDERS):
        raise InputError(
            f"{arg('until')}={until}: only a Caffe network ends at a layer; leave it out."
        )
    if name.endswith((".keras", ".h5")):
        return _keras_file(name, weights)
    if name.endswith(".prototxt"):
        return _prototxt(name, weights, top is not False, tuple(stage), until)
    folder = registry.checkpoint(name)
    if folder:
        if weights:
            raise InputError(
                f"{arg('weights')}={weights}: {name} is a checkpoint and holds weights of its own; "
                "leave it out."
            )
        return checkpoint(name)
    name = name.lower()
    applications = contracts.applications()
    if name in applications:
        model, record = sources.find(name, applications[name], weights, bool(top))
        return Opened(name, model, record, contracts.application(name), f"as Keras has {name}")
    if name in named.BUILDERS:
        found = network_files.by_name(name, bool(top), until)
        if weights:
            model, record = sources.given(name, found.construct, weights)
        else:
            model, record = sources.kept(name, found.construct, named.FILES[name])
        return Opened(name, model, record, found.contract, found.why)
    if name == vgg_small.NAME:
        return _vgg_small(weights)
    model = hog_sift.build(name, weights, pooling, activation)
    record = sources.Record("computed", sources.fingerprint(model), None)
    return Opened(name, model, record, contracts.named("none"), f"{name} is computed from pixels")


def overridden(found: Opened, preprocessing: str) -> Opened:
    """Returns a network with another contract than it is known to want.

    Raises:
        InputError: there is none of that name.
    """
    contract = contracts.named(preprocessing)
    why = f"as {arg('preprocessing')} says; it would be {found.contract.name}: {marked(found.why)}"
    if contract == found.contract:
        why = f"as {arg('preprocessing')} says, and {marked(found.why)}"
    return dataclasses.replace(found, contract=contract, why=Text(why))


def checkpoint(name: str, argument: str = "network", above: int = 0) -> Opened:
    """Opens a checkpoint; nothing in it is executed.

    Args:
        name: its folder, or the name of one in `registry.roots`.
        argument: that named it, for messages.
        above: how many checkpoints stand on this one.

    Raises:
        InputError: no such checkpoint, damaged, or its trunk is missing or another.
    """
    folder, where = registry.found_checkpoint(name, argument), f"{arg(argument)}={name}"
    said = checkpoint_files.description(folder, where)
    if above == _MOST_CHECKPOINTS:
        raise InputError(f"{where}: more than {above} checkpoints stand on each other.")
    # A file of one's own, or "random": not where weights are found by themselves.
    given = said["about"].get("weights")
    variant = tuple(
        said["variant"].get(word, usual)
        for word, usual in (("pooling", "max"), ("activation", "post"))
    )
    try:
        call_function = rewiring.calling(*variant)
        if registry.checkpoint(said["network"]):
            base = checkpoint(said["network"], "network", above + 1)
        else:
            given = given if isinstance(given, str) else None
            base = opened(said["network"], given, *variant, top=False)
        graph = rewiring.rewire(base.model, call_function)
    except InputError as error:
        raise InputError(f"{where}: its network cannot be built: {error}") from error
    cut, last = said["cut"], said["last"]
    places = [path for path, tensor in graph.tensors.items() if len(tensor.shape) == 4]
    if last not in places or cut not in places[: places.index(last)]:
        raise InputError(
            f"{where}: {checkpoint_files.DESCRIPTION} cannot be used ({said['network']} has no "
            f"map {last!r} with a map {cut!r} on the way to it)."
        )
    of_differences = said["format"] == checkpoint_files.OF_DIFFERENCES
    # Differences are from kernels behind the cut, too.
    if sources.fingerprint(graph.truncated([last if of_differences else cut])) != said["trunk"]:
        raise InputError(
            f"{where}: was trained on other weights of {said['network']} than those found "
            f"({base.record.source}): the fingerprints of the trunk differ."
        )
    arrays, kept = _arrays(folder / checkpoint_files.WEIGHTS), None
    if of_differences:
        kept = _read(folder / checkpoint_files.DIFFERENCES)
    short = folder.resolve().name
    model = classifier_head.classifier(graph, cut, last, arrays, short, kept)
    classes = tuple(said["classes"])
    if model.output_shape[-1] != len(classes):
        raise InputError(
            f"{where}: {checkpoint_files.DESCRIPTION} names {len(classes)} classes, the weights "
            "have another number."
        )
    record = sources.Record(f"checkpoint {short}", sources.fingerprint(model), None)
    trained = Checkpoint(
        folder, base, variant, cut, last, classes, said["size"], said["about"]
    )  # fmt: skip
    why = "as the checkpoint was trained"
    return Opened(name, model, record, _contract(said, base, where), why, trained)


def _contract(said: dict, base: Opened, where: str) -> contracts.Preprocessing:
    """Returns the contract a checkpoint learnt with; one of its file's own is that of base."""
    if said["preprocessing"] == "auto" and registry.is_file(said["network"]):
        return base.contract
    if said["preprocessing"] not in contracts.CONTRACTS:
        raise InputError(
            f"{where}: {checkpoint_files.DESCRIPTION} cannot be used (its preprocessing is "
            "unknown)."
        )
    return contracts.named(said["preprocessing"])


def _read(path: pathlib.Path) -> dict[str, list[np.ndarray]]:
    try:
        return weight_files.read_npz(path)
    except Exception as error:  # zipfile, NumPy: many kinds, all "not such a file".
        raise InputError(
            f"{path}: cannot be read as weights ({weight_files.first_line(error)})."
        ) from error


def _arrays(path: pathlib.Path) -> dict[str, list[np.ndarray]]:
    arrays = _read(path)
    for layer, found in arrays.items():
        with np.errstate(over="ignore"):  # What float32 lacks is infinite in the network.
            found = [array.astype(np.float32) for array in found]
        if not all(np.isfinite(array).all() for array in found):
            raise InputError(f"{path}: the weights of {layer} hold NaN or infinity.")
    return arrays


def _vgg_small(weights: str | None) -> Opened:
    name = vgg_small.NAME
    if not weights:
        raise InputError(
            f"{arg('network')}={name}: has learnt nothing by itself. Name a checkpoint that stands "
            f"on it, or use {arg('weights')}=random, also to train one."
        )
    model, record = sources.given(name, vgg_small.build, weights)
    return Opened(
        name, model, record, contracts.named("none"), f"{name} scales its pixels itself",
        classes=contract_files.Classes(side=vgg_small.SIDE),
    )  # fmt: skip


def _keras_file(name: str, weights: str | None) -> Opened:
    if weights == "random":
        raise InputError(f"{arg('weights')}=random: {name} holds weights of its own; leave it out.")
    model = sources.open_model(name)
    record = sources.from_file(model, weights or name, source_is_model=not weights)
    if channels_first.is_first(model):
        try:
            model = channels_first.converted(model)
        except InputError as error:
            raise InputError(f"{arg('network')}={name}: {marked(error)}") from error
    if name.endswith(".keras"):
        said = contract_files.read(files.located(name))
        classes = contract_files.classes(files.located(name))
        if said:
            return Opened(name, model, record, *said, classes=classes)
    found = preprocessing_choice.choice(model)
    return Opened(name, model, record, found.contract, found.why)


def _prototxt(
    name: str, weights: str | None, top: bool, stages: tuple[str, ...], until: str | None
) -> Opened:
    path = files.located(name)
    found = network_files.by_file(path, name, top, stages, until)
    beside = path.with_suffix(".caffemodel")
    if not weights and not beside.is_file():
        raise InputError(
            f"{arg('network')}={name}: describes layers and holds no weights. Give them as "
            f"{arg('weights')}=FILE.caffemodel, put them at {beside}, or use "
            f"{arg('weights')}=random."
        )
    model, record = sources.given(found.name, found.construct, weights or str(beside))
    contract, why = found.contract, found.why
    taken = [] if found.told else own_mean.taken_by(model, contract.mean)
    if taken:
        contract, why = _without_mean(contract), f"{', '.join(taken)} of it takes the mean off"
    return Opened(name, model, record, contract, why, notes=found.notes)


def _without_mean(contract: contracts.Preprocessing) -> contracts.Preprocessing:
    name = f"{contract.name}+mean-0.0"
    return contracts.Preprocessing(name, scale=contract.scale, bgr=contract.bgr)
