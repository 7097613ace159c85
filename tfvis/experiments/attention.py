"""Attention: masks and class maps of pictures, as files and a sheet."""

import pathlib

import numpy as np

from tfvis import images
from tfvis.attention import class_visual_backprop, overlays, visual_backprop
from tfvis.attention.product import product
from tfvis.errors import marked
from tfvis.experiments import (
    attention_models,
    devices,
    folders,
    messages,
    networks,
    outcome,
    picture_pages,
    picture_tasks,
    workdirs,
)
from tfvis.experiments.attention_models import AttentionModel
from tfvis.report import sheets, tensorboard

# Pictures on the sheet: a page of about a screen's width and some of its heights.
_SHOWN = 12
_THUMBNAIL = 224
_COLUMNS = {
    "mask": "VisualBackProp",
    "overlay": "overlay",
    "gradcam": "Grad-CAM",
    "product": "product",
    "class_vbp": "class-seeded",
}
# The mask for the eye, of networks whose own has a grid of dots.
_EVENED = "mask_shown"
# What is shown to a power, and to which: values of each span orders of magnitude.
_ROOTS = {
    "mask": visual_backprop.ROOT,
    "product": visual_backprop.ROOT,
    "class_vbp": class_visual_backprop.ROOT,
}
_SHOWN_AS = "VisualBackProp and the product to the power 1/4, class-seeded 1/2"


@workdirs.kept
def run(
    wanted: networks.Wanted,
    found: folders.Found | pathlib.Path | str | None = None,
    *,
    workdir: pathlib.Path | str,
    of_class: str | None = None,
    size: int | None = None,
    per_layer: bool = False,
    layers: tuple[str, ...] | None = None,
    cam_layer: str | None = None,
    steps: bool = False,
    crop_borders: bool | None = None,
    precision: str = "auto",
    arguments: dict | None = None,
) -> outcome.Outcome:
    """Shows where a network looks in pictures, and where it sees a class; see `make`.

    Args:
        wanted: the one network, or the name of a checkpoint.
        found: the pictures, see `folders.listed`; None is two that come along.
        workdir: for all results.
        of_class: whose map is shown; None is the likeliest of each picture.
        size, per_layer, layers, cam_layer, crop_borders: see `attention_models.of_wanted`.
        steps: whether masks are shown layer by layer.
        precision: see `devices`.
        arguments: for the manifest.

    Raises:
        InputError: no such network or class; no picture can be read.
    """
    model = attention_models.of_wanted(
        wanted, devices.precision(precision), of_class is not None or cam_layer is not None,
        size=size, per_layer=per_layer, crop_borders=crop_borders, layers=layers,
        cam_layer=cam_layer,
    )  # fmt: skip
    chosen = attention_models.class_index(model, of_class) if of_class is not None else None
    if not model.classes:
        why = marked(model.network.no_classifier)
        messages.note(f"{model.name} has no classifier{why and f': it {why}'}; no class maps.")
    for note in model.notes:
        messages.note(note)
    inputs = picture_tasks.input_pictures(folders.listed(found, workdir))
    records = make(model, inputs, workdir, arguments, chosen, steps)
    page = picture_pages.attention(records, workdir, model.name, _COLUMNS)
    return outcome.Outcome(records, [line(one) for one in records], workdir / "sheet.png", page)


def make(
    model: AttentionModel,
    inputs: picture_tasks.InputPictures,
    workdir: pathlib.Path,
    arguments: dict | None,
    chosen: tuple[int, str] | None = None,
    steps: bool = False,
) -> list[dict]:
    """Looks at the pictures and writes everything; returns a record of each, see `line`.

    Args:
        model: the network.
        inputs: the pictures.
        workdir: exists and is writable.
        arguments: for the manifest.
        chosen: (number, name) of the class, or None for each picture's likeliest.
        steps: whether masks are shown layer by layer.

    Raises:
        InputError: no picture can be read.
    """
    asked = {
        "app": "attend", "attention": model.settings, "class": chosen, "steps": steps,
        "roots": _ROOTS,
    }  # fmt: skip
    records = picture_tasks.run(
        inputs, model.network, workdir, arguments,
        lambda path: asked,
        lambda path, pixels: _one(model, pixels, workdir / inputs.names[path], chosen, steps),
        attention=model.settings, classes=model.classes,
    )  # fmt: skip
    shown = [(record, _panels(record, workdir / record["folder"])) for record in records[:_SHOWN]]
    columns = max(len(panels) for _, panels in shown)
    cells = [cell for record, panels in shown for cell in _row(record, panels)]
    heading = f"Where {model.name} looks"
    heading += ", and where it sees the class" if model.classes else ""
    heading += f" ({_SHOWN_AS})" if model.backprop else ""
    page = sheets.sheet(cells, columns=columns, heading=heading)
    images.save_png(workdir / "sheet.png", page)
    with tensorboard.Writer(workdir / "tensorboard") as writer:
        for record, panels in shown:
            for word, pixels in panels[1:]:
                writer.images(f"{record['folder']}/{word}", pixels[None], 0)
    return records


def _one(
    model: AttentionModel, pixels: np.ndarray, folder: pathlib.Path, chosen, steps: bool
) -> dict:
    """Looks at a picture and writes its files; returns what to tell of it."""
    height, width = pixels.shape[:2]
    frame = model.frame(pixels)
    prepared = model.prepared(attention_models.cut(pixels, frame))
    seen = model.explain(prepared)
    index, name = None, ""
    maps = {} if seen.shown is None else {"mask": seen.shown}
    if seen.answers is not None:
        index = chosen[0] if chosen else int(seen.answers.argmax())
        name = chosen[1] if chosen else model.classes[index]
        maps["gradcam"] = model.class_map(seen, index)
        if "mask" in maps:
            maps["product"] = product(seen.shown, maps["gradcam"])
        if model.seeds:
            found = model.class_backprop(seen, index, shown=True)
            maps["class_vbp"] = found / found.max() if found.any() else found
    small = attention_models.thumbnail(pixels, attention_models.LARGEST)
    inner = attention_models.at_size(frame, (height, width), small.shape[:2])
    del pixels  # The largest arrays are not held together.
    placed = {
        word: attention_models.placed(found, inner, *small.shape[:2])
        for word, found in maps.items()
    }
    written = []
    if "mask" in placed:
        mask = attention_models.placed(seen.mask, frame, height, width)
        overlays.save_mask16(folder / "mask.png", mask)
        shown = placed["mask"] ** _ROOTS["mask"]
        images.save_png(folder / "overlay.png", overlays.overlay(small, shown))
        written = ["mask.png", "overlay.png"]
        if not np.array_equal(seen.shown, seen.mask):
            evened = attention_models.placed(seen.shown, frame, height, width)
            overlays.save_mask16(folder / f"{_EVENED}.png", evened)
            written.append(f"{_EVENED}.png")
    for word in ("gradcam", "product", "class_vbp"):
        if word in placed:
            shown = placed[word] ** _ROOTS.get(word, 1)
            images.save_png(folder / f"{word}.png", overlays.heat(small, shown))
            written.append(f"{word}.png")
    if steps and "mask" in placed:
        images.save_png(folder / "steps.png", _steps(seen))
        written.append("steps.png")
    return {
        "class": name or None,
        "answer": None if index is None else round(float(seen.answers[index]), 6),
        "top": attention_models.top(model, seen.answers),
        "probabilities": model.probable,
        "seen_at": list(prepared.shape[1:3]),
        "empty": [word for word, found in maps.items() if not found.any()],
        "written": written,
    }


def _steps(seen: attention_models.Explanation) -> np.ndarray:
    """Returns the masks from the deepest layer to the picture, as one page."""
    cells = []
    for layer, values in (*seen.steps.items(), ("mask", seen.shown)):
        height, width = attention_models.fitted(*seen.mask.shape, _THUMBNAIL)
        # Not smoothed: each place of a map a block, so that its fineness is seen.
        rows = np.arange(height) * values.shape[0] // height
        columns = np.arange(width) * values.shape[1] // width
        shown = values[rows][:, columns] ** _ROOTS["mask"]
        size = f"{values.shape[1]} x {values.shape[0]}"
        cells.append(sheets.Cell(_grey(shown), layer, size))
    return sheets.sheet(cells)


def _grey(values: np.ndarray) -> np.ndarray:
    span = values.max() - values.min()
    return (255 * (values - values.min()) / (span if span > 0 else 1))[..., None]


def _panels(record: dict, folder: pathlib.Path) -> list[tuple[str, np.ndarray]]:
    """Returns a picture's row of the sheet, (what it is, pixels) each, from its files."""
    found = [("picture", images.read(record["path"]).pixels)]
    for file, word in _COLUMNS.items():
        if f"{file}.png" in record["files"]:
            evened = file == "mask" and f"{_EVENED}.png" in record["files"]
            pixels = images.read(folder / f"{_EVENED if evened else file}.png").pixels
            if file == "mask":
                pixels = 255 * (pixels / 255) ** _ROOTS[file]
            found.append((word, pixels))
    return [(word, attention_models.thumbnail(pixels, _THUMBNAIL)) for word, pixels in found]


def _row(record: dict, panels) -> list[sheets.Cell]:
    titles = [picture_tasks.short(record["folder"], 28)] + [word for word, _ in panels[1:]]
    notes = [", ".join(picture_tasks.answers(record, 2))] + [""] * (len(panels) - 1)
    if record["class"]:
        at = [word for word, _ in panels].index("Grad-CAM")
        notes[at] = picture_tasks.short(record["class"], 28)
    empty = {_COLUMNS[word] for word in record["empty"]}
    notes = [
        f"{note} (empty)".strip() if word in empty else note
        for (word, _), note in zip(panels, notes, strict=True)
    ]
    return [
        sheets.Cell(pixels, title, note)
        for (_, pixels), title, note in zip(panels, titles, notes, strict=True)
    ]


def line(record: dict) -> str:
    """Returns what to print of a picture: its path, its classes, the folder of its files."""
    words = [f"{picture_tasks.short(record['path'], 44):<44}", f"{record['folder']}/"]
    if record["class"]:
        says = f"map of {record['class']}; {', '.join(picture_tasks.answers(record))}"
        words.insert(1, f"{says:<44}")
    if record["empty"]:
        names = ", ".join(_COLUMNS[word] for word in record["empty"])
        words.append(f"{names}: empty, no place counts")
    return "  ".join(words)
