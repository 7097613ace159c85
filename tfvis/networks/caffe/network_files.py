"""A Caffe network before its weights: of a .prototxt, or of the papers' by name."""

import dataclasses
import os
import pathlib
from collections.abc import Callable

import keras

from tfvis.networks.caffe import mean_files, prototxt, supported_layers
from tfvis.networks.caffe.to_keras import layer_makers, layers_to_keras
from tfvis.networks.caffe.zoo import named
from tfvis.networks.preprocessing import contracts, published_recipes


@dataclasses.dataclass(frozen=True)
class Described:
    """A network that is still to be built.

    Attributes:
        name: its own.
        construct: makes the model, its weights by chance.
        contract: what it wants to be shown.
        why: a clause, what the contract is known by.
        notes: what should be known of it, a line each: what is left out, and why.
        told: whether its file says what is subtracted.
    """

    name: str
    construct: Callable[[], keras.Model]
    contract: contracts.Preprocessing
    why: str
    notes: tuple[str, ...] = ()
    told: bool = False


def by_name(name: str, top: bool, until: str | None) -> Described:
    """Returns one of `named.BUILDERS`.

    Args:
        name: its key.
        top: whether to include the classifier; with `until`, what that needs.
        until: see `supported_layers.planned`.

    Raises:
        InputError: it has no layer `until`.
    """
    net = named.BUILDERS[name]()
    if until is not None:
        read = prototxt.Prototxt(net, {}, {}, None, ())
        net, top = supported_layers.planned(read, name, layer_makers.MAKERS, until).net, True
    return Described(
        name,
        lambda: layers_to_keras.translated(net, name=name, top=top),
        contracts.named(named.CONTRACTS[name]),
        f"as {name} was trained",
    )


def by_file(
    path: pathlib.Path, label: str, top: bool, stages: tuple[str, ...], until: str | None
) -> Described:
    """Reads a .prototxt.

    Args:
        path: the file.
        label: what messages call it.
        top: see `by_name`.
        stages: see `prototxt.read`.
        until: see `supported_layers.planned`.

    Raises:
        InputError: as those two.
    """
    read = prototxt.read(path, stages)
    plan = supported_layers.planned(read, label, layer_makers.MAKERS, until)
    name = read.net.name or path.stem
    contract, said = contracts.named(named.contract(name, "caffe")), ()
    known = named.contract(name, "")
    why = f"by its name, {name}" if known else "its file does not say; most of Caffe's are so"
    if read.shown is not None:
        why = "as its data layer says"
        contract, said = _shown(read.shown, contract, name, path.parent)
        size = tuple(plan.net.layer[0].input_param.shape[0].dim[2:])
        # Of a mean image larger than the network's pictures, the centre.
        contract = published_recipes.fitting(name, contract, size).contract
    return Described(
        name,
        lambda: layers_to_keras.translated(
            plan.net, name=name, lines=read.lines, top=top or until is not None, label=label
        ),
        contract,
        why,
        (*read.notes, *plan.notes, *said),
        told=read.shown is not None,
    )


def _shown(
    shown, usual: contracts.Preprocessing, name: str, folder: pathlib.Path
) -> tuple[contracts.Preprocessing, tuple[str, ...]]:
    """Returns the contract that a data layer asks for, and a line where it cannot be had."""
    scale = (shown.scale,)
    factor = "" if scale == (1.0,) else f"-times-{shown.scale:g}"
    if shown.mean_file and not shown.mean:
        beside = folder / pathlib.PurePath(shown.mean_file).name
        # Unlike a Path, it takes any name a file may give.
        if os.path.isfile(beside):
            contract = mean_files.contract(usual, mean_files.read(beside, "network"))
            kept, said = contract, ()
        else:
            kept, said = (
                usual,
                (
                    f"the mean that {name} was trained with, {beside.name}, is not beside its "
                    f".prototxt; the mean pixel of {usual.name} is subtracted",
                ),
            )
        return dataclasses.replace(kept, name=kept.name + factor, scale=scale), said
    mean = shown.mean or (0.0,)
    words = "-".join(f"{value:.1f}" for value in mean)
    contract = contracts.Preprocessing(f"caffe+mean-{words}{factor}", mean, scale, bgr=True)
    return contract, ()
