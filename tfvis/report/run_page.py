"""The page of a run: its pictures, tables and plots, what makes it again, its files.

An experiment says what is special of it, with the functions here; the tables, plots and files
that lie in its workdir are found. Pictures are linked, not held: the page stays small, and is
copied with the folder.
"""

import csv
import dataclasses
import hashlib
import itertools
import os
import pathlib
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, TypeVar

import numpy as np
import PIL.Image

from tfvis import files, tables
from tfvis.errors import InputError
from tfvis.report import html_page, number_meanings, page_pictures
from tfvis.report.html_page import Linked, Number, Page, Pair, Section, Table

NAME = "index.html"
# Of a run's own at its top: pictures that only the page shows.
FOLDER = "page"
# A page of more is slow to open and is not read to its end.
_FIGURES, _ROWS, _FILES = 200, 20, 60
# Any page of ours has it; and how it names a picture that only it shows.
_MARK = '<dialog aria-label="enlarged figure">'
_OWN = re.compile(rf' src="({FOLDER}/\w+\.(?:png|jpg))"')
# A workdir may be a folder of much else.
_COUNTED = 10_000
# With so few pictures, each is large.
FEW = 4
# Not the same of two runs that are.
_TIMES = ("seconds",)
# Groups of numbers in a record of a manifest.
_GROUPS = ("measures", "random_pairs")
_PLOTS = (".png", ".gif")
# What a file becomes on a page.
_Shown = TypeVar("_Shown", Linked, Table)


def shown(workdir: pathlib.Path, name: str, pixels: np.ndarray, **words) -> Linked:
    """Saves a picture that only the page shows, and returns it.

    Args:
        workdir: of the run.
        name: of its file, without an ending.
        pixels: [height, width, 1 | 3], 0..255.
        **words: of `Linked`.
    """
    content, suffix = page_pictures.encoded(pixels)
    file = f"{FOLDER}/{name}.{suffix}"
    with files.replacing(workdir / file) as temporary:
        temporary.write_bytes(content)
    return Linked(file, *pixels.shape[:2], **words)


def name_of(path: str) -> str:
    """Returns what `shown` may call a picture of a file that lies elsewhere.

    Files of one name in two folders are two.
    """
    return hashlib.sha256(path.encode()).hexdigest()[:16]


def linked(workdir: pathlib.Path, file: os.PathLike | str, **words) -> Linked:
    """Returns a picture that the run has written.

    Args:
        workdir: of the run.
        file: relative to it.
        **words: of `Linked`.
    """
    with PIL.Image.open(workdir / file) as picture:
        width, height = picture.size
    return Linked(pathlib.PurePath(file).as_posix(), height, width, **words)


def numbers(record: Mapping) -> tuple[Number, ...]:
    """Returns those numbers of a manifest's record that have a meaning, as a page shows them."""
    groups = [record, *(record[name] for name in _GROUPS if isinstance(record.get(name), Mapping))]
    found = {
        name: value
        for group in groups
        for name, value in group.items()
        if isinstance(value, (int, float)) and not isinstance(value, bool)
    }
    shown = {name: html_page.shortened(str(value), value) for name, value in found.items()}
    return tuple(
        Number(name, f"{shown[name]} of {shown[known.of]}" if known.of in shown else shown[name])
        for name, known in number_meanings.of(found).items()
    )


def section(
    heading: str,
    text: str,
    records: Sequence[Mapping],
    figures: Callable[[Mapping], Iterable[Linked | Pair]],
    **more: Any,
) -> Section:
    """Returns a section of the pictures of records, as many as a page has room for.

    Args:
        heading, text: its words.
        records: of a manifest.
        figures: record -> its pictures.
        **more: of `Section`.
    """
    found: list[Linked | Pair] = []
    left = len(records)
    for record in records:
        found += figures(record)
        left -= 1
        if len(found) >= _FIGURES:
            break
    said = f"and {left:,} more in the folder" if left else ""
    large = len(found) <= FEW
    options: dict[str, Any] = {"more": said, "large": large} | more
    return Section(heading, text, tuple(found), **options)


def write(workdir: pathlib.Path, page: Page) -> bool:
    """Writes the page of a run, whole or not at all, with what is found in the workdir.

    Pictures that an earlier page alone has shown are removed.

    Args:
        workdir: of the run.
        page: what the experiment says; tables and plots that it does not show are added.

    Returns:
        Whether it was written: not where somebody else's page lies.

    Raises:
        InputError: the folder cannot be written to.
    """
    before = _earlier(workdir / NAME)
    if before is None:
        return False
    already = {one.file for part in page.sections for one in _linked(part)}
    already |= {part.table.file for part in page.sections if part.table}
    top = sorted(path for path in workdir.iterdir() if path.is_file() and path.name[0] != ".")
    found = [path for path in top if path.name not in already]
    plots = [one for path in found if path.suffix in _PLOTS and (one := _readable(_plot, path))]
    # The sheet holds what the page shows larger, where that shows anything.
    shows = any(part.figures for part in page.sections) or len(plots) > 1
    plots = [one for one in plots if pathlib.PurePath(one.file).stem != "sheet" or not shows]
    sections = [*page.sections]
    if plots:
        sections.append(Section("Pictures" if not shows else "Plots", "", tuple(plots)))
    for path in found:
        # Of an empty one nothing is shown.
        if path.suffix == ".csv" and (rows := _readable(table, path)) and rows.rows:
            sections.append(Section(_words(path).capitalize(), "", (), rows))
    listed, more = _files(workdir)
    page = dataclasses.replace(page, sections=sections, files=listed, more_files=more)
    html_page.write(workdir / NAME, page)
    for file in set(_OWN.findall(before)) - already:
        (workdir / file).unlink(missing_ok=True)
    return True


def _earlier(path: pathlib.Path) -> str | None:
    """Returns an earlier page, "" where there is none, None where it is none of ours."""
    if not path.exists():
        return ""
    try:
        text = files.read_bytes(path, os.fspath(path), tables.MAX_BYTES).decode("utf-8")
    except (InputError, UnicodeDecodeError):
        return None
    return text if _MARK in text else None


def _readable(read: Callable[[pathlib.Path, str], _Shown], path: pathlib.Path) -> _Shown | None:
    """Returns what is shown of a file, or None: who chose the workdir may have others in it."""
    try:
        return read(path.parent, path.name) if path.stat().st_size <= tables.MAX_BYTES else None
    except (OSError, ValueError, csv.Error, PIL.Image.DecompressionBombError):
        return None


def _plot(workdir: pathlib.Path, name: str) -> Linked:
    return linked(workdir, name, title=_words(pathlib.Path(name)), wide=True)


def _linked(part: Section) -> Iterator[Linked]:
    for one in part.figures:
        several = (one.before, one.after) if isinstance(one, Pair) else (one,)
        yield from (each for each in several if isinstance(each, Linked))


def _words(path: pathlib.Path) -> str:
    return path.stem.replace("_", " ")


def table(workdir: pathlib.Path, name: str, most: int = _ROWS) -> Table:
    """Returns the beginning of a table of a run, without times, which no two runs share.

    Args:
        workdir: of the run.
        name: of the file.
        most: rows that are shown.
    """
    with open(workdir / name, newline="", encoding="utf-8") as file:
        rows = csv.reader(file)
        columns = next(rows, [])
        kept = [k for k, name in enumerate(columns) if name not in _TIMES]
        first = list(itertools.islice(rows, most))
        count = len(first) + sum(1 for _ in rows)
        # Nothing is said by a column of which nothing is seen.
        kept = [k for k in kept if any(k < len(row) and row[k] for row in first)]
        first = [[tables.text(row[k]) if k < len(row) else "" for k in kept] for row in first]
    return Table([columns[k] for k in kept], first, name, count)


def _files(workdir: pathlib.Path) -> tuple[list[str], str]:
    """Returns the files of a run that are worth a link, those at the top first, and the rest.

    Hidden ones, TensorBoard's and those of the page itself are left out.
    """
    found: list[str] = []
    for folder, names, inside in os.walk(workdir):
        if len(found) > _COUNTED:
            return found[:_FILES], f"and more than {_COUNTED - _FILES:,} others in the folder"
        own = pathlib.Path(folder) == workdir
        names[:] = sorted(
            n for n in names if n[0] != "." and not (own and n in (FOLDER, "tensorboard"))
        )
        where = pathlib.Path(folder).relative_to(workdir)
        found += [
            (where / name).as_posix()
            for name in sorted(inside)
            if name[0] != "." and not (own and name == NAME)
        ]
    left = len(found) - _FILES
    return found[:_FILES], f"and {left:,} more in the folder" if left > 0 else ""
