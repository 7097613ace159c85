"""Histograms of colours: what a style's descriptor has to be better than."""

import numpy as np

# Levels of each of red, green and blue (Swain and Ballard 1991 have 16, 8, 8 of opponent colours).
LEVELS = 8
LENGTH = LEVELS**3


def roots(pixels: np.ndarray) -> np.ndarray:
    """Returns float32 [LENGTH], of length 1: the root of each colour's share of the picture.

    Their distance is sqrt(2) times Hellinger's.

    Args:
        pixels: float32 [height, width, 3], RGB, 0..255.
    """
    level = np.clip(pixels * (LEVELS / 256), 0, LEVELS - 1).astype(np.int64)
    colors = (level * (LEVELS**2, LEVELS, 1)).sum(-1)
    counts = np.bincount(colors.ravel(), minlength=LENGTH)
    return np.sqrt(counts / colors.size).astype(np.float32)
