"""Which places of one map the units of a later one see, exactly, as matrices of 0 and 1.

`receptive` answers in pixels of the image and with intervals; here both ends are layers of
the graph, and gaps (of a dilated convolution) are kept.
"""

import numpy as np

from tfvis.networks import receptive, surgery
from tfvis.networks.dominators import sources

Reach = tuple[np.ndarray, np.ndarray]


def reach(start, end, sizes: tuple[int, int]) -> Reach | None:
    """Returns what units of `end` see of `start`, per axis, over all ways between them.

    A branch through something that sees everything (the gates of squeeze-and-excitation)
    is left out where another keeps to its place.

    Args:
        start: symbolic tensor [batch, height, width, channels] that all ways to `end` pass.
        end: symbolic tensor.
        sizes: (height, width) of `start`.

    Returns:
        Rows, bool [height of end, height of start], and columns likewise: a unit sees the
        places whose row and column both are true. None where no way keeps to its place.
    """
    known: dict[int, Reach | None] = {id(start): tuple(np.eye(n, dtype=bool) for n in sizes)}
    # By hand, not by recursion: a block may be deeper than Python's stack.
    stack = [end]
    while stack:
        tensor = stack[-1]
        if id(tensor) in known:
            stack.pop()
            continue
        before = sources(tensor)
        missing = [source for source in before if id(source) not in known]
        if missing:
            stack.extend(missing)
            continue
        known[id(tensor)] = _step(tensor, before, [known[id(s)] for s in before])
        stack.pop()
    return known[id(end)]


def _step(tensor, before, given) -> Reach | None:
    """Returns the reach of one output from those of the inputs it was made of."""
    operation = surgery.operation(tensor)
    local = [found for found in given if found is not None]
    if not local or len(tensor.shape) != 4:
        return None
    if receptive.pointwise(operation):
        size = max(local, key=lambda found: found[0].shape[0] * found[1].shape[0])
        same = [f for f in local if all(a.shape == b.shape for a, b in zip(f, size, strict=True))]
        return tuple(np.any(axes, 0) for axes in zip(*same, strict=True))
    sizes = tuple(axis.shape[0] for axis in local[0])
    found = receptive.windows(operation, sizes, before[0].shape[-1])
    if not found or not all(window.size for window in found):
        return None
    return tuple(_through(axis, window) for axis, window in zip(local[0], found, strict=True))


def _through(axis: np.ndarray, window: receptive.Window) -> np.ndarray:
    seen = np.zeros((window.size, axis.shape[1]), bool)
    for offset in range(window.low, window.high + 1, window.gap):
        index, rest = np.divmod(window.step * np.arange(window.size) + offset, window.parts)
        inside = (rest == 0) & (index >= 0) & (index < len(axis))
        seen[inside] |= axis[index[inside]]
    return seen
