"""The files of an atlas: a page, the data of each layer, pictures many to a file, photographs."""

import pathlib
import re
from collections.abc import Iterable, Mapping

import numpy as np

from tfvis import images
from tfvis.errors import InputError
from tfvis.experiments import messages
from tfvis.experiments.atlas import answers, descents, layer_tables
from tfvis.experiments.atlas.layer_tables import Layer
from tfvis.networks.receptive_field import receptive_field
from tfvis.progress_bar import bar
from tfvis.report import atlas_page, sprites

# Pictures on the cover of a layer, and the side of each, px.
_COVER, _COVERED = 12, 64
_OWN = re.compile(r"\d+(-\d+(-grid|-cover)?)?\.(js|webp)|photographs\.js|index\.js")
_FOLDERS = ("data", "pictures", "photographs")


def write(
    workdir: pathlib.Path,
    found: Mapping[str, Iterable[Layer]],
    root: pathlib.Path,
    most: int,
    about: dict,
) -> list[dict]:
    """Writes all files of the site; those of an earlier one that are not of this go.

    Returns what the page knows of the networks and their layers.

    Args:
        workdir: of the atlas.
        found: layers of each network by label, one by one.
        root: the folder that pictures' names begin in.
        most: largest side of a unit's picture, px.
        about: what the page says of itself: "title", "pictures", how many, and "paths", whether
            they were asked for.
    """
    photographs: dict[layer_tables.Shown, int] = {}
    written: set[str] = set()
    networks = []
    for n, (label, layers) in enumerate(found.items()):
        told = []
        for k, layer in enumerate(layers):
            place = f"{n}-{k}"
            data = layer_tables.table(layer, photographs)
            size, across = _pictures(workdir, place, layer, most)
            written |= {
                f"data/{place}.js",
                f"pictures/{place}.webp",
                f"pictures/{place}-cover.webp",
            }
            if layer.cells:
                data["grid"]["columns"] = sprites.write(
                    workdir / f"pictures/{place}-grid.webp",
                    [_opened(layer.cells.get(cell)) for cell in layer.grid.filled], size,
                )  # fmt: skip
                written.add(f"pictures/{place}-grid.webp")
            else:
                data["grid"] = None
            atlas_page.write_data(workdir / f"data/{place}.js", place, data)
            told.append(
                {
                    "path": layer.path, "place": place, "units": len(layer.channels),
                    "of": layer.network.channels_of(layer.path), "size": size, "columns": across,
                    "field": _field(layer), "numbers": _numbers(layer),
                    "classes": layer_tables.classes(layer), "grid": data["grid"] is not None,
                }
            )  # fmt: skip
        networks.append({"label": label, "layers": told})
    names = [name for name, _ in photographs]
    atlas_page.write_data(workdir / "data/photographs.js", "photographs", names)
    atlas_page.write_data(workdir / "data/index.js", "index", about | {"networks": networks})
    written |= {"data/photographs.js", "data/index.js"}
    written |= set(_photographs(workdir, root, photographs))
    atlas_page.write(workdir / atlas_page.NAME)
    for folder in _FOLDERS:
        for path in (workdir / folder).glob("*"):
            if f"{folder}/{path.name}" not in written and _OWN.fullmatch(path.name):
                path.unlink()
    return networks


def _pictures(workdir, place: str, layer: Layer, most: int) -> tuple[tuple[int, int], int]:
    """Writes the pictures of a layer's units, and its cover; returns their size and columns."""
    side = descents.side(layer.network, layer.path, most)
    size = (min(side[0], most), min(side[1], most))
    rows = [layer.pictures.get(channel) for channel in layer.channels]
    shown = [_opened(row and row["picture"]) for row in rows]
    across = sprites.write(workdir / f"pictures/{place}.webp", shown, size)
    # Evenly of those that were raised: a grey square says nothing of a layer.
    raised = [one for one, row in zip(shown, rows, strict=True) if row and row["raised"]] or shown
    chosen = np.linspace(0, len(raised) - 1, min(_COVER, len(raised))).astype(int)
    cover = [raised[k] for k in chosen]
    page = np.concatenate(
        [np.full((_COVERED, _COVERED, 3), 128.0) if one is None else _covering(one)
         for one in cover], 1,
    )  # fmt: skip
    half = page.shape[1] // 2 // _COVERED * _COVERED or page.shape[1]
    page = np.concatenate([page[:, :half], page[:, half : 2 * half]]) if len(cover) > 1 else page
    sprites.write_webp(workdir / f"pictures/{place}-cover.webp", page)
    return size, across


def _covering(picture: np.ndarray) -> np.ndarray:
    # Small ones keep their pixels, as on the sheet.
    scale = max(1, _COVERED // max(picture.shape[:2]))
    picture = np.float32(picture).repeat(scale, 0).repeat(scale, 1)
    return images.resize(picture, _COVERED, _COVERED)


def _opened(content: bytes | None) -> np.ndarray | None:
    return None if content is None else descents.opened(content)


def _field(layer: Layer) -> int | None:
    """Returns how much of a picture a unit sees, in px; None of one that sees all."""
    field = receptive_field.receptive_field(layer.network, layer.path, *answers.size(layer.network))
    return None if field.everything else max(field.size)


def _numbers(layer: Layer) -> list[int] | None:
    """Returns the channels, None where they are all of the layer."""
    every = len(layer.channels) == layer.network.channels_of(layer.path)
    return None if every else list(layer.channels)


def _photographs(
    workdir: pathlib.Path, root: pathlib.Path, numbered: Mapping[layer_tables.Shown, int]
):
    """Writes what networks saw of photographs, each as a square; yields the files."""
    missing = 0
    for (name, shape), number in bar("Photographs", len(numbered), numbered.items()):
        file = f"photographs/{number}.webp"
        try:
            pixels = images.read(root / name, None).pixels
        except InputError:
            missing += 1
            continue
        square = images.resize(images.crop(pixels, "center", shape), 224, 224)
        sprites.write_webp(workdir / file, square)
        yield file
    if missing:
        messages.note(f"{missing} photographs could not be read any more; the page lacks them.")
