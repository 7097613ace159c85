"""Attention: masks and class maps of pictures, as files and a sheet."""

import pathlib

import numpy as np

from tfvis import images
from tfvis.errors import arg, marked
from tfvis.experiments import (
    attention_batches,
    attention_models,
    attention_pictures,
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
from tfvis.experiments.attention_pictures import EVENED, ROOTS
from tfvis.experiments.batch.engine import Engine
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
    engine: Engine | None = None,
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
        engine: who shares the work, in shards, whose archives the pictures are in; None is this
            process, which keeps a folder for each.
        arguments: for the manifest.

    Raises:
        InputError: no such network or class; no picture can be read.
    """
    given = {
        "network": None if engine is None else networks.plain(wanted),
        "precision": devices.precision(precision), "of_class": of_class, "steps": steps,
        "size": size, "per_layer": per_layer, "layers": layers and list(layers),
        "cam_layer": cam_layer, "crop_borders": crop_borders,
    }  # fmt: skip
    model, chosen = attention_batches.opened(given, wanted)
    if not model.classes:
        messages.note(f"{_unclassified(model, size)}; no class maps.")
    for note in model.notes:
        messages.note(note)
    if engine is not None:
        found = folders.listed(found, workdir)
        return attention_batches.run(model, chosen, given, found, engine, workdir, arguments)
    inputs = picture_tasks.input_pictures(folders.listed(found, workdir))
    records = make(model, inputs, workdir, arguments, chosen, steps)
    page = picture_pages.attention(records, workdir, model.name, _COLUMNS)
    return outcome.Outcome(records, [line(one) for one in records], workdir / "sheet.png", page)


def _unclassified(model: AttentionModel, size: int | None) -> str:
    """Returns why there are no classes."""
    why = marked(model.network.no_classifier)
    if size and model.name.endswith(".prototxt"):
        return (
            f"{model.name} is opened without a classifier, so that it takes {arg('size')}; leave "
            f"{arg('size')} out, or name a class by {arg('of_class')}, to open it whole"
        )
    return f"{model.name} has no classifier{why and f': it {why}'}"


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
        "roots": ROOTS,
    }  # fmt: skip
    records = picture_tasks.run(
        inputs, model.network, workdir, arguments,
        lambda path: asked,
        lambda path, pixels: attention_pictures.look(model, pixels, chosen, steps),
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


def _panels(record: dict, folder: pathlib.Path) -> list[tuple[str, np.ndarray]]:
    """Returns a picture's row of the sheet, (what it is, pixels) each, from its files."""
    found = [("picture", images.read(record["path"]).pixels)]
    for file, word in _COLUMNS.items():
        if f"{file}.png" in record["files"]:
            evened = file == "mask" and f"{EVENED}.png" in record["files"]
            pixels = images.read(folder / f"{EVENED if evened else file}.png").pixels
            if file == "mask":
                pixels = 255 * (pixels / 255) ** ROOTS[file]
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
