"""Path similarity: whether a maximised picture goes through a network as photographs do.

Geirhos, Zimmermann, Bilodeau, Brendel & Kim, "Don't trust your eyes: on the (un)reliability of
feature visualizations" (ICML 2024; arXiv 2306.04719), section 4: per layer before the unit,
Spearman's correlation of the activations by a picture with those by natural images that excite the
unit, beside what such images have among themselves (1) and with other natural images (0).

The paper asks about classes and takes images of the class, and publishes no code for it. Here they
are the photographs that excite the unit most, and of a layer those activations count that the unit
can see. By activations alone honest units of a small network fall below the baseline too; so the
same is asked of their contributions to the unit, which a fooling circuit cannot share with
photographs: whether a picture takes another path is told by these.
"""

import dataclasses
import functools
from collections.abc import Iterable

import numpy as np
import scipy.stats
import tensorflow as tf

from tfvis.networks.activation import activated
from tfvis.networks.keras_graph import ordered
from tfvis.networks.network import Network
from tfvis.networks.receptive_field import receptive_field

# Activations of a layer that are ranked; all of an early layer would be millions.
_SAMPLED = 4096
# Of fewer, ranks say nothing.
_FEWEST = 8
# A picture takes another path that has less in common with exciting photographs than half of what
# others have, plus a tenth of what the exciting ones have more among themselves. The paper asks for
# less than others have, which three in ten honest units of small networks do by a little; a
# planted circuit lets nothing through from where photographs go. What it finds in circuits
# that were planted after it was chosen: docs/measurements.md.
_LESS, _NEAR = 0.5, 0.1


@dataclasses.dataclass(frozen=True, eq=False)
class PathSimilarity:
    """Spearman correlations of activations, per layer, with photographs that excite the unit.

    Attributes:
        layers: before the unit, in order of computation.
        picture: float64 [layers], of the picture, mean over the photographs.
        same: float64 [layers], of these photographs among themselves, mean over pairs.
        other: float64 [layers], of other photographs, mean over pairs: what comes for nothing.
    """

    layers: tuple[str, ...]
    picture: np.ndarray
    same: np.ndarray
    other: np.ndarray

    @property
    def by_layer(self) -> np.ndarray:
        """(picture - other) / (same - other), float64 [layers]; NaN where same is no more."""
        apart = self.same - self.other
        known = apart > 0
        return np.where(known, (self.picture - self.other) / np.where(known, apart, 1), np.nan)

    @property
    def number(self) -> float:
        """The same over all layers, each by how well it tells; NaN where they tell nothing."""
        apart = (self.same - self.other).sum()
        return float((self.picture - self.other).sum() / apart) if apart > 0 else float("nan")

    @property
    def other_path(self) -> bool:
        """Whether the picture has far less in common with them than any photographs have.

        Less than half of that, and a tenth of the way from it to what they have among themselves;
        where that is no more (`number` is NaN), half of it alone.
        """
        apart = max(float((self.same - self.other).sum()), 0.0)
        return bool(self.picture.sum() < _LESS * self.other.sum() + _NEAR * apart)


def layers_before(network: Network, layer: str) -> tuple[str, ...]:
    """Returns the convolutions, after their nonlinearities, that lead to a layer, without it.

    Args:
        network: its graph.
        layer: a path, or "logits".
    """
    tensors = network.graph.tensors
    own = tensors[network.path(layer)]
    before = {id(tensor) for tensor in ordered(own)[0]} - {id(own)}
    found = (activated(network, name) for name in network.convolutions())
    return tuple(name for name in dict.fromkeys(found) if id(tensors[name]) in before)


@dataclasses.dataclass(frozen=True, eq=False)
class Paths:
    """What pictures do on the way to a unit, {layer: float64 [pictures, activations]} each.

    Ranks, of mean 0 and length 1, so that products are Spearman's correlations; zeros where all are
    equal.

    Attributes:
        activations: of the activations.
        contributions: of activations times the gradient of the unit (its own ReLU aside), which
            say what of them the unit goes by.
    """

    activations: dict[str, np.ndarray]
    contributions: dict[str, np.ndarray]


def paths(
    network: Network,
    layer: str,
    channel: int,
    pictures: Iterable[np.ndarray],
    at: tuple[int, int] | None,
    seed: int = 0,
) -> Paths:
    """Returns the ways of pictures to a unit; empty where nothing comes before it.

    The same activations are ranked of every picture of one size.

    Args:
        network: the network.
        layer: of the unit: a path, or "logits".
        channel: its number.
        pictures: float32 [height, width, channels] each, display space, of one size.
        at: (row, column) of the unit in its map; None of a vector.
        seed: of those that are ranked, where a layer has too many.
    """
    layers = layers_before(network, layer)
    if not layers:
        return Paths({}, {})
    activations: dict[str, list[np.ndarray]] = {}
    contributions: dict[str, list[np.ndarray]] = {}
    look, chosen = _looking(network, layer, layers, at), {}
    for picture in pictures:  # One by one, and only what is ranked is kept.
        before, slopes = look(tf.constant(picture[None], tf.float32), tf.constant(channel))
        for name, output, gradient in zip(layers, before, slopes, strict=True):
            if name not in chosen:
                chosen[name] = _chosen(network, layer, name, picture.shape[:2], output, at, seed)
            if len(chosen[name]) < _FEWEST:
                continue
            for kept, values in ((activations, output), (contributions, -output * gradient)):
                ranked = scipy.stats.rankdata(values.numpy().ravel()[chosen[name]])
                kept.setdefault(name, []).append(_standardized(ranked))
    return Paths(
        {name: np.stack(rows) for name, rows in activations.items()},
        {name: np.stack(rows) for name, rows in contributions.items()},
    )


@functools.lru_cache(maxsize=4)
def _looking(network: Network, layer: str, layers: tuple[str, ...], at: tuple[int, int] | None):
    """Returns the compiled (image, channel) -> (outputs of `layers`, their gradients of a unit).

    Kept, as all units of a layer are asked about one after another.
    """
    taps = network.waking([layer]).taps((*layers, layer))

    @tf.function(autograph=False)
    def look(image: tf.Tensor, channel: tf.Tensor):
        with tf.GradientTape() as tape:
            tape.watch(image)
            outputs = taps(image)
            # A silent unit's ReLU lets through what would make an energy smaller.
            energy = -tf.gather(outputs[layer][(0, *(at or ()))], channel)
        before = [outputs[name] for name in layers]
        return before, tape.gradient(
            energy, before, unconnected_gradients=tf.UnconnectedGradients.ZERO
        )

    return look


def _chosen(network, layer, name, size, output, at, seed) -> np.ndarray:
    """Returns which activations of a layer are ranked, as numbers in its flat output."""
    numbers = np.arange(int(tf.size(output))).reshape(output.shape[1:])
    own = receptive_field.receptive_field(network, layer, *size)
    before = receptive_field.receptive_field(network, name, *size)
    if at is not None and numbers.ndim == 3 and not (own.everything or before.everything):
        inside = []
        axes = zip((own.rows, own.columns), (before.rows, before.columns), strict=True)
        for (unit, axis), k, count in zip(axes, at, before.places, strict=True):
            places = np.arange(count)
            first = np.array([float(axis.low + axis.jump * int(place)) for place in places])
            last = first + float(axis.high - axis.low)
            low, high = (float(edge + unit.jump * k) for edge in (unit.low, unit.high))
            inside.append(places[(first >= low) & (last <= high)])
        numbers = numbers[np.ix_(*inside)]
    numbers = numbers.ravel()
    if len(numbers) <= _SAMPLED:
        return numbers
    return np.sort(np.random.default_rng(seed).choice(numbers, _SAMPLED, replace=False))


def path_similarity(
    picture: dict[str, np.ndarray], exciting: dict[str, np.ndarray], other: dict[str, np.ndarray]
) -> PathSimilarity | None:
    """Returns the path similarity of one picture of a unit; None where nothing comes before it.

    Args:
        picture: its activations or contributions in `Paths`, of one row.
        exciting: those of the photographs that excite the unit most, at least 2, cut as it sees
            them.
        other: those of photographs by chance.
    """
    if not picture:
        return None
    rows = [
        (
            _correlations(picture[name], natural).mean(),
            _correlations(natural, natural)[np.triu_indices(natural.shape[0], 1)].mean(),
            _correlations(other[name], natural).mean(),
        )
        for name, natural in exciting.items()
    ]
    return PathSimilarity(tuple(exciting), *np.array(rows).T)


def _standardized(ranked: np.ndarray) -> np.ndarray:
    centred = ranked - ranked.mean()
    length = np.linalg.norm(centred)
    return centred / length if length > 0 else centred


def _correlations(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """Returns Spearman's correlations [first, second] of standardized ranks.

    A layer that is silent for both is the same for both: 1. It is not where only one wakes it: 0.
    """
    silent = np.outer(~first.any(1), ~second.any(1))
    return np.where(silent, 1.0, first @ second.T)
