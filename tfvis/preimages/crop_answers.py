"""What a picture that is larger than what the network is shown gets from a unit.

As photographs are looked through for M: wherever in the picture the unit answers most, or what it
answers in the mean.
"""

import math
from collections.abc import Iterator, Sequence

import numpy as np
import tensorflow as tf

from tfvis import objectives
from tfvis.networks.network import Network
from tfvis.networks.receptive_field import receptive_field
from tfvis.objectives.parsing import Unit


def crops(
    pictures: np.ndarray, size: tuple[int, int]
) -> Iterator[tuple[tuple[int, int], np.ndarray]]:
    """Yields ((top, left), crops of that place), each overlapping the next by half or more.

    Args:
        pictures: [batch, height, width, channels]; of this size already, they are the one crop.
        size: (height, width) of a crop.
    """
    starts = [
        np.linspace(0, whole - side, max(2 * math.ceil(whole / side) - 1, 1)).round().astype(int)
        for whole, side in zip(pictures.shape[1:3], size, strict=True)
    ]
    for top in starts[0].tolist():
        for left in starts[1].tolist():
            yield (top, left), pictures[:, top : top + size[0], left : left + size[1]]


def answers(
    network: Network,
    objective: objectives.Objective,
    pictures: np.ndarray,
    size: tuple[int, int],
    units: Sequence[Unit] = (),
    everywhere: bool = False,
) -> np.ndarray:
    """Returns what pictures get, float32 [batch].

    Of larger ones than what the network is shown: of channels of a map what `best` gets, or, where
    means over maps are raised, the mean of all crops; of all else the most of any crop.

    Args:
        network: the network.
        objective: of what the network is shown.
        pictures: display space [batch, height, width, channels].
        size: (height, width) of what the network is shown.
        units: that the objective is of, one of each picture; none of other objectives.
        everywhere: whether means over maps are raised.
    """
    taps = network.taps(objective.layers)

    def answer(shown: np.ndarray) -> np.ndarray:
        return objective(taps(tf.constant(shown, tf.float32))).numpy()

    mapped = bool(units) and len(network.trace(units[0].layer, *size)) > 1
    mapped = mapped and not units[0].position
    if mapped and not everywhere and units[0].kind == "channel":
        shown = [best(network, unit, one, size) for unit, one in zip(units, pictures, strict=True)]
        return answer(np.stack(shown))
    found = [answer(crop) for _, crop in crops(pictures, size)]
    return np.mean(found, axis=0) if mapped and everywhere else np.max(found, axis=0)


def best(network: Network, unit: Unit, picture: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """Returns the part of a picture in which a unit answers most, as large as it was shown.

    The unit in the middle of the map, or at its place, sees there what answered. Beyond its
    border a picture of waves goes on as it begins at the opposite one.

    Args:
        network: the network.
        unit: a channel.
        picture: float32 [height, width, channels], display space; of this size, it is the part.
        size: (height, width) of what the network is shown.
    """
    if picture.shape[:2] == tuple(size):
        return picture
    taps, found = network.taps([unit.layer]), []

    def answer(shown: np.ndarray) -> np.ndarray:
        return taps(tf.constant(shown[None], tf.float32))[unit.layer].numpy()[0, ..., unit.channel]

    field = receptive_field.receptive_field(network, unit.layer, *size)
    for corner, (crop,) in crops(picture[None], size):
        values = answer(crop)
        if values.ndim == 0:
            found.append((float(values), crop))
            continue
        at = unit.position or (values.shape[0] // 2, values.shape[1] // 2)
        place, start = np.unravel_index(np.argmax(values), values.shape), list(corner)
        if not field.everything:
            jumps = field.rows.jump, field.columns.jump
            start = [corner[k] + round(float(jumps[k] * int(place[k] - at[k]))) for k in (0, 1)]
        part = np.roll(picture, [-first for first in start], (0, 1))[: size[0], : size[1]]
        # At the border of a crop it may have answered to the border.
        found.append((float(answer(part)[at]), part))
    return max(found, key=lambda one: one[0])[1]
