"""How far a network comes, in evaluations of the optimiser whose place it takes.

Johnson et al. (ECCV 2016, section 4.1) find that theirs reaches the energy that L-BFGS has after
50 to 100 iterations. Here L-BFGS begins at the photograph, as `gatys` does, and goes down the very
loss that the network was trained on, picture by picture.
"""

from collections.abc import Sequence

import numpy as np
import tensorflow as tf

from tfvis.optimize import lbfgs, loop
from tfvis.style.fast.style_loss import StyleLoss
from tfvis.style.settings import Transfer, resolved


class Descent:
    """The way down of L-BFGS, compiled once for photographs of one size.

    Args:
        loss: of pictures; of float32 arithmetic, as L-BFGS minds the rounding of bfloat16.
        style: which of its styles.
        shape: (height, width, channels) of the photographs.
    """

    def __init__(self, loss: StyleLoss, style: int, shape: tuple[int, int, int]):
        self._loss, self._style = loss, tf.constant([style])
        features = loss.features(tf.zeros([1, *shape]))
        self._features = {layer: tf.Variable(found) for layer, found in features.items()}
        settings = resolved(Transfer(recipe="gatys"))
        self._rate = float(settings.rate or 0)
        rule = lbfgs.lbfgs(0.0, 255.0, settings.history)
        self._loop = loop.Loop(
            lambda canvas, step: loss.measured(canvas, self._features, self._style),
            rule, lambda canvas: canvas, False, loss.weights(style),
        )  # fmt: skip

    def curve(self, photograph: np.ndarray, evaluations: int) -> np.ndarray:
        """Returns the energy after 0, 1, ... evaluations, float64 [evaluations + 1].

        Args:
            photograph: float32 [height, width, channels], 0..255: what it is of, and begins at.
            evaluations: of the energy and its gradient, beyond the first.
        """
        start = photograph[None]
        for layer, found in self._loss.features(tf.constant(start)).items():
            self._features[layer].assign(found)
        stages = [loop.Stage(evaluations + 1, self._rate)]
        parts = [snapshot.energies[:, 0] for snapshot in self._loop.run(stages, start)]
        return np.concatenate(parts).astype(np.float64)


def equivalent(curve: Sequence[float], reached: float) -> float:
    """Returns after how many evaluations a curve is at an energy; infinite if it never is.

    Between two evaluations the curve is a straight line.
    """
    least = np.minimum.accumulate(np.asarray(curve, np.float64))
    below = np.flatnonzero(least <= reached)
    if not len(below):
        return float("inf")
    k = int(below[0])
    if k == 0:
        return 0.0
    return float(k - 1 + (least[k - 1] - reached) / (least[k - 1] - least[k]))
