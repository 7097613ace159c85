"""Clusters of pictures by their distances: DBSCAN and HDBSCAN, what they take, their medoids.

Ester et al., KDD 1996 (DBSCAN, and the k-distance graph that eps is read off); Campello et al.,
PAKDD 2013 (HDBSCAN), both as scikit-learn has them: a picture counts among its own neighbours.
"""

import numpy as np
import scipy.sparse
import sklearn.cluster

from tfvis.style.style_distance import ROWS

# Of the label of a picture that is in no cluster, as scikit-learn has it.
OUTLIER = -1


def k_distances(distances: np.ndarray, min_samples: int) -> np.ndarray:
    """Returns float32 [pictures]: how far each one's (min_samples - 1)th neighbour is.

    With this eps it is a core point of DBSCAN.

    Args:
        distances: [pictures, pictures].
        min_samples: 2 to the number of pictures.
    """
    other = min_samples - 1
    return np.concatenate(
        [
            np.partition(distances[first : first + ROWS], other, axis=1)[:, other]
            for first in range(0, len(distances), ROWS)
        ]
    )


def knee(curve: np.ndarray) -> float:
    """Returns the value of a rising curve that is farthest from its chord: where it bends most.

    Distances from a line are in the ratio of those straight up to it, whatever the axes' units.

    Args:
        curve: [points], two or more, in any order.
    """
    rising = np.sort(curve).astype(np.float64)
    chord = np.linspace(rising[0], rising[-1], len(rising))
    return float(rising[np.argmax(np.abs(chord - rising))])


def dbscan(distances: np.ndarray, eps: float, min_samples: int) -> np.ndarray:
    """Returns int [pictures], the cluster of each, the largest first; -1 of an outlier.

    Args:
        distances: float32 [pictures, pictures].
        eps: above 0, how far neighbours are at most.
        min_samples: neighbours of a core point, itself among them.
    """
    # Not a hair too small for the distance that it was read off.
    near = np.nextafter(np.float32(eps), np.float32(np.inf))
    found = sklearn.cluster.DBSCAN(eps=float(near), min_samples=min_samples, metric="precomputed")
    return by_size(found.fit(np.asarray(distances)).labels_)


def hdbscan(distances: np.ndarray, min_samples: int, min_cluster_size: int) -> np.ndarray:
    """Returns the same of HDBSCAN, for clusters of any density.

    scikit-learn's needs several copies of all distances in float64. The hierarchy is that of the
    minimum spanning tree of mutual reachability, so it is given that tree and each picture's
    nearest, of which it makes the same (but for the order of equal distances, of which there
    may be several such trees).

    Args:
        distances: float32 [pictures, pictures].
        min_samples: 2 to the number of pictures; of them, itself counted, the farthest says how
            dense it is there.
        min_cluster_size: 2 or more; fewer pictures are no cluster.
    """
    graph = _reachability(np.asarray(distances), min_samples)
    found = sklearn.cluster.HDBSCAN(
        min_cluster_size=min_cluster_size,
        min_samples=min_samples,
        metric="precomputed",
        copy=True,
    )
    return by_size(found.fit(graph).labels_)


def _reachability(distances: np.ndarray, min_samples: int) -> scipy.sparse.csr_matrix:
    """Returns the distances of each picture's nearest, and along the minimum spanning tree."""
    count, core = len(distances), k_distances(distances, min_samples)
    first, second = (axis.ravel() for axis in _nearest(distances, min_samples))
    # Prim's algorithm: the nearest to the tree joins it.
    left = np.ones(count, bool)
    reach, source = np.full(count, np.inf), np.zeros(count, np.int64)
    edges, newest = [], 0
    for _ in range(count - 1):
        left[newest] = False
        mutual = np.maximum(np.maximum(core, core[newest]), distances[newest])
        nearer = left & (mutual < reach)
        reach[nearer], source[nearer] = mutual[nearer], newest
        newest = int(np.argmin(np.where(left, reach, np.inf)))
        edges.append((source[newest], newest))
    ends = np.array(edges).reshape(-1, 2)
    rows = np.concatenate([first, second, ends[:, 0], ends[:, 1]])
    columns = np.concatenate([second, first, ends[:, 1], ends[:, 0]])
    rows, columns = np.unique(np.stack([rows, columns]), axis=1)
    # A zero in a sparse matrix is no edge.
    least = max(float(core.max()), 1e-30) * 1e-9
    values = np.maximum(distances[rows, columns].astype(np.float64), least)
    return scipy.sparse.csr_matrix((values, (rows, columns)), (count, count))


def _nearest(distances: np.ndarray, count: int) -> tuple[np.ndarray, np.ndarray]:
    """Returns int [pictures, count] twice: the picture, and its nearest, itself among them."""
    found = np.concatenate(
        [
            np.argpartition(distances[first : first + ROWS], count - 1, axis=1)[:, :count]
            for first in range(0, len(distances), ROWS)
        ]
    )
    own = np.arange(len(distances))[:, None]
    # Where others are as near as itself, it may be missing.
    missing = ~(found == own).any(1)
    found[missing, -1] = own[missing, 0]
    return np.broadcast_to(own, found.shape), found


def by_size(labels: np.ndarray) -> np.ndarray:
    """Returns labels numbered anew from 0, the largest cluster first; outliers stay."""
    names, firsts, counts = np.unique(labels, return_index=True, return_counts=True)
    order = [k for k in np.lexsort((firsts, -counts)) if names[k] != OUTLIER]
    renamed = np.full(len(labels), OUTLIER)
    for number, k in enumerate(order):
        renamed[labels == names[k]] = number
    return renamed


def medoids(distances: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """Returns int [clusters]: of each the picture whose distances to its others sum to the least.

    That is its most representative one. Of equals it is the first.

    Args:
        distances: [pictures, pictures].
        labels: int [pictures], clusters from 0 on; -1 of an outlier.
    """
    found = []
    for cluster in range(int(labels.max(initial=OUTLIER)) + 1):
        members = np.flatnonzero(labels == cluster)
        sums = [
            distances[np.ix_(members[first : first + ROWS], members)].sum(1, dtype=np.float64)
            for first in range(0, len(members), ROWS)
        ]
        found.append(members[np.argmin(np.concatenate(sums))])
    return np.array(found, np.int64)
