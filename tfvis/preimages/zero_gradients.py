"""Objectives that no pixel changes: noticed before the first step, woken where that can be done.

`energy` wakes at each step, `awake_starts` before the first, for rules that compare energies.
"""

from collections.abc import Callable, Iterable

import numpy as np
import tensorflow as tf

from tfvis.errors import InputError, PartError
from tfvis.networks import differentiable
from tfvis.networks.network import Network

# Steps for which an image that begins silent is woken, whatever its gradient by then: a unit just
# above its threshold has a gradient at few places, and the prior would lull it again.
WAKING = 50
# Display images -> float32 [batch], to be made small.
Answer = Callable[[tf.Tensor], tf.Tensor]


class SilentError(PartError):
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
    found = [np.all(pulls(network, own, layers, images) == 0, axis=(1, 2)) for images in looks]
    if not np.any(found):
        return plain(own, look)
    asleep = tf.constant(found[0][:, None, None, None])
    woken = woken_answer(network, answer_of, layers, looks, len(start))

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
                wanted = silent | (asleep & (step < WAKING))

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


def woken_answer(network: Network, answer_of, layers, looks, batch: int) -> Answer:
    """Returns the objective where silent units have a gradient; raises SilentError if of no use.

    Args:
        network, answer_of, layers: see `energy`.
        looks: display images; of several views of a canvas the first of each come first.
        batch: canvases.
    """
    woken = answer_of(network.waking(layers, everywhere=True))
    if not any(pulls(network, woken, layers, images).any() for images in looks):
        raise SilentError(
            f"{', '.join(layers)} of {network.name}: no pixel changes what is asked of it, not "
            "even where silent units on the way are given a gradient.",
            looks[0].numpy()[:batch],
        )
    return woken


def plain(own: Answer, look):
    """Returns objective + prior with their own gradients, as `energy`."""

    def plainly(canvas, step):
        images, others = look(canvas, step)
        return {"objective": own(images)} | others

    return plainly


def pulls(network: Network, answer: Answer, layers, images: tf.Tensor) -> np.ndarray:
    """Returns how much each pixel changes an objective, float32 [batch, height, width].

    Raises:
        InputError: a layer that passes no gradient at all.
    """
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
    return np.abs(gradient.numpy()).sum(-1)
