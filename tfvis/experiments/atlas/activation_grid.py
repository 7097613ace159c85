"""The activation atlas of a layer: its activations on a plane, averaged in a grid, and drawn.

Carter et al., "Activation Atlas" (Distill 2019): activations at places of many pictures are laid
out so that like lies by like; those of each cell of a grid are averaged, and a picture is sought
whose activation goes in that direction, whitened. They lay out by UMAP and say that t-SNE serves
as well; scikit-learn has t-SNE, here of principal components.
"""

import dataclasses

import numpy as np

from tfvis.experiments.atlas.answers import Answered

# Activations that are laid out at most: t-SNE takes half a minute of as many.
_POINTS = 2500
# Of fewer, t-SNE makes nothing.
_FEWEST = 12
# Components, behind which is hardly anything but noise; and t-SNE's neighbours, its default.
_COMPONENTS, _PERPLEXITY = 32, 30.0
# An average of fewer is one picture's.
_LEAST = 3
# Ends of an axis that are cut: a few stray points would empty the grid.
_CUT = 0.01
# Share of the mean variance that is added before whitening, or noise would be blown up.
_RIDGE = 0.1


@dataclasses.dataclass(frozen=True, eq=False)
class Grid:
    """Where activations of a layer lie.

    Attributes:
        side: cells along each edge.
        points: int64 [n], which of a layer's samples were laid out, as flat numbers.
        cells: int64 [n], the cell of each, row by row.
    """

    side: int
    points: np.ndarray
    cells: np.ndarray

    @property
    def filled(self) -> list[int]:
        """The cells that are averaged."""
        numbers, counts = np.unique(self.cells, return_counts=True)
        return numbers[counts >= _LEAST].tolist()

    def members(self, cell: int) -> np.ndarray:
        """Returns the flat numbers of a cell's samples."""
        return self.points[self.cells == cell]


def laid_out(looked: Answered, side: int, seed: int) -> Grid | None:
    """Lays the activations of a layer out; None of too few.

    Args:
        looked: what the layer answered.
        side: of the grid, in cells.
        seed: of t-SNE.
    """
    # Here: it takes a second to import, and most runs go on with what is laid out.
    from sklearn import decomposition, manifold

    flat = looked.samples.reshape(-1, looked.samples.shape[-1])
    lengths = np.linalg.norm(flat, axis=1)
    points = np.flatnonzero(lengths > 0)
    if len(points) > _POINTS:
        points = points[np.linspace(0, len(points) - 1, _POINTS).round().astype(int)]
    if side < 1 or len(points) < _FEWEST:
        return None
    # Of length 1: what it is, not how strong.
    unit = flat[points] / lengths[points, None]
    components = min(_COMPONENTS, *unit.shape)
    reduced = decomposition.PCA(components, svd_solver="full").fit_transform(unit)
    perplexity = min(_PERPLEXITY, (len(points) - 1) / 3)
    plane = manifold.TSNE(perplexity=perplexity, init="pca", random_state=seed).fit_transform(
        reduced[:, : max(2, components)]
    )
    low, high = np.quantile(plane, [_CUT, 1 - _CUT], axis=0)
    share = (plane - low) / np.maximum(high - low, 1e-9)
    columns, rows = np.clip((share * side).astype(int), 0, side - 1).T
    return Grid(side, points, rows * side + columns)


def averages(grid: Grid, looked: Answered) -> np.ndarray:
    """Returns the mean activation of each filled cell, float32 [cells, channels]."""
    flat = looked.samples.reshape(-1, looked.samples.shape[-1])
    return np.stack([flat[grid.members(cell)].mean(0) for cell in grid.filled])


def whitened(vectors: np.ndarray, looked: Answered) -> np.ndarray:
    """Returns directions, by how unlike a layer's usual activations they are.

    Args:
        vectors: float32 [n, channels].
        looked: what the layer answered.

    Returns:
        float32 [n, channels], each of length 1.
    """
    flat = looked.samples.reshape(-1, looked.samples.shape[-1]).astype(np.float64)
    correlation = flat.T @ flat / len(flat)
    ridge = _RIDGE * np.trace(correlation) / len(correlation)
    correlation[np.diag_indices(len(correlation))] += max(ridge, 1e-12)
    found = np.linalg.solve(correlation, vectors.T.astype(np.float64)).T
    return np.float32(found / np.maximum(np.linalg.norm(found, axis=1, keepdims=True), 1e-12))
