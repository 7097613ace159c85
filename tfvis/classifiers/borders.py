"""The object on a museum's photograph: without colour chart, ruler, plain backdrop.

Backdrop is what has the colour of the frame. What lies on it apart from the object, at any angle,
goes if it is a chart (see `charts`); so does a chart that ends on a line from side to side.
Whatever is not recognised for sure is kept.
"""

import numpy as np
import scipy.ndimage

from tfvis import images
from tfvis.classifiers import charts

# Longest side that is looked at, about, in px: the millimetres of a ruler as long as the picture
# are three px then. Of it, the squares that things are told apart by.
_SIDE, _CELLS = 1024, 256
# The share of a frame that backdrop takes at least: two charts may lie on the rest.
_FRAME = 0.4
# Backdrop may be shaded from one end to the other by so much, of 255.
_SHADING = 50
# What is unlike backdrop by more is something: the mean of a square, any pixel of it; beside noise.
_UNLIKE, _PIXEL = 6, 20
# Squares of something fainter than twice that: fewer are dust.
_DUST = 12
# A chart takes at most this share of the picture, and lies within this share from its edge.
_LARGEST, _REACH = 0.35, 0.3
# JPEG's ringing goes as far, px.
_BLOCK = 16
# Charts that are to be cut off one after the other; more lie around no object.
_ROUNDS = 4

Box = tuple[int, int, int, int]


def crop_borders(picture: np.ndarray) -> Box:
    """Finds the object on a photograph that shows more: (x0, y0, x1, y1), ends exclusive.

    Left out are charts of at least four regular patches and rulers of at least eight ticks
    (their numbers too), on backdrop or along an edge; and backdrop: what has the colour of the
    frame, at opposite edges or beside a chart. A plain margin at one edge may be a sky, and stays.
    Of a drawing, only the blank around the ink goes.

    Args:
        picture: [height, width, 1 | 3], 0..255.

    Returns:
        The box in px of `picture`; all of it where nothing is recognised.
    """
    height, width = picture.shape[:2]
    factor = max(1, round(max(height, width) / _SIDE))
    fine = (
        _squares(images.with_channels(np.asarray(picture, np.float32), 3), factor).mean(3).mean(1)
    )
    x0, y0, x1, y1 = 0, 0, fine.shape[1], fine.shape[0]
    cut = [0] * 4
    for number in range(_ROUNDS):
        (left, top, right, bottom), found = _on_backdrop(fine[y0:y1, x0:x1], cut)
        # Of a drawing that lay on backdrop, the blank around the ink is its own.
        if found or number == 0 or any(cut):
            x0, y0, x1, y1 = x0 + left, y0 + top, x0 + right, y0 + bottom
        if found:
            break
        before = x0, y0, x1, y1
        for edge in range(4):
            depth = _strip(_from_edge(fine[y0:y1, x0:x1], edge))
            cut[edge] += depth
            x0, y0 = x0 + depth * (edge == 1), y0 + depth * (edge == 0)
            x1, y1 = x1 - depth * (edge == 3), y1 - depth * (edge == 2)
        if number and before == (x0, y0, x1, y1):
            break
    reach = [_REACH * side for side in fine.shape[:2]]
    if sum(map(bool, cut)) > 2 or any(cut[edge] > reach[edge % 2] for edge in range(4)):
        return 0, 0, width, height  # A pattern, that goes on.
    return x0 * factor, y0 * factor, min(x1 * factor, width), min(y1 * factor, height)


def _squares(values: np.ndarray, side: int) -> np.ndarray:
    """Returns [h, w, ...] as squares, the last ones filled up: [rows, side, columns, side, ...]."""
    height, width = values.shape[:2]
    more = [(0, -height % side), (0, -width % side)] + [(0, 0)] * (values.ndim - 2)
    values = np.pad(values, more, mode="edge")
    return values.reshape(-(-height // side), side, -(-width // side), side, *values.shape[2:])


def _from_edge(picture: np.ndarray, edge: int) -> np.ndarray:
    """Returns a picture turned so that an edge, 0 top, 1 left, 2 bottom, 3 right, is on top."""
    picture = picture.transpose(1, 0, 2) if edge % 2 else picture
    return picture[::-1] if edge > 1 else picture


def _strip(picture: np.ndarray) -> int:
    """Returns how many rows a chart takes at the top, with what it lies on; 0 if there is none.

    It ends on a line: there, colours change in half of the columns.
    """
    limit = int(_REACH * len(picture))
    if limit < _BLOCK or picture.shape[1] < 2 * _BLOCK:
        return 0
    rows = picture[: limit + 2]
    change = (charts.apart(rows[2:], rows[:-2]) > charts.SAME / 2).mean(1)
    lines = (change >= 0.5) & (change >= scipy.ndimage.maximum_filter1d(change, 7))
    for depth in 1 + np.flatnonzero(lines):
        if depth >= _BLOCK // 2 and _charts_only(picture[:depth]):
            # Blur makes a line some rows deep.
            return int(depth + np.argmax(np.append(change[depth : depth + 3], 0) < 0.3))
    return 0


def _charts_only(strip: np.ndarray) -> bool:
    """Says whether all that is on a strip are charts."""
    if charts.is_chart(strip):
        return True
    backdrop = _backdrop(strip)
    if backdrop is None:
        return False
    objects, found = _told_apart(strip, *_things(strip, *backdrop))
    return bool(found) and not objects


def _on_backdrop(picture: np.ndarray, cut: list[int]) -> tuple[Box, bool]:
    """Returns the box of the object on its backdrop, and whether charts were left out.

    Args:
        picture: float32 [height, width, 3].
        cut: rows of charts that were cut off at each edge.
    """
    height, width = picture.shape[:2]
    whole = (0, 0, width, height)
    backdrop = _backdrop(picture)
    if backdrop is None:
        return whole, False
    masks, cell = _things(picture, *backdrop)
    objects, found = _told_apart(picture, masks, cell)
    if not objects:
        return whole, False
    box = _box(np.any(objects, axis=0))
    x0, y0, x1, y1 = (int(side) * cell for side in box)
    # A square more, for what is soft at the object's edge.
    margins = [max(0, side - cell) for side in (y0, x0, height - y1, width - x1)]
    beside = [cut[k] > 0 or any(_beyond(chart, box, k) for chart in found) for k in range(4)]
    for k in range(4):
        other = (k + 2) % 4
        if not (beside[k] or beside[other] or (margins[k] and margins[other])):
            margins[k] = 0
    top, left, bottom, right = margins
    return (left, top, width - right, height - bottom), bool(found)


def _backdrop(picture: np.ndarray) -> tuple[np.ndarray, float] | None:
    """Returns what backdrop looks like if the frame shows one, and its noise, in levels.

    Returns:
        [3, 3], colours in the middle and what they gain from left to right and from top to bottom.
    """
    height, width = picture.shape[:2]
    y = np.concatenate([np.repeat([0, 1, -2, -1], width), np.tile(np.arange(height), 4)])
    x = np.concatenate([np.tile(np.arange(width), 4), np.repeat([0, 1, -2, -1], height)])
    seen, places = picture[y % height, x % width], _places(y % height / height, x % width / width)
    shown = np.median(seen, axis=0)
    # Nearer and nearer, or the charts on the frame bend the plane.
    for same in (charts.SAME, 16, 12):
        near = charts.apart(seen, shown) <= same
        if near.mean() < _FRAME:
            return None
        plane, *_ = np.linalg.lstsq(places[near], seen[near], rcond=None)
        shown = places @ plane
    if np.ptp(shown, axis=0).max() > _SHADING:
        return None
    return plane, 1.4826 * float(np.median(np.abs(seen - shown)[near]))


def _places(y: np.ndarray, x: np.ndarray) -> np.ndarray:
    return np.stack([np.ones_like(y), x - 0.5, y - 0.5], axis=-1).astype(np.float32)


def _things(picture: np.ndarray, plane: np.ndarray, noise: float) -> tuple[list[np.ndarray], int]:
    """Returns what lies on backdrop: masks of squares, the largest thing's first; their side."""
    height, width = picture.shape[:2]
    cell = -(-max(height, width) // _CELLS)
    rows, columns = -(-height // cell), -(-width // cell)
    shown = _places(
        *np.meshgrid(np.arange(rows) / rows, np.arange(columns) / columns, indexing="ij")
    )
    shown = (shown @ plane.astype(np.float32)).repeat(cell, 0).repeat(cell, 1)
    unlike = picture - shown[:height, :width]
    means = charts.apart(_squares(unlike, cell).mean(3).mean(1), 0) / (_UNLIKE + 3 * noise / cell)
    pixels = _squares(charts.apart(unlike, 0), cell).max((1, 3)) / (_PIXEL + 5 * noise)
    ink = np.maximum(means, pixels)
    around = np.ones((3, 3))
    labels, count = scipy.ndimage.label(scipy.ndimage.binary_fill_holes(ink > 1), around)
    sizes = np.bincount(labels.ravel(), minlength=count + 1)
    most = scipy.ndimage.maximum(ink, labels, np.arange(count + 1))
    things = (sizes >= _DUST) | (np.asarray(most) > 2)
    things[0] = False
    if not things.any():
        return [], cell
    largest = labels == np.argmax(sizes * things)
    others = things[labels] & ~largest
    # Patches and figures that lie near each other are one thing.
    near, count = scipy.ndimage.label(scipy.ndimage.binary_dilation(others, around, 2), around)
    return [largest, *(others & (near == k + 1) for k in range(count))], cell


def _told_apart(picture: np.ndarray, masks: list[np.ndarray], cell: int) -> tuple[list, list]:
    """Returns masks of objects, the largest first, and of charts."""
    objects: list[np.ndarray] = []
    found: list[np.ndarray] = []
    for mask in sorted(masks, key=np.sum, reverse=True):
        (found if _is_chart(picture, mask, cell) else objects).append(mask)
    for edge in range(4):
        # A patch, or each block of a scale bar, on backdrop of the chart's own colour.
        rest = [mask for mask in objects[1:] if _beyond(mask, _box(objects[0]), edge)]
        side = rest + [mask for mask in found if objects and _beyond(mask, _box(objects[0]), edge)]
        if rest and len(side) > 1 and _is_chart(picture, np.any(side, axis=0), cell):
            found += rest
            objects = [one for one in objects if not any(one is mask for mask in rest)]
    for chart in found:
        # What JPEG and shadows leave around it.
        left, top, right, bottom = _box(
            scipy.ndimage.binary_dilation(chart, None, -(-_BLOCK // cell))
        )
        inside = np.zeros_like(chart)
        inside[top:bottom, left:right] = True
        objects = [mask for mask in objects if (mask & ~inside).any()]
    return objects, found


def _is_chart(picture: np.ndarray, mask: np.ndarray, cell: int) -> bool:
    left, top, right, bottom = _box(mask)
    if (right - left) * (bottom - top) > _LARGEST * mask.size:
        return False
    return charts.is_chart(charts.straightened(picture, mask, cell))


def _box(mask: np.ndarray) -> Box:
    ys, xs = np.flatnonzero(mask.any(1)), np.flatnonzero(mask.any(0))
    return int(xs[0]), int(ys[0]), int(xs[-1]) + 1, int(ys[-1]) + 1


def _beyond(mask: np.ndarray, box: Box, edge: int) -> bool:
    """Says whether all of a mask lies between a box and an edge."""
    left, top, right, bottom = _box(mask)
    return (bottom <= box[1], right <= box[0], top >= box[3], left >= box[2])[edge]
