"""Boxes in CSV files: the true ones apps are given, the found ones they write.

    path,label,x0,y0,x1,y1          given; several rows of one path are several boxes
    path,label,score,x0,y0,x1,y1    written, as boxes.csv

Pixels of the original image, ends exclusive (see tfvis/attention/boxes.py). UTF-8.
"""

import dataclasses
import os
from collections.abc import Iterable

from tfvis import images, tables
from tfvis.attention.boxes import Box
from tfvis.errors import InputError, arg, marked

COLUMNS = ("path", "label", "score", "x0", "y0", "x1", "y1")
_CORNERS = COLUMNS[3:]


@dataclasses.dataclass(frozen=True, slots=True)
class Row:
    """One box of one image.

    Attributes:
        path: of the image, as the file has it.
        label: of what is in the box.
        box: in pixels of the image.
    """

    path: str
    label: str
    box: Box


def read(place: os.PathLike | str, argument: str = "place") -> list[Row]:
    """Returns the rows of a CSV of boxes.

    As `tfvis.tables.read`; a score may be missing and is 1 then.

    Args:
        place: the file.
        argument: that named it, for messages.

    Raises:
        InputError: as `tfvis.tables.read`; there is no row; a row is no box (the message
            names its line).
    """
    name = f"{arg(argument)}={place}"
    _, found = tables.read(place, name, [column for column in COLUMNS if column != "score"])
    rows = [row_of(row, f"{name}, line {row.line}") for row in found]
    if not rows:
        raise InputError(f"{name}: has no boxes.")
    return rows


def write(place: os.PathLike | str, rows: Iterable[Row]) -> None:
    """Writes rows as a CSV of `COLUMNS`, whole or not at all; numbers to 7 digits.

    Raises:
        InputError: a path or label of several lines or not of Unicode, which other
            programs would read as something else; the folder cannot be written to.
    """

    def cells(row: Row) -> list[str]:
        for text in (row.path, row.label):
            _check_text(text, str(place))
        numbers = (row.box.score, *(getattr(row.box, corner) for corner in _CORNERS))
        return [row.path, row.label, *(f"{number:.7g}" for number in numbers)]

    tables.write(place, COLUMNS, map(cells, rows))


def row_of(row: tables.Row, where: str) -> Row:
    """Returns the box of a table's line.

    Args:
        row: the line, with all of `COLUMNS` but for the score.
        where: what messages begin with.

    Raises:
        InputError: it is no box.
    """
    try:
        row.check()
        corners = [row.number(corner) for corner in _CORNERS]
        score = row.number("score") if "score" in row.columns else 1.0
    except InputError as error:
        raise InputError(f"{where}: {marked(error)}") from error
    path, label = row["path"], row["label"]
    if not path.strip():
        raise InputError(f"{where}: no path.")
    for text in (path, label):
        _check_text(text, where)
    x0, y0, x1, y1 = corners
    # Also finite: comparisons with nan are false.
    if not (0 <= x0 < x1 <= images.MAX_SIDE and 0 <= y0 < y1 <= images.MAX_SIDE):
        raise InputError(
            f"{where}: expected 0 <= x0 < x1 and 0 <= y0 < y1, at most {images.MAX_SIDE:,} px. "
            f"Received: {', '.join(f'{corner:g}' for corner in corners)}"
        )
    return Row(path, label, Box(x0, y0, x1, y1, score))


def _check_text(text: str, where: str) -> None:
    """Raises InputError unless a text is one line of Unicode."""
    if text.splitlines() not in ([], [text]) or any(ord(c) < 32 or ord(c) == 127 for c in text):
        raise InputError(f"{where}: a line break or control character in {text[:80]!r}.")
    try:
        text.encode("utf-8")
    except UnicodeEncodeError as error:
        raise InputError(f"{where}: {text[:80]!r} is not Unicode. Rename the file.") from error
