"""TensorBoard: image summaries over steps, scalars, sheets."""

import contextlib
import os

import numpy as np
import tensorflow as tf

from tfvis import images
from tfvis.errors import InputError


class Writer:
    """Writes event files below a folder; a context manager.

    Args:
        folder: created where it is missing; each process adds a file of its own.

    Raises:
        InputError: from any method, if the folder cannot be written to.
    """

    def __init__(self, folder: os.PathLike | str):
        self._folder = os.fspath(folder)
        with self._explained():
            self._writer = tf.summary.create_file_writer(self._folder)

    def __enter__(self):
        return self

    def __exit__(self, *exception):
        with self._explained():
            self._writer.close()

    @contextlib.contextmanager
    def _explained(self):
        try:
            yield
        except tf.errors.OpError as error:
            raise InputError(
                f"Cannot write TensorBoard events to {self._folder}: {error.message} "
                "Choose a folder that is writable and has room."
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
