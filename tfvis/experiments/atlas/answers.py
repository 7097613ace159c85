"""What the layers of a network answer to pictures: kept of each, a row of a batch.

Nothing of it is looked at twice: which photographs excite a unit, how its answers are spread, which
unit of another network does the same, and where a layer's activations lie, all come from these.
"""

import dataclasses
import hashlib
import pathlib
from collections.abc import Sequence

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import tensorflow as tf

from tfvis import activation_statistics, images
from tfvis.activation_statistics import TOP, Statistics
from tfvis.comparison import responses
from tfvis.experiments import networks, picture_batches, runner
from tfvis.experiments.batch.jobs import Job
from tfvis.networks.network import Network

MAKER = f"{__name__}:job"
# Places of each picture whose activations are kept, for matching units and for the map of a layer:
# as many as an activation atlas of ten thousand pictures has of each.
PLACES = 4
_FIELDS = {
    "largest": np.float32, "means": np.float32, "inside": np.float32, "rows": np.int16,
    "columns": np.int16, "samples": np.float32,
}  # fmt: skip


@dataclasses.dataclass(frozen=True, eq=False)
class Answered:
    """What one layer answered to n pictures.

    Attributes:
        names: of the pictures, relative to the folder of all.
        largest, means: float32 [n, channels], over all places of each picture.
        inside: float32 [n, channels], the largest of places that see no border.
        rows, columns: int16 [n, channels], where that is in the map.
        samples: float32 [n, PLACES, channels], at places by chance.
    """

    names: tuple[str, ...]
    largest: np.ndarray
    means: np.ndarray
    inside: np.ndarray
    rows: np.ndarray
    columns: np.ndarray
    samples: np.ndarray

    @property
    def statistics(self) -> Statistics:
        """The same as `activation_statistics.measured` of these pictures, in their order."""
        count, channels = self.inside.shape
        order = np.argsort(-self.inside, axis=0, kind="stable")[:TOP]
        found = Statistics.of_none(channels)
        found.photographs = found.next = count
        found.largest, found.largest_mean = self.largest.max(0), self.means.max(0)
        found.images[:, : len(order)] = order.T
        for kept, all_of_it in (
            (found.values, self.inside), (found.rows, self.rows), (found.columns, self.columns),
        ):  # fmt: skip
            kept[:, : len(order)] = np.take_along_axis(all_of_it, order, 0).T
        return found

    @property
    def digest(self) -> str:
        """Of all that decides what is made of it."""
        whole = hashlib.sha256("\n".join(self.names).encode())
        for name in _FIELDS:
            whole.update(np.ascontiguousarray(getattr(self, name)).tobytes())
        return whole.hexdigest()


def size(network: Network) -> tuple[int, int]:
    """Returns the (height, width) that pictures are shown at."""
    return network.fixed_size or (224, 224)


def shown(path: pathlib.Path | str, network: Network) -> np.ndarray:
    """Returns a picture as it is shown, its centre square, float32 [height, width, channels].

    Raises:
        InputError: it cannot be read.
    """
    return square(images.read(path, None).pixels, network)


def square(pixels: np.ndarray, network: Network) -> np.ndarray:
    """Returns the same of a picture that was read, float32 [height, width, 3]."""
    return images.fitted(pixels, *size(network), network.channels)


def settings(wanted: networks.Wanted, layers: Sequence[str]) -> dict:
    """Returns what `job` is made of.

    Args:
        wanted: the one network.
        layers: of maps.
    """
    return {"network": networks.plain(wanted), "layers": list(layers)}


def job(given: dict) -> Job:
    """Returns what is done to each picture, made of `settings`."""
    return of_network(networks.only(networks.of_plain(given["network"]), "alone"), given["layers"])


def of_network(network: Network, layers: Sequence[str]) -> Job:
    """Returns the same of a network that is built."""
    look = looking(network, tuple(layers))
    height, width = size(network)

    def opened(path: str) -> tuple[np.ndarray, np.ndarray]:
        return shown(path, network), _places(path)

    def row(found: tuple[np.ndarray, np.ndarray]) -> dict:
        picture, places = found
        outputs = look(tf.constant(picture), tf.constant(places, tf.float32))
        return {
            f"{name}{k}": found.numpy().reshape(-1).astype(_FIELDS[name])
            for k, layer in enumerate(layers)
            for name, found in outputs[layer].items()
        }

    fingerprint = {
        "job": "answers of layers", **runner.decided_by(network), "layers": list(layers),
        "size": [height, width], "places": PLACES,
    }  # fmt: skip
    columns = [
        pa.field(
            f"{name}{k}",
            pa.list_(
                pa.from_numpy_dtype(kind),
                network.channels_of(layer) * (PLACES if name == "samples" else 1),
            ),
        )
        for k, layer in enumerate(layers)
        for name, kind in _FIELDS.items()
    ]
    return Job(fingerprint, pa.schema(columns), picture_batches.answers(opened, row))


def row_bytes(network: Network, layers: Sequence[str]) -> int:
    """Returns how large a row is."""
    each = sum(np.dtype(kind).itemsize for kind in _FIELDS.values()) + 4 * (PLACES - 1)
    return each * sum(network.channels_of(layer) for layer in layers)


def read(folder: pathlib.Path | str, layers: Sequence[str], layer: str) -> Answered:
    """Returns what one layer answered.

    Args:
        folder: of the batch.
        layers: of the batch, in its order.
        layer: which of them.
    """
    k = list(layers).index(layer)
    wanted = ["path", *(f"{name}{k}" for name in _FIELDS)]
    table = pq.read_table(pathlib.Path(folder) / "parts", columns=wanted).combine_chunks()
    found = {}
    for name, kind in _FIELDS.items():
        flat = table[f"{name}{k}"].chunk(0).flatten().to_numpy()
        shape = (len(table), PLACES, -1) if name == "samples" else (len(table), -1)
        found[name] = flat.astype(kind, copy=False).reshape(shape)
    return Answered(tuple(table["path"].to_pylist()), **found)


def place(name: str, number: int, sides: tuple[int, int]) -> tuple[int, int]:
    """Returns the (row, column) of one of a picture's samples in a map of (rows, columns)."""
    at = np.float32(_places(name)[number]) * np.float32(sides)
    return tuple(min(int(edge), side - 1) for edge, side in zip(at, sides, strict=True))


def _places(path: str) -> np.ndarray:
    """Returns where in a picture activations are kept, by its name: the same in any network."""
    digest = hashlib.sha256(pathlib.PurePath(path).name.encode()).digest()
    return responses.positions(1, PLACES, int.from_bytes(digest[:4], "big"))[0]


def looking(network: Network, layers: tuple[str, ...]):
    """Returns the compiled function from a picture, and places in it, to what is kept.

    Args:
        network: the network.
        layers: of maps.

    Returns:
        (float32 [height, width, channels], shares of its sides [PLACES, 2]) -> {layer: {name of
        an array of `Answered`: it, of one picture}}.
    """
    taps = network.taps(layers)

    @tf.function(autograph=False)
    def look(picture: tf.Tensor, places: tf.Tensor) -> dict[str, dict[str, tf.Tensor]]:
        found = {}
        for layer, output in taps(picture[None]).items():
            within = activation_statistics.inside(network, layer, *picture.shape[:2])
            kept = activation_statistics.strongest(output, within)
            names = ("largest", "means", "inside", "rows", "columns")
            sides = tf.shape(output)[1:3]
            at = tf.cast(places * tf.cast(sides, tf.float32), tf.int32)
            at = tf.minimum(at, sides - 1)
            found[layer] = dict(zip(names, kept, strict=True))
            found[layer]["samples"] = tf.gather_nd(output[0], at)
        return found

    return look
