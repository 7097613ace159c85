"""Where L-BFGS begins if what is asked of a network begins silent: after steps that wake it.

Along the gradient that wakes a silent unit its answer stays 0, so that a rule which compares
energies would take no step.
"""

from collections.abc import Callable, Iterable

import numpy as np
import tensorflow as tf

from tfvis.errors import PartError, arg
from tfvis.networks.network import Network
from tfvis.optimize import loop, optimizers
from tfvis.preimages import zero_gradients

# An image is asleep if more than this share of what would change it lies at pixels that change
# nothing yet. A few pixels that noise happened to wake lead L-BFGS nowhere but to grey: of a
# detector of strong colours it left a relative error of 1.0, after waking 0.06 (100 steps).
_ASLEEP = 0.5
# Where this share of the pixels has a gradient, nothing else is asked: it is another network.
_DENSE = 0.5


def awake(
    network: Network,
    answer_of: Callable[[Network], zero_gradients.Answer],
    layers: Iterable[str],
    look: Callable[[tf.Tensor, tf.Tensor], tuple[tf.Tensor, dict[str, tf.Tensor]]],
    start: np.ndarray,
    update: optimizers.Update,
    project: Callable[[tf.Tensor], tf.Tensor],
    rate: float,
    jit: bool = False,
    calm: np.ndarray | None = None,
) -> np.ndarray:
    """Returns the first canvas; that of images which begin asleep, moved until they do not.

    These begin at `calm` and go `zero_gradients.WAKING` steps along the gradient that wakes,
    without their prior, which would lull them again. All of those steps: at the first pixel that
    wakes, most of the image may still be asleep (relative errors of 0.66, in place of 0.09). Images
    that are awake keep their start, bit for bit.

    Args:
        network, answer_of, layers, look, start: see `zero_gradients.energy`.
        update: the rule they go by, such as Adam.
        project: canvas -> canvas, back into what is allowed.
        rate: of the rule.
        jit: compile with XLA.
        calm: as `start`, near grey; None is `start`. What noise there is where the layer sleeps
            says nothing to it, and L-BFGS would take long to smooth it.

    Raises:
        InputError: a layer that passes no gradient at all.
        PartError: the steps left an image silent.
        zero_gradients.SilentError: nothing wakes any image of the batch.
        loop.DivergedError: the objective became NaN or infinite.
    """
    layers, own, batch = tuple(layers), answer_of(network), len(start)

    def seen(canvas):
        return look(tf.constant(canvas), tf.constant(0))[0]

    first = seen(start)
    now = zero_gradients.pulls(network, own, layers, first)
    if np.all(np.mean(now > 0, (1, 2)) >= _DENSE):
        return start
    grey = tf.zeros_like(first) + network.preprocessing.center(network.channels)
    woken = zero_gradients.woken_answer(network, answer_of, layers, (first, grey), batch)
    asleep = _asleep(now, zero_gradients.pulls(network, woken, layers, first), batch)
    if not asleep.any():
        return start

    def waking(canvas, step):
        return {"objective": woken(look(canvas, step)[0])}

    stages = [loop.Stage(zero_gradients.WAKING, rate)]
    began = start if calm is None else calm
    *_, last = loop.Loop(waking, update, project, jit).run(stages, began)
    chosen = np.where(asleep.reshape([-1] + [1] * (start.ndim - 1)), last.canvas, start)
    after = seen(chosen)
    still = _silent(zero_gradients.pulls(network, own, layers, after), batch)
    # Silent as well is what has come to its end within these steps.
    still &= ~(own(after) < own(first)).numpy()
    if still.any():
        which = f" in {still.sum()} of {batch} pictures" if batch > 1 else ""
        raise PartError(
            f"{', '.join(layers)}: what is asked of it begins silent{which}: no pixel changes it, "
            f"nor after {zero_gradients.WAKING} steps that were to wake it, and L-BFGS cannot go "
            f"on from there. Choose {arg('optimizer')}=adam, which is woken at every step."
        )
    return chosen


def _silent(pulls: np.ndarray, batch: int) -> np.ndarray:
    """Tells of each canvas whether no pixel changes its objective in any of its views."""
    return np.all(pulls.reshape(-1, batch, *pulls.shape[1:]) == 0, axis=(0, 2, 3))


def _asleep(now: np.ndarray, woken: np.ndarray, batch: int) -> np.ndarray:
    """Tells of each canvas whether most of what would change it changes nothing yet."""
    sleeping, whole = (
        one.reshape(-1, batch, *one.shape[1:]).sum((0, 2, 3), dtype=np.float64)
        for one in (np.where(now == 0, woken, 0), woken)
    )
    return _silent(now, batch) | (sleeping > _ASLEEP * whole)
