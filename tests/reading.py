"""What tests of reading pictures share."""

import pathlib

import numpy as np
import PIL.Image
import tensorflow as tf
import tifffile
from absl.testing import parameterized

from tfvis import images


class ReadingTest(tf.test.TestCase, parameterized.TestCase):
    """Files in a folder of the test's own."""

    def setUp(self):
        super().setUp()
        self.folder = pathlib.Path(self.create_tempdir().full_path)

    def _read(self, name: str, content: bytes | None = None) -> images.Picture:
        if content is not None:
            (self.folder / name).write_bytes(content)
        return images.read(self.folder / name)

    def _tiff(self, values: np.ndarray, **options) -> np.ndarray:
        tifffile.imwrite(self.folder / "a.tif", values, **options)
        return self._read("a.tif").pixels

    def _image(self, name: str, image, **options) -> images.Picture:
        image = image if isinstance(image, PIL.Image.Image) else PIL.Image.fromarray(image)
        image.save(self.folder / name, **options)
        return self._read(name)
