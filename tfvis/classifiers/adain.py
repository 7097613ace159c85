"""Adaptive instance normalisation: a map gets the statistics of another picture's.

Huang & Belongie 2017, "Arbitrary Style Transfer in Real-time with Adaptive Instance Normalization".
Mean and deviation of a channel over its map say in what manner something is drawn, what is left
without them says what. Here the map goes on through the network, without a decoder to make pixels
of it: no picture is seen, and none has to be made.
"""

import tensorflow as tf

# Under the root, as in the paper's code.
_EPSILON = 1e-5


def statistics(maps: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    """Returns mean and deviation of each channel over its map.

    Args:
        maps: float32 [batch, height, width, channels].

    Returns:
        float32 [batch, channels] each.
    """
    mean, variance = tf.nn.moments(maps, [1, 2])
    return mean, tf.sqrt(variance + _EPSILON)


def adain(maps: tf.Tensor, mean: tf.Tensor, deviation: tf.Tensor, strength: tf.Tensor) -> tf.Tensor:
    """Returns (1 - strength) x + strength (d_s (x - m_x) / d_x + m_s): eq. 8 and 14.

    Args:
        maps: x, float32 [batch, height, width, channels], of mean m_x and deviation d_x.
        mean, deviation: m_s and d_s of the styles, float32 [batch, channels].
        strength: of each, float32 [batch], 0..1.
    """
    own_mean, own_deviation = statistics(maps)

    def spread(values):
        return values[:, None, None]

    changed = (maps - spread(own_mean)) / spread(own_deviation) * spread(deviation) + spread(mean)
    share = strength[:, None, None, None]
    return (1 - share) * maps + share * changed
