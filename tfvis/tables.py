"""Tables as CSV files that a spreadsheet opens and does not obey.

A cell that begins like a formula (`=cmd|...`) is one to a spreadsheet, whoever wrote the name in
it. Such text is written behind an apostrophe, the spreadsheets' own sign for text, and read
without it (OWASP, "CSV Injection").
"""

import csv
import os
from collections.abc import Iterable, Sequence

from tfvis import files
from tfvis.errors import printable

_FORMULA = tuple("=+-@\t\r")


def write(path: os.PathLike | str, columns: Sequence[str], rows: Iterable[Sequence]) -> None:
    """Writes a table, UTF-8, whole or not at all.

    Args:
        path: of the file.
        columns: names, the first line.
        rows: cells each; text is made safe by `cell`, None is empty.

    Raises:
        InputError: the folder cannot be written to.
    """
    with files.replacing(path) as temporary:
        with open(temporary, "w", newline="", encoding="utf-8") as file:
            table = csv.writer(file, lineterminator="\n")
            table.writerow(map(cell, columns))
            table.writerows([cell(value) for value in row] for row in rows)


def cell(value):
    """Returns a cell's value; text with what a spreadsheet or a terminal would obey undone."""
    if not isinstance(value, str) or _is_number(value):
        return value
    return f"'{printable(value)}" if value.startswith(_FORMULA) else printable(value)


def text(cell: str) -> str:
    """Returns what a cell said before `cell` made it safe."""
    return cell[1:] if cell.startswith("'") and cell[1:].startswith(_FORMULA) else cell


def _is_number(value: str) -> bool:
    try:
        float(value)
    except ValueError:
        return False
    return True
