"""Caffe's Deconvolution: the gradient of a convolution, in groups, its margin cut off."""

import keras
import numpy as np
import tensorflow as tf

from tfvis.networks import convolutions

_registered = keras.saving.register_keras_serializable("tfvis")


@_registered
class CaffeDeconvolution2D(keras.layers.Layer):
    """Adds a kernel for each place of a map into a larger one (deconv_layer.cpp).

    Args:
        filters: channels it puts out.
        kernel_size, strides, dilation_rate: (rows, columns).
        margin: Caffe's `pad`, cut off on both ends, (rows, columns).
        groups: of channels that do not see each other.
        use_bias: whether a number is added for each channel.
        bilinear: whether the kernels begin as those of a bilinear interpolation.
    """

    def __init__(
        self, filters, kernel_size, strides=(1, 1), margin=(0, 0), dilation_rate=(1, 1), groups=1,
        use_bias=True, bilinear=False, **kwargs,
    ):  # fmt: skip
        super().__init__(**kwargs)
        self.filters, self.groups = filters, groups
        self.kernel_size, self.strides = tuple(kernel_size), tuple(strides)
        self.margin, self.dilation_rate = tuple(margin), tuple(dilation_rate)
        self.use_bias, self.bilinear = use_bias, bilinear

    def build(self, input_shape):
        """Makes `kernel` [rows, columns, filters / groups, channels] and, perhaps, `bias`."""
        shape = (*self.kernel_size, self.filters // self.groups, input_shape[-1])
        initializer = _bilinear if self.bilinear else "glorot_uniform"
        self.kernel = self.add_weight(name="kernel", shape=shape, initializer=initializer)
        self.bias = (
            self.add_weight(name="bias", shape=(self.filters,), initializer="zeros")
            if self.use_bias
            else None
        )

    def call(self, inputs):
        """[batch, height, width, channels]; see `compute_output_shape`."""
        kernel = convolutions.dilated(tf.cast(self.kernel, inputs.dtype), self.dilation_rate)
        shape, sides = tf.shape(inputs), inputs.shape[1:3]
        dynamic = [s if s is not None else shape[k + 1] for k, s in enumerate(sides)]
        whole = [self._whole(side, axis) for axis, side in enumerate(dynamic)]
        outputs = self._spread(inputs, kernel, shape[0], whole)
        (top, left), (rows, columns) = self.margin, whole
        outputs = outputs[:, top : rows - top, left : columns - left]
        known = self.compute_output_shape(inputs.shape)
        outputs = tf.ensure_shape(outputs, [None, *known[1:]])
        return outputs if self.bias is None else outputs + tf.cast(self.bias, outputs.dtype)

    def _spread(self, inputs, kernel, batch, whole):
        """Returns the sum of all kernels, its margin still there."""
        stride = self.strides[0]
        if self.filters == self.groups == inputs.shape[-1] and self.strides == (stride, stride):
            # A kernel for each channel: at once, where groups would be one run each.
            return tf.nn.depthwise_conv2d_backprop_input(
                tf.stack([batch, *whole, self.filters]),
                tf.transpose(kernel, [0, 1, 3, 2]),
                inputs,
                [1, stride, stride, 1],
                padding="VALID",
            )
        sizes = tf.stack([batch, *whole, self.filters // self.groups])
        parts = zip(
            tf.split(inputs, self.groups, -1), tf.split(kernel, self.groups, -1), strict=True
        )
        return tf.concat(
            [
                tf.nn.conv2d_transpose(part, weights, sizes, list(self.strides), "VALID")
                for part, weights in parts
            ],
            -1,
        )

    def _whole(self, side, axis: int):
        reach = self.dilation_rate[axis] * (self.kernel_size[axis] - 1) + 1
        return (side - 1) * self.strides[axis] + reach

    def compute_output_shape(self, input_shape):
        """[batch, (height - 1) * stride + reach - 2 * margin, likewise, filters]."""
        batch, *sides, _ = input_shape
        found = [
            None if side is None else self._whole(side, axis) - 2 * self.margin[axis]
            for axis, side in enumerate(sides)
        ]
        if any(side is not None and side < 1 for side in found):
            raise ValueError(f"{self.name}: its pad leaves nothing of a map of {tuple(sides)}.")
        return (batch, *found, self.filters)

    def get_config(self):
        """As __init__ takes it."""
        names = (
            "filters", "kernel_size", "strides", "margin", "dilation_rate", "groups", "use_bias",
            "bilinear",
        )  # fmt: skip
        return super().get_config() | {name: getattr(self, name) for name in names}


def _bilinear(shape, dtype=None):
    """Returns Caffe's bilinear filler (filler.hpp), the same for all pairs of channels."""
    sides = []
    for length in shape[:2]:
        half = -(-length // 2)
        centre = (length - 1) / (2 * half)
        sides.append(1 - np.abs(np.arange(length) / half - centre))
    kernel = np.outer(*sides)[:, :, None, None]
    return tf.constant(np.broadcast_to(kernel, shape), dtype)
