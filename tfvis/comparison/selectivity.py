"""How much a unit answers one group of pictures above the others: a class, or a manner."""

import numpy as np

from tfvis.errors import InputError

# (a - b) / (a + b) of one group at three times the rest.
ONE_GROUP = 0.5


def selectivity(means: np.ndarray) -> np.ndarray:
    """Returns (largest - rest) / (largest + rest) of each unit, 0..1 (Morcos et al. 2018).

    `rest` is the mean over the other groups. 0 answers all alike, 1 only one; nan for a unit that
    answers none.

    Args:
        means: [groups, units], mean answers of rectified units: 0 or more.

    Raises:
        InputError: fewer than two groups; an answer below 0, of which the ratio means nothing.
    """
    means = np.asarray(means, np.float64)
    if means.ndim != 2 or len(means) < 2:
        raise InputError(f"Expected mean answers to two or more groups. Received: {means.shape}")
    if means.min() < 0:
        raise InputError("Expected answers of rectified units, 0 or more.")
    most = means.max(0)
    rest = (means.sum(0) - most) / (len(means) - 1)
    whole = most + rest
    return np.divide(most - rest, whole, out=np.full(len(whole), np.nan), where=whole > 0)


def of_one_group(means: np.ndarray) -> np.ndarray:
    """Returns the share of units that answer each group at least three times the others.

    Args:
        means: see `selectivity`.

    Returns:
        float64 [groups]; of all units that answer at all.
    """
    found = selectivity(means)
    alive = ~np.isnan(found)
    if not alive.any():
        return np.full(len(means), np.nan)
    chosen = np.asarray(means).argmax(0)[alive & (found >= ONE_GROUP)]
    return np.bincount(chosen, minlength=len(means)) / alive.sum()
