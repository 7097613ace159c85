"""What Caffe's layers do that no layer of Keras does; poolings and normalizations apart.

Maps are [batch, height, width, channels] here and [batch, channels, height, width] in Caffe;
all other tensors have the same axes.
"""

import math

import keras
import tensorflow as tf

from tfvis.networks import convolutions

_registered = keras.saving.register_keras_serializable("tfvis")


@_registered
class GroupedConv2D(keras.layers.Conv2D):
    """Keras' convolution in groups, run without its detour through XLA."""

    def convolution_op(self, inputs, kernel):
        """[batch, height, width, in] to [batch, rows, columns, out]."""
        return convolutions.grouped(
            inputs, kernel, self.strides, self.padding.upper(), self.dilation_rate
        )


@_registered
class CaffeReshape(keras.layers.Layer):
    """Reshapes as Caffe would: rows of a map behind one another, channel by channel.

    Args:
        target: shape without the batch, in Caffe's order of axes.
    """

    def __init__(self, target, **kwargs):
        super().__init__(**kwargs)
        self.target = tuple(target)

    def call(self, inputs):
        """[batch, ...] to [batch, ...]."""
        if len(inputs.shape) == 4:
            inputs = tf.transpose(inputs, [0, 3, 1, 2])
        shaped = tf.reshape(inputs, [-1, *self.target])
        return tf.transpose(shaped, [0, 2, 3, 1]) if len(self.target) == 3 else shaped

    def compute_output_shape(self, input_shape):
        """The target, a map's channels last."""
        batch, *sides = input_shape
        if None not in sides and math.prod(sides) != math.prod(self.target):
            raise ValueError(f"Expected {math.prod(self.target)} numbers. Received: {sides}")
        target = self.target
        return (batch, *target[1:], target[0]) if len(target) == 3 else (batch, *target)

    def get_config(self):
        """As __init__ takes it."""
        return super().get_config() | {"target": self.target}


@_registered
class Slice(keras.layers.Layer):
    """Entries begin to end along one axis.

    Args:
        axis: positive, of the tensor as it lies here.
        begin, end: half-open; None for all that is left.
    """

    def __init__(self, axis: int, begin: int, end: int | None, **kwargs):
        super().__init__(**kwargs)
        self.axis, self.begin, self.end = axis, begin, end

    def call(self, inputs):
        """The part of `inputs`."""
        return inputs[(slice(None),) * self.axis + (slice(self.begin, self.end),)]

    def compute_output_shape(self, input_shape):
        """The input's, shorter along the axis."""
        size, end = input_shape[self.axis], self.end
        end = size if end is None else end
        length = None if end is None else end - self.begin
        return (*input_shape[: self.axis], length, *input_shape[self.axis + 1 :])

    def get_config(self):
        """As __init__ takes it."""
        return super().get_config() | {"axis": self.axis, "begin": self.begin, "end": self.end}


@_registered
class WeightedSum(keras.layers.Layer):
    """The sum of inputs of one shape, each times a number that is part of the architecture.

    Args:
        coefficients: one for each input.
    """

    def __init__(self, coefficients, **kwargs):
        super().__init__(**kwargs)
        self.coefficients = tuple(coefficients)

    def call(self, inputs):
        """List of [batch, ...] to [batch, ...]."""
        pairs = zip(self.coefficients, inputs, strict=True)
        return tf.add_n([tf.cast(c, x.dtype) * x for c, x in pairs])

    def compute_output_shape(self, input_shape):
        """That of each input."""
        if len({tuple(shape) for shape in input_shape}) > 1:
            raise ValueError(f"Expected inputs of one shape. Received: {input_shape}")
        return tuple(input_shape[0])

    def get_config(self):
        """As __init__ takes it."""
        return super().get_config() | {"coefficients": self.coefficients}


@_registered
class Power(keras.layers.Layer):
    """(shift + scale * x) ** power; NaN where Caffe's is, a root of a negative number.

    Args:
        power, scale, shift: Caffe's, and its defaults.
    """

    def __init__(self, power: float = 1.0, scale: float = 1.0, shift: float = 0.0, **kwargs):
        super().__init__(**kwargs)
        self.power, self.scale, self.shift = power, scale, shift

    def call(self, inputs):
        """[...] to the same."""
        return tf.pow(self.shift + self.scale * inputs, self.power)

    def compute_output_shape(self, input_shape):
        """The input's."""
        return input_shape

    def get_config(self):
        """As __init__ takes it."""
        mine = {"power": self.power, "scale": self.scale, "shift": self.shift}
        return super().get_config() | mine


@_registered
class ChannelScale(keras.layers.Layer):
    """Caffe's Scale: each channel times a learnt number, plus another.

    Args:
        use_bias: whether there is the other.
    """

    def __init__(self, use_bias: bool = False, **kwargs):
        super().__init__(**kwargs)
        self.use_bias = use_bias

    def build(self, input_shape):
        """Makes `gamma` and, perhaps, `beta`; [channels]."""
        channels = (input_shape[-1],)
        self.gamma = self.add_weight(name="gamma", shape=channels, initializer="ones")
        self.beta = (
            self.add_weight(name="beta", shape=channels, initializer="zeros")
            if self.use_bias
            else None
        )

    def call(self, inputs):
        """[..., channels] to the same."""
        outputs = inputs * tf.cast(self.gamma, inputs.dtype)
        return outputs if self.beta is None else outputs + tf.cast(self.beta, inputs.dtype)

    def compute_output_shape(self, input_shape):
        """The input's."""
        return input_shape

    def get_config(self):
        """As __init__ takes it."""
        return super().get_config() | {"use_bias": self.use_bias}


@_registered
class ShuffleChannels(keras.layers.Layer):
    """ShuffleNet's: the first channel of each group, then the second of each, and so on.

    Args:
        group: how many groups.
    """

    def __init__(self, group: int, **kwargs):
        super().__init__(**kwargs)
        self.group = group

    def call(self, inputs):
        """[batch, height, width, channels] to the same."""
        shape = tf.shape(inputs)
        parts = [self.group, inputs.shape[-1] // self.group]
        split = tf.reshape(inputs, tf.concat([shape[:3], parts], 0))
        return tf.reshape(tf.transpose(split, [0, 1, 2, 4, 3]), shape)

    def compute_output_shape(self, input_shape):
        """The input's."""
        return input_shape

    def get_config(self):
        """As __init__ takes it."""
        return super().get_config() | {"group": self.group}
