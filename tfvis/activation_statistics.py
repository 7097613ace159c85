"""What units do on photographs: their largest activations, kept for the next time."""

import hashlib
import os
import pathlib
from collections.abc import Iterable, Iterator

import numpy as np
import tensorflow as tf

from tfvis import bounds, files, images, objectives
from tfvis.errors import InputError, arg
from tfvis.networks import weights
from tfvis.networks.network import Network

# A unit that photographs leave cold is measured by this share of its layer's median;
# else its weight C / (M rf^2) would have no bound.
_LEAST = 0.5


def largest(
    network: Network,
    layers: Iterable[str],
    pictures: Iterable[np.ndarray],
    everywhere: bool = False,
) -> dict[str, np.ndarray]:
    """Returns M: each channel's largest activation, over all places and pictures.

    Args:
        network: the network.
        layers: paths, or "logits".
        pictures: float32 [height, width, channels] each, display space, one size.
        everywhere: of the means over maps, not of single places.

    Returns:
        {layer: float32 [channels]}.
    """
    layers = tuple(layers)
    taps = network.taps(layers)
    reduce = tf.reduce_mean if everywhere else tf.reduce_max

    @tf.function(autograph=False)
    def maxima(image):
        outputs = taps(image[None])
        return {layer: reduce(tf.reshape(y, [-1, y.shape[-1]]), 0) for layer, y in outputs.items()}

    found: dict[str, np.ndarray] = {}
    for picture in pictures:
        for layer, values in maxima(tf.constant(picture, tf.float32)).items():
            before = found.get(layer)
            found[layer] = values.numpy() if before is None else np.maximum(before, values)
    return found


def largest_along(
    network: Network, layer: str, vector: np.ndarray | None, pictures: Iterable[np.ndarray]
) -> float:
    """Returns M of a direction: the largest <vector, phi>, over places and pictures.

    Args:
        network: the network.
        layer: a path, or "logits".
        vector: float32 [channels]; None is `objectives.layer_norm` of the whole layer.
        pictures: see `largest`.
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


def kept_largest(
    network: Network,
    layers: Iterable[str],
    name: str,
    pictures: Iterator[np.ndarray],
    everywhere: bool = False,
) -> dict[str, np.ndarray]:
    """Returns `largest`, from the cache where it was found before.

    Args:
        network: the network; its fingerprint, variant and preprocessing are in the name
            of the file, below `weights.home()`.
        layers: paths, or "logits".
        name: stands for the pictures: another set must have another name.
        pictures: see `largest`; not looked at if all is in the cache.
        everywhere: see `largest`.
    """
    parts = (network.record.fingerprint, network.architecture, network.variant)
    parts += (network.preprocessing, name, everywhere)
    digest = hashlib.sha256(repr(parts).encode()).hexdigest()[:32]
    path = pathlib.Path(weights.home()) / "activations" / f"{digest}.npz"
    found = _read(path)
    layers = tuple(layers)
    if not set(layers) <= set(found):
        found |= largest(network, layers, pictures, everywhere)
        files.make_folder(path.parent, "TFVIS_HOME")
        # A layer's name may hold what a name inside an archive must not.
        arrays = {"names": np.array(list(found))}
        files.write_npz(path, arrays | {f"m{i}": found[k] for i, k in enumerate(found)})
    return {layer: found[layer] for layer in layers}


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


def _read(path: os.PathLike) -> dict[str, np.ndarray]:
    """Returns what is in the cache; a damaged file is as good as none."""
    try:
        files.check(path, os.fspath(path), bounds.WEIGHTS)
        with np.load(path, allow_pickle=False) as stored:
            names = stored["names"].tolist()
            return {name: stored[f"m{i}"] for i, name in enumerate(names)}
    except Exception:
        return {}


def demo_pictures(network: Network, size: int = 224) -> Iterator[np.ndarray]:
    """Yields the reference pictures in place of a set: crops of two photographs.

    Args:
        network: whose channels they get, and size if it is fixed.
        size: their side otherwise.
    """
    height, width = network.fixed_size or (size, size)
    for photograph in images.demo_set():
        for place in ("left", "center", "right"):
            square = images.resize(images.crop(photograph, place), height, width)
            square = images.with_channels(square, network.channels)
            yield square
            yield square[:, ::-1]
