"""How well boxes are found by a network that was told classes only.

Two boxes are matched by their intersection over union (IoU). Where a picture has several true
boxes, the best match counts. A picture without a predicted box counts as wrong. "At" an IoU
means that much or more.
"""

import dataclasses
from collections.abc import Hashable, Iterable, Iterator, Sequence

import numpy as np

from tfvis.attention import boxes
from tfvis.attention.boxes import Box
from tfvis.errors import InputError, arg

# The three of MaxBoxAccV2, and the one of every older measure (PASCAL VOC's).
AT, HALF = (0.3, 0.5, 0.7), 0.5
# wsolevaluation takes 1000 levels by default and 100 in its tests; a mask's box seldom
# changes within a hundredth, and this is a second per ten masks of 224 px.
THRESHOLDS = tuple(k / 100 for k in range(100))


@dataclasses.dataclass(frozen=True, eq=False)
class MaxBoxAccuracy:
    """Shares of pictures whose box is right, over thresholds; `max_box_accuracy` makes one.

    Attributes:
        count: of the pictures.
        thresholds: float64 [t], shares of a mask's maximum.
        at: float64 [a], the IoUs.
        largest: float64 [a, t], with the box of the largest part of each mask.
        any_part: float64 [a, t], with the best of the boxes of all its parts.
    """

    count: int
    thresholds: np.ndarray
    at: np.ndarray
    largest: np.ndarray
    any_part: np.ndarray

    def max_box_acc(self, at: float = HALF) -> float:
        """Returns MaxBoxAcc: of the largest part, at one IoU, at the best threshold."""
        return float(self.largest[self._place(at)].max())

    def v2(self) -> float:
        """Returns MaxBoxAccV2: of any part, the mean over all IoUs, each at its own best."""
        return float(self.any_part.max(1).mean())

    def best_threshold(self, at: float = HALF) -> float:
        """Returns the threshold of `max_box_acc`; of equals the lowest."""
        return float(self.thresholds[self.largest[self._place(at)].argmax()])

    def middle_threshold(self, at: float = HALF) -> float:
        """Returns a threshold of `max_box_acc`; of equals, the middle one.

        For boxes in other pictures: the lowest of a plateau lies on its edge.
        """
        row = self.largest[self._place(at)]
        best = np.flatnonzero(row == row.max())
        return float(self.thresholds[best[len(best) // 2]])

    def _place(self, at: float) -> int:
        found = np.flatnonzero(self.at == at)
        if not len(found):
            raise InputError(f"Expected an IoU of {self.at.tolist()}. Received: {at}")
        return int(found[0])


@dataclasses.dataclass(frozen=True)
class CorLoc:
    """Correct localisation of classes; `corloc` makes one.

    Attributes:
        per_class: {class: share of its pictures whose box is right}.
        mean: over the classes, each counting the same.
    """

    per_class: dict[Hashable, float]
    mean: float


def max_box_accuracy(
    masks: Iterable[np.ndarray],
    truths: Iterable[Sequence[Box]],
    thresholds: Sequence[float] = THRESHOLDS,
    at: Sequence[float] = AT,
) -> MaxBoxAccuracy:
    """Returns MaxBoxAcc and MaxBoxAccV2 (Choe et al., CVPR 2020 and TPAMI 2022).

    A mask is cut at a share of its maximum, one for all pictures; the share of pictures
    whose box is right at an IoU is taken at the best such threshold. MaxBoxAcc takes the
    box of the largest connected part, at IoU 0.5; V2 the best of the boxes of all parts,
    and the mean of its values at 0.3, 0.5 and 0.7, each with a best threshold of its own.

    The authors' code (wsolevaluation) cuts masks of 256 levels, stretched to 0..1 and all
    of 224 x 224; takes the area within a contour for the largest, and the contours of holes
    for parts too; and its boxes reach one pixel further right and down. Here masks have any
    size and depth, a part's area is its pixels, and boxes are tight.

    Args:
        masks: [height, width], 0 or more, any sizes; taken one by one and let go. Not
            stretched here: a mask that is nowhere 0 may be one part at low thresholds.
        truths: per mask its true boxes, one or more, in pixels of the mask.
        thresholds: shares of the maximum, 0 to below 1.
        at: IoUs, above 0 to 1.

    Raises:
        InputError: no masks, more of them than truths or fewer, a mask without a true box
            or that is none, a number out of its range.
    """
    thresholds, at = np.array(thresholds, np.float64), np.array(at, np.float64)
    if not (thresholds.size and np.all((thresholds >= 0) & (thresholds < 1))):
        raise InputError(
            f"{arg('thresholds')}: expected one or more shares of the maximum, 0 to below 1."
        )
    if not (at.size and np.all((at > 0) & (at <= 1))):
        raise InputError(f"{arg('at')}: expected one or more IoUs, above 0 to 1.")
    right = np.zeros((2, len(at), len(thresholds)), int)
    count = 0
    for mask, true in _pairs(masks, truths, "masks as truths"):
        mask, corners = boxes.checked(mask), _true(true, count)
        # [t, 2] -> [2, a, t]
        best = np.array([_best(mask, corners, threshold) for threshold in thresholds])
        right += best.T[:, None] >= at[:, None]
        count += 1
    return MaxBoxAccuracy(count, thresholds, at, *(right / count))


def pooled(measured: Sequence[MaxBoxAccuracy]) -> MaxBoxAccuracy:
    """Returns what `max_box_accuracy` says of several sets of masks together.

    Args:
        measured: of each set, with the same thresholds and IoUs.
    """
    counts = np.array([one.count for one in measured])
    first = measured[0]
    largest, any_part = (
        np.tensordot(counts, np.stack([getattr(one, name) for one in measured]), 1) / counts.sum()
        for name in ("largest", "any_part")
    )
    return dataclasses.replace(first, count=int(counts.sum()), largest=largest, any_part=any_part)


def gt_known(
    predicted: Sequence[Box | None], truths: Sequence[Sequence[Box]], at: float = HALF
) -> float:
    """Returns GT-known localisation: the share of pictures whose box is right.

    The box is that of the true class, which the network is told; so its errors in
    classification do not count. With one threshold for all masks, this is what
    `max_box_accuracy` takes the best of.

    Args:
        predicted: per picture the box of its true class, or None.
        truths: per picture its true boxes.
        at: IoU; 0.5 as in ILSVRC.

    Raises:
        InputError: no pictures, unequal numbers, a picture without a true box.
    """
    return float(_right(predicted, truths, at).mean())


def top_one(
    classes: Sequence[Hashable],
    predicted: Sequence[Box | None],
    labels: Sequence[Hashable],
    truths: Sequence[Sequence[Box]],
    at: float = HALF,
) -> float:
    """Returns top-1 localisation: the share of pictures with a right class and a right box.

    The accuracy to ILSVRC's top-1 localisation error (Russakovsky et al. 2015, section 4.2).

    Args:
        classes: per picture the class the network answers first.
        predicted: per picture the box of that class, or None.
        labels: per picture its true class.
        truths: per picture the true boxes of that class.
        at: IoU.

    Raises:
        InputError: as `gt_known`.
    """
    right = _right(predicted, truths, at)
    known = [a == b for a, b in _pairs(classes, labels, "classes as labels")]
    if len(known) != len(right):
        raise InputError(f"Expected {len(right)} classes, one per box. Received: {len(known)}")
    return float((right & np.array(known)).mean())


def corloc(
    predicted: Sequence[Box | None],
    truths: Sequence[Sequence[Box]],
    labels: Sequence[Hashable],
    at: float = HALF,
) -> CorLoc:
    """Returns CorLoc: per class, the share of the pictures that hold it whose box is right.

    Deselaers et al. 2012. A picture that holds two classes is given twice, each time with
    a box for, and the true boxes of, one of them.

    Args:
        predicted: the surest box of the class in each of its pictures, or None.
        truths: the true boxes of that class in it.
        labels: the classes.
        at: IoU; 0.5 as in PASCAL VOC.

    Returns:
        The classes in the order they first come.

    Raises:
        InputError: as `gt_known`.
    """
    right = _right(predicted, truths, at)
    if len(labels) != len(right):
        raise InputError(f"Expected {len(right)} labels, one per box. Received: {len(labels)}")
    of: dict[Hashable, list[bool]] = {}
    for label, good in zip(labels, right.tolist(), strict=True):
        of.setdefault(label, []).append(good)
    shares = {label: float(np.mean(good)) for label, good in of.items()}
    return CorLoc(shares, float(np.mean(list(shares.values()))))


def _best(mask: np.ndarray, true: np.ndarray, threshold: float) -> tuple[float, float]:
    """Returns the best IoU of the largest part's box, and of any part's."""
    corners, *_ = boxes.parts(mask, threshold)
    if not len(corners):
        return 0.0, 0.0
    best = boxes.ious(corners, true).max(1)
    return best[0], best.max()


def _right(predicted, truths, at: float) -> np.ndarray:
    """Returns bool [n]: which boxes match a true one."""
    if not 0 < at <= 1:
        raise InputError(f"{arg('at')}={at}: expected an IoU, above 0 to 1.")
    found = []
    for k, (box, true) in enumerate(_pairs(predicted, truths, "boxes as truths")):
        corners = _true(true, k)
        own = boxes.as_array([] if box is None else [box])
        found.append(boxes.ious(own, corners).max(initial=0) >= at)
    return np.array(found)


def _true(true: Sequence[Box], place: int) -> np.ndarray:
    corners = boxes.as_array(true)
    if not len(corners):
        raise InputError(f"Picture {place} has no true box; leave out such pictures.")
    return corners


def _pairs(first: Iterable, second: Iterable, what: str) -> Iterator[tuple]:
    """Yields what belongs together.

    Raises:
        InputError: one ends before the other, or both are empty.
    """
    first, second = iter(first), iter(second)
    end, count = object(), 0
    while True:
        pair = next(first, end), next(second, end)
        if pair[0] is end or pair[1] is end:
            break
        yield pair
        count += 1
    if pair[0] is not pair[1]:
        raise InputError(f"Expected as many {what}. One of them ended after {count}.")
    if not count:
        raise InputError("There is nothing to measure: no pictures.")
