"""Localization: boxes of things in pictures, as a table and drawn."""

import pathlib
from collections.abc import Sequence

from tfvis import images
from tfvis.attention import overlays
from tfvis.attention.boxes import Box
from tfvis.errors import InputError, arg
from tfvis.experiments import (
    attention_models,
    box_files,
    devices,
    folders,
    localization_batches,
    localization_metrics,
    localization_pictures,
    outcome,
    picture_pages,
    picture_tasks,
    window_scales,
    workdirs,
)
from tfvis.experiments.batch.engine import Engine
from tfvis.experiments.localization_pictures import Search
from tfvis.networks import registry
from tfvis.report import manifest, sheets, tensorboard

_SHOWN, _THUMBNAIL = 18, 224


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
    engine: Engine | None = None,
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
        engine: who shares the work, in shards, whose archives the pictures are in; None is this
            process, which keeps a folder for each.
        arguments: for the manifest.

    Returns:
        A record per picture, of those that this process keeps folders for.

    Raises:
        InputError: no such checkpoint or class; no picture can be used.
    """
    given = {
        "checkpoint": registry.absolute(checkpoint), "of_class": of_class, "kind": kind,
        "threshold": threshold, "most": most, "scales": list(window_scales.parsed(scales)),
        "crop_borders": crop_borders, "precision": devices.precision(precision),
    }  # fmt: skip
    search = localization_pictures.opened(given | {"checkpoint": checkpoint})
    model = search.model
    if engine is not None:
        if ground_truth is not None:
            raise InputError(
                f"{arg('ground_truth')}: boxes are not measured in shards. Leave it out, or "
                f"{arg('workers')} and {arg('engine')}."
            )
        found = folders.listed(found, workdir)
        return localization_batches.run(search, given, found, engine, workdir, arguments)
    inputs = picture_tasks.input_pictures(folders.listed(found, workdir))
    rows = box_files.read(ground_truth, "ground_truth") if ground_truth is not None else []
    truths = localization_metrics.matched(rows, inputs, ground_truth, model)
    settings = {"app": "localize", **search.settings()}

    def true(path: pathlib.Path) -> dict[str, list[Box]]:
        return search.counted(truths.get(path, {}))

    records = picture_tasks.run(
        inputs, model.network, workdir, arguments,
        lambda path: settings | {"true": true(path)},
        lambda path, pixels: localization_pictures.look(search, path, pixels, true(path)),
        attention=model.settings, classes=model.classes,
    )  # fmt: skip
    rows = [
        box_files.Row(record["path"], record["label"], Box(*box))
        for record in records
        for box in record["boxes"]
    ]
    box_files.write(workdir / "boxes.csv", rows)
    measures = localization_metrics.measured(records, workdir, search.cut, search.chosen is None)
    if measures:
        path = workdir / "manifest.json"
        manifest.write(path, manifest.read(path) | {"measures": measures.told()})
    _show(search, records[:_SHOWN], measures, workdir)
    lines = [line for record in records for line in _lines(record)]
    lines += measures.lines() if measures else []
    numbers = measures.numbers() if measures else {}
    page = picture_pages.localization(records, workdir, model.name, kind, numbers)
    return outcome.Outcome(records, lines, workdir / "sheet.png", page)


def _show(
    search: Search,
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
            values = overlays.read_mask16(folder / localization_pictures.map_shown(record))
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
