"""Centred kernel alignment: how alike two layers see the same pictures (Kornblith et al. 2019).

The unbiased one, over batches (Nguyen, Raghu & Kornblith 2021, equation 3, after Song et al. 2012):
the plain one goes to 1 for any two layers of more features than pictures (Murphy et al. 2024).
"""

from collections.abc import Sequence

import numpy as np

from tfvis.errors import InputError

# Fewer have no unbiased estimate (n - 3 is a divisor).
LEAST = 4
# Below this share of the kernel's own square, what varies is rounding.
_FLAT = 1e-10
# Features held in float64 at a time.
_COLUMNS = 1 << 16


def kernel(features: np.ndarray) -> np.ndarray:
    """Returns the linear kernel X Xᵀ of pictures, float64 [n, n].

    Args:
        features: [n, ...], of a layer; flattened.
    """
    flat = np.reshape(features, (len(features), -1))
    total = np.zeros((len(flat), len(flat)))
    for begin in range(0, flat.shape[1], _COLUMNS):
        part = flat[:, begin : begin + _COLUMNS].astype(np.float64)
        total += part @ part.T
    return total


def hsic(one: np.ndarray, other: np.ndarray) -> float:
    """Returns the unbiased Hilbert-Schmidt independence criterion; it may be below 0.

    Nothing is centred: taking the diagonal away does it (a port that centres as well is biased).

    Args:
        one, other: kernels [n, n] of the same n >= 4 pictures in the same order.

    Raises:
        InputError: other shapes, too few pictures.
    """
    if one.shape != other.shape or one.ndim != 2 or one.shape[0] != one.shape[1]:
        raise InputError(f"Expected kernels of the same pictures: {one.shape}, {other.shape}")
    n = len(one)
    if n < LEAST:
        raise InputError(f"{n} pictures: alignment needs at least {LEAST}.")
    one, other = _hollow(one), _hollow(other)
    rows, columns = one.sum(0), other.sum(0)
    found = np.vdot(one, other) + rows.sum() * columns.sum() / ((n - 1) * (n - 2))
    return float((found - 2 / (n - 2) * rows @ columns) / (n * (n - 3)))


def cka(one: Sequence[np.ndarray], other: Sequence[np.ndarray]) -> float:
    """Returns the alignment of two layers, 1 at most, about 0 of what is unrelated.

    Numerator and denominators are each averaged over the batches before they are divided.
    It may be a little below 0. nan where a layer answers the same to all pictures.

    Args:
        one, other: kernels of the same batches of pictures, in the same order.

    Raises:
        InputError: see `hsic`; not as many batches.
    """
    return _aligned(one, other, _spread(one), _spread(other))


def cka_map(
    one: Sequence[Sequence[np.ndarray]], other: Sequence[Sequence[np.ndarray]]
) -> np.ndarray:
    """Returns the alignment of every layer of one network with every layer of another.

    Args:
        one, other: of each layer, kernels of the same batches.

    Returns:
        float64 [layers of one, layers of other].
    """
    spreads = [_spread(column) for column in other]
    return np.array(
        [
            [_aligned(row, column, own, its) for column, its in zip(other, spreads, strict=True)]
            for row, own in ((row, _spread(row)) for row in one)
        ]
    )


def shuffled(kernels: Sequence[np.ndarray], seed: int = 0) -> list[np.ndarray]:
    """Returns kernels as of pictures in another order: the zero of the scale.

    Args:
        kernels: of batches.
        seed: of the orders.
    """
    generator = np.random.default_rng(seed)
    orders = [generator.permutation(len(one)) for one in kernels]
    return [one[np.ix_(order, order)] for one, order in zip(kernels, orders, strict=True)]


def identified(found: np.ndarray) -> float:
    """Returns the share of layers that are most like the same layer of the other network.

    Kornblith et al. 2019, section 6.1: a measure that cannot tell layers apart in two networks
    that differ by their seed alone says little of others.

    Args:
        found: [layers, layers] of `cka_map`, of one architecture; layers without a value of their
            own are left out.

    Returns:
        nan of fewer than two such layers: one is most like the only one there is.

    Raises:
        InputError: not square.
    """
    if found.ndim != 2 or found.shape[0] != found.shape[1]:
        raise InputError(f"Expected as many layers of both networks. Received: {found.shape}")
    known = np.flatnonzero(~np.isnan(np.diag(found)))
    if known.size < 2:
        return float("nan")
    among = found[np.ix_(known, known)]
    return float(np.mean(np.nanargmax(among, 1) == np.arange(known.size)))


def _hollow(matrix: np.ndarray) -> np.ndarray:
    return matrix * (1 - np.eye(len(matrix)))


def _aligned(one, other, spread_of_one: float, spread_of_other: float) -> float:
    """Returns `cka` of kernels whose `_spread` is known."""
    if len(one) != len(other):
        raise InputError(f"Expected kernels of the same batches: {len(one)}, {len(other)}")
    found = np.mean([hsic(*pair) for pair in zip(one, other, strict=True)])
    if min(spread_of_one, spread_of_other) <= 0:
        return float("nan")
    return float(found / np.sqrt(spread_of_one * spread_of_other))


def _spread(kernels: Sequence[np.ndarray]) -> float:
    """Returns the mean of what kernels share with themselves; 0 where that is rounding."""
    if not kernels:
        raise InputError("Expected kernels of at least one batch.")
    found = float(np.mean([hsic(one, one) for one in kernels]))
    scale = float(np.mean([np.mean(np.square(one)) for one in kernels]))
    return found if found > _FLAT * scale else 0.0
