"""What `judge` measures of one map, and what it adds up to over pictures."""

import dataclasses
from collections.abc import Callable, Sequence

import numpy as np

from tfvis.attention.boxes import Box
from tfvis.attention.metrics import (
    deletion_insertion,
    energy,
    grid_pointing,
    localization,
    pointing_game,
    road,
)
from tfvis.attention.metrics.localization import MaxBoxAccuracy

# What --metrics names, and what comes of each.
METRICS = {
    "deletion": ("deletion_color", "deletion_blur"),
    "insertion": ("insertion_color", "insertion_blur"),
    "road": ("road", "road_most_first", "road_least_first"),
    "grid": ("grid_pointing", "grid_hit"),
    "boxes": ("pointing_game", "energy"),
    "classes": ("class_spearman", "class_ssim"),
    "sanity": (),
}
# A picture's MaxBoxAcc at each IoU and threshold, as words of 0 and 1.
_LARGEST, _ANY = "largest", "any_part"


@dataclasses.dataclass(frozen=True, eq=False)
class Question:
    """What a picture is asked about.

    Attributes:
        scores: pictures to probabilities of the class.
        image: float32 [height, width, channels], as the network takes it.
        color: of a fill, float32 [channels].
        boxes: true ones of the class, in pixels of `image`; () where there are none.
        steps: of deletion and insertion.
        percentages: of ROAD.
        right: whether the network names the class; only then does its fall mean something.
    """

    scores: Callable[[np.ndarray], np.ndarray]
    image: np.ndarray
    color: np.ndarray
    boxes: Sequence[Box]
    steps: int
    percentages: Sequence[float]
    right: bool


def of_map(question: Question, values: np.ndarray, root: float, metrics: Sequence[str]) -> dict:
    """Returns {measure: number} of one map, curves and right boxes as lists and words.

    Args:
        question: of the picture.
        values: [height, width], 0 or more, not the same everywhere.
        root: boxes are cut from the map to this power.
        metrics: of `METRICS`.
    """
    found: dict = {}
    image, scores = question.image, question.scores
    fills = {"color": question.color, "blur": None}
    if question.right and {"deletion", "insertion"} & set(metrics):
        fills["blur"] = deletion_insertion.blurred(image)
    for name, change in (
        ("deletion", deletion_insertion.deletion),
        ("insertion", deletion_insertion.insertion),
    ):
        if name not in metrics or not question.right:
            continue
        for word, fill in fills.items():
            curve = change(scores, image, values, fill, question.steps)
            found[f"{name}_{word}"] = curve.auc
            found[f"{name}_{word}_curve"] = np.round(curve.scores, 4).tolist()
    if "road" in metrics and question.right:
        removed = road.road(scores, image, values, question.percentages)
        found["road"] = removed.combined
        found["road_most_first"] = float(removed.most_first.mean())
        found["road_least_first"] = float(removed.least_first.mean())
    if "boxes" in metrics and question.boxes:
        found["pointing_game"] = float(pointing_game.hit(values, question.boxes))
        found["energy"] = energy.share(values, question.boxes)
        right = localization.max_box_accuracy([values**root], [question.boxes])
        for name in (_LARGEST, _ANY):
            rows = getattr(right, name)
            found[name] = ["".join(str(int(one)) for one in row) for row in rows]
    return found


def of_grid(values: np.ndarray, cell: int) -> dict[str, float]:
    """Returns the measures of a map of a grid of four pictures, see `grid_pointing`."""
    return {
        "grid_pointing": float(grid_pointing.shares(values[None], [cell])[0]),
        "grid_hit": float(grid_pointing.hits(values[None], [cell])[0]),
    }


def summary(found: list[dict]) -> dict[str, tuple[float, float, int]]:
    """Returns {measure: (mean, standard error, pictures)} over the pictures of an explainer.

    Args:
        found: of each picture, as `of_map` and `of_grid` return them.
    """
    values: dict[str, list[float]] = {}
    for one in found:
        for name, value in one.items():
            if isinstance(value, float):
                values.setdefault(name, []).append(value)
    told = {name: _mean(numbers) for name, numbers in values.items()}
    if right := _max_box_accuracy(found):
        for name, share in (("max_box_acc", right.max_box_acc()), ("max_box_acc_v2", right.v2())):
            told[name] = (share, (share * (1 - share) / right.count) ** 0.5, right.count)
        told["best_threshold"] = (right.best_threshold(), 0.0, right.count)
    return told


def curve(found: list[dict], name: str) -> np.ndarray | None:
    """Returns the mean of a curve over the pictures that have it, or None."""
    rows = [one[f"{name}_curve"] for one in found if f"{name}_curve" in one]
    return np.mean(rows, 0) if rows else None


def _mean(numbers: list[float]) -> tuple[float, float, int]:
    count = len(numbers)
    spread = float(np.std(numbers, ddof=1)) / count**0.5 if count > 1 else float("nan")
    return float(np.mean(numbers)), spread, count


def _max_box_accuracy(found: list[dict]) -> MaxBoxAccuracy | None:
    rows = [one for one in found if _LARGEST in one]
    if not rows:
        return None
    shares = [
        np.mean([[list(map(int, row)) for row in one[name]] for one in rows], 0)
        for name in (_LARGEST, _ANY)
    ]
    thresholds, at = np.array(localization.THRESHOLDS), np.array(localization.AT)
    return MaxBoxAccuracy(len(rows), thresholds, at, *shares)
