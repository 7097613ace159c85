"""Pictures as they come, checked against Pillow's own reading."""

import pathlib

import numpy as np
import PIL.Image
import PIL.ImageOps
import tensorflow as tf
from absl.testing import parameterized

from tfvis import images
from tfvis.errors import InputError


class ReadTest(tf.test.TestCase, parameterized.TestCase):
    def setUp(self):
        super().setUp()
        self.folder = pathlib.Path(self.create_tempdir().full_path)
        generator = np.random.default_rng(0)
        self.levels = generator.integers(0, 256, (12, 17, 3), dtype=np.uint8)
        self.image = PIL.Image.fromarray(self.levels)

    def _saved(self, name: str, image: PIL.Image.Image | None = None, **options):
        path = self.folder / name
        (image or self.image).save(path, **options)
        return path

    @parameterized.parameters("a.jpg", "a.png", "a.webp", "a.tif", "a.bmp", "a.gif", "a.ppm")
    def test_formats_are_read_as_pillow_reads_them(self, name):
        path = self._saved(name)
        expected = np.asarray(PIL.Image.open(path).convert("RGB"), np.float32)
        read = images.read(path)
        self.assertAllEqual(read.pixels, expected)
        self.assertEqual(read.pixels.dtype, np.float32)
        self.assertEqual(read.notes, ())

    @parameterized.parameters(*range(2, 9))
    def test_exif_turns_are_applied(self, orientation):
        exif = PIL.Image.Exif()
        exif[0x0112] = orientation
        path = self._saved("turned.png", exif=exif)
        expected = PIL.ImageOps.exif_transpose(PIL.Image.open(path))
        self.assertAllEqual(images.read(path).pixels, np.asarray(expected, np.float32))

    @parameterized.parameters("CMYK", "L", "1", "P")
    def test_modes_become_rgb(self, mode):
        name = "a.jpg" if mode == "CMYK" else "a.png"
        path = self._saved(name, self.image.convert(mode))
        expected = np.asarray(PIL.Image.open(path).convert("RGB"), np.float32)
        self.assertAllEqual(images.read(path).pixels, expected)

    @parameterized.parameters("a.png", "a.tif")
    def test_sixteen_bits_keep_their_depth(self, name):
        deep = np.arange(12 * 17, dtype=np.uint16).reshape(12, 17) * 300
        path = self._saved(name, PIL.Image.fromarray(deep))
        self.assertAllClose(images.read(path).pixels[..., 1], deep / 257, atol=1e-3)

    def test_transparency_is_composited_on_white(self):
        alpha = np.linspace(0, 255, 12 * 17).reshape(12, 17, 1).astype(np.uint8)
        path = self._saved("a.png", PIL.Image.fromarray(np.concatenate([self.levels, alpha], -1)))
        share = alpha / 255.0
        expected = self.levels * share + 255 * (1 - share)
        # Pillow composites in 8 bits: within one level.
        self.assertAllClose(images.read(path).pixels, expected, atol=1.01)

    def test_grey_and_palette_transparency(self):
        grey = PIL.Image.merge("LA", [self.image.convert("L"), PIL.Image.new("L", (17, 12), 0)])
        self.assertAllEqual(
            images.read(self._saved("la.png", grey)).pixels, np.full((12, 17, 3), 255)
        )
        palette = self.image.convert("P")
        path = self._saved("p.png", palette, transparency=palette.getpixel((0, 0)))
        self.assertAllEqual(images.read(path).pixels[0, 0], [255, 255, 255])

    def test_first_frame_of_an_animation_and_a_note(self):
        frames = [PIL.Image.new("RGB", (9, 9), color) for color in ("red", "blue", "lime")]
        path = self._saved("a.gif", frames[0], save_all=True, append_images=frames[1:])
        read = images.read(path)
        self.assertAllEqual(read.pixels[0, 0], [255, 0, 0])
        self.assertEqual(read.notes, ("a.gif: first of several frames",))

    def test_refusals(self):
        whole = self._saved("whole.png").read_bytes()
        (self.folder / "cut.png").write_bytes(whole[: len(whole) // 2])
        (self.folder / "empty.png").write_bytes(b"")
        (self.folder / "text.png").write_text("not an image at all")
        jpeg = self._saved("whole.jpg").read_bytes()
        (self.folder / "cut.jpg").write_bytes(jpeg[: len(jpeg) // 2])
        self._saved("thin.png", PIL.Image.new("RGB", (30, 1)))
        self._saved("wide.png", PIL.Image.new("1", (20_000, 3)))
        self._saved("vast.png", PIL.Image.new("1", (16_000, 16_000)))
        for name, words in {
            "missing.png": "no such file",
            "cut.png": "truncated",
            "cut.jpg": "truncated",
            "empty.png": "empty",
            "text.png": "not an image",
            "thin.png": "at least",
            "wide.png": "At most",
            "vast.png": "pixels",
            ".": "folder",
        }.items():
            with self.subTest(name), self.assertRaisesRegex(InputError, words):
                images.read(self.folder / name)

    def test_postscript_is_not_opened(self):
        (self.folder / "a.eps").write_bytes(b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n")
        with self.assertRaisesRegex(InputError, "not an image"):
            images.read(self.folder / "a.eps")


class GeometryTest(tf.test.TestCase):
    def test_crops_take_the_side_they_name(self):
        wide = np.zeros((4, 10, 3), np.float32) + np.arange(10, dtype=np.float32)[:, None]
        for where, first in {"left": 0, "center": 3, "right": 6}.items():
            square = images.crop(wide, where)
            self.assertEqual(square.shape, (4, 4, 3))
            self.assertEqual(square[0, 0, 0], first)
        tall = wide.transpose(1, 0, 2)
        for where, first in {"top": 0, "center": 3, "bottom": 6}.items():
            self.assertEqual(images.crop(tall, where)[0, 0, 0], first)
        self.assertEqual(images.crop(wide, "none").shape, wide.shape)
        # Of another shape: what of the picture has it, as large as can be.
        for shape, where, size, first in (
            ((1, 2), "right", (4, 8), 2),
            ((100, 500), "top", (2, 10), 0),
            ((96, 16), "center", (4, 1), 4),
        ):
            part = images.crop(wide, where, shape)
            self.assertEqual((part.shape[:2], part[0, 0, 0]), (size, first))
        with self.assertRaises(InputError):
            images.crop(wide, "middle")

    def test_resize_agrees_with_pillow_to_a_level_and_stays_in_range(self):
        levels = np.random.default_rng(0).integers(0, 256, (40, 30, 3), dtype=np.uint8)
        ours = images.resize(levels.astype(np.float32), 16, 20)
        pillow = PIL.Image.fromarray(levels).resize((20, 16), PIL.Image.Resampling.LANCZOS)
        # Pillow rounds to 8 bits, after each of two passes.
        self.assertAllClose(ours, np.asarray(pillow, np.float32), atol=1.5)
        self.assertAllInRange(ours, 0, 255)

    def test_channels(self):
        pixels = np.random.default_rng(0).uniform(0, 255, (5, 6, 3)).astype(np.float32)
        grey = images.with_channels(pixels, 1)
        expected = PIL.Image.fromarray(pixels.astype(np.uint8)).convert("L")
        self.assertAllClose(grey[..., 0], np.asarray(expected, np.float32), atol=1.5)
        self.assertAllEqual(images.with_channels(pixels, 4)[..., 3], np.full((5, 6), 255))
        self.assertEqual(images.with_channels(grey, 3).shape, (5, 6, 3))
        with self.assertRaisesRegex(InputError, "7 channels"):
            images.with_channels(pixels, 7)

    def test_png_round_trip(self):
        folder = pathlib.Path(self.create_tempdir().full_path)
        pixels = np.random.default_rng(0).uniform(-20, 275, (5, 6, 3))
        images.save_png(folder / "deep" / "a.png", pixels)
        self.assertAllEqual(images.read(folder / "deep" / "a.png").pixels, images.quantize(pixels))
        self.assertEqual([p.name for p in (folder / "deep").iterdir()], ["a.png"])
