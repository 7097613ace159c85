"""What a Caffe network may not ask for: one line tells which layer, and what."""

import tensorflow as tf
from absl.testing import parameterized

from tests.caffe_nets import conv, deploy, layer, pool
from tfvis.errors import InputError
from tfvis.networks.caffe import prototxt
from tfvis.networks.caffe.to_keras import layer_spec, layers_to_keras


class RefusingTest(parameterized.TestCase, tf.test.TestCase):
    @parameterized.named_parameters(
        (
            "type",
            [layer("x", "PriorBox", "data")],
            r"x of type PriorBox \(line 7\) is not supported",
        ),
        ("bottom", [layer("x", "ReLU", "b")], "takes 'b', which no layer before it puts out"),
        ("group", [conv("x", "data", "num_output: 4 kernel_size: 1 group: 2")], "group 2"),
        ("kernel", [conv("x", "data", "num_output: 4")], "kernel_size of 0"),
        ("outputs", [conv("x", "data", "kernel_size: 2")], "0 outputs"),
        ("size", [conv("x", "data", "num_output: 4 kernel_size: 5000")], "5000, at most 4096"),
        ("huge", [conv("x", "data", "num_output: 900000 kernel_size: 99")], "more than a .caffem"),
        ("pad", [pool("x", "data", "kernel_size: 2 pad: 2")], "pad below the kernel"),
        ("random", [pool("x", "data", "pool: STOCHASTIC kernel_size: 2")], "at random"),
        ("even", [layer("x", "LRN", "data", lrn="local_size: 4")], "odd local_size"),
        ("crop", [layer("x", "Crop", "data")], "two bottoms"),
        ("crops", [layer("x", "Crop", "data data", crop="offset: 1")], "declared size.*at least"),
        ("order", [layer("x", "Permute", "data", permute="order: 1")], "axes in the order"),
        ("learning", [layer("x", "BN", "data", bn="bn_mode: LEARN")], "batch at hand"),
        ("gate", [layer("x", "Scale", "data data", scale="axis: 1")], "only 0 is"),
        (
            "mask",
            [pool("x", "data", "kernel_size: 3 stride: 2"), layer("u", "Upsample", "x x")],
            "mask of a pooling",
        ),
        (
            "overlap",
            [layer("x", "Pooling", "data", "x m", pooling="kernel_size: 3 stride: 2")],
            "do not overlap",
        ),
        (
            "wide",
            [
                layer(
                    "x", "DepthwiseConvolution", "data", convolution="num_output: 6 kernel_size: 3"
                )
            ],
            "num_output 6",
        ),
        (
            "trimmed",
            [
                layer(
                    "x", "Deconvolution", "data", convolution="num_output: 1 kernel_size: 2 pad: 9"
                )
            ],
            "leaves nothing",
        ),
        ("window", [conv("x", "data", "num_output: 4 kernel_size: 14")], "declared size"),
        ("pooled", [pool("x", "data", "kernel_size: 15")], "declared size"),
        ("memory", [layer("x", "Upsample", "data", upsample="scale: 4000")], "more than memory"),
        (
            "sharing",
            [
                conv("a", "data", "num_output: 4 kernel_size: 3 } param { name: 'w'"),
                conv("b", "a", "num_output: 4 kernel_size: 3 } param { name: 'w'"),
            ],
            "layer b shares the parameter 'w', which has another shape",
        ),
        ("train", [layer("x", "BatchNorm", "data").replace("{", "{ phase: TRAIN", 1)], "TRAIN"),
        ("axis", [layer("x", "Concat", "data data", concat="axis: 0")], "along axis 0"),
        ("points", [layer("x", "Slice", "data", "a b", slice="slice_point: 3")], "slices 3"),
        ("tops", [layer("x", "ReLU", "data", "a b")], "has 2 tops"),
        ("bottoms", [layer("x", "ReLU", "data data")], "has 2 bottoms"),
        ("shape", [layer("x", "Reshape", "data", reshape="shape { dim: 0 dim: 5 }")], "reshapes"),
        ("twice", [layer("x", "ReLU", "data"), layer("x", "TanH", "data")], "two layers named 'x'"),
        ("alike", [layer("x/1", "ReLU", "data"), layer("x--1", "ReLU", "data")], "two layers"),
        ("nothing", [], "no layers"),
        (
            "scale",
            [layer("x", "Scale", "data", scale="axis: 0")],
            "1 axes from 0 on",
        ),
        (
            "sum",
            [
                pool("a", "data", "kernel_size: 2 stride: 2"),
                conv("b", "data", "num_output: 4 kernel_size: 1"),
                layer("x", "Eltwise", "a b"),
            ],
            "shapes that differ",
        ),
        (
            "slope",
            [layer("x", "ReLU", "data", relu="negative_slope: nan")],
            "not finite: negative_slope",
        ),
        (
            "sums",
            [layer("x", "Eltwise", "data data", eltwise="coeff: [1, inf]")],
            "not finite: coeff",
        ),
        (
            "small",
            [
                conv("a", "data", "num_output: 4 kernel_size: 12"),
                layer("x", "InnerProduct", "a", inner_product="num_output: 4"),
            ],
            "a of type Convolution",
        ),
    )
    def test_one_line_tells_which_layer_and_what(self, layers, message):
        with self.assertRaisesRegex(InputError, message) as caught:
            layers_to_keras.translated(deploy(*layers), name="my.prototxt", lines={"x": 7})
        self.assertTrue(str(caught.exception).startswith("my.prototxt: "))
        self.assertNotIn("\n", str(caught.exception))

    @parameterized.parameters(
        ("", "has 0 inputs"),
        ('input: "a" input_shape { dim: 3 }', "channels, height, width"),
        ('input: "a" input_shape { dim: [1, 3, 0, 9] }', "channels, height, width"),
        ('input: "a" input_shape { dim: [1, 3, 9, 99999] }', "at most 4096"),
        (
            'input: "a" input: "b" input_shape { dim: [1, 3, 9, 9] } '
            "input_shape { dim: [1, 3, 9, 9] }",
            "has 2 inputs",
        ),
    )
    def test_a_net_has_one_input_of_pictures(self, text, message):
        net = prototxt.parsed(f"{text}\n" + layer("relu", "ReLU", "a"), "n.prototxt").net
        with self.assertRaisesRegex(InputError, f"^n.prototxt: .*{message}"):
            layers_to_keras.translated(net, name="net", label="n.prototxt")

    def test_weights_are_counted_before_memory_is_spent(self):
        # Alone it would fit into a file, and take two gigabytes.
        most = layer_spec.MOST_WEIGHTS // (13 * 11 * 3)
        net = deploy(
            layer("small", "InnerProduct", "data", inner_product="num_output: 2"),
            layer("large", "InnerProduct", "data", inner_product=f"num_output: {most}"),
        )
        with self.assertRaisesRegex(InputError, "layer large .*brings the weights to 53687"):
            layers_to_keras.translated(net, name="net")


if __name__ == "__main__":
    tf.test.main()
