"""Data sets as people keep them: a folder per class, or a table of files and boxes."""

import dataclasses
import itertools
import os
import pathlib
import sys
import unicodedata
from collections.abc import Iterator, Sequence

import numpy as np

from tfvis import files, images, tables
from tfvis.errors import InputError, marked, printable
from tfvis.image_files import folders, headers
from tfvis.image_files.folders import LeftOut

NEGATIVE = "none"
# The largest picture that is read, uncompressed with four channels of 16 bits.
_MAX_FILE_BYTES = images.MAX_PIXELS * 8 + 2**20
_BOX = ("x0", "y0", "x1", "y1")
# How others call the sides of boxes, which may count otherwise: VOC's from 1, and COCO's are sizes.
_OTHER_BOXES = (
    ("xmin", "ymin", "xmax", "ymax"), ("x", "y", "w", "h"), ("x", "y", "width", "height"),
)  # fmt: skip
# More than these are counted, not listed: a message is one line.
_LISTED = 5
# How the parts of a data set are called that somebody else has split.
_PARTS = frozenset(
    ("train", "training", "val", "valid", "validation", "dev", "test", "testing", "eval")
)


@dataclasses.dataclass(frozen=True)
class Example:
    """One picture, or a box of it.

    Attributes:
        path: of the file: below its source as that was given.
        label: index into the classes, -1 where unlabelled.
        box: (x0, y0, x1, y1) in px of the upright original, ends exclusive, or None.
        domain: index into the domains.
        key: the path relative to the source, with slashes; what `splits` go by.
    """

    path: str
    label: int
    box: tuple[int, int, int, int] | None
    domain: int
    key: str = ""


@dataclasses.dataclass(frozen=True)
class Dataset:
    """Examples of several sources, in the order of the sources and their names.

    Attributes:
        classes: names, sorted, the negative class `none` last; or as asked for.
        domains: one name per source.
        examples: all whose file looks like a picture.
        broken: the files left out.
        notes: made of them.
    """

    classes: tuple[str, ...]
    domains: tuple[str, ...]
    examples: tuple[Example, ...]
    broken: tuple[LeftOut, ...]
    notes: tuple[str, ...] = ()

    @property
    def files(self) -> int:
        """How many files the examples are of."""
        return len({example.path for example in self.examples})


@dataclasses.dataclass(frozen=True)
class _Entry:
    """A file as a source names it, before classes have numbers; or why it is left out."""

    path: str
    key: str
    label: str
    box: tuple[int, int, int, int] | None = None
    left: LeftOut | None = None
    notes: tuple[str, ...] = ()


def read(
    sources: Sequence[str | os.PathLike],
    classes: Sequence[str] | None = None,
    *,
    labelled: bool = True,
) -> Dataset:
    """Lists the examples of data sets; opens no more of a file than its header.

    Hidden files and files that are not pictures by their ending are passed over; links
    are followed. Each source is a domain, named by its folder or the stem of its table.

    Args:
        sources: each a folder with a folder per class (which may nest deeper), or a CSV or TSV
            file (see `tfvis.tables.read`) with the columns path (relative to its folder,
            with slashes or as Windows writes it), label and, where boxes are meant, x0,
            y0, x1, y1 in px. Unlabelled: a folder of pictures, a CSV file whose labels are
            ignored, or one picture.
        classes: the names and their order; left out, those found.
        labelled: whether labels are read.

    Raises:
        InputError: no such source, a class without a readable picture, fewer than two
            classes, labels that are not in `classes`, bad rows of a table.
    """
    places = [files.located(source) for source in sources]
    domains = _domains(places)
    found = [list(_entries(place, labelled)) for place in places]
    if not labelled:
        classes = tuple(classes or ())
    else:
        names = _labels(places, found)
        classes = tuple(classes) if classes is not None else names
        known = {_composed(name) for name in classes}
        unknown = [name for name in names if name not in known]
        if unknown:
            raise InputError(
                f"{_places(places)}: labels unknown to the checkpoint: {listed(unknown)}. "
                f"It knows {listed(classes)}."
            )
        if len(classes) < 2:
            raise InputError(
                f"{_places(places)}: {len(classes)} class{'' if len(classes) == 1 else 'es'} "
                f"({listed(classes) or 'none'}); at least two are needed. Expected a folder per "
                "class, or a CSV file with the columns path,label."
            )
    numbers = {_composed(name): index for index, name in enumerate(classes)} if labelled else {}
    examples = tuple(
        Example(entry.path, numbers.get(entry.label, -1), entry.box, domain, entry.key)
        for domain, entries in enumerate(found)
        for entry in entries
        if not entry.left
    )
    broken = tuple(
        dict.fromkeys(entry.left for entries in found for entry in entries if entry.left)
    )
    if not examples:
        more = f" It has {folders.told(broken)}." if broken else ""
        raise InputError(f"{_places(places)}: no readable pictures in it.{more}")
    notes = {e.path: e.notes for entries in found for e in entries if e.notes}
    every = tuple(note for some in notes.values() for note in some)
    return Dataset(classes, domains, examples, broken, every)


def at_most(dataset: Dataset, count: int, seed: int = 0) -> Dataset:
    """Returns as many files of each class at most, of all domains alike as far as they reach.

    For networks that are to differ by their pictures alone, not by how many there were.

    Args:
        dataset: whole.
        count: files of a class.
        seed: which.
    """
    generator = np.random.default_rng(seed)
    decks: dict[int, dict[int, list[str]]] = {}
    for example in dataset.examples:
        found = decks.setdefault(example.label, {}).setdefault(example.domain, [])
        if example.path not in found[-1:]:
            found.append(example.path)
    kept = set()
    for label in sorted(decks):
        shuffled = [
            [paths[k] for k in generator.permutation(len(paths))]
            for _, paths in sorted(decks[label].items())
        ]
        turns = itertools.zip_longest(*shuffled)
        flat = dict.fromkeys(path for turn in turns for path in turn if path)
        kept.update((label, path) for path in itertools.islice(flat, count))
    examples = tuple(one for one in dataset.examples if (one.label, one.path) in kept)
    return dataclasses.replace(dataset, examples=examples)


def _places(places: list[pathlib.Path]) -> str:
    return ", ".join(str(place) for place in places)


def listed(names: Sequence[str]) -> str:
    """Returns the first names and how many more there are, for a message of one line."""
    more = f" and {len(names) - _LISTED} more" if len(names) > _LISTED else ""
    return ", ".join(names[:_LISTED]) + more


def _domains(places: list[pathlib.Path]) -> tuple[str, ...]:
    """Returns a name for each source: as much of the end of its path as tells them apart."""
    whole = [place.resolve() for place in places]
    if not whole or len(set(whole)) < len(whole):
        raise InputError(f"Expected sources, each once. Received: {_places(places) or 'none'}")
    parts = [(path.with_suffix("") if path.is_file() else path).parts for path in whole]
    for length in range(1, max(map(len, parts))):
        names = tuple("/".join(part[-length:]) for part in parts)
        if len(set(names)) == len(names):
            return names
    # A folder beside a table of the same stem.
    return tuple(str(path) for path in whole)


def _labels(places: list[pathlib.Path], found: list[list[_Entry]]) -> tuple[str, ...]:
    """Returns the classes found, in order; each has a readable picture in every source."""
    for place, entries in zip(places, found, strict=True):
        readable = {entry.label for entry in entries if not entry.left}
        empty = sorted({entry.label for entry in entries} - readable - {""})
        if empty:
            first = next(marked(e.left.detail) for e in entries if e.label == empty[0] and e.left)
            raise InputError(
                f"{place}: no readable picture of the class {listed(empty)} ({first}). "
                "Add one, or take the class away."
            )
    names = {entry.label for entries in found for entry in entries if entry.label}
    return tuple(sorted(names, key=lambda name: (name == NEGATIVE, name)))


def _entries(place: pathlib.Path, labelled: bool) -> Iterator[_Entry]:
    """Yields what a source names."""
    if place.is_dir():
        yield from _of_folder(place, labelled)
    elif not place.is_file():
        raise InputError(f"{place}: no such folder or file.")
    elif place.suffix.lower() in tables.ENDINGS:
        yield from _of_table(place, labelled)
    elif not labelled and place.suffix.lower() in images.ENDINGS:
        yield _entry(place, _key(place.name), "")
    else:
        with files.opened(place, str(place), sys.maxsize) as file:
            what = tables.mistaken(file.read(256))
        more = f": it is {what}." if what else f" ({', '.join(tables.ENDINGS)})."
        raise InputError(f"{place}: neither a folder nor a table{more}")


def _of_folder(place: pathlib.Path, labelled: bool) -> Iterator[_Entry]:
    if not labelled:
        yield from _of_class(place, place, "")
        return
    try:
        inside = sorted(place.iterdir())
    except OSError as error:
        raise InputError(f"{place}: cannot be read ({error.strerror}).") from error
    parts = [path.name for path in inside if path.is_dir() and not folders.is_system(path.name)]
    if parts and _PARTS.issuperset(map(str.lower, parts)):
        raise InputError(
            f"{place}: {listed(parts)}: parts of a data set, and no classes. Name the folder of "
            f"one of them, such as {place / parts[0]}."
        )
    # Links among them are followed: a subset is often a folder of links.
    for path in (path for path in inside if path.is_dir()):
        if folders.is_system(path.name):
            yield _Entry(str(path), "", "", left=folders.judged(path))
            continue
        if path.resolve() in (place.resolve(), *place.resolve().parents):
            around = LeftOut(str(path), folders.AROUND, f"{path}: {folders.AROUND}")
            yield _Entry(str(path), "", "", left=around)
            continue
        try:
            label = _label(path.name)
        except InputError as error:
            raise InputError(f"{place}: {error}. Rename the folder.") from error
        entries = list(_of_class(place, path, label))
        # An empty class is an entry too, so that it can be complained of.
        empty = LeftOut(str(path), "a class without pictures", f"{path}: no pictures in it")
        if all(entry.left for entry in entries):
            entries.append(_Entry(str(path), "", label, left=empty))
        yield from entries
    for path in (path for path in inside if not path.is_dir()):
        loose = LeftOut(str(path), "in no class folder", f"{path}: lies in no class folder")
        yield _Entry(str(path), "", "", left=folders.judged(path) or loose)


def _of_class(place: pathlib.Path, folder: pathlib.Path, label: str) -> Iterator[_Entry]:
    """Yields the pictures in a folder and those in it, and what else lies there."""
    for one in folders.walk(folder):
        if isinstance(one, LeftOut):
            yield _Entry(one.path, "", "", left=one)
        else:
            yield _entry(one, _key(one.relative_to(place).as_posix()), label)


def _entry(path: pathlib.Path, key: str, label: str) -> _Entry:
    """Returns what is to be said of a file that may be a picture."""
    header, left = _header(path)
    return _Entry(str(path), key, label, None, left, header.notes if header else ())


def _of_table(place: pathlib.Path, labelled: bool) -> Iterator[_Entry]:
    """Yields the rows of a CSV file.

    Raises:
        InputError: it is no such table, or rows are wrong: the first of them by line.
    """
    required = ("path", *(("label",) if labelled else ()))
    columns, rows = tables.read(place, str(place), required)
    boxed = any(name in columns for name in _BOX)
    if boxed:
        columns, rows = tables.read(place, str(place), (*required, *_BOX))
    elif others := [names for names in _OTHER_BOXES if set(names) <= set(columns)]:
        raise InputError(
            f"{place}: boxes are read from columns {','.join(_BOX)}, in px from 0, ends exclusive. "
            f"Received: {','.join(others[0])}. Write them so, or take these columns away."
        )
    entries, wrong, known = [], [], {}
    for row in rows:
        try:
            entries.append(_row(place, row, labelled, boxed, known))
        except InputError as error:
            wrong.append(f"line {row.line}: {error}")
    if wrong:
        more = f" ({len(wrong)} such lines)" if len(wrong) > _LISTED else ""
        raise InputError(f"{place}: {'; '.join(wrong[:_LISTED])}{more}. Correct or delete them.")
    # A row that is there twice is one.
    yield from dict.fromkeys(entries)


def _row(place: pathlib.Path, row: tables.Row, labelled: bool, boxed: bool, known: dict) -> _Entry:
    """Returns what a row says; `known` remembers those of files that have several boxes."""
    row.check()
    relative, label = row["path"].strip(), row["label"].strip() if labelled else ""
    if not relative or (labelled and not label):
        raise InputError("no path" if not relative else "no label")
    label = _label(label)
    path = files.located(place.parent / relative, relative)
    if "\\" in relative and not path.is_file():
        # As Windows writes it.
        relative = relative.replace("\\", "/")
        path = files.located(place.parent / relative, relative)
    if not path.is_file():
        raise InputError(f"no such file as {relative}")
    if path not in known:
        known[path] = _header(path, boxed)
    header, left = known[path]
    box = None
    if boxed and any(row[name].strip() for name in _BOX):
        box = _box([row.number(name) for name in _BOX], header)
    # An absolute path below the table's folder is the same file as the relative one.
    inner = os.path.relpath(path, place.parent) if os.path.isabs(relative) else relative
    return _Entry(
        str(path), _key(os.path.normpath(inner)), label, box, left, header.notes if header else ()
    )


def _box(corners: list[float], header: headers.Header | None) -> tuple[int, int, int, int]:
    """Returns a box, rounded to whole px; where the file is broken, it has no header."""
    try:
        x0, y0, x1, y1 = map(round, corners)
    except (ValueError, OverflowError):  # What is infinite or none does not round.
        raise InputError(f"not four numbers: {','.join(map(str, corners))}") from None
    if min(corners) >= 0 and max(corners) <= 1 and any(corner % 1 for corner in corners):
        raise InputError(
            f"the box {','.join(map(str, corners))} is in shares of the picture; expected px"
        )
    if x0 >= x1 or y0 >= y1:
        raise InputError(f"the box {x0},{y0},{x1},{y1} is empty")
    if header and (x0 < 0 or y0 < 0 or x1 > header.width or y1 > header.height):
        size = f"{header.width}x{header.height}"
        raise InputError(f"the box {x0},{y0},{x1},{y1} is not within {size} px")
    return x0, y0, x1, y1


def _key(relative: str) -> str:
    return _composed(relative.replace(os.sep, "/"))


def _composed(name: str) -> str:
    # Some file systems take letters apart when a folder is copied.
    return unicodedata.normalize("NFC", name)


def _label(name: str) -> str:
    """Returns the name of a class; raises InputError where it cannot be printed on a line."""
    if printable(name) != name or "\n" in name or "\t" in name:
        raise InputError(f"the class {name!r} has no name that can be printed on a line")
    return _composed(name)


def _header(
    path: pathlib.Path, boxed: bool = False
) -> tuple[headers.Header | None, LeftOut | None]:
    """Returns what a file's header says, or why the file is left out.

    Args:
        path: the file.
        boxed: whether there are boxes in it: they count the pixels of the whole picture.
    """
    try:
        if path.stat().st_size > _MAX_FILE_BYTES:
            return None, LeftOut(str(path), "too large", f"{path}: the file is too large")
        return headers.read(path, shrinking=not boxed), None
    except (InputError, OSError) as error:
        return None, folders.left_out(path, error)
