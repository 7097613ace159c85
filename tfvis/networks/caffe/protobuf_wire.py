"""Cuts the numbers out of a Caffe message, so that protobuf parses only what is left.

protobuf would copy every weight into a message and once more out of it. What is walked here
are the outer levels, down to BlobProto; the rest is handed on byte by byte, unread.
The encoding: protobuf.dev/programming-guides/encoding.
"""

import dataclasses
import struct

import numpy as np

from tfvis.errors import InputError

# Where blobs lie: message -> {field: message inside it}. A V0 layer lies within a V1 layer.
_INSIDE = {
    "net": {100: "layer", 2: "v1"},
    "layer": {7: "blob"},
    "v1": {1: "v0", 6: "blob"},
    "v0": {50: "blob"},
    "blob": {},
}
_VARINT, _EIGHT, _BYTES, _GROUP, _END, _FOUR = range(6)
# Fields of a BlobProto that hold numbers: data, diff, double_data, double_diff; how one of
# them is encoded outside of a packed list, and as what it is read.
_NUMBERS = {5: (_FOUR, "<f4"), 6: (_FOUR, "<f4"), 8: (_EIGHT, "<f8"), 9: (_EIGHT, "<f8")}
_DATA, _DOUBLE_DATA = 5, 8
# NVIDIA's, which OpenCV writes as well: the numbers as bytes, and what they are: 0 and so on.
_RAW_TYPE, _RAW_DATA, _RAW_DIFF = 10, 12, 13
_RAW_TYPES = ("<f8", "<f4", "<f2")
# The names and settings of the largest nets take less than a megabyte. A message in memory
# can be some twenty times as large as its bytes.
_MAX_SKELETON = 8 << 20
# A net of a thousand layers has some twenty thousand; each takes Python a microsecond or two.
_MAX_FIELDS = 250_000
# As deep as protobuf itself follows groups.
_MAX_DEPTH = 100


@dataclasses.dataclass(frozen=True)
class Message:
    """A message in two parts.

    Attributes:
        skeleton: the message, serialised, without numbers; in their place each BlobProto
            holds its index into `numbers`, as its only `double_diff`.
        numbers: of each blob, flat float32, possibly empty; views of the bytes given,
            unaligned, unless they were doubles or came in several pieces.
    """

    skeleton: bytes
    numbers: list[np.ndarray]


def cut(data: np.ndarray, kind: str) -> Message:
    """Returns the parts of a serialised message.

    Args:
        data: uint8, flat; the numbers are views of it.
        kind: "net" for a NetParameter, "blob" for a BlobProto.

    Raises:
        InputError: cut off or damaged, or larger besides its numbers than any network.
    """
    cutter = _Cutter(data)
    return Message(bytes(cutter.message(kind, 0, len(data))), cutter.numbers)


def varint(value: int) -> bytes:
    """Returns a number as protobuf writes it, seven bits a byte, the lowest first."""
    written = bytearray()
    while value > 127:
        written.append(value & 127 | 128)
        value >>= 7
    return bytes(written + bytes([value]))


def field(number: int, content: bytes) -> bytes:
    """Returns a field of known length: its number and kind, its length, itself."""
    return varint(number << 3 | _BYTES) + varint(len(content)) + content


class _Cutter:
    """A walk through `data`; positions are those in the file, for the messages."""

    def __init__(self, data: np.ndarray):
        self._data, self._bytes = data, memoryview(data)
        self._fields, self._kept = 0, 0
        self.numbers: list[np.ndarray] = []

    def message(self, kind: str, at: int, end: int) -> bytearray:
        """Returns what is kept of the message in [at, end)."""
        kept = bytearray()
        chunks: dict[int, list[np.ndarray]] = {_DATA: [], _DOUBLE_DATA: []}
        raw, raw_type = (0, 0), None
        while at < end:
            start = at
            field, wire, at = self._tag(at, end)
            begin, stop = self._span(field, wire, at, end)
            alone, dtype = _NUMBERS.get(field, (None, None)) if kind == "blob" else (None, None)
            if alone is not None and wire in (_BYTES, alone):
                values, stop = self._values(dtype, wire, start, begin, stop, end)
                if field in chunks and values.size:
                    chunks[field].append(values)
            elif kind == "blob" and wire == _BYTES and field in (_RAW_DATA, _RAW_DIFF):
                # The last one counts, as of every field that is not repeated.
                raw = (begin, stop) if field == _RAW_DATA else raw
            elif kind == "blob" and wire == _VARINT and field == _RAW_TYPE:
                raw_type = self._varint(begin, end)[0]
            elif wire == _BYTES and field in _INSIDE[kind]:
                part = self.message(_INSIDE[kind][field], begin, stop)
                kept += varint(field << 3 | wire) + varint(len(part)) + part
            else:
                self._kept += stop - start
                if self._kept > _MAX_SKELETON:
                    raise InputError(
                        f"more than {_MAX_SKELETON:,} bytes besides weights, which no Caffe "
                        "network has"
                    )
                kept += self._bytes[start:stop]
            at = stop
        if kind == "blob":
            kept += varint(9 << 3 | _BYTES) + varint(8) + struct.pack("<d", len(self.numbers))
            if raw_type is not None:
                chunks[_DOUBLE_DATA] = [self._raw(raw_type, *raw)]
            self.numbers.append(_joined(chunks[_DOUBLE_DATA] or chunks[_DATA]))
        return kept

    def _raw(self, kind: int, begin: int, stop: int) -> np.ndarray:
        """Returns the numbers in `raw_data`."""
        if kind >= len(_RAW_TYPES):
            raise InputError(
                f"the numbers at byte {begin:,} are of raw_data_type {kind}, which is not "
                "supported (0 double, 1 float, 2 half)"
            )
        return self._values(_RAW_TYPES[kind], _BYTES, begin, begin, stop, stop)[0]

    def _tag(self, at: int, end: int) -> tuple[int, int, int]:
        """Returns a field's number, the way it is encoded, and where it begins."""
        self._fields += 1
        if self._fields > _MAX_FIELDS:
            raise InputError(f"in more than {_MAX_FIELDS:,} pieces, which no Caffe network is")
        start = at
        tag, at = self._varint(at, end)
        if not 0 < tag >> 3 < 1 << 29 or tag & 7 > _FOUR:
            raise InputError(f"byte {start:,} begins nothing known; damaged, or of another kind")
        return tag >> 3, tag & 7, at

    def _varint(self, at: int, end: int) -> tuple[int, int]:
        value = 0
        for i, byte in enumerate(self._bytes[at : min(at + 10, end)]):
            value |= (byte & 127) << 7 * i
            if byte < 128:
                return value & (1 << 64) - 1, at + i + 1
        raise InputError(f"the number at byte {at:,} has no end; the file is cut off or damaged")

    def _span(self, field: int, wire: int, at: int, end: int) -> tuple[int, int]:
        """Returns where the contents of a field begin, and where they end."""
        if wire == _VARINT:
            return at, self._varint(at, end)[1]
        if wire == _GROUP:
            return at, self._group(field, at, end)
        if wire == _END:
            raise InputError(f"byte {at:,} ends what has not begun; the file is damaged")
        size = 8 if wire == _EIGHT else 4
        if wire == _BYTES:
            size, at = self._varint(at, end)
        if size > end - at:
            raise InputError(
                f"{size:,} bytes should follow byte {at:,}, {end - at:,} do; the file is cut off "
                "or damaged"
            )
        return at, at + size

    def _group(self, field: int, at: int, end: int) -> int:
        """Returns where a group, an old kind of message that Caffe never used, ends."""
        opened = [field]
        while opened:
            field, wire, at = self._tag(at, end)
            if wire == _GROUP and len(opened) < _MAX_DEPTH:
                opened.append(field)
            elif wire == _END and field == opened[-1]:
                opened.pop()
            elif wire in (_GROUP, _END):
                raise InputError(f"groups nest wrongly or deeply at byte {at:,}")
            else:
                at = self._span(field, wire, at, end)[1]
        return at

    def _values(
        self, dtype: str, wire: int, start: int, begin: int, stop: int, end: int
    ) -> tuple[np.ndarray, int]:
        """Returns the numbers of a field that starts at `start`, and where they end.

        Numbers that are not packed have a tag each; a run of them is taken at once.
        """
        width = np.dtype(dtype).itemsize
        if wire == _BYTES:
            if (stop - begin) % width:
                raise InputError(f"{stop - begin:,} bytes at byte {begin:,} are no whole numbers")
            return np.ndarray(((stop - begin) // width,), dtype, self._bytes, begin), stop
        step = stop - start
        # A tag of more bytes than it needs is read alone.
        count = self._run(start, end, step) if begin - start == 1 else 1
        return np.ndarray((count,), dtype, self._bytes, begin, (step,)), start + count * step

    def _run(self, at: int, end: int, step: int) -> int:
        """Returns how many records of `step` bytes from `at` on begin with the same byte."""
        count, most, block = 1, (end - at) // step, 64
        while count < most:
            # Growing blocks: a short run must not cost a look at all of the file.
            last = min(count + block, most)
            same = self._data[at + count * step : at + last * step : step] == self._data[at]
            if not same.all():
                return count + int(same.argmin())
            count, block = last, min(4 * block, 1 << 16)
        return count


def _joined(chunks: list[np.ndarray]) -> np.ndarray:
    if len(chunks) == 1 and chunks[0].dtype == np.float32:
        return chunks[0]
    whole = np.empty(sum(chunk.size for chunk in chunks), np.float32)
    # A double beyond float32 becomes infinite, as Caffe's own cast has it.
    with np.errstate(over="ignore", invalid="ignore"):
        if chunks:
            np.concatenate(chunks, out=whole, casting="unsafe")
    return whole
