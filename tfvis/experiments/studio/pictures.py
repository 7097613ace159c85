"""Pictures that people bring: read within bounds, kept as PNG, with a JPEG for the page."""

import dataclasses
import os
import pathlib

import numpy as np

from tfvis import files, images
from tfvis.errors import InputError, printable
from tfvis.experiments.studio.sessions import Session
from tfvis.image_files import headers, pixels, sizes
from tfvis.report import page_pictures

# A third of them would be a gigabyte of floats, and a page has several visitors.
MOST_PIXELS = 50_000_000
# Side of a square of as many pixels as are kept: the largest painting.
KEPT = 2048
# Longest side of what a page shows.
SHOWN = 1280
# Longest name of a file that a sentence quotes.
_NAME = 40


@dataclasses.dataclass(frozen=True)
class Kept:
    """A picture of a session.

    Attributes:
        file: name of the picture, a PNG.
        shown: name of what the page shows.
        height, width: of the file.
    """

    file: str
    shown: str
    height: int
    width: int


def take(session: Session, path: os.PathLike | str, kind: str, name: str = "") -> Kept:
    """Keeps a picture that was brought.

    Args:
        session: whose.
        path: of the file as it came; it stays.
        kind: what it is, one word.
        name: that its owner gave it, for sentences.

    Raises:
        InputError: one sentence: what is wrong with the file, and what to do.
    """
    label = printable(pathlib.PurePath(name).name)[-_NAME:] or "This file"
    header = headers.read(path, label)
    if header.width * header.height > MOST_PIXELS:
        raise sizes.UnreadableError(
            f"{label} has {header.width:,} x {header.height:,} pixels, and this page takes up to "
            f"{MOST_PIXELS // 1_000_000} megapixels. Save it smaller and bring it again.",
            "too large",
        )
    return keep(session, fitted(pixels.read(path, label, True).pixels, KEPT), kind)


def fitted(picture: np.ndarray, side: int) -> np.ndarray:
    """Returns a picture of at most as many pixels as a square of `side`, 32 px a side at least."""
    own = round((picture.shape[0] * picture.shape[1]) ** 0.5)
    if own <= side and min(picture.shape[:2]) >= 32:
        return picture
    return images.of_area(picture, min(max(own, 32), side))


def keep(session: Session, picture: np.ndarray, kind: str) -> Kept:
    """Keeps pixels, float32 [height, width, 3], as a picture of a session."""
    path = session.new(kind, "png")
    # Somebody waits for it.
    images.save_png(path, picture, compress_level=1)
    return Kept(path.name, show(session, picture, kind), *picture.shape[:2])


def show(session: Session, picture: np.ndarray, kind: str) -> str:
    """Keeps what a page shows of a picture; returns its name."""
    longest = max(picture.shape[:2])
    if longest > SHOWN:
        height, width = (max(round(side * SHOWN / longest), 1) for side in picture.shape[:2])
        picture = images.resize(picture, height, width)
    content, ending = page_pictures.encoded(picture)
    path = session.new(kind, ending)
    with files.replacing(path) as temporary:
        temporary.write_bytes(content)
    return path.name


def opened(session: Session, name: str) -> np.ndarray:
    """Returns the pixels of a kept picture.

    Raises:
        InputError: it is not there any more.
    """
    path = session.file(name)
    if path is None:
        raise InputError("This picture is not here any more. Bring it again.")
    return images.read(path, None).pixels
