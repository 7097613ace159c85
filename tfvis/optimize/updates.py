"""Update rules as pairs of pure functions; all state is explicit."""

from collections.abc import Callable
from typing import NamedTuple

import tensorflow as tf

Slots = tuple[tf.Tensor, ...]


class Update(NamedTuple):
    """An update rule.

    Attributes:
        init: image -> slots, each shaped like the image.
        apply: (gradient, slots, rate, step) -> (change to add to the image, slots);
            rate is a float32 scalar, step counts from 0 within a stage.
    """

    init: Callable[[tf.Tensor], Slots]
    apply: Callable[..., tuple[tf.Tensor, Slots]]


def leaky_adagrad(leak: float = 0.9, momentum: float = 0.9) -> Update:
    """AdaGrad that forgets, with momentum: the rule of MV16's code.

    G <- leak G + g^2;  m <- momentum m - g / (1/rate + sqrt(G));  x <- x + m.

    Args:
        leak: share of the squared gradients kept; the authors' 0.9.
        momentum: share of the last change kept; the authors' 0.9.
    """

    def apply(gradient, slots, rate, step):
        del step
        squares, change = slots
        squares = leak * squares + tf.square(gradient)
        change = momentum * change - gradient / (1 / rate + tf.sqrt(squares))
        return change, (squares, change)

    return Update(lambda x: (tf.zeros_like(x), tf.zeros_like(x)), apply)


def adam(beta1: float = 0.9, beta2: float = 0.999, epsilon: float = 1e-12) -> Update:
    """Adam (Kingma & Ba 2015, algorithm 1), with bias correction.

    Args:
        beta1, beta2: decay of the two moments; the paper's.
        epsilon: the paper's 1e-8 shrunk: our gradients are per pixel of a mean
            energy, around 1e-6, and must stay large beside it.
    """

    def apply(gradient, slots, rate, step):
        first, second = slots
        count = tf.cast(step, tf.float32) + 1
        first = beta1 * first + (1 - beta1) * gradient
        second = beta2 * second + (1 - beta2) * tf.square(gradient)
        scale = tf.sqrt(1 - tf.pow(beta2, count)) / (1 - tf.pow(beta1, count))
        return -rate * scale * first / (tf.sqrt(second) + epsilon), (first, second)

    return Update(lambda x: (tf.zeros_like(x), tf.zeros_like(x)), apply)
