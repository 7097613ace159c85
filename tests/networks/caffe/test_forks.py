"""Layers of Caffe's forks by their formulas: what OpenCV lacks, or does in another way."""

import numpy as np
import tensorflow as tf
from absl.testing import parameterized

from tests.caffe_nets import conv, deploy, filled, image, layer, numbers, ours, outputs
from tfvis.networks.caffe import fill_weights
from tfvis.networks.caffe.layer_names import legal
from tfvis.networks.caffe.to_keras import layers_to_keras

_A = conv("a", "data", "num_output: 6 kernel_size: 3")


def _bilinear(length: int) -> np.ndarray:
    """filler.hpp, for one side."""
    half = np.ceil(length / 2)
    return 1 - np.abs(np.arange(length) / half - (length - 1) / (2 * half))


class FormulaTest(parameterized.TestCase, tf.test.TestCase):
    @parameterized.parameters(
        ("DepthwiseConvolution", "group: 6"),
        ("DepthwiseConvolution", ""),
        ("ConvolutionDepthwise", ""),
    )
    def test_depthwise_convolutions_are_those_in_groups(self, kind, group):
        fields = "num_output: 6 kernel_size: 3 pad: 1 "
        named = [_A, layer("x", kind, "a", convolution=fields + group)]
        usual = [_A, conv("x", "a", fields + "group: 6")]
        shapes = {"x": [(6, 1, 3, 3), (6,)]}
        mine, wanted = (outputs(filled(la, shapes)[2], image())["x"] for la in (named, usual))
        self.assertAllEqual(mine, wanted)

    def test_a_dilated_deconvolution_is_one_with_zeros_in_its_kernel(self):
        kernel = numbers(x=[(6, 2, 3, 2)])["x"][0]
        wide = np.zeros((6, 2, 5, 4), "f4")
        wide[:, :, ::2, ::3] = kernel
        fields = "num_output: 4 group: 2 stride: 2 bias_term: false "
        first = numbers(a=[(6, 3, 3, 3), (6,)])
        found = []
        for size, values in (
            ("kernel_h: 3 kernel_w: 2 dilation: [2, 3]", kernel),
            ("kernel_h: 5 kernel_w: 4", wide),
        ):
            layers = [_A, layer("x", "Deconvolution", "a", convolution=fields + size)]
            _, _, model = filled(layers, {}, first | {"x": [values]})
            found.append(outputs(model, image())["x"])
        self.assertAllClose(*found, atol=1e-5)

    def test_a_bilinear_filler_enlarges(self):
        fields = "num_output: 3 group: 3 bias_term: false kernel_size: 4 stride: 2 pad: 1 "
        text = layer("x", "Deconvolution", "data", convolution=fields + "weight_filler { type: "
                     '"bilinear" }')  # fmt: skip
        model = layers_to_keras.translated(deploy(text), name="net")
        side = _bilinear(4)
        kernel = np.broadcast_to(np.outer(side, side)[:, :, None, None], (4, 4, 1, 3))
        self.assertAllClose(model.get_layer("x").kernel, kernel)
        # Of one colour, so is the enlarged map, but for its border.
        enlarged = model(np.full((1, 5, 6, 3), 2.0, "f4"))
        self.assertAllClose(enlarged[:, 1:-1, 1:-1], np.full((1, 8, 10, 3), 2.0))

    @parameterized.product(spatial=["true", "false"], shared=["true", "false"])
    def test_unit_norm(self, spatial, shared):
        fields = f"across_spatial: {spatial} channel_shared: {shared} eps: 0.01"
        shape = () if shared == "true" else (6,)
        layers = [_A, layer("x", "Normalize", "a", norm=fields)]
        _, blobs, model = filled(layers, {"x": [shape]})
        found = outputs(model, image())
        axes = (1, 2, 3) if spatial == "true" else (3,)
        length = np.sqrt(np.square(found["a"]).sum(axes, keepdims=True) + 0.01)
        self.assertAllClose(found["x"], found["a"] / length * blobs["x"][0], rtol=1e-4)

    def test_a_batch_norm_of_the_batch_at_hand(self):
        # As Caffe has it of a batch of one; OpenCV adds eps to the deviation.
        fields = "use_global_stats: false eps: 0.1"
        layers = [_A, layer("x", "BatchNorm", "a", batch_norm=fields)]
        found = outputs(filled(layers, {"x": [(6,), (6,), (1,)]})[2], image())
        a = found["a"]
        wanted = a - a.mean((1, 2), keepdims=True)
        wanted /= np.sqrt(a.var((1, 2), keepdims=True) + 0.1)
        self.assertAllClose(found["x"], wanted, atol=1e-5)

    def test_axpy(self):
        layers = [
            _A,
            layer("mean", "Pooling", "a", pooling="pool: AVE global_pooling: true"),
            layer("other", "TanH", "a"),
            layer("x", "Axpy", "mean a other"),
        ]
        found = outputs(filled(layers, {})[2], image())
        self.assertAllClose(found["x"], found["mean"] * found["a"] + found["other"], atol=1e-5)

    @parameterized.product(variance=[True, False], across=[True, False])
    def test_mean_and_variance(self, variance, across):
        fields = (
            f"normalize_variance: {str(variance).lower()} across_channels: {str(across).lower()}"
        )
        _, _, model = filled([_A, layer("x", "MVN", "a", mvn=fields + " eps: 0.1")], {})
        found = outputs(model, image())
        axes = (1, 2, 3) if across else (1, 2)
        wanted = found["a"] - found["a"].mean(axes, keepdims=True)
        if variance:
            wanted = wanted / (wanted.std(axes, keepdims=True) + 0.1)
        self.assertAllClose(found["x"], wanted, atol=1e-5)

    def test_slopes_below_zero_and_other_curves(self):
        layers = [
            _A,
            layer("bent", "ReLU", "a", relu="negative_slope: -0.5"),
            layer("swish", "Swish", "a", swish="beta: 2"),
            layer("hard", "HardSwish", "a"),
        ]
        found = outputs(filled(layers, {})[2], image())
        a = found["a"]
        self.assertAllClose(found["bent"], np.where(a > 0, a, -0.5 * a))
        self.assertAllClose(found["swish"], a / (1 + np.exp(-2 * a)), atol=1e-6)
        self.assertAllClose(found["hard"], a * np.clip(a + 3, 0, 6) / 6, atol=1e-6)

    def test_nvidias_batch_norm_has_five_blobs(self):
        fields = "scale_bias: true eps: 0.001"
        layers = [_A, layer("norm", "BatchNorm", "a", batch_norm=fields)]
        _, blobs, model = filled(layers, {"norm": [(6,), (6,), (1,), (6,), (6,)]})
        found = outputs(model, image())
        mean, variance, factor, scale, shift = blobs["norm"]
        exact = (found["a"] - mean / factor) / np.sqrt(variance / factor + 0.001)
        self.assertAllClose(found["norm"], exact * scale + shift, atol=1e-5)

    def test_bn_of_segnet_and_of_pspnet(self):
        layers = [
            _A,
            layer("folded", "BN", "a", bn='bn_mode: INFERENCE scale_filler { type: "constant" }'),
            layer("whole", "BN", "a", bn="frozen: true eps: 0.01"),
        ]
        four = [(1, 6, 1, 1)] * 4
        blobs = numbers(a=[(6, 3, 3, 3), (6,)], folded=four[:2], whole=four)
        blobs["whole"][3] = np.abs(blobs["whole"][3]) + 0.5
        found = outputs(filled(layers, {}, blobs)[2], image())
        scale, shift = (b.ravel() for b in blobs["folded"])
        self.assertAllClose(found["folded"], found["a"] * scale + shift, atol=1e-5)
        slope, bias, mean, variance = (b.ravel() for b in blobs["whole"])
        exact = (found["a"] - mean) / np.sqrt(variance + 0.01) * slope + bias
        self.assertAllClose(found["whole"], exact, atol=1e-5)

    def test_scales_and_biases_along_any_axes(self):
        layers = [
            _A,
            layer("rows", "Scale", "a", scale="axis: 2 bias_term: true"),
            layer("map", "Scale", "a", scale="axis: 1 num_axes: -1"),
            layer("one", "Scale", "a", scale="num_axes: 0"),
            layer("sides", "Bias", "a", bias="axis: -2 num_axes: 2"),
            layer("channels", "Bias", "a"),
        ]
        shapes = {"rows": [(11,), (11,)], "map": [(6, 11, 9)], "one": [()], "sides": [(11, 9)]}
        _, blobs, model = filled(layers, shapes | {"channels": [(6,)]})
        found = outputs(model, image())
        planes = found["a"].transpose(0, 3, 1, 2)
        rows = [b[:, None] for b in blobs["rows"]]
        wanted = {
            "rows": planes * rows[0] + rows[1],
            "map": planes * blobs["map"][0],
            "one": planes * blobs["one"][0],
            "sides": planes + blobs["sides"][0],
            "channels": planes + blobs["channels"][0][:, None, None],
        }
        for name, values in wanted.items():
            self.assertAllClose(found[name], ours(values), atol=1e-6, msg=name)

    def test_interp_leaves_out_borders_and_takes_other_sizes(self):
        layers = [
            _A,
            layer("shrunk", "Interp", "a", interp="shrink_factor: 2 pad_beg: -1 pad_end: -1"),
            layer("like", "Interp", "a data"),
        ]
        found = outputs(filled(layers, {})[2], image())
        # Every second of what is left, corner on corner.
        self.assertAllClose(found["shrunk"], found["a"][:, 1:-1:2, 1:-1:2], atol=1e-6)
        rows, columns = (np.linspace(0, n - 1, m) for n, m in ((11, 13), (9, 11)))
        low, left = np.minimum(rows.astype(int), 9), np.minimum(columns.astype(int), 7)
        y, x = (rows - low)[:, None, None], (columns - left)[:, None]
        a = found["a"][0]
        upper = a[low][:, left] * (1 - x) + a[low][:, left + 1] * x
        lower = a[low + 1][:, left] * (1 - x) + a[low + 1][:, left + 1] * x
        self.assertAllClose(found["like"][0], upper * (1 - y) + lower * y, atol=1e-4)

    @parameterized.parameters(((12, 10), "scale: 2"), ((13, 11), "pad_out_h: true pad_out_w: true"),
                              ((13, 11), "upsample_h: 13 upsample_w: 11"))  # fmt: skip
    def test_maxima_go_back_to_where_they_came_from(self, size, fields):
        pooling = "kernel_size: 2 stride: 2"
        layers = [
            layer("relu", "ReLU", "data"),
            layer("pool", "Pooling", "relu", "pool mask", pooling=pooling),
            layer("other", "Power", "pool", power="scale: 3 shift: 1"),
            layer("up", "Upsample", "other mask", upsample=fields),
        ]
        model = layers_to_keras.translated(deploy(*layers, size=size), name="net")
        pixels = image(size)
        found = outputs(model, pixels)
        wanted = np.zeros_like(pixels)
        for row, column, channel in np.ndindex(*found["pool"].shape[1:]):
            # The first of several, as where a ReLU has left only zeros.
            window = np.maximum(
                pixels[0, 2 * row : 2 * row + 2, 2 * column : 2 * column + 2, channel], 0
            )
            y, x = np.unravel_index(window.argmax(), window.shape)
            value = found["other"][0, row, column, channel]
            wanted[0, 2 * row + y, 2 * column + x, channel] = value
        self.assertAllClose(found["up"], wanted)

    def test_a_single_bottom_is_enlarged_by_repetition(self):
        model = filled([_A, layer("x", "Upsample", "a", upsample="scale: 3")], {})[2]
        found = outputs(model, image())
        self.assertAllEqual(found["x"], found["a"].repeat(3, 1).repeat(3, 2))

    def test_layers_with_one_parameter_share_it(self):
        shared = 'param { name: "w" } param { name: "b" }'
        fields = "num_output: 6 kernel_size: 3 pad: 1"
        layers = [
            _A,
            *(
                conv(name, bottom, fields).replace("{ ", "{ " + shared + " ", 1)
                for name, bottom in (("one", "a"), ("two", "one"), ("three", "two"))
            ),
        ]
        model = layers_to_keras.translated(deploy(*layers), name="net")
        kernels = [model.get_layer(name).kernel for name in ("one", "two", "three")]
        # By chance, but by the same chance.
        self.assertAllEqual(kernels[0], kernels[2])
        for names in (("one",), ("two",), ("one", "two", "three")):
            blobs = numbers(a=[(6, 3, 3, 3), (6,)], x=[(6, 6, 3, 3), (6,)])
            wanted = blobs.pop("x")
            fill_weights.fill(model, blobs | dict.fromkeys(names, wanted), "net.caffemodel")
            for name in ("one", "two", "three"):
                kernel, bias = model.get_layer(name).get_weights()
                self.assertAllEqual(kernel.transpose(3, 2, 0, 1), wanted[0])
                self.assertAllEqual(bias, wanted[1])
        self.assertEqual(legal("one"), "one")


if __name__ == "__main__":
    tf.test.main()
