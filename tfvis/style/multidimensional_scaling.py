"""A plane on which distances are as near to what they are as they can be (Torgerson 1952)."""

import dataclasses

import numpy as np
import scipy.linalg
import scipy.sparse.linalg

from tfvis.style.style_distance import ROWS

# Below so many points ARPACK is not asked.
_FEW = 8


@dataclasses.dataclass(frozen=True, eq=False)
class Plane:
    """Places of pictures on a plane.

    Attributes:
        places: float64 [pictures, 2]; the first axis has the larger spread.
        share: of the squared distances that these two axes show, 0..1.
    """

    places: np.ndarray
    share: float


def plane(distances: np.ndarray) -> Plane:
    """Returns classical multidimensional scaling, which of these distances is their PCA.

    Args:
        distances: [pictures, pictures], Euclidean, two pictures or more.
    """
    count = len(distances)
    means = np.array([np.mean(np.square(row, dtype=np.float64)) for row in distances], np.float64)
    trace = count * means.mean() / 2
    if trace <= 0:
        return Plane(np.zeros((count, 2)), 0.0)

    def centered(vector: np.ndarray) -> np.ndarray:
        """Multiplies by -J D^2 J / 2 without making it."""
        vector = vector.ravel() - vector.mean()
        product = np.concatenate(
            [
                np.square(distances[first : first + ROWS], dtype=np.float32) @ vector
                for first in range(0, count, ROWS)
            ]
        )
        return -(product - product.mean()) / 2

    if count < _FEW:
        gram = np.stack([centered(unit) for unit in np.eye(count)])
        values, vectors = scipy.linalg.eigh(gram)
    else:
        operator = scipy.sparse.linalg.LinearOperator((count, count), centered, dtype=np.float64)
        start = np.random.default_rng(0).standard_normal(count)
        values, vectors = scipy.sparse.linalg.eigsh(operator, 2, which="LA", v0=start, tol=1e-4)
    order = np.argsort(-values)[:2]
    values, vectors = np.maximum(values[order], 0), vectors[:, order]
    if vectors.shape[1] < 2:
        values, vectors = np.append(values, 0), np.column_stack([vectors, np.zeros(count)])
    # An axis has no direction of its own.
    largest = vectors[np.abs(vectors).argmax(0), range(2)]
    places = vectors * np.sqrt(values) * np.where(largest < 0, -1, 1)
    return Plane(places, float(values.sum() / trace))
