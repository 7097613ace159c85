"""Animated GIFs."""

import os
from collections.abc import Iterable, Sequence

import numpy as np
import PIL.Image

from tfvis import files, images


def write(
    path: os.PathLike | str, frames: Iterable[np.ndarray], milliseconds: Sequence[int]
) -> None:
    """Writes a GIF that repeats for ever, whole or not at all; each frame has its own palette.

    Args:
        path: of the file.
        frames: [height, width, 1 | 3], 0..255, all of one size; taken one by one, and kept in a
            byte for a pixel. What repeats the frame before prolongs it.
        milliseconds: how long each is shown.

    Raises:
        InputError: it cannot be written.
    """
    levels = (images.with_channels(images.quantize(pixels), 3) for pixels in frames)
    indexed = (PIL.Image.fromarray(one).quantize(256) for one in levels)
    first = next(indexed)
    with files.replacing(path) as temporary:
        first.save(
            temporary,
            format="GIF",
            save_all=True,
            append_images=indexed,
            duration=list(milliseconds),
            loop=0,
        )
