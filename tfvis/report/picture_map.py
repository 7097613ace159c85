"""A map of pictures: each small, framed in its group's colour, at its place on a plane."""

from collections.abc import Sequence

import numpy as np
import PIL.Image
import PIL.ImageDraw

from tfvis import images

_PAPER = (250, 250, 248)
# Tableau's twenty, strong ones first; they begin again where there are more groups.
COLORS = (
    (31, 119, 180), (255, 127, 14), (44, 160, 44), (214, 39, 40), (148, 103, 189),
    (140, 86, 75), (227, 119, 194), (188, 189, 34), (23, 190, 207), (174, 199, 232),
    (255, 187, 120), (152, 223, 138), (255, 152, 150), (197, 176, 213), (196, 156, 148),
    (247, 182, 210), (219, 219, 141), (158, 218, 229),
)  # fmt: skip
_NO_GROUP = (150, 150, 150)
_FRAME = 3


def color(group: int) -> tuple[int, int, int]:
    """Returns a group's colour, RGB; grey of what is in none, -1."""
    return _NO_GROUP if group < 0 else COLORS[group % len(COLORS)]


def picture_map(
    places: np.ndarray,
    pictures: Sequence[np.ndarray],
    groups: Sequence[int],
    side: int = 1200,
    small: int = 48,
) -> np.ndarray:
    """Returns uint8 [side, side, 3]; what comes later lies above what comes before.

    Args:
        places: [pictures, 2], of one unit; one scale for both axes.
        pictures: [height, width, 3], 0..255 each.
        groups: of each, from 0 on; -1 of none.
        side: of the map, px.
        small: the longer side of each picture on it, px.
    """
    page = PIL.Image.new("RGB", (side, side), _PAPER)
    draw = PIL.ImageDraw.Draw(page)
    low, high = places.min(0), places.max(0)
    room = side - small - 4 * _FRAME
    scale = room / max(float((high - low).max()), 1e-12)
    for place, pixels, group in zip(places, pictures, groups, strict=True):
        x, y = side / 2 + (place - (low + high) / 2) * scale * (1, -1)
        picture = PIL.Image.fromarray(images.quantize(pixels))
        picture.thumbnail((small, small))
        left, top = round(x - picture.width / 2), round(y - picture.height / 2)
        frame = (left - _FRAME, top - _FRAME, left + picture.width + _FRAME - 1)
        draw.rectangle((*frame, top + picture.height + _FRAME - 1), color(group))
        page.paste(picture, (left, top))
    return np.asarray(page)
