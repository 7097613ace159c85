"""Content and style of layers (the first figure of Gatys et al. 2015): two rows of pictures."""

import dataclasses
import pathlib
from collections.abc import Sequence

import numpy as np

from tfvis import images
from tfvis.errors import arg
from tfvis.experiments import (
    networks,
    optimization_tasks,
    outcome,
    runner,
    style_pages,
    style_runs,
    workdirs,
)
from tfvis.networks.network import Network
from tfvis.report import sheets
from tfvis.style.settings import RECONSTRUCTION_SIZE
from tfvis.style.transfer import Scene, Transfer

# Gatys et al. 2015 have conv1_2 to conv5_2 in the row of contents.
_PUBLISHED = tuple(f"block{k}_conv2" for k in range(1, 6))


@workdirs.kept
def run(
    wanted,
    image: np.ndarray,
    *,
    workdir: pathlib.Path | str,
    settings: Transfer = Transfer(evaluations=200),
    rows: Sequence[str] = ("content", "style"),
    content_layers: Sequence[str] | None = None,
    style_layers: Sequence[str] | None = None,
    size: int | None = None,
    memory: int | None = None,
    seed: int = 0,
    precision: str = "auto",
    jit: str = "auto",
    arguments: dict | None = None,
) -> outcome.Outcome:
    """Shows what content and what style layers hold, or takes over what was finished before.

    Args:
        wanted: the one network, or `networks.Wanted`.
        image: float32 [height, width, 3], RGB, 0..255.
        workdir: for all results.
        settings: constants. It is always the recipe of Gatys et al., and begins with noise.
        rows: "content", a picture per layer, and "style", one of the first layer's statistics,
            one of the first two's, and so on.
        content_layers, style_layers: of the two; None are those of VGG, or depths like them.
        size: side of a square of as many pixels as the pictures, 224 by default; of a network
            that takes one size only they have that.
        precision, jit: see `style_runs.settled`.
        memory: bytes to keep to, see `style_runs.planned`.
        seed: of the noise.
        arguments: for the manifest.

    Raises:
        InputError: no such layer, a size that cannot be, divergence.
    """
    network = networks.only(wanted, f"give each a {arg('workdir')} of its own")
    if content_layers is None:
        known = set(_PUBLISHED) <= set(network.paths)
        content_layers = _PUBLISHED if known else networks.depths(network)
    settings = style_runs.settled(
        dataclasses.replace(settings, recipe="gatys", init="noise"),
        network, workdir, precision, jit, content_layers, style_layers,
    )  # fmt: skip
    target = style_runs.looked_at(image, network, size, RECONSTRUCTION_SIZE)
    content, style = settings.content_layers, settings.style_layers
    sets = {
        "content": {name: (name,) for name in content},
        "style": {f"{k + 1}_{name}": style[: k + 1] for k, name in enumerate(style)},
    }
    pieces = [
        _piece(network, target, settings, row, name, layers)
        for row in rows
        for name, layers in sets[row].items()
    ]
    records = style_runs.run(pieces, workdir, memory, seed, arguments)
    style_runs.note_stuck(records, network.name, "content_layers", "style_layers")
    optimization_tasks.save_pages(workdir, {"sheet": _sheet(target, records, rows, workdir)})
    lines = [
        f"{record['name']:<24} {record['seconds']:6.1f} s  {record['file']}  "
        f"{style_runs.summary(record)}"
        for record in records
    ]
    page = style_pages.reconstruction(records, rows, workdir, target)
    return outcome.Outcome(records, lines, workdir / "sheet.png", page)


def _piece(
    network: Network, target: np.ndarray, settings: Transfer, row: str, name: str, layers
) -> style_runs.Piece:
    """Returns the picture of a row that has what `layers` hold of the target."""
    content = row == "content"
    judged = (target, ()) if content else (None, (target,))
    return style_runs.Piece(
        name=f"{row} {name}",
        path=pathlib.PurePosixPath(row) / f"{runner.safe_name(name)}.png",
        network=network,
        scene=Scene(*judged, shape=target.shape[:2]),
        settings=dataclasses.replace(
            settings,
            content_layers=layers if content else (),
            style_layers=() if content else layers,
            # Of a picture of one layer, or the first few, they mean nothing.
            content_layer_weights=(),
            style_layer_weights=(),
        ),
        judged=judged,
        about={"row": row, "layers": list(layers)},
    )


def _sheet(target: np.ndarray, records: list[dict], rows, workdir: pathlib.Path) -> np.ndarray:
    """Returns the rows, each after the picture."""
    found = {row: [record for record in records if record["row"] == row] for row in rows}
    columns = 1 + max(map(len, found.values()))
    cells = []
    for row, some in found.items():
        cells.append(sheets.Cell(target, "the picture", row))
        for record in some:
            upto = record["layers"]
            title = upto[-1] if len(upto) == 1 else f"{upto[0]} to {upto[-1]}"
            cells.append(sheets.Cell(images.read(workdir / record["file"]).pixels, title))
        cells += [sheets.Cell(target * 0 + 250)] * (columns - 1 - len(some))
    return sheets.sheet(cells, columns)
