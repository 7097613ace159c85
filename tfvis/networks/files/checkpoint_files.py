"""Checkpoints on disk: what they say; read without TensorFlow.

A checkpoint is a folder: `classifier.json` says how a classifier is put together,
`weights.npz` holds the trained layers, `README.md` is its card. Of format 2 are those whose kernels
lie in `differences.npz`, see `kernel_differences`.
"""

import pathlib

from tfvis.networks.files import description_files

FORMAT, OF_DIFFERENCES = 1, 2
# Layers of the head, named so that no network has them.
MEAN, CLASSES = "mean_over_map", "class_scores"
DESCRIPTION, WEIGHTS, DIFFERENCES = "classifier.json", "weights.npz", "differences.npz"


def description(folder: pathlib.Path, label: str) -> dict:
    """Reads classifier.json, and checks that each entry is what it must be.

    Args:
        folder: of the checkpoint.
        label: what messages begin with, such as "--checkpoint=pacs_vgg16".

    Raises:
        InputError: unreadable, or an entry is missing or impossible.
    """
    kinds = {
        "network": str, "variant": dict, "preprocessing": str, "cut": str, "last": str,
        "trunk": str, "classes": list, "size": int, "about": dict,
    }  # fmt: skip
    return description_files.read(
        folder / DESCRIPTION, label, (FORMAT, OF_DIFFERENCES), kinds, _check
    )


def _check(said: dict) -> None:
    labels = said["classes"]
    if len(set(map(str, labels))) != len(labels) or not all(
        isinstance(label, str) for label in labels
    ):
        raise ValueError("classes are no names, or not distinct")
    if not 16 <= said["size"] <= 4096:
        raise ValueError("its size is impossible")
