"""Objectives that compare features: with a target's, or between the images of a batch."""

from collections.abc import Callable

import numpy as np
import tensorflow as tf

from tfvis.errors import InputError, PartError
from tfvis.objectives.objective import Objective, Taps


def feature_distance(
    layer: str, target: tf.Tensor, strength: float = 1.0, mask: np.ndarray | None = None
) -> Objective:
    """Returns C * |m (phi(x) - phi0)|^2 / |m phi0|^2 (MV16 eq. 2; m is 0 or 1).

    Args:
        layer: the tap phi.
        target: phi0, float32 [1 or batch, ...].
        strength: C, the weight of the data against the prior.
        mask: float32, broadcast against the target; None takes everything.

    Raises:
        PartError: phi0 is zero under the mask, so nothing can be matched.
    """
    if mask is not None:
        mask = tf.constant(mask, tf.float32)
        target = target * mask
    norm = _squared_length(target)
    if not bool(tf.reduce_all(norm > 0)):
        seen, others = ("", "") if mask is None else (", under the mask given,", ", mask")
        raise PartError(
            f"{layer} answers this image{seen} with zeros only: there is nothing to invert. "
            f"Choose another layer{others} or image."
        )
    weight = strength / norm

    def distance(taps: Taps) -> tf.Tensor:
        features = taps[layer] if mask is None else taps[layer] * mask
        return weight * _squared_length(features - target)

    return Objective((layer,), distance, f"distance {layer}")


def inner_product(layer: str, target: tf.Tensor) -> Objective:
    """Returns <relu(phi0), phi(x)> / |relu(phi0)|^2, a caricature's objective (MV16).

    1 where phi(x) = relu(phi0); the more of what the target shows, the larger.

    Args:
        layer: the tap phi.
        target: phi0, float32 [1 or batch, ...].

    Raises:
        PartError: phi0 is nowhere above zero.
    """
    rectified = tf.nn.relu(target)
    norm = _squared_length(rectified)
    if not bool(tf.reduce_all(norm > 0)):
        raise PartError(
            f"{layer} answers this image nowhere above zero: there is nothing to "
            "exaggerate. Choose another layer or image."
        )
    weights = rectified / tf.reshape(norm, [-1] + [1] * (target.shape.rank - 1))

    def product(taps: Taps) -> tf.Tensor:
        products = weights * taps[layer]
        return tf.reduce_sum(tf.reshape(products, [products.shape[0], -1]), axis=1)

    return Objective((layer,), product, f"caricature {layer}")


def diversity(layer: str, group: int | None = None) -> Objective:
    """Returns how unlike the images of a batch are at `layer`, from -1 to 1 per image.

    Minus the mean cosine between an image's Gram matrix and those of the others (as
    Olah et al. 2017, "Feature Visualization", section on diversity, after Gatys' style).
    The one objective that couples the images of a batch.

    Args:
        layer: a tap [batch, height, width, channels], batch of at least 2.
        group: images that are told apart from each other, one group after another in the batch;
            None is all of it.
    """

    def unlike(taps: Taps) -> tf.Tensor:
        features = taps[layer]
        batch, channels = features.shape[0], features.shape[-1]
        if batch < 2 or group == 1 or batch % (group or batch):
            raise InputError(
                f"Expected at least 2 images to tell apart, in whole groups. Received: {batch} in "
                f"groups of {group or batch}."
            )
        flat = tf.reshape(features, [batch, -1, channels])
        grams = tf.reshape(tf.matmul(flat, flat, transpose_a=True), [batch, -1])
        grams = tf.math.l2_normalize(grams, axis=1, epsilon=1e-12)
        count = group or batch
        grams = tf.reshape(grams, [batch // count, count, -1])
        cosines = tf.matmul(grams, grams, transpose_b=True)
        others = tf.reduce_sum(cosines, axis=2) - tf.linalg.diag_part(cosines)
        return tf.reshape(-others / (count - 1), [batch])

    return Objective((layer,), unlike, f"diversity {layer}")


@tf.custom_gradient
def _squared_length(x: tf.Tensor) -> tuple[tf.Tensor, Callable]:
    """Sum of squares per image, [batch, ...] -> [batch], in one pass each way.

    A shallow map is the largest tensor of a step, so how often it is walked through
    shows: squaring, then reducing, and the gradients of both, took five passes more.
    """
    total = tf.stack([2 * tf.nn.l2_loss(one) for one in tf.unstack(x)])

    def gradient(upstream):
        return x * tf.reshape(2 * upstream, [-1] + [1] * (x.shape.rank - 1))

    return total, gradient


def relative_error(features: tf.Tensor, target: tf.Tensor) -> np.ndarray:
    """Returns |phi(x) - phi0| / |phi0| per image, float64 [batch] (MV16 section 5.1).

    NaN where the target is zero: nothing is a share of it.

    Args:
        features: phi(x), [batch, ...].
        target: phi0, [1 or batch, ...].
    """
    features, target = np.asarray(features, np.float64), np.asarray(target, np.float64)
    axes = tuple(range(1, target.ndim))
    difference = np.sqrt(np.square(features - target).sum(axes))
    length = np.broadcast_to(np.sqrt(np.square(target).sum(axes)), difference.shape)
    return np.divide(difference, length, np.full_like(difference, np.nan), where=length > 0)
