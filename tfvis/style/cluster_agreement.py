"""How clusters agree with names that pictures have, such as those of their folders."""

import dataclasses

import numpy as np
import sklearn.metrics

from tfvis.style.style_distance import ROWS


@dataclasses.dataclass(frozen=True)
class Agreement:
    """Measures of scikit-learn, and one that needs no clusters.

    Attributes:
        ari: adjusted Rand index: 1 is the same parts, 0 what chance gives, less is worse.
        nmi: normalised mutual information by the arithmetic mean, 0..1, which is the V-measure:
            the harmonic mean of the next two.
        homogeneity: 1 where a cluster has pictures of one name only.
        completeness: 1 where all pictures of a name are in one cluster.
        nearest: share of pictures whose nearest other has the same name.
    """

    ari: float
    nmi: float
    homogeneity: float
    completeness: float
    nearest: float


def agreement(names: np.ndarray, labels: np.ndarray, distances: np.ndarray) -> Agreement:
    """Returns how labels agree with names; outliers count as one more cluster.

    Args:
        names: [pictures], of any type.
        labels: int [pictures], -1 of an outlier.
        distances: [pictures, pictures].
    """
    measures = sklearn.metrics.homogeneity_completeness_v_measure(names, labels)
    nearest = nearest_others(distances)
    return Agreement(
        ari=float(sklearn.metrics.adjusted_rand_score(names, labels)),
        nmi=float(measures[2]),
        homogeneity=float(measures[0]),
        completeness=float(measures[1]),
        nearest=float(np.mean(names[nearest] == names)),
    )


def nearest_others(distances: np.ndarray) -> np.ndarray:
    """Returns int [pictures]: the nearest other picture of each."""
    found = []
    for first in range(0, len(distances), ROWS):
        part = np.array(distances[first : first + ROWS])
        part[np.arange(len(part)), first + np.arange(len(part))] = np.inf
        found.append(part.argmin(1))
    return np.concatenate(found)
