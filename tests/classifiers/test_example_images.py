"""Examples as arrays."""

import pathlib
import threading

import numpy as np
import PIL.Image
import tensorflow as tf
from absl.testing import parameterized

from tests import nets
from tfvis import images
from tfvis.classifiers import borders, example_images
from tfvis.classifiers.datasets import Example
from tfvis.errors import InputError


class PicturesTest(tf.test.TestCase, parameterized.TestCase):
    def setUp(self):
        super().setUp()
        self.folder = pathlib.Path(self.create_tempdir().full_path)
        self.pixels = np.round(nets.picture(48, seed=1))[:, :40]
        images.save_png(self.folder / "a.png", self.pixels)

    def _example(self, name: str = "a.png", box=None) -> Example:
        return Example(str(self.folder / name), 0, box, 0)

    def test_the_box_is_squeezed_into_the_square(self):
        # Pillow's own crop and resize, of 8-bit pixels: within a level or so.
        image = PIL.Image.open(self.folder / "a.png")
        for box in (None, (3, 5, 33, 20), (0, 0, 40, 48)):
            cut = image.crop(box) if box else image
            expected = np.asarray(cut.resize((12, 12), PIL.Image.Resampling.LANCZOS), np.float32)
            found = example_images.load(self._example(box=box), 12)
            self.assertAllClose(found, expected, atol=1.5)
            self.assertEqual(found.dtype, np.float32)

    def test_grey_has_three_equal_channels(self):
        PIL.Image.open(self.folder / "a.png").convert("L").save(self.folder / "grey.png")
        found = example_images.load(self._example("grey.png"), 9)
        self.assertEqual(found.shape, (9, 9, 3))
        self.assertAllEqual(found[..., 0], found[..., 2])

    def test_borders_go_if_asked(self):
        page = np.full((140, 150, 3), 128.0)
        page[30:110, 40:120] = images.resize(images.demo(), 80, 80)
        images.save_png(self.folder / "page.png", page)
        example = self._example("page.png")
        x0, y0, x1, y1 = borders.crop_borders(images.quantize(page))
        # A pixel of the backdrop may stay, none of the picture goes.
        self.assertAllClose((x0, y0, x1, y1), (40, 30, 120, 110), atol=1)
        self.assertAllLessEqual((x0 - 40, y0 - 30, 120 - x1, 110 - y1), 0)
        expected = images.resize(images.quantize(page)[y0:y1, x0:x1].astype(np.float32), 16, 16)
        self.assertAllClose(example_images.load(example, 16, crop_borders=True), expected)
        self.assertNotAllClose(example_images.load(example, 16), expected, atol=5)

    @parameterized.parameters((0, 0, 41, 48), (-1, 0, 5, 5), (5, 5, 5, 9), (9, 9, 5, 12))
    def test_a_box_outside(self, *box):
        with self.assertRaisesRegex(InputError, "a.png: the box .*40x48"):
            example_images.load(self._example(box=box), 8)

    @parameterized.parameters(1, 2, 5)
    def test_all_in_order_with_reasons(self, workers):
        (self.folder / "cut.png").write_bytes((self.folder / "a.png").read_bytes()[:900])
        names = ["a.png", "cut.png", "missing.png"] * 9 + ["a.png"]
        found = list(example_images.load_all(map(self._example, names), 8, workers=workers))
        self.assertEqual([index for index, _ in found], list(range(len(names))))
        expected = example_images.load(self._example(), 8)
        for name, (_, result) in zip(names, found, strict=True):
            if name == "a.png":
                self.assertAllEqual(result, expected)
            else:
                self.assertIsInstance(result, InputError)
                self.assertStartsWith(str(result), str(self.folder / name))
                self.assertNotIn("image=", str(result))

    def test_no_examples(self):
        self.assertEmpty(list(example_images.load_all([], 8)))

    def test_few_are_read_ahead_and_closing_ends_the_threads(self):
        asked = []

        def examples():
            for index in range(10_000):
                asked.append(index)
                yield self._example()

        threads = threading.active_count()
        coming = example_images.load_all(examples(), 8, workers=2)
        next(coming)
        self.assertLess(len(asked), 20)
        coming.close()
        self.assertEqual(threading.active_count(), threads)
