"""Gradients as pictures: what is signed around mid grey, what is not from black."""

import numpy as np

# A single pixel (the tip of a nose) would take the whole range of a linear scale.
_PERCENTILE = 99.5


def shown(values: np.ndarray, signed: bool = True) -> np.ndarray:
    """Returns values as 0..255, zero as 127.5, or as 0 where nothing can be negative.

    The 99.5th percentile of what is not zero takes the whole range; beyond it is clipped.

    Args:
        values: [height, width] or [height, width, channels], any range.
        signed: whether they can be negative, even if none is: nothing is mid grey then.

    Returns:
        float32 [height, width, channels].
    """
    values = np.asarray(values, np.float32)
    values = values[..., None] if values.ndim == 2 else values
    size = np.abs(values)
    extent = np.percentile(size[size > 0], _PERCENTILE) if size.any() else 1.0
    unit = np.clip(values / extent, -1, 1)
    return 127.5 + 127.5 * unit if signed else 255 * unit
