"""Many small pictures in one file, which a page shows parts of."""

import io
import math
import os
from collections.abc import Sequence

import numpy as np
import PIL.Image

from tfvis import files, images

# The longest side of a WebP file.
_LONGEST = 16383
# What of pictures found from noise cannot be seen to be missing; of photographs as well.
_QUALITY = 80
# Pictures of fewer px are shown pixel by pixel, of which WebP would halve the colours.
_SMALL = 40
# Where a picture is missing.
_GROUND = 128


def columns(count: int, size: tuple[int, int]) -> int:
    """Returns how many pictures stand in a row: about as many as there are rows.

    Args:
        count: of all.
        size: (height, width) of each.

    Raises:
        ValueError: they do not fit into one file.
    """
    found = max(1, math.ceil(math.sqrt(count)))
    if found * max(size) > _LONGEST:
        raise ValueError(f"{count} pictures of {size} do not fit into one file")
    return found


def write(
    path: os.PathLike | str, pictures: Sequence[np.ndarray | None], size: tuple[int, int]
) -> int:
    """Writes pictures row by row into one WebP file; returns how many stand in a row.

    Args:
        path: of the file.
        pictures: [height, width, 1 | 3] each, 0..255; None leaves a place grey.
        size: (height, width) that each is shown at.

    Raises:
        InputError: it cannot be written there.
    """
    across = columns(len(pictures), size)
    height, width = size
    rows = -(-len(pictures) // across)
    page = np.full((rows * height, across * width, 3), _GROUND, np.uint8)
    for k, picture in enumerate(pictures):
        if picture is None:
            continue
        pixels = np.asarray(picture, np.float32)
        if pixels.shape[:2] != (height, width):
            pixels = images.resize(pixels, height, width)
        row, column = divmod(k, across)
        page[row * height : (row + 1) * height, column * width : (column + 1) * width] = (
            images.quantize(images.with_channels(pixels, 3))
        )
    write_webp(path, page, exact=max(size) < _SMALL)
    return across


def write_webp(path: os.PathLike | str, pixels: np.ndarray, exact: bool = False) -> None:
    """Writes one picture as WebP.

    Args:
        path: of the file.
        pixels: [height, width, 3], 0..255.
        exact: without loss.
    """
    file = io.BytesIO()
    picture = PIL.Image.fromarray(images.quantize(pixels))
    picture.save(file, format="WEBP", quality=_QUALITY, lossless=exact, method=4)
    with files.replacing(path) as temporary:
        temporary.write_bytes(file.getvalue())
