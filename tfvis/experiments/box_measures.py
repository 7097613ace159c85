"""How well boxes cut from maps lie, with the cut chosen on other pictures than those measured.

The pictures are parted in two by a hash of their files, so that a copy is in the same half. The
share of its maximum at which a map is cut is the one that is best in one half and counts in the
other, and the reverse. Only MaxBoxAcc and MaxBoxAccV2, which say so by their name, take the best
cut of the very pictures they measure.
"""

import dataclasses
import math
import pathlib
from collections.abc import Callable, Sequence

import numpy as np

from tfvis import progress_bar
from tfvis.attention import overlays
from tfvis.attention.boxes import Box
from tfvis.attention.metrics import average_precision, localization
from tfvis.attention.metrics.localization import HALF, MaxBoxAccuracy
from tfvis.experiments import localization_metrics

# Those at which data sets of art are judged: IoU 0.1 for rough, 0.5 for exact boxes (Gonthier et
# al. 2018), and one between.
AT = (0.1, 0.3, 0.5)


@dataclasses.dataclass(frozen=True, eq=False)
class Measures:
    """How well the boxes of one kind of map lie; `measured` makes one.

    Attributes:
        kind: of the maps.
        cuts: of the first half and of the second, shares of a map's maximum.
        chosen: whether each was chosen on the other half; else it is the default, or given.
        halves: pictures with true boxes in each.
        pairs: how often a class is in a picture.
        over: MaxBoxAcc over thresholds; None without pairs.
        gt_known: {IoU: share of the pairs whose box is right}.
        corloc: {IoU: the same per class, and the mean over classes}.
        precision: {IoU: {class: `PrecisionRecall`}}.
        empty: pictures without objects.
        false_first: boxes that `localize` draws in one of these, on average, at one a picture.
        false_all: the same with all parts of the map.
    """

    kind: str
    cuts: tuple[float, float]
    chosen: bool
    halves: tuple[int, int]
    pairs: int
    over: MaxBoxAccuracy | None
    gt_known: dict[float, float]
    corloc: dict[float, localization.CorLoc]
    precision: dict[float, dict[str, average_precision.PrecisionRecall]]
    empty: int
    false_first: float
    false_all: float

    def rows(self) -> list[tuple]:
        """Returns (map, measure, class, IoU, value, of how many), for a table."""
        rows: list[tuple] = []
        for at, per_class in self.precision.items():
            for name, way in (("AP 11-point (VOC 2007)", "ap_11_point"),
                              ("AP all-point (VOC 2010)", "ap_all_point")):  # fmt: skip
                values = {label: getattr(one, way)() for label, one in per_class.items()}
                rows += [
                    (name, label, at, values[label], one.positives)
                    for label, one in per_class.items()
                ]
                rows.append(
                    (f"m{name}", "", at, float(np.mean(list(values.values()))), len(values))
                )
        for at, share in self.gt_known.items():
            rows.append(("GT-known", "", at, share, self.pairs))
        for at, one in self.corloc.items():
            rows += [("CorLoc", label, at, share, "") for label, share in one.per_class.items()]
            rows.append(("mean CorLoc", "", at, one.mean, len(one.per_class)))
        if self.over is not None:
            rows += [
                ("MaxBoxAcc", "", at, self.over.max_box_acc(at), self.pairs)
                for at in localization.AT
            ]
            rows.append(("MaxBoxAccV2", "", "", self.over.v2(), self.pairs))
        if self.empty:
            rows.append(("false positives a picture", "", "", self.false_first, self.empty))
            rows.append(
                ("false positives a picture, all parts", "", "", self.false_all, self.empty)
            )
        return [(self.kind, *row) for row in rows]

    def numbers(self) -> dict[str, float]:
        """Returns {measure: value} of those that are no class's."""
        return {
            " ".join(f"{word}" for word in (measure, at) if word != ""): value
            for _, measure, label, at, value, _ in self.rows()
            if not label
        }

    def lines(self) -> list[str]:
        """Returns lines to print."""
        found = {(measure, label, at): value for _, measure, label, at, value, _ in self.rows()}
        cut = f"{self.cuts[0]:g} and {self.cuts[1]:g}"
        how = (
            f"each half ({self.halves[0]} and {self.halves[1]} pictures) at the best of the other"
            if self.chosen
            else "not chosen here"
        )
        lines = [f"{self.kind}: maps cut at {cut} of their maximum, {how}"]
        for word in ("GT-known", "mean CorLoc", "mAP 11-point (VOC 2007)",
                     "mAP all-point (VOC 2010)", "MaxBoxAcc"):  # fmt: skip
            shown = [f"{v:.1%} at IoU {at}" for (name, _, at), v in found.items() if name == word]
            if shown:
                lines.append(f"  {word}: {', '.join(shown)}")
        if self.over is not None:
            lines.append(f"  MaxBoxAccV2: {self.over.v2():.1%}")
        if self.empty:
            lines.append(
                f"  False positives: {self.false_first:.2f} boxes a picture on {self.empty} "
                f"pictures without objects ({self.false_all:.2f} with all parts)"
            )
        return lines


def half(digest: str) -> int:
    """Returns which half a picture is in, 0 or 1, by the SHA-256 of its file in hexadecimal."""
    return int(digest[-1], 16) % 2


def measured(
    kind: str,
    records: list[dict],
    workdir: pathlib.Path,
    boxes_of: Callable[[dict, str, float], list[Box]],
    default: float,
    given: float | None = None,
) -> Measures:
    """Returns the measures of one kind of map.

    Args:
        kind: of the maps.
        records: of `box_evaluation`, whose maps' files lie below `workdir`.
        workdir: of the run.
        boxes_of: (record, class, cut) -> boxes of the class in the picture, the largest first.
        default: cut where a half has no true boxes to choose by.
        given: cut of both halves, instead of choosing.
    """
    pairs = [(r, label) for r in records for label in r["true"]]
    parted = [[pair for pair in pairs if half(pair[0]["sha256"]) == k] for k in range(2)]
    over = [_over(kind, some, workdir) if some else None for some in parted]
    chosen = given is None and all(one is not None for one in over)
    cuts = (default, default) if given is None else (given, given)
    if chosen:
        cuts = over[1].middle_threshold(HALF), over[0].middle_threshold(HALF)
    found = {
        (r["folder"], label): boxes_of(r, label, cuts[half(r["sha256"])])
        for r in records
        for label in dict.fromkeys((*r["true"], *r["likely"], *_called(r)))
    }
    drawn = [found[r["folder"], label] for r in records if r["empty"] for label in _called(r)]
    empty = sum(r["empty"] for r in records)
    known = [one for one in over if one is not None]
    first = [next(iter(found[r["folder"], label]), None) for r, label in pairs]
    true = [_true(r, label) for r, label in pairs]
    labels = [label for _, label in pairs]
    return Measures(
        kind=kind,
        cuts=cuts,
        chosen=chosen,
        halves=tuple(len({r["folder"] for r, _ in some}) for some in parted),
        pairs=len(pairs),
        over=localization.pooled(known) if known else None,
        gt_known={at: localization.gt_known(first, true, at) for at in AT} if pairs else {},
        corloc={at: localization.corloc(first, true, labels, at) for at in AT} if pairs else {},
        precision=_precision(records, sorted(set(labels)), found) if pairs else {},
        empty=empty,
        false_first=sum(bool(some) for some in drawn) / empty if empty else math.nan,
        false_all=sum(map(len, drawn)) / empty if empty else math.nan,
    )


def _called(record: dict) -> list[str]:
    """Returns the class that `localize` draws boxes of; none where nothing is there."""
    return [] if record["none"] else [record["label"]]


def _precision(records, labels: Sequence[str], found) -> dict[float, dict]:
    """Returns precision and recall per IoU and class, of all pictures."""
    result: dict[float, dict] = {at: {} for at in AT}
    for label in labels:
        ranked = [
            (r["folder"], box)
            for r in records
            if label in r["likely"]
            for box in found[r["folder"], label]
        ]
        true = {r["folder"]: _true(r, label) for r in records if label in r["true"]}
        ignored = {
            r["folder"]: [Box(*row) for row in r["difficult"][label]]
            for r in records
            if label in r["difficult"]
        }
        for at in AT:
            result[at][label] = average_precision.precision_recall(ranked, true, ignored, at)
    return result


def _over(kind: str, pairs: list, workdir: pathlib.Path) -> MaxBoxAccuracy:
    """Returns MaxBoxAcc of some pictures; it opens their maps one by one."""
    return localization.max_box_accuracy(
        (
            read_map(workdir, r, kind, label)
            for r, label in progress_bar.bar(f"Measuring {kind}", len(pairs), pairs)
        ),
        (localization_metrics.on_canvas(r, r["true"][label]) for r, label in pairs),
    )


def read_map(workdir: pathlib.Path, record: dict, kind: str, label: str) -> np.ndarray:
    """Returns a map of a class, as a record's file has it."""
    return overlays.read_mask16(workdir / record["folder"] / record["maps"][kind][label])


def _true(record: dict, label: str) -> list[Box]:
    return [Box(*row) for row in record["true"][label]]
