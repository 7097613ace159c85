"""Statistics of a layer's features over the places of its map: what "style" is here.

All are sums over places, so a map may be gone through in parts and the parts added up.
"""

from typing import NamedTuple

import tensorflow as tf


class Moments(NamedTuple):
    """Moments of the features F at the places of a map, per image and region.

    Attributes:
        second: float32 [batch, regions, channels, channels], mean of F F^T: the Gram matrix
            over the number of places (Gatys et al. 2016, eq. 3, normalised as in their code).
        first: float32 [batch, regions, channels], mean of F.
    """

    second: tf.Tensor
    first: tf.Tensor


def moments(features: tf.Tensor, weights: tf.Tensor | None = None, places=None) -> Moments:
    """Returns the moments of the features, each place weighted.

    Args:
        features: float32 [batch, height, width, channels].
        weights: float32 [regions, height, width], squared guides of mean 1 (Gatys et al.
            2017, eq. 4); None is one region that is everything.
        places: by how many the sums are divided; None is height * width.
    """
    batch, height, width, _ = tf.unstack(tf.shape(features))
    flat = tf.reshape(features, [batch, height * width, features.shape[-1]])
    places = tf.cast(height * width if places is None else places, tf.float32)
    if weights is None:
        parts = [_sums(flat, None)]
    else:
        parts = [_sums(flat, tf.reshape(one, [-1, 1])) for one in tf.unstack(weights)]
    second, first = (tf.stack(one, 1) / places for one in zip(*parts, strict=True))
    return Moments(second, first)


def _sums(flat: tf.Tensor, weights: tf.Tensor | None) -> tuple[tf.Tensor, tf.Tensor]:
    """Returns (sum of w F F^T, sum of w F) over axis 1, with one product each way."""

    @tf.custom_gradient
    def sums(flat):
        weighted = flat if weights is None else weights * flat
        second = tf.matmul(weighted, flat, transpose_a=True)
        # A reduction over the long axis is slower than a product with ones.
        ones = tf.ones([tf.shape(flat)[0], 1, tf.shape(flat)[1]])
        first = tf.matmul(ones, weighted)[:, 0]

        def gradient(by_second, by_first):
            # Plain automatic differentiation has two products where one does.
            by_second = by_second + tf.linalg.matrix_transpose(by_second)
            result = tf.matmul(flat, by_second) + by_first[:, None]
            return result if weights is None else weights * result

        return (second, first), gradient

    return sums(flat)


def covariance(found: Moments) -> tf.Tensor:
    """Returns the covariance of the features, [batch, regions, channels, channels]."""
    return found.second - found.first[..., :, None] * found.first[..., None, :]
