"""What is written of measured boxes: tables, a sheet, TensorBoard's numbers."""

import pathlib
from collections.abc import Callable, Mapping

import numpy as np

from tfvis import images, tables
from tfvis.attention import boxes, overlays
from tfvis.attention.boxes import Box
from tfvis.experiments import attention_models, box_files, box_measures, picture_tasks
from tfvis.experiments.annotated_pictures import AnnotatedPictures
from tfvis.report import sheets, tensorboard

_SHOWN, _THUMBNAIL = 24, 224
# (record, class, cut) -> boxes of the class in the picture, the largest first.
BoxesOf = Callable[[dict, str, float], list[Box]]


def head(table: AnnotatedPictures, records: list[dict]) -> str:
    """Returns a line on what was measured."""
    boxed = sum(len(some) for r in records for some in r["true"].values())
    hard = sum(len(some) for r in records for some in r["difficult"].values())
    classes = {label for r in records for label in r["true"]}
    without = sum(r["empty"] for r in records)
    more = f" ({hard} difficult ones more, ignored)" if hard else ""
    return (
        f"{table.source}: {len(records)} pictures, {boxed} boxes of {len(classes)} classes{more}, "
        f"{without} pictures without objects"
    )


def write(
    found: list[box_measures.Measures],
    records: list[dict],
    boxes_of: Mapping[str, BoxesOf],
    workdir: pathlib.Path,
) -> None:
    """Writes measures.csv, pictures.csv, boxes-MAP.csv and TensorBoard's numbers."""
    tables.write(
        workdir / "measures.csv",
        ("map", "measure", "class", "iou", "value", "of"),
        [(*row[:4], f"{row[4]:.6f}", row[5]) for one in found for row in one.rows()],
    )
    rows = []
    for one in found:
        of = boxes_of[one.kind]
        ranked = []
        for record in records:
            part = box_measures.half(record["sha256"])
            for label in dict.fromkeys([*record["true"], *record["likely"]]):
                cut = of(record, label, one.cuts[part])
                if label in record["likely"]:
                    ranked += [box_files.Row(record["path"], label, box) for box in cut]
                if label in record["true"]:
                    true = np.array(record["true"][label], float)
                    best = boxes.ious(boxes.as_array(cut[:1]), true).max(initial=0)
                    rows.append(
                        (one.kind, record["path"], part + 1, one.cuts[part], record["label"],
                         record["probability"], label, len(true), f"{best:.4f}")
                    )  # fmt: skip
            if not record["true"]:
                drawn = 0 if record["none"] else bool(of(record, record["label"], one.cuts[part]))
                rows.append(
                    (one.kind, record["path"], part + 1, one.cuts[part], record["label"],
                     record["probability"], "", 0, "" if not drawn else "0.0000")
                )  # fmt: skip
        box_files.write(workdir / f"boxes-{one.kind}.csv", ranked)
    tables.write(
        workdir / "pictures.csv",
        ("map", "path", "half", "cut", "called", "probability", "class", "true", "iou"),
        rows,
    )
    with tensorboard.Writer(workdir / "tensorboard") as writer:
        for one in found:
            values = {f"boxes/{one.kind}/{word}": value for word, value in one.numbers().items()}
            writer.scalars(values, 0)


def sheet(
    measures: box_measures.Measures, records: list[dict], boxes_of: BoxesOf, workdir: pathlib.Path
) -> pathlib.Path:
    """Writes sheet.png: pictures evenly taken, true boxes green, found ones of their classes."""
    chosen = np.linspace(0, len(records) - 1, min(_SHOWN, len(records))).round().astype(int)
    cells = []
    for k in chosen:
        record = records[k]
        cut = measures.cuts[box_measures.half(record["sha256"])]
        labels = list(record["true"]) or ([] if record["none"] else [record["label"]])
        pixels = images.read(record["path"], None, shrink=False).pixels
        small = attention_models.thumbnail(pixels, _THUMBNAIL)
        sizes = pixels.shape[:2], small.shape[:2]
        first = [box for label in labels for box in boxes_of(record, label, cut)[:1]]
        true = [Box(*row) for label in record["true"] for row in record["true"][label]]
        drawn = overlays.draw_boxes(
            small,
            [boxes.scaled(box, *sizes) for box in first],
            true=[boxes.scaled(box, *sizes) for box in true],
        )
        note = f"{record['label']} {record['probability']:.1%}"
        title = picture_tasks.short(record["folder"], 28)
        cells.append(sheets.Cell(drawn.astype(np.float32), title, note))
    heading = f"boxes cut from {measures.kind}; true ones green"
    path = workdir / "sheet.png"
    page = sheets.sheet(cells, min(6, len(cells)), heading)
    images.save_png(path, page)
    with tensorboard.Writer(workdir / "tensorboard") as writer:
        writer.images("sheet", page[None], 0)
    return path
