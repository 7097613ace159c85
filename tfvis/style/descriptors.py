"""What a picture's style is compared by: a vector whose distances are those of Gram matrices.

The style term of Gatys et al. 2016, equation 4, between two pictures is a squared Euclidean
distance, E_l = ||G_a / M_a - G_b / M_b||^2 / (4 N_l^2), of N_l channels over M places: the sizes
of pictures cancel. So each layer has a vector, the matrix' upper triangle over 2 N_l, entries off
the diagonal times sqrt(2), as they stand for two. Of VGG's five layers it has 305,888 numbers.
Where that is too much for a collection, each layer is sketched: random signs, an orthonormal
cosine transform, and some of its rows (the subsampled randomised transform of Ailon and Chazelle
2009; Tropp 2011), which keeps distances whatever the pictures are.
"""

import dataclasses
import functools
import math
from collections.abc import Callable, Sequence

import numpy as np
import scipy.fft
import tensorflow as tf

from tfvis import images
from tfvis.networks.network import Network
from tfvis.style.gram import moments

# Rows kept of a layer. A distance's standard error is sqrt((1 / k - 1 / entries) / 2), 0.5 % of a
# layer of 512 channels, and less of several layers, whose errors are independent.
SKETCHED = 16384
# Where whole matrices of a collection take no more than this, nothing is sketched.
EXACT_BYTES = 2**30
# Below, the deepest layers of VGG have no place left.
_SMALLEST = 32


@dataclasses.dataclass(frozen=True)
class Sketch:
    """A linear map from Gram matrices to vectors that keeps distances.

    Attributes:
        channels: N_l.
        most: rows kept; None, or as many as there are entries, is exact.
        seed: of the signs and rows.
    """

    channels: int
    most: int | None = None
    seed: int = 0

    @property
    def entries(self) -> int:
        """Of the upper triangle."""
        return self.channels * (self.channels + 1) // 2

    @property
    def exact(self) -> bool:
        """Whether all entries are kept."""
        return self.most is None or self.most >= self.entries

    @property
    def length(self) -> int:
        """Of the vectors."""
        return self.entries if self.exact else self.most

    def __call__(self, gram: np.ndarray) -> np.ndarray:
        """Returns float32 [length].

        Args:
            gram: float32 [channels, channels], symmetric, over the number of places.
        """
        rows, columns, factors = _triangle(self.channels)
        return self.of_entries(gram[rows, columns] * factors)

    def of_entries(self, entries: np.ndarray) -> np.ndarray:
        """Returns the same of what an exact sketch returns, float32 [entries]."""
        if self.exact:
            return entries
        signs, kept = _drawn(self.entries, self.most, self.seed)
        mixed = scipy.fft.dct(signs * entries, n=len(signs), norm="ortho")
        return mixed[kept] * np.float32(math.sqrt(len(signs) / len(kept)))


@functools.lru_cache(maxsize=8)
def _triangle(channels: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Returns rows, columns and factors of the upper triangle's entries."""
    rows, columns = np.triu_indices(channels)
    factors = np.where(rows == columns, 1.0, math.sqrt(2)) / (2 * channels)
    return rows, columns, factors.astype(np.float32)


@functools.lru_cache(maxsize=8)
def _drawn(entries: int, most: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Returns signs, float32 [entries], and which rows of the transform are kept."""
    generator = np.random.default_rng([seed, entries])
    signs = generator.choice(np.float32([-1, 1]), entries)
    return signs, np.sort(generator.choice(entries, most, replace=False))


def sketches(network: Network, layers: Sequence[str], pictures: int) -> tuple[Sketch, ...]:
    """Returns how each layer is kept: exactly, unless so many pictures would take too much.

    Args:
        network: the network.
        layers: of it, all maps.
        pictures: how many are to be compared.
    """
    channels = [network.graph.tensors[network.path(layer)].shape[-1] for layer in layers]
    whole = sum(4 * pictures * Sketch(count).entries for count in channels)
    most = None if whole <= EXACT_BYTES else SKETCHED
    return tuple(Sketch(count, most) for count in channels)


def grams(
    network: Network, layers: Sequence[str], precision: str = "float32"
) -> Callable[[np.ndarray], list[np.ndarray]]:
    """Returns the function from a picture to the Gram matrix of each layer, over its places.

    Args:
        network: the network.
        layers: of it, all maps.
        precision: of its arithmetic.

    Returns:
        float32 [height, width, 3], 0..255, of any size -> float32 [channels, channels] each.
    """
    taps = network.taps(tuple(layers), precision)
    shape = tf.TensorSpec([1, None, None, network.channels], tf.float32)

    @tf.function(input_signature=[shape], autograph=False)
    def look(picture):
        found = taps(picture)
        return [moments(found[layer]).second[0, 0] for layer in layers]

    def of(pixels: np.ndarray) -> list[np.ndarray]:
        framed = images.with_channels(pixels, network.channels)[None]
        return [one.numpy() for one in look(tf.constant(framed, tf.float32))]

    return of


def resized(pixels: np.ndarray, size: int) -> np.ndarray:
    """Returns a picture of as many pixels as a square of side `size` has, its aspect kept."""
    height, width = pixels.shape[:2]
    scale = size / math.sqrt(height * width)
    sides = (max(_SMALLEST, round(side * scale)) for side in (height, width))
    return images.resize(pixels, *sides)
