"""The cells of a sweep: the network and the constants of each."""

import dataclasses
import pathlib
from collections.abc import Callable

from tfvis.errors import InputError, arg, marked
from tfvis.experiments import networks, sweep_grid
from tfvis.networks.network import Network
from tfvis.networks.pooling import averaged
from tfvis.style.transfer import Transfer


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


def built(wanted, axes: dict[str, tuple | None]) -> dict[tuple, Network]:
    """Returns every network of a grid.

    Args:
        wanted: the networks, but for what varies: as `networks.given` takes them.
        axes: of `sweep_grid.parse`; networks that are built already vary by their labels.

    Returns:
        {(value of network, value of pooling): network}, None for what does not vary.

    Raises:
        InputError: one cannot be built.
    """
    names, poolings = axes.get("network", (None,)), axes.get("pooling", (None,))
    if names == (None,) and isinstance(wanted, networks.Wanted) and "," in wanted.network:
        raise InputError(
            f"{arg('network')}: one at a time, or {arg('vary')}=network with "
            f"{arg('values')}='one|other'."
        )
    found = {}
    for pooling in poolings:
        some = _with(wanted, names, pooling)
        found |= {(name, pooling): net for name, net in zip(names, some, strict=True)}
    return found


def _with(wanted, names: tuple, pooling: str | None) -> list[Network]:
    """Returns the networks of those names with a pooling; None leaves either as it is."""
    if not isinstance(wanted, networks.Wanted):
        given = networks.given(wanted)
        some = [networks.only(given, "name them in vary") if n is None else given[n] for n in names]
        return [averaged(net) if pooling == "avg" else net for net in some]
    changes = {} if names == (None,) else {"network": ",".join(names)}
    changes |= {} if pooling is None else {"pooling": pooling}
    try:
        return list(networks.networks(dataclasses.replace(wanted, **changes)).values())
    except InputError as error:
        where = "" if names == (None,) else f"{arg('values')}: "
        raise InputError(f"{where}{marked(error)}") from error


def cells(
    grid: sweep_grid.Grid,
    by_values: dict[tuple, Network],
    settings: Callable[[Network, dict], Transfer],
) -> tuple[Cell, ...]:
    """Returns the cells of a grid.

    Args:
        grid: what varies.
        by_values: of `built`.
        settings: (network, {flag: value}) -> constants.

    Raises:
        InputError: a network lacks a layer.
    """
    rest = [{f: v for f, v in values.items() if f != "evaluations"} for values in grid.cells]
    found = []
    for values, name in zip(grid.cells, sweep_grid.names(rest), strict=True):
        network = by_values[values.get("network"), values.get("pooling")]
        chosen = settings(network, values)
        path = pathlib.PurePosixPath("cells", name, f"{chosen.evaluations:05d}.png")
        found.append(Cell(values, network, chosen, path))
    return tuple(found)
