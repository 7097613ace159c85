"""The cells of a sweep: the network and the constants of each."""

import dataclasses
import pathlib
from collections.abc import Callable
from typing import NamedTuple

from apps import grids, subjects
from tfvis.errors import InputError
from tfvis.networks.network import Network
from tfvis.style.transfer import Transfer


class _Word(NamedTuple):
    """Stands where a flag's holder does."""

    value: str


@dataclasses.dataclass(frozen=True)
class Cell:
    """One picture of the grid.

    Attributes:
        values: {flag: value} of what varies.
        network: that makes it.
        settings: constants.
        path: of the picture, relative to the workdir.
    """

    values: dict
    network: Network
    settings: Transfer
    path: pathlib.PurePosixPath


def networks(holders: dict, axes: dict[str, tuple | None]) -> dict[tuple, Network]:
    """Builds every network of a grid.

    Args:
        holders: what `subjects.define_network` returned.
        axes: of `grids.parse`.

    Returns:
        {(value of network, value of pooling): network}, None for what does not vary.

    Raises:
        InputError: one cannot be built.
    """
    names, poolings = axes.get("network", (None,)), axes.get("pooling", (None,))
    if names == (None,) and "," in holders["network"].value:
        raise InputError("--network: one at a time, or --vary=network with --values='one|other'.")
    found = {}
    for pooling in poolings:
        words = dict(holders)
        if names != (None,):
            words["network"] = _Word(",".join(names))
        if pooling is not None:
            words["pooling"] = _Word(pooling)
        try:
            built = subjects.networks(words)
        except InputError as error:
            where = "" if names == (None,) else "--values: "
            raise InputError(f"{where}{error}") from error
        found |= {(name, pooling): net for name, net in zip(names, built.values(), strict=True)}
    return found


def cells(
    grid: grids.Grid,
    built: dict[tuple, Network],
    settings: Callable[[Network, dict], Transfer],
) -> tuple[Cell, ...]:
    """Returns the cells of a grid.

    Args:
        grid: what varies.
        built: of `networks`.
        settings: (network, {flag: value}) -> constants.

    Raises:
        InputError: a network lacks a layer.
    """
    rest = [{f: v for f, v in values.items() if f != "evaluations"} for values in grid.cells]
    found = []
    for values, name in zip(grid.cells, grids.names(rest), strict=True):
        network = built[values.get("network"), values.get("pooling")]
        chosen = settings(network, values)
        path = pathlib.PurePosixPath("cells", name, f"{chosen.evaluations:05d}.png")
        found.append(Cell(values, network, chosen, path))
    return tuple(found)
