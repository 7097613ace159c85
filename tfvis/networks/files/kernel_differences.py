"""Kernels kept as what they differ by from those they began as, in 8 bits: half of float16.

What a network learnt further is small beside what it knew, so that steps of the difference are far
finer than steps of the kernel would be. One step for each output channel, whose largest difference
is 127 of them.
"""

from collections.abc import Sequence

import numpy as np

from tfvis.errors import InputError

_LEVELS = 127


def differences(kernel: np.ndarray, before: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Returns (levels int8 [..., channels], steps float32 [channels]).

    Args:
        kernel, before: float32 [..., channels], of one shape.
    """
    change = np.asarray(kernel, np.float32) - np.asarray(before, np.float32)
    steps = np.abs(change).reshape(-1, change.shape[-1]).max(0) / _LEVELS
    levels = np.divide(change, steps, out=np.zeros_like(change), where=steps > 0)
    return np.round(levels).astype(np.int8), steps.astype(np.float32)


def applied(before: np.ndarray, kept: Sequence[np.ndarray], label: str) -> np.ndarray:
    """Returns the kernel again, float32, within half a step.

    Args:
        before: float32 [..., channels].
        kept: levels and steps.
        label: what messages begin with.

    Raises:
        InputError: they are not those of such a kernel.
    """
    fits = len(kept) == 2 and kept[0].dtype == np.int8 and kept[0].shape == before.shape
    if not fits or kept[1].shape != before.shape[-1:] or not np.isfinite(kept[1]).all():
        raise InputError(f"{label}: its differences are not those of a kernel {before.shape}.")
    return before + kept[0].astype(np.float32) * kept[1].astype(np.float32)
