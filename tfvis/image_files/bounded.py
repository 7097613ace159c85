"""Image files made to take for ever: what they ask of a decoder is counted before or as it reads.

Decoders follow a file wherever it leads: through a million empty chunks, ten thousand scans of
one picture, a canvas a thousand times the picture.
"""

import contextlib
import os
import re
import struct
from collections.abc import Iterator
from typing import BinaryIO

from tfvis import bounds, files
from tfvis.errors import InputError
from tfvis.image_files import sizes

# Reads and seeks of one file, two to ten for a chunk of it: PNGs of 100 megapixels in chunks of
# 8 kB take 400,000. A million take a second or two.
_MAX_READS = 1_000_000
# Scans of a JPEG: progressive ones have 10, rarely 30. An empty scan takes 0.1 ms a megapixel.
_MAX_SCANS, _MAX_SCANNED = 500, 20_000_000_000
# Segments of a JPEG before its first scan: a colour profile of a megabyte takes 16.
_MAX_SEGMENTS = 2_000
# Beginnings of scans, of 1 to 4 components; within a scan 0xff is never followed by 0xda.
_SCAN = re.compile(rb"\xff\xda\x00[\x08\x0a\x0c\x0e]")
_BLOCK = 1 << 20
# Sizes of frames: SOF0 to SOF15, without DHT, JPG and DAC.
_FRAMES = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}


class _Counted:
    """A file that a decoder may read and seek in so many times only."""

    def __init__(self, file: BinaryIO, label: str):
        self._file, self._label, self._rest = file, label, _MAX_READS

    def __getattr__(self, name: str):
        return getattr(self._file, name)

    def read(self, size: int = -1, /) -> bytes:
        """As a file's."""
        self._count()
        return self._file.read(size)

    def seek(self, offset: int, whence: int = os.SEEK_SET, /) -> int:
        """As a file's."""
        self._count()
        return self._file.seek(offset, whence)

    def _count(self) -> None:
        self._rest -= 1
        if self._rest < 0:
            raise InputError(
                f"{self._label}: is in millions of pieces. Open it in another program and save "
                "it again."
            )


@contextlib.contextmanager
def opened(path: os.PathLike | str, label: str) -> Iterator[BinaryIO]:
    """Opens an image file that will not keep a decoder for ever.

    Args:
        path: the file.
        label: what messages begin with.

    Raises:
        InputError: as `files.opened`; and, within it too, where the file asks for too much.
    """
    with files.opened(path, label, bounds.PICTURE) as file:
        start = file.read(32)
        if start[:2] == b"\xff\xd8":
            _check_jpeg(file, label)
        elif start[:4] == b"RIFF" and start[8:12] == b"WEBP":
            _check_webp(start, label)
        file.seek(0)
        yield _Counted(file, label)


def _check_jpeg(file: BinaryIO, label: str) -> None:
    pixels = _jpeg_pixels(file, label)
    file.seek(0)
    scans, rest = 0, b""
    while block := file.read(_BLOCK):
        # The same beginning is not counted twice: the last three bytes hold none.
        scans += len(_SCAN.findall(rest + block))
        rest = block[-3:]
    if scans > _MAX_SCANS or (scans > 1 and scans * pixels > _MAX_SCANNED):
        raise InputError(
            f"{label}: {scans:,} scans for one picture. Open it in another program and save it "
            "again."
        )


def _jpeg_pixels(file: BinaryIO, label: str) -> int:
    """Returns width times height, from the segments before the first scan."""
    file.seek(2)
    for _ in range(_MAX_SEGMENTS):
        head = file.read(4)
        # Fill bytes before a marker, and what is no marker, are for the decoder to tell.
        if len(head) < 4 or head[0] != 0xFF or head[1] == 0xDA:
            return 0
        length = struct.unpack(">H", head[2:])[0]
        if head[1] in _FRAMES:
            height, width = struct.unpack(">xHH", file.read(5).ljust(5, b"\0"))
            return height * width
        file.seek(max(length - 2, 0), os.SEEK_CUR)
    raise InputError(
        f"{label}: more than {_MAX_SEGMENTS:,} segments before the picture. Open it in another "
        "program and save it again."
    )


def _check_webp(start: bytes, label: str) -> None:
    """Compares the canvas with the bounds: the decoder makes it as soon as it sees it."""
    if start[12:16] == b"VP8X" and len(start) >= 30:
        width = int.from_bytes(start[24:27], "little") + 1
        height = int.from_bytes(start[27:30], "little") + 1
    elif start[12:16] == b"VP8L" and len(start) >= 25:
        bits = int.from_bytes(start[21:25], "little")
        width, height = (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1
    elif start[12:16] == b"VP8 " and len(start) >= 30:
        width, height = (word & 0x3FFF for word in struct.unpack("<HH", start[26:30]))
    else:
        return
    sizes.check((width, height), label)
