"""Tags of drawings, as Illustration2Vec has them: kinds, thresholds, packed vectors.

Saito & Matsui, "Illustration2Vec: A Semantic Vector Representation of Illustrations", SIGGRAPH
Asia 2015 Technical Briefs. They lie beside `labels`: both say what a network's outputs are
called. A tag holds or does not, each for itself; of classes there is one.
"""

import os
from collections.abc import Sequence

import numpy as np

from tfvis import files
from tfvis.errors import InputError, arg
from tfvis.networks import labels
from tfvis.networks.files import weight_files

# The released list: 512 each of general tags, characters and copyrights, then the ratings.
KINDS = {
    "general": slice(0, 512),
    "character": slice(512, 1024),
    "copyright": slice(1024, 1536),
    "rating": slice(1536, 1539),
}
COUNT = 1539
# The released code's default for what counts as plausible.
THRESHOLD = 0.25
# Columns of the released thresholds: those with the best F0.5, F1 and F2 measure of each tag.
RULES = ("f0.5", "f1", "f2")

Found = dict[str, list[tuple[str, float]]]


def read(path: os.PathLike | str, argument: str = "tags") -> tuple[str, ...]:
    """Reads a list of tags: JSON, plain or packed with gzip, as released.

    Args:
        path: the file.
        argument: that named it, for messages.

    Raises:
        InputError: unreadable, no list of names, or of another length than `COUNT`.
    """
    label = f"{arg(argument)}={path}"
    text = labels.read_text(path, label)
    # People try a name per line, or an object of numbers and names, as of classes.
    if not text.lstrip().startswith("["):
        raise InputError(f"{label}: expected a JSON list of tags, as tag_list.json of the release.")
    found = labels.parse_json(text, label)
    if len(found) != COUNT:
        raise InputError(f"{label}: {len(found)} tags; Illustration2Vec has {COUNT:,}.")
    for number, tag in enumerate(found, 1):
        if not isinstance(tag, str):
            raise InputError(f"{label}: tag {number} of its JSON list is no name in quotes.")
        labels.check_name(tag, f"{label}, tag {number}")
    return tuple(found)


def read_thresholds(path: os.PathLike | str, rule: str, argument: str = "thresholds") -> np.ndarray:
    """Reads each tag's own threshold from a NumPy archive; nothing in it is executed.

    Args:
        path: .npz with "threshold", float [`COUNT`, 3], columns as `RULES`.
        rule: one of them.
        argument: that named it, for messages.

    Returns:
        float32 [`COUNT`], 0..1.

    Raises:
        InputError: unreadable or of another form.
    """
    label = f"{arg(argument)}={path}"
    if rule not in RULES:
        raise InputError(f"Expected a rule of {', '.join(RULES)}. Received: {rule}")
    try:
        (found,) = weight_files.read_npz(files.located(path, label)).get("threshold", (None,))
    except Exception as error:  # zipfile, NumPy: many kinds, all "not such a file".
        raise InputError(
            f"{label}: cannot be read as thresholds ({weight_files.first_line(error)})."
        ) from error
    shape = None if found is None else found.shape
    if shape != (COUNT, len(RULES)) or found.dtype.kind not in "fiu":
        raise InputError(
            f"{label}: expected numbers [{COUNT}, {len(RULES)}] called threshold. "
            f"Received: {shape or 'no such array'}"
        )
    if not ((found >= 0) & (found <= 1)).all():  # A NaN is neither.
        raise InputError(f"{label}: expected thresholds from 0 to 1.")
    return found[:, RULES.index(rule)].astype(np.float32)


def plausible(
    confidences: np.ndarray,
    tags: Sequence[str],
    thresholds: float | np.ndarray = THRESHOLD,
    top: int | None = None,
) -> Found:
    """Returns the tags that a picture is likely to have, by kind, the surest first.

    All ratings are returned: they say the same thing in degrees, and exclude each other.

    Args:
        confidences: float [`COUNT`], 0..1.
        tags: their names.
        thresholds: that a tag must exceed: one for all, or float [`COUNT`].
        top: at most so many of each kind but the ratings.

    Returns:
        {kind: [(tag, confidence), ...]} for each of `KINDS`.
    """
    bars = np.broadcast_to(np.asarray(thresholds, np.float32), (COUNT,))
    result: Found = {}
    for kind, part in KINDS.items():
        numbers = np.arange(COUNT)[part]
        if kind != "rating":
            numbers = numbers[confidences[part] > bars[part]]
        order = numbers[np.argsort(-confidences[numbers], kind="stable")]
        if kind != "rating":
            order = order[:top]
        result[kind] = [(tags[k], float(confidences[k])) for k in order]
    return result


def packed(neurons: np.ndarray) -> np.ndarray:
    """Returns binary vectors, eight entries to a byte, the first in the highest bit.

    Args:
        neurons: float [batch, n], 0..1: the sigmoid of the vectors ("encode1neuron").

    Returns:
        uint8 [batch, n / 8]: bits of what is above one half.
    """
    return np.packbits(neurons > 0.5, axis=1)
