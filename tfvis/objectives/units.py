"""Objectives on units: channels, single neurons, directions, whole layers, logits.

Where a channel, a row or a column is asked for, a sequence names one per image of the
batch, so that many units are looked for at once.
"""

from collections.abc import Sequence

import numpy as np
import tensorflow as tf

from tfvis.networks.needed_places import Box
from tfvis.objectives.objective import Objective, Taps

Numbers = int | Sequence[int]
# Lucid's floor of a cosine, below which a gradient would vanish; what keeps a length above 0.
_LEAST_COSINE, _TINY = 0.1, 1e-8


def channel(layer: str, channels: Numbers) -> Objective:
    """Returns the sum of a channel over its map: MV16's <phi0, phi(x)>, phi0 = 1 there.

    Args:
        layer: a tap [batch, height, width, channels], or [batch, channels].
        channels: which, one for all images or one each.
    """
    return Objective(
        (layer,),
        lambda taps: _sum_over_map(_picked(taps[layer], channels)),
        f"{layer}:{_words(channels)}:sum",
    )


def channel_mean(layer: str, channels: Numbers) -> Objective:
    """Returns the mean of a channel over its map; arguments as `channel`."""

    def mean(taps: Taps) -> tf.Tensor:
        picked = _picked(taps[layer], channels)
        places = tf.size(picked) // tf.shape(picked)[0]
        return _sum_over_map(picked) / tf.cast(places, tf.float32)

    return Objective((layer,), mean, f"{layer}:{_words(channels)}:mean")


def neuron(
    layer: str, channels: Numbers, row: Numbers | None = None, column: Numbers | None = None
) -> Objective:
    """Returns the activation of one neuron: one channel at one place of the map.

    Args:
        layer: a tap [batch, height, width, channels].
        channels: which, one for all images or one each.
        row, column: its place; None is the centre (of an even map, the place after it).
    """

    def activation(taps: Taps) -> tf.Tensor:
        features = taps[layer]
        height, width = features.shape[1:3]
        rows = _each(height // 2 if row is None else row, features)
        columns = _each(width // 2 if column is None else column, features)
        batch = tf.range(tf.shape(features)[0])
        places = tf.stack([batch, rows, columns, _each(channels, features)], 1)
        return tf.gather_nd(features, places)

    at = "" if row is None and column is None else f"@{_words(row)}x{_words(column)}"
    box = None if row is None or column is None else _box(row, column)
    return Objective((layer,), activation, f"{layer}:{_words(channels)}{at}", box)


def logit(index: Numbers, layer: str = "logits") -> Objective:
    """Returns a class score before the softmax (Simonyan et al. 2014, section 2).

    Args:
        index: of the class, one for all images or one each.
        layer: a tap [batch, classes].
    """
    return Objective((layer,), lambda taps: _picked(taps[layer], index), f"{layer}:{_words(index)}")


def direction(
    layer: str,
    vector: np.ndarray,
    position: tuple[int, int] | None = None,
    name: str = "direction",
) -> Objective:
    """Returns <vector, phi(x)> at one place, or its mean over the map.

    Args:
        layer: a tap [batch, height, width, channels], or [batch, channels].
        vector: float32 [channels], or [batch, channels] for one per image.
        position: (row, column), or None for the mean.
        name: for the description.
    """
    vector = tf.constant(vector, tf.float32)

    def along(taps: Taps) -> tf.Tensor:
        features = taps[layer]
        if position is not None:
            features = features[:, position[0], position[1]]
        middle = [1] * (features.shape.rank - 2)
        shaped = tf.reshape(vector, [-1, *middle, vector.shape[-1]])
        products = tf.reduce_sum(features * shaped, axis=-1)
        return tf.reduce_mean(tf.reshape(products, [tf.shape(features)[0], -1]), axis=1)

    at = "" if position is None else f"@{position[0]}x{position[1]}"
    box = None if position is None else _box(*position)
    return Objective((layer,), along, f"{layer}:{name}{at}", box)


def aligned(
    layer: str, vector: np.ndarray, position: tuple[int, int], power: float = 2.0
) -> Objective:
    """Returns <vector, phi(x)> max(0.1, cos)^power at one place: a direction, and little beside it.

    As lucid raises the averages of an activation atlas (Carter et al. 2019): of the plain product,
    what answers most decides, whatever the direction.

    Args:
        layer: a tap [batch, height, width, channels].
        vector: float32 [channels], or [batch, channels] for one per image.
        position: (row, column).
        power: of the cosine; 0 is the product alone.
    """
    vector = tf.constant(vector, tf.float32)
    length = tf.norm(vector, axis=-1)

    def product(taps: Taps) -> tf.Tensor:
        features = taps[layer][:, position[0], position[1]]
        along = tf.reduce_sum(features * vector, -1)
        # What is silent has no direction, and a gradient all the same.
        lengths = length * tf.sqrt(tf.reduce_sum(tf.square(features), -1) + _TINY)
        return along * tf.maximum(along / lengths, _LEAST_COSINE) ** power

    at = f"{position[0]}x{position[1]}"
    return Objective((layer,), product, f"{layer}:aligned@{at}", _box(*position))


def layer_norm(layer: str) -> Objective:
    """Returns half the mean square of a whole layer: what DeepDream raises.

    Its gradient by the features is the features themselves (Mordvintsev et al. 2015).
    """

    def half_square(taps: Taps) -> tf.Tensor:
        flat = tf.reshape(taps[layer], [tf.shape(taps[layer])[0], -1])
        return 0.5 * tf.reduce_mean(tf.square(flat), axis=1)

    return Objective((layer,), half_square, layer)


def _box(rows: Numbers, columns: Numbers) -> Box | None:
    """Returns the smallest box around some places; None of places counted from the end."""
    (top, bottom), (left, right) = ((np.min(n), np.max(n)) for n in (rows, columns))
    if min(top, left) < 0:
        return None
    return (int(top), int(bottom)), (int(left), int(right))


def _each(numbers: Numbers, features: tf.Tensor) -> tf.Tensor:
    """Returns int32 [batch]."""
    return tf.broadcast_to(tf.constant(numbers, tf.int32), [tf.shape(features)[0]])


def _picked(features: tf.Tensor, channels: Numbers) -> tf.Tensor:
    """Returns each image's own channel, [batch, ...] without the channel axis."""
    if isinstance(channels, int):
        return features[..., channels]
    chosen = _each(channels, features)
    return tf.stack([one[..., chosen[k]] for k, one in enumerate(tf.unstack(features))])


def _sum_over_map(picked: tf.Tensor) -> tf.Tensor:
    return tf.reduce_sum(tf.reshape(picked, [tf.shape(picked)[0], -1]), axis=1)


def _words(numbers) -> str:
    if numbers is None:
        return "center"
    return str(numbers) if isinstance(numbers, int) else ",".join(str(n) for n in numbers)
