"""The style distance of Gatys et al. between all pictures of a collection.

d(a, b)^2 = sum_l w_l E_l(a, b) (Gatys et al. 2016, equation 5), whose root is a metric. What the
layers' vectors are is told in `descriptors`.
"""

import dataclasses
from collections.abc import Sequence

import numpy as np
import scipy.linalg.blas

# Columns that are multiplied at a time, as float32: 80 MB of 10,000 pictures.
_COLUMNS = 2048
# Rows that are looked through at a time.
ROWS = 512


@dataclasses.dataclass(frozen=True, eq=False)
class Layer:
    """The vectors of one layer of a collection.

    Attributes:
        directions: [pictures, numbers] of length 1 (or 0), in any floating type, also on disk.
        lengths: float32 [pictures], what they are to be multiplied by.
    """

    directions: np.ndarray
    lengths: np.ndarray

    @classmethod
    def of(cls, vectors: np.ndarray) -> "Layer":
        """Returns vectors, float32 [pictures, numbers], as directions and lengths."""
        lengths = np.linalg.norm(vectors, axis=1)
        return cls(vectors / np.maximum(lengths, 1e-30)[:, None], lengths)


def factors(layers: Sequence[Layer], weights: Sequence[float], scaling: str) -> np.ndarray:
    """Returns what directions are multiplied by, float64 [layers, pictures].

    Args:
        layers: their vectors.
        weights: w_l, 0 or more; empty is 1 each.
        scaling: "raw", nothing but the weights' roots; "layers", each layer's distances over the
            root of their mean square, so that each counts as much as its weight says; "cosine",
            the raw vector of all layers at length 1; "layer_cosine", each layer's at length 1.
    """
    lengths = np.stack([layer.lengths for layer in layers]).astype(np.float64)
    roots = np.sqrt(np.asarray(weights if len(weights) else [1.0] * len(layers)))[:, None]
    if scaling == "layer_cosine":
        return roots * (lengths > 0)
    if scaling == "layers":
        squared = np.array([_mean_squared(layer) for layer in layers])[:, None]
        roots = roots * np.divide(
            1, np.sqrt(squared), where=squared > 0, out=np.zeros_like(squared)
        )
    scaled = roots * lengths
    if scaling == "cosine":
        whole = np.sqrt(np.square(scaled).sum(0))
        scaled = np.divide(scaled, whole, where=whole > 0, out=np.zeros_like(scaled))
    return scaled


def _mean_squared(layer: Layer) -> float:
    """Returns the mean squared distance of two pictures at a layer."""
    count = len(layer.lengths)
    mean = np.zeros(layer.directions.shape[1])
    for first in range(0, count, ROWS):
        part = slice(first, first + ROWS)
        mean += layer.lengths[part].astype(np.float64) @ layer.directions[part].astype(np.float64)
    mean /= count
    spread = np.mean(np.square(layer.lengths, dtype=np.float64)) - np.sum(np.square(mean))
    return max(0.0, 2 * count / max(count - 1, 1) * float(spread))


def distances(layers: Sequence[Layer], scaled: np.ndarray) -> np.ndarray:
    """Returns float32 [pictures, pictures], symmetric, zeros on the diagonal.

    Args:
        layers: their vectors.
        scaled: float [layers, pictures], see `factors`.
    """
    count = len(layers[0].lengths)
    products = np.zeros((count, count), np.float32, order="F")
    for layer, lengths in zip(layers, scaled, strict=True):
        for first in range(0, layer.directions.shape[1], _COLUMNS):
            part = layer.directions[:, first : first + _COLUMNS].astype(np.float32)
            part *= lengths.astype(np.float32)[:, None]
            # Distances stay, and digits that all pictures share do not cancel.
            part -= part.mean(0, dtype=np.float64).astype(np.float32)
            # One triangle of part @ part.T, added in place.
            products = scipy.linalg.blas.ssyrk(
                1.0, part.T, beta=1.0, c=products, trans=1, lower=1, overwrite_c=1
            )
    return _from_products(products)


def _from_products(products: np.ndarray) -> np.ndarray:
    """Turns the lower triangle of inner products into distances, in place."""
    squares = np.diag(products).copy()
    for first in range(0, len(products), ROWS):
        part = slice(first, first + ROWS)
        rows = products[part, : first + ROWS]
        rows = squares[part, None] + squares[None, : first + ROWS] - 2 * rows
        rows = np.sqrt(np.maximum(rows, 0))
        own = np.tril(rows[:, part], -1)
        rows[:, part] = own + own.T
        products[part, : first + ROWS] = rows
        products[: first + ROWS, part] = rows.T
    return products.T  # The same, rows in one piece.
