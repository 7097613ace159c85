"""What the site says of the units of a layer, as plain data."""

import dataclasses
import math
from collections.abc import Mapping, Sequence

import numpy as np

from tfvis.comparison.unit_matching import Matches
from tfvis.experiments.atlas import activation_grid, answers, groups
from tfvis.experiments.atlas.activation_grid import Grid
from tfvis.experiments.atlas.answers import Answered
from tfvis.experiments.atlas.groups import Groups
from tfvis.networks.network import Network
from tfvis.networks.receptive_field import receptive_field

# Thousandths of a photograph's sides, in which boxes are told.
_SIDES = 1000
# Photographs and units that are told of a cell of an activation atlas.
_OF_CELL = 4
# A photograph's name, and the shape (height, width), in lowest terms, of what a network saw of it.
Shown = tuple[str, tuple[int, int]]


@dataclasses.dataclass(frozen=True, eq=False)
class Layer:
    """All that is known of a layer of a network.

    Attributes:
        network: whose it is.
        path: its.
        channels: those the atlas has.
        looked: what it answered to the pictures.
        pictures: rows of `unit_pictures` by channel; of a channel that nothing raises none.
        grid: of its activation atlas, or None.
        cells: pictures of that, by cell.
        matches: the most alike units of another network's layer, or None.
    """

    network: Network
    path: str
    channels: tuple[int, ...]
    looked: Answered
    pictures: Mapping[int, dict]
    grid: Grid | None
    cells: Mapping[int, bytes]
    matches: Matches | None


def table(layer: Layer, photographs: dict[Shown, int]) -> dict:
    """Returns the data of a layer's units.

    Args:
        layer: what is known of it.
        photographs: {`Shown`: number} of those that are on the page, which grows.
    """
    looked = layer.looked
    grouped = groups.of_names(looked.names)
    chosen = list(layer.channels)
    most = looked.largest[:, chosen].max(0)
    rows = [layer.pictures.get(channel) for channel in chosen]
    return {
        "units": chosen,
        "activation": [_short(row["activation"]) if row else None for row in rows],
        "raised": [bool(row and row["raised"]) for row in rows],
        "times": [
            _short(row["activation"] / float(top)) if row and row["raised"] and top > 0 else None
            for row, top in zip(rows, most, strict=True)
        ],
        "path": [_path(row) for row in rows],
        "largest": [_short(value) for value in most],
        "lowest": [_short(value) for value in np.minimum(looked.largest[:, chosen].min(0), 0)],
        "top": _top(layer, photographs),
        "domains": list(grouped.domains),
        "histogram": groups.histograms(looked.largest[:, chosen], grouped).tolist(),
        "best": _best(layer.matches, chosen),
        "grid": _grid(layer, photographs, grouped),
    }


def classes(layer: Layer) -> dict | None:
    """Returns the class each unit answers most, and how selectively; None without classes."""
    grouped = groups.of_names(layer.looked.names)
    found = groups.preferred(layer.looked.means, grouped)
    if found is None:
        return None
    names, (which, how) = list(grouped.classes), found
    return {
        "names": names,
        "of": [int(which[c]) if not math.isnan(how[c]) else -1 for c in layer.channels],
        "selectivity": [_short(how[c]) for c in layer.channels],
    }


def _short(value) -> float | None:
    """Returns a number of four digits, or None of what is none."""
    value = float(value)
    return float(f"{value:.4g}") if math.isfinite(value) else None


def _path(row: dict | None) -> list | None:
    if row is None or row["similarity"] is None:
        return None
    return [_short(row["similarity"]), _short(row["contributions"]), bool(row["other_path"])]


def _best(matches: Matches | None, chosen: Sequence[int]) -> list | None:
    if matches is None:
        return None
    return [[int(matches.partner[c]), _short(matches.r[c])] for c in chosen]


def _top(layer: Layer, photographs: dict[Shown, int]) -> list:
    """Returns of each unit the photographs that excite it most: number, box, activation."""
    found = layer.looked.statistics
    field = receptive_field.receptive_field(
        layer.network, layer.path, *answers.size(layer.network)
    )  # fmt: skip
    return [
        [
            [*_spot(layer, photographs, field, int(number), int(row), int(column)), _short(value)]
            for number, row, column, value in zip(
                found.images[channel], found.rows[channel], found.columns[channel],
                found.values[channel], strict=True,
            )
            if number >= 0 and value > 0
        ]
        for channel in layer.channels
    ]  # fmt: skip


def _spot(layer: Layer, photographs: dict[Shown, int], field, number, row, column) -> list[int]:
    """Returns (number of the photograph, top, left, bottom, right) of what a unit saw."""
    height, width = answers.size(layer.network)
    top, left, bottom, right = field.box(row, column)
    divisor = math.gcd(height, width)
    shown = layer.looked.names[number], (height // divisor, width // divisor)
    box = (top / height, left / width, bottom / height, right / width)
    return [
        photographs.setdefault(shown, len(photographs)), *(round(_SIDES * edge) for edge in box),
    ]  # fmt: skip


def _grid(layer: Layer, photographs: dict[Shown, int], grouped: Groups) -> dict | None:
    """Returns the cells of the activation atlas: what of which pictures is in each."""
    grid, looked = layer.grid, layer.looked
    if grid is None or not grid.filled:
        return None
    vectors = activation_grid.averages(grid, looked)
    flat = looked.samples.reshape(-1, looked.samples.shape[-1])
    mean, deviation = flat.mean(0), flat.std(0)
    unlike = (vectors - mean) / np.maximum(deviation, 1e-6 * max(float(deviation.max()), 1e-12))
    field = receptive_field.receptive_field(
        layer.network, layer.path, *answers.size(layer.network)
    )  # fmt: skip
    cells, own = [], set(layer.channels)
    for cell, vector, other in zip(grid.filled, vectors, unlike, strict=True):
        members = grid.members(cell)
        near = np.argsort(-(flat[members] @ vector) / np.linalg.norm(flat[members], axis=1))
        shown = [int(members[k]) for k in near[:_OF_CELL]]
        of = np.bincount(grouped.of_class[members // answers.PLACES])
        units = [int(c) for c in np.argsort(-other) if int(c) in own][:_OF_CELL]
        cells.append(
            {
                "cell": cell, "count": len(members), "units": units,
                "class": int(of.argmax()) if grouped.classes else None,
                "share": _short(of.max() / of.sum()),
                "spots": [_spot_of_sample(layer, photographs, field, one) for one in shown],
            }
        )  # fmt: skip
    return {"side": grid.side, "cells": cells}


def _spot_of_sample(layer: Layer, photographs, field, sample: int) -> list[int]:
    number, place = divmod(sample, answers.PLACES)
    sides = layer.network.trace(layer.path, *answers.size(layer.network))[:2]
    row, column = answers.place(layer.looked.names[number], place, sides)
    return _spot(layer, photographs, field, number, row, column)
