"""Layers with a number for each channel, where channels do not lie last or depend on sizes."""

import numpy as np
import tensorflow as tf
from absl.testing import parameterized

from tests.caffe_nets import conv, filled, image, layer, ours, outputs

_A = conv("a", "data", "num_output: 6 kernel_size: 3")
# The map's rows behind one another; each channel stays on axis 1.
_LINES = layer("lines", "Reshape", "a", reshape="shape { dim: 0 dim: 0 dim: -1 }")
# Rows where channels were: how many depends on the picture.
_TURNED = layer("turned", "Permute", "a", permute="order: 0 order: 2 order: 1 order: 3")


def _column(values: np.ndarray) -> np.ndarray:
    return values[:, None]


class ChannelAxisTest(parameterized.TestCase, tf.test.TestCase):
    def test_without_rows_and_columns_channels_are_the_first_axis(self):
        layers = [
            _A,
            _LINES,
            layer("norm", "BatchNorm", "lines", batch_norm="eps: 0.001"),
            layer("scaled", "Scale", "lines", scale="bias_term: true"),
            layer("along", "Scale", "lines", scale="axis: 2"),
            layer("folded", "BN", "lines", bn="bn_mode: INFERENCE"),
            layer("bent", "PReLU", "lines"),
            layer("shared", "PReLU", "lines", prelu="channel_shared: true"),
        ]
        shapes = {
            "norm": [(6,), (6,), (1,)],
            "scaled": [(6,), (6,)],
            "along": [(99,)],
            "folded": [(6,), (6,)],
            "bent": [(6,)],
            "shared": [()],
        }
        _, blobs, model = filled(layers, shapes)
        found = outputs(model, image())
        x = found["lines"]
        mean, variance, factor = blobs["norm"]
        exact = (x - _column(mean / factor)) / np.sqrt(_column(variance / factor) + 0.001)
        self.assertAllClose(found["norm"], exact, atol=1e-5)
        for name in ("scaled", "folded"):
            factor, summand = map(_column, blobs[name])
            self.assertAllClose(found[name], x * factor + summand, atol=1e-5)
        self.assertAllClose(found["along"], x * blobs["along"][0], atol=1e-5)
        for name, slope in (("bent", _column(blobs["bent"][0])), ("shared", blobs["shared"][0])):
            self.assertAllClose(found[name], np.where(x > 0, x, slope * x), atol=1e-5)

    @parameterized.named_parameters(
        ("Convolution", {"convolution": "num_output: 4 kernel_size: 1"}, [(4, 11, 1, 1), (4,)]),
        ("Deconvolution", {"convolution": "num_output: 4 kernel_size: 1"}, [(11, 4, 1, 1), (4,)]),
        ("DepthwiseConvolution", {"convolution": "num_output: 11 kernel_size: 1"},
         [(11, 1, 1, 1), (11,)]),
        ("BatchNorm", {}, [(11,), (11,), (1,)]),
        ("Scale", {}, [(11,)]),
        ("BN", {"bn": "bn_mode: INFERENCE"}, [(11,), (11,)]),
        ("PReLU", {}, [(11,)]),
        ("LRN", {}, []),
        ("Normalize", {"norm": "channel_shared: false"}, [(11,)]),
        ("ShuffleChannel", {"shuffle_channel": "group: 11"}, []),
    )  # fmt: skip
    def test_as_many_channels_as_a_picture_has_rows_fix_its_size(self, fields, shapes):
        kind = self._testMethodName.removeprefix(
            "test_as_many_channels_as_a_picture_has_rows_fix_its_size_"
        )
        # `filled` has no variances below 0 under this name.
        name = "norm" if kind == "BatchNorm" else "x"
        layers = [_A, _TURNED, layer(name, kind, "turned", **fields)]
        _, _, model = filled(layers, {name: shapes} if shapes else {})
        self.assertEqual(model.input.shape, (None, 13, 11, 3))
        found = outputs(model, image())
        self.assertAllClose(found["turned"], ours(found["a"].transpose(0, 1, 3, 2)))
        self.assertAllEqual(np.isfinite(found[name]), np.ones(found[name].shape, bool))


if __name__ == "__main__":
    tf.test.main()
