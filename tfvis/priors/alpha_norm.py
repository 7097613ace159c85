"""The alpha norm, and the bound on colours (MV16 section 3.2): lengths of colour vectors."""

import tensorflow as tf


def alpha_norm(centered: tf.Tensor, alpha: float) -> tf.Tensor:
    """Returns (1/HW) sum over pixels of |colour|_2^alpha, float32 [batch] (MV16 eq. 5).

    Args:
        centered: float32 [batch, height, width, channels].
        alpha: > 0.
    """

    @tf.custom_gradient
    def norm(centered):
        squared = _squared_length(centered)
        pixels = tf.cast(tf.shape(centered)[1] * tf.shape(centered)[2], centered.dtype)
        total = tf.reduce_sum(_power(squared, alpha / 2), [1, 2]) / pixels

        def gradient(upstream):
            # (alpha / HW) x |x|^(alpha - 2); alpha < 2 has none at 0, there it is 0.
            slope = _power(squared, alpha / 2 - 1) if alpha != 2 else tf.ones_like(squared)
            slope = tf.where(squared > 0, slope, 0.0) if alpha < 2 else slope
            slope *= (alpha / pixels * upstream)[:, None, None]
            return slope[..., None] * centered

        return total, gradient

    return norm(centered)


def _squared_length(centered: tf.Tensor) -> tf.Tensor:
    """Returns |colour|_2^2 of each pixel, [batch, height, width].

    Added up channel by channel, where there are few: a reduction over an axis of three
    is slow on a CPU.
    """
    channels = centered.shape[-1]
    if channels is None or channels > 4:
        return tf.reduce_sum(tf.square(centered), axis=-1)
    return tf.add_n([tf.square(centered[..., c]) for c in range(channels)])


def _power(x: tf.Tensor, exponent: float) -> tf.Tensor:
    """x^exponent; small whole exponents by multiplication, which has no slow pow."""
    if exponent == int(exponent) and 1 <= exponent <= 4:
        result = x
        for _ in range(int(exponent) - 1):
            result = result * x
        return result
    return tf.pow(x, exponent)


def project(centered: tf.Tensor, bound: float) -> tf.Tensor:
    """Shortens colour vectors longer than `bound` to it (MV16 section 3.2, the box).

    Args:
        centered: float32 [batch, height, width, channels].
        bound: B+, grey levels; infinity leaves all as it is.
    """
    if bound == float("inf"):
        return centered
    length = tf.sqrt(_squared_length(centered))
    return centered * tf.minimum(tf.math.divide_no_nan(bound, length), 1.0)[..., None]
