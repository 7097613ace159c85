"""Boxes in CSV files: the true ones apps are given, the found ones they write.

    path,label,x0,y0,x1,y1          given; several rows of one path are several boxes
    path,label,score,x0,y0,x1,y1    written, as boxes.csv

Pixels of the original image, ends exclusive (see tfvis/attention/boxes.py). UTF-8.
"""

import csv
import dataclasses
import os
from collections.abc import Iterable, Iterator

from tfvis import files, images, tables
from tfvis.attention.boxes import Box
from tfvis.errors import InputError

COLUMNS = ("path", "label", "score", "x0", "y0", "x1", "y1")
# ILSVRC's training boxes, the longest list in use, are about half a million rows.
MAX_BYTES, MAX_ROWS = 64 * 2**20, 1_000_000
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


def read(place: os.PathLike | str, flag: str = "--boxes") -> list[Row]:
    """Returns the rows of a CSV of boxes.

    Columns may come in any order and others beside them; a score may be missing and is 1
    then. A byte order mark, as spreadsheets write it, is skipped, and so are empty lines.

    Args:
        place: the file.
        flag: that named it.

    Raises:
        InputError: no such file; larger than `MAX_BYTES` or `MAX_ROWS`; not UTF-8; without
            a column or any row; a row that is no box (the message names its line).
    """
    name = f"{flag}={place}"
    path = files.located(place, name)
    try:
        if not path.is_file():
            raise InputError(f"{name}: no such file.")
        if path.stat().st_size > MAX_BYTES:
            raise InputError(f"{name}: larger than {MAX_BYTES >> 20} MiB. Split it.")
        with open(path, newline="", encoding="utf-8-sig") as file:
            rows = list(_rows(csv.reader(file, strict=True), name))
    except OSError as error:
        raise InputError(f"{name}: cannot be read ({error.strerror or error}).") from error
    except UnicodeDecodeError as error:
        raise InputError(f"{name}: not UTF-8. Save it as CSV in UTF-8.") from error
    if not rows:
        raise InputError(f"{name}: has no boxes.")
    return rows


def by_path(rows: Iterable[Row]) -> dict[str, list[Row]]:
    """Returns the rows of each image, both in the order they come."""
    found: dict[str, list[Row]] = {}
    for row in rows:
        found.setdefault(row.path, []).append(row)
    return found


def write(place: os.PathLike | str, rows: Iterable[Row]) -> None:
    """Writes rows as a CSV of `COLUMNS`, whole or not at all; numbers to 7 digits.

    Raises:
        InputError: a path or label of several lines or not of Unicode, which other
            programs would read as something else; the folder cannot be written to.
    """
    written = []
    for row in rows:
        for text in (row.path, row.label):
            _check_text(text, str(place))
        numbers = (row.box.score, *(getattr(row.box, corner) for corner in _CORNERS))
        written.append([row.path, row.label, *(f"{number:.7g}" for number in numbers)])
    tables.write(place, COLUMNS, written)


def _rows(reader, name: str) -> Iterator[Row]:
    columns: dict[str, int] = {}
    count = 0
    while True:
        try:
            fields = next(reader, None)
        except csv.Error as error:
            raise InputError(f"{name}, line {reader.line_num}: not CSV ({error}).") from error
        if fields is None:
            break
        where = f"{name}, line {reader.line_num}"
        if not any(field.strip() for field in fields):
            continue
        if not columns:
            columns = _columns(fields, where)
            continue
        count += 1
        if count > MAX_ROWS:
            raise InputError(f"{where}: more than {MAX_ROWS:,} boxes. Split the file.")
        yield _row(fields, columns, where)
    if not columns:
        raise InputError(f"{name}: empty. Expected a first line of {_header()}.")


def _columns(fields: list[str], where: str) -> dict[str, int]:
    """Returns {name: place} of all columns of the header."""
    names = [field.strip().lower() for field in fields]
    missing = [column for column in COLUMNS if column not in names and column != "score"]
    if missing:
        raise InputError(
            f"{where}: no column {', '.join(missing)}. Expected a first line of {_header()}."
        )
    twice = [column for column in COLUMNS if names.count(column) > 1]
    if twice:
        raise InputError(f"{where}: column {twice[0]} is there twice.")
    return {column: place for place, column in enumerate(names)}


def _header() -> str:
    return ",".join(column for column in COLUMNS if column != "score")


def _row(fields: list[str], columns: dict[str, int], where: str) -> Row:
    if len(fields) != len(columns):
        raise InputError(f"{where}: expected {len(columns)} fields. Received: {len(fields)}")
    path, label = (tables.text(fields[columns[name]]) for name in ("path", "label"))
    if not path.strip():
        raise InputError(f"{where}: no path.")
    for text in (path, label):
        _check_text(text, where)
    corners = [_number(fields, columns, corner, where) for corner in _CORNERS]
    score = _number(fields, columns, "score", where) if "score" in columns else 1.0
    x0, y0, x1, y1 = corners
    # Also finite: comparisons with nan are false.
    if not (0 <= x0 < x1 <= images.MAX_SIDE and 0 <= y0 < y1 <= images.MAX_SIDE):
        raise InputError(
            f"{where}: expected 0 <= x0 < x1 and 0 <= y0 < y1, at most {images.MAX_SIDE:,} px. "
            f"Received: {', '.join(f'{corner:g}' for corner in corners)}"
        )
    return Row(path, label, Box(x0, y0, x1, y1, score))


def _number(fields: list[str], columns: dict[str, int], column: str, where: str) -> float:
    text = fields[columns[column]]
    try:
        return float(text)
    except ValueError as error:
        raise InputError(
            f"{where}: expected a number in column {column}. Received: {text[:40]!r}"
        ) from error


def _check_text(text: str, where: str) -> None:
    """Raises InputError unless a text is one line of Unicode."""
    if text.splitlines() not in ([], [text]) or any(ord(c) < 32 or ord(c) == 127 for c in text):
        raise InputError(f"{where}: a line break or control character in {text[:80]!r}.")
    try:
        text.encode("utf-8")
    except UnicodeEncodeError as error:
        raise InputError(f"{where}: {text[:80]!r} is not Unicode. Rename the file.") from error
