"""ROAD: remove and debias. How a score changes as pixels are painted over from around them.

Rong et al., "A Consistent and Efficient Evaluation Strategy for Attribution Methods" (ICML
2022) and their code: a removed pixel is the weighted mean of its eight neighbours (1/6 those
beside it, 1/12 those at its corners) and a little noise, all of them solved together. So no
hole in the shape of the map is left, which alone could tell a class.
"""

import dataclasses
from collections.abc import Sequence

import numpy as np
import scipy.sparse
import scipy.sparse.linalg

from tfvis.attention.metrics import perturbation
from tfvis.attention.metrics.perturbation import Scores
from tfvis.errors import InputError, arg

# Of the pixels, %; those of the paper's figures.
PERCENTAGES = (10, 20, 30, 40, 50, 60, 70, 80, 90)
# The authors' deviation of the noise, as a share of the range 0..255.
NOISE = 0.01 * 255
_NEIGHBOURS = tuple(
    ((down, right), 1 / 12 if down and right else 1 / 6)
    for down in (-1, 0, 1)
    for right in (-1, 0, 1)
    if down or right
)


@dataclasses.dataclass(frozen=True, eq=False)
class Road:
    """Scores of a picture with pixels removed.

    Attributes:
        percentages: float64 [n], of the pixels.
        most_first: float64 [n], with those of the largest values removed (MoRF).
        least_first: float64 [n], with those of the smallest (LeRF).
    """

    percentages: np.ndarray
    most_first: np.ndarray
    least_first: np.ndarray

    @property
    def combined(self) -> float:
        """(LeRF - MoRF) / 2, the mean over the percentages; more is better, 0 is by chance."""
        return float((self.least_first - self.most_first).mean() / 2)


def road(
    scores: Scores,
    image: np.ndarray,
    values: np.ndarray,
    percentages: Sequence[float] = PERCENTAGES,
    noise: float = NOISE,
    seed: int = 0,
) -> Road:
    """Returns the scores of a picture as the pixels a map marks most, and least, are removed.

    Args:
        scores: of the class that the picture has.
        image: [height, width, channels], 0..255.
        values: [height, width], the map; ties in an order that is drawn.
        percentages: of the pixels, above 0 to below 100.
        noise: deviation, in levels.
        seed: of the noise.

    Raises:
        InputError: other shapes, a map that is the same everywhere, a percentage out of range.
    """
    image = perturbation.checked(image, values)
    shares = np.array(percentages, np.float64)
    if not (shares.size and np.all((shares > 0) & (shares < 100))):
        raise InputError(
            f"{arg('percentages')}={percentages}: expected numbers above 0 to below 100."
        )
    places = perturbation.order(values)
    counts = np.clip(np.rint(shares / 100 * len(places)).astype(int), 1, len(places) - 1)

    def pictures(ordered):
        for count in counts:
            removed = np.zeros(len(places), bool)
            removed[ordered[:count]] = True
            yield imputed(image, removed.reshape(image.shape[:2]), noise, seed)

    return Road(
        shares,
        perturbation.asked(scores, pictures(places)),
        perturbation.asked(scores, pictures(places[::-1])),
    )


def imputed(
    image: np.ndarray, removed: np.ndarray, noise: float = NOISE, seed: int = 0
) -> np.ndarray:
    """Returns a picture whose removed pixels are made of those around them, float32.

    At the picture's border the weights of the neighbours there are count alone.

    Args:
        image: [height, width, channels].
        removed: bool [height, width]; some are, some are not.
        noise: deviation of what is added to them.
        seed: of the noise.

    Raises:
        InputError: another shape, all pixels removed.
    """
    image = perturbation.checked(image, removed)
    removed = np.asarray(removed, bool)
    if removed.all():
        raise InputError("All pixels are removed; nothing is left to make them of.")
    number = np.full(removed.shape, -1)
    number[removed] = np.arange(removed.sum())
    rows, columns = np.nonzero(removed)
    weights = np.zeros(len(rows))
    known = np.zeros((len(rows), image.shape[2]))
    entries = []
    for (down, right), weight in _NEIGHBOURS:
        y, x = rows + down, columns + right
        inside = (y >= 0) & (y < removed.shape[0]) & (x >= 0) & (x < removed.shape[1])
        own = np.flatnonzero(inside)
        y, x = y[inside], x[inside]
        weights[own] += weight
        open_ = removed[y, x]
        known[own[~open_]] += weight * image[y[~open_], x[~open_]]
        entries.append((own[open_], number[y[open_], x[open_]], np.full(open_.sum(), -weight)))
    entries.append((np.arange(len(rows)), np.arange(len(rows)), weights))
    i, j, value = (np.concatenate(part) for part in zip(*entries, strict=True))
    system = scipy.sparse.csc_matrix((value, (i, j)), shape=(len(rows), len(rows)))
    # Symmetric: an order of elimination for those is the faster one.
    solve = scipy.sparse.linalg.splu(
        system, permc_spec="MMD_AT_PLUS_A", diag_pivot_thresh=0.0, options={"SymmetricMode": True}
    )
    drawn = np.random.default_rng(seed).normal(0, 1, known.shape)
    found = image.copy()
    found[removed] = solve.solve(known) + noise * drawn
    return found
