"""Whether two explainers differ on the same pictures: of each picture the difference counts.

Pictures differ more than explainers do (one is named right by a corner of it, another by all of
it), so that means beside each other, with the errors of each, say less than they could.
"""

import dataclasses
from collections.abc import Sequence

import numpy as np
import scipy.stats

from tfvis.errors import InputError

# How sure an interval is, and 1 less it: how often chance alone may seem a difference.
LEVEL = 0.95


@dataclasses.dataclass(frozen=True)
class Paired:
    """The difference of two measures of the same pictures.

    Attributes:
        mean: of the first less the second.
        low, high: ends of the mean's interval at `LEVEL`, Student's.
        p: of Wilcoxon's signed ranks, two-sided: how likely chance alone gives such differences,
            or clearer ones.
        count: of pictures.
    """

    mean: float
    low: float
    high: float
    p: float
    count: int

    @property
    def differ(self) -> bool:
        """Whether both say so: the interval leaves out 0, and p is below 1 less `LEVEL`.

        Student's is of means and wants differences like a normal law's, Wilcoxon's is of
        neither; of five pictures or fewer Wilcoxon's is never below.
        """
        return bool((self.low > 0 or self.high < 0) and self.p < 1 - LEVEL)


def paired(one: Sequence[float], other: Sequence[float]) -> Paired:
    """Returns the difference of two measures, picture by picture.

    Args:
        one, other: [n], of the same pictures in the same order; 2 or more.

    Raises:
        InputError: not as many of both, fewer than two, or one that is not finite.
    """
    apart = np.asarray(one, np.float64) - np.asarray(other, np.float64)
    if np.shape(one) != np.shape(other) or apart.ndim != 1 or len(apart) < 2:
        raise InputError(
            f"Expected two measures of the same pictures, two or more. Received: {np.shape(one)}, "
            f"{np.shape(other)}"
        )
    if not np.isfinite(apart).all():
        raise InputError("Expected finite measures. Some are not.")
    mean, count = float(apart.mean()), len(apart)
    wide = float(scipy.stats.t.ppf((1 + LEVEL) / 2, count - 1) * scipy.stats.sem(apart))
    # Without any difference there are no ranks, and nothing to be told.
    p = float(scipy.stats.wilcoxon(apart).pvalue) if apart.any() else 1.0
    return Paired(mean, mean - wide, mean + wide, p, count)
