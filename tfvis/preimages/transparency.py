"""Which pixels of a picture were of importance to what was asked: its transparency.

MACO (Fel et al. 2023): the absolute gradients of the objective by the pixels, added up over all
steps. What the unit never asked for shows the paper it lies on.
"""

import numpy as np
import tensorflow as tf

from tfvis.optimize import loop
from tfvis.optimize.optimizers import Update
from tfvis.parameterizations import Parameterization

# Horama's `plot_maco`, by MACO's author: a pixel above this percentile is opaque.
_OPAQUE = 80


class Watched:
    """A parameterization beside which a picture of zeros is optimised, and never changed.

    The gradient by that picture, which is added to what the network sees and to nothing else, is
    the objective's by the pixels. It is the end of the variable, float32 [batch, variables +
    pixels], and the sum of its absolute values the last of the rule's slots, so that a run goes
    on where it was interrupted.

    Args:
        written: how the picture is written.
    """

    def __init__(self, written: Parameterization):
        self._written = written
        shown = written.image(tf.constant(written.start))
        self._pixels = tuple(shown.shape[1:])
        self._variables = tuple(written.start.shape[1:])
        self.start = np.concatenate(
            [np.reshape(one, [len(one), -1]) for one in (written.start, np.zeros_like(shown))], 1
        )

    def _parted(self, x: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        count = int(np.prod(self._variables))
        own, zeros = x[:, :count], x[:, count:]
        return tf.reshape(own, [-1, *self._variables]), tf.reshape(zeros, [-1, *self._pixels])

    def _joined(self, own: tf.Tensor, zeros: tf.Tensor) -> tf.Tensor:
        return tf.concat([tf.reshape(one, [one.shape[0], -1]) for one in (own, zeros)], 1)

    def image(self, x: tf.Tensor) -> tf.Tensor:
        """Returns the centred image."""
        return self._written.image(self._parted(x)[0])

    def zeros(self, x: tf.Tensor) -> tf.Tensor:
        """Returns the picture of zeros, to be added to what the network sees."""
        return self._parted(x)[1]

    def project(self, x: tf.Tensor) -> tf.Tensor:
        """Returns the variable, back in what is allowed."""
        own, zeros = self._parted(x)
        return self._joined(self._written.project(own), zeros)

    def rule(self, rule: Update) -> Update:
        """Returns an update rule for the whole of the variable."""

        def init(x):
            own, zeros = self._parted(x)
            return (*rule.init(own), tf.zeros_like(zeros[..., 0]))

        def apply(x, value, gradient, slots, rate, step):
            own, zeros = self._parted(x)
            pull, watched = self._parted(gradient)
            own, inner = rule.apply(own, value, pull, tuple(slots[:-1]), rate, step)
            total = slots[-1] + tf.reduce_sum(tf.abs(watched), -1)
            return self._joined(own, zeros), (*inner, total)

        def result(x, slots):
            own, zeros = self._parted(x)
            return self._joined(rule.result(own, tuple(slots[:-1])), zeros)

        def value(value, slots):
            return rule.value(value, tuple(slots[:-1]))

        return Update(init, apply, result, value, rule.tries)

    def importance(self, state: loop.State, margin: int) -> np.ndarray:
        """Returns the sum so far, float32 [batch, height, width], without the room for jitter."""
        return loop.cut(np.asarray(state.slots[-1])[..., None], margin)[..., 0]


def opacity(importance: np.ndarray) -> np.ndarray:
    """Returns the share of each pixel that is shown, 0..1, shaped as `importance`.

    Args:
        importance: [batch, height, width]; where it is zero all over, all is shown.
    """
    most = np.percentile(importance, _OPAQUE, axis=(1, 2), keepdims=True)
    # Where fewer pixels than a fifth were of any importance, the percentile is 0.
    most = np.where(most > 0, most, importance.max((1, 2), keepdims=True))
    shown = np.divide(importance, most, np.ones(importance.shape), where=most > 0)
    return np.minimum(shown, 1).astype(np.float32)


def transparent(pictures: np.ndarray, importance: np.ndarray) -> np.ndarray:
    """Returns pictures with their opacity as a last channel, 0..255.

    Args:
        pictures: [batch, height, width, channels], 0..255.
        importance: [batch, height, width].
    """
    return np.concatenate([pictures, 255 * opacity(importance)[..., None]], -1)
