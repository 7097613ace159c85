"""Natural pictures to measure by: a person's, else pieces of the two that come along."""

import dataclasses
import functools
from collections.abc import Callable

import numpy as np

from tfvis import images
from tfvis.errors import InputError
from tfvis.experiments import folders
from tfvis.networks.network import Network
from tfvis.preimages import natural_activations, null_distribution


@dataclasses.dataclass(frozen=True, eq=False)
class NaturalPictures:
    """Pictures that can be asked for one by one, again and again.

    Attributes:
        name: tells this very set from others.
        said: what they are, in words, such as "200 photographs".
        count: how many.
        picture: (number) -> float32 [height, width, channels], display space.
    """

    name: str
    said: str
    count: int
    picture: Callable[[int], np.ndarray]


def sampled(
    found: folders.Found | None, network: Network, size: tuple[int, int], most: int, seed: int = 0
) -> NaturalPictures:
    """Returns at most so many pictures, chosen by chance among a person's.

    Args:
        found: files, of which those that cannot be read are left out; None is pieces of the two
            photographs that come with scikit-learn.
        network: whose channels they get.
        size: (height, width) they are shown at.
        most: how many.
        seed: of the choice.
    """
    if found is None:
        own = null_distribution.pieces(network, size)
        return NaturalPictures("pieces", "pieces of two photographs", len(own), own.__getitem__)
    paths = []
    for k in np.random.default_rng(seed).permutation(len(found.paths)):
        if len(paths) == most:
            break
        path = found.paths[k]
        if path in found.broken:
            continue
        try:
            found.notes[path] = images.read(path, None).bare_notes
        except InputError as error:
            found.leave_out(path, error)
            continue
        paths.append(path)

    @functools.lru_cache(maxsize=32)
    def picture(number: int) -> np.ndarray:
        return images.fitted(images.read(paths[number], None).pixels, *size, network.channels)

    name = f"{folders.digest(found)} {most} {seed}"
    return NaturalPictures(name, natural_activations.photographs(len(paths)), len(paths), picture)
