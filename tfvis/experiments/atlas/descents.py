"""From objectives to pictures as files have them: what units' pictures and maps of layers share."""

import io

import numpy as np
import PIL.Image

from tfvis import images, preimages
from tfvis.networks.network import Network
from tfvis.objectives import Objective
from tfvis.preimages import activation_maximization, feature_visualization

# Raised at once: a kill costs as many, some minutes, and the loop is compiled once for them.
_AT_ONCE = 32


def side(network: Network, layer: str, most: int) -> tuple[int, int]:
    """Returns the (height, width) of a layer's pictures.

    That of what a unit sees, which is cut to `most`: the unit stays the one at the centre, and what
    it does not see any more is the border of its field, where little is that it answers to.

    Args:
        network: the network; one of fixed size keeps it.
        layer: a path in it.
        most: in px.
    """
    size = activation_maximization.canvas(network, layer)
    return size if network.fixed_size else (min(size[0], most), min(size[1], most))


def at_once(size: tuple[int, int]) -> int:
    """Returns how many pictures of (height, width) are made together."""
    return min(_AT_ONCE, feature_visualization.most_at_once(size))


def constants(
    network: Network, layer: str, size: tuple[int, int], steps: int, precision: str
) -> preimages.Maximization:
    """Returns those of a layer's pictures: the library's own, of so many steps."""
    settings = preimages.Maximization(steps=steps, precision=precision)
    return activation_maximization.published(network, layer, size, settings)


def pictures(
    network: Network,
    objective: Objective,
    size: tuple[int, int],
    seeds: tuple[int, ...],
    settings: preimages.Maximization,
) -> np.ndarray:
    """Returns pictures that raise an objective, of 8 bits, float32 [seeds, height, width, 3 | 1].

    Args:
        network: the network.
        objective: weighed, of as many images as seeds.
        size: (height, width).
        seeds: of their noise.
        settings: none of them None.

    Raises:
        InputError: no pixel changes it.
    """
    last = None
    for last in activation_maximization.iterate(  # noqa: B007
        network, objective, size=size, seeds=seeds, settings=settings
    ):
        pass
    return np.float32(images.quantize(last.kept))


def opened(content: bytes) -> np.ndarray:
    """Returns the picture of a file that `images.png` made, uint8 [height, width, 3]."""
    return np.asarray(PIL.Image.open(io.BytesIO(content)).convert("RGB"))
