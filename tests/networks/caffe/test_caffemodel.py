"""Files in every way Caffe has written them, against protobuf's own parse and OpenCV's."""

import pathlib
import struct
import tracemalloc

import numpy as np
import tensorflow as tf
from absl.testing import parameterized

from tfvis.errors import InputError
from tfvis.networks.caffe import caffemodel, protobuf_wire, schema


def field(number: int, kind: int, payload: bytes) -> bytes:
    """A field as it lies in a file; kind 2 brings its length along."""
    return (
        protobuf_wire.varint(number << 3 | kind)
        + (protobuf_wire.varint(len(payload)) if kind == 2 else b"")
        + payload
    )


def packed(number: int, values, code: str = "f", pieces: int = 1) -> bytes:
    parts = np.array_split(np.asarray(values), pieces)
    return b"".join(field(number, 2, struct.pack(f"<{len(p)}{code}", *p)) for p in parts)


def loose(number: int, values, code: str = "f") -> bytes:
    kind = {"f": 5, "d": 1}[code]
    return b"".join(field(number, kind, struct.pack(f"<{code}", v)) for v in values)


def shape(*dims: int) -> bytes:
    return schema.BlobProto(shape={"dim": dims}).SerializeToString()


def layer(*blobs: bytes, name: bytes = b"conv1") -> bytes:
    parts = field(1, 2, name) + field(2, 2, b"Convolution")
    return field(100, 2, parts + b"".join(field(7, 2, blob) for blob in blobs))


def legacy(array: np.ndarray) -> schema.BlobProto:
    sides = dict(zip(("num", "channels", "height", "width"), array.shape, strict=True))
    return schema.BlobProto(**sides, data=array.ravel())


def v1(net: schema.NetParameter, name: str, kind: str, *arrays: np.ndarray) -> None:
    added = net.layers.add(name=name)
    numbers = added.DESCRIPTOR.fields_by_name["type"].enum_type.values_by_name
    added.type = numbers[kind].number
    added.blobs.extend(legacy(array) for array in arrays)


def by_protobuf(data: bytes) -> list[np.ndarray]:
    """The first layer's blobs as protobuf itself parses the whole of the file."""
    blobs = schema.NetParameter.FromString(data).layer[0].blobs
    return [np.array(b.double_data or b.data, "f4").reshape(b.shape.dim) for b in blobs]


RANDOM = np.random.default_rng(0)
VALUES = RANDOM.normal(size=200).astype("f4")
KERNEL = RANDOM.normal(size=(4, 3, 3, 3)).astype("f4")
BIAS = RANDOM.normal(size=4).astype("f4")
DENSE = RANDOM.normal(size=(5, 4 * 36)).astype("f4")


class FolderTest(tf.test.TestCase, parameterized.TestCase):
    def setUp(self):
        super().setUp()
        self.folder = pathlib.Path(self.create_tempdir().full_path)
        self.path = self.folder / "a.caffemodel"

    def _read(self, data: bytes) -> caffemodel.Model:
        self.path.write_bytes(data)
        return caffemodel.read_model(self.path)

    def _refused(self, words: str, data: bytes) -> None:
        with self.assertRaisesRegex(InputError, words) as caught:
            self._read(data)
        message = str(caught.exception)
        self.assertStartsWith(message, str(self.path))
        self.assertNotIn("\n", message)


class ReadingTest(FolderTest):
    def test_what_protobuf_writes(self):
        net = schema.NetParameter(name="net")
        added = net.layer.add(name="conv1", type="Convolution", bottom=["data"], top=["conv1"])
        added.convolution_param.num_output = 4
        added.blobs.add(shape={"dim": KERNEL.shape}, data=KERNEL.ravel())
        added.blobs.add(shape={"dim": [4]}, data=BIAS)
        net.layer.add(name="relu1", type="ReLU", bottom=["conv1"], top=["conv1"])
        model = self._read(net.SerializeToString())
        self.assertEqual(list(model.blobs), ["conv1"])
        kernel, bias = model.blobs["conv1"]
        self.assertEqual((kernel.dtype, kernel.shape), (np.float32, KERNEL.shape))
        self.assertAllEqual(kernel, KERNEL)
        self.assertAllEqual(bias, BIAS)
        # All the rest is there.
        del net.layer[0].blobs[:]
        self.assertEqual(model.net, net)
        # TensorFlow takes what lies unaligned in the file, and nobody writes into it.
        self.assertAllEqual(tf.constant(kernel) + 0, KERNEL)
        with self.assertRaises(ValueError):
            kernel[...] = 0

    @parameterized.parameters((0, "<f8"), (1, "<f4"), (2, "<f2"))
    def test_raw_numbers(self, number, dtype):
        raw = KERNEL.astype(dtype)
        for parts in (
            [field(10, 0, protobuf_wire.varint(number)), field(12, 2, raw.tobytes())],
            # In any order, the last of several, beside what belongs to a training.
            [
                field(12, 2, b"\0" * 7), field(13, 2, b"\1" * 5), field(12, 2, raw.tobytes()),
                field(11, 0, protobuf_wire.varint(3)), field(10, 0, protobuf_wire.varint(number)),
                packed(5, VALUES),
            ],
        ):  # fmt: skip
            data = layer(shape(*KERNEL.shape) + b"".join(parts))
            (kernel,) = self._read(data).blobs["conv1"]
            self.assertEqual(kernel.dtype, np.float32)
            self.assertAllEqual(kernel, raw.astype("f4"))

    def test_raw_numbers_that_are_refused(self):
        sides, raw = shape(4), field(12, 2, BIAS.astype("<f2").tobytes())
        self._refused("raw_data_type 3", layer(sides + field(10, 0, b"\3") + raw))
        self._refused("no whole numbers", layer(sides + field(10, 0, b"\2") + field(12, 2, b"abc")))
        self._refused("4.*but 2 numbers", layer(sides + field(10, 0, b"\1") + raw))
        # Without a type, Caffe does not look at them.
        self._refused("4.*but 0 numbers", layer(sides + raw))

    def test_half_precision_as_opencv_writes_it(self):
        import cv2

        self.path.write_bytes(layer(shape(*KERNEL.shape) + packed(5, KERNEL.ravel())))
        half = self.folder / "half.caffemodel"
        cv2.dnn.shrinkCaffeModel(str(self.path), str(half), ["Convolution"])
        (kernel,) = caffemodel.read_model(half).blobs["conv1"]
        self.assertLess(half.stat().st_size, 0.7 * self.path.stat().st_size)
        self.assertAllEqual(kernel, KERNEL.astype("f2").astype("f4"))

    def test_old_layers_keep_four_axes(self):
        net = schema.NetParameter()
        v1(net, "conv1", "CONVOLUTION", KERNEL, BIAS.reshape(1, 1, 1, 4))
        v1(net, "fc", "INNER_PRODUCT", DENSE[None, None])
        oldest = net.layers.add(bottom=["fc"], top=["out"]).layer
        oldest.name, oldest.type = "out", "innerproduct"
        oldest.blobs.append(legacy(DENSE[None, None] + 1))
        model = self._read(net.SerializeToString())
        types = {la.name: la.type for la in model.net.layer}
        self.assertEqual(
            types, {"conv1": "Convolution", "fc": "InnerProduct", "out": "InnerProduct"}
        )
        self.assertAllEqual(model.blobs["conv1"][0], KERNEL)
        self.assertEqual(model.blobs["conv1"][1].shape, (1, 1, 1, 4))
        self.assertAllEqual(model.blobs["fc"][0], DENSE[None, None])
        self.assertAllEqual(model.blobs["out"][0], DENSE[None, None] + 1)

    @parameterized.named_parameters(
        ("packed", packed(5, VALUES)),
        ("chunks", packed(5, VALUES, pieces=7)),
        ("loose", loose(5, VALUES)),
        ("mixed", loose(5, VALUES[:70]) + packed(5, VALUES[70:130]) + loose(5, VALUES[130:])),
        ("diff", packed(6, -VALUES) + loose(5, VALUES) + loose(6, VALUES) + packed(9, [1.0], "d")),
        ("turns", b"".join(loose(5, [v]) + loose(6, [-v]) for v in VALUES)),
        ("double", packed(8, VALUES, "d", 3)),
        ("loose double", loose(8, VALUES, "d")),
        ("double wins", packed(5, -VALUES) + packed(8, VALUES, "d")),
        ("no double", packed(5, VALUES) + packed(8, [], "d") + packed(5, [])),
        ("other kinds", field(5, 0, b"\x07") + packed(5, VALUES) + field(8, 5, b"abcd")),
        # A tag and a length in more bytes than they need.
        ("long tag", b"\xaa\x00" + b"\xa0\x86\x80\x00" + VALUES.tobytes()),
        ("long loose", b"".join(b"\xad\x80\x00" + v.tobytes() for v in VALUES)),
        (
            "long and short",
            b"".join(
                (b"\xad\x80\x00", b"\xad\x00", b"\x2d")[i % 3] + v.tobytes()
                for i, v in enumerate(VALUES)
            ),
        ),
        ("unknown", field(77, 2, b"x" * 9) + packed(5, VALUES) + field(78, 0, b"\xff" * 9 + b"\1")),
        ("group", b"\xa3\x06\x08\x01\x13\x2a\x02ab\x14\xa4\x06" + packed(5, VALUES)),
        ("shape in parts", shape(5) + shape(4) + packed(5, np.tile(VALUES, 20))),
    )
    def test_every_way_to_write_numbers(self, numbers):
        data = layer(shape(10, 20) + numbers, shape(200) + packed(5, VALUES))
        expected = by_protobuf(data)
        found = self._read(data).blobs["conv1"]
        self.assertLen(found, 2)
        for one, other in zip(found, expected, strict=True):
            self.assertEqual(one.dtype, np.float32)
            self.assertAllEqual(one, other)
        self.assertAllEqual(found[0].ravel()[:200], VALUES)

    def test_a_double_beyond_floats(self):
        found = self._read(layer(shape(2) + packed(8, [1e300, 0.1], "d")))
        self.assertAllEqual(found.blobs["conv1"][0], np.array([np.inf, 0.1], "f4"))

    def test_what_is_not_known_does_no_harm(self):
        negative = field(10, 0, b"\xff" * 9 + b"\x01")
        odd = negative + field(7000, 2, b"?" * 300) + b"\x53\x54" + field(9, 1, b"8 bytes.")
        data = odd + layer(shape(200) + packed(5, VALUES)) + odd
        self.assertAllEqual(self._read(data).blobs["conv1"][0], VALUES)
        # A negative int32, in its ten bytes, is read as one.
        self._refused(r"\(-1, 1, 1, 200\)", layer(field(1, 0, b"\xff" * 9 + b"\x01")
                      + b"\x10\x01\x18\x01\x20\xc8\x01" + packed(5, VALUES)))  # fmt: skip

    def test_of_the_same_name_the_last_with_blobs_counts(self):
        one, two = (layer(shape(200) + packed(5, sign * VALUES)) for sign in (1, -1))
        model = self._read(one + two + layer())
        self.assertAllEqual(model.blobs["conv1"][0], -VALUES)
        self.assertLen(model.net.layer, 3)

    @parameterized.parameters(1, 2)
    def test_opencv_reads_the_same(self, generation):
        import cv2

        net = schema.NetParameter()
        arrays = {"conv1": [KERNEL, BIAS], "fc": [DENSE, VALUES[:5]]}
        kinds = {"conv1": ("CONVOLUTION", "Convolution"), "fc": ("INNER_PRODUCT", "InnerProduct")}
        for name, blobs in arrays.items():
            if generation == 1:
                full = [b.reshape((1,) * (4 - b.ndim) + b.shape) for b in blobs]
                v1(net, name, kinds[name][0], *full)
            else:
                added = net.layer.add(name=name, type=kinds[name][1])
                for blob in blobs:
                    added.blobs.add(shape={"dim": blob.shape}, data=blob.ravel())
        text = self.folder / "a.prototxt"
        text.write_text(
            'input: "data" input_dim: 1 input_dim: 3 input_dim: 6 input_dim: 6 '
            'layer { name: "conv1" type: "Convolution" bottom: "data" top: "conv1" '
            "convolution_param { num_output: 4 kernel_size: 3 pad: 1 } } "
            'layer { name: "fc" type: "InnerProduct" bottom: "conv1" top: "fc" '
            "inner_product_param { num_output: 5 } }"
        )
        model = self._read(net.SerializeToString())
        theirs = cv2.dnn.readNetFromCaffe(str(text), str(self.path))
        for name, blobs in arrays.items():
            for i in range(len(blobs)):
                expected = np.asarray(theirs.getParam(name, i))
                self.assertAllEqual(model.blobs[name][i].ravel(), expected.ravel())

    @parameterized.named_parameters(
        # The file's bytes, and a little for a model of two layers.
        ("packed", lambda v: packed(5, v), 1.1),
        ("diff", lambda v: packed(5, v) + packed(6, v), 1.1),
        ("loose", lambda v: np.insert(v.view("u1").reshape(-1, 4), 0, 45, 1).tobytes(), 1.1),
        # A copy of what is to be joined or converted.
        ("chunks", lambda v: packed(5, v, pieces=9), 2.1),
        ("double", lambda v: field(8, 2, v.astype("f8").tobytes()), 1.6),
    )
    def test_memory(self, write, most):
        values = np.linspace(-1, 1, 1 << 20, dtype="f4")
        self.path.write_bytes(layer(shape(1 << 20) + write(values)))
        size = self.path.stat().st_size
        tracemalloc.start()
        model = caffemodel.read_model(self.path)
        total = float(sum(array.sum() for arrays in model.blobs.values() for array in arrays))
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        self.assertBetween(peak / size, 0.9, most)
        self.assertNear(total, 0, 1)
        self.assertAllEqual(model.blobs["conv1"][0], values)


class RefusalTest(FolderTest):
    @parameterized.parameters(
        ("holds no layer", b""),
        ("holds no layer", layer()),
        ("cut off", layer(shape(200) + packed(5, VALUES))[:-9]),
        ("cut off", b"\xa2\x06\xff\xff\xff\xff\x07"),
        ("cut off", b"\xa2\x06\xff\xff\xff\xff\xff\xff\xff\xff\x7f"),
        ("no end", b"\xa2\x06" + b"\xff" * 20),
        ("no whole numbers", layer(shape(2) + field(5, 2, b"1234567"))),
        ("begins nothing known", b'name: "VGG_CNN_S"'),
        ("begins nothing known", b"\x02\x00"),
        ("HDF5.*BINARYPROTO", b"\x89HDF\r\n\x1a\n" + b"\0" * 99),
        ("not UTF-8", layer(shape(1) + packed(5, [1]), name=b"\xff\xfe")),
        (r"layer conv1, blob 1 .*\(10, 21\), but 200", layer(
            shape(200) + packed(5, VALUES), shape(10, 21) + packed(5, VALUES))),
        (r"\(3, -1\)", layer(shape(3, -1))),
        (r"\(-2, -2\)", layer(shape(-2, -2) + packed(5, VALUES[:4]))),
        (r"\(0, 3\), but 0", layer(shape(0, 3))),
        ("but 1 num", layer(shape(1 << 62, 1 << 62, 16) + packed(5, [1]))),
        ("but 0 num", layer(shape(1 << 32, 1 << 32))),
        ("but 0 num", layer(b"")),
        ("1,000 axes", layer(shape(*[1] * 1000) + packed(5, [1]))),
        ("`layer` and `layers`", layer() + field(2, 2, b"")),
        ("damaged", layer(field(7, 2, b"\x0a\x05\x80"))),
        ("groups", b"\x53" * 200),
        ("groups", b"\x53\x5c"),
        ("ends what has not begun", b"\x54"),
        # Small pieces by the million: refused before they take time or memory.
        ("pieces", b"\xa2\x06\x00" * 300_000),
        ("pieces", layer(b"\x32\x00" * 300_000)),
        ("besides weights", field(7000, 2, b" " * (9 << 20))),
    )  # fmt: skip
    def test_one_line(self, words, data):
        self._refused(words, data)

    def test_no_file(self):
        for path in (self.path, self.folder):
            with self.assertRaisesRegex(InputError, f"^{path}: (no such file|is a folder)"):
                caffemodel.read_model(path)


class MeanTest(FolderTest):
    MEAN = RANDOM.uniform(0, 255, (3, 4, 5)).astype("f4")

    def _mean(self, data: bytes) -> np.ndarray:
        self.path.write_bytes(data)
        return caffemodel.read_mean(self.path)

    def test_planes_of_bgr_become_pixels_of_rgb(self):
        old = legacy(self.MEAN[None]).SerializeToString()
        new = shape(3, 4, 5) + packed(5, self.MEAN.ravel())
        double = shape(1, 3, 4, 5) + packed(8, self.MEAN.ravel(), "d")
        for data in (old, new, double):
            found = self._mean(data)
            self.assertEqual((found.dtype, found.shape), (np.float32, (4, 5, 3)))
            for channel in range(3):
                self.assertAllEqual(found[..., channel], self.MEAN[2 - channel])
        self.assertAllEqual(self._mean(shape(1, 1, 2) + packed(5, [7, 8])), [[[7], [8]]])

    @parameterized.parameters(
        (r"\(2, 3, 1, 1\)", shape(2, 3, 1, 1) + packed(5, VALUES[:6])),
        (r"\(2, 1, 1\)", shape(2, 1, 1) + packed(5, VALUES[:2])),
        (r"\(3,\)", shape(3) + packed(5, VALUES[:3])),
        ("finite", shape(3, 1, 1) + packed(5, [1, np.nan, 2])),
        ("but 0 num", b""),
        ("but 0 num", layer(shape(200) + packed(5, VALUES))),
        ("cut off", legacy(MEAN[None]).SerializeToString()[:-1]),
    )
    def test_refused(self, words, data):
        with self.assertRaisesRegex(InputError, f"^{self.path}: .*{words}"):
            self._mean(data)
