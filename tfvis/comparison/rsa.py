"""Representational similarity: do two layers find the same pictures alike (Kriegeskorte 2008)?

Applied to photographs and drawings of the same things, it tells whether a layer sees through the
manner of depiction (Singer et al. 2022, who show photograph, drawing and sketch of each object).
Where folders name classes only, a photograph and a drawing of one class are no pair of one thing:
`of_classes` averages away what tells pictures of a class apart.
"""

from collections.abc import Sequence

import numpy as np
import scipy.stats

from tfvis.comparison import cka
from tfvis.errors import InputError

# Three pictures have three pairs: the least that can be ordered.
LEAST = 3
# Below this share of a picture's mean square, what its features vary by is rounding.
_FLAT = 1e-10


def dissimilarities(features: np.ndarray) -> np.ndarray:
    """Returns 1 - Pearson's correlation of the features of each pair, float64 [n, n], 0..2.

    nan in the rows of pictures to which all features answer the same.

    Args:
        features: [n, ...], of a layer; flattened.
    """
    return of_kernel(cka.kernel(features), features)


def of_kernel(kernel: np.ndarray, features: np.ndarray) -> np.ndarray:
    """Returns `dissimilarities` of features whose `cka.kernel` is known."""
    flat = np.reshape(features, (len(features), -1))
    # Row by row: a copy of a shallow layer in float64 would not fit beside it.
    means = np.array([row.mean(dtype=np.float64) for row in flat])
    products = kernel - flat.shape[1] * np.outer(means, means)
    return _one_minus_cosines(products, np.diag(kernel))


def of_classes(
    kernel: np.ndarray, means: np.ndarray, features: int, labels: np.ndarray
) -> np.ndarray:
    """Returns `dissimilarities` of what a layer answers to each class on average.

    Averages of responses are as linear as the kernel is: they need not be kept themselves.

    Args:
        kernel: [n, n], `cka.kernel` of pictures' features.
        means: [n], of each picture's features.
        features: how many these are.
        labels: int [n], of each picture.

    Returns:
        float64 [classes, classes], in the order of the labels' numbers.
    """
    centered = kernel - features * np.outer(means, means)
    of = (np.asarray(labels) == np.unique(labels)[:, None]).astype(np.float64)
    of /= of.sum(1, keepdims=True)
    return _one_minus_cosines(of @ centered @ of.T, np.diag(of @ kernel @ of.T))


def _one_minus_cosines(products: np.ndarray, squares: np.ndarray) -> np.ndarray:
    """Returns 1 - cosine of centred vectors by their products; `squares` are not centred."""
    squared = np.diag(products)
    length = np.sqrt(np.where(squared > _FLAT * squares, squared, np.nan))
    found = 1 - products / np.outer(length, length)
    np.fill_diagonal(found, np.where(np.isnan(length), np.nan, 0.0))
    return found


def agreement(one: Sequence[np.ndarray], other: Sequence[np.ndarray]) -> float:
    """Returns Spearman's correlation of the dissimilarities of all pairs, the mean over batches.

    Args:
        one, other: of each batch, [n, n] of as many pictures that stand for the same things in
            the same order.

    Returns:
        -1 to 1; nan where no batch has pairs whose order is defined.

    Raises:
        InputError: other shapes, too few pictures.
    """
    if len(one) != len(other) or not one:
        raise InputError(f"Expected the same batches: {len(one)}, {len(other)}")
    found = np.array([_spearman(*pair) for pair in zip(one, other, strict=True)])
    return float(np.mean(found[~np.isnan(found)])) if not np.isnan(found).all() else float("nan")


def halves(one: Sequence[np.ndarray], other: Sequence[np.ndarray]) -> tuple[float, float]:
    """Returns how two agree, and one with itself, each in halves of the batches.

    Dissimilarities are averaged over every other batch, and set beside those of the batches
    between: of the other, and of the same. So both numbers are of equally many pictures, none of
    them in both halves. Of a single batch the first is of that batch.

    Args:
        one, other: of each batch, [n, n] of the same things, such as `of_classes`.

    Returns:
        Spearman's correlations; nan where fewer than three things have three pairs, and the second
        of a single batch. There is no p-value: of few things there are few orders.

    Raises:
        InputError: other shapes.
    """
    if len(one) != len(other) or not one:
        raise InputError(f"Expected the same batches: {len(one)}, {len(other)}")
    if len(one[0]) < LEAST:
        return float("nan"), float("nan")
    if len(one) == 1:
        return agreement(one, other), float("nan")
    first, second = ([np.mean(part[k::2], 0) for k in (0, 1)] for part in (one, other))
    return agreement(first, second[::-1]), agreement(first[:1], first[1:])


def p_value(
    one: Sequence[np.ndarray],
    other: Sequence[np.ndarray],
    permutations: int = 1000,
    seed: int = 0,
) -> float:
    """Returns how often pictures in any order agree as much: (1 + as much) / (1 + all).

    Args:
        one, other: see `agreement`.
        permutations: of the pictures of `other`, all batches at once.
        seed: of the orders.
    """
    generator = np.random.default_rng(seed)
    reached = agreement(one, other)
    if np.isnan(reached):
        return float("nan")
    ranked = [(_ranks(a), b) for a, b in zip(one, other, strict=True)]
    count = 0
    for _ in range(permutations):
        found = []
        for ranks, matrix in ranked:
            order = generator.permutation(len(matrix))
            found.append(_correlation(ranks, _ranks(matrix[np.ix_(order, order)])))
        found = np.array(found)
        count += not np.isnan(found).all() and np.nanmean(found) >= reached
    return (1 + count) / (1 + permutations)


def _spearman(one: np.ndarray, other: np.ndarray) -> float:
    if one.shape != other.shape or one.ndim != 2 or len(one) != one.shape[1] or len(one) < LEAST:
        raise InputError(
            f"Expected dissimilarities of the same {LEAST} or more pictures. Received: "
            f"{one.shape}, {other.shape}"
        )
    return _correlation(_ranks(one), _ranks(other))


def _ranks(matrix: np.ndarray) -> np.ndarray:
    """Returns the ranks of a matrix's upper triangle, nan where that is undefined."""
    values = matrix[np.triu_indices(len(matrix), 1)]
    ranks = np.full(len(values), np.nan)
    known = ~np.isnan(values)
    ranks[known] = scipy.stats.rankdata(values[known])
    return ranks


def _correlation(one: np.ndarray, other: np.ndarray) -> float:
    known = ~(np.isnan(one) | np.isnan(other))
    one, other = one[known], other[known]
    if len(one) < LEAST or np.ptp(one) == 0 or np.ptp(other) == 0:
        return float("nan")
    return float(np.corrcoef(one, other)[0, 1])
