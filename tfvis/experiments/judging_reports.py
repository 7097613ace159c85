"""What `judge` writes and says: tables, curves, a sheet, TensorBoard."""

import pathlib
from collections.abc import Sequence

import numpy as np

from tfvis import images, tables
from tfvis.attention import explainers, overlays
from tfvis.experiments import (
    attention_models,
    judging_measures,
    judging_pairs,
    messages,
    picture_tasks,
)
from tfvis.report import manifest, plots, sheets, tensorboard

# Pictures on the sheet.
_SHOWN, _THUMBNAIL = 8, 160
_CURVES = ("deletion_color", "deletion_blur", "insertion_color", "insertion_blur")
# What stands in a printed table, where it was measured, and its head.
_COLUMNS = {
    "deletion_color": "del.col",
    "deletion_blur": "del.blur",
    "insertion_color": "ins.col",
    "insertion_blur": "ins.blur",
    "road": "ROAD",
    "road_most_first": "MoRF",
    "road_least_first": "LeRF",
    "grid_pointing": "grid",
    "grid_hit": "gridhit",
    "pointing_game": "point",
    "energy": "energy",
    "max_box_acc": "box@.5",
    "max_box_acc_v2": "boxV2",
    "class_spearman": "cls.rho",
    "class_ssim": "cls.ssim",
}
_SANITY = "random_to_"


def write(records: list[dict], names: Sequence[str], workdir: pathlib.Path) -> list[str]:
    """Writes the tables and pictures of a run; returns lines to print.

    Args:
        records: of the pictures, as `judging` makes them.
        names: of the explainers.
        workdir: exists and is writable.
    """
    found = {
        name: [r["measures"][name] for r in records if name in r["measures"]] for name in names
    }
    told = {name: judging_measures.summary(rows) for name, rows in found.items()}
    tables.write(workdir / "results.csv", ("path", "label", "explainer", "measure", "value"), (
        (record["path"], record["class"], name, measure, f"{value:.6f}")
        for record in records
        for name, measures in record["measures"].items()
        for measure, value in measures.items()
        if isinstance(value, float)
    ))  # fmt: skip
    columns = ("explainer", "measure", "mean", "standard_error", "pictures")
    tables.write(workdir / "summary.csv", columns, (
        (name, measure, f"{mean:.6f}", f"{error:.6f}", count)
        for name, rows in told.items()
        for measure, (mean, error, count) in rows.items()
    ))  # fmt: skip
    warnings = {name: explainers.KINDS[name].warning for name in names}
    path = workdir / "manifest.json"
    manifest.write(path, manifest.read(path) | {
        "summary": {n: {m: v[0] for m, v in rows.items()} for n, rows in told.items()},
        "warnings": {name: words for name, words in warnings.items() if words},
    })  # fmt: skip
    drawn = _curves(found)
    for word, pixels in drawn.items():
        images.save_png(workdir / f"{word}.png", pixels)
    page = sheets.sheet(
        [_cell(record, workdir) for record in records[:_SHOWN]], 1,
        "Maps of each picture's own class, each to the power that boxes are cut from",
    )  # fmt: skip
    images.save_png(workdir / "sheet.png", page)
    with tensorboard.Writer(workdir / "tensorboard") as writer:
        for name, rows in told.items():
            writer.scalars({f"{measure}/{name}": v[0] for measure, v in rows.items()}, 0)
        for word, pixels in (*drawn.items(), ("sheet", page)):
            writer.images(word, pixels[None], 0)
    return [
        *_lines(records, told, warnings),
        *judging_pairs.write(records, names, workdir / "pairs.csv"),
    ]


def maps(image: np.ndarray, names: Sequence[str], values: Sequence[np.ndarray]) -> np.ndarray:
    """Returns a picture and its maps side by side, each under its name.

    Args:
        image: [height, width, 1 | 3].
        names: of the explainers.
        values: [height, width] each.
    """
    picture = images.with_channels(image, 3)
    cells = [sheets.Cell(attention_models.thumbnail(picture, _THUMBNAIL), "picture")]
    for name, one in zip(names, values, strict=True):
        drawn = overlays.heat(picture, one)
        cells.append(sheets.Cell(attention_models.thumbnail(drawn, _THUMBNAIL), name))
    return sheets.sheet(cells, len(cells))


def _cell(record: dict, workdir: pathlib.Path) -> sheets.Cell:
    pixels = images.read(workdir / record["folder"] / "maps.png").pixels
    said = "" if record["right"] else "; the network names another class"
    title = f"{picture_tasks.short(record['folder'], 60)}: {record['class']}{said}"
    return sheets.Cell(pixels, title)


def _curves(found: dict[str, list[dict]]) -> dict[str, np.ndarray]:
    """Returns {file: plot} of the curves that were measured."""
    drawn = {}
    for word in _CURVES:
        series = {}
        for name, rows in found.items():
            values = judging_measures.curve(rows, word)
            if values is not None:
                series[name] = (list(np.linspace(0, 1, len(values))), list(values))
        if series:
            change = "deleted" if word.startswith("deletion") else "inserted"
            drawn[word] = plots.lines(series, f"share of pixels {change}", "probability")
    return drawn


def _lines(records: list[dict], told: dict, warnings: dict[str, str]) -> list[str]:
    """Returns the table as lines: a row an explainer, a column a measure."""
    right = sum(record["right"] for record in records)
    stages = list(dict.fromkeys(m for rows in told.values() for m in rows if _sanity(m)))
    heads = _COLUMNS | {m: f"rnd{k}.rho" for k, m in enumerate(stages, 1)}
    kept = [m for m in heads if any(m in rows for rows in told.values())]
    pictures = "picture" if len(records) == 1 else "pictures"
    lines = [
        f"{len(records)} {pictures}, of which the network names {right}; mean over pictures",
        f"{'':<14}" + "".join(f"{heads[measure]:>9}" for measure in kept),
    ]
    for name, rows in told.items():
        cells = (f"{rows[m][0]:9.3f}" if m in rows else f"{'-':>9}" for m in kept)
        lines.append(f"{name:<14}" + "".join(cells))
    for k, measure in enumerate(stages, 1):
        layer = measure.removeprefix(_SANITY).removesuffix("_spearman")
        lines.append(f"rnd{k}: random from the scores down to {layer}; 1 is no change")
    for name, words in warnings.items():
        if words:
            numbers = [told[name][m] for m in stages if m in told[name]]
            beside = f" Measured: {numbers[0][0]:.2f} with random scores." if numbers else ""
            messages.note(f"{explainers.KINDS[name].title} {words}{beside}")
    empty = {name: count for name in told if (count := sum(name in r["empty"] for r in records))}
    for name, count in empty.items():
        lines.append(f"{name}: {count} maps are the same everywhere and were left out")
    return lines


def _sanity(measure: str) -> bool:
    return measure.startswith(_SANITY) and measure.endswith("_spearman")
