"""What localization makes of one picture: its record, and its files."""

import dataclasses
import os

import numpy as np

from tfvis import images
from tfvis.attention import boxes, overlays
from tfvis.attention.boxes import Box
from tfvis.classifiers.datasets import NEGATIVE
from tfvis.errors import InputError, arg
from tfvis.experiments import attention_models, devices, networks, picture_tasks, window_scales
from tfvis.experiments.attention_models import AttentionModel
from tfvis.experiments.sliding_windows import slide

# By the share of right boxes (IoU 0.5) on 150 sketches of PACS, whose ink is the true box, and
# on 24 photographs of instruments and 19 photographs and paintings of PACS with boxes drawn by
# hand: vbp 1.00, 0.88, 0.68, product 0.95, 0.92, 0.79, gradcam 0.77, 0.75, 0.68. The 0.2 of
# CAM (Zhou et al. 2016) leaves Grad-CAM 0.37, 0.88, 0.32. That of class_vbp is of other boxes, on
# 28 photographs of instruments (docs/measurements.md): 0.93 anywhere from 0.04 to 0.15.
THRESHOLDS = {"vbp": 0.08, "class_vbp": 0.1, "gradcam": 0.05, "product": 0.04}
# The map for the eye, where the map itself has a grid of dots.
EVENED = "map_shown.png"
# Of several boxes, those of smaller parts than this share of the picture are specks.
_SPECK = 0.001


@dataclasses.dataclass(frozen=True)
class Search:
    """What boxes are looked for, and how.

    Attributes:
        model: the classifier.
        chosen: number of the class, or None for each picture's likeliest.
        kind: of the map, see `SlidingWindows.map`.
        cut: share of the map's maximum above which it marks something.
        most: boxes of a picture.
        scales: see `slide`.
    """

    model: AttentionModel
    chosen: int | None
    kind: str
    cut: float
    most: int
    scales: tuple[float, ...]

    def settings(self) -> dict:
        """Returns what of it decides the boxes, for keys."""
        return {
            "attention": self.model.settings, "class": self.chosen, "map": self.kind,
            "threshold": self.cut, "most": self.most, "scales": self.scales, "nowhere": NEGATIVE,
        }  # fmt: skip

    def counted(self, true: dict[str, list[Box]]) -> dict[str, list[Box]]:
        """Returns the true boxes of a picture that count: of one class if it was named."""
        if self.chosen is None:
            return true
        name = self.model.classes[self.chosen]
        return {name: true[name]} if name in true else {}


def chosen(model: AttentionModel, word: str | None) -> int | None:
    """Returns the number of the class that --class names.

    Raises:
        InputError: there is none, or it is the negative class, which is nowhere.
    """
    if word == NEGATIVE:
        raise InputError(
            f"{arg('of_class')}={word}: means that nothing is there. Name another class."
        )
    return None if word is None else attention_models.class_index(model, word)[0]


def opened(given: dict) -> Search:
    """Returns what boxes are looked for.

    Args:
        given: arguments of `localization.run`, of JSON's types.

    Raises:
        InputError: no such checkpoint or class.
    """
    model = attention_models.of_classifier(
        networks.classifier(given["checkpoint"]), devices.precision(given["precision"]),
        crop_borders=given["crop_borders"],
    )  # fmt: skip
    kind, cut = given["kind"], given["threshold"]
    return Search(
        model, chosen(model, given["of_class"]), kind, THRESHOLDS[kind] if cut is None else cut,
        given["most"], window_scales.parsed(given["scales"]),
    )  # fmt: skip


def look(
    search: Search, path: os.PathLike | str, pixels: np.ndarray, true: dict[str, list[Box]]
) -> dict:
    """Looks at a picture; returns what to tell of it, and its files as "written".

    Args:
        search: what is looked for.
        path: of the picture, for messages.
        pixels: float32 [height, width, 3], 0..255.
        true: its true boxes by class, if they are known.

    Raises:
        UnfitError: a true box is not within it.
    """
    height, width = pixels.shape[:2]
    if any(box.x1 > width or box.y1 > height for some in true.values() for box in some):
        raise picture_tasks.UnfitError(
            f"{path}: a true box of it is not within {width}x{height} px"
        )
    frame = search.model.frame(pixels)
    seen = slide(search.model, attention_models.cut(pixels, frame), search.scales)
    together, classes = seen.together(), search.model.classes
    index = int(together.argmax()) if search.chosen is None else search.chosen
    label = classes[index]
    found, files, written = {}, {}, {}
    for name in dict.fromkeys((label, *true)):
        number = classes.index(name)
        files[name] = "map.png" if name == label else f"map-{number}.png"
        values = seen.map(search.kind, number)
        written[files[name]] = overlays.mask16(values)
        found[name] = cut_boxes(values, search.cut, search.most, seen.probability(number), frame)
    if seen.dotted(search.kind):
        written[EVENED] = overlays.mask16(seen.map(search.kind, index, shown=True))
    # Nothing is nowhere, whatever was asked for.
    called_none = search.model.classes[int(together.argmax())] == NEGATIVE
    own = [] if called_none else found[label]
    probability = round(seen.probability(index), 6)
    title = f"{label} {probability:.1%}"
    drawn = _drawn(pixels, title, own, [box for some in true.values() for box in some])
    return {
        "label": label,
        "probability": probability,
        "top": attention_models.top(search.model, together),
        "windows": len(seen.windows),
        "frame": plain(frame)[:4],
        "canvas": list(seen.canvas),
        "boxes": [plain(box) for box in own],
        "known": {
            name: {
                "true": [plain(box)[:4] for box in some],
                "found": [plain(box) for box in found[name]],
                "map": files[name],
            }
            for name, some in true.items()
        },
        "written": {"boxes.png": images.png(drawn), **written},
    }


def cut_boxes(
    values: np.ndarray, cut: float, most: int, probability: float, frame: Box
) -> list[Box]:
    """Returns the boxes of a map in pixels of the picture, with their scores.

    Args:
        values: a map of `SlidingWindows.map`.
        cut: share of its maximum above which it marks something.
        most: boxes at most; of several, specks are none.
        probability: of the class that the map is of.
        frame: the part of the picture that the map is of.
    """
    least = _SPECK if most > 1 else 0.0
    size = (int(frame.y1 - frame.y0), int(frame.x1 - frame.x0))
    found = []
    for box in boxes.boxes(values, cut, most, least):
        whole = boxes.shifted(boxes.scaled(box, values.shape, size), frame.x0, frame.y0)
        found.append(dataclasses.replace(whole, score=round(probability * box.score, 6)))
    return found


def _drawn(pixels, title: str, found: list[Box], true: list[Box]) -> np.ndarray:
    small = attention_models.thumbnail(pixels, attention_models.LARGEST)
    sizes = pixels.shape[:2], small.shape[:2]
    return overlays.draw_boxes(
        small,
        [boxes.scaled(box, *sizes) for box in found],
        [title] * len(found),
        [boxes.scaled(box, *sizes) for box in true],
    )


def map_shown(record: dict) -> str:
    """Returns which file of a picture's folder is its map as it is to be looked at."""
    return EVENED if EVENED in record["files"] else "map.png"


def plain(box: Box) -> list[float]:
    """Returns a box as a record has it: corners and score."""
    return [box.x0, box.y0, box.x1, box.y1, box.score]
