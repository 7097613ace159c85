"""A border of a map that repeats its edge, mirrors at it or goes around, as a layer."""

import keras
import tensorflow as tf


class Padding(keras.layers.Layer):
    """Adds a border to [batch, height, width, channels].

    Args:
        mode: "replicate", "circular" or "reflect", which leaves the edge itself out, as NumPy does.
        margins: ((above, below), (left, right)), pixels.
    """

    def __init__(self, mode: str, margins, **kwargs):
        super().__init__(trainable=False, **kwargs)
        self.mode, self.padding = mode, tuple(margins)

    def compute_output_shape(self, input_shape):
        """[batch, height + above + below, width + left + right, channels]."""
        batch, height, width, channels = input_shape
        (above, below), (left, right) = self.padding
        return (
            batch,
            None if height is None else height + above + below,
            None if width is None else width + left + right,
            channels,
        )

    def call(self, x):
        """See `compute_output_shape`."""
        if self.mode == "reflect":
            return tf.pad(x, [(0, 0), *self.padding, (0, 0)], "REFLECT")
        for axis, (before, after) in zip((1, 2), self.padding, strict=True):
            if self.mode == "circular":
                head, tail = _part(x, axis, -before, None), _part(x, axis, 0, after)
            else:
                # One by one: a gather's gradient is a slow scatter.
                head = tf.concat([_part(x, axis, 0, 1)] * before, axis) if before else None
                tail = tf.concat([_part(x, axis, -1, None)] * after, axis) if after else None
            parts = [head if before else None, x, tail if after else None]
            x = tf.concat([part for part in parts if part is not None], axis)
        return x


def _part(x, axis, begin, end):
    return x[:, begin:end] if axis == 1 else x[:, :, begin:end]
