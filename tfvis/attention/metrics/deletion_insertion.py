"""Deletion and insertion: how a score falls and grows as a map's pixels go and come.

Petsiuk et al., "RISE: Randomized Input Sampling for Explanation" (BMVC 2018), and their code:
the pixels of the largest values are changed first, as many at each of 224 steps; what counts is
the area under the score of the class that the picture had. A map that is right deletes fast
(small area) and inserts fast (large area).

What takes the place of a pixel decides part of the number, as the network has seen no such
picture (Wang & Wang, ICML 2024): report both fills, a plain colour and a blur.
"""

import dataclasses
from collections.abc import Iterator

import numpy as np
import scipy.ndimage

from tfvis.attention.metrics import perturbation
from tfvis.attention.metrics.perturbation import Scores
from tfvis.errors import InputError, arg

# 224 px, as many pixels a step.
STEPS = 224
# The kernel of RISE's blur: side and deviation in px.
_KERNEL, _DEVIATION = 11, 5


@dataclasses.dataclass(frozen=True, eq=False)
class Curve:
    """A score as pixels are changed.

    Attributes:
        shares: float64 [n], of the pixels that are changed, 0 to 1.
        scores: float64 [n].
    """

    shares: np.ndarray
    scores: np.ndarray

    @property
    def auc(self) -> float:
        """The area under the scores, by trapezia of equal widths as in the authors' code."""
        ends = (self.scores[0] + self.scores[-1]) / 2
        return float((self.scores.sum() - ends) / (len(self.scores) - 1))


def deletion(
    scores: Scores, image: np.ndarray, values: np.ndarray, fill: np.ndarray, steps: int = STEPS
) -> Curve:
    """Returns the score as a picture's pixels become the fill's; smaller areas are better.

    Args:
        scores: of the class that the picture has; probabilities, for areas of 0 to 1.
        image: [height, width, channels].
        values: [height, width], the map; ties in an order that is drawn.
        fill: a picture of that shape, or what broadcasts to it, as one colour.
        steps: how many; fewer are faster and coarser.

    Raises:
        InputError: other shapes, a map that is the same everywhere, `steps` below 1.
    """
    image = perturbation.checked(image, values)
    return _curve(scores, image, _like(fill, image), values, steps)


def insertion(
    scores: Scores, image: np.ndarray, values: np.ndarray, fill: np.ndarray, steps: int = STEPS
) -> Curve:
    """Returns the score as a fill's pixels become the picture's; larger areas are better.

    Args:
        scores, image, values, fill, steps: as for `deletion`.

    Raises:
        InputError: as `deletion`.
    """
    image = perturbation.checked(image, values)
    return _curve(scores, _like(fill, image), image, values, steps)


def blurred(image: np.ndarray) -> np.ndarray:
    """Returns a picture under RISE's blur, float32: 11 x 11 px, deviation 5.

    The kernel is the authors': a Gaussian reflected at the border of its 11 px. Beyond the
    picture lie its own pixels, where theirs has the mean colour.
    """
    image = np.asarray(image, np.float32)
    delta = np.zeros(_KERNEL)
    delta[_KERNEL // 2] = 1
    kernel = scipy.ndimage.gaussian_filter1d(delta, _DEVIATION)
    for axis in (0, 1):
        image = scipy.ndimage.correlate1d(image, kernel, axis, mode="nearest")
    return image


def _curve(scores, start: np.ndarray, end: np.ndarray, values: np.ndarray, steps: int) -> Curve:
    if steps < 1:
        raise InputError(f"{arg('steps')}={steps}: expected 1 or more.")
    places = perturbation.order(values)
    each = -(-len(places) // steps)
    changed = np.minimum(np.arange(-(-len(places) // each) + 1) * each, len(places))
    found = perturbation.asked(scores, _pictures(start, end, places, changed))
    return Curve(changed / len(places), found)


def _pictures(start, end, places: np.ndarray, changed: np.ndarray) -> Iterator[np.ndarray]:
    """Yields the picture after each number of changed pixels."""
    current = start.copy()
    flat, other = current.reshape(len(places), -1), end.reshape(len(places), -1)
    before = 0
    for count in changed:
        some = places[before:count]
        flat[some] = other[some]
        before = count
        yield current.copy()


def _like(fill: np.ndarray, image: np.ndarray) -> np.ndarray:
    try:
        return np.broadcast_to(np.asarray(fill, np.float32), image.shape).copy()
    except ValueError:
        raise InputError(
            f"Expected a fill of {image.shape} or one colour. Received: {np.shape(fill)}"
        ) from None
