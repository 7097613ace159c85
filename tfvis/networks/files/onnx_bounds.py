"""What an ONNX file is besides numbers, counted before protobuf reads it.

A message in memory can be seventy times as large as its bytes: an empty node takes two of these.
The encoding: protobuf.dev/programming-guides/encoding; the fields: onnx.proto.
"""

from tfvis.errors import InputError

# Where tensors lie: message -> {field: message inside it}.
_INSIDE = {
    "model": {7: "graph"},
    "graph": {1: "node", 5: "tensor"},
    "node": {5: "attribute"},
    "attribute": {5: "tensor", 6: "graph"},
    "tensor": {},
}
# Fields of a tensor that hold its numbers: float_data, int32_data, int64_data, raw_data,
# double_data, uint64_data.
_NUMBERS = frozenset({4, 5, 7, 9, 10, 11})
_VARINT, _EIGHT, _BYTES, _FOUR = 0, 1, 2, 5
# Networks of a thousand layers have less than a megabyte of names and settings, and some ten
# thousand fields out here; a million take Python a second.
_MAX_BESIDES, _MAX_FIELDS = 16 << 20, 1_000_000
# As deep as graphs within graphs are followed; protobuf itself ends at 100 messages.
_MAX_DEPTH = 100


def check(data: bytes) -> None:
    """Refuses an ONNX model that is mostly no numbers.

    Args:
        data: the whole file.

    Raises:
        InputError: too much in it besides the numbers of tensors, or it is cut off.
    """
    besides, fields = len(data), 0
    # Messages to be looked through: kind, first byte, end, depth.
    waiting = [("model", 0, len(data), 0)]
    while waiting:
        kind, place, end, depth = waiting.pop()
        while place < end:
            fields += 1
            if fields > _MAX_FIELDS:
                raise InputError(f"it has more than {_MAX_FIELDS:,} nodes, tensors and fields")
            tag, place = _varint(data, place, end)
            field, wire = tag >> 3, tag & 7
            if wire == _BYTES:
                length, place = _varint(data, place, end)
                inner = _INSIDE[kind].get(field)
                if inner and depth < _MAX_DEPTH:
                    waiting.append((inner, place, min(place + length, end), depth + 1))
                elif kind == "tensor" and field in _NUMBERS:
                    besides -= length
                place += length
            elif wire == _VARINT:
                _, place = _varint(data, place, end)
            elif wire in (_EIGHT, _FOUR):
                place += 8 if wire == _EIGHT else 4
            else:
                raise InputError("a message in it is damaged")
    if besides > _MAX_BESIDES:
        raise InputError(f"{besides:,} bytes of it are no numbers, at most {_MAX_BESIDES:,} may be")


def _varint(data: bytes, place: int, end: int) -> tuple[int, int]:
    """Returns a number of up to ten bytes and the place behind it."""
    value = shift = 0
    while place < end and shift < 70:
        byte = data[place]
        place += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, place
        shift += 7
    raise InputError("a message in it is cut off")
