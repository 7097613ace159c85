"""What channels of known networks do on some thousand photographs, as measured once.

The card, README.md, says on which photographs, and the command that measured it.
"""

import dataclasses
import functools
import pathlib

import numpy as np

from tfvis.networks import weights
from tfvis.networks.network import Network

_HERE = pathlib.Path(__file__).resolve().parent
# What a network is run with unless something else is asked for; else its maps are others.
_VARIANT = {"pooling": "max", "activation": "post"}
# float32 [channels] each, over all photographs: largest over all places, largest mean over a map,
# mean over all places, and two quantiles of the largest of a photograph.
MEASURES = ("largest", "largest_mean", "mean", "median_of_largest", "q99_of_largest")


@dataclasses.dataclass(frozen=True, eq=False)
class Shipped:
    """Statistics of a network's layers.

    Attributes:
        photographs: how many they were measured on.
        layers: {layer: {measure: float32 [channels]}}, with the names of `MEASURES`.
    """

    photographs: int
    layers: dict[str, dict[str, np.ndarray]]


def find(network: Network) -> Shipped | None:
    """Returns what is known of a network with these weights, run as they were measured.

    Args:
        network: any; of VGG16 the convolutions count, whatever classifier is on top.
    """
    if dict(network.variant) != _VARIANT:
        return None
    prints = {network.record.fingerprint}
    if network.record.published:
        prints.add(weights.PUBLISHED[network.name])
    for path in sorted(_HERE.glob("*.npz")):
        prints_of, preprocessing, found = _read(path)
        if prints_of in prints and preprocessing == network.preprocessing.name:
            return found
    return None


@functools.cache
def _read(path: pathlib.Path) -> tuple[str, str, Shipped]:
    """Returns the fingerprint, the preprocessing, and the statistics in a file."""
    with np.load(path, allow_pickle=False) as stored:
        layers = {
            str(layer): dict(zip(MEASURES, stored[f"m{i}"].astype(np.float32), strict=True))
            for i, layer in enumerate(stored["layers"])
        }
        about = (str(stored["fingerprint"]), str(stored["preprocessing"]))
        return *about, Shipped(int(stored["photographs"]), layers)
