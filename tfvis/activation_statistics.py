"""What channels do on photographs: their largest activations and where, kept for the next time."""

import dataclasses
import hashlib
import os
import pathlib
import time
from collections.abc import Callable, Iterable, Iterator

import numpy as np
import tensorflow as tf

from tfvis import bounds, files, images, objectives
from tfvis.errors import InputError, arg
from tfvis.networks import weights
from tfvis.networks.network import Network
from tfvis.networks.receptive_field import receptive_field

# A unit that photographs leave cold is measured by this share of its layer's median;
# else its weight C / (M rf^2) would have no bound.
_LEAST = 0.5
# Photographs kept of each channel: the nine of Zeiler & Fergus 2014 and Borowski et al. 2021.
TOP = 9
# A pass over photographs that is killed loses at most so much.
_SAVE_EVERY_S = 15.0
# (number, picture), float32 [height, width, channels], display space, from a number on.
Numbered = Iterable[tuple[int, np.ndarray]]


@dataclasses.dataclass(eq=False)
class Statistics:
    """What the channels of a layer did on photographs so far; it grows in place.

    Attributes:
        photographs: how many.
        next: number of the first that was not looked at.
        largest: float32 [channels], M, over all places and photographs.
        largest_mean: float32 [channels], the same of means over maps.
        values: float32 [channels, TOP], the largest of the strongest photographs, the first
            first; -inf where there are fewer. Of units that see no border, where there are such:
            what excites one at a border may be the border.
        images: int32 [channels, TOP], their numbers, -1 where there are fewer.
        rows, columns: int32 [channels, TOP], where in the map; 0 in a vector.
    """

    photographs: int
    next: int
    largest: np.ndarray
    largest_mean: np.ndarray
    values: np.ndarray
    images: np.ndarray
    rows: np.ndarray
    columns: np.ndarray

    @classmethod
    def of_none(cls, channels: int) -> "Statistics":
        """Returns those of no photograph."""
        cold, top = np.full(channels, -np.inf, np.float32), (channels, TOP)
        places = [np.full(top, -1, np.int32) for _ in range(3)]
        return cls(0, 0, cold, cold.copy(), np.full(top, -np.inf, np.float32), *places)

    def add(self, number: int, found: "Answers") -> None:
        """Takes in a photograph; of equals the earlier one stays."""
        self.photographs += 1
        self.next = number + 1
        self.largest = np.maximum(self.largest, found.largest)
        self.largest_mean = np.maximum(self.largest_mean, found.mean)
        better = np.flatnonzero(found.inside > self.values[:, -1])
        for kept, new in (
            (self.images, np.full_like(found.rows, number)),
            (self.rows, found.rows),
            (self.columns, found.columns),
            (self.values, found.inside),
        ):
            kept[better, -1] = new[better]
        order = np.argsort(-self.values[better], axis=1, kind="stable")
        for kept in (self.values, self.images, self.rows, self.columns):
            kept[better] = np.take_along_axis(kept[better], order, 1)


@dataclasses.dataclass(frozen=True, eq=False)
class Answers:
    """What the channels of a layer answer to one picture, [channels] each.

    Attributes:
        largest: float32, over all places.
        mean: float32, over all places.
        inside: float32, the largest of those that see no border, if there are any.
        rows, columns: int32, of the place of the latter; 0 in a vector.
    """

    largest: np.ndarray
    mean: np.ndarray
    inside: np.ndarray
    rows: np.ndarray
    columns: np.ndarray


def answers(
    network: Network, layers: Iterable[str], pictures: Numbered
) -> Iterator[tuple[int, dict[str, Answers]]]:
    """Yields what layers answer to pictures, one by one, with their numbers.

    Args:
        network: the network.
        layers: paths, or "logits".
        pictures: of one size, so that there is one trace.
    """
    taps = network.taps(tuple(layers))

    @tf.function(autograph=False)
    def look(image):
        return {
            layer: strongest(y, inside(network, layer, *image.shape[:2]))
            for layer, y in taps(image[None]).items()
        }

    for number, picture in pictures:
        outputs = look(tf.constant(picture, tf.float32))
        yield number, {k: Answers(*(x.numpy() for x in found)) for k, found in outputs.items()}


def strongest(output: tf.Tensor, within: np.ndarray | None) -> tuple[tf.Tensor, ...]:
    """Returns `Answers` of one picture's output, as tensors.

    Args:
        output: [1, height, width, channels], or [1, channels].
        within: see `inside`.
    """
    width = tf.shape(output)[2] if output.shape.rank == 4 else 1
    flat = tf.reshape(output, [-1, output.shape[-1]])
    most, mean = tf.reduce_max(flat, 0), tf.reduce_mean(flat, 0)
    if within is not None:
        flat = tf.where(within.reshape(-1, 1), flat, flat.dtype.min)
    place = tf.argmax(flat, 0, output_type=tf.int32)
    return most, mean, tf.reduce_max(flat, 0), place // width, place % width


def inside(network: Network, layer: str, height: int, width: int) -> np.ndarray | None:
    """Returns which places of a map see no border, bool [rows, columns]; None where none does.

    Args:
        network: the network.
        layer: a path, or "logits".
        height, width: of the image, in pixels.
    """
    field = receptive_field.receptive_field(network, layer, height, width)
    shape = network.trace(layer, height, width)
    if field.everything or shape[:-1] != field.places:
        return None
    rows, columns = (
        np.array([axis.low + axis.jump * k >= 0 and axis.high + axis.jump * k < side
                  for k in range(len(axis.first))])
        for axis, side in ((field.rows, height), (field.columns, width))
    )  # fmt: skip
    found = np.outer(rows, columns)
    return found if found.any() else None


def measured(network: Network, layers: Iterable[str], pictures: Numbered) -> dict[str, Statistics]:
    """Returns what layers do on pictures, in one pass.

    Args:
        network: the network.
        layers: paths, or "logits".
        pictures: of one size.
    """
    found: dict[str, Statistics] = {}
    for number, of_layers in answers(network, layers, pictures):
        _add(found, number, of_layers)
    return found


def _add(found: dict[str, Statistics], number: int, of_layers: dict[str, Answers]) -> None:
    for layer, one in of_layers.items():
        so_far = found.setdefault(layer, Statistics.of_none(len(one.largest)))
        if number >= so_far.next:
            so_far.add(number, one)


def largest_along(
    network: Network, layer: str, vector: np.ndarray | None, pictures: Iterable[np.ndarray]
) -> float:
    """Returns M of a direction: the largest <vector, phi>, over places and pictures.

    Args:
        network: the network.
        layer: a path, or "logits".
        vector: float32 [channels]; None is `objectives.layer_norm` of the whole layer.
        pictures: float32 [height, width, channels] each, display space.
    """
    taps = network.taps([layer])
    whole = objectives.layer_norm(layer)
    found = []
    for picture in pictures:
        outputs = taps(tf.constant(picture[None], tf.float32))
        if vector is None:
            found.append(float(whole(outputs)[0]))
        else:
            found.append(float(tf.reduce_max(tf.tensordot(outputs[layer], vector, 1))))
    return max(found)


def kept(
    network: Network,
    layers: Iterable[str],
    name: str,
    pictures: Callable[[int], Numbered],
) -> dict[str, Statistics]:
    """Returns `measured`, from the cache where it was found before; goes on where it stopped.

    Args:
        network: the network; its fingerprint, variant and preprocessing are in the name
            of the file, below `weights.home()`.
        layers: paths, or "logits".
        name: stands for the pictures: another set must have another name.
        pictures: gives them from a number on; not asked if all is in the cache.
    """
    parts = (network.record.fingerprint, network.architecture, network.variant)
    parts += (network.preprocessing, name, TOP, _FIELDS)
    digest = hashlib.sha256(repr(parts).encode()).hexdigest()[:32]
    path = pathlib.Path(weights.home()) / "activations" / f"{digest}.npz"
    known, whole = _read(path)
    layers = tuple(dict.fromkeys(layers))
    missing = [layer for layer in layers if layer not in whole]
    if missing:
        files.make_folder(path.parent, "TFVIS_HOME")
        found = {layer: known[layer] for layer in missing if layer in known}
        first = min((known[layer].next if layer in known else 0) for layer in missing)
        saved = time.perf_counter()
        for number, of_layers in answers(network, missing, pictures(first)):
            _add(found, number, of_layers)
            if time.perf_counter() - saved > _SAVE_EVERY_S:
                _write(path, known | found, whole)
                saved = time.perf_counter()
        known, whole = known | found, whole | set(missing)
        _write(path, known, whole)
    return {layer: known[layer] for layer in layers}


_FIELDS = tuple(field.name for field in dataclasses.fields(Statistics))


def _write(path: pathlib.Path, found: dict[str, Statistics], whole: set[str]) -> None:
    # A layer's name may hold what a name inside an archive must not.
    arrays = {"names": np.array(list(found)), "whole": np.array([k in whole for k in found])}
    for i, one in enumerate(found.values()):
        arrays |= {f"{name}{i}": np.asarray(getattr(one, name)) for name in _FIELDS}
    files.write_npz(path, arrays)


def _read(path: os.PathLike) -> tuple[dict[str, Statistics], set[str]]:
    """Returns what is in the cache and which layers are whole; a damaged file is as good as none.

    Of a pass that was stopped, layers are there that are not.
    """
    try:
        files.check(path, os.fspath(path), bounds.WEIGHTS)
        with np.load(path, allow_pickle=False) as stored:
            names, found = stored["names"].tolist(), {}
            for i, name in enumerate(names):
                photographs, following, *arrays = (stored[f"{field}{i}"] for field in _FIELDS)
                found[name] = Statistics(int(photographs), int(following), *arrays)
            whole = {n for n, done in zip(names, stored["whole"].tolist(), strict=True) if done}
    except Exception:
        return {}, set()
    return found, whole


def floored(values: np.ndarray, layer: str) -> np.ndarray:
    """Returns M with a floor, so that units that photographs leave cold have one too.

    Args:
        values: float32 [channels].
        layer: for the message.

    Raises:
        InputError: no unit of the layer answers at all.
    """
    positive = values[values > 0]
    if not len(positive):
        raise InputError(
            f"{layer}: nothing in it answers any of the reference images, so there is nothing "
            f"to measure by. Choose other {arg('references')} or another layer."
        )
    return np.maximum(values, _LEAST * np.median(positive))


def demo_pictures(network: Network, size: int = 224) -> Iterator[np.ndarray]:
    """Yields the reference pictures in place of a set: crops of two photographs.

    Args:
        network: whose channels they get, and size if it is fixed.
        size: their side otherwise.
    """
    height, width = network.fixed_size or (size, size)
    for photograph in images.demo_set():
        for place in ("left", "center", "right"):
            part = images.fitted(photograph, height, width, network.channels, place)
            yield part
            yield part[:, ::-1]
