"""Views of training pictures in the styles of others: changed half way through the trunk.

The trunk runs up to an early layer, the map there gets the statistics of a style picture (`adain`),
and goes on to the cut. That costs what any other view does, once, and what is learnt from lies in
the cache beside the other views. MixStyle (`mixstyle.py`) mixes such statistics too, between the
pictures of a batch, by chance, at each step, and at the cut; here the styles are chosen (a folder,
the medoids of clusters, the other sources), whole, and act where maps are still about colour and
stroke.

Only pictures to learn from have such views: there is nothing to fetch for any other.
"""

import dataclasses
import hashlib
import pathlib
import zipfile
from collections.abc import Callable

import keras
import numpy as np
import tensorflow as tf

from tfvis import bounds, files, images
from tfvis.classifiers import adain, example_images, splits
from tfvis.classifiers.backbone import Backbone
from tfvis.classifiers.datasets import Example
from tfvis.classifiers.feature_cache import Features, Recipe, View, chunk_of, halves
from tfvis.classifiers.style_pictures import Styles
from tfvis.errors import InputError, arg, nearest
from tfvis.networks import fast_execution
from tfvis.networks.receptive_field import dominators

# Strengths are drawn between these: Jackson et al. 2019 stylise by a half, Geirhos et al. 2019
# wholly.
WEAKEST, STRONGEST = 0.5, 1.0
# Pixels between the places of the map that is changed: of VGG16 that of its second pooling, of a
# ResNet that behind the stem. Zhou et al. 2021 mix statistics behind early stages, never the last.
_STRIDE = 4


def layer_for(parts: Backbone, layer: str | None = None) -> str:
    """Returns the path of the map whose statistics are changed.

    Args:
        parts: where the network is cut.
        layer: one that everything passes through, up to the cut; None is the first whose places
            are `_STRIDE` px apart, or the cut.

    Raises:
        InputError: no such layer, or nothing is frozen.
    """
    network = parts.network
    if parts.whole:
        raise InputError(
            f"{arg('style_augment')}: no layer of {network.name} with weights is frozen; what is "
            "learnt anew has no statistics of styles yet. Leave it out."
        )
    tensors = network.graph.tensors
    places = [p for p in dominators.dominators(network, parts.cut) if len(tensors[p].shape) == 4]
    if layer is not None:
        if network.path(layer) not in places:
            raise InputError(
                f"{arg('style_layer')}={layer}: no layer of {network.name} that everything passes "
                f"through up to {parts.cut}. {nearest(layer, places)}"
            )
        return network.path(layer)
    return next((place for place in places if network.stride(place) >= _STRIDE), parts.cut)


class Styling:
    """Shows pictures in the styles of others, see `feature_cache.Styling`.

    Args:
        parts: where the network is cut.
        styles: to draw from.
        layer: of `layer_for`.
        copies: stylised views of each picture.
        recipe: of all views.
        folder: where the statistics of the styles are kept.
        progress: called with the styles looked at.

    Raises:
        InputError: a style picture cannot be read.
    """

    def __init__(
        self,
        parts: Backbone,
        styles: Styles,
        layer: str,
        copies: int,
        recipe: Recipe,
        folder: pathlib.Path,
        progress: Callable[[int], None] = lambda done: None,
    ):
        self.styles, self.layer, self._seed = styles, layer, recipe.seed
        self.strengths = WEAKEST, STRONGEST
        self.digest = _digest(parts, styles, layer, recipe)
        self.views = tuple(View(number, styles=self.digest[:12]) for number in range(copies))
        self._domains = np.array([one.domain for one in styles.examples])
        before = parts.network.taps([layer], recipe.precision)
        after = _rest(parts, layer, recipe.precision)

        @tf.function(autograph=False)
        def look(picture):
            return adain.statistics(before(picture)[layer])

        @tf.function(autograph=False)
        def run(picture, mean, deviation, strength):
            return halves(after(adain.adain(before(picture)[layer], mean, deviation, strength)))

        self._run = run
        path = folder / f"styles{self.digest}.npz"
        self._mean, self._deviation = _statistics(path, look, styles, recipe, progress)

    def draw(self, view: int, first: int, count: int, domain: int) -> tuple[np.ndarray, np.ndarray]:
        """Returns the number of a style for each picture of a chunk, and how strong it is.

        Args:
            view: number of it.
            first: row of the first picture.
            count: of pictures.
            domain: of the pictures; none is shown in a style that its own source lends.
        """
        choice = np.flatnonzero(self._domains != domain)
        generator = np.random.default_rng((self._seed, view, first, len(choice)))
        strengths = generator.uniform(WEAKEST, STRONGEST, count)
        return choice[generator.integers(len(choice), size=count)], strengths

    def drawn(self, found: Features, number: int, domain: int) -> tuple[Example, float]:
        """Returns the style that the first copy of a picture is in, and how strong it is.

        Args:
            found: features of the pictures.
            number: of the picture among them.
            domain: of it.
        """
        source, row = found.where[number]
        first, count = chunk_of(row, len(found.arrays[source][0]))
        numbers, strengths = self.draw(0, first, count, domain)
        return self.styles.examples[numbers[row - first]], float(strengths[row - first])

    def maps(self, pictures: np.ndarray, view: int, first: int, domain: int) -> list[np.ndarray]:
        """See `feature_cache.Styling`."""
        numbers, strengths = self.draw(view, first, len(pictures), domain)
        found = []
        for picture, number, strength in zip(pictures, numbers, strengths, strict=True):
            given = (self._mean[number, None], self._deviation[number, None])
            share = np.array([strength], np.float32)
            found.append(self._run(picture[None], *given, share)[0].numpy())
        return found


def joined(found: Features, chosen: np.ndarray, styled: Features) -> Features:
    """Returns features whose views are followed by the stylised ones.

    Args:
        found: of a whole data set.
        chosen: numbers of the examples that are learnt from.
        styled: of these alone, in their order.

    Raises:
        InputError: one of them could not be read again.
    """
    for why in styled.broken.values():
        raise InputError(f"It could be read before, and cannot any more: {why}")
    arrays = []
    for source, plain in enumerate(found.arrays):
        rows, own = np.full(len(plain[0]), -1), 0
        for number, (theirs, row) in zip(chosen, styled.where, strict=True):
            if found.where[number, 0] == source:
                rows[found.where[number, 1]], own = row, theirs
        arrays.append((*plain, *(_Rows(array, rows) for array in styled.arrays[own])))
    return dataclasses.replace(
        found, arrays=tuple(arrays), digest=f"{found.digest} {styled.digest}"
    )


class _Rows:
    """Maps of some pictures of a source, found by their rows in the whole of it."""

    def __init__(self, array: np.ndarray, rows: np.ndarray):
        self._array, self._rows = array, rows
        self.shape = (len(rows), *array.shape[1:])

    def __len__(self) -> int:
        return len(self._rows)

    def __getitem__(self, row: int) -> np.ndarray:
        if self._rows[row] < 0:
            raise IndexError("A picture that is not learnt from has no stylised view.")
        return self._array[self._rows[row]]


def _rest(parts: Backbone, layer: str, precision: str):
    """Returns the function from the map at a layer to the one at the cut, float32 both."""
    tensors, cut = parts.network.graph.tensors, parts.cut
    if layer == cut:
        return lambda maps: maps
    model = keras.Model(tensors[layer], {cut: tensors[cut]})
    packed = not tf.config.list_physical_devices("GPU")
    fast = fast_execution.plan(
        model, {cut: cut}, precision, packed, constants=parts.network.constants
    )
    narrow = tf.bfloat16 if precision == "bfloat16" else tf.float32
    return lambda maps: tf.cast(fast(tf.cast(maps, narrow), training=False)[cut], tf.float32)


def _digest(parts: Backbone, styles: Styles, layer: str, recipe: Recipe) -> str:
    """Returns a name for all that decides the maps, but the contents and the view's number."""
    whole = hashlib.sha256()
    settings = (recipe.size, recipe.seed, recipe.crop_borders, recipe.precision)
    whole.update(repr((parts.trunk_fingerprint(), layer, parts.cut, settings)).encode())
    whole.update(repr((parts.network.preprocessing, WEAKEST, STRONGEST)).encode())
    for one in styles.examples:
        whole.update(repr((splits.digest(one.path), one.box, one.domain)).encode())
    return whole.hexdigest()[:24]


def _statistics(path, look, styles: Styles, recipe: Recipe, progress):
    """Returns mean and deviation, float32 [styles, channels], computing what is not on disk."""
    try:
        files.check(path, str(path), bounds.MANIFEST)
        with np.load(path, allow_pickle=False) as kept:
            found = kept["mean"], kept["deviation"]
        if all(one.shape == found[0].shape and len(one) == len(styles.examples) for one in found):
            progress(len(styles.examples))
            return found
    except (InputError, OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile):
        pass
    means, deviations = [], []
    for k, pixels in example_images.load_all(styles.examples, recipe.size, recipe.crop_borders):
        if isinstance(pixels, InputError):
            raise pixels
        mean, deviation = look(images.with_channels(pixels, 3)[None])
        means.append(mean[0].numpy())
        deviations.append(deviation[0].numpy())
        progress(k + 1)
    found = np.stack(means), np.stack(deviations)
    files.make_folder(path.parent, "cache")
    files.write_npz(path, {"mean": found[0], "deviation": found[1]})
    return found
