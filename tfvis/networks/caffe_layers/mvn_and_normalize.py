"""Layers of Caffe that take mean, variance or length out of a picture's own activations."""

import keras
import tensorflow as tf

_registered = keras.saving.register_keras_serializable("tfvis")


class _InFloat32(keras.layers.Layer):
    """A layer whose sums are float32 whatever the policy; its output is as large as its input."""

    def compute_output_shape(self, input_shape):
        """The input's."""
        return input_shape


@_registered
class PictureNormalization(_InFloat32):
    """(x - mean) / deviation, of each picture by itself, as Caffe's MVN.

    Also what a BatchNorm of the batch at hand makes of a batch of one (`batch_norm_layer.cpp`
    with use_global_stats false).

    Args:
        epsilon: added to the variance, or, `outside`, to the deviation.
        variance: whether to divide at all.
        across_channels: whether all channels have one mean and deviation.
        outside: see `epsilon`.
    """

    def __init__(self, epsilon=1e-5, variance=True, across_channels=False, outside=False, **kwargs):
        super().__init__(**kwargs)
        self.epsilon, self.variance = epsilon, variance
        self.across_channels, self.outside = across_channels, outside

    def call(self, inputs):
        """[batch, height, width, channels] to the same."""
        x = tf.cast(inputs, tf.float32)
        axes = [1, 2, 3] if self.across_channels else [1, 2]
        mean, variance = tf.nn.moments(x, axes, keepdims=True)
        x = x - mean
        if self.variance and self.outside:
            x = x / (tf.sqrt(variance) + self.epsilon)
        elif self.variance:
            x = x * tf.math.rsqrt(variance + self.epsilon)
        return tf.cast(x, inputs.dtype)

    def get_config(self):
        """As __init__ takes it."""
        return super().get_config() | {
            "epsilon": self.epsilon,
            "variance": self.variance,
            "across_channels": self.across_channels,
            "outside": self.outside,
        }


@_registered
class UnitNorm(_InFloat32):
    """x over its length, times a learnt number: SSD's and ParseNet's Normalize.

    Args:
        epsilon: added to the sum of squares.
        across_spatial: whether the length is of a whole map; else of each place's channels.
        channel_shared: whether there is one number, not one for each channel.
        scale: what the number begins with.
    """

    def __init__(
        self, epsilon=1e-10, across_spatial=True, channel_shared=True, scale=1.0, **kwargs
    ):
        super().__init__(**kwargs)
        self.epsilon, self.across_spatial = epsilon, across_spatial
        self.channel_shared, self.scale = channel_shared, scale

    def build(self, input_shape):
        """Makes `gamma`; [1] or [channels]."""
        self.gamma = self.add_weight(
            name="gamma",
            shape=(1 if self.channel_shared else input_shape[-1],),
            initializer=keras.initializers.Constant(self.scale),
        )

    def call(self, inputs):
        """[batch, height, width, channels] to the same."""
        x = tf.cast(inputs, tf.float32)
        axes = [1, 2, 3] if self.across_spatial else [3]
        squares = tf.reduce_sum(tf.square(x), axes, keepdims=True)
        x = x * tf.math.rsqrt(squares + self.epsilon) * tf.cast(self.gamma, tf.float32)
        return tf.cast(x, inputs.dtype)

    def get_config(self):
        """As __init__ takes it."""
        return super().get_config() | {
            "epsilon": self.epsilon,
            "across_spatial": self.across_spatial,
            "channel_shared": self.channel_shared,
            "scale": self.scale,
        }
