"""What an image is asked to do to a network: pure functions of its taps."""

import dataclasses
from collections.abc import Callable

import numpy as np
import tensorflow as tf

from tfvis.errors import InputError

Taps = dict[str, tf.Tensor]


@dataclasses.dataclass(frozen=True)
class Objective:
    """A number per image, to be made small.

    Attributes:
        layers: what it needs tapped.
        function: {layer: float32 [batch, ...]} -> float32 [batch].
        description: for file names, sheets and TensorBoard tags.
    """

    layers: tuple[str, ...]
    function: Callable[[Taps], tf.Tensor]
    description: str

    def __call__(self, taps: Taps) -> tf.Tensor:
        """Returns the number to be made small, float32 [batch]."""
        return self.function(taps)


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
        InputError: phi0 is zero under the mask, so nothing can be matched.
    """
    if mask is not None:
        mask = tf.constant(mask, tf.float32)
        target = target * mask
    norm = _squared_length(target)
    if not bool(tf.reduce_all(norm > 0)):
        raise InputError(
            f"{layer} answers this image, under the mask given, with zeros only: "
            "there is nothing to invert. Choose another layer, mask or image."
        )
    weight = strength / norm

    def distance(taps: Taps) -> tf.Tensor:
        features = taps[layer] if mask is None else taps[layer] * mask
        return weight * _squared_length(features - target)

    return Objective((layer,), distance, f"distance {layer}")


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

    Args:
        features: phi(x), [batch, ...].
        target: phi0, [1 or batch, ...].
    """
    features, target = np.asarray(features, np.float64), np.asarray(target, np.float64)
    axes = tuple(range(1, target.ndim))
    difference = np.sqrt(np.square(features - target).sum(axes))
    return difference / np.sqrt(np.square(target).sum(axes))
