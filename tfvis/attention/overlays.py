"""Masks, maps and boxes as pictures."""

import io
import os
from collections.abc import Sequence

import numpy as np
import PIL.Image
import PIL.ImageDraw
import PIL.ImageFont

from tfvis import files, images
from tfvis.attention.boxes import Box
from tfvis.errors import InputError, arg

# Perceptually uniform: a step in the map is the same step to the eye, wherever it lies.
_COLORMAP = "inferno"
# Vermilion and bluish green of Okabe and Ito's palette, told apart by the colour blind too.
FOUND, TRUE = (213, 94, 0), (0, 158, 115)
_RIM, _INK = (255, 255, 255), (0, 0, 0)
_TOP = 65535  # Of 16 bits.
# A mask worked out in float32 may miss its ends by so much.
_ROUNDING = 1e-5


def overlay(picture: np.ndarray, mask: np.ndarray) -> np.ndarray:
    """Returns a picture reddened where a mask marks it: VisualBackProp's overlay.

    On a scale of 0..1 the mask is added to red, taken from green and blue, and the sum is
    clipped, as in the authors' code (Bojarski et al. 2018).

    Args:
        picture: [height, width, 3], 0..255.
        mask: [height, width], 0..1.

    Returns:
        float32 [height, width, 3], 0..255.

    Raises:
        InputError: other shapes, a value that is not finite.
    """
    picture, mask = _matching(picture, mask)
    shift = 255 * mask[..., None] * np.array([1, -1, -1], np.float32)
    return (picture + shift).clip(0, 255)


def heat(picture: np.ndarray, values: np.ndarray, strength: float = 0.6) -> np.ndarray:
    """Returns a picture under the colours of a map, for those of Grad-CAM.

    Args:
        picture: [height, width, 3], 0..255. It is shown in grey: its own colours would be
            taken for the map's.
        values: [height, width]; what is negative is shown as 0, the largest as the brightest.
        strength: share of the colours, 0 to 1; at 0.6 faint places can still be told from
            none, and shapes be seen.

    Returns:
        float32 [height, width, 3], 0..255.

    Raises:
        InputError: other shapes, a value that is not finite, another strength.
    """
    if not 0 <= strength <= 1:
        raise InputError(f"{arg('strength')}={strength}: expected 0 to 1.")
    # Not at the top: it takes as long as all else a small program does.
    import matplotlib

    picture, values = _matching(picture, values)
    values = values.clip(min=0)
    unit = values / values.max() if values.any() else values
    colors = 255 * matplotlib.colormaps[_COLORMAP](unit)[..., :3].astype(np.float32)
    grey = images.with_channels(picture, 1)
    return (1 - strength) * grey + strength * colors


def save_mask16(path: os.PathLike | str, mask: np.ndarray) -> None:
    """Writes `mask16` of a mask, whole or not at all.

    Raises:
        InputError: another shape or range; the folder cannot be written to.
    """
    files.write_bytes(path, mask16(mask))


def mask16(mask: np.ndarray) -> bytes:
    """Returns a mask, [height, width], 0..1, as the bytes of a 16-bit grey PNG.

    65535 is 1; 8 bits would leave 51 levels below the threshold of CAM's boxes.

    Raises:
        InputError: another shape or range.
    """
    mask = np.asarray(mask, np.float64)
    if mask.ndim != 2 or not mask.size:
        raise InputError(f"Expected a mask of [height, width]. Received: {mask.shape}")
    if not (np.isfinite(mask).all() and -_ROUNDING <= mask.min() <= mask.max() <= 1 + _ROUNDING):
        raise InputError(
            f"Expected a mask of 0 to 1. Received: {mask.min():.3g} to {mask.max():.3g}"
        )
    image = PIL.Image.fromarray(np.rint(_TOP * mask.clip(0, 1)).astype(np.uint16))
    written = io.BytesIO()
    image.save(written, format="PNG")
    return written.getvalue()


def read_mask16(path: os.PathLike | str) -> np.ndarray:
    """Returns a mask as `save_mask16` wrote it, float32 [height, width], 0..1.

    Raises:
        InputError: as `images.read`.
    """
    return images.read(path).pixels[..., 0] / 255


def draw_boxes(
    picture: np.ndarray,
    found: Sequence[Box],
    labels: Sequence[str] = (),
    true: Sequence[Box] = (),
) -> np.ndarray:
    """Returns a picture with boxes drawn on it: found ones vermilion, true ones green.

    Args:
        picture: [height, width, 3], 0..255.
        found: predicted boxes, in pixels of the picture.
        labels: of the found ones; "" for none.
        true: true boxes; drawn first, so that a found one on top of one is seen.

    Returns:
        uint8 [height, width, 3]. What lies outside the picture is not seen.

    Raises:
        InputError: another shape, labels for some boxes only.
    """
    picture = _picture(picture)
    labels = list(labels) or [""] * len(found)
    if len(labels) != len(found):
        raise InputError(f"Expected {len(found)} labels, one a box. Received: {len(labels)}")
    image = PIL.Image.fromarray(images.quantize(picture))
    draw = PIL.ImageDraw.Draw(image)
    # Lines and letters that stay readable where a large picture is shown small.
    line = max(2, round(min(image.size) / 150))
    font = PIL.ImageFont.load_default(max(12, min(image.size) / 30))
    for box in true:
        _outline(draw, box, TRUE, line)
    for box in found:
        _outline(draw, box, FOUND, line)
    # Labels last: no line crosses them.
    for box, label in zip(found, labels, strict=True):
        if label:
            _label(draw, box, label, font, image.size)
    return np.asarray(image)


def _outline(draw, box: Box, color: tuple[int, int, int], line: int) -> None:
    x0, y0 = round(box.x0), round(box.y0)
    # Pillow's corners are inclusive, and a box may be thinner than a pixel.
    x1, y1 = max(x0, round(box.x1) - 1), max(y0, round(box.y1) - 1)
    # A light rim tells the line from a picture of its own colour.
    draw.rectangle((x0 - 1, y0 - 1, x1 + 1, y1 + 1), outline=_RIM)
    draw.rectangle((x0, y0, x1, y1), outline=color, width=line)


def _label(draw, box: Box, label: str, font, size: tuple[int, int]) -> None:
    """Writes on a plate above the box; where there is no room, inside it."""
    label = " ".join(label.split())
    left, top, right, bottom = font.getbbox(label)
    width, height = right - left + 6, bottom - top + 6
    x = min(max(0, round(box.x0)), max(0, size[0] - width))
    y = round(box.y0) - height
    y = min(max(0, round(box.y0)), max(0, size[1] - height)) if y < 0 else y
    draw.rectangle((x, y, x + width - 1, y + height - 1), fill=FOUND)
    draw.text((x + 3 - left, y + 3 - top), label, _INK, font)


def _picture(picture: np.ndarray) -> np.ndarray:
    picture = np.asarray(picture, np.float32)
    if picture.ndim != 3 or picture.shape[-1] != 3 or not picture.size:
        raise InputError(f"Expected a picture of [height, width, 3]. Received: {picture.shape}")
    return picture


def _matching(picture: np.ndarray, values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Returns a picture and a map of its size, float32."""
    picture, values = _picture(picture), np.asarray(values, np.float32)
    if values.shape != picture.shape[:2]:
        raise InputError(
            f"Expected a map of the picture's size, {picture.shape[:2]}. Received: {values.shape}"
        )
    if not np.isfinite(values).all():
        raise InputError("Expected a map of finite values. Some are not.")
    return picture, values
