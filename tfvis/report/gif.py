"""Animated GIFs, written frame by frame: never more than one in memory."""

import os

import numpy as np
import PIL.GifImagePlugin
import PIL.Image

from tfvis import files, images

# Where the header of a single picture ends: before its first extension or image block.
_LOOP_FOREVER = b"\x21\xff\x0bNETSCAPE2.0\x03\x01\x00\x00\x00"
_END = b";"


class Gif:
    """A GIF that repeats for ever; a context manager; whole or absent.

    Args:
        path: of the file.

    Raises:
        InputError: it cannot be written.
    """

    def __init__(self, path: os.PathLike | str):
        self._replacing = files.replacing(path)
        self._started = False

    def __enter__(self):
        self._file = open(self._replacing.__enter__(), "wb")
        return self

    def __exit__(self, *exception):
        try:
            if exception[0] is None:
                self._file.write(_END)
            self._file.close()
        except OSError as error:
            # The disk is full: what is half-written goes, and the person is told.
            self._replacing.__exit__(type(error), error, error.__traceback__)
            raise
        return self._replacing.__exit__(*exception)

    def add(self, pixels: np.ndarray, milliseconds: int) -> None:
        """Appends a frame.

        Args:
            pixels: [height, width, 1 | 3], 0..255; all frames of one size.
            milliseconds: how long it is shown.
        """
        levels = images.with_channels(images.quantize(pixels), 3)
        # Each frame has its own palette of 256 colours.
        frame = PIL.Image.fromarray(levels).quantize(256)
        if not self._started:
            width, height = frame.size
            size = width.to_bytes(2, "little") + height.to_bytes(2, "little")
            self._file.write(b"GIF89a" + size + b"\x00\x00\x00" + _LOOP_FOREVER)
            self._started = True
        options = {"duration": milliseconds, "include_color_table": True}
        for block in PIL.GifImagePlugin.getdata(frame, **options):
            self._file.write(block)
