"""Patches of pictures: what a unit sees of one, and nine of them as 3 x 3."""

from collections.abc import Sequence

import numpy as np
import PIL.Image
import PIL.ImageDraw
import PIL.ImageFont

from tfvis import images

# The side of a patch in a grid, the gap between two, and the grey levels of what is around them.
SIDE, _GAP, _GROUND = 144, 2, 250


def cut(pixels: np.ndarray, box: Sequence[int], side: Sequence[int]) -> np.ndarray:
    """Cuts a box out, on mid grey of the field's size where the box was clipped.

    Args:
        pixels: [height, width, channels].
        box: (top, left, bottom, right).
        side: (height, width) of the field.
    """
    top, left, bottom, right = (int(edge) for edge in box)
    channels = pixels.shape[-1]
    page = np.full((side[0], side[1], channels), 127.5, np.float32)
    # A box clipped at the top or left lies at the bottom or right of its field.
    row = side[0] - (bottom - top) if top == 0 else 0
    column = side[1] - (right - left) if left == 0 else 0
    page[row : row + bottom - top, column : column + right - left] = pixels[top:bottom, left:right]
    return page


def grid(patches: list[np.ndarray], side: int = SIDE, labels: Sequence[str] = ()) -> np.ndarray:
    """Returns patches as the figure of Zeiler & Fergus has them, nine as 3 x 3.

    Args:
        patches: [height, width, channels] each.
        side: of each in the grid.
        labels: written into a corner of each, or none.
    """
    columns = int(np.ceil(np.sqrt(len(patches))))
    rows = -(-len(patches) // columns)
    step = side + _GAP
    page = np.full((rows * step - _GAP, columns * step - _GAP, 3), _GROUND, np.float32)
    for k, patch in enumerate(patches):
        y, x = (k // columns) * step, (k % columns) * step
        shown = _sized(images.with_channels(patch, 3), side)
        page[y : y + side, x : x + side] = _labelled(shown, labels[k]) if labels else shown
    return page


def _sized(patch: np.ndarray, side: int) -> np.ndarray:
    """Returns a patch at the figure's size, on its ground; small ones keep their pixels visible."""
    longest = max(patch.shape[:2])
    height, width = (max(round(side * n / longest), 1) for n in patch.shape[:2])
    if longest < side:
        pairs = zip((height, width), patch.shape[:2], strict=True)
        rows, columns = (np.arange(to) * n // to for to, n in pairs)
        shown = patch[rows][:, columns]
    else:
        shown = images.resize(patch, height, width)
    page = np.full((side, side, patch.shape[-1]), _GROUND, np.float32)
    top, left = (side - height) // 2, (side - width) // 2
    page[top : top + height, left : left + width] = shown
    return page


def _labelled(pixels: np.ndarray, label: str) -> np.ndarray:
    """Returns a patch with a word in its lower left corner."""
    page = PIL.Image.fromarray(images.quantize(pixels))
    draw, font = PIL.ImageDraw.Draw(page), PIL.ImageFont.load_default(12)
    box = draw.textbbox((2, page.height - 2), label, font, anchor="lb")
    draw.rectangle((box[0] - 2, box[1] - 2, box[2] + 2, page.height), (25, 25, 25))
    draw.text((2, page.height - 2), label, (250, 250, 248), font, anchor="lb")
    return np.asarray(page, np.float32)
