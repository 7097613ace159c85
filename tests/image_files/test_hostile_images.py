"""Image files made to take for ever: read in a moment, or refused by name."""

import io
import os
import pathlib
import re
import struct
import time
import zlib
from unittest import mock

import numpy as np
import PIL.Image
import tensorflow as tf
from absl.testing import parameterized

from tests import nets
from tfvis import images
from tfvis.errors import InputError
from tfvis.image_files import bounded, headers

# A few thousand times what each of these takes, and a thousandth of what they could.
_SECONDS = 20


def _chunk(kind: bytes, content: bytes = b"") -> bytes:
    check = zlib.crc32(kind + content)
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", check)


def _png(before: bytes = b"", after: bytes = b"") -> bytes:
    header = _chunk(b"IHDR", struct.pack(">IIBBBBB", 8, 8, 8, 2, 0, 0, 0))
    data = _chunk(b"IDAT", zlib.compress(b"\0" * (8 * 25)))
    return b"\x89PNG\r\n\x1a\n" + header + before + data + after + _chunk(b"IEND")


def _saved(kind: str, side: int = 8, **options) -> bytes:
    stream = io.BytesIO()
    PIL.Image.fromarray(np.uint8(nets.picture(side))).save(stream, kind, **options)
    return stream.getvalue()


def _scans(count: int, side: int = 64) -> bytes:
    data = _saved("JPEG", side, progressive=True)
    starts = [found.start() for found in re.finditer(rb"\xff\xda\x00[\x08\x0a\x0c]", data)]
    return data[: starts[2]] + data[starts[1] : starts[2]] * count + data[starts[2] :]


def _gif(frames: int) -> bytes:
    whole = _saved("GIF")
    head = whole[: whole.index(b",")]
    return head + whole[len(head) : -1] * frames + b";"


def _tiff(pages: int, odd: tuple = (65000, 3, 1, 0), bits: int = 8) -> bytes:
    """Returns a TIFF of pages that all have the same pixels."""
    size = 64 * bits // 8
    entries = [(256, 3, 1, 8), (257, 3, 1, 8), (258, 3, 1, bits), (259, 3, 1, 1), (262, 3, 1, 1),
               (273, 4, 1, 8), (277, 3, 1, 1), (278, 3, 1, 8), (279, 4, 1, size)]  # fmt: skip
    entries = sorted([entry for entry in entries if entry[0] != odd[0]] + [odd])
    page = struct.pack("<H", len(entries)) + b"".join(struct.pack("<HHII", *e) for e in entries)
    length, first = len(page) + 4, 8 + size
    links = [first + (k + 1) * length for k in range(pages - 1)] + [0]
    pixels = bytes(range(64)) * (bits // 8)
    head = b"II*\0" + struct.pack("<I", first) + pixels
    return head + b"".join(page + struct.pack("<I", link) for link in links)


class HostileImagesTest(tf.test.TestCase, parameterized.TestCase):
    def setUp(self):
        super().setUp()
        self.path = pathlib.Path(self.create_tempdir().full_path) / "picture"

    def _read(self, content: bytes) -> images.Picture:
        self.path.write_bytes(content)
        began = time.perf_counter()
        try:
            return images.read(self.path)
        finally:
            self.assertLess(time.perf_counter() - began, _SECONDS)

    def _refused(self, words: str, content: bytes) -> None:
        with self.assertRaisesRegex(InputError, f"^path={self.path}: .*{words}"):
            self._read(content)

    def test_scans_are_counted(self):
        self.assertEqual(self._read(_scans(20)).pixels.shape, (64, 64, 3))
        self._refused("10,0.. scans", _scans(10_000))
        # Few scans of many pixels take as long as many of few.
        with mock.patch.object(bounded, "_MAX_SCANNED", 100 * 64 * 64):
            self._read(_scans(20))
            self._refused("scans", _scans(200))

    def test_segments_of_a_jpeg(self):
        whole = _saved("JPEG")
        self._refused("segments", whole[:2] + b"\xff\xe5\0\2" * 1_000_000 + whole[2:])

    def test_of_many_frames_the_first_is_read(self):
        count = 100_000
        for content in (_gif(count), _tiff(count), _tiff(count, bits=16)):
            picture = self._read(content)
            self.assertEqual(picture.pixels.shape[-1], 3)
            self.assertRegex(picture.notes[0], "first of several")

    def test_the_last_page_may_be_the_first(self):
        content = _tiff(2)
        first = content.index(b"\x0a\0\0\1")
        self._read(content[:-4] + struct.pack("<I", first))

    def test_many_pieces(self):
        with mock.patch.object(bounded, "_MAX_READS", 10_000):
            for content in (
                _png(_chunk(b"tEXt", b"a\0b") * 10_000),
                _png(after=_chunk(b"prVt") * 10_000),
                _png(_chunk(b"IDAT") * 10_000),
                b"P6 #" + b"x" * 20_000 + b"\n8 8 255\n" + b"\0" * 192,
                _saved("GIF")[:13] + b"\x21\xfe\1a\0" * 10_000 + _saved("GIF")[13:],
            ):
                self._refused("pieces", content)
            self._read(_png(_chunk(b"tEXt", b"a\0b") * 100, _chunk(b"prVt") * 100))

    def test_a_canvas_is_checked_before_it_is_made(self):
        # 16,383 px a side, in one hundred bytes.
        vast = (16_382).to_bytes(3, "little") * 2
        extended = b"WEBPVP8X" + struct.pack("<I", 10) + b"\x12\0\0\0" + vast
        lossless = b"WEBPVP8L" + struct.pack("<I", 70) + b"\x2f" + b"\xff\xff\xff\x0f"
        for content in (extended, lossless):
            content = b"RIFF" + struct.pack("<I", 92) + content.ljust(92, b"\0")
            with mock.patch("PIL.WebPImagePlugin.WebPImageFile", side_effect=AssertionError):
                self._refused("too large", content)
        for options in ({"lossless": True}, {}):
            picture = self._read(_saved("WEBP", 24, **options))
            self.assertEqual(picture.pixels.shape, (24, 24, 3))

    @parameterized.parameters(8, 16)
    def test_counts_of_four_billion(self, bits):
        for odd in ((65000, 12, 0xFFFFFFFF, 8), (273, 4, 0x3FFFFFFF, 8), (258, 3, 0x7FFFFFFF, 8)):
            self.path.write_bytes(_tiff(1, odd, bits))
            began = time.perf_counter()
            try:
                images.read(self.path)
            except InputError as error:
                self.assertIn(str(self.path), str(error))
            self.assertLess(time.perf_counter() - began, _SECONDS)

    def test_pipes_and_devices(self):
        os.mkfifo(self.path)
        for path in (self.path, "/dev/zero"):
            for read in (images.read, headers.read):
                with self.assertRaisesRegex(InputError, f"{path}: is (no regular|a pipe)"):
                    read(path)
