"""A Caffe model's numbers in Keras: where each goes, and what does not fit."""

import keras
import numpy as np
import tensorflow as tf
from absl.testing import parameterized

from tests.caffe_nets import deploy, deviation, image, layer, numbers, opencv
from tfvis.errors import InputError
from tfvis.networks.caffe import fill_weights
from tfvis.networks.caffe.to_keras import layers_to_keras


def _conv(fields: str = "") -> str:
    return layer(
        "conv", "Convolution", "data", convolution=f"num_output: 4 kernel_size: [2, 3] {fields}"
    )


def _fc(fields: str = "") -> str:
    return layer("fc", "InnerProduct", "data", inner_product=f"num_output: 5 {fields}")


def _model(*layers: str, **kwargs) -> keras.Model:
    return layers_to_keras.translated(deploy(*layers, **kwargs), name="net")


class FillingTest(parameterized.TestCase, tf.test.TestCase):
    def test_kernels_keep_their_direction(self):
        model = _model(_conv("group: 2"), channels=6)
        kernel = np.arange(4 * 3 * 2 * 3, dtype="f4").reshape(4, 3, 2, 3)
        fill_weights.fill(model, {"conv": [kernel, np.arange(4.0)]}, "x.caffemodel")
        found = model.get_layer("conv").kernel.numpy()
        self.assertEqual(found.shape, (2, 3, 3, 4))
        for out, of, row, column in np.ndindex(4, 3, 2, 3):
            self.assertEqual(found[row, column, of, out], kernel[out, of, row, column])
        self.assertAllEqual(model.get_layer("conv").bias, np.arange(4.0))

    @parameterized.parameters("", "transpose: true")
    def test_a_matrix_meets_a_map_channel_by_channel(self, fields):
        size = (3, 2)
        weights = numbers(fc=[(5, 18), (5,)])["fc"]
        wanted = image(size).transpose(0, 3, 1, 2).reshape(1, 18) @ weights[0].T + weights[1]
        if fields:
            weights[0] = np.ascontiguousarray(weights[0].T)
        model = _model(_fc(fields), size=size)
        fill_weights.fill(model, {"fc": weights}, "x.caffemodel")
        self.assertAllClose(model(image(size)), wanted, rtol=1e-5)

    def test_a_square_matrix_is_turned_only_if_the_net_says_so(self):
        size, (matrix, bias) = (1, 1), numbers(fc=[(5, 5), (5,)])["fc"]
        for fields, turned in (("", matrix), ("transpose: true", matrix.T)):
            model = _model(_fc(fields), size=size, channels=5)
            fill_weights.fill(model, {"fc": [matrix, bias]}, "x.caffemodel")
            x = image(size, 5)
            self.assertAllClose(model(x), x[:, 0, 0] @ turned.T + bias, rtol=1e-5)

    def test_old_shapes_have_four_sides(self):
        net = [_conv(), layer("fc", "InnerProduct", "conv", inner_product="num_output: 5")]
        blobs = numbers(conv=[(4, 3, 2, 3), (4,)], fc=[(5, 4 * 12 * 9), (5,)])
        new, old = _model(*net), _model(*net)
        fill_weights.fill(new, blobs, "x.caffemodel")
        legacy = {
            "conv": [blobs["conv"][0], blobs["conv"][1].reshape(1, 1, 1, 4)],
            "fc": [blobs["fc"][0].reshape(1, 1, 5, -1), blobs["fc"][1].reshape(1, 1, 1, 5)],
        }
        fill_weights.fill(old, legacy, "x.caffemodel")
        for mine, theirs in zip(new.weights, old.weights, strict=True):
            self.assertAllEqual(mine, theirs)
        theirs = opencv(deploy(*net), legacy, image())["fc"][0]
        self.assertLess(deviation(new(image()), theirs), 1e-4)

    @parameterized.parameters(0.0, 1.0, 999.98)
    def test_statistics_are_divided_by_what_was_summed_up(self, factor):
        model = _model(layer("bn", "BatchNorm", "data", batch_norm="eps: 0.5"))
        mean, variance = np.float32([1, -2, 3]), np.float32([4, 5, 6])
        blobs = [mean, variance.reshape(1, 3, 1, 1), np.float32([factor])]
        fill_weights.fill(model, {"bn": blobs}, "x.caffemodel")
        scale = 1 / factor if factor else 0.0
        wanted = (image() - mean * scale) / np.sqrt(variance * scale + 0.5)
        self.assertAllClose(model(image(), training=False), wanted, rtol=1e-5, atol=1e-6)

    def test_slopes_and_scales_go_to_their_channels(self):
        model = _model(
            layer("own", "PReLU", "data"),
            layer("one", "PReLU", "own", prelu="channel_shared: true"),
            layer("scale", "Scale", "one", scale="bias_term: true"),
        )
        own, gamma, beta = np.float32([[0.1, 0.2, 0.3], [1, -2, 3], [4, 5, 6]])
        blobs = {"own": [own], "one": [np.float32(0.5)], "scale": [gamma, beta]}
        fill_weights.fill(model, blobs, "x.caffemodel")
        x = image()
        x = np.where(x > 0, x, own * x)
        x = np.where(x > 0, x, 0.5 * x)
        self.assertAllClose(model(image()), gamma * x + beta, rtol=1e-5)

    def test_what_the_net_does_not_have_is_passed_over(self):
        model = _model(_conv("bias_term: false"))
        kernel = np.ones((4, 3, 2, 3), "f4")
        fill_weights.fill(model, {"loss3/fc": [np.ones(7)], "conv": [kernel]}, "x.caffemodel")
        self.assertAllEqual(model.get_layer("conv").kernel, np.ones((2, 3, 3, 4)))

    def test_a_name_with_a_slash_is_found(self):
        model = _model(layer("a/b", "Scale", "data"))
        fill_weights.fill(model, {"a/b": [np.float32([1, 2, 3])]}, "x.caffemodel")
        self.assertAllEqual(model.get_layer("a--b").gamma, [1, 2, 3])

    @parameterized.named_parameters(
        ("kernel", [(4, 3, 3, 2), (4,)], r"\(4, 3, 2, 3\), \(4,\).*\(4, 3, 3, 2\), \(4,\)"),
        ("channels", [(4, 6, 2, 3), (4,)], r"\(4, 3, 2, 3\).*\(4, 6, 2, 3\)"),
        ("bias", [(4, 3, 2, 3), (5,)], r"\(5,\)"),
        ("a matrix for a bias", [(4, 3, 2, 3), (2, 2)], r"\(2, 2\)"),
        ("no bias", [(4, 3, 2, 3)], r"\(4, 3, 2, 3\), \(4,\).*: \(4, 3, 2, 3\)\."),
        ("too many", [(4, 3, 2, 3), (4,), (1,)], r"\(4,\), \(1,\)"),
    )
    def test_both_shapes_are_named_where_they_differ(self, shapes, message):
        with self.assertRaisesRegex(InputError, f"x.caffemodel: .*layer conv .*{message}"):
            fill_weights.fill(
                _model(_conv()), {"conv": [np.ones(s, "f4") for s in shapes]}, "x.caffemodel"
            )

    @parameterized.parameters(({},), ({"conv1": [np.ones(3)]},), ({"conv": []},))
    def test_a_layer_without_weights_is_named(self, blobs):
        with self.assertRaisesRegex(InputError, "x.caffemodel: has no weights for layer conv"):
            fill_weights.fill(_model(_conv()), blobs, "x.caffemodel")


if __name__ == "__main__":
    tf.test.main()
