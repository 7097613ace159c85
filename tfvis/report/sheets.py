"""Contact sheets: pictures in a grid, labelled, on one page."""

import dataclasses

import numpy as np
import PIL.Image
import PIL.ImageDraw
import PIL.ImageFont

from tfvis import images

_PAPER, _INK, _FAINT = (250, 250, 248), (25, 25, 25), (110, 110, 110)
_GAP, _LINE, _FONT_SIZE = 12, 18, 14


@dataclasses.dataclass(frozen=True)
class Cell:
    """One picture of a sheet.

    Attributes:
        pixels: [height, width, 1 | 3], 0..255.
        title: first line below it.
        note: lines below it, fainter.
    """

    pixels: np.ndarray
    title: str = ""
    note: str = ""


def sheet(cells: list[Cell], columns: int | None = None, heading: str = "") -> np.ndarray:
    """Returns uint8 [height, width, 3]: the cells in rows, each with its two lines.

    Args:
        cells: at least one; all are shown at the size of the largest.
        columns: default all in one row up to 6, else as square as it gets.
        heading: a line at the top.
    """
    if columns is None:
        columns = len(cells) if len(cells) <= 6 else int(np.ceil(np.sqrt(len(cells))))
    rows = -(-len(cells) // columns)
    height = max(cell.pixels.shape[0] for cell in cells)
    width = max(cell.pixels.shape[1] for cell in cells)
    font = PIL.ImageFont.load_default(_FONT_SIZE)
    lines = max(len(_lines(cell)) for cell in cells)
    # Wide enough for the longest label, so that none runs into its neighbour.
    texts = [text for cell in cells for text, _ in _lines(cell)]
    column_width = max([width] + [int(font.getlength(text)) for text in texts])
    row_height = height + 6 + lines * _LINE
    top = _GAP + (_LINE + _GAP if heading else 0)
    page = PIL.Image.new(
        "RGB",
        (
            max(
                _GAP + columns * (column_width + _GAP),
                int(font.getlength(heading)) + 2 * _GAP,
            ),
            top + rows * (row_height + _GAP),
        ),
        _PAPER,
    )
    draw = PIL.ImageDraw.Draw(page)
    if heading:
        draw.text((_GAP, _GAP), heading, _INK, font)
    for i, cell in enumerate(cells):
        x = _GAP + (i % columns) * (column_width + _GAP)
        y = top + (i // columns) * (row_height + _GAP)
        pixels = images.with_channels(images.quantize(cell.pixels), 3)
        page.paste(PIL.Image.fromarray(pixels), (x, y))
        line = y + height + 6
        for text, color in _lines(cell):
            draw.text((x, line), text, color, font)
            line += _LINE
    return np.asarray(page)


def _lines(cell: Cell) -> list[tuple[str, tuple[int, int, int]]]:
    """Returns what stands below a picture, and its colour."""
    lines = [(cell.title, _INK), *((text, _FAINT) for text in cell.note.splitlines())]
    return [(text, color) for text, color in lines if text]
