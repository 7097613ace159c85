"""Average precision of boxes with scores, as PASCAL VOC has it (Everingham et al. 2010, 2015)."""

import dataclasses
from collections.abc import Hashable, Mapping, Sequence

import numpy as np

from tfvis.attention import boxes
from tfvis.attention.boxes import Box
from tfvis.errors import InputError, arg

# Everingham et al. 2010, section 4.2: eleven equally spaced recalls.
_RECALLS = np.linspace(0, 1, 11)


@dataclasses.dataclass(frozen=True, eq=False)
class PrecisionRecall:
    """Precision over recall of one class; `precision_recall` makes one.

    Attributes:
        positives: true boxes that count.
        precision: float64 [n], of the first 1, 2, ... n boxes, the surest first.
        recall: float64 [n], of the same.
    """

    positives: int
    precision: np.ndarray
    recall: np.ndarray

    def ap_11_point(self) -> float:
        """Returns VOC 2007's: the mean of the best precision at recalls of 0, 0.1, ... 1 or more.

        "Or more" with a tolerance of rounding: 3 of 10 boxes are a recall of 0.3.
        """
        reached = self.recall[None] >= _RECALLS[:, None] - 1e-9
        return float(np.where(reached, self.precision[None], 0.0).max(1, initial=0).mean())

    def ap_all_point(self) -> float:
        """Returns that of VOC 2010 on: the area under the best precision at each recall or more."""
        best = np.maximum.accumulate(self.precision[::-1])[::-1]
        return float((np.diff(self.recall, prepend=0) * best).sum())


def precision_recall(
    found: Sequence[tuple[Hashable, Box]],
    truths: Mapping[Hashable, Sequence[Box]],
    difficult: Mapping[Hashable, Sequence[Box]] | None = None,
    at: float = 0.5,
) -> PrecisionRecall:
    """Returns precision and recall of the boxes that were found of one class in all pictures.

    The surest box first, each is held beside the true box of its picture that it overlaps
    most: right if they match and that one was not found before, else wrong. A box that
    overlaps a difficult one most, and matches it, is neither (VOC's development kit).

    Args:
        found: (picture, box) each, in any order; of equal scores the first first.
        truths: per picture its true boxes; pictures without one may be left out.
        difficult: per picture those true boxes that need not be found.
        at: IoU, above 0 to 1; "match" is that much or more.

    Raises:
        InputError: no true box that counts, or an IoU out of its range.
    """
    if not 0 < at <= 1:
        raise InputError(f"{arg('at')}={at}: expected an IoU, above 0 to 1.")
    positives = sum(map(len, truths.values()))
    if not positives:
        raise InputError("There is nothing to find: no true boxes.")
    difficult = difficult or {}
    taken: set[tuple[Hashable, int]] = set()
    right, wrong = [], []
    for picture, box in sorted(found, key=lambda one: -one[1].score):
        own, ignored = truths.get(picture, ()), difficult.get(picture, ())
        overlaps = boxes.ious(boxes.as_array([box]), boxes.as_array([*own, *ignored]))[0]
        best = int(overlaps.argmax()) if len(overlaps) else -1
        matched = best >= 0 and overlaps[best] >= at
        if matched and best >= len(own):
            continue
        good = matched and (picture, best) not in taken
        if good:
            taken.add((picture, best))
        right.append(good)
        wrong.append(not good)
    hits, misses = np.cumsum(right, dtype=np.float64), np.cumsum(wrong, dtype=np.float64)
    # One of the two is 1 from the first box on.
    return PrecisionRecall(positives, hits / (hits + misses), hits / positives)
