"""Local response normalization, as Caffe's `lrn_layer.cpp` has it.

Caffe divides alpha by the size of the neighbourhood; most other frameworks do not.
"""

import keras
import numpy as np
import tensorflow as tf

_registered = keras.saving.register_keras_serializable("tfvis")


class _LocalResponse(keras.layers.Layer):
    """x / (k + alpha / n * sum of the n neighbours' squares) ** beta.

    In float32 whatever the policy: of large activations, bfloat16 keeps no such sum.
    """

    def __init__(self, size: int = 5, alpha: float = 1.0, beta: float = 0.75, **kwargs):
        super().__init__(**kwargs)
        if size < 1 or size % 2 == 0:
            raise ValueError(f"Expected an odd local_size. Received: {size}")
        self.size, self.alpha, self.beta = size, alpha, beta

    def compute_output_shape(self, input_shape):
        """The input's."""
        return input_shape

    def get_config(self):
        """As __init__ takes it."""
        return super().get_config() | {"size": self.size, "alpha": self.alpha, "beta": self.beta}


@_registered
class ChannelResponse(_LocalResponse):
    """Across channels: divides by the energy of the `size` nearest channels.

    Args:
        size, alpha, beta, k: Caffe's `local_size` (odd) and so on, and its defaults.
    """

    def __init__(self, size: int = 5, alpha: float = 1.0, beta: float = 0.75, k=1.0, **kwargs):
        super().__init__(size, alpha, beta, **kwargs)
        self.k = k

    def call(self, inputs):
        """[..., channels] to the same."""
        x = tf.cast(inputs, tf.float32)
        squares = tf.reshape(tf.square(x), [-1, x.shape[-1]])
        # As a product with a band matrix: twice as fast as a sum of shifted maps, and its
        # gradient four times as fast as tf.nn.lrn's.
        sums = tf.reshape(tf.matmul(squares, self._band(x.shape[-1])), tf.shape(x))
        scale = self.k + self.alpha / self.size * sums
        return tf.cast(x * _power(scale, self.beta), inputs.dtype)

    def _band(self, channels: int) -> np.ndarray:
        index = np.arange(channels)
        return (np.abs(index[:, None] - index) <= self.size // 2).astype(np.float32)

    def get_config(self):
        """As __init__ takes it."""
        return super().get_config() | {"k": self.k}


@_registered
class SpatialResponse(_LocalResponse):
    """Within each channel: divides by the energy of the size x size nearest places.

    alpha is divided by size ** 2, and k is 1 whatever the file says. Places outside the map
    count as zeros.

    Args:
        size, alpha, beta: as `ChannelResponse`.
    """

    def call(self, inputs):
        """[batch, height, width, channels] to the same."""
        x = tf.cast(inputs, tf.float32)
        around = [self.size // 2] * 2
        squares = tf.pad(tf.square(x), [[0, 0], around, around, [0, 0]])
        means = tf.nn.avg_pool2d(squares, self.size, 1, "VALID")
        return tf.cast(x * _power(1.0 + self.alpha * means, self.beta), inputs.dtype)


def _power(scale: tf.Tensor, beta: float) -> tf.Tensor:
    """Returns scale ** -beta; for nearly every network's 0.75, by roots, which are faster."""
    if beta == 0.75:
        root = tf.math.rsqrt(scale)
        return root * tf.sqrt(root)
    return tf.pow(scale, -beta)
