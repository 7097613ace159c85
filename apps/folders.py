"""Folders of images an app looks through: every file it can read, the others named."""

import dataclasses
import hashlib
import os
import pathlib
from collections.abc import Iterator

import numpy as np

from apps import common
from tfvis import files, images
from tfvis.errors import InputError

# More than these names of broken files are counted, not listed.
_LISTED = 5


@dataclasses.dataclass(frozen=True)
class Found:
    """Image files, in the order of their names.

    Attributes:
        paths: of the files.
        flag: that named them.
        broken: the names of those that turned out unreadable; filled while reading.
    """

    paths: list[pathlib.Path]
    flag: str
    broken: dict[pathlib.Path, str] = dataclasses.field(default_factory=dict)


def find(place: str, flag: str) -> Found:
    """Returns the image files in a folder and the folders in it, or the one file.

    Raises:
        InputError: there is no such place, or no image in it.
    """
    path = files.located(place, f"{flag}={place}")
    if path.is_file():
        return Found([path], flag)
    if not path.is_dir():
        raise InputError(f"{flag}={place}: no such file or folder.")
    paths = []
    for folder, subfolders, names in os.walk(path):
        subfolders.sort()
        paths += [
            pathlib.Path(folder, name)
            for name in sorted(names)
            if pathlib.Path(name).suffix.lower() in images.ENDINGS
            and not name.startswith(".")
            and pathlib.Path(folder, name).exists()  # A link may lead nowhere.
        ]
    if not paths:
        raise InputError(f"{flag}={place}: no images in it ({', '.join(sorted(images.ENDINGS))}).")
    return Found(paths, flag)


def digest(found: Found) -> str:
    """Returns a name for this very set: of the files' names, sizes and times."""
    whole = hashlib.sha256()
    for path in found.paths:
        about = path.stat()
        whole.update(f"{path.resolve()}|{about.st_size}|{about.st_mtime_ns}\n".encode())
    return whole.hexdigest()


def pictures(found: Found) -> Iterator[tuple[pathlib.Path, np.ndarray]]:
    """Yields each file and its pixels, float32 [height, width, 3]; skips broken ones.

    Raises:
        InputError: at the end, if none could be read.
    """
    any_read = False
    for path in found.paths:
        if path in found.broken:
            continue
        try:
            pixels = images.read(path, None).pixels
        except InputError as error:
            found.broken[path] = str(error)
            continue
        any_read = True
        yield path, pixels
    if not any_read:
        first = next(iter(found.broken.values()))
        raise InputError(
            f"{found.flag}: none of {len(found.paths)} files could be read; the first: {first}"
        )


def squares(found: Found, height: int, width: int, channels: int) -> Iterator[np.ndarray]:
    """Yields the centre square of each picture, float32 [height, width, channels]."""
    for _, pixels in pictures(found):
        yield square(pixels, height, width, channels)


def square(pixels: np.ndarray, height: int, width: int, channels: int) -> np.ndarray:
    """Returns the centre square of a picture, float32 [height, width, channels]."""
    return images.with_channels(
        images.resize(images.crop(pixels, "center"), height, width), channels
    )


def report(found: Found) -> None:
    """Says which files were left out, if any."""
    if not found.broken:
        return
    names = [path.name for path in found.broken]
    more = f" and {len(names) - _LISTED} more" if len(names) > _LISTED else ""
    common.say(
        f"Note: {len(names)} of {len(found.paths)} files could not be read as images and were "
        f"left out: {', '.join(names[:_LISTED])}{more}."
    )
