"""Classifiers on disk: what was trained, in half precision, and which trunk it stands on.

What lies in the folder: `networks.checkpoint_files`. The frozen trunk comes from where the
network's own weights come from, and must be the one that was trained on.
"""

import dataclasses
import functools
import json
import pathlib

import numpy as np
import tensorflow as tf

from tfvis import files
from tfvis.classifiers import backbone
from tfvis.errors import InputError, nearest
from tfvis.networks import network as networks
from tfvis.networks import opening, registry
from tfvis.networks.files import checkpoint_files, kernel_differences
from tfvis.networks.network import Network
from tfvis.networks.preprocessing.contracts import CONTRACTS


@dataclasses.dataclass(frozen=True, eq=False, repr=False)
class Classifier:
    """A network that names what a picture shows.

    Attributes:
        name: of the checkpoint.
        network: whole, from pictures to probabilities.
        parts: where it was cut.
        classes: names, in the order of the probabilities.
        size: side of the square that pictures are squeezed into.
        about: the rest of its description: data, split, accuracies.
    """

    name: str
    network: Network
    parts: backbone.Backbone
    classes: tuple[str, ...]
    size: int
    about: dict

    def __repr__(self) -> str:
        return f"<Classifier {self.name}: {len(self.classes)} classes, {self.size} px>"

    def index(self, label: str) -> int:
        """Returns the number of a class.

        Raises:
            InputError: there is none of that name.
        """
        if label not in self.classes:
            raise InputError(
                f"{label!r} is no class of {self.name}. {nearest(label, self.classes)}"
            )
        return self.classes.index(label)

    def probabilities(self, pictures: tf.Tensor, precision: str = "float32") -> tf.Tensor:
        """Returns float32 [batch, classes] for pictures [batch, size, size, 3], 0..255."""
        return _answering(self.network, precision)(pictures)


@functools.lru_cache(maxsize=16)
def _answering(network: Network, precision: str):
    """Returns the compiled function from pictures to probabilities."""
    taps = network.taps([network.logits], precision)
    # The softmax in float32: in bfloat16 probabilities have three digits, and no sum of 1.
    return tf.function(
        lambda pictures: tf.nn.softmax(taps(pictures)[network.logits]),
        autograph=False,
        reduce_retracing=True,
    )


def save(
    folder,
    parts: backbone.Backbone,
    learnt: dict[str, list[np.ndarray]],
    classes: tuple[str, ...],
    size: int,
    about: dict,
    differences: bool = False,
) -> None:
    """Writes a checkpoint; kernels in float16, whose rounding is far below what they learnt.

    Args:
        folder: made where it is missing.
        parts: where the network is cut.
        learnt: {layer: weights} of tail and head.
        classes: names, in order.
        size: side of the pictures.
        about: what else to keep: JSON's types. "weights" among it is the file, or "random",
            that the network was built with, if it was built with one.
        differences: keep kernels of the tail as `kernel_differences`, half as large; `rounded`
            says what is then loaded.
    """
    folder = pathlib.Path(folder)
    network = parts.network
    contract = network.preprocessing.name
    description = {
        "format": checkpoint_files.OF_DIFFERENCES if differences else checkpoint_files.FORMAT,
        # A file is looked for from wherever the classifier is used.
        "network": registry.absolute(network.name),
        "variant": dict(network.variant),
        # One of its own lies in the network's file.
        "preprocessing": contract if contract in CONTRACTS else "auto",
        "cut": parts.cut,
        "last": parts.last,
        "trunk": parts.trunk_fingerprint(tail=differences),
        "classes": list(classes),
        "size": size,
        "about": about,
    }
    kept = _differences(parts, learnt) if differences else {}
    # Biases and statistics stay exact: they are few, and variances can exceed float16.
    arrays = {
        f"{layer}/{k}": array.astype(np.float16 if array.ndim > 1 else np.float32)
        for layer, found in learnt.items()
        for k, array in enumerate(found)
        if k or layer not in kept
    }
    if differences:
        pairs = {f"{layer}/{k}": one for layer, pair in kept.items() for k, one in enumerate(pair)}
        files.write_npz(folder / checkpoint_files.DIFFERENCES, pairs)
    files.write_npz(folder / checkpoint_files.WEIGHTS, arrays)
    files.write_text(
        folder / checkpoint_files.DESCRIPTION, json.dumps(description, indent=2) + "\n"
    )


def rounded(
    parts: backbone.Backbone, learnt: dict[str, list[np.ndarray]]
) -> dict[str, list[np.ndarray]]:
    """Returns what is loaded of `learnt` that is saved as differences."""
    kept, before = _differences(parts, learnt), _kernels(parts)
    return {
        layer: [kernel_differences.applied(before[layer], kept[layer], layer), *found[1:]]
        if layer in kept
        else found
        for layer, found in learnt.items()
    }


def _differences(parts, learnt) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    before = _kernels(parts)
    return {
        layer: kernel_differences.differences(found[0], before[layer])
        for layer, found in learnt.items()
        if layer in before
    }


def _kernels(parts) -> dict[str, np.ndarray]:
    """Returns {layer: kernel} of the tail as the network had it."""
    return {
        layer.name: layer.get_weights()[0]
        for layer in parts.tail().layers
        if layer.weights and layer.weights[0].ndim > 1
    }


def load(checkpoint: str, argument: str = "checkpoint") -> Classifier:
    """Opens a checkpoint; nothing in it is executed.

    Args:
        checkpoint: its folder, or the name of one in `$TFVIS_HOME/checkpoints` or shipped.
        argument: that named it, for messages.

    Raises:
        InputError: no such checkpoint, damaged, or its trunk is missing or another.
    """
    found = opening.checkpoint(checkpoint, argument)
    trained = found.checkpoint
    assert trained is not None  # What was opened as one is one.
    # Shares the layers of `found`, and so what they learnt.
    base = networks.of_opened(
        dataclasses.replace(trained.base, contract=found.contract), *trained.variant
    )
    parts = backbone.split(base, trained.cut, trained.last)
    short = trained.folder.resolve().name
    network = dataclasses.replace(networks.of_opened(found), name=short)
    return Classifier(short, network, parts, trained.classes, trained.size, trained.about)
