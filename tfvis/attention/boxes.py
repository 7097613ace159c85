"""Boxes around what a mask marks, and the windows small objects are looked for in.

A box is half-open, [x0, x1) x [y0, y1), in pixels: pixel (0, 0) alone is (0, 0, 1, 1), and
an area is a width times a height. Box files and code with inclusive ends (Choe et al. 2020's
wsolevaluation) add 1 to each width instead: move their x1 and y1 by one and both agree.
"""

import dataclasses
import math
from collections.abc import Iterable, Sequence

import numpy as np
import PIL.Image
import scipy.ndimage

from tfvis.errors import InputError, arg

# Pixels that touch at a corner are connected, as in MATLAB's and OpenCV's components.
_NEIGHBOURS = np.ones((3, 3), bool)


@dataclasses.dataclass(frozen=True, slots=True)
class Box:
    """A rectangle with a score.

    Attributes:
        x0, y0: its left and upper edge, pixels from the picture's.
        x1, y1: its right and lower edge, exclusive: the first pixel outside.
        score: how sure it is; more is surer. That of a true box means nothing.
    """

    x0: float
    y0: float
    x1: float
    y1: float
    score: float = 1.0

    def __post_init__(self):
        # Comparisons with nan are false.
        if not (-math.inf < self.x0 < self.x1 < math.inf):
            raise InputError(f"Expected a box with x0 < x1. Received: {self.x0}, {self.x1}")
        if not (-math.inf < self.y0 < self.y1 < math.inf):
            raise InputError(f"Expected a box with y0 < y1. Received: {self.y0}, {self.y1}")
        if math.isnan(self.score):
            raise InputError("Expected a box with a score. Received: nan")


def boxes(
    mask: np.ndarray, threshold: float = 0.2, most: int | None = 1, least_area: float = 0.0
) -> list[Box]:
    """Returns tight boxes around the largest connected parts of what a mask marks.

    Marked is what exceeds `threshold` times the mask's maximum (Zhou et al. 2016, CAM,
    section 3.2). A box's score is the mean of the mask over its own marked pixels: one
    stray pixel raises the maximum, not the mean.

    Args:
        mask: [height, width], 0 or more.
        threshold: share of the maximum, 0 to below 1; 0.2 as in CAM.
        most: how many boxes at most; 1 as in CAM, None for all.
        least_area: parts of fewer pixels than this share of the mask are left out; CAM
            leaves out none.

    Returns:
        Boxes in pixels of the mask, the largest part first (by its pixels, not its box's;
        of equals the upper one). None where the mask is the same everywhere: it then
        says nothing of where.

    Raises:
        InputError: not such a mask; a number out of its range.
    """
    mask = checked(mask)
    if not 0 <= threshold < 1:
        raise InputError(
            f"{arg('threshold')}={threshold}: expected a share of the maximum, 0 to below 1."
        )
    if most is not None and most < 1:
        raise InputError(f"{arg('most')}={most}: expected 1 or more boxes.")
    if not 0 <= least_area <= 1:
        raise InputError(
            f"{arg('least_area')}={least_area}: expected a share of the picture, 0 to 1."
        )
    corners, areas, scores = parts(mask, threshold)
    enough = areas >= least_area * mask.size
    found = zip(corners[enough][:most].tolist(), scores[enough][:most].tolist(), strict=True)
    return [Box(*corner, score=score) for corner, score in found]


def checked(mask: np.ndarray) -> np.ndarray:
    """Returns a mask, [height, width], as float64.

    Raises:
        InputError: another shape, an empty one, or a value that is negative or not finite.
    """
    mask = np.asarray(mask, np.float64)
    if mask.ndim != 2 or not mask.size:
        raise InputError(f"Expected a mask of [height, width]. Received: {mask.shape}")
    if not (np.isfinite(mask).all() and mask.min() >= 0):
        raise InputError(
            f"Expected a mask of 0 or more. Received: {mask.min():.3g} to {mask.max():.3g}"
        )
    return mask


def parts(mask: np.ndarray, threshold: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Returns the connected parts above `threshold` times the maximum, the largest first.

    Args:
        mask: as `checked` returns it.
        threshold: share of the maximum.

    Returns:
        int [n, 4] x0, y0, x1, y1; int [n] pixels; float64 [n] the mean of the mask over
        them. n is 0 where the mask is the same everywhere.
    """
    top = mask.max()
    if top == mask.min():
        return np.zeros((0, 4), int), np.zeros(0, int), np.zeros(0)
    labels, count = scipy.ndimage.label(mask > threshold * top, _NEIGHBOURS)
    areas = np.bincount(labels.ravel(), minlength=count + 1)[1:]
    sums = np.bincount(labels.ravel(), mask.ravel(), minlength=count + 1)[1:]
    corners = np.array(
        [(x.start, y.start, x.stop, y.stop) for y, x in scipy.ndimage.find_objects(labels)], int
    )
    order = np.argsort(-areas, kind="stable")  # Labels count from above.
    return corners[order], areas[order], (sums / areas)[order]


def scaled(box: Box, from_size: tuple[int, int], to_size: tuple[int, int]) -> Box:
    """Returns a box found in a picture resized from `to_size` as one in the original.

    Args:
        box: in pixels of a picture of `from_size`.
        from_size, to_size: (height, width).

    Raises:
        InputError: a size below 1.
    """
    if min(*from_size, *to_size) < 1:
        raise InputError(f"Expected sizes of 1 px or more. Received: {from_size}, {to_size}")
    down, across = (to / of for of, to in zip(from_size, to_size, strict=True))
    return Box(box.x0 * across, box.y0 * down, box.x1 * across, box.y1 * down, box.score)


def shifted(box: Box, right: float, down: float) -> Box:
    """Returns a box moved: one found in a crop, where the crop's corner lies there."""
    return Box(box.x0 + right, box.y0 + down, box.x1 + right, box.y1 + down, box.score)


def as_array(found: Iterable[Box]) -> np.ndarray:
    """Returns boxes as float64 [n, 4]: x0, y0, x1, y1."""
    return np.array([(b.x0, b.y0, b.x1, b.y1) for b in found], np.float64).reshape(-1, 4)


def ious(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """Returns intersection over union of every pair, float64 [n, m].

    Args:
        first, second: [n, 4] and [m, 4] as of `as_array`.
    """
    first, second = np.asarray(first, np.float64)[:, None], np.asarray(second, np.float64)[None]
    low = np.maximum(first[..., :2], second[..., :2])
    high = np.minimum(first[..., 2:], second[..., 2:])
    shared = (high - low).clip(min=0).prod(-1)
    areas = [(of[..., 2:] - of[..., :2]).prod(-1) for of in (first, second)]
    return shared / (areas[0] + areas[1] - shared)


def windows(
    height: int, width: int, scales: Sequence[float] = (1.0, 0.5), overlap: float = 0.5
) -> list[Box]:
    """Returns square windows of several sizes that together cover a picture.

    A small object is too small for a network that sees the picture whole; in a window it
    fills a larger share. Neighbours lie at equal steps and the last one ends at the edge.

    Args:
        height, width: of the picture.
        scales: sides as shares of the picture's shorter side, above 0 to 1; each halving
            makes an object twice as large and the windows about four times as many.
        overlap: share of its side by which a window overlaps the next, at least; 0 to
            below 1. At 0.5 what one edge cuts lies in the middle of another window.

    Returns:
        Boxes with whole corners, scale by scale, row by row.

    Raises:
        InputError: a number out of its range, or a window of less than 1 px.
    """
    if not 0 <= overlap < 1:
        raise InputError(f"{arg('overlap')}={overlap}: expected a share of a window, 0 to below 1.")
    found = []
    for scale in scales:
        side = round(scale * min(height, width)) if 0 < scale <= 1 else 0
        if side < 1:
            raise InputError(
                f"{arg('scales')}={scale}: expected a share of the shorter side, above 0 to 1, "
                f"that leaves 1 px or more of {width}x{height}."
            )
        found += [
            Box(x, y, x + side, y + side)
            for y in _starts(height, side, overlap)
            for x in _starts(width, side, overlap)
        ]
    return found


def _starts(length: int, side: int, overlap: float) -> list[int]:
    """Returns where windows begin along an axis: evenly, with at least that overlap."""
    step = max(1, math.floor(side * (1 - overlap)))
    steps = math.ceil((length - side) / step)
    # Rounded down: two neighbours are then never further apart than one step.
    return [k * (length - side) // max(steps, 1) for k in range(steps + 1)]


def merged(
    maps: Iterable[np.ndarray],
    places: Sequence[Box],
    height: int,
    width: int,
) -> np.ndarray:
    """Returns the maps of windows as one map of the whole picture.

    Windows of one size are averaged with weights that fall linearly from a window's middle
    to its edge, where a network sees least around a pixel, so that no seam shows. Of the
    sizes then the largest value counts: what one scale alone sees is kept.

    Args:
        maps: per window [h, w], any size, on one common scale: a map stretched by itself
            would make of an empty window as much as of a full one. One is held at a time.
        places: the windows, with whole corners, inside the picture.
        height, width: of the picture.

    Returns:
        float32 [height, width]; 0 where no window lies.

    Raises:
        InputError: a window outside, more maps than windows or fewer.
    """
    sums: dict[tuple[int, int], np.ndarray] = {}
    count = 0
    for count, values in enumerate(maps, 1):
        if count > len(places):
            break
        x0, y0, x1, y1 = as_array([places[count - 1]])[0].astype(int).tolist()
        if min(x0, y0) < 0 or x1 > width or y1 > height:
            raise InputError(
                f"Expected windows inside {width}x{height}. Received: {x0}, {y0}, {x1}, {y1}"
            )
        shape = (y1 - y0, x1 - x0)
        weights = np.outer(*map(_tent, shape))
        total = sums.setdefault(shape, np.zeros((2, height, width), np.float32))[:, y0:y1, x0:x1]
        total[0] += weights * _resized(values, *shape)
        total[1] += weights
    if count != len(places):
        raise InputError(f"Expected one map for each of {len(places)} windows. Received: {count}")
    result = np.zeros((height, width), np.float32)
    covered = np.zeros((height, width), bool)
    for total, weights in sums.values():
        seen = weights > 0
        mean = np.divide(total, weights, out=np.zeros_like(total), where=seen)
        result = np.where(seen & (~covered | (mean > result)), mean, result)
        covered |= seen
    return result


def _tent(length: int) -> np.ndarray:
    places = np.arange(length) + 0.5
    return np.minimum(places, length - places) / length


def _resized(values: np.ndarray, height: int, width: int) -> np.ndarray:
    """Returns a map of another size; bilinear, which stays within its range."""
    image = PIL.Image.fromarray(np.ascontiguousarray(values, np.float32))
    return np.asarray(image.resize((width, height), PIL.Image.Resampling.BILINEAR))
