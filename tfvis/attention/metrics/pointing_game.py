"""The pointing game: does a map's maximum lie on the thing?

Zhang et al., "Top-down Neural Attention by Excitation Backprop" (IJCV 2018): a maximum on the
thing, or within 15 px of it, is a hit.
"""

from collections.abc import Sequence

import numpy as np

from tfvis.attention import boxes
from tfvis.attention.boxes import Box
from tfvis.errors import InputError

# Zhang et al. 2018, section 4.1, in px of their pictures.
TOLERANCE = 15.0


def hit(values: np.ndarray, true: Sequence[Box], tolerance: float = TOLERANCE) -> bool:
    """Tells whether a map's maximum lies in, or near, a true box.

    A maximum that is also reached elsewhere, outside of all boxes, is no hit.

    Args:
        values: [height, width], 0 or more.
        true: boxes of the thing, one or more, in pixels of the map.
        tolerance: distance from a box's nearest pixel, px, that still counts.

    Raises:
        InputError: another shape, no box; a map that is the same everywhere points nowhere.
    """
    values = boxes.checked(values)
    if not len(true):
        raise InputError("The picture has no true box.")
    if values.min() == values.max():
        raise InputError("The map is the same everywhere; it has no maximum.")
    y, x = np.nonzero(values == values.max())
    near = np.full(len(y), np.inf)
    for box in true:
        apart_x = np.maximum(np.maximum(box.x0 - x, x - (box.x1 - 1)), 0)
        apart_y = np.maximum(np.maximum(box.y0 - y, y - (box.y1 - 1)), 0)
        near = np.minimum(near, np.hypot(apart_x, apart_y))
    return bool((near <= tolerance).all())
