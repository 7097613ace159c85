"""What a function does to scores, told by numbers: which order it keeps, and what it puts out.

A softmax has many spellings (a layer, an activation, `keras.ops`, exp and a sum); its values
are the same in all. Probes have scales from 1e-5 to 1e4, so that a function that is flat at one
of them is seen where it is not.
"""

from collections.abc import Callable

import numpy as np

# From float32 [n, classes] to the same shape.
Function = Callable[[np.ndarray], np.ndarray]

_SCALES = tuple(10.0**k for k in range(-5, 5))
# Few and far apart, so that float16 tells them apart as well.
_LEVELS = np.linspace(-1, 1, 9)
_ROWS, _FEW = 6, 32
# Of the largest value: float32 sums over some thousand classes.
_SAME = 1e-5
# Probabilities in float16 add up to 1 but for this.
_WHOLE = 5e-3


def keeps_order(function: Function, classes: int) -> bool:
    """Tells whether a larger score is a larger output, and equal ones stay equal.

    Strictly so at one scale at least, and at no scale the other way around: true of softmax,
    sigmoid, tanh, a temperature; not of a ReLU, nor of a layer that mixes scores.

    Args:
        function: of all scores at once.
        classes: how many; one score is compared from picture to picture.
    """
    strict = False
    for scores, values in _answers(function, classes):
        if classes == 1:
            scores, values = scores.T, values.T
        order = np.argsort(scores, axis=1, kind="stable")
        steps = np.diff(np.take_along_axis(scores, order, 1), axis=1) > 0
        rises = np.diff(np.take_along_axis(values, order, 1), axis=1)
        same = _SAME * max(np.abs(values).max(), 1e-30)
        if (np.abs(rises[~steps]) > same).any() or (rises[steps] < -same).any():
            return False
        strict |= bool((rises[steps] > same).all())
    return strict


def form(function: Function, classes: int) -> tuple[str, str]:
    """Returns what a function that `keeps_order` makes of scores: (kind, form).

    Returns:
        kind: "multiclass": one of all, the outputs add up to 1; "multilabel": each by
            itself within 0..1; "binary": the same of one score; "" where the numbers do
            not tell.
        form: "probabilities", "logarithms" (of probabilities), "scores" (the function is a
            temperature, or none), or "numbers" (anything else, such as tanh).
    """
    found = _answers(function, classes)
    for word, change in (("probabilities", _same), ("logarithms", np.exp)):
        values = [change(np.minimum(y, 80.0)) for _, y in found]
        if classes > 1 and adds_up(np.concatenate(values)):
            return "multiclass", word
        if _fills_unit(values, found) and (classes == 1 or _each_alone(function, classes)):
            return "binary" if classes == 1 else "multilabel", word
    return "", "scores" if _affine(function, classes) else "numbers"


def adds_up(values: np.ndarray) -> bool:
    """Tells whether rows, [n, classes], are probabilities of classes that exclude each other."""
    positive = np.isfinite(values).all() and values.min() >= -1e-6
    return bool(positive and np.abs(values.sum(1) - 1).max() < _WHOLE)


def _same(values: np.ndarray) -> np.ndarray:
    return values


def _probes(classes: int, scale: float) -> np.ndarray:
    generator = np.random.default_rng(0)
    if classes == 1:
        return (scale * _LEVELS[:, None]).astype(np.float32)
    # Of few classes more rows, so that some have none but negative scores.
    many = classes > len(_LEVELS)
    rows = [
        generator.choice(_LEVELS, classes, replace=many) for _ in range(_ROWS if many else _FEW)
    ]
    return (scale * np.stack(rows)).astype(np.float32)


def _answers(function: Function, classes: int) -> list[tuple[np.ndarray, np.ndarray]]:
    """Returns (scores, values), float64, of every scale at which the values are finite."""
    found = []
    for scale in _SCALES:
        scores = _probes(classes, scale)
        values = np.asarray(function(scores), np.float64)
        # exp overflows where nobody took the maximum off first.
        if np.isfinite(values).all():
            found.append((scores.astype(np.float64), values))
    return found


def _fills_unit(values: list[np.ndarray], found) -> bool:
    """Tells whether values are within 0..1, and near both ends where scores are far from 0."""
    if not values or any(v.min() < -1e-6 or v.max() > 1 + 1e-6 for v in values):
        return False
    last, scores = values[-1], found[-1][0]
    return last[scores < 0].max(initial=0) < 0.05 and last[scores > 0].min(initial=1) > 0.95


def _each_alone(function: Function, classes: int) -> bool:
    """Tells whether a score changes no other output than its own."""
    scores = _probes(classes, 1.0)
    other = scores.copy()
    other[:, 0] += 1.0
    return np.allclose(function(scores)[:, 1:], function(other)[:, 1:], rtol=_SAME, atol=1e-7)


def _affine(function: Function, classes: int) -> bool:
    scores = _probes(classes, 1.0)
    zero, one, two = (np.asarray(function(k * scores), np.float64) for k in (0, 1, 2))
    scale = max(np.abs(two).max(), 1e-30)
    # As in bfloat16 networks: three digits.
    return np.allclose(two - one, one - zero, rtol=0, atol=5e-3 * scale)
