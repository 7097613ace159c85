"""A picture and its tags side by side, for a sheet."""

import numpy as np
import PIL.Image
import PIL.ImageDraw
import PIL.ImageFont

from tfvis import images
from tfvis.networks.illustration2vec_tags import Found

SIDE = 288
_WIDTH, _LINE, _FONT_SIZE, _MARGIN = 250, 18, 14, 8
# Lines of each kind, as many as fit below each other.
_LINES = {"character": 2, "copyright": 2, "general": 6, "rating": 1}
_PAPER, _INK, _FAINT, _BAR = (255, 255, 255), (25, 25, 25), (110, 110, 110), (222, 230, 240)


def card(pixels: np.ndarray, found: Found) -> np.ndarray:
    """Returns uint8 [`SIDE`, width, 3]: the whole picture, and beside it its surest tags.

    Args:
        pixels: float32 [height, width, 3], 0..255.
        found: tags by kind.
    """
    height, width = pixels.shape[:2]
    scale = SIDE / max(height, width)
    fitted = images.resize(pixels, *(max(1, round(side * scale)) for side in (height, width)))
    page = PIL.Image.new("RGB", (SIDE + _WIDTH, SIDE), _PAPER)
    thumbnail = PIL.Image.fromarray(images.quantize(fitted))
    page.paste(thumbnail, ((SIDE - thumbnail.width) // 2, (SIDE - thumbnail.height) // 2))
    draw, font = PIL.ImageDraw.Draw(page), PIL.ImageFont.load_default(_FONT_SIZE)
    left, right, y = SIDE + _MARGIN, SIDE + _WIDTH - _MARGIN, 0
    for kind, most in _LINES.items():
        if not found[kind]:
            continue
        draw.text((left, y), kind, _FAINT, font)
        y += _LINE
        for tag, confidence in found[kind][:most]:
            draw.rectangle((left, y + 1, left + confidence * (right - left), y + _LINE - 2), _BAR)
            percent = f"{confidence:.0%}"
            start = right - font.getlength(percent)
            draw.text((left + 4, y), _cut(tag, start - left - 12, font), _INK, font)
            draw.text((start, y), percent, _INK, font)
            y += _LINE
    return np.asarray(page)


def _cut(text: str, width: float, font) -> str:
    """Returns as much of a text as fits."""
    if font.getlength(text) <= width:
        return text
    while text and font.getlength(text + "…") > width:
        text = text[:-1]
    return text + "…"
