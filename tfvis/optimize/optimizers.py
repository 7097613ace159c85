"""Update rules as pairs of pure functions; all state is explicit."""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import tensorflow as tf

Slots = tuple[tf.Tensor, ...]


class Update(NamedTuple):
    """An update rule.

    Attributes:
        init: x -> slots, float32 tensors; the first axis of x is the batch.
        apply: (x, value, gradient, slots, rate, step) -> (next x, slots): x has just been
            evaluated, value is its energy, float32 [batch]; rate is a float32 scalar,
            step an int32 scalar that counts from 0 within a stage.
        result: (x, slots) -> what to show: x itself, unless x is but a trial.
        value: (value, slots) -> the energy to judge it by, float32 [batch].
        tries: whether x may be but a trial, which may be worthless: not even finite.
    """

    init: Callable[[tf.Tensor], Slots]
    apply: Callable[..., tuple[tf.Tensor, Slots]]
    result: Callable[[tf.Tensor, Slots], tf.Tensor] = lambda x, slots: x
    value: Callable[[tf.Tensor, Slots], tf.Tensor] = lambda value, slots: value
    tries: bool = False


def leaky_adagrad(leak: float = 0.9, momentum: float = 0.9) -> Update:
    """AdaGrad that forgets, with momentum: the rule of MV16's code.

    G <- leak G + g^2;  m <- momentum m - g / (1/rate + sqrt(G));  x <- x + m.

    Args:
        leak: share of the squared gradients kept; the authors' 0.9.
        momentum: share of the last change kept; the authors' 0.9.
    """

    def apply(x, value, gradient, slots, rate, step):
        del value, step
        squares, change = slots
        squares = leak * squares + tf.square(gradient)
        change = momentum * change - gradient / (1 / rate + tf.sqrt(squares))
        return x + change, (squares, change)

    return Update(lambda x: (tf.zeros_like(x), tf.zeros_like(x)), apply)


def adam(beta1: float = 0.9, beta2: float = 0.999, epsilon: float = 1e-12, done: int = 0) -> Update:
    """Adam (Kingma & Ba 2015, algorithm 1), with bias correction.

    Args:
        beta1, beta2: decay of the two moments; the paper's.
        epsilon: the paper's 1e-8 shrunk: our gradients are per pixel of a mean
            energy, around 1e-6, and must stay large beside it.
        done: steps behind moments that are handed over, for the bias correction.
    """

    def apply(x, value, gradient, slots, rate, step):
        del value
        first, second = slots
        count = tf.cast(step + done, tf.float32) + 1
        first = beta1 * first + (1 - beta1) * gradient
        second = beta2 * second + (1 - beta2) * tf.square(gradient)
        scale = tf.sqrt(1 - tf.pow(beta2, count)) / (1 - tf.pow(beta1, count))
        change = -rate * scale * first / (tf.sqrt(second) + epsilon)
        return x + change, (first, second)

    return Update(lambda x: (tf.zeros_like(x), tf.zeros_like(x)), apply)


def averaged(rule: Update, decay: float = 0.99) -> Update:
    """Returns the rule, showing the exponential average of the points it has evaluated.

    A step rule of constant rate dances around the minimum; the average stands still
    (Polyak & Juditsky 1992). Corrected for its start as Adam's moments are.

    Args:
        rule: the rule; its slots come first.
        decay: share of the average kept per step; 0.99 in the code of Crowson's style
            transfer, whose result it is.
    """

    def init(x):
        return (*rule.init(x), tf.zeros_like(x), tf.zeros([x.shape[0]]))

    def apply(x, value, gradient, slots, rate, step):
        *inner, average, weight = slots
        average = decay * average + (1 - decay) * x
        weight = decay * weight + (1 - decay)
        x, inner = rule.apply(x, value, gradient, tuple(inner), rate, step)
        return x, (*inner, average, weight)

    def result(x, slots):
        average, weight = slots[-2:]
        weight = tf.reshape(weight, [-1] + [1] * (x.shape.rank - 1))
        return tf.where(weight > 0, tf.math.divide_no_nan(average, weight), x)

    return Update(init, apply, result)


def annealed(rule: Update, steps: int, last: float = 0.05) -> Update:
    """Returns the rule with a rate that falls along a cosine over the second half of a stage.

    A constant rate keeps an image trembling by it, which blurs the average and roughens
    the image (Loshchilov & Hutter 2017, "SGDR", eq. 5, without restarts).

    Args:
        rule: the rule.
        steps: of the stage.
        last: the rate at the end, as a share of the first.
    """

    def apply(x, value, gradient, slots, rate, step):
        share = tf.cast(step, tf.float32) / max(steps, 1)
        fallen = tf.clip_by_value(2 * share - 1, 0.0, 1.0)
        factor = last + (1 - last) * (1 + tf.cos(np.pi * fallen)) / 2
        return rule.apply(x, value, gradient, slots, rate * factor, step)

    return rule._replace(apply=apply)
