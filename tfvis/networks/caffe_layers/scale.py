"""Caffe's products and sums of a map with something smaller: Scale, Bias, SENet's Axpy."""

import keras
import tensorflow as tf

_registered = keras.saving.register_keras_serializable("tfvis")


@_registered
class Affine(keras.layers.Layer):
    """Times a learnt tensor, plus another, that cover some axes of each picture.

    Args:
        covered: for each axis behind the batch, as it lies here, whether the tensors have it.
        scale: whether there is a factor.
        bias: whether there is a summand.
    """

    def __init__(self, covered, scale: bool = True, bias: bool = False, **kwargs):
        super().__init__(**kwargs)
        self.covered, self.scale, self.bias = tuple(covered), scale, bias

    def build(self, input_shape):
        """Makes `gamma` and `beta`, as far as asked for; sides of 1 where not covered."""
        pairs = zip(input_shape[1:], self.covered, strict=True)
        shape = tuple(side if covered else 1 for side, covered in pairs)
        make = self.add_weight
        self.gamma = make(name="gamma", shape=shape, initializer="ones") if self.scale else None
        self.beta = make(name="beta", shape=shape, initializer="zeros") if self.bias else None

    def call(self, inputs):
        """[batch, ...] to the same."""
        x = inputs
        if self.gamma is not None:
            x = x * tf.cast(self.gamma, x.dtype)
        return x if self.beta is None else x + tf.cast(self.beta, x.dtype)

    def compute_output_shape(self, input_shape):
        """The input's."""
        return input_shape

    def get_config(self):
        """As __init__ takes it."""
        mine = {"covered": self.covered, "scale": self.scale, "bias": self.bias}
        return super().get_config() | mine


class _Broadcast(keras.layers.Layer):
    """Of a map and a tensor that has its first axes, in Caffe's order."""

    def compute_output_shape(self, input_shape):
        """The map's."""
        return tuple(input_shape[0])

    def _fitted(self, x, other):
        """Returns `other` with the axes of `x`."""
        rank, missing = len(other.shape), len(x.shape) - len(other.shape)
        if missing == 0:
            return other
        other = tf.reshape(other, tf.concat([tf.shape(other), [1] * missing], 0))
        # Of a map, the channels go last; of what is smaller than one, they are second.
        return tf.transpose(other, [0, 2, 3, 1]) if len(x.shape) == 4 > rank else other


@_registered
class ScaledBy(_Broadcast):
    """A map times the second input: Scale with two bottoms."""

    def call(self, inputs):
        """[[batch, ...], [batch, its first axes]] to the first's shape."""
        x, factor = inputs
        return x * self._fitted(x, factor)


@_registered
class ShiftedBy(_Broadcast):
    """A map plus the second input: Bias with two bottoms."""

    def call(self, inputs):
        """[[batch, ...], [batch, its first axes]] to the first's shape."""
        x, summand = inputs
        return x + self._fitted(x, summand)


@_registered
class Axpy(keras.layers.Layer):
    """a x + y, a of one number for each channel (hujie-frank/SENet, axpy_layer.cpp)."""

    def call(self, inputs):
        """[[batch, 1, 1, channels] or [batch, channels], maps x, y] to a map."""
        factor, x, y = inputs
        factor = factor if len(factor.shape) == 4 else factor[:, None, None, :]
        return factor * x + y

    def compute_output_shape(self, input_shape):
        """That of x."""
        return tuple(input_shape[1])
