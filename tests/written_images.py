"""Pictures of known numbers, PNGs and colour profiles written by their specifications."""

import struct
import zlib

import numpy as np
import PIL.Image
import PIL.ImageCms

_ROWS, _COLUMNS = np.mgrid[0:24, 0:31]
# Another value in every channel and no symmetry, so that no mix-up looks right.
LEVELS = np.stack([_COLUMNS * 8, _ROWS * 10, (_ROWS + _COLUMNS) * 3 + 40], -1).astype(np.uint8)
DEEP = LEVELS.astype(np.uint16) * 257
GREY = DEEP[..., 0]
HALF = np.full((24, 31, 1), 32768, np.uint16)
ON_WHITE = 255 + (LEVELS - 255.0) * 32768 / 65535
GREY_ON_WHITE = np.repeat(ON_WHITE[..., :1], 3, axis=-1)
GREY_LEVELS = np.repeat(LEVELS[..., :1], 3, axis=-1)


def png(values: np.ndarray) -> bytes:
    """Returns a PNG of 16 bits, by the format's specification."""
    kind = {1: 0, 2: 4, 3: 2, 4: 6}[values.shape[-1]]
    rows = b"".join(b"\0" + row.astype(">u2").tobytes() for row in values)

    def chunk(tag, data):
        return struct.pack(">I", len(data)) + tag + data + struct.pack(">I", zlib.crc32(tag + data))

    size = struct.pack(">IIBBBBB", values.shape[1], values.shape[0], 16, kind, 0, 0, 0)
    chunks = [chunk(b"IHDR", size), chunk(b"IDAT", zlib.compress(rows)), chunk(b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunks)


def with_chunks(content: bytes, **chunks: bytes) -> bytes:
    """Returns a PNG with further chunks behind its header."""
    added = b"".join(
        struct.pack(">I", len(data)) + tag.encode() + data
        + struct.pack(">I", zlib.crc32(tag.encode() + data))
        for tag, data in chunks.items()
    )  # fmt: skip
    return content[:33] + added + content[33:]


def gamma(value: float) -> bytes:
    """Returns what gAMA holds."""
    return struct.pack(">I", round(value * 100_000))


def swapped_profile() -> bytes:
    """Returns sRGB's profile with the primaries of red and green exchanged."""
    icc = bytearray(PIL.ImageCms.ImageCmsProfile(PIL.ImageCms.createProfile("sRGB")).tobytes())
    (count,) = struct.unpack(">I", icc[128:132])
    tags = {bytes(icc[132 + 12 * k : 136 + 12 * k]): 132 + 12 * k for k in range(count)}
    red, green = tags[b"rXYZ"], tags[b"gXYZ"]
    first, second = icc[red + 4 : red + 12], icc[green + 4 : green + 12]
    icc[red + 4 : red + 12], icc[green + 4 : green + 12] = second, first
    return bytes(icc)


def profile(space: bytes, connection: bytes, tags: dict[bytes, bytes]) -> bytes:
    """Returns an ICC profile of version 2, by its specification."""
    offset, table, body = 132 + 12 * len(tags), struct.pack(">I", len(tags)), b""
    for name, data in tags.items():
        data += b"\0" * (-len(data) % 4)
        table += name + struct.pack(">II", offset + len(body), len(data))
        body += data
    white = struct.pack(">3i", 0xF6D6, 0x10000, 0xD32D)  # D50
    head = struct.pack(">I4sI4s4s4s", 128 + len(table) + len(body), b"none", 0x2400000, b"prtr",
                       space, connection)  # fmt: skip
    head += b"\0" * 12 + b"acsp" + b"\0" * 28 + white
    return head.ljust(128, b"\0") + table + body


def grey_profile(gamma: float) -> bytes:
    """Returns a profile of grey whose light is its numbers to a power."""
    curve = b"curv\0\0\0\0" + struct.pack(">IH", 1, round(gamma * 256))
    white = b"XYZ \0\0\0\0" + struct.pack(">3i", 0xF6D6, 0x10000, 0xD32D)
    return profile(b"GRAY", b"XYZ ", {b"kTRC": curve, b"wtpt": white})


def ink_profile(labs: np.ndarray) -> bytes:
    """Returns a profile of CMYK: the L*a*b* of all 16 mixtures, between them linear."""
    identity = bytes(range(256))
    encoded = np.stack([labs[:, 0] * 2.55, labs[:, 1] + 128, labs[:, 2] + 128], -1)
    matrix = struct.pack(">9i", *np.eye(3, dtype=int).reshape(-1) * 0x10000)
    table = b"mft1\0\0\0\0" + bytes((4, 3, 2, 0)) + matrix + identity * 4
    table += np.rint(encoded).astype(np.uint8).tobytes() + identity * 3
    white = b"XYZ \0\0\0\0" + struct.pack(">3i", 0xF6D6, 0x10000, 0xD32D)
    return profile(b"CMYK", b"Lab ", {b"A2B0": table, b"wtpt": white})
