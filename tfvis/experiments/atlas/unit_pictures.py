"""The maximised pictures of the units of a layer, a row of a batch each, many raised at once."""

import functools
import pathlib
from collections.abc import Iterator, Sequence

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import tensorflow as tf

from tfvis import activation_statistics, images, preimages
from tfvis.activation_statistics import TOP
from tfvis.errors import InputError
from tfvis.experiments import networks, runner, unit_numbers
from tfvis.experiments.atlas import answers, descents
from tfvis.experiments.atlas.answers import Answered
from tfvis.experiments.atlas.settings import Atlas
from tfvis.experiments.batch.jobs import Job
from tfvis.networks.network import Network
from tfvis.objectives.parsing import Unit
from tfvis.preimages import activation_maximization, normalization

MAKER = f"{__name__}:job"
_COLUMNS = pa.schema(
    [
        ("picture", pa.binary()), ("activation", pa.float32()), ("raised", pa.bool_()),
        ("similarity", pa.float32()), ("contributions", pa.float32()), ("other_path", pa.bool_()),
    ]
)  # fmt: skip
# Photographs kept in memory, of 0.6 MB each: those by chance are the same for nearly all units.
_KEPT = 64


def settings(
    wanted: networks.Wanted,
    layers: Sequence[str],
    layer: str,
    atlas: Atlas,
    precision: str,
    looked: pathlib.Path,
    root: pathlib.Path,
) -> dict:
    """Returns what `job` is made of.

    Args:
        wanted: the one network.
        layers: that have answered.
        layer: of the units.
        atlas: how the pictures are made.
        precision: of the network while they are.
        looked: folder of the answers.
        root: folder of the pictures that were shown.
    """
    return answers.settings(wanted, layers) | {
        "layer": layer, "size": atlas.size, "steps": atlas.steps, "seed": atlas.seed,
        "path_similarity": atlas.path_similarity,
        "precision": precision, "answers": str(looked.absolute()), "root": str(root.absolute()),
    }  # fmt: skip


def job(given: dict) -> Job:
    """Returns what is done to each unit, made of `settings`."""
    return of_network(networks.only(networks.of_plain(given["network"]), "alone"), given)


def of_network(network: Network, given: dict) -> Job:
    """Returns the same of a network that is built; an item is named by its channel."""
    layer = given["layer"]
    size = descents.side(network, layer, given["size"])
    constants = descents.constants(network, layer, size, given["steps"], given["precision"])
    looked = answers.read(given["answers"], given["layers"], layer)
    most = _most(network, given["layers"], layer)
    photographs = _Photographs(network, layer, looked, pathlib.Path(given["root"]))

    def rows(paths: Sequence[str]) -> Iterator[dict | InputError]:
        channels = [int(pathlib.PurePath(path).name) for path in paths]
        try:
            made = _made(network, layer, channels, size, most[channels], constants, given["seed"])
        except InputError as error:  # Nothing raises any of them.
            yield from [error] * len(paths)
            return
        for channel, picture, activation, raised in zip(channels, *made, strict=True):
            way = photographs.path(channel, picture) if given["path_similarity"] else None
            yield {
                "picture": images.png(picture), "activation": activation, "raised": bool(raised),
                "similarity": way and way["activations"]["number"],
                "contributions": way and way["contributions"]["number"],
                "other_path": way and way["other_path"],
            }  # fmt: skip

    fingerprint = {
        "job": "pictures of units", **runner.decided_by(network), "layer": layer, "size": size,
        "settings": constants, "seed": given["seed"], "largest": most, "answers": looked.digest,
        "path_similarity": given["path_similarity"],
    }  # fmt: skip
    return Job(fingerprint, _COLUMNS, rows)


def read(folder: pathlib.Path) -> dict[int, dict]:
    """Returns the rows by channel; of channels whose gradient was none there is none."""
    rows = pq.read_table(folder / "parts").to_pylist()
    return {int(pathlib.PurePath(row["path"]).name): row for row in rows}


def _most(network: Network, layers: Sequence[str], layer: str) -> np.ndarray:
    """Returns M of every channel, which its objective is divided by, float32 [channels].

    As `maximize` takes it where no photographs are named: C was chosen with these, and a unit's
    picture does not depend on what else it is shown.
    """
    references = normalization.demo_references(network)
    found = activation_statistics.kept(network, layers, references.name, references.numbered)
    return activation_statistics.floored(found[layer].largest, layer)


def _made(
    network: Network,
    layer: str,
    channels: list[int],
    size: tuple[int, int],
    most: np.ndarray,
    constants: preimages.Maximization,
    seed: int,
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Returns pictures of channels, what they answer to them, and which were raised."""
    bare = activation_maximization.unit(network, layer, channels, size)
    weighted = activation_maximization.normalized(
        network, bare, layer, size, most, constants.strength
    )
    # One noise for all, so that a unit's picture does not depend on which others there are.
    seeds = (seed,) * len(channels)
    pictures = descents.pictures(network, weighted, size, seeds, constants)
    taps = network.taps(bare.layers)
    noise = activation_maximization.beginning(network, size, seeds, constants)
    found, began = (bare(taps(tf.constant(x, tf.float32))).numpy() for x in (pictures, noise))
    return pictures, found, normalization.raised(found, began, most)[0]


class _Photographs:
    """The photographs that excite the units of a layer, and others, which are read when needed."""

    def __init__(self, network: Network, layer: str, looked: Answered, root: pathlib.Path):
        self._network, self._layer, self._looked, self._root = network, layer, looked, root
        self._top = looked.statistics
        self._square = functools.lru_cache(_KEPT)(self._shown)

    def path(self, channel: int, picture: np.ndarray) -> dict | None:
        """Returns the path similarity of a channel's picture; see `unit_numbers.path`."""
        if self._top.photographs < TOP:
            return None
        chosen = [row[channel].tolist() for row in (self._top.rows, self._top.columns)]
        numbers = self._top.images[channel].tolist()
        return unit_numbers.path(
            self._network,
            Unit(self._layer, channel, name=str(channel)),
            picture,
            [self._square(number) for number in numbers],
            list(zip(*chosen, strict=True)),
            self._top.values[channel].tolist(),
            self._others(set(numbers)),
        )

    def _others(self, exciting: set[int]) -> Iterator[tuple[np.ndarray, tuple[int, int]]]:
        """Yields photographs by chance that do not excite it most, and places in their maps."""
        generator = np.random.default_rng(0)
        order = generator.permutation(self._top.photographs).tolist()
        sides = self._network.trace(self._layer, *answers.size(self._network))[:2]
        for number in [one for one in order if one not in exciting][:TOP]:
            yield self._square(number), tuple(int(generator.integers(side)) for side in sides)

    def _shown(self, number: int) -> np.ndarray:
        return answers.shown(self._root / self._looked.names[number], self._network)
