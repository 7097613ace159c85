"""Image files of every kind, beside the numbers they were made of and other readers."""

import pathlib
import struct
import tracemalloc
import warnings
from unittest import mock

import cv2
import numpy as np
import PIL.Image
import PIL.ImageCms
import tifffile
from absl.testing import parameterized

from tests.reading import ReadingTest
from tests.written_images import (
    DEEP,
    GREY,
    GREY_LEVELS,
    GREY_ON_WHITE,
    HALF,
    LEVELS,
    ON_WHITE,
    gamma,
    png,
    swapped_profile,
    with_chunks,
)
from tfvis import images
from tfvis.image_files import formats, pixels, sizes


class FilesTest(ReadingTest):
    def test_twelve_bits_in_sixteen(self):
        twelve = (DEEP >> 4) | np.uint16(15)
        expected = twelve.astype(np.float32) * (255 / 4095)
        for code, kind, count in ((281, "H", 3), (341, "H", 3), (281, "H", 1)):
            value = (4095,) * count if count > 1 else 4095
            found = self._tiff(
                twelve, photometric="rgb", extratags=[(code, kind, count, value, True)]
            )
            self.assertAllClose(found, expected, atol=0.01)
        # A maximum of another kind is how bright the picture is, and white stays where it is.
        for value in (4000, 65535):
            found = self._tiff(DEEP, photometric="rgb", extratags=[(281, "H", 1, value, True)])
            self.assertAllClose(found, LEVELS, atol=0.01)

    def test_what_may_be_twelve_bits_is_told(self):
        tifffile.imwrite(self.folder / "a.tif", DEEP >> 4, photometric="rgb")
        for picture in (self._read("a.tif"), self._read("a.png", png(DEEP >> 4))):
            (note,) = picture.notes
            self.assertRegex(note, r"nearly black, .* by 16 \(the largest is 3,855\)$")
        tifffile.imwrite(self.folder / "b.tif", DEEP, photometric="rgb")
        self.assertEmpty(self._read("b.tif").notes)
        self.assertEmpty(self._read("b.png", png(DEEP)).notes)

    @parameterized.parameters(1.0, 0.7, 0.3)
    def test_gamma_of_a_png(self, value):
        expected = 255 * (LEVELS / 255.0) ** (1 / 2.2 / value)
        PIL.Image.fromarray(LEVELS).save(self.folder / "plain.png")
        shallow = (self.folder / "plain.png").read_bytes()
        for content in (shallow, png(DEEP)):
            found = self._read("a.png", with_chunks(content, gAMA=gamma(value)))
            self.assertAllClose(found.pixels, expected, atol=0.01)
            self.assertEmpty(found.notes)
            # These count before it.
            found = self._read("a.png", with_chunks(content, sRGB=b"\0", gAMA=gamma(value)))
            self.assertAllClose(found.pixels, LEVELS, atol=0.01)
            code = bytes((1, 13, 0, 1))
            found = self._read("a.png", with_chunks(content, cICP=code, gAMA=gamma(value)))
            self.assertAllClose(found.pixels, LEVELS, atol=0.01)
        grey = self._read("g.png", with_chunks(png(GREY[..., None]), gAMA=gamma(value)))
        self.assertAllClose(grey.pixels[..., 1], expected[..., 0], atol=0.01)

    def test_what_a_png_says_of_its_colours(self):
        base = png(DEEP)
        for value in (0.45455, 0.4464, 0.477):  # Within 5 % of that of screens.
            found = self._read("a.png", with_chunks(base, gAMA=gamma(value)))
            self.assertAllClose(found.pixels, LEVELS, atol=0.01)
        found = self._read("a.png", with_chunks(base, gAMA=gamma(0)))
        self.assertRegex(found.notes[0], "its gamma of 0 is passed over")
        srgb = (31270, 32900, 64000, 33000, 30000, 60000, 15000, 6000)
        found = self._read("a.png", with_chunks(base, cHRM=struct.pack(">8I", *srgb)))
        self.assertEmpty(found.notes)
        wide = (31270, 32900, 68000, 32000, 26500, 69000, 15000, 6000)
        found = self._read("a.png", with_chunks(base, cHRM=struct.pack(">8I", *wide)))
        self.assertRegex(found.notes[0], r"primaries \(cHRM\) are taken for those of sRGB")
        found = self._read("a.png", with_chunks(base, cICP=bytes((12, 13, 0, 1))))
        self.assertRegex(found.notes[0], r"primaries \(cICP 12\) are taken for those of sRGB")
        found = self._read("a.png", with_chunks(base, cICP=bytes((1, 8, 0, 1))))
        self.assertAllClose(found.pixels, 255 * (LEVELS / 255.0) ** (1 / 2.2), atol=0.01)
        for code, words in (
            ((9, 16, 0, 1), r"light beyond white \(PQ\)"),
            ((9, 18, 0, 1), r"light beyond white \(HLG\)"),
            ((1, 13, 0, 0), "colours by cICP 1-13-0-0"),
            ((1, 77, 0, 1), "colours by cICP 1-77-0-1"),
        ):
            with self.assertRaisesRegex(images.UnreadableError, f"a.png: a PNG of {words}"):
                self._read("a.png", with_chunks(base, cICP=bytes(code)))

    @parameterized.product(
        planar=(False, True),
        compression=(None, "zlib", "lzw"),
        order=("<", ">"),
        tile=(False, True),
    )
    def test_deep_colour_tiffs(self, planar, compression, order, tile):
        values = DEEP + np.uint16(3)  # What 8 bits do not hold.
        found = self._tiff(
            values.transpose(2, 0, 1) if planar else values,
            photometric="rgb",
            planarconfig="separate" if planar else "contig",
            compression=compression,
            byteorder=order,
            tile=(16, 16) if tile else None,
        )
        self.assertAllClose(found, values / 257, atol=1e-3)

    def test_deep_tiffs_of_other_kinds(self):
        rgb = {"photometric": "rgb"}
        grey = {"photometric": "minisblack"}
        cases = {
            "grey": (GREY, grey, GREY_LEVELS),
            "white is zero": (65535 - GREY, {"photometric": "miniswhite"}, GREY_LEVELS),
            "12 bits": (GREY >> 4, grey | {"bitspersample": 12}, GREY_LEVELS),
            "32 bits": (DEEP.astype(np.uint32) * 65537, rgb, LEVELS),
            "unit floats": ((LEVELS / 255).astype(np.float32), rgb, LEVELS),
            "grey doubles": (GREY / 65535, grey, GREY_LEVELS),
            "halves": ((LEVELS / 255).astype(np.float16), rgb, LEVELS),
            "floats to 255": (LEVELS.astype(np.float32), rgb, LEVELS),
            "grey and alpha": (
                np.concatenate([GREY[..., None], HALF], -1),
                grey | {"extrasamples": ["unassalpha"]},
                GREY_ON_WHITE,
            ),
            "premultiplied": (
                np.concatenate([(DEEP * (32768 / 65535)).astype(np.uint16), HALF], -1),
                rgb | {"extrasamples": ["assocalpha"]},
                ON_WHITE,
            ),
            "inks": (
                np.concatenate([65535 - DEEP, np.zeros_like(HALF)], -1),
                {"photometric": "separated"},
                LEVELS,
            ),
            "turned": (DEEP, rgb | {"extratags": [(274, 3, 1, 6, True)]}, np.rot90(LEVELS, -1)),
            "turned grey": (
                GREY,
                grey | {"extratags": [(274, 3, 1, 7, True)]},
                GREY_LEVELS.swapaxes(0, 1)[::-1, ::-1],
            ),
        }
        for name, (values, options, expected) in cases.items():
            with self.subTest(name):
                # Half a level for what inks and half floats round.
                self.assertAllClose(self._tiff(values, **options), expected, atol=0.51)

    def test_numbers_of_unknown_meaning_are_refused(self):
        rgb = {"photometric": "rgb"}
        light = (LEVELS / 255).astype(np.float32)
        holed = light.copy()
        holed[3, 4] = np.nan
        for name, values, options in (
            ("beyond white", light * 9, rgb),
            ("below black", light - 0.1, rgb),
            ("none", holed, rgb),
            ("signed", GREY.astype(np.int32) // 2, {}),
            ("16 bits in 32", GREY.astype(np.uint32), {}),
            ("a sensor's mosaic", GREY, {"photometric": "cfa"}),
        ):
            with (
                self.subTest(name),
                self.assertRaisesRegex(images.UnreadableError, "a.tif: .*Save"),
            ):
                self._tiff(values, **options)

    def test_deep_pngs_beside_opencv(self):
        noise = np.random.default_rng(0).integers(0, 65536, (24, 31, 4)).astype(np.uint16)
        found = self._read("rgb.png", png(noise[..., :3])).pixels
        other = cv2.imread(str(self.folder / "rgb.png"), cv2.IMREAD_UNCHANGED)[..., ::-1]
        self.assertAllClose(found, other / 257, atol=1e-3)
        share = noise[..., 3:] / 65535
        for name, colours, values in (
            ("rgba.png", noise[..., :3], noise),
            ("la.png", noise[..., :1], noise[..., [0, 3]]),
        ):
            expected = np.broadcast_to(255 + (colours / 257 - 255) * share, (24, 31, 3))
            self.assertAllClose(self._read(name, png(values)).pixels, expected, atol=1e-3)

    def test_netpbm(self):
        head = b"31 24\n4095\n"
        content = (GREY >> 4).astype(">u2").tobytes()
        # A twelfth of a level is what 12 bits round.
        found = self._read("a.pgm", b"P5\n" + head + content).pixels
        self.assertAllClose(found, GREY_LEVELS, atol=0.07)
        dark = np.full((24, 31), 200, ">u2").tobytes()
        found = self._read("dark.pgm", b"P5\n31 24\n65535\n" + dark).pixels
        self.assertAllClose(found, np.full((24, 31, 3), 200 / 257), atol=1e-3)
        self.assertAllEqual(self._image("a.ppm", LEVELS).pixels, LEVELS)

    @parameterized.parameters("a.jp2", "a.j2k", "a.jfif", "a.jpe", "a.avif")
    def test_endings_of_other_programs(self, name):
        if name == "a.avif" and not PIL.features.check("avif"):
            self.skipTest("this Pillow reads no AVIF")
        kind = {"jfif": "JPEG", "jpe": "JPEG"}.get(name[2:])
        self._image(name, LEVELS, **({"format": kind} if kind else {}))
        expected = np.asarray(PIL.Image.open(self.folder / name).convert("RGB"), np.float32)
        self.assertAllEqual(images.read(self.folder / name).pixels, expected)
        self.assertIn(pathlib.Path(name).suffix, images.ENDINGS)

    def test_heic_without_its_plugin_names_it(self):
        formats._formats.cache_clear()
        self.addCleanup(formats._formats.cache_clear)
        with mock.patch.dict("sys.modules", {"pillow_heif": None}):
            with mock.patch.dict(PIL.Image.OPEN):
                PIL.Image.OPEN.pop("HEIF", None)
                with self.assertRaisesRegex(images.UnreadableError, "pillow-heif"):
                    self._read("a.heic", struct.pack(">I", 24) + b"ftypheic" + b"\0" * 40)

    def test_strips_make_no_difference(self):
        exif = PIL.Image.Exif()
        exif[0x0112] = 5
        image = PIL.Image.fromarray(LEVELS).convert("RGBA")
        whole = self._image("a.png", image, exif=exif, icc_profile=swapped_profile()).pixels
        with mock.patch.object(pixels, "_STRIP", 70):
            self.assertAllEqual(images.read(self.folder / "a.png").pixels, whole)
        resized = images.resize(whole, 9, 7)
        with mock.patch.object(images, "_STRIP", 70):
            self.assertAllEqual(images.resize(whole, 9, 7), resized)

    def test_large_pictures_are_read_in_bounded_memory_and_silence(self):
        path = self.folder / "a.png"
        PIL.Image.new("RGBA", (1500, 1500), (200, 30, 30, 128)).save(path, compress_level=1)
        self.enter_context(mock.patch.object(pixels, "_STRIP", 2**17))
        tracemalloc.start()
        self.addCleanup(tracemalloc.stop)
        with mock.patch.object(PIL.Image, "MAX_IMAGE_PIXELS", 10**6):
            with warnings.catch_warnings(record=True) as told:
                found = images.read(path).pixels
        # Numpy's share: the picture, and some strips of it.
        self.assertLess(tracemalloc.get_traced_memory()[1], found.nbytes + 2**17 * 60)
        self.assertEmpty(told)

    def test_jpegs_beyond_the_bounds_are_shrunk(self):
        image = PIL.Image.fromarray(cv2.resize(LEVELS, (640, 400)))
        with mock.patch.object(sizes, "MAX_PIXELS", 20_000):
            read = self._image("a.jpg", image, quality=95)
            self.assertEqual(read.pixels.shape, (100, 160, 3))
            self.assertEqual(read.notes, ("a.jpg: shrunk while decoded (640x400 to 160x100 px)",))
            expected = images.resize(np.asarray(image, np.float32), 100, 160)
            # libjpeg's shrinking is a mean of blocks, ours is Lanczos'.
            self.assertLess(np.abs(read.pixels - expected).mean(), 2)
            with self.assertRaisesRegex(images.UnreadableError, "too large"):
                images.read(self.folder / "a.jpg", shrink=False)
            with self.assertRaisesRegex(images.UnreadableError, "too large"):
                self._image("a.png", image)
            with mock.patch.object(formats, "MAX_PROGRESSIVE_PIXELS", 100_000):
                with self.assertRaisesRegex(images.UnreadableError, "too large"):
                    self._image("b.jpg", image, progressive=True)

    def test_damaged_deep_files(self):
        tifffile.imwrite(self.folder / "a.tif", DEEP, photometric="rgb", compression="zlib")
        whole = (self.folder / "a.tif").read_bytes()
        content = png(DEEP)
        for name, data in (
            ("cut.tif", whole[: len(whole) - 300]), ("head.tif", whole[:40]), ("end.tif", b"II*\0"),
            ("cut.png", content[: len(content) // 2]),
        ):  # fmt: skip
            with self.subTest(name), self.assertRaisesRegex(images.UnreadableError, name):
                self._read(name, data)
