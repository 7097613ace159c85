"""TensorBoard: image summaries over steps, scalars, sheets."""

import contextlib
import os
import pathlib
import struct

import numpy as np
import tensorflow as tf

from tfvis import images
from tfvis.errors import InputError

_ROOM = "Choose a folder that is writable and has room."


class Writer:
    """Writes event files below a folder; a context manager.

    Args:
        folder: created where it is missing; each process adds a file of its own.

    Raises:
        InputError: from any method, if the folder cannot be written to.
    """

    def __init__(self, folder: os.PathLike | str):
        self._folder = os.fspath(folder)
        self._earlier = set(pathlib.Path(folder).glob("events.*"))
        with self._explained():
            self._writer = tf.summary.create_file_writer(self._folder)

    def __enter__(self):
        return self

    def __exit__(self, *exception):
        with self._explained():
            self._writer.close()
        # TensorFlow keeps it to itself when the disk is full.
        written = set(pathlib.Path(self._folder).glob("events.*")) - self._earlier
        if exception[0] is None and not all(map(_whole, written)):
            raise InputError(f"Cannot write TensorBoard events to {self._folder}: cut off. {_ROOM}")

    @contextlib.contextmanager
    def _explained(self):
        try:
            yield
        except tf.errors.OpError as error:
            raise InputError(
                f"Cannot write TensorBoard events to {self._folder}: {error.message} {_ROOM}"
            ) from error

    def images(self, tag: str, pixels: np.ndarray, step: int) -> None:
        """Logs [batch, height, width, 1 | 3], 0..255, as 8-bit images."""
        # Floats would be clipped to 0..1; 8-bit levels are shown as they are saved.
        levels = images.quantize(pixels)
        with self._explained(), self._writer.as_default():
            tf.summary.image(tag, levels, step, max_outputs=len(levels))

    def scalars(self, values: dict[str, float], step: int) -> None:
        """Logs {tag: value}."""
        with self._explained(), self._writer.as_default():
            for tag, value in values.items():
                tf.summary.scalar(tag, value, step)

    def flush(self) -> None:
        """Makes all that was logged readable now."""
        with self._explained():
            self._writer.flush()


def _whole(path: pathlib.Path) -> bool:
    """Tells whether a file of records ends where one does.

    A record is its length in 8 bytes, a checksum of that in 4, itself, and its checksum in 4
    (TensorFlow's TFRecord).
    """
    left = path.stat().st_size
    with path.open("rb") as file:
        while left >= 12:
            (length,) = struct.unpack("<Q", file.read(8))
            left -= 8 + 4 + length + 4
            file.seek(4 + length + 4, os.SEEK_CUR)
    return left == 0
