"""What the folders of pictures say of them: their classes, and the domains these come from."""

import dataclasses
import pathlib
from collections.abc import Sequence

import numpy as np

from tfvis.comparison import selectivity

# More domains than these are not told apart in one small histogram.
_DOMAINS = 8
# Bars of a histogram: a thousand pictures fill as many, the root of their number halved.
BINS = 16


@dataclasses.dataclass(frozen=True, eq=False)
class Groups:
    """Which pictures belong together.

    Attributes:
        classes: names of the folders that pictures lie in; none where there is only one.
        of_class: int64 [pictures], which; 0 without.
        domains: names of the folders that hold folders of classes, or of the classes where they
            are few; one, "", of all pictures otherwise.
        of_domain: int64 [pictures], which.
    """

    classes: tuple[str, ...]
    of_class: np.ndarray
    domains: tuple[str, ...]
    of_domain: np.ndarray


def of_names(names: Sequence[str]) -> Groups:
    """Returns the groups of pictures by their paths below the folder of all."""
    parents = [pathlib.PurePosixPath(name).parts[:-1] for name in names]
    classes, of_class = _numbered([parts[-1] if parts else "" for parts in parents])
    domains, of_domain = _numbered([parts[0] if len(parts) > 1 else "" for parts in parents])
    if len(domains) == 1 or len(domains) > _DOMAINS:
        domains, of_domain = classes, of_class
    if len(domains) == 1 or len(domains) > _DOMAINS:
        domains, of_domain = ("",), np.zeros(len(names), np.int64)
    return Groups(classes if len(classes) > 1 else (), of_class, domains, of_domain)


def _numbered(words: list[str]) -> tuple[tuple[str, ...], np.ndarray]:
    known = sorted(set(words))
    return tuple(known), np.array([known.index(word) for word in words], np.int64)


def histograms(largest: np.ndarray, groups: Groups) -> np.ndarray:
    """Returns how many pictures of each domain excite each unit how much.

    Args:
        largest: float32 [pictures, units], the most of each picture.
        groups: of the pictures.

    Returns:
        int64 [units, domains, BINS], from the smallest of all pictures, or 0, to the largest.
    """
    low, high = np.minimum(largest.min(0), 0), largest.max(0)
    share = (largest - low) / np.maximum(high - low, 1e-12)
    bins = np.minimum((share * BINS).astype(np.int64), BINS - 1)
    found = np.zeros((largest.shape[1], len(groups.domains), BINS), np.int64)
    for domain in range(len(groups.domains)):
        for one in range(BINS):
            found[:, domain, one] = (bins[groups.of_domain == domain] == one).sum(0)
    return found


def preferred(means: np.ndarray, groups: Groups) -> tuple[np.ndarray, np.ndarray] | None:
    """Returns the class each unit answers most, and how selectively; None without classes.

    Args:
        means: float32 [pictures, units], mean answers of each picture.
        groups: of the pictures.

    Returns:
        (int64 [units], float64 [units], see `selectivity.selectivity`), or None, also of units
        that answer below 0.
    """
    if not groups.classes or means.min() < 0:
        return None
    of_classes = np.stack([means[groups.of_class == k].mean(0) for k in range(len(groups.classes))])
    return of_classes.argmax(0), selectivity.selectivity(of_classes)
