"""Objectives that no pixel changes: noticed before the first step, woken where that can be done."""

from collections.abc import Callable, Iterable

import numpy as np
import tensorflow as tf

from tfvis.errors import InputError, arg
from tfvis.networks import differentiable
from tfvis.networks.network import Network

# Steps for which an image that begins silent is woken, whatever its gradient by then: a unit just
# above its threshold has a gradient at few places, and the prior would lull it again.
_WAKING = 50
# Display images -> float32 [batch], to be made small.
Answer = Callable[[tf.Tensor], tf.Tensor]


class SilentError(InputError):
    """No pixel of any image of a batch changes its objective.

    Attributes:
        pictures: float32 [batch, height, width, channels], where they began.
    """

    def __init__(self, message: str, pictures: np.ndarray):
        super().__init__(message)
        self.pictures = pictures


def energy(
    network: Network,
    answer_of: Callable[[Network], Answer],
    layers: Iterable[str],
    look: Callable[[tf.Tensor, tf.Tensor], tuple[tf.Tensor, dict[str, tf.Tensor]]],
    start: np.ndarray,
) -> Callable[[tf.Tensor, tf.Tensor], dict[str, tf.Tensor]]:
    """Returns objective + prior, whose gradient is that of waking where the objective's is zero.

    Whether an image may need it is tried at the first look, and at mid grey, where the prior
    leads. An image that begins silent is woken (`leaky_gradients.everywhere`) for the first steps,
    and any at every step at which no pixel changes its objective; meanwhile its prior waits.
    All others are computed as ever.

    Args:
        network: the network.
        answer_of: network -> objective.
        layers: what it taps.
        look: (canvas, step) -> the display images it sees, and the terms of the prior.
        start: the first canvas.

    Returns:
        (canvas, step) -> {term: float32 [batch]}, as `loop.Loop` takes it.

    Raises:
        InputError: a layer that passes no gradient at all.
        SilentError: nothing wakes any image of the batch.
    """
    layers, own = tuple(layers), answer_of(network)
    first, _ = look(tf.constant(start), tf.constant(0))
    looks = (first, tf.zeros_like(first) + network.preprocessing.center(network.channels))
    plain = _plain(own, look)
    found = [_silent(network, own, layers, images) for images in looks]
    if not np.any(found):
        return plain
    asleep = tf.constant(found[0][:, None, None, None])
    woken = _woken(network, answer_of, layers, looks, len(start))

    def waking(canvas, step):
        names = []

        @tf.custom_gradient
        def terms(canvas):
            with tf.GradientTape(persistent=True) as tape:
                tape.watch(canvas)
                images, others = look(canvas, step)
                value = own(images)
            names[:] = ["objective", *others]

            def gradient(*upstream, variables=None):
                ordinary = tape.gradient(value, images, upstream[0])
                silent = tf.reduce_all(ordinary == 0, axis=(1, 2, 3), keepdims=True)
                wanted = silent | (asleep & (step < _WAKING))

                def awake():
                    with tf.GradientTape() as second:
                        second.watch(images)
                        again = woken(images)
                    found = second.gradient(again, images, upstream[0])
                    return tf.where(wanted, found, ordinary)

                asked = tf.cond(tf.reduce_any(wanted), awake, lambda: ordinary)
                total = tape.gradient(images, canvas, asked)
                if others:
                    held = tape.gradient(list(others.values()), canvas, list(upstream[1:]))
                    # Of a canvas that is seen in several views, any.
                    woke = tf.reduce_any(tf.reshape(wanted, [-1, canvas.shape[0]]), 0)
                    shape = [-1] + [1] * (canvas.shape.rank - 1)
                    total += tf.where(tf.reshape(woke, shape), 0.0, held)
                # The weights stand still.
                return total if variables is None else (total, [None] * len(variables))

            return (value, *others.values()), gradient

        return dict(zip(names, terms(canvas), strict=True))

    return waking


def unwoken(network: Network, answer_of, layers, look, start: np.ndarray):
    """Returns objective + prior with their own gradients, for a rule that compares energies.

    Along the gradient that wakes a silent unit its answer stays 0, so that L-BFGS would take no
    step.

    Args, Returns:
        As `energy`.

    Raises:
        InputError: a layer that passes no gradient at all, or an image that begins silent.
        SilentError: nothing wakes any image of the batch.
    """
    layers, own = tuple(layers), answer_of(network)
    first, _ = look(tf.constant(start), tf.constant(0))
    silent = np.flatnonzero(_silent(network, own, layers, first))
    if len(silent):
        grey = tf.zeros_like(first) + network.preprocessing.center(network.channels)
        _woken(network, answer_of, layers, (first, grey), len(start))
        which = f" of {len(silent)} of {len(first)} pictures" if len(first) > 1 else ""
        raise InputError(
            f"{arg('optimizer')}=lbfgs: what is asked of {', '.join(layers)}{which} begins silent: "
            "no pixel changes it, and L-BFGS cannot go by a gradient that wakes it. Choose "
            f"{arg('optimizer')}=adam, which can."
        )
    return _plain(own, look)


def _woken(network: Network, answer_of, layers, looks, batch: int) -> Answer:
    """Returns the objective where silent units have a gradient; raises SilentError if of no use.

    Args:
        network, answer_of, layers: see `energy`.
        looks: display images; of several views of a canvas the first of each come first.
        batch: canvases.
    """
    woken = answer_of(network.waking(layers, everywhere=True))
    if all(_silent(network, woken, layers, images).all() for images in looks):
        raise SilentError(
            f"{', '.join(layers)} of {network.name}: no pixel changes what is asked of it, not "
            "even where silent units on the way are given a gradient.",
            looks[0].numpy()[:batch],
        )
    return woken


def _plain(own: Answer, look):
    def plain(canvas, step):
        images, others = look(canvas, step)
        return {"objective": own(images)} | others

    return plain


def _silent(network: Network, answer: Answer, layers, images: tf.Tensor) -> np.ndarray:
    """Tells of each image whether its gradient is zero at every pixel, bool [batch]."""
    with tf.GradientTape() as tape:
        tape.watch(images)
        value = answer(images)
    gradient = differentiable.gradient(tape, value, images)
    if gradient is None:
        differentiable.check(network, layers, tuple(images.shape[1:3]))
        raise InputError(
            f"The objective on {', '.join(layers)} passes no gradient to the image: it does not "
            "depend on what the network answers, or rounds it."
        )
    return np.all(gradient.numpy() == 0, axis=(1, 2, 3))
