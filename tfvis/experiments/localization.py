"""Localization: boxes of things in pictures, as a table and drawn."""

import dataclasses
import pathlib
from collections.abc import Sequence

import numpy as np

from tfvis import images
from tfvis.attention import boxes, overlays
from tfvis.attention.boxes import Box
from tfvis.classifiers.datasets import NEGATIVE
from tfvis.errors import InputError, arg
from tfvis.experiments import (
    attention_models,
    box_files,
    devices,
    folders,
    localization_metrics,
    networks,
    outcome,
    picture_pages,
    picture_tasks,
    window_scales,
    workdirs,
)
from tfvis.experiments.attention_models import AttentionModel
from tfvis.experiments.sliding_windows import slide
from tfvis.report import manifest, sheets, tensorboard

# By the share of right boxes (IoU 0.5) on 150 sketches of PACS, whose ink is the true box, and
# on 24 photographs of instruments and 19 photographs and paintings of PACS with boxes drawn by
# hand: vbp 1.00, 0.88, 0.68, product 0.95, 0.92, 0.79, gradcam 0.77, 0.75, 0.68. The 0.2 of
# CAM (Zhou et al. 2016) leaves Grad-CAM 0.37, 0.88, 0.32. That of class_vbp is of other boxes, on
# 28 photographs of instruments (docs/measurements.md): 0.93 anywhere from 0.04 to 0.15.
THRESHOLDS = {"vbp": 0.08, "class_vbp": 0.1, "gradcam": 0.05, "product": 0.04}
# Of several boxes, those of smaller parts than this share of the picture are specks.
_SPECK = 0.001
_SHOWN, _THUMBNAIL = 18, 224


@dataclasses.dataclass(frozen=True)
class _Search:
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


@workdirs.kept
def run(
    checkpoint: str,
    found: folders.Found | pathlib.Path | str | None = None,
    *,
    workdir: pathlib.Path | str,
    of_class: str | None = None,
    kind: str = "vbp",
    threshold: float | None = None,
    most: int = 1,
    scales: Sequence[float | str] = (1.0,),
    ground_truth: str | None = None,
    crop_borders: bool | None = None,
    precision: str = "auto",
    arguments: dict | None = None,
) -> outcome.Outcome:
    """Finds where in pictures the things are that a classifier names.

    Args:
        checkpoint: folder or name of the classifier.
        found: the pictures, see `folders.listed`; None is two that come along.
        workdir: for all results.
        of_class: what to look for; None is the likeliest of each picture.
        kind: of the map, see `SlidingWindows.map`.
        threshold: share of the map's maximum; None is the kind's own.
        most: boxes of a picture.
        scales: one to four numbers of 0.1 to 1, see `slide`.
        ground_truth: CSV file of true boxes, or None; the boxes are measured.
        crop_borders: whether to take off charts and rulers; None is as in training.
        precision: see `devices`.
        arguments: for the manifest.

    Returns:
        A record per picture.

    Raises:
        InputError: no such checkpoint or class; no picture can be used.
    """
    model = attention_models.of_classifier(
        networks.classifier(checkpoint), devices.precision(precision), crop_borders=crop_borders
    )
    cut = THRESHOLDS[kind] if threshold is None else threshold
    search = _Search(model, chosen(model, of_class), kind, cut, most, window_scales.parsed(scales))
    inputs = picture_tasks.input_pictures(folders.listed(found, workdir))
    rows = box_files.read(ground_truth, "ground_truth") if ground_truth is not None else []
    truths = localization_metrics.matched(rows, inputs, ground_truth, model)
    settings = {
        "app": "localize", "attention": model.settings, "class": search.chosen, "map": kind,
        "threshold": cut, "most": most, "scales": search.scales, "nowhere": NEGATIVE,
    }  # fmt: skip

    def true(path: pathlib.Path) -> dict[str, list[Box]]:
        return search.counted(truths.get(path, {}))

    records = picture_tasks.run(
        inputs, model.network, workdir, arguments,
        lambda path: settings | {"true": true(path)},
        lambda path, pixels: _one(search, path, pixels, true(path), workdir / inputs.names[path]),
        attention=model.settings, classes=model.classes,
    )  # fmt: skip
    rows = [
        box_files.Row(record["path"], record["label"], Box(*box))
        for record in records
        for box in record["boxes"]
    ]
    box_files.write(workdir / "boxes.csv", rows)
    measures = localization_metrics.measured(records, workdir, cut, search.chosen is None)
    if measures:
        path = workdir / "manifest.json"
        manifest.write(path, manifest.read(path) | {"measures": measures.told()})
    _show(search, records[:_SHOWN], measures, workdir)
    lines = [line for record in records for line in _lines(record)]
    lines += measures.lines() if measures else []
    numbers = measures.numbers() if measures else {}
    page = picture_pages.localization(records, workdir, model.name, kind, numbers)
    return outcome.Outcome(records, lines, workdir / "sheet.png", page)


def _one(search: _Search, path: pathlib.Path, pixels, true, folder: pathlib.Path) -> dict:
    """Looks at a picture and writes its files; returns what to tell of it."""
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
    found, files = {}, {}
    for name in dict.fromkeys((label, *true)):
        number = classes.index(name)
        files[name] = "map.png" if name == label else f"map-{number}.png"
        values = seen.map(search.kind, number)
        overlays.save_mask16(folder / files[name], values)
        found[name] = cut_boxes(values, search.cut, search.most, seen.probability(number), frame)
    # Nothing is nowhere, whatever was asked for.
    called_none = search.model.classes[int(together.argmax())] == NEGATIVE
    own = [] if called_none else found[label]
    probability = round(seen.probability(index), 6)
    title = f"{label} {probability:.1%}"
    _draw(folder / "boxes.png", pixels, title, own, [box for some in true.values() for box in some])
    return {
        "label": label,
        "probability": probability,
        "top": attention_models.top(search.model, together),
        "windows": len(seen.windows),
        "frame": _plain(frame)[:4],
        "canvas": list(seen.canvas),
        "boxes": [_plain(box) for box in own],
        "known": {
            name: {
                "true": [_plain(box)[:4] for box in some],
                "found": [_plain(box) for box in found[name]],
                "map": files[name],
            }
            for name, some in true.items()
        },
        "written": ["boxes.png", *files.values()],
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


def _draw(path: pathlib.Path, pixels, title: str, found: list[Box], true: list[Box]) -> None:
    small = attention_models.thumbnail(pixels, attention_models.LARGEST)
    sizes = pixels.shape[:2], small.shape[:2]
    drawn = overlays.draw_boxes(
        small,
        [boxes.scaled(box, *sizes) for box in found],
        [title] * len(found),
        [boxes.scaled(box, *sizes) for box in true],
    )
    images.save_png(path, drawn)


def _plain(box: Box) -> list[float]:
    return [box.x0, box.y0, box.x1, box.y1, box.score]


def _show(
    search: _Search,
    records: list[dict],
    measures: localization_metrics.Measures | None,
    workdir: pathlib.Path,
) -> None:
    """Writes sheet.png and TensorBoard events."""
    cells = []
    with tensorboard.Writer(workdir / "tensorboard") as writer:
        for record in records:
            folder = workdir / record["folder"]
            drawn = attention_models.thumbnail(images.read(folder / "boxes.png").pixels, _THUMBNAIL)
            # The frame's shape: of a picture whose charts were cut off, not the picture's.
            x0, y0, x1, y1 = record["frame"]
            height, width = attention_models.fitted(y1 - y0, x1 - x0, _THUMBNAIL)
            values = overlays.read_mask16(folder / "map.png")
            grey = 255 * attention_models.resized(values, height, width)[..., None]
            title = picture_tasks.short(record["folder"], 28)
            note = f"{record['label']} {record['probability']:.1%}"
            cells += [sheets.Cell(drawn, title, note), sheets.Cell(grey, search.kind)]
            for word, pixels in (("boxes", drawn), ("map", grey)):
                writer.images(f"{record['folder']}/{word}", pixels[None], 0)
        if measures:
            values = {f"boxes/{name}": value for name, value in measures.numbers().items()}
            writer.scalars(values, 0)
    heading = f"{search.model.name}: boxes cut from {search.kind} at {search.cut:g} of its maximum"
    page = sheets.sheet(cells, 2 * min(3, len(records)), heading)
    images.save_png(workdir / "sheet.png", page)


def _lines(record: dict) -> list[str]:
    """Returns the table's lines: picture, class and its probability, box, the surest first."""
    path = f"{picture_tasks.short(record['path'], 44):<44}"
    if not record["boxes"]:
        return [f"{path}  {record['label']:<20} {record['probability']:6.1%}  no box"]
    return [
        f"{'' if k else path:<44}  {record['label']:<20} {record['probability']:6.1%}  "
        f"{box[0]:.0f},{box[1]:.0f} to {box[2]:.0f},{box[3]:.0f}"
        for k, box in enumerate(record["boxes"])
    ]
