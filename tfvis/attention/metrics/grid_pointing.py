"""The grid pointing game: does an attribution for a class lie on that class's picture?

Four pictures of four classes make one, and the map of each class should lie in its own
quarter. That needs no boxes. After the localisation metric of Boehle et al. 2021
(Convolutional Dynamic Alignment Networks), with grids of 2 x 2; the share by the maximum
alone is the pointing game of Zhang et al. 2018 (Excitation Backprop) on such grids.
"""

from collections.abc import Hashable, Sequence

import numpy as np

from tfvis.errors import InputError, arg

# 2 x 2: the whole is twice as wide as what a network is used to; the authors' 3 x 3, thrice.
CELLS = 4


def grid(pictures: np.ndarray) -> np.ndarray:
    """Returns four pictures as one, [2 height, 2 width, channels].

    Args:
        pictures: [4, height, width, channels]: upper left, upper right, lower left, lower right.

    Raises:
        InputError: another shape.
    """
    pictures = np.asarray(pictures)
    if pictures.ndim != 4 or len(pictures) != CELLS:
        raise InputError(
            f"Expected pictures of [4, height, width, channels]. Received: {pictures.shape}"
        )
    _, height, width, channels = pictures.shape
    rows = pictures.reshape(2, 2, height, width, channels).swapaxes(1, 2)
    return rows.reshape(2 * height, 2 * width, channels)


def shares(maps: np.ndarray, cells: Sequence[int]) -> np.ndarray:
    """Returns the share of each map's positive values that lies in the right cell.

    Args:
        maps: [n, 2 height, 2 width], signed; each is the map of one class.
        cells: int [n], 0 to 3, in which cell that class is, numbered as in `grid`.

    Returns:
        float64 [n], 0 to 1; 0.25 is what a map that is the same everywhere gets, and 0 one
        with nothing positive, as in the authors' code.

    Raises:
        InputError: other shapes, odd sides, a value that is not finite, a cell there is not.
    """
    values, cells = _by_cell(maps, cells)
    sums = values.clip(min=0).sum(-1)
    own, total = sums[np.arange(len(cells)), cells], sums.sum(-1)
    return np.divide(own, total, out=np.zeros_like(total), where=total > 0)


def hits(maps: np.ndarray, cells: Sequence[int]) -> np.ndarray:
    """Returns whether each map's maximum lies in the right cell, bool [n].

    A maximum that is reached in another cell too is no hit: such a map does not point.

    Args:
        maps, cells: as for `shares`.

    Raises:
        InputError: as `shares`.
    """
    values, cells = _by_cell(maps, cells)
    highest = values.max(-1)
    right = np.arange(CELLS) == cells[:, None]
    return highest[right] > np.where(right, -np.inf, highest).max(-1)


def draw(labels: Sequence[Hashable], count: int, seed: int = 0) -> np.ndarray:
    """Returns which pictures make the grids: of four classes each, in any order.

    The classes of a grid are drawn; of a class the pictures come one after the other in a
    shuffled order, again from the start where they run out, so that all are used alike.

    Args:
        labels: of the pictures to draw from; one class each.
        count: of the grids, at least 1.
        seed: of the draws; with the same one, more grids begin with the same ones.

    Returns:
        int64 [count, 4], places in `labels`.

    Raises:
        InputError: fewer than four classes, `count` below 1.
    """
    if count < 1:
        raise InputError(f"{arg('count')}={count}: expected 1 or more.")
    places: dict[Hashable, list[int]] = {}
    for place, label in enumerate(labels):
        places.setdefault(label, []).append(place)
    if len(places) < CELLS:
        raise InputError(
            f"A grid needs pictures of {CELLS} classes. Received: {len(places)}. Give more classes."
        )
    generator = np.random.default_rng(seed)
    decks = [generator.permutation(own) for own in places.values()]
    used = np.zeros(len(decks), int)
    drawn = np.zeros((count, CELLS), np.int64)
    for row in drawn:
        classes = generator.choice(len(decks), CELLS, replace=False)
        row[:] = [decks[k][used[k] % len(decks[k])] for k in classes]
        used[classes] += 1
    return drawn


def _by_cell(maps: np.ndarray, cells: Sequence[int]) -> tuple[np.ndarray, np.ndarray]:
    """Returns maps as float64 [n, 4, pixels], and the cells as int [n]."""
    maps, cells = np.asarray(maps, np.float64), np.asarray(cells)
    if maps.ndim != 3 or not maps.size or maps.shape[1] % 2 or maps.shape[2] % 2:
        raise InputError(
            f"Expected maps of [n, height, width] with even sides. Received: {maps.shape}"
        )
    if not np.isfinite(maps).all():
        raise InputError("Expected maps of finite values. Some are not.")
    if cells.shape != maps.shape[:1] or not np.isin(cells, range(CELLS)).all():
        raise InputError(f"Expected a cell of 0 to 3 per map. Received: {cells.tolist()}")
    count, height, width = maps.shape
    split = maps.reshape(count, 2, height // 2, 2, width // 2).swapaxes(2, 3)
    return split.reshape(count, CELLS, -1), cells.astype(int)
