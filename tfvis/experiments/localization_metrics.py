"""Boxes of `localize` beside true ones: which belong together, and how well they match."""

import dataclasses
import pathlib
from collections.abc import Iterator, Sequence

import numpy as np

from tfvis import files
from tfvis.attention import boxes, overlays
from tfvis.attention.boxes import Box
from tfvis.attention.metrics import localization
from tfvis.classifiers.datasets import NEGATIVE
from tfvis.errors import InputError, arg, nearest
from tfvis.experiments import messages
from tfvis.experiments.attention_models import AttentionModel
from tfvis.experiments.box_files import Row
from tfvis.experiments.picture_tasks import InputPictures

Truths = dict[pathlib.Path, dict[str, list[Box]]]


@dataclasses.dataclass(frozen=True)
class Measures:
    """How well boxes match the true ones.

    Attributes:
        pairs: how many, of a picture and a class in it.
        pictures: how many have true boxes.
        threshold: at which the boxes were cut.
        over: MaxBoxAcc of the maps, over thresholds.
        gt_known: share of the pairs whose box is right.
        corloc: the same per class, and its mean.
        top_one: share of the pictures whose class and box are right; None where the class
            was given.
    """

    pairs: int
    pictures: int
    threshold: float
    over: localization.MaxBoxAccuracy
    gt_known: float
    corloc: localization.CorLoc
    top_one: float | None

    def numbers(self) -> dict[str, float]:
        """Returns {measure: value}, 0 to 1."""
        found = {f"max_box_acc_{at}": self.over.max_box_acc(at) for at in localization.AT}
        found |= {"max_box_acc_v2": self.over.v2(), "gt_known": self.gt_known}
        found |= {"corloc": self.corloc.mean}
        return found if self.top_one is None else found | {"top_1_localization": self.top_one}

    def told(self) -> dict:
        """Returns what a manifest says of them."""
        best = {str(at): self.over.best_threshold(at) for at in localization.AT}
        return self.numbers() | {
            "corloc_per_class": self.corloc.per_class,
            "best_thresholds": best,
            "threshold": self.threshold,
            "pairs": self.pairs,
            "pictures": self.pictures,
        }

    def lines(self) -> list[str]:
        """Returns lines to print."""
        best = ", ".join(
            f"IoU {at}: {self.over.max_box_acc(at):.1%} (threshold "
            f"{self.over.best_threshold(at):g})"
            for at in localization.AT
        )
        top = "" if self.top_one is None else f", top-1 localisation {self.top_one:.1%}"
        each = ", ".join(f"{name} {share:.1%}" for name, share in self.corloc.per_class.items())
        return [
            f"Measured on {self.pictures} pictures, {self.pairs} times a class in one:",
            f"MaxBoxAcc {best}; V2 {self.over.v2():.1%}",
            f"At threshold {self.threshold:g} and IoU 0.5: GT-known {self.gt_known:.1%}, "
            f"CorLoc {self.corloc.mean:.1%}{top}",
            f"CorLoc of {each}",
        ]


def matched(
    rows: list[Row], inputs: InputPictures, table: str | None, model: AttentionModel
) -> Truths:
    """Returns the true boxes of each picture, by class.

    A path of the table is looked for where the program runs, beside the table, and in the
    folder that is looked through, in this order.

    Args:
        rows: of the table.
        inputs: the pictures.
        table: its file.
        model: whose classes.

    Raises:
        InputError: a class it does not know, or none of the paths is one of the pictures.
    """
    if table is None:
        return {}
    known = [name for name in model.classes if name != NEGATIVE]
    for row in rows:
        if row.label not in known:
            raise InputError(
                f"{arg('ground_truth')}={table}: {row.label!r} is no class of {model.name} that "
                f"has boxes. {nearest(row.label, known)}"
            )
    pictures = {path.resolve(): path for path in inputs.found.paths}
    roots = (pathlib.Path(), files.located(table).parent, inputs.found.root)
    found: Truths = {}
    lost: dict[str, None] = {}
    for row in rows:
        tried = ((root / row.path).resolve() for root in roots)
        path = next((pictures[whole] for whole in tried if whole in pictures), None)
        if path is None:
            lost[row.path] = None
        else:
            found.setdefault(path, {}).setdefault(row.label, []).append(row.box)
    if not found:
        raise InputError(
            f"{arg('ground_truth')}={table}: none of its paths is one of the pictures; the first "
            f"is {rows[0].path}. They count from here, from the table, or from {arg('image')}."
        )
    if lost:
        messages.note(
            f"{len(lost)} paths of {arg('ground_truth')} are none of the pictures, such as "
            f"{next(iter(lost))}."
        )
    return found


def measured(
    records: list[dict], workdir: pathlib.Path, threshold: float, likeliest: bool
) -> Measures | None:
    """Returns the measures of records with true boxes, None where there are none.

    Args:
        records: of `localize`, with their maps' files below `workdir`.
        workdir: of the run.
        threshold: at which the boxes were cut.
        likeliest: whether each picture's class was the classifier's own answer.
    """
    pairs = [(r, label, known) for r in records for label, known in r["known"].items()]
    if not pairs:
        return None
    found = [_first(known["found"]) for _, _, known in pairs]
    true = [_boxes(known["true"]) for _, _, known in pairs]
    over = localization.max_box_accuracy(*_maps(pairs, workdir))
    top_one = None
    pictures = [record for record in records if record["known"]]
    if likeliest:
        # Of a picture with several classes the one that was answered, if it is in it.
        answered = [
            r["label"] if r["label"] in r["known"] else next(iter(r["known"])) for r in pictures
        ]
        top_one = localization.top_one(
            [record["label"] for record in pictures],
            [_first(record["boxes"]) for record in pictures],
            answered,
            [
                _boxes(r["known"][label]["true"])
                for r, label in zip(pictures, answered, strict=True)
            ],
        )
    return Measures(
        pairs=len(pairs),
        pictures=len(pictures),
        threshold=threshold,
        over=over,
        gt_known=localization.gt_known(found, true),
        corloc=localization.corloc(found, true, [label for _, label, _ in pairs]),
        top_one=top_one,
    )


def _maps(pairs, workdir: pathlib.Path) -> tuple[Iterator[np.ndarray], Iterator[list[Box]]]:
    """Returns the maps, read one by one, and the true boxes in their pixels."""
    return (
        (overlays.read_mask16(workdir / r["folder"] / known["map"]) for r, _, known in pairs),
        (on_canvas(record, known["true"]) for record, _, known in pairs),
    )


def on_canvas(record: dict, corners: Sequence[Sequence[float]]) -> list[Box]:
    """Returns boxes of a picture, given by their corners, in pixels of its maps.

    Args:
        record: of the picture: the "frame" of it that was looked at, and the maps' "canvas".
        corners: x0, y0, x1, y1 each, in pixels of the picture.
    """
    x0, y0, x1, y1 = record["frame"]
    shifted = (boxes.shifted(box, -x0, -y0) for box in _boxes(corners))
    return [boxes.scaled(box, (y1 - y0, x1 - x0), record["canvas"]) for box in shifted]


def _boxes(rows: Sequence[Sequence[float]]) -> list[Box]:
    return [Box(*row) for row in rows]


def _first(rows: list[list[float]]) -> Box | None:
    return Box(*rows[0]) if rows else None
