"""Classifiers on disk: what was trained, in half precision, and which trunk it stands on.

A checkpoint is a folder: `classifier.json` says how the classifier is put together,
`weights.npz` holds the trained layers, `README.md` is its card. The frozen trunk comes from
where the network's own weights come from, and must be the one that was trained on.
"""

import dataclasses
import functools
import json
import os
import pathlib

import numpy as np
import tensorflow as tf

from tfvis import files
from tfvis.art import anatomy
from tfvis.errors import InputError, nearest
from tfvis.networks import network as networks
from tfvis.networks import opening, weight_files, weights
from tfvis.networks.network import Network
from tfvis.networks.preprocessing import CONTRACTS

_FORMAT = 1
# A description of a thousand classes with long names takes 100 kB.
_MAX_DESCRIPTION = 1 << 22
_SHIPPED = pathlib.Path(__file__).resolve().parents[2] / "checkpoints"


@dataclasses.dataclass(frozen=True, eq=False)
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
    parts: anatomy.Anatomy
    classes: tuple[str, ...]
    size: int
    about: dict

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
        lambda pictures: tf.nn.softmax(taps(pictures)[network.logits]), reduce_retracing=True
    )


def save(
    folder,
    parts: anatomy.Anatomy,
    learnt: dict[str, list[np.ndarray]],
    classes: tuple[str, ...],
    size: int,
    about: dict,
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
    """
    folder = pathlib.Path(folder)
    network = parts.network
    is_file, contract = opening.is_file(network.name), network.preprocessing.name
    description = {
        "format": _FORMAT,
        # A file is looked for from wherever the classifier is used.
        "network": os.path.abspath(network.name) if is_file else network.name,
        "variant": dict(network.variant),
        # One of its own lies in the network's file.
        "preprocessing": contract if contract in CONTRACTS else "auto",
        "cut": parts.cut,
        "last": parts.last,
        "trunk": parts.trunk_fingerprint(),
        "classes": list(classes),
        "size": size,
        "about": about,
    }
    # Biases and statistics stay exact: they are few, and variances can exceed float16.
    arrays = {
        f"{layer}/{k}": array.astype(np.float16 if array.ndim > 1 else np.float32)
        for layer, found in learnt.items()
        for k, array in enumerate(found)
    }
    with files.replacing(folder / "weights.npz") as temporary, open(temporary, "wb") as file:
        np.savez(file, **arrays)
    files.write_text(folder / "classifier.json", json.dumps(description, indent=2) + "\n")


def names() -> list[str]:
    """Returns the checkpoints that can be loaded by name."""
    return sorted(
        path.parent.name
        for root in _roots()
        if root.is_dir()
        for path in root.glob("*/classifier.json")
    )


def find(name: str) -> pathlib.Path | None:
    """Returns the folder of a checkpoint named by path or by name, None if there is none."""
    for folder in (files.located(name), *(root / name for root in _roots())):
        if (folder / "classifier.json").is_file():
            return folder
    return None


def load(name: str, flag: str = "checkpoint") -> Classifier:
    """Opens a checkpoint; nothing in it is executed.

    Args:
        name: its folder, or the name of one in `$TFVIS_HOME/checkpoints` or shipped.
        flag: for messages.

    Raises:
        InputError: no such checkpoint, damaged, or its trunk is missing or another.
    """
    folder = find(name)
    if folder is None:
        raise InputError(
            f"--{flag}={name}: no folder with a classifier.json, nor a checkpoint of that name. "
            f"{nearest(name, names())}"
        )
    path = folder / "classifier.json"
    said = _description(path, f"--{flag}={name}")
    # A file of one's own, or "random": not where weights are found by themselves.
    given = said["about"].get("weights")
    try:
        base = networks.build(
            said["network"],
            given if isinstance(given, str) else None,
            top=False,
            preprocessing=said["preprocessing"],
            pooling=said["variant"].get("pooling", "max"),
            activation=said["variant"].get("activation", "post"),
        )
        parts = anatomy.anatomy(base, said["cut"], said["last"])
    except InputError as error:
        raise InputError(f"--{flag}={name}: its network cannot be built: {error}") from error
    if parts.trunk_fingerprint() != said["trunk"]:
        raise InputError(
            f"--{flag}={name}: was trained on other weights of {said['network']} than those "
            f"found ({base.record.source}): the fingerprints of the trunk differ."
        )
    arrays = _arrays(folder / "weights.npz")
    label = folder.resolve().name
    network = anatomy.assembled(parts, arrays, label)
    record = weights.Record(f"checkpoint {label}", network.record.fingerprint, None)
    network = dataclasses.replace(network, record=record)
    classes = tuple(said["classes"])
    if network.channels_of(network.graph.output) != len(classes):
        raise InputError(f"{path}: names {len(classes)} classes, the weights have another number.")
    return Classifier(label, network, parts, classes, said["size"], said["about"])


def _roots() -> tuple[pathlib.Path, ...]:
    return (weights.home() / "checkpoints", _SHIPPED)


def _description(path: pathlib.Path, flag: str) -> dict:
    """Reads classifier.json and checks that each entry is what it must be."""
    kinds = {
        "network": str, "variant": dict, "preprocessing": str, "cut": str, "last": str,
        "trunk": str, "classes": list, "size": int, "about": dict,
    }  # fmt: skip
    try:
        if path.stat().st_size > _MAX_DESCRIPTION:
            raise ValueError("far too large")
        said = json.loads(path.read_text(encoding="utf-8"))
        if not isinstance(said, dict) or said.get("format") != _FORMAT:
            raise ValueError(f"not of format {_FORMAT}")
        wrong = [key for key, kind in kinds.items() if not isinstance(said.get(key), kind)]
        if wrong:
            raise ValueError(f"lacks {', '.join(wrong)}")
        labels = said["classes"]
        if len(set(map(str, labels))) != len(labels) or not all(
            isinstance(label, str) for label in labels
        ):
            raise ValueError("classes are no names, or not distinct")
        contracts = (*CONTRACTS, "auto") if opening.is_file(said["network"]) else CONTRACTS
        if not 16 <= said["size"] <= 4096 or said["preprocessing"] not in contracts:
            raise ValueError("size or preprocessing is impossible")
    except (OSError, ValueError, RecursionError) as error:
        raise InputError(f"{flag}: {path.name} cannot be used ({error}).") from error
    return said


def _arrays(path: pathlib.Path) -> dict[str, list[np.ndarray]]:
    try:
        arrays = weight_files.read_npz(path)
    except InputError:
        raise
    except Exception as error:  # zipfile, NumPy: many kinds, all "not such a file".
        raise InputError(
            f"{path}: cannot be read as weights ({weight_files.first_line(error)})."
        ) from error
    for layer, found in arrays.items():
        if any(array.dtype.kind not in "fiu" for array in found):
            raise InputError(f"{path}: the weights of {layer} are no numbers.")
        if not all(np.isfinite(array).all() for array in found):
            raise InputError(f"{path}: the weights of {layer} hold NaN or infinity.")
    return arrays
