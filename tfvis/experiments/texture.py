"""Texture synthesis: the texture, how it joins itself, the sheet."""

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
    style_pages,
    style_runs,
    workdirs,
)
from tfvis.networks.padding import padded
from tfvis.report import sheets
from tfvis.style.settings import TEXTURE_SIZE, texture_shape
from tfvis.style.stylization import STRIDE
from tfvis.style.transfer import Scene, Transfer


@workdirs.kept
def run(
    wanted,
    style: np.ndarray,
    *,
    workdir: pathlib.Path | str,
    settings: Transfer = Transfer(),
    layers: Sequence[str] | None = None,
    size: int | None = None,
    shape: tuple[int, int] | None = None,
    tileable: bool = False,
    memory: int | None = None,
    seed: int = 0,
    precision: str = "auto",
    jit: str = "auto",
    arguments: dict | None = None,
) -> outcome.Outcome:
    """Makes more of a texture, or takes it over where it was finished before.

    Args:
        wanted: the one network, or `networks.Wanted`.
        style: float32 [height, width, 3], RGB, 0..255.
        workdir: for all results.
        settings: constants; None among them are the recipe's. It always begins with noise.
        layers: whose statistics are taken, see `style_runs.settled`, as for `precision`, `jit`.
        size: side of a square of as many pixels as the source is looked at with, 256 by default;
            a network that takes one size only looks at that.
        shape: (height, width) of the texture; None is `size` squared, or what the network takes.
        tileable: make it go around; both sides are the nearest multiples of 32 then.
        memory: bytes to keep to, see `style_runs.planned`.
        seed: of the noise.
        arguments: for the manifest.

    Raises:
        InputError: a size that cannot be; no such layer; divergence.
    """
    shape = shape and texture_shape(shape)
    network = networks.only(wanted, f"give each a {arg('workdir')} of its own")
    shape = shape or network.fixed_size or texture_shape((size or TEXTURE_SIZE,) * 2)
    if tileable:
        shape = tuple(max(round(side / STRIDE), 1) * STRIDE for side in shape)
        network = padded(network, "circular")
    settings = style_runs.settled(
        # A texture's roughness is part of it; and this term knows no going around.
        dataclasses.replace(settings, init="noise", tv_weight=settings.tv_weight or 0.0),
        network, workdir, precision, jit, (), layers,
    )  # fmt: skip
    source = images.with_channels(style_runs.looked_at(style, network, size, TEXTURE_SIZE), 3)
    styles = (images.with_channels(source, network.channels),)
    piece = style_runs.Piece(
        name="texture",
        path=pathlib.PurePosixPath("texture.png"),
        network=network,
        scene=Scene(None, styles, shape=shape),
        settings=settings,
        judged=(None, styles),
    )
    piece = dataclasses.replace(piece, stills=style_runs.stills(piece.total))
    records = style_runs.run([piece], workdir, memory, seed, arguments)
    style_runs.note_stuck(records, network.name, "layers")
    made = images.read(workdir / records[0]["file"]).pixels
    cells, pages = [sheets.Cell(source, "source"), sheets.Cell(made, "texture")], {}
    if tileable:
        pages["tiled"] = np.tile(made, (2, 2, 1))
        cells.append(sheets.Cell(pages["tiled"], "two by two"))
    optimization_tasks.save_pages(workdir, pages | {"sheet": sheets.sheet(cells)})
    return style_runs.told(records, workdir, style_pages.texture(records[0], workdir, source))
