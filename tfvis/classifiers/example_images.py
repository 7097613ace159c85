"""Examples as arrays: read, cut to what is meant, squeezed to the network's square."""

import contextlib
from collections.abc import Iterable, Iterator

import numpy as np

from tfvis import images, read_ahead
from tfvis.classifiers import borders
from tfvis.classifiers.datasets import Example
from tfvis.errors import InputError

# Waiting results per worker: enough to ride out one slow file, little to hold.
_AHEAD = 4


def load(
    example: Example,
    size: int | tuple[int, int],
    crop_borders: bool = False,
    reduced: bool = False,
) -> np.ndarray:
    """Reads an example: float32 [height, width, 3], RGB, 0..255.

    The whole box is squeezed into the square, as in Sabatelli et al. 2018: a centre crop
    would cut off what a label may stand for. Grey files have three equal channels.

    Args:
        example: its file, and its box if it has one.
        size: side of the square in px; or (height, width) of what is no square: into that nothing
            is squeezed, and the middle of its shape is cut.
        crop_borders: whether to leave out colour charts, rulers and plain backdrop.
        reduced: whether a JPEG may be decoded at a fraction of its size, `images.REDUCED` times
            `size` at least; not of an example that is cut.

    Raises:
        InputError: the file cannot be read, or its box does not lie in it.
    """
    # A box counts the pixels of the whole picture.
    whole = example.box is None and not crop_borders
    least = images.REDUCED * int(np.max(size)) if reduced and whole else None
    pixels = images.read(example.path, None, shrink=example.box is None, least=least).pixels
    if example.box is not None:
        pixels = _cut(pixels, example.box, example.path)
    if crop_borders:
        x0, y0, x1, y1 = borders.crop_borders(pixels)
        pixels = pixels[y0:y1, x0:x1]
    if isinstance(size, tuple):
        return images.fitted(pixels, *size, pixels.shape[-1])
    return images.resize(pixels, size, size)


def load_all(
    examples: Iterable[Example],
    size: int | tuple[int, int],
    crop_borders: bool = False,
    workers: int = 2,
    reduced: bool = False,
) -> Iterator[tuple[int, np.ndarray | InputError]]:
    """Yields (index, what `load` returns or the InputError it raises), in order.

    Files are read by threads, a few ahead of the one that is asked for; Pillow decodes
    without holding Python's lock. Closing the iterator ends them.

    Args:
        examples, size, crop_borders, reduced: as `load`.
        workers: threads; each holds one picture at its full size.
    """

    def read(example: Example) -> np.ndarray:
        return load(example, size, crop_borders, reduced)

    made = read_ahead.ahead(read, examples, workers, _AHEAD * workers)
    with contextlib.closing(made):
        yield from enumerate(made)


def _cut(pixels: np.ndarray, box: tuple[int, int, int, int], path: str) -> np.ndarray:
    x0, y0, x1, y1 = box
    height, width = pixels.shape[:2]
    if not (0 <= x0 < x1 <= width and 0 <= y0 < y1 <= height):
        raise InputError(
            f"{path}: the box {x0},{y0},{x1},{y1} is empty or not within {width}x{height} px."
        )
    return pixels[y0:y1, x0:x1]
