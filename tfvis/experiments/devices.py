"""What this machine is best asked to do: precision, XLA."""

import dataclasses
import pathlib

import numpy as np
import tensorflow as tf

from tfvis import hardware, preimages
from tfvis.networks.network import Network
from tfvis.optimize import loop
from tfvis.preimages import caricatures
from tfvis.report import manifest


def precision(word: str) -> str:
    """Returns the precision a flag stands for on this machine."""
    if word != "auto":
        return word
    return "bfloat16" if hardware.native_bfloat16() else "float32"


# {(workdir, network): whether with XLA}, as measured in this process: of two networks of one
# name there is one answer, as there is one in the manifest.
_measured: dict[tuple[pathlib.Path, str], bool] = {}


def decided(networks: dict[str, Network], jit: dict[str, bool]) -> dict[str, bool]:
    """Returns what a manifest says of --jit, {network: whether with XLA}; both by label."""
    return {network.name: jit[label] for label, network in networks.items()}


def jit(word: str, workdir: pathlib.Path, network: Network, target, layer: str) -> bool:
    """Returns whether a --jit flag means XLA on this machine.

    On a CPU a convolution inside an XLA loop takes a naive path, some 18 times as slow,
    so auto leaves it off there. On a GPU it measures, unless an earlier run in this
    workdir did: XLA changes the bits, and that run must be able to go on.
    """
    if word != "auto":
        return word == "on"
    if not tf.config.list_physical_devices("GPU"):
        return False
    before = manifest.read(workdir / "manifest.json").get("jit")
    known = before.get(network.name) if isinstance(before, dict) else None
    if isinstance(known, bool):
        return known
    if (workdir, network.name) in _measured:
        return _measured[workdir, network.name]
    if len(network.graph.tensors[network.path(layer)].shape) != 4:
        # A class score; what takes the time comes before it.
        layer = network.convolutions_and_poolings()[-1]
    if target is None:
        height, width = network.fixed_size or (224, 224)
        target = np.random.default_rng(0).uniform(0, 255, (height, width, network.channels))
        target = target.astype(np.float32)
    with_xla, without = (seconds_per_step(network, target, layer, on) for on in (True, False))
    return _measured.setdefault((workdir, network.name), with_xla < without)


def settled(
    settings,
    words: tuple[str, str],
    workdir: pathlib.Path,
    networks: dict[str, Network],
    layers: dict[str, str],
    targets: dict[str, np.ndarray] | None = None,
) -> dict:
    """Returns settings with the precision and XLA that words stand for, of each network.

    Args:
        settings: a dataclass with `precision` and `jit`.
        words: precision and jit, each of which may be "auto".
        workdir: see `jit`.
        networks, layers, targets: by label; see `jit`.
    """
    return {
        label: dataclasses.replace(
            settings,
            precision=precision(words[0]),
            jit=jit(words[1], workdir, network, targets and targets[label], layers[label]),
        )
        for label, network in networks.items()
    }


def seconds_per_step(network: Network, target, layer: str, with_xla: bool) -> float:
    """Returns the time of a float32 caricature step, compilation not counted."""
    settings = preimages.Caricature(recipe="published", steps=4 * loop.CHUNK, jit=with_xla)
    marks = [
        progress.seconds
        for progress in caricatures.iterate(network, target, layer, settings=settings)
    ]
    return (marks[-1] - marks[0]) / (3 * loop.CHUNK)
