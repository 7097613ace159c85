"""What a network's layers answer to a batch of pictures, small enough to be kept.

Two networks are compared from these alone: the maps themselves are 54 MB a picture in VGG16.
"""

import dataclasses
import functools
from collections.abc import Iterable, Mapping, Sequence

import numpy as np
import tensorflow as tf

from tfvis.comparison import cka, rsa
from tfvis.networks.network import Network


@dataclasses.dataclass(frozen=True, eq=False)
class LayerResponses:
    """Of one layer to n pictures; a vector is a map of one place.

    Attributes:
        kernel: float64 [n, n], `cka.kernel` of the whole maps.
        dissimilarities: float64 [n, n], `rsa.dissimilarities` of them.
        means: float32 [n, units], over all places.
        samples: float32 [n, positions, units], at the positions asked for.
        largest: float32 [n, units], the most of each map.
        where: int32 [n, units, 2], (row, column) of it, the first of equals.
        shape: int64 [3], (rows, columns, units) of the maps.
    """

    kernel: np.ndarray
    dissimilarities: np.ndarray
    means: np.ndarray
    samples: np.ndarray
    largest: np.ndarray
    where: np.ndarray
    shape: np.ndarray


def positions(pictures: int, each: int, seed: int) -> np.ndarray:
    """Returns where to look at pictures, float64 [pictures, each, 2], (down, right) in 0..1.

    Shares of the sides, so that maps of any size are looked at in the same places.
    """
    return np.random.default_rng(seed).uniform(size=(pictures, each, 2))


def responses(
    network: Network,
    layers: Sequence[str],
    pictures: Iterable[np.ndarray],
    looked_at: np.ndarray,
    precision: str = "float32",
) -> tuple[dict[str, LayerResponses], np.ndarray | None]:
    """Returns what layers answer to a batch, and the scores of classes.

    Holds the maps of the batch; takes the pictures one by one.

    Args:
        network: the network.
        layers: paths.
        pictures: float32 [height, width, 3] each, 0..255, of one size.
        looked_at: see `positions`.
        precision: of the network's arithmetic.

    Returns:
        ({layer: responses}, float32 [n, classes] or None of a network without classifier).
    """
    scored = (network.logits,) if network.logits else ()
    look = looking(network, tuple(dict.fromkeys([*layers, *scored])), precision)
    outputs: dict[str, list[np.ndarray]] = {}
    for picture in pictures:
        for layer, output in look(tf.constant(picture, tf.float32)).items():
            outputs.setdefault(layer, []).append(output.numpy())
    scores = np.stack(outputs[network.logits]) if scored else None
    found = {}
    for layer in layers:
        maps = outputs[layer] if layer in scored else outputs.pop(layer)
        found[layer] = of_maps(np.stack(maps), looked_at)
    return found, scores


@functools.lru_cache(maxsize=4)
def looking(network: Network, layers: tuple[str, ...], precision: str):
    """Returns the compiled function from a picture to {layer: output}, one for all batches."""
    taps = network.taps(layers, precision)
    return tf.function(
        lambda picture: {layer: output[0] for layer, output in taps(picture[None]).items()},
        autograph=False,
    )


def of_maps(maps: np.ndarray, looked_at: np.ndarray) -> LayerResponses:
    """Returns what is kept of a layer's maps.

    Args:
        maps: float32 [n, height, width, units], or [n, units].
        looked_at: see `positions`.
    """
    count, units = len(maps), maps.shape[-1]
    if maps.ndim == 2:
        maps = maps[:, None, None]
    height, width = maps.shape[1:3]
    flat = maps.reshape(count, height * width, units)
    kernel = cka.kernel(flat)
    rows, columns = (
        np.minimum((looked_at[..., k] * side).astype(int), side - 1)
        for k, side in enumerate((height, width))
    )
    peaks = flat.argmax(1)
    return LayerResponses(
        kernel=kernel,
        dissimilarities=rsa.of_kernel(kernel, flat.reshape(count, -1)),
        means=flat.mean(1, dtype=np.float64).astype(np.float32),
        samples=maps[np.arange(count)[:, None], rows, columns],
        largest=np.take_along_axis(flat, peaks[:, None], 1)[:, 0],
        where=np.stack(np.divmod(peaks, width), -1).astype(np.int32),
        shape=np.array(maps.shape[1:], np.int64),
    )


def arrays(found: Mapping[str, LayerResponses], scores: np.ndarray | None) -> dict[str, np.ndarray]:
    """Returns what `responses` found as arrays for one file, without the layers' names."""
    kept = {} if scores is None else {"scores": scores}
    for number, one in enumerate(found.values()):
        for field in dataclasses.fields(one):
            kept[f"{number}.{field.name}"] = getattr(one, field.name)
    return kept
