"""Which places of one map the units of a later one see, exactly, as matrices of 0 and 1.

`receptive` answers in pixels of the image and with intervals; here both ends are layers of
the graph, and gaps (of a dilated convolution) are kept.
"""

import numpy as np

from tfvis.networks.receptive_field import spatial_positions
from tfvis.networks.receptive_field.layer_rules import Layout, Support, Window
from tfvis.networks.receptive_field.spatial_positions import State
from tfvis.networks.receptive_field.subgraph_probing import Lost

Reach = tuple[np.ndarray, np.ndarray]


def reach(start, end, sizes: tuple[int, int], layout: Layout = Layout()) -> Reach | Lost:
    """Returns what units of `end` see of `start`, per axis, over all ways between them.

    A branch through something that sees everything (the gates of squeeze-and-excitation)
    is left out where another keeps to its place.

    Args:
        start: symbolic tensor that all ways to `end` pass.
        end: symbolic tensor.
        sizes: (height, width) of the places of `start`.
        layout: where in `start` they lie.

    Returns:
        Rows, bool [height of end, height of start], and columns likewise: a unit sees the
        places whose row and column both are true. `Lost` where no way keeps to its place.
    """
    seen = State(layout, *(np.eye(size, dtype=bool) for size in sizes))
    found = spatial_positions.Walk(start, seen, _Matrices(), strict=False).to(end)
    return found if isinstance(found, Lost) else (found.rows, found.columns)


class _Matrices:
    """What is seen, bool [places, places of the start]; a `spatial_positions.Algebra`."""

    def length(self, axis: np.ndarray) -> int:
        return len(axis)

    def through(self, axis: np.ndarray, seen: Window | Support) -> np.ndarray:
        found = np.zeros((seen.size, axis.shape[1]), bool)
        for outputs, inputs in seen.pairs(len(axis)):
            found[outputs] |= axis[inputs]
        return found

    def united(self, axes: list[np.ndarray]) -> np.ndarray:
        return np.any(axes, 0)
