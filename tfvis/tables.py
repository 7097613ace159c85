"""Tables as CSV files that a spreadsheet opens and does not obey.

A cell that begins like a formula (`=cmd|...`) is one to a spreadsheet, whoever wrote the name in
it. Such text is written behind an apostrophe, the spreadsheets' own sign for text, and read
without it (OWASP, "CSV Injection").
"""

import csv
import dataclasses
import io
import os
from collections.abc import Iterable, Iterator, Sequence

from tfvis import files
from tfvis.errors import InputError, printable

_FORMULA = tuple("=+-@\t\r")
# A row is some 100 bytes; ILSVRC's training boxes, the longest list in use, are about half a
# million rows.
MAX_BYTES, MAX_ROWS = 64 * 2**20, 1_000_000
# What spreadsheets put between cells: a semicolon where the comma stands in numbers.
_DELIMITERS = ",;\t"
# Of files that hold tables, however their cells are parted.
ENDINGS = (".csv", ".tsv")
_SHEET = "save its sheet as CSV in UTF-8"
# How files begin that are taken for tables: what they are, and the way out.
_STARTS = {
    b"\xd0\xcf\x11\xe0": f"an old workbook of Excel; {_SHEET}",
    b"\x1f\x8b": "packed with gzip; unpack it",
    b"PAR1": "Parquet; save it as CSV in UTF-8",
}
# The same of zip archives, by the name of the first file in it.
_ZIPPED = {
    b"opendocument": f"a workbook of LibreOffice or its like; {_SHEET}",
    **dict.fromkeys(
        (b"[Content_Types]", b"xl/", b"docProps/", b"_rels/"), f"a workbook of Excel; {_SHEET}"
    ),
    b"": "a zip archive; unpack it",
}


def mistaken(start: bytes) -> str:
    """Returns what a file is that is taken for a table, and what to do; "" for none.

    Args:
        start: its first bytes, some hundred of them.
    """
    if start.startswith(b"PK\3\4"):
        return next(what for held, what in _ZIPPED.items() if held in start)
    found = (what for begin, what in _STARTS.items() if start.startswith(begin))
    return next(found, "") or files.mistaken(start)


@dataclasses.dataclass(frozen=True)
class Row:
    """A line of a table.

    Attributes:
        line: its number in the file, from 1.
        columns: names of the table's.
        fields: as many as the line has.
        decimal_comma: whether numbers may have a comma for a point.
    """

    line: int
    columns: tuple[str, ...]
    fields: tuple[str, ...]
    decimal_comma: bool = False

    def check(self) -> None:
        """Raises InputError unless there is a field for each column."""
        if len(self.fields) != len(self.columns):
            said = f"expected {len(self.columns)} fields. Received: {len(self.fields)}"
            more = " (what holds a comma stands in quotes)"
            raise InputError(said + more * (len(self.fields) > len(self.columns)))

    def __getitem__(self, column: str) -> str:
        return text(self.fields[self.columns.index(column)])

    def number(self, column: str) -> float:
        """Returns a cell that is a number.

        Raises:
            InputError: it is none.
        """
        cell = self[column]
        try:
            return float(cell.replace(",", ".") if self.decimal_comma else cell)
        except ValueError:
            raise InputError(
                f"expected a number in column {column}. Received: {cell[:40]!r}"
            ) from None


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


def read(
    path: os.PathLike | str, name: str, required: Sequence[str]
) -> tuple[tuple[str, ...], Iterator[Row]]:
    """Reads a table as spreadsheets save them.

    In UTF-8 or UTF-16, between its cells commas, semicolons or tabs, its lines ended as on any
    system; cells may be quoted, and must be where they hold one of these. Columns come in any
    order; empty lines are skipped, and so are empty cells behind the last column.

    Args:
        path: of the file.
        name: what messages begin with.
        required: columns that there must be.

    Returns:
        (names of the columns, in small letters; the rows, read as they are asked for).

    Raises:
        InputError: no such file; larger than `MAX_BYTES`; in another encoding; without a
            column or with one twice; and from the rows, where the file is no CSV.
    """
    content = _content(path, name)
    head, first = _head(content, name)
    expected = f"Expected a first line with the columns {','.join(required)}, each once."
    if not head:
        raise InputError(f"{name}: an empty file. {expected}")
    found = _cells(head, f"{name}, line {first}")
    delimiter = max(_DELIMITERS, key=lambda d: len(set(found[d]) & set(required)))
    columns = found[delimiter]
    missing = [column for column in required if column not in columns]
    twice = [column for column in required if columns.count(column) > 1]
    if missing or twice:
        what = f"no column {', '.join(missing)}" if missing else f"column {twice[0]} is there twice"
        raise InputError(f"{name}, line {first}: {what}. {expected} Received: {head[:80].strip()}")
    return columns, _rows(content, name, columns, delimiter, first, head)


def columns(path: os.PathLike | str, name: str) -> tuple[str, ...]:
    """Returns the names of a table's columns, in small letters, whatever they are.

    As `read`; of the delimiters the one that makes most of them.

    Raises:
        InputError: as `read`, but for columns that are missing or twice there.
    """
    head, first = _head(_content(path, name), name)
    return max(_cells(head, f"{name}, line {first}").values(), key=len)


def _content(path: os.PathLike | str, name: str) -> str:
    content = files.read_bytes(files.located(path, name), name, MAX_BYTES)
    if what := mistaken(content[:256]):
        raise InputError(f"{name}: no CSV but {what}.")
    try:
        decoded = files.decoded(content)
    except UnicodeDecodeError as error:
        raise InputError(
            f"{name}: neither UTF-8 nor UTF-16 ({error.reason} at byte {error.start}). Save it as "
            "CSV in UTF-8."
        ) from error
    # Lines as "CSV (Macintosh)" ends them.
    return decoded if "\n" in decoded else decoded.replace("\r", "\n")


def _cells(head: str, where: str) -> dict[str, tuple[str, ...]]:
    """Returns the cells of a first line, in small letters, by each delimiter."""
    found = {}
    for delimiter in _DELIMITERS:
        try:
            cells = next(_reader([head], delimiter, head), [])
        except csv.Error as error:
            raise InputError(f"{where}: not CSV ({error}).") from error
        found[delimiter] = tuple(cell.strip().lower() for cell in cells)
    return found


def _reader(lines: Iterable[str], delimiter: str, head: str):
    """Returns a reader of cells; where the first line puts spaces between them, no cell has them.

    Quotes count at the start of a cell only.
    """
    spaced = f"{delimiter} " in head
    return csv.reader(lines, delimiter=delimiter, strict=True, skipinitialspace=spaced)


def _fitted(cells: list[str], columns: tuple[str, ...]) -> tuple[str, ...]:
    """Returns the cells of a line, as many as there are columns.

    At the end spreadsheets write some empty ones more, or leave those out that have no name.
    """
    count = len(cells)
    while count > len(columns) and not cells[count - 1].strip():
        count -= 1
    lacking = columns[count:]
    return (*cells[:count], *(() if any(lacking) else lacking))


def _rows(
    content: str, name: str, columns: tuple[str, ...], delimiter: str, first: int, head: str
) -> Iterator[Row]:
    reader = _reader(io.StringIO(content, newline=""), delimiter, head)
    count = 0
    while True:
        try:
            fields = next(reader, None)
        except csv.Error as error:
            raise InputError(f"{name}, line {reader.line_num}: not CSV ({error}).") from error
        if fields is None:
            return
        if reader.line_num <= first or not any(field.strip() for field in fields):
            continue
        count += 1
        if count > MAX_ROWS:
            raise InputError(
                f"{name}, line {reader.line_num}: more than {MAX_ROWS:,} rows. Split the file."
            )
        yield Row(reader.line_num, columns, _fitted(fields, columns), delimiter != ",")


def _head(content: str, name: str) -> tuple[str, int]:
    """Returns the first line that says something, and its number."""
    number = 0
    for number, line in enumerate(io.StringIO(content), 1):
        # Excel's own note of the delimiter.
        if line.strip() and not line.lower().startswith("sep="):
            return line, number
    return "", number


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
