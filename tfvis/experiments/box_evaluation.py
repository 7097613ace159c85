"""Evaluation of boxes: those cut from a classifier's maps beside those people drew."""

import dataclasses
import os
import pathlib
from collections.abc import Sequence

from tfvis.attention import overlays
from tfvis.attention.boxes import Box
from tfvis.classifiers.datasets import NEGATIVE
from tfvis.errors import InputError, arg, nearest
from tfvis.experiments import (
    annotated_pictures,
    attention_models,
    box_measures,
    box_reports,
    box_tables,
    devices,
    folders,
    localization_pictures,
    messages,
    networks,
    outcome,
    picture_tasks,
    window_scales,
    workdirs,
)
from tfvis.experiments.annotated_pictures import Annotated, AnnotatedPictures, Object
from tfvis.experiments.attention_models import AttentionModel
from tfvis.experiments.sliding_windows import slide
from tfvis.image_files.folders import LeftOut
from tfvis.report import manifest
from tfvis.report.html_page import Page

MAPS = tuple(localization_pictures.THRESHOLDS)
# Of a class less likely than this there are no boxes to rank: they would come last.
_LIKELY = 0.01
# Boxes of a class in a picture; MINERVA has 1.4 of all classes, PeopleArt 2.4.
_MOST = 10


@workdirs.kept
def run(
    checkpoint: str,
    table: os.PathLike | str,
    *,
    workdir: pathlib.Path | str,
    pictures: os.PathLike | str | None = None,
    maps: Sequence[str] = ("vbp",),
    threshold: float | None = None,
    scales: Sequence[float | str] = (1.0,),
    crop_borders: bool | None = None,
    precision: str = "auto",
    arguments: dict | None = None,
) -> outcome.Outcome:
    """Holds boxes cut from a classifier's maps beside true ones.

    Args:
        checkpoint: folder or name.
        table: of true boxes, see `box_tables.read`.
        workdir: for all results.
        pictures: folder of the pictures; None is where the table's kind has them.
        maps: what boxes are cut from, some of `MAPS`.
        threshold: share of a map's maximum; None is chosen on the other half of the pictures.
        scales: one to four numbers of 0.1 to 1, see `slide`.
        crop_borders: whether to take off charts and rulers; None is as in training.
        precision: see `devices`.
        arguments: for the manifest.

    Returns:
        A record per picture.

    Raises:
        InputError: no such checkpoint or map; a table that cannot be read, or none of whose
            pictures or classes there are.
    """
    maps = _maps(maps)
    scales = window_scales.parsed(scales)
    annotated = box_tables.read(table, "boxes", pictures)
    name = f"{arg('boxes')}={table}"
    model = attention_models.of_classifier(
        networks.classifier(checkpoint), devices.precision(precision), crop_borders=crop_borders
    )
    by_path, lost = annotated_pictures.located(annotated, name)
    objects, notes = _of_classes(annotated, by_path, model, name)
    inputs = picture_tasks.input_pictures(_found(list(by_path), lost))
    settings = {
        "app": "evaluate boxes", "attention": model.settings, "maps": maps, "scales": scales,
    }  # fmt: skip
    records = picture_tasks.run(
        inputs, model.network, workdir, arguments,
        lambda path: settings | {
            "true": objects[path], "clip": not annotated.strict,
            "empty": not by_path[path].objects,
        },
        lambda path, pixels: _one(
            model, maps, scales, path, pixels, objects[path], not annotated.strict,
            empty=not by_path[path].objects,
        ),
        attention=model.settings, classes=model.classes, table=annotated.source,
    )  # fmt: skip
    for note in (*annotated.notes, *notes):
        messages.note(f"{name}: {note}.")

    boxes_of = {kind: _boxes_of(kind, workdir) for kind in maps}
    found = [
        box_measures.measured(
            kind,
            records,
            workdir,
            boxes_of[kind],
            localization_pictures.THRESHOLDS[kind],
            threshold,
        )
        for kind in maps
    ]
    box_reports.write(found, records, boxes_of, workdir)
    sheet = box_reports.sheet(found[0], records, boxes_of[found[0].kind], workdir)
    path = workdir / "manifest.json"
    told = {one.kind: one.numbers() | {"cuts": one.cuts} for one in found}
    manifest.write(path, manifest.read(path) | {"measures": told})
    lines = [line for one in found for line in one.lines()]
    head = box_reports.head(annotated, records)
    page = Page(f"How well boxes of {model.name} fit", [], [head])
    return outcome.Outcome(records, [head, *lines], sheet, page)


def _boxes_of(kind: str, workdir: pathlib.Path) -> box_reports.BoxesOf:
    """Returns what cuts boxes from maps of a kind; measures, tables and sheet ask for the same."""
    known: dict[tuple, list[Box]] = {}

    def of(record: dict, label: str, cut: float) -> list[Box]:
        key = record["folder"], label, cut
        if key not in known:
            values = box_measures.read_map(workdir, record, kind, label)
            known[key] = localization_pictures.cut_boxes(
                values, cut, _MOST, record["probabilities"][label], Box(*record["frame"])
            )
        return known[key]

    return of


def _maps(maps: Sequence[str]) -> tuple[str, ...]:
    unknown = [kind for kind in maps if kind not in MAPS]
    if unknown or not maps:
        raise InputError(f"{arg('maps')}={','.join(maps)}: expected some of {', '.join(MAPS)}.")
    return tuple(dict.fromkeys(maps))


def _of_classes(
    table: AnnotatedPictures, by_path: dict[pathlib.Path, Annotated], model: AttentionModel, name
) -> tuple[dict[pathlib.Path, list[Object]], list[str]]:
    """Returns the objects that the model can name, by its names, and notes of the others."""
    known = {annotated_pictures.same(label): label for label in model.classes if label != NEGATIVE}
    objects: dict[pathlib.Path, list[Object]] = {}
    others: dict[str, int] = {}
    for path, one in by_path.items():
        objects[path] = []
        for thing in one.objects:
            label = known.get(annotated_pictures.same(thing.label))
            if label is not None:
                objects[path].append(dataclasses.replace(thing, label=label))
            elif table.strict:
                raise InputError(
                    f"{name}: {thing.label!r} is no class of {model.name} that has boxes. "
                    f"{nearest(thing.label, list(known.values()))}"
                )
            else:
                others[thing.label] = others.get(thing.label, 0) + 1
    if others and not any(objects.values()):
        raise InputError(
            f"{name}: none of its {len(others)} classes, such as {next(iter(others))}, is one of "
            f"{model.name}: {', '.join(known.values())}."
        )
    notes = []
    if others:
        notes.append(
            f"{sum(others.values())} boxes of {len(others)} classes that {model.name} does not "
            f"know, such as {next(iter(others))}, are not looked for"
        )
    return objects, notes


def _found(paths: list[pathlib.Path], lost: list[LeftOut]) -> folders.Found:
    root = pathlib.Path(os.path.commonpath([path.parent for path in paths]))
    found = folders.Found(paths, "boxes", root, tuple(lost))
    for path in paths:
        if not str(path).isprintable():
            found.leave_out(path, InputError(f"{path}: cannot be written down. Rename the file"))
    return found


def _one(
    model: AttentionModel, maps, scales, path, pixels, things: list[Object], clip: bool,
    *, empty: bool,
) -> dict:  # fmt: skip
    """Looks at a picture and keeps the maps of its classes and of the likely ones."""
    true, difficult = _within(path, pixels.shape[:2], things, clip)
    frame = model.frame(pixels)
    seen = slide(model, attention_models.cut(pixels, frame), scales)
    together = seen.together()
    label = model.classes[int(together.argmax())]
    shares = {name: seen.probability(k) for k, name in enumerate(model.classes)}
    likely = [name for name in shares if name != NEGATIVE and shares[name] >= _LIKELY]
    # A class of the picture may be none of the likely.
    wanted = dict.fromkeys([*likely, *true, *([] if label == NEGATIVE else [label])])
    files: dict[str, dict[str, str]] = {}
    written: dict[str, bytes] = {}
    for kind in maps:
        one_for_all = kind == "vbp" and len(seen.windows) == 1
        for name in wanted:
            number = model.classes.index(name)
            file = f"{kind}.png" if one_for_all else f"{kind}-{number}.png"
            if not one_for_all or kind not in files:
                written[file] = overlays.mask16(seen.map(kind, number))
            files.setdefault(kind, {})[name] = file
    return {
        "label": label,
        "probability": round(float(together.max()), 6),
        "none": label == NEGATIVE,
        "empty": empty,
        "likely": likely,
        "probabilities": {name: round(shares[name], 6) for name in wanted},
        "true": true,
        "difficult": difficult,
        "frame": [frame.x0, frame.y0, frame.x1, frame.y1],
        "canvas": list(seen.canvas),
        "maps": files,
        "written": dict(sorted(written.items())),
    }


def _within(path, size: tuple[int, int], things: list[Object], clip: bool):
    """Returns the corners of a picture's true boxes by class: those that count, and the others.

    Published boxes reach over the edge and are clipped; nothing can be found beyond it.

    Raises:
        UnfitError: one is not within the picture.
    """
    height, width = size
    true: dict[str, list] = {}
    difficult: dict[str, list] = {}
    for thing in things:
        box = thing.box
        x1, y1 = (min(box.x1, width), min(box.y1, height)) if clip else (box.x1, box.y1)
        outside = x1 > width or y1 > height or box.x0 >= x1 or box.y0 >= y1
        if outside and not clip:
            raise picture_tasks.UnfitError(
                f"{path}: a true box of it is not within {width}x{height} px"
            )
        if outside:
            continue
        some = difficult if thing.difficult else true
        some.setdefault(thing.label, []).append([box.x0, box.y0, x1, y1])
    return true, difficult
