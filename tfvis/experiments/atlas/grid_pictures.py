"""The pictures of the cells of a layer's activation atlas, a row of a batch each."""

import pathlib
from collections.abc import Iterator, Sequence

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from tfvis import images, objectives
from tfvis.activation_statistics import floored
from tfvis.errors import InputError
from tfvis.experiments import networks, runner
from tfvis.experiments.atlas import activation_grid, answers, descents
from tfvis.experiments.atlas.activation_grid import Grid
from tfvis.experiments.batch.jobs import Job
from tfvis.networks.network import Network
from tfvis.preimages import activation_maximization
from tfvis.report import manifest

MAKER = f"{__name__}:job"


def settings(of_units: dict, grid: Grid) -> dict:
    """Returns what `job` is made of.

    Args:
        of_units: what `unit_pictures.settings` returned of the same layer.
        grid: of the layer.
    """
    return of_units | {
        "side": grid.side, "points": grid.points.tolist(), "cells": grid.cells.tolist(),
    }  # fmt: skip


def job(given: dict) -> Job:
    """Returns what is done to each cell, made of `settings`."""
    return of_network(networks.only(networks.of_plain(given["network"]), "alone"), given)


def of_network(network: Network, given: dict) -> Job:
    """Returns the same of a network that is built; an item is named by its cell."""
    layer, grid = given["layer"], Grid(
        given["side"], np.array(given["points"]), np.array(given["cells"])
    )  # fmt: skip
    size = descents.side(network, layer, given["size"])
    constants = descents.constants(network, layer, size, given["steps"], given["precision"])
    looked = answers.read(given["answers"], given["layers"], layer)
    directions = activation_grid.whitened(activation_grid.averages(grid, looked), looked)
    order = {cell: k for k, cell in enumerate(grid.filled)}
    height, width = network.trace(layer, *size)[:2]
    flat = looked.samples.reshape(-1, looked.samples.shape[-1])

    def rows(paths: Sequence[str]) -> Iterator[dict | InputError]:
        chosen = [order[int(pathlib.PurePath(path).name)] for path in paths]
        wanted = directions[chosen]
        objective = objectives.aligned(layer, wanted, (height // 2, width // 2))
        # What the activations of pictures themselves get, at most, stands for M.
        most = floored((flat @ wanted.T).max(0), layer)
        weighted = activation_maximization.normalized(
            network, objective, layer, size, most, constants.strength
        )
        seeds = (given["seed"],) * len(paths)
        try:
            made = descents.pictures(network, weighted, size, seeds, constants)
        except InputError as error:
            yield from [error] * len(paths)
            return
        yield from ({"picture": images.png(picture)} for picture in made)

    fingerprint = {
        "job": "pictures of a grid", **runner.decided_by(network), "layer": layer, "size": size,
        "settings": constants, "seed": given["seed"], "answers": looked.digest,
        "grid": manifest.key(points=grid.points, cells=grid.cells),
    }  # fmt: skip
    return Job(fingerprint, pa.schema([("picture", pa.binary())]), rows)


def read(folder: pathlib.Path) -> dict[int, bytes]:
    """Returns the pictures by cell."""
    rows = pq.read_table(folder / "parts", columns=["path", "picture"]).to_pylist()
    return {int(pathlib.PurePath(row["path"]).name): row["picture"] for row in rows}
