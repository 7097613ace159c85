"""Strangers' files: read as protobuf reads them, or refused in one line; nothing else."""

import pathlib
import re
import struct
import tempfile
import time

import hypothesis
import numpy as np
import tensorflow as tf
from google.protobuf import text_format
from google.protobuf.message import DecodeError
from hypothesis import strategies as st

from tests.networks.caffe import test_caffemodel as writing
from tests.networks.caffe import test_upgrade_proto as described
from tfvis.errors import InputError
from tfvis.networks.caffe import caffemodel, protobuf_wire, prototxt, schema

# The same examples each time, and few enough for every run of the tests.
few = hypothesis.settings(
    max_examples=150, deadline=None, derandomize=True, database=None,
    suppress_health_check=list(hypothesis.HealthCheck),
)  # fmt: skip
# A megabyte of the worst kind takes under a second or two; this is for slow machines.
SECONDS = 20
# Reasons to refuse what protobuf itself takes.
STRICTER = r"shape|axes|no layer|UTF-8|both `layer`|pieces|inputs?|padding|finite"
WORDS = (
    "layer layers name type : , ; { } < > [ ] \" ' # \n \\ \\377 \\ud800 conv1 1 -1e9 0x1f nan "
    "input input_dim include exclude phase TEST TRAIN a.b/c [x.y] shape dim blobs data"
)
VALUES = np.arange(1, 7, dtype="f4")


def small_model() -> bytes:
    net = schema.NetParameter(name="net", input=["data"], input_dim=[1, 3, 4, 4])
    added = net.layer.add(name="conv1", type="Convolution", bottom=["data"], top=["conv1"])
    added.convolution_param.num_output = 2
    added.blobs.add(shape={"dim": [2, 3]}, data=VALUES, diff=-VALUES)
    added.blobs.add(num=1, channels=1, height=1, width=2, double_data=VALUES[:2])
    net.layer.add(name="prob", type="Softmax").blobs.add(shape={"dim": [6]}, data=VALUES)
    return net.SerializeToString()


def old_model() -> bytes:
    net = text_format.Parse(described.V0, schema.NetParameter())
    for layer in (net.layers[2].layer, net.layers[-4].layer):
        layer.blobs.add(num=1, channels=2, height=1, width=3, data=VALUES)
    writing.v1(net, "new", "CONVOLUTION", VALUES.reshape(1, 1, 2, 3))
    return net.SerializeToString()


def checked(read, data: bytes):
    """What `read` makes of a file, or None where it refuses it in one line, in time."""
    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder) / "file"
        path.write_bytes(data)
        began = time.monotonic()
        try:
            return read(path)
        except InputError as error:
            assert str(error).startswith(str(path)), error
            assert "\n" not in str(error), error
            assert len(str(error)) < 600, error
            checked.reason = str(error)[len(str(path)) :]
            return None
        finally:
            assert time.monotonic() - began < SECONDS


def by_protobuf(data: bytes) -> list[np.ndarray] | None:
    """All blobs, flat, of the file parsed by protobuf alone, or None."""
    try:
        net = schema.NetParameter.FromString(data)
    except DecodeError:
        return None
    layers = [*net.layer, *(x for la in net.layers for x in (la, la.layer))]
    with np.errstate(over="ignore"):
        return [
            np.array(b.double_data or b.data, "f8").astype("f4") for la in layers for b in la.blobs
        ]


def agree(data: bytes) -> bool:
    """Checks a reading against protobuf's; returns whether the file could be read."""
    model, theirs = checked(caffemodel.read_model, data), by_protobuf(data)
    if model is None:
        assert theirs is None or re.search(STRICTER, checked.reason), checked.reason
        return False
    assert theirs is not None
    everything = [blob.tobytes() for blob in theirs]
    ours = [array for arrays in model.blobs.values() for array in arrays]
    for array in ours:
        assert array.dtype == np.float32
        assert array.tobytes() in everything
    # Layers of the same name aside, none is missing.
    names = [layer.name for layer in model.net.layer]
    assert len(ours) == len(theirs) or len(set(names)) < len(names)
    return True


@st.composite
def damaged(draw, whole: bytes) -> bytes:
    """A file with bits turned over, bytes replaced, taken out or put in, or cut short."""
    data = bytearray(whole)
    for _ in range(draw(st.integers(1, 4))):
        at = draw(st.integers(0, max(len(data) - 1, 0)))
        how = draw(st.sampled_from(["bit", "byte", "cut", "remove", "insert", "length"]))
        if how == "bit" and data:
            data[at] ^= 1 << draw(st.integers(0, 7))
        elif how == "byte" and data:
            data[at] = draw(st.integers(0, 255))
        elif how == "cut":
            del data[at:]
        elif how == "remove":
            del data[at : at + draw(st.integers(1, 9))]
        elif how == "insert":
            data[at:at] = draw(st.binary(max_size=12))
        else:
            huge = st.sampled_from([1 << 20, 1 << 31, 1 << 32, 1 << 63, (1 << 64) - 1])
            data[at:at] = protobuf_wire.varint(draw(huge))
    return bytes(data)


numbers = st.lists(st.floats(width=32, allow_nan=False), max_size=9)


@st.composite
def blobs(draw) -> bytes:
    """A BlobProto of 1-d shape, its numbers and strange things in any order and encoding."""
    parts, floats, doubles = [], 0, 0
    for _ in range(draw(st.integers(0, 6))):
        values, number = draw(numbers), draw(st.sampled_from([5, 6, 8, 9, 11, 500]))
        code = "f" if number < 7 else "d"
        if number > 9:
            parts.append(writing.field(number, draw(st.sampled_from([0, 2])), b"\x07"))
        elif draw(st.booleans()):
            parts.append(writing.packed(number, values, code, draw(st.integers(1, 3))))
        else:
            parts.append(writing.loose(number, values, code))
        floats += len(values) if number == 5 else 0
        doubles += len(values) if number == 8 else 0
    parts.insert(draw(st.integers(0, len(parts))), writing.shape(doubles or floats))
    return b"".join(parts)


class FuzzTest(tf.test.TestCase):
    def test_whole_files_agree(self):
        self.assertTrue(agree(small_model()))
        self.assertTrue(agree(old_model()))
        self.assertEqual(len(by_protobuf(old_model())), 3)

    @few
    @hypothesis.given(st.lists(blobs(), min_size=1, max_size=4))
    def test_every_encoding(self, parts):
        agree(writing.layer(*parts))

    def test_cut_anywhere(self):
        whole = small_model()
        read = [agree(whole[:end]) for end in range(len(whole))]
        # Whole layers are left where one of them ends, and nowhere else.
        self.assertEqual(sum(read), 1)

    def test_any_bit(self):
        whole = small_model()
        read = 0
        for bit in range(8 * len(whole)):
            data = bytearray(whole)
            data[bit // 8] ^= 1 << bit % 8
            read += agree(bytes(data))
        # Most bits are of numbers and names, which may be any.
        self.assertBetween(read / (8 * len(whole)), 0.3, 0.9)

    @few
    @hypothesis.given(st.one_of(damaged(small_model()), damaged(old_model())))
    def test_damage(self, data):
        agree(data)

    @few
    @hypothesis.given(st.binary(max_size=60).map(lambda tail: b"\xa2\x06" + tail))
    def test_noise(self, data):
        agree(data)

    def test_many_messages_in_little_space(self):
        # Each of these would be a hundred times as large in memory.
        empty = writing.field(100, 2, b"")
        for data in (
            empty * 300_000,
            writing.field(2, 2, b"") * 300_000,
            writing.field(100, 2, writing.field(7, 2, b"") * 300_000),
            writing.field(100, 2, writing.field(8, 2, b"") * 4_500_000),
            writing.layer(writing.loose(6, [0.0]) * 2 + b"\x4a\x00" * 300_000),
            writing.field(100, 2, b"\x0b" * 300_000),
        ):
            self.assertIsNone(checked(caffemodel.read_model, data))
            self.assertRegex(checked.reason, "pieces|besides weights|groups")

    @few
    @hypothesis.given(damaged(writing.legacy(np.ones((1, 3, 2, 2), "f4")).SerializeToString()))
    def test_means(self, data):
        mean = checked(caffemodel.read_mean, data)
        if mean is not None:
            blob = schema.BlobProto.FromString(data)
            stored = np.array(blob.double_data or blob.data).astype("f4")
            self.assertIn(mean.shape[-1], (1, 3))
            self.assertAllEqual(np.sort(mean.ravel()), np.sort(stored))


class TextFuzzTest(tf.test.TestCase):
    @few
    @hypothesis.given(st.one_of(damaged(described.DEPLOY.encode()), damaged(described.V0.encode())))
    def test_damage(self, data):
        found = checked(prototxt.read, data)
        if found is not None:
            names = {layer.name for layer in found.net.layer} - {"input", ""}
            self.assertContainsSubset(names, found.lines)

    @few
    @hypothesis.given(st.lists(st.sampled_from(WORDS.split(" ")), max_size=40).map(" ".join))
    def test_noise(self, text):
        checked(prototxt.read, text.encode())

    def test_the_worst_of_their_size(self):
        for line in (
            "layer {" * 2300,
            "layer { name: 'a' " + "x { " * 25 + "}" * 26,
            '\\"' * 8000,
            'x: "' + '"' * 16_000,
            "a:1 " * 4000,
            "x: [" + "1," * 8000 + "1]",
            "x: " + "[" * 16_000,
            "x " + "[{ y: " * 2700,
            "layer {}" * 2000,
            "1" * 16_000,
        ):
            for lines in (1, 10):
                checked(prototxt.read, (line + "\n").encode() * lines)


def test_floats_are_packed_as_they_are_here():
    # What these tests write by hand is what protobuf writes.
    blob = schema.BlobProto(data=VALUES)
    assert blob.SerializeToString() == b"\x2a\x18" + struct.pack("<6f", *VALUES)
