"""Folders searched for pictures: which files are taken, and why the others are left out."""

import collections
import dataclasses
import os
import pathlib
import stat
from collections.abc import Iterable, Iterator, Sequence

from tfvis import files, tables
from tfvis.errors import InputError, Text, marked
from tfvis.image_files import formats

# What systems and programs put beside pictures, besides names that begin with a point.
_SYSTEMS = frozenset(
    ("__macosx", "thumbs.db", "ehthumbs.db", "desktop.ini", "@eadir", "$recycle.bin",
     "system volume information", "lost+found", "icon\r")
)  # fmt: skip
_HIDDEN, _ENDING = "hidden or a system's own", "no picture by its ending"
AROUND = "a link to a folder around it"
# Names of so many files of a reason are listed, in all so many; the others are counted.
_NAMED, _NAMED_IN_ALL = 2, 5


@dataclasses.dataclass(frozen=True)
class LeftOut:
    """A file, or a folder with all in it, that is not read.

    Attributes:
        path: of it.
        reason: the same few words for all of a kind.
        detail: a message of one line.
    """

    path: str
    reason: str
    detail: str


def left_out(path: os.PathLike | str, error: Exception) -> LeftOut:
    """Returns what is to be told of a file that cannot be read."""
    return LeftOut(str(path), getattr(error, "reason", "cannot be used"), Text(marked(error)))


def is_system(name: str) -> bool:
    """Tells whether a file or folder of this name is hidden, or a system's own."""
    return name.startswith(".") or name.lower() in _SYSTEMS


def judged(path: pathlib.Path) -> LeftOut | None:
    """Returns why a file is not even opened; None for one that may be a picture."""
    if is_system(path.name):
        return LeftOut(str(path), _HIDDEN, f"{path}: {_HIDDEN}")
    if path.suffix.lower() not in formats.ENDINGS:
        ending = path.suffix.lower() or "none"
        return LeftOut(str(path), f"{_ENDING} ({ending})", f"{path}: {_ENDING}")
    try:
        mode = path.stat().st_mode
    except FileNotFoundError:
        return LeftOut(str(path), "a link to nothing", f"{path}: a link to nothing")
    except OSError as error:
        return LeftOut(str(path), "cannot be opened", f"{path}: {error.strerror or error}")
    if not stat.S_ISREG(mode):
        return LeftOut(str(path), "no regular file", f"{path}: no regular file")
    return None


def walk(folder: pathlib.Path) -> Iterator[pathlib.Path | LeftOut]:
    """Yields all files of a folder and the folders in it: to be opened, or left out.

    In the order of their names, a folder's own files before those further in. Links are
    followed; a circle of them ends, and what is around the folder is not in it.

    Args:
        folder: where to begin.
    """
    missed: list[LeftOut] = []

    def miss(error: OSError) -> None:
        said = f"{error.filename}: {error.strerror or error}"
        missed.append(LeftOut(str(error.filename), "a folder that cannot be read", said))

    seen = {_identity(above) for above in folder.resolve().parents}
    for inner, subfolders, names in os.walk(folder, followlinks=True, onerror=miss):
        if (known := _identity(inner)) in seen:
            subfolders.clear()
            continue
        seen.add(known)
        for name in sorted(names):
            path = pathlib.Path(inner, name)
            yield judged(path) or path
        for name in sorted(filter(is_system, subfolders)):
            path = pathlib.Path(inner, name)
            yield LeftOut(str(path), _HIDDEN, f"{path}: a folder that is {_HIDDEN}")
        subfolders[:] = sorted(name for name in subfolders if not is_system(name))
    yield from missed


def _identity(folder: os.PathLike | str) -> tuple[int, int]:
    about = os.stat(folder)
    return about.st_dev, about.st_ino


def found(place: os.PathLike | str, label: str) -> tuple[list[pathlib.Path], list[LeftOut]]:
    """Returns the files that a folder is searched for, or the one file; and what is left out.

    Args:
        place: a folder or a file.
        label: what messages begin with.

    Raises:
        InputError: there is no such place, or no picture in it.
    """
    path = files.located(place, label)
    if path.is_file():
        if path.suffix.lower() in tables.ENDINGS:
            raise InputError(f"{label}: a table, and no picture. Name the folder of its pictures.")
        return [path], []
    if not path.is_dir():
        what = "is neither a file nor a folder" if path.exists() else "no such file or folder"
        raise InputError(f"{label}: {what}.")
    paths, missed = [], []
    for one in walk(path):
        (missed if isinstance(one, LeftOut) else paths).append(one)
    if not paths:
        seen = f" It has {told(missed)}." if missed else ""
        raise InputError(f"{label}: no images in it ({endings()}).{seen}")
    return paths, missed


def endings() -> str:
    """Returns the endings of files that are read, for a message."""
    return ", ".join(sorted(formats.ENDINGS))


def counts(left: Iterable[LeftOut]) -> dict[str, int]:
    """Returns how many are left out for which reason, the most frequent first."""
    return dict(collections.Counter(one.reason for one in left).most_common())


def told(left: Sequence[LeftOut]) -> str:
    """Returns one line: how many are left out for which reason, the first of them by name."""
    if len(left) == 1 and not left[0].reason.startswith((_HIDDEN, _ENDING)):
        return _on_a_line(marked(left[0].detail)).rstrip(".")
    parts, room = [], _NAMED_IN_ALL
    for reason, count in counts(left).items():
        names = []
        # What nobody takes for a picture is counted only.
        if not reason.startswith((_HIDDEN, _ENDING)):
            names = [_on_a_line(one.path) for one in left if one.reason == reason]
            names = names[: min(_NAMED, room)]
            room -= len(names)
        more = ", ..." if names and count > len(names) else ""
        parts.append(f"{count} {reason}" + (f": {', '.join(names)}{more}" if names else ""))
    return "; ".join(parts)


def _on_a_line(words: str) -> str:
    """Returns words on one line: the name of a file may hold the end of one."""
    return words.replace("\n", r"\n")


def noted(notes: Iterable[str]) -> dict[str, int]:
    """Returns how often a note was made; what stands in brackets is of each picture alone."""
    return dict(collections.Counter(note.partition(" (")[0] for note in notes).most_common())
