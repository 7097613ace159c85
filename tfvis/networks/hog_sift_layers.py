"""The layers HOG and dense SIFT are made of (`shallow`): finite in value and gradient.

References are those of `shallow`; MV15 is Mahendran & Vedaldi, CVPR 2015.
"""

import keras
import numpy as np
import tensorflow as tf

# Where a normalised histogram is cut off; both papers.
_LARGEST = 0.2
# Of the authors' code: the smallest norm of a HOG block, and what is added to SIFT's
# squared one. A flat image has features of exactly 0.
_SMALLEST_NORM = 1e-6
_SIFT_EPSILON = 1e-6
# Gradients below 1e-15 grey levels, whose direction float32 cannot tell, count as none.
_FLAT = 1e-30

_registered = keras.saving.register_keras_serializable("tfvis")


class _Float32:
    """Keeps a Keras layer in float32 also where its policy is changed to another."""

    def __init__(self, *args, **kwargs):
        fixed = {"autocast": False, "trainable": False, "dtype": "float32"}
        super().__init__(*args, **(kwargs | fixed))

    @property
    def compute_dtype(self):
        """Of the arithmetic, and so of the kernel."""
        return "float32"


class _Fixed(_Float32):
    """Makes a Keras convolution part of a definition: of given kernel, never trained.

    Pads the image itself, since Keras' own padding layer would follow a policy.
    """

    def __init__(self, *args, margin: int = 0, **kwargs):
        super().__init__(*args, **(kwargs | {"use_bias": False}))
        self.margin = margin

    def call(self, inputs):
        """[batch, height, width, in] to [batch, rows, columns, out]."""
        sides = [self.margin, self.margin]
        return super().call(tf.pad(inputs, [[0, 0], sides, sides, [0, 0]]))

    def compute_output_shape(self, input_shape):
        """As Keras, of the padded image."""
        batch, *sides, channels = input_shape
        grown = [side if side is None else side + 2 * self.margin for side in sides]
        return super().compute_output_shape((batch, *grown, channels))

    def get_config(self):
        """Keras', and the margin."""
        return super().get_config() | {"margin": self.margin}


@_registered
class FixedConv(_Fixed, keras.layers.Conv2D):
    """A convolution with a known kernel and a margin of zeros."""


@_registered
class FixedDepthwiseConv(_Fixed, keras.layers.DepthwiseConv2D):
    """A convolution of each channel with a known kernel, and a margin of zeros."""


@_registered
class Orientations(_Float32, keras.layers.Layer):
    """The length of each pixel's gradient, in the channels of its direction.

    Args:
        count: directions of a half turn; there are 2 * count channels, channel k for
            k * 180 / count degrees, from right over down.
        soft: shared by the two nearest directions, by angle; else all to the nearest
            (of two as near, the first), which then has no gradient by angle.
    """

    def __init__(self, count: int, soft: bool, **kwargs):
        super().__init__(**kwargs)
        self.count, self.soft = count, soft

    def call(self, inputs):
        """[batch, height, width, 2], right and down, to [..., 2 * count]."""
        vote = _shared if self.soft else _nearest
        return vote(inputs, self.count)

    def compute_output_shape(self, input_shape):
        """A channel for each direction."""
        return (*input_shape[:-1], 2 * self.count)

    def get_config(self):
        """As __init__ takes it."""
        return super().get_config() | {"count": self.count, "soft": self.soft}


def _nearest(slopes: tf.Tensor, count: int) -> tf.Tensor:
    angles = np.pi / count * np.arange(2 * count)
    # Exactly symmetric, or rounding would choose between two directions as near.
    directions = np.round(np.stack([np.cos(angles), np.sin(angles)]), 7).astype(np.float32)
    along = slopes[..., :1] * directions[0] + slopes[..., 1:] * directions[1]
    nearest = tf.one_hot(tf.argmax(along, -1, output_type=tf.int32), 2 * count)
    squared = tf.reduce_sum(tf.square(slopes), -1, keepdims=True)
    # No gradient at 0, where the root has none.
    length = tf.where(squared > _FLAT, tf.sqrt(tf.maximum(squared, _FLAT)), 0.0)
    return nearest * length


def _shared(slopes: tf.Tensor, count: int) -> tf.Tensor:
    """MV15's weights max(0, 1 - (count / pi) acos(cosine)), by the angle itself.

    In float32 the arc cosine of nearly 1 is off by up to 3e-4, and its slope is infinite.
    """

    @tf.custom_gradient
    def vote(slopes):
        right, down = slopes[..., :1], slopes[..., 1:]
        squared = tf.square(right) + tf.square(down)
        length = tf.where(squared > _FLAT, tf.sqrt(squared), 0.0)
        turn = tf.atan2(down, right) * np.float32(count / np.pi)
        # In (-count, count], in units of directions; so is the distance to each.
        away = turn - np.arange(2 * count, dtype=np.float32)
        away -= 2 * count * tf.round(away / (2 * count))
        weights = tf.nn.relu(1 - tf.abs(away))

        def gradient(upstream):
            by_length = tf.reduce_sum(weights * upstream, -1, keepdims=True)
            slope = tf.where(weights > 0, -tf.sign(away), 0.0) * np.float32(count / np.pi)
            by_angle = tf.reduce_sum(slope * upstream, -1, keepdims=True)
            # The gradient turned by a right angle is (-down, right).
            total = tf.concat(
                [by_length * right - by_angle * down, by_length * down + by_angle * right], -1
            )
            return tf.where(squared > _FLAT, tf.math.divide_no_nan(total, length), 0.0)

        return length * weights, gradient

    return vote(slopes)


@_registered
def normalized_blocks(blocks: tf.Tensor) -> tf.Tensor:
    """Divides HOG's blocks by the norm of their undirected part, and cuts them off.

    Args:
        blocks: [batch, rows, columns, 4 cells * 3 * count].
    """
    count = blocks.shape[-1] // 12
    undirected = np.tile(np.arange(3 * count) >= 2 * count, 4).astype(np.float32)
    squared = tf.reduce_sum(tf.square(blocks) * undirected, -1, keepdims=True)
    inverse = tf.math.rsqrt(tf.maximum(squared, _SMALLEST_NORM**2))
    return tf.minimum(blocks * inverse, _LARGEST)


@_registered
def normalized_descriptors(descriptors: tf.Tensor) -> tf.Tensor:
    """Divides SIFT descriptors by their norm, and cuts them off.

    Args:
        descriptors: [batch, rows, columns, channels].
    """
    squared = tf.reduce_sum(tf.square(descriptors), -1, keepdims=True)
    return tf.minimum(descriptors * tf.math.rsqrt(squared + _SIFT_EPSILON), _LARGEST)
