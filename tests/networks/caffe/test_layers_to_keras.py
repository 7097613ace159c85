"""Caffe networks in Keras: every layer and option as OpenCV runs it."""

import keras
import numpy as np
import tensorflow as tf
from absl.testing import parameterized

from tests.caffe_nets import conv, deploy, deviation, image, layer, numbers, opencv, ours, pool
from tfvis.networks import network
from tfvis.networks.caffe import fill_weights, prototxt
from tfvis.networks.caffe.layer_names import legal
from tfvis.networks.caffe.to_keras import layers_to_keras

# Two orders of summation in float32; what is wrong is off by far more.
_ALIKE = 1e-4


def _eltwise(name: str, fields: str) -> str:
    return layer(name, "Eltwise", "a b", eltwise=fields)


# Each: layers, and the shapes of their blobs, "__" in a name for "/".
_NETS = {
    "convolutions": (
        [
            conv("same", "data", "num_output: 8 kernel_size: 3 pad: 1"),
            conv("valid", "same", "num_output: 6 kernel_size: 2 bias_term: false"),
            conv("even", "same", "num_output: 6 kernel_size: 4 pad: 1"),
            conv("strided", "same", "num_output: 5 kernel_size: 7 stride: 2 pad: 3"),
            conv("point", "same", "num_output: 4 kernel_size: 1"),
            conv("point_strided", "same", "num_output: 4 kernel_size: 1 stride: 2"),
            conv(
                "uneven",
                "same",
                "num_output: 4 kernel_h: 3 kernel_w: 5 stride_h: 2 stride_w: 1 pad_h: 0 pad_w: 2",
            ),
            conv("listed", "same", "num_output: 4 kernel_size: [1, 3] stride: [2, 1] pad: [0, 1]"),
            conv("wide", "same", "num_output: 4 kernel_size: 3 pad: 9"),
        ],
        {
            "same": [(8, 3, 3, 3), (8,)],
            "valid": [(6, 8, 2, 2)],
            "even": [(6, 8, 4, 4), (6,)],
            "strided": [(5, 8, 7, 7), (5,)],
            "point": [(4, 8, 1, 1), (4,)],
            "point_strided": [(4, 8, 1, 1), (4,)],
            "uneven": [(4, 8, 3, 5), (4,)],
            "listed": [(4, 8, 1, 3), (4,)],
            "wide": [(4, 8, 3, 3), (4,)],
        },
    ),
    "groups": (
        [
            conv("a", "data", "num_output: 8 kernel_size: 3"),
            conv("two", "a", "num_output: 12 kernel_size: 5 pad: 2 group: 2"),
            conv("four", "two", "num_output: 8 kernel_size: 3 pad: 1 stride: 2 group: 4"),
            conv("each", "four", "num_output: 8 kernel_size: 3 group: 8 bias_term: false"),
        ],
        {
            "a": [(8, 3, 3, 3), (8,)],
            "two": [(12, 4, 5, 5), (12,)],
            "four": [(8, 3, 3, 3), (8,)],
            "each": [(8, 1, 3, 3)],
        },
    ),
    "dilation": (
        [
            conv("same", "data", "num_output: 8 kernel_size: 3 pad: 2 dilation: 2"),
            conv("less", "same", "num_output: 6 kernel_size: 3 pad: 1 dilation: 3"),
            conv("grouped", "same", "num_output: 6 kernel_size: 2 pad: 1 dilation: 2 group: 2"),
        ],
        {
            "same": [(8, 3, 3, 3), (8,)],
            "less": [(6, 8, 3, 3), (6,)],
            "grouped": [(6, 4, 2, 2), (6,)],
        },
    ),
    "max poolings": (
        [
            pool("k2s2", "data", "kernel_size: 2 stride: 2"),
            pool("k3s2", "data", "pool: MAX kernel_size: 3 stride: 2"),
            pool("k3s3", "data", "kernel_size: 3 stride: 3"),
            pool("k3s1p1", "data", "kernel_size: 3 stride: 1 pad: 1"),
            pool("k2s2p1", "data", "kernel_size: 2 stride: 2 pad: 1"),
            pool("floor", "data", "kernel_size: 3 stride: 2 round_mode: FLOOR"),
            # OpenCV reads pad_w only beside pad_h, and leaves out a window behind the map only
            # along an axis that has a pad of its own.
            pool(
                "uneven",
                "data",
                "kernel_h: 2 kernel_w: 3 stride_h: 1 stride_w: 2 pad_h: 0 pad_w: 1",
            ),
            pool("global", "data", "global_pooling: true"),
        ],
        {},
    ),
    "average poolings": (
        [
            pool("k2s2", "data", "pool: AVE kernel_size: 2 stride: 2"),
            pool("k3s2", "data", "pool: AVE kernel_size: 3 stride: 2"),
            pool("k5s3", "data", "pool: AVE kernel_size: 5 stride: 3"),
            pool("k3s1p1", "data", "pool: AVE kernel_size: 3 stride: 1 pad: 1"),
            pool("k3s2p1", "data", "pool: AVE kernel_size: 3 stride: 2 pad: 1"),
            pool("floor", "data", "pool: AVE kernel_size: 3 stride: 2 round_mode: FLOOR"),
            pool("global", "data", "pool: AVE global_pooling: true"),
        ],
        {},
    ),
    "inner products": (
        [
            layer("fc1", "InnerProduct", "data", inner_product="num_output: 7"),
            layer("relu1", "ReLU", "fc1", "fc1"),
            layer("drop1", "Dropout", "fc1", "fc1", dropout="dropout_ratio: 0.7"),
            layer("fc2", "InnerProduct", "fc1", inner_product="num_output: 5 bias_term: false"),
            layer("prob", "Softmax", "fc2"),
        ],
        {"fc1": [(7, 3 * 13 * 11), (7,)], "fc2": [(5, 7)]},
    ),
    "pointwise": (
        [
            conv("a", "data", "num_output: 6 kernel_size: 3"),
            layer("relu", "ReLU", "a"),
            layer("leaky", "ReLU", "a", relu="negative_slope: 0.1"),
            layer("prelu", "PReLU", "a"),
            layer("shared", "PReLU", "a", prelu="channel_shared: true"),
            layer("sigmoid", "Sigmoid", "a"),
            layer("tanh", "TanH", "a"),
            layer("softmax", "Softmax", "a"),
            layer("softmax_rows", "Softmax", "a", softmax="axis: 2"),
            layer("linear", "Power", "a", power="scale: 0.3 shift: 2"),
            layer("square", "Power", "a", power="power: 2 scale: 0.3 shift: 1"),
            layer("root", "Power", "sigmoid", power="power: 0.5 shift: 0.1"),
            layer("norm", "BatchNorm", "a", batch_norm="eps: 0.01"),
            layer("scale", "Scale", "norm"),
            layer("scale_bias", "Scale", "norm", scale="bias_term: true"),
        ],
        {
            "a": [(6, 3, 3, 3), (6,)],
            "prelu": [(6,)],
            "shared": [(1,)],
            "norm": [(6,), (6,), (1,)],
            "scale": [(6,)],
            "scale_bias": [(6,), (6,)],
        },
    ),
    "of vectors": (
        [
            layer("a", "InnerProduct", "data", inner_product="num_output: 6"),
            layer("prelu", "PReLU", "a"),
            layer("norm", "BatchNorm", "prelu"),
            layer("scale", "Scale", "norm", scale="bias_term: true"),
            layer("flat", "Flatten", "scale"),
            layer("left right", "Slice", "flat", "left right"),
            layer("concat", "Concat", "right left"),
        ],
        {
            "a": [(6, 3 * 13 * 11), (6,)],
            "prelu": [(6,)],
            "norm": [(6,), (6,), (1,)],
            "scale": [(6,), (6,)],
        },
    ),
    "branches": (
        [
            conv("a", "data", "num_output: 6 kernel_size: 3 pad: 1"),
            layer("split", "Split", "a", "b c"),
            conv("d", "b", "num_output: 6 kernel_size: 1"),
            layer("channels", "Concat", "c d data"),
            layer("rows", "Concat", "c d", concat="axis: 2"),
            layer("columns", "Concat", "c d", concat="concat_dim: 3"),
            layer("parts", "Slice", "channels", "e f g", slice="slice_point: 2 slice_point: 7"),
            layer("thirds", "Slice", "channels", "h i j"),
            layer("upper", "Slice", "c", "k l", slice="axis: 2 slice_point: 4"),
            layer("joined", "Concat", "g e j i h"),
        ],
        {"a": [(6, 3, 3, 3), (6,)], "d": [(6, 6, 1, 1), (6,)]},
    ),
    "elementwise": (
        [
            conv("a", "data", "num_output: 6 kernel_size: 3"),
            conv("b", "data", "num_output: 6 kernel_size: 3"),
            _eltwise("sum", ""),
            _eltwise("product", "operation: PROD"),
            _eltwise("largest", "operation: MAX"),
            _eltwise("difference", "coeff: 1 coeff: -1"),
            _eltwise("weighted", "operation: SUM coeff: 0.5 coeff: 2"),
        ],
        {"a": [(6, 3, 3, 3), (6,)], "b": [(6, 3, 3, 3), (6,)]},
    ),
    "shapes": (
        [
            conv("a", "data", "num_output: 4 kernel_size: 2"),
            layer("flat", "Flatten", "a"),
            layer("planes", "Flatten", "a", flatten="axis: 2"),
            layer("vector", "Reshape", "a", reshape="shape { dim: 0 dim: -1 }"),
            layer("map", "Reshape", "vector", reshape="shape { dim: 0 dim: 6 dim: 8 dim: -1 }"),
            layer("sides", "Reshape", "a", reshape="shape { dim: 0 dim: 0 dim: -1 dim: 5 }"),
            pool("pool", "map", "kernel_size: 3 stride: 2"),
            layer("fc", "InnerProduct", "pool", inner_product="num_output: 3"),
            layer("fc_flat", "InnerProduct", "flat", inner_product="num_output: 3"),
        ],
        {"a": [(4, 3, 2, 2), (4,)], "fc": [(3, 6 * 4 * 5), (3,)], "fc_flat": [(3, 480), (3,)]},
    ),
    "normalizations": (
        [
            conv("a", "data", "num_output: 8 kernel_size: 3"),
            layer("default", "LRN", "a"),
            layer("cnn_s", "LRN", "a", lrn="local_size: 5 alpha: 0.05 beta: 0.75 k: 2"),
            layer("narrow", "LRN", "a", lrn="local_size: 3 alpha: 0.7 beta: 0.6"),
            layer("wide", "LRN", "a", lrn="local_size: 21 alpha: 0.7"),
            layer("within", "LRN", "a", lrn="alpha: 2 k: 3 norm_region: WITHIN_CHANNEL"),
        ],
        {"a": [(8, 3, 3, 3), (8,)]},
    ),
    "inception": (
        [
            conv("conv1/7x7_s2", "data", "num_output: 8 kernel_size: 7 pad: 3"),
            layer("conv1/relu", "ReLU", "conv1/7x7_s2", "conv1/7x7_s2"),
            layer("conv1/norm", "LRN", "conv1/7x7_s2", lrn="alpha: 0.1"),
            conv("in/1x1", "conv1/norm", "num_output: 4 kernel_size: 1"),
            conv("in/3x3", "conv1/norm", "num_output: 4 kernel_size: 3 pad: 1"),
            layer("in/pool", "Pooling", "conv1/norm", pooling="kernel_size: 3 stride: 1 pad: 1"),
            layer("in/output", "Concat", "in/1x1 in/3x3 in/pool"),
            layer(
                "pool 5", "Pooling", "in/output", "pool5", pooling="pool: AVE global_pooling: true"
            ),
            layer("_fc:1", "InnerProduct", "pool5", inner_product="num_output: 3"),
        ],
        {
            "conv1__7x7_s2": [(8, 3, 7, 7), (8,)],
            "in__1x1": [(4, 8, 1, 1), (4,)],
            "in__3x3": [(4, 8, 3, 3), (4,)],
            "_fc:1": [(3, 16), (3,)],
        },
    ),
}


def _outputs(model: keras.Model, pixels) -> dict[str, np.ndarray]:
    """Runs every layer of a model."""
    layers = model.layers[1:]
    values = keras.Model(model.input, [x.output for x in layers])(pixels, training=False)
    return {x.name: y for x, y in zip(layers, values, strict=True)}


def _blobs(shapes) -> dict[str, list[np.ndarray]]:
    blobs = numbers(**shapes)
    if "norm" in blobs:
        # Variances, and how many of them were summed up.
        mean, variance, _ = blobs["norm"]
        blobs["norm"] = [mean, np.abs(variance) + 0.5, np.float32([1.7])]
    return blobs


def _translated(*layers: str, top: bool = True, **kwargs) -> keras.Model:
    return layers_to_keras.translated(deploy(*layers, **kwargs), name="net", top=top)


class TranslatingTest(parameterized.TestCase, tf.test.TestCase):
    @parameterized.named_parameters(
        *((name, name, (13, 11)) for name in _NETS),
        ("max poolings of even sides", "max poolings", (12, 10)),
        ("average poolings of even sides", "average poolings", (12, 10)),
    )
    def test_every_layer_computes_what_it_does_in_opencv(self, name, size):
        layers, shapes = _NETS[name]
        net, blobs, pixels = deploy(*layers, size=size), _blobs(shapes), image(size)
        model = layers_to_keras.translated(net, name="net")
        fill_weights.fill(model, blobs, "net.caffemodel")
        mine, theirs = _outputs(model, pixels), opencv(net, blobs, pixels)
        compared = 0
        for message in net.layer[1:]:
            for top, values in zip(message.top, theirs[message.name], strict=False):
                path = legal(message.name)
                path = f"{path}--{legal(top)}" if message.type == "Slice" else path
                self.assertLess(deviation(mine[path], ours(values)), _ALIKE, path)
                compared += 1
        self.assertGreaterEqual(compared, len(layers))

    def test_a_net_of_maps_takes_pictures_of_any_size(self):
        layers, shapes = _NETS["normalizations"]
        blobs = _blobs(shapes)
        model = _translated(*layers)
        fill_weights.fill(model, blobs, "net.caffemodel")
        self.assertEqual(model.input.shape, (None, None, None, 3))
        size = (9, 17)
        theirs = opencv(deploy(*layers, size=size), blobs, image(size))
        self.assertLess(
            deviation(_outputs(model, image(size))["cnn_s"], ours(*theirs["cnn_s"])), _ALIKE
        )

    def test_only_a_vector_of_a_map_fixes_the_size(self):
        fc = layer("fc", "InnerProduct", "pool", inner_product="num_output: 4")
        whole = _translated(pool("pool", "data", "global_pooling: true"), fc)
        part = _translated(pool("pool", "data", "kernel_size: 3"), fc)
        flat = _translated(layer("flat", "Flatten", "data"))
        self.assertEqual(whole.input.shape, (None, None, None, 3))
        self.assertEqual(part.input.shape, (None, 13, 11, 3))
        self.assertEqual(flat.input.shape, (None, 13, 11, 3))

    def test_without_the_top_nothing_hangs_on_an_inner_product(self):
        layers = [
            conv("conv", "data", "num_output: 4 kernel_size: 3"),
            layer("relu", "ReLU", "conv", "conv"),
            layer("flat", "Flatten", "conv"),
            layer("fc", "InnerProduct", "flat", inner_product="num_output: 4"),
            layer("drop", "Dropout", "fc", "fc"),
            layer("prob", "Softmax", "fc"),
        ]
        model = _translated(*layers, top=False)
        self.assertEqual([x.name for x in model.layers], ["data", "conv", "relu"])
        self.assertEqual(model.output.shape, (None, None, None, 4))
        self.assertEqual(_translated(*layers).output.shape, (None, 4))

    def test_the_last_loose_blob_is_the_output_and_the_others_stay(self):
        model = _translated(
            conv("a", "data", "num_output: 4 kernel_size: 3"),
            layer("twice", "Split", "a", "b c"),
            layer("left", "Sigmoid", "b"),
            layer("loose", "TanH", "c"),
            layer("prob", "Softmax", "b"),
        )
        produced = [x._keras_history.operation.name for x in model.outputs]
        self.assertEqual(produced, ["prob", "left", "loose"])
        wrapped = network.wrap(model)
        self.assertEqual(wrapped.graph.output, "prob")
        self.assertIn("loose", wrapped.paths)
        taps = wrapped.taps(["left", "loose", "prob"])
        outputs = taps(tf.constant(image()))
        self.assertAllClose(outputs["left"], _outputs(model, image())["left"], atol=1e-6)

    def test_names_that_keras_refuses_are_changed_as_little_as_possible(self):
        self.assertEqual(legal("inception_3a/3x3_reduce"), "inception_3a--3x3_reduce")
        self.assertEqual(legal("conv1.2-a"), "conv1.2-a")
        self.assertEqual(legal("pool 5"), "pool-5")
        self.assertEqual(legal("_fc:1"), "layer_fc-1")

    def test_a_helper_makes_way_for_a_layer_of_its_name(self):
        model = _translated(
            conv("a", "data", "num_output: 4 kernel_size: 3 stride: 2 pad: 1"),
            layer("a_pad", "ReLU", "a"),
        )
        self.assertEqual([x.name for x in model.layers], ["data", "a_pad_", "a", "a_pad"])

    def test_the_padding_that_is_fast_is_taken_where_it_is_the_same(self):
        model = _translated(
            conv("a", "data", "num_output: 4 kernel_size: 3 pad: 1"),
            conv("b", "a", "num_output: 4 kernel_size: 1"),
            conv("c", "b", "num_output: 4 kernel_size: 3 pad: 1 stride: 2"),
        )
        paddings = {x.name: getattr(x, "padding", "") for x in model.layers[1:]}
        self.assertEqual(
            paddings, {"a": "same", "b": "same", "c_pad": ((1, 1), (1, 1)), "c": "valid"}
        )

    def test_the_input_may_be_written_in_three_ways(self):
        shape = "shape { dim: [1, 5, 7, 9] }"
        for text in (
            'input: "data" input_dim: 1 input_dim: 5 input_dim: 7 input_dim: 9',
            f'input: "data" input_{shape}',
            f'layer {{ name: "in" type: "Input" top: "data" input_param {{ {shape} }} }}',
        ):
            text += "\n" + layer("flat", "Flatten", "data")
            model = layers_to_keras.translated(prototxt.parsed(text, "n.prototxt").net, name="n")
            self.assertEqual(model.input.shape, (None, 7, 9, 5))

    def test_layers_for_training_are_left_out(self):
        text = str(
            deploy(
                layer("a", "ReLU", "data"),
                layer("loss", "SoftmaxWithLoss", "a data"),
                layer("test", "TanH", "a"),
            )
        ).replace('"SoftmaxWithLoss"', '"SoftmaxWithLoss" include { phase: TRAIN }')
        model = layers_to_keras.translated(prototxt.parsed(text, "n.prototxt").net, name="n")
        self.assertEqual([x.name for x in model.layers], ["data", "a", "test"])

    def test_a_model_survives_being_saved(self):
        for name in ("pointwise", "branches", "shapes", "normalizations", "groups"):
            layers, shapes = _NETS[name]
            model = _translated(*layers)
            fill_weights.fill(model, _blobs(shapes), "net.caffemodel")
            path = self.create_tempdir().full_path + "/model.keras"
            model.save(path)
            again = keras.models.load_model(path)
            for mine, theirs in zip(model(image()), again(image()), strict=True):
                self.assertAllEqual(mine, theirs)


if __name__ == "__main__":
    tf.test.main()
