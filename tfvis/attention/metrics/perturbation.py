"""What deletion, insertion and ROAD share: pixels by their place in a map, scores of pictures."""

import hashlib
import itertools
from collections.abc import Callable, Iterable

import numpy as np

from tfvis.errors import InputError

# What a network says of a class: pictures, float32 [n, height, width, channels], to [n].
Scores = Callable[[np.ndarray], np.ndarray]
# Pictures that are held at once.
_BATCH = 16


def order(values: np.ndarray, seed: int = 0) -> np.ndarray:
    """Returns the pixels of a map, those of the largest values first, int64 [height * width].

    Of equal values (a class map is 0 on half of a picture) any may come first: their order is
    drawn, so that none of two maps gains by the way ties are read.

    Args:
        values: [height, width].
        seed: of the draw.

    Raises:
        InputError: another shape; a map that is the same everywhere, which has no order; a
            value that is not finite.
    """
    values = np.asarray(values, np.float64)
    if values.ndim != 2 or not values.size:
        raise InputError(f"Expected a map of [height, width]. Received: {values.shape}")
    if not np.isfinite(values).all():
        raise InputError("Expected a map of finite values. Some are not.")
    if values.min() == values.max():
        raise InputError("The map is the same everywhere; its pixels have no order.")
    drawn = np.random.default_rng(seed).permutation(values.size)
    return np.lexsort((drawn, -values.ravel()))


def checked(image: np.ndarray, values: np.ndarray) -> np.ndarray:
    """Returns a picture as float32 [height, width, channels].

    Raises:
        InputError: another shape, or a map of another size.
    """
    image = np.asarray(image, np.float32)
    if image.ndim != 3 or image.shape[:2] != np.shape(values):
        raise InputError(
            f"Expected a picture of [height, width, channels] and a map of its size. Received: "
            f"{image.shape}, {np.shape(values)}"
        )
    return image


def asked(scores: Scores, pictures: Iterable[np.ndarray]) -> np.ndarray:
    """Returns the scores of pictures, float64 [n]; some are held at once, not all."""
    pictures, found = iter(pictures), []
    while batch := list(itertools.islice(pictures, _BATCH)):
        found.append(np.asarray(scores(np.stack(batch)), np.float64).reshape(len(batch)))
    return np.concatenate(found)


def remembered(scores: Scores) -> Scores:
    """Returns scores that ask a network once about each picture.

    The ends of all curves are the same pictures, and maps that mark the same give the same
    curves.
    """
    known: dict[bytes, float] = {}

    def asked_once(pictures: np.ndarray) -> np.ndarray:
        keys = [hashlib.sha256(np.ascontiguousarray(one)).digest() for one in pictures]
        new = {key: k for k, key in enumerate(keys) if key not in known}
        if new:
            known.update(zip(new, scores(pictures[list(new.values())]), strict=True))
        return np.array([known[key] for key in keys])

    return asked_once
