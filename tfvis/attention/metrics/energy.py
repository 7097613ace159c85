"""The energy-based pointing game: how much of a map lies in the boxes.

Wang et al., "Score-CAM" (CVPR workshops 2020), section 4.2.
"""

from collections.abc import Sequence

import numpy as np

from tfvis.attention import boxes
from tfvis.attention.boxes import Box
from tfvis.errors import InputError


def share(values: np.ndarray, true: Sequence[Box]) -> float:
    """Returns the share of a map's sum that lies in the true boxes, 0 to 1.

    A map that is the same everywhere gets the boxes' share of the picture: compare with
    `area`. Pixels count whose middle lies in a box, once where boxes overlap.

    Args:
        values: [height, width], 0 or more.
        true: boxes of the thing, one or more, in pixels of the map.

    Raises:
        InputError: another shape, no box, a map of zeros.
    """
    values = boxes.checked(values)
    total = values.sum()
    if not total:
        raise InputError("The map is zero everywhere; it has no shares.")
    return float(values[_inside(values.shape, true)].sum() / total)


def area(shape: tuple[int, int], true: Sequence[Box]) -> float:
    """Returns the share of a picture, (height, width), that the boxes cover."""
    return float(_inside(shape, true).mean())


def _inside(shape: tuple[int, int], true: Sequence[Box]) -> np.ndarray:
    if not len(true):
        raise InputError("The picture has no true box.")
    y, x = np.arange(shape[0]) + 0.5, np.arange(shape[1]) + 0.5
    inside = np.zeros(shape, bool)
    for box in true:
        inside |= np.outer((y >= box.y0) & (y < box.y1), (x >= box.x0) & (x < box.x1))
    return inside
