"""How near a pre-image is, beside how near two photographs are by chance: a null distribution.

Feather, Leclerc, Mądry & McDermott, "Model metamers reveal divergent invariances between
biological and artificial neural networks" (Nature Neuroscience 26, 2023; NeurIPS 2019) accept a
pre-image where it matches its picture better than any of many random pairs of natural pictures
match each other. Theirs is the correlation of activations; here it is the number that a pre-image
has anyway, the relative error |phi(a) - phi(b)| / |phi(b)| (MV16 section 5.1).
"""

import collections
import dataclasses
from collections.abc import Callable, Sequence

import numpy as np

from tfvis import images
from tfvis.networks.network import Network
from tfvis.preimages import inversion
from tfvis.preimages.descent import features
from tfvis.preimages.settings import Inversion

# Feather et al. have a million pairs; a hundred have p-values down to 0.01.
PAIRS = 100
# Pictures that make so many: 15 x 14 / 2.
FEWEST = 15
# Pieces of each of the two photographs: so many rows and columns of squares, which do not overlap.
_ROWS, _COLUMNS = 2, 4
# Bytes of features held at a time; pictures beyond are looked at again.
_HELD = 2**29


@dataclasses.dataclass(frozen=True, eq=False)
class NullDistribution:
    """Relative errors of random pairs of natural pictures at a layer.

    Attributes:
        errors: float64 [pairs], ascending.
        pictures: how many the pairs are drawn from.
    """

    errors: np.ndarray
    pictures: int

    def nearer(self, error: float) -> int:
        """Returns of how many pairs an error is below that."""
        return len(self.errors) - int(np.searchsorted(self.errors, error, side="right"))

    def p_value(self, error: float) -> float:
        """Returns how likely a pre-image that is like any picture would be as near, 0..1.

        That of a permutation test, (k + 1) / (n + 1) for k of n pairs as near (Phipson & Smyth
        2010). It says less of the share of all pairs that are as near: with none of 100 it may be
        3 % (at 95 % confidence).
        """
        count = len(self.errors)
        return (count - self.nearer(error) + 1) / (count + 1)


def null_distribution(
    network: Network,
    layer: str,
    count: int,
    picture: Callable[[int], np.ndarray],
    settings: Inversion = Inversion(),
    seed: int = 0,
) -> NullDistribution | None:
    """Returns the distribution for a layer, None where there are too few pictures for it.

    Args:
        network: the network.
        layer: a path in it.
        count: of the pictures.
        picture: (number) -> float32 [height, width, channels], display space, of one size.
        settings: whose mask counts.
        seed: of the pairs; with twice as many pictures as pairs each is in one pair.
    """
    pairs = _pairs(count, seed)
    if len(pairs) < PAIRS:
        return None
    mask = None
    held: collections.OrderedDict[int, np.ndarray] = collections.OrderedDict()

    def looked(number: int) -> np.ndarray:
        nonlocal mask
        if number not in held:
            found = features(network, layer, picture(number)[None])
            if mask is None:
                chosen = inversion.mask(tuple(found.shape[1:]), settings)
                mask = np.ones((), np.float32) if chosen is None else chosen
            found = (found * mask).numpy().ravel()
            while held and (len(held) + 1) * found.nbytes > _HELD:
                held.popitem(last=False)
            held[number] = found
        return held[number]

    errors = []
    for first, second in pairs:
        one, other = looked(first), looked(second)
        # A picture that a layer does not answer to has no length to be a share of.
        if length := np.linalg.norm(other):
            # In float32, as BLAS does it: in float64 the pairs would take as long as the network.
            errors.append(float(np.linalg.norm(one - other) / length))
        if len(errors) == PAIRS:
            return NullDistribution(np.sort(errors), count)
    return None


def _pairs(count: int, seed: int) -> list[tuple[int, int]]:
    """Returns pairs of different numbers below `count`, in a random order."""
    generator = np.random.default_rng(seed)
    if count >= 2 * PAIRS:
        numbers = generator.permutation(count).tolist()
        return list(zip(numbers[::2], numbers[1::2], strict=False))
    pairs = [(a, b) for b in range(count) for a in range(b)]
    # Either of the two may be the one that is compared with.
    return [
        (b, a) if turned else (a, b)
        for (a, b), turned in zip(
            (pairs[k] for k in generator.permutation(len(pairs))),
            generator.integers(0, 2, len(pairs)),
            strict=True,
        )
    ]


def pieces(network: Network, size: tuple[int, int]) -> Sequence[np.ndarray]:
    """Returns pieces of the two photographs that come with scikit-learn, in place of a set.

    Squares side by side, enough of them for `PAIRS` pairs.

    Args:
        network: whose channels they get.
        size: (height, width) of each.
    """
    found = []
    for photograph in images.demo_set():
        height, width = (s // n for s, n in zip(photograph.shape, (_ROWS, _COLUMNS), strict=False))
        for k in range(_ROWS * _COLUMNS):
            top, left = k // _COLUMNS * height, k % _COLUMNS * width
            piece = photograph[top : top + height, left : left + width]
            found.append(images.fitted(piece, *size, network.channels))
    return found
