"""How alike two maps are: by the order of their pixels, and by their structure."""

import dataclasses
import math

import numpy as np
import scipy.stats
import tensorflow as tf

from tfvis.attention import boxes
from tfvis.errors import InputError


@dataclasses.dataclass(frozen=True)
class Similarity:
    """Of two maps.

    Attributes:
        spearman: correlation of ranks, -1 to 1.
        ssim: structural similarity of the maps stretched to 0..1, -1 to 1.
    """

    spearman: float
    ssim: float


def similarity(one: np.ndarray, other: np.ndarray) -> Similarity:
    """Returns the measures of Adebayo et al. 2018; both are 1 of a map and itself.

    Maps of this library are 0 or more, so that their signed and absolute rank correlations
    are the same number. SSIM is that of Wang et al. 2004 (11 x 11 px, deviation 1.5).

    Args:
        one, other: [height, width], 0 or more, of one size, 11 px or more.

    Raises:
        InputError: other shapes; a map that is the same everywhere, which is like nothing.
    """
    one, other = boxes.checked(one), boxes.checked(other)
    if one.shape != other.shape or min(one.shape) < 11:
        raise InputError(
            f"Expected maps of one size, 11 px or more. Received: {one.shape}, {other.shape}"
        )
    if np.ptp(one) == 0 or np.ptp(other) == 0:
        raise InputError("A map is the same everywhere; it is like nothing.")
    ranks = scipy.stats.spearmanr(one.ravel(), other.ravel()).statistic
    images = [tf.constant(_stretched(each)[None, ..., None], tf.float32) for each in (one, other)]
    found = Similarity(float(ranks), float(tf.image.ssim(*images, max_val=1.0)[0]))
    assert math.isfinite(found.spearman)
    return found


def _stretched(values: np.ndarray) -> np.ndarray:
    return (values - values.min()) / np.ptp(values)
