"""Folders of images an app looks through: every file it can read, the others told of."""

import dataclasses
import hashlib
import itertools
import os
import pathlib
from collections.abc import Iterable, Iterator

import numpy as np

from tfvis import files, images
from tfvis.errors import InputError, arg, marked
from tfvis.experiments import messages
from tfvis.image_files import folders
from tfvis.image_files.folders import LeftOut
from tfvis.progress_bar import bar


@dataclasses.dataclass(frozen=True)
class Found:
    """Image files, in the order of their names.

    Attributes:
        paths: of the files.
        argument: that named them.
        root: the folder that was looked through, or that of the one file.
        left_out: what else there is.
        broken: those of the files that turned out unreadable; filled while reading.
        notes: of each of the others; filled while reading.
    """

    paths: list[pathlib.Path]
    argument: str
    root: pathlib.Path | None = None
    left_out: tuple[LeftOut, ...] = ()
    broken: dict[pathlib.Path, LeftOut] = dataclasses.field(default_factory=dict)
    notes: dict[pathlib.Path, tuple[str, ...]] = dataclasses.field(default_factory=dict)

    def leave_out(self, path: pathlib.Path, error: Exception) -> None:
        """Remembers that a file cannot be used."""
        self.broken[path] = folders.left_out(path, error)


def find(place: os.PathLike | str, argument: str) -> Found:
    """Returns the image files in a folder and the folders in it, or the one file.

    Raises:
        InputError: there is no such place, or no image in it.
    """
    paths, missed = folders.found(place, f"{arg(argument)}={place}")
    root = files.located(place)
    return Found(paths, argument, root if root.is_dir() else root.parent, tuple(missed))


def given(wanted: Found | os.PathLike | str | None, argument: str) -> Found | None:
    """Returns what an experiment is to look through: `find` of a place, or what that returned."""
    return wanted if wanted is None or isinstance(wanted, Found) else find(wanted, argument)


def listed(wanted: Found | os.PathLike | str | None, workdir: pathlib.Path) -> Found:
    """Returns what --image names, `given`, or the two pictures that come along, put into a folder.

    Files whose names no table holds are left out: those that are not Unicode, or of two lines.

    Raises:
        InputError: as `find`; none of the names can be written down.
    """
    found = given(wanted, "image")
    if found is None:
        from tfvis.style import painting

        root = workdir / "pictures"
        own = {root / "photograph.png": images.demo(), root / "painting.png": painting.shipped()}
        for path, pixels in own.items():
            images.save_png(path, pixels)
        found = Found(list(own), "image", root)
    for path in found.paths:
        if not str(path).isprintable():
            found.leave_out(path, InputError(f"{path}: cannot be written down. Rename the file"))
    if len(found.broken) == len(found.paths):
        raise none_read(found.argument, len(found.paths), next(iter(found.broken.values())))
    return found


def none_read(argument: str, count: int, first: LeftOut) -> InputError:
    """Returns what is raised where no file is of any use.

    Args:
        argument: that named them.
        count: of them.
        first: why the first is not.
    """
    return InputError(
        f"{arg(argument)}: none of {count} files can be read; the first: {marked(first.detail)}"
    )


def digest(found: Found) -> str:
    """Returns a name for this very set: of the files' names, sizes and times."""
    whole = hashlib.sha256()
    for path in found.paths:
        about = path.stat()
        # Names of old disks are not always Unicode.
        whole.update(os.fsencode(path.resolve()))
        whole.update(f"|{about.st_size}|{about.st_mtime_ns}\n".encode())
    return whole.hexdigest()


def pictures(found: Found, first: int = 0) -> Iterator[tuple[pathlib.Path, np.ndarray]]:
    """Yields each file and its pixels, float32 [height, width, 3]; skips broken ones.

    Args:
        found: the files.
        first: number of the first that is wanted; those before it were read earlier.

    Raises:
        InputError: at the end, if none could be read.
    """
    any_read = first > 0
    for path in found.paths[first:]:
        if path in found.broken:
            continue
        try:
            picture = images.read(path, None)
        except InputError as error:
            found.leave_out(path, error)
            continue
        any_read = True
        found.notes[path] = picture.bare_notes
        yield path, picture.pixels
    if not any_read:
        raise none_read(found.argument, len(found.paths), next(iter(found.broken.values())))


def squares(found: Found, height: int, width: int, channels: int) -> Iterator[np.ndarray]:
    """Yields the centre square of each picture, float32 [height, width, channels]."""
    for _, pixels in pictures(found):
        yield images.fitted(pixels, height, width, channels)


def numbered_squares(
    found: Found, height: int, width: int, channels: int, first: int = 0
) -> Iterator[tuple[int, np.ndarray]]:
    """Yields the same from a number on, each with its place among the paths, with a bar."""
    numbers = {path: number for number, path in enumerate(found.paths)}
    whole = pictures(found, first)
    for path, pixels in bar("Looking at photographs", len(found.paths) - first, whole):
        yield numbers[path], images.fitted(pixels, height, width, channels)


def report(found: Found) -> None:
    """Says what was left out, if anything, and what there is to know of the rest."""
    say_left_out(
        [*found.left_out, *found.broken.values()],
        len(found.paths) + len(found.left_out),
        itertools.chain.from_iterable(found.notes.values()),
    )


def say_left_out(left: list[LeftOut], total: int, notes: Iterable[str] = ()) -> None:
    """Says in one line what was left out, and what there is to know of the rest.

    Args:
        left: what was left out.
        total: how many files there are.
        notes: made of those that were read.
    """
    lines = []
    if left:
        lines.append(f"left out {len(left)} of {total} files: {folders.told(left)}")
    if made := folders.noted(notes):
        lines.append(", ".join(f"{count} {note}" for note, count in made.items()))
    if lines:
        messages.note(f"{'; and of those read '.join(lines)}.")


def told(found: Found) -> dict:
    """Returns the same for a manifest: counts by reason, and each broken file by name."""
    return {
        "left_out": folders.counts([*found.left_out, *found.broken.values()]),
        "broken": {one.path: one.detail for one in found.broken.values()},
        "notes": folders.noted(itertools.chain.from_iterable(found.notes.values())),
    }
