"""Whether the search by picture names units that were planted in a network, and only where it may.

A planted unit looks for a pattern of its own, by construction: its kernel is what the layer below
answers to the pattern, less what it answers to the mean of them. It stands among the units that the
network has learnt, and among all others that were planted.
"""

import dataclasses
import pathlib
from collections.abc import Sequence

import keras
import numpy as np

from tfvis import images
from tfvis.errors import InputError, arg
from tfvis.experiments import folders, networks
from tfvis.experiments.atlas import answers, finding
from tfvis.experiments.batch import batches
from tfvis.networks import network as network_files
from tfvis.networks.network import Network
from tfvis.progress_bar import bar

# A trained network that comes along, small enough for two cores; units are planted beside those of
# the first convolution of its third block, which see 22 px, four apart. They see as much, of maps
# two px apart, of which four are pooled: wherever a pattern is, one lies well on it.
_NETWORK, _BELOW, _BESIDE, LAYER = "photos_small", "block1_pool", "block3_relu1", "units"
_KERNEL, _POOLED = 9, 2
# Cells along a pattern's side, and the px of each: a little more than a unit sees.
_CELLS, _CELL = 6, 4
# Around a pattern whose answers are asked for; and of a photograph, which sees no pattern.
_ROOM = 48
# What a photograph shows: the unit's pattern, its cells in another order, and nothing.
KINDS = ("pattern", "cells shuffled", "nothing")


@dataclasses.dataclass(frozen=True)
class Trial:
    """A unit that was planted, and its place among all units where a photograph shows something.

    Attributes:
        unit: its channel.
        places: from 1, one of each of `KINDS`.
    """

    unit: int
    places: tuple[int, ...]


def patterns(count: int, generator: np.random.Generator) -> np.ndarray:
    """Returns cells of one of eight colours each, by chance, float32 [count, side, side, 3]."""
    cells = 255 * generator.integers(0, 2, (count, _CELLS, _CELLS, 3)).astype(np.float32)
    return _enlarged(cells)


def shuffled(pattern: np.ndarray, generator: np.random.Generator) -> np.ndarray:
    """Returns a pattern with its cells in another order."""
    cells = pattern[::_CELL, ::_CELL].reshape(-1, 3)
    return _enlarged(generator.permutation(cells).reshape(1, _CELLS, _CELLS, 3))[0]


def _enlarged(cells: np.ndarray) -> np.ndarray:
    return cells.repeat(_CELL, 1).repeat(_CELL, 2)


def with_units(network: Network, shown: np.ndarray, photographs: np.ndarray) -> Network:
    """Returns a network with a unit for each pattern, behind those of the layer that they join.

    Args:
        network: that `_NETWORK` names.
        shown: the patterns.
        photographs: float32 [n, height, width, 3], by which answers are known to be usual.
    """
    below = network.taps([_BELOW])
    room = np.full((len(shown), _ROOM, _ROOM, 3), 127.5, np.float32)
    # So that the pattern's middle is that of a place of the map.
    stride, side = network.stride(_BELOW), shown.shape[1]
    start = (_ROOM - side + stride) // 2
    room[:, start : start + side, start : start + side] = shown
    found, usual = (below(pixels)[_BELOW].numpy() for pixels in (room, photographs))
    first = _ROOM // 2 // stride - _KERNEL // 2
    found = found[:, first : first + _KERNEL, first : first + _KERNEL]
    mean, spread = usual.mean((0, 1, 2)), usual.std((0, 1, 2))
    kernel = (found - found.mean(0)) / np.square(np.maximum(spread, 0.1 * spread.mean()))
    kernel /= np.sqrt(np.square(kernel).sum((1, 2, 3), keepdims=True))
    kernel = kernel.transpose(1, 2, 3, 0)
    planted = keras.layers.Conv2D(
        len(shown), _KERNEL, padding="same", activation="relu", name="planted"
    )
    tensors = network.graph.tensors
    pooled = keras.layers.MaxPooling2D(_POOLED, name="pooled")(planted(tensors[_BELOW]))
    joined = keras.layers.Concatenate(name=LAYER)([tensors[_BESIDE], pooled])
    planted.set_weights([kernel, -np.einsum("ijcn,c->n", kernel, mean)])
    model = keras.Model(network.graph.inputs, joined)
    return network_files.wrap(model, "planted", network.preprocessing)


def trials(place: pathlib.Path | str, workdir: pathlib.Path, count: int, seed: int) -> list[Trial]:
    """Plants units in one network, has it look at photographs, and shows it the patterns.

    Half of the photographs are what the atlas knows; patterns are shown in the others.

    Args:
        place: the folder of photographs.
        workdir: for what the network answers.
        count: of units and of trials.
        seed: of patterns, and of where they are shown.

    Raises:
        InputError: there are fewer than eight photographs.
    """
    generator = np.random.default_rng(seed)
    network = networks.only(networks.networks(networks.Wanted(network=_NETWORK)), "it is one")
    found = folders.find(place, "images")
    known, others = found.paths[::2], found.paths[1::2]
    if len(others) < 4:
        raise InputError(f"{arg('images')}={place}: the table needs eight photographs and more.")
    shown = patterns(count, generator)
    own = with_units(network, shown, np.stack([answers.shown(one, network) for one in known[:16]]))
    looked = workdir / "planted"
    looked.mkdir(parents=True, exist_ok=True)
    batches.run(
        answers.of_network(own, [LAYER]), "", {}, batches.items(dataclasses.replace(
            found, paths=known)), folder=looked, word="looks",
        row_bytes=answers.row_bytes(own, [LAYER]),
    )  # fmt: skip
    units = own.channels_of(LAYER)
    layer = {"path": LAYER, "numbers": None, "units": units}
    finder = finding.Finder(finding.Opened("planted", own, (layer,), looked))

    def placed(unit: int, square: np.ndarray) -> int:
        return [one.channel for one in finder.excited(square)].index(unit) + 1

    made = []
    for k in bar("Planting", count, range(count)):
        unit = units - count + k
        host = answers.shown(others[k % len(others)], own)
        at = generator.integers(_ROOM, np.array(host.shape[:2]) - 2 * _ROOM)
        squares = [_with(host, one, at) for one in (shown[k], shuffled(shown[k], generator))]
        made.append(Trial(unit, tuple(placed(unit, one) for one in (*squares, host))))
    return made


def _with(host: np.ndarray, pattern: np.ndarray, at: Sequence[int]) -> np.ndarray:
    host, (top, left), side = host.copy(), at, len(pattern)
    host[top : top + side, left : left + side] = pattern
    return np.float32(images.quantize(host))


def table_planted(place: pathlib.Path | str, workdir: pathlib.Path, count: int, seed: int) -> None:
    """Prints how often a planted unit is named first, where its pattern is and where it is not."""
    found = trials(place, workdir, count, seed)
    print(f"{'a photograph with':<20}{'trials':>8}{'first':>8}{f'first {finding.OF_ALL}':>10}"
          f"{'median':>8}")  # fmt: skip
    for k, kind in enumerate(KINDS):
        places = np.array([one.places[k] for one in found])
        first, told = (places == 1).mean(), (places <= finding.OF_ALL).mean()
        print(f"{kind:<20}{len(places):>8}{first:>8.0%}{told:>10.0%}{np.median(places):>8.0f}")
