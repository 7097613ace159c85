"""Views of training pictures that a transform network has painted (Johnson 2016).

Each picture is painted in a mix of two styles of the network before the trunk looks at it: strokes
and colours are whole, where `stylised_views` changes the statistics of one early map. Geirhos et
al. 2019 learn from pictures painted so (by AdaIN with a decoder) and find shapes instead of
textures.
"""

import hashlib
from collections.abc import Callable

import numpy as np
import tensorflow as tf

from tfvis.classifiers.backbone import Backbone
from tfvis.classifiers.datasets import Example
from tfvis.classifiers.feature_cache import Features, Recipe, View, chunk_of, halves
from tfvis.classifiers.style_pictures import Styles
from tfvis.errors import InputError, arg
from tfvis.style.fast.fast_style import FastStyle
from tfvis.style.fast.transform_network import LEAST_SIDE


class Painting:
    """Shows pictures painted by a transform network, see `feature_cache.Styling`.

    Args:
        parts: where the network is cut.
        styles: of the transform network, in its order.
        painter: that network.
        copies: painted views of each picture.
        recipe: of all views.

    Raises:
        InputError: pictures too small to be painted.
    """

    # Nothing is changed on the way through the trunk; shares of the style there is most of.
    layer, strengths = None, (0.5, 1.0)

    def __init__(
        self, parts: Backbone, styles: Styles, painter: FastStyle, copies: int, recipe: Recipe
    ):
        if recipe.size < LEAST_SIDE:
            raise InputError(
                f"{arg('size')}={recipe.size}: too small to be painted by {painter.name}; expected "
                f"{LEAST_SIDE} or more."
            )
        self.styles, self._painter, self._recipe = styles, painter, recipe
        self.digest = _digest(parts, painter, recipe)
        self.views = tuple(View(number, styles=self.digest[:12]) for number in range(copies))
        taps = parts.network.taps([parts.cut], recipe.precision)
        self._look: Callable = tf.function(
            lambda picture: halves(taps(picture)[parts.cut]), autograph=False
        )

    def draw(self, view: int, first: int, count: int) -> np.ndarray:
        """Returns the mix that each picture of a chunk is painted in, float32 [count, styles].

        Of two styles, the first of which has at least half: their gammas and betas are added in
        these shares (Dumoulin et al. 2017, section 3.3), so that there are more manners than
        styles.

        Args:
            view: number of it.
            first: row of the first picture.
            count: of pictures.
        """
        names = len(self._painter.styles)
        generator = np.random.default_rng((self._recipe.seed, view, first, names))
        pairs = generator.integers(names, size=(count, 2))
        strongest = generator.uniform(*self.strengths, count)
        mixes = np.zeros((count, names), np.float32)
        np.add.at(mixes, (np.arange(count), pairs[:, 0]), strongest)
        np.add.at(mixes, (np.arange(count), pairs[:, 1]), 1 - strongest)
        return mixes

    def drawn(self, found: Features, number: int, domain: int) -> tuple[Example, float]:
        """Returns the style that the first copy of a picture has most of, and its share.

        Args:
            found: features of the pictures.
            number: of the picture among them.
            domain: of it; any may be painted in any style.
        """
        source, row = found.where[number]
        first, count = chunk_of(row, len(found.arrays[source][0]))
        mix = self.draw(0, first, count)[row - first]
        return self.styles.examples[int(mix.argmax())], float(mix.max())

    def maps(self, pictures: np.ndarray, view: int, first: int, domain: int) -> list[np.ndarray]:
        """See `feature_cache.Styling`."""
        mixes = self.draw(view, first, len(pictures))
        precision = self._recipe.precision
        painted = (
            self._painter.paint(picture, mix, precision=precision)
            for picture, mix in zip(pictures, mixes, strict=True)
        )
        return [self._look(tf.constant(one[None]))[0].numpy() for one in painted]


def _digest(parts: Backbone, painter: FastStyle, recipe: Recipe) -> str:
    """Returns a name for all that decides the maps, but the contents and the view's number."""
    whole = hashlib.sha256()
    settings = (recipe.size, recipe.seed, recipe.crop_borders, recipe.precision)
    whole.update(repr((parts.trunk_fingerprint(), parts.cut, settings)).encode())
    whole.update(repr((parts.network.preprocessing, painter.architecture)).encode())
    for weight in painter.model.get_weights():
        whole.update(np.ascontiguousarray(weight).tobytes())
    return whole.hexdigest()[:24]
