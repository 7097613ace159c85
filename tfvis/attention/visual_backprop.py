"""VisualBackProp: where a convolutional network looks, in one forward pass.

Bojarski et al., "VisualBackProp: efficient visualization of CNNs for autonomous driving"
(arXiv 1611.05418, ICRA 2018): the maps after each ReLU are averaged over their channels;
from the deepest on, an average is scaled up by a deconvolution with ones, of the kernel and
stride of the layer that made it, and multiplied by the average below, down to the image.

The paper and every port of it know chains. Here the maps are those of the layers that all
paths pass (`dominators`), and a step down spans whatever lies between two of them: of a chain
exactly the layer's own kernel, of a residual block all that its units see of the map before.
Each step is a list of which units see a place (`reach`), exact at borders and odd sizes.

It knows no class, by its formula, and so fails every test of class sensitivity: it shows what the
features react to. Of a network with random scores the map is the same, with random deep
convolutions nearly; with all of them random it is another one (docs/methods.md has the numbers).
`class_visual_backprop` begins with a class.
"""

import dataclasses

import keras
import numpy as np
import tensorflow as tf

from tfvis import image_arguments
from tfvis.attention.multiplied_maps import default, ordered
from tfvis.errors import InputError, arg
from tfvis.networks.network import Network
from tfvis.networks.receptive_field import reach, spatial_positions
from tfvis.networks.receptive_field import spatial_maps as passed
from tfvis.networks.receptive_field.layer_rules import Layout
from tfvis.networks.receptive_field.spatial_maps import Map
from tfvis.networks.receptive_field.subgraph_probing import Lost

# Of a map's largest value: less than this apart is the rounding of float32 sums, no shape.
_ROUNDING = 1e-6
# A product of some 18 averages spans many orders of magnitude: the thing begins at about 1e-4
# of its maximum. Its fourth root, for boxes and for showing it, spreads that over 0..1, so that
# a hundredth is a small step everywhere; whatever is marked more stays so.
ROOT = 0.25
# How the average of the k-th layer is called among the taps; no layer has a space in its name.
_AVERAGE = "average {}"


@dataclasses.dataclass(frozen=True, repr=False)
class Attention:
    """Masks of a batch of images.

    Attributes:
        mask: float32 [batch, height, width], 0..1 per image, of the images' size; zero
            where the network marks nothing or everything alike.
        steps: {layer: float32 [batch, h, w]}: the product down to and with each layer's
            averaged map, of its size, the deepest first; 0..1, its largest value 1.
        averages: {layer: float32 [batch, h, w]}, the maps averaged over their channels.
        taps: {layer: output} of the extra layers asked for.
        shown: the mask without a grid of dots, for the eye, float32 as `mask`. A deconvolution
            with ones whose stride does not divide its kernel lays unevenly many units over the
            places (a kernel of 11 px and a stride of 4 two or three an axis), which the definition
            keeps. Of such layers the units of a place are averaged here and not summed; without
            them it is `mask`.
        shown_steps: `steps` on the way to `shown`.
    """

    mask: tf.Tensor
    steps: dict[str, tf.Tensor]
    averages: dict[str, tf.Tensor]
    taps: dict[str, tf.Tensor]
    shown: tf.Tensor
    shown_steps: dict[str, tf.Tensor]

    def __repr__(self) -> str:
        return f"<Attention: masks {tuple(self.mask.shape)}, {len(self.steps)} steps>"


class VisualBackProp:
    """Makes masks; compiled once per shape of images.

    Args:
        network: convolutional.
        layers: whose maps are multiplied; all paths from the input to the deepest must
            pass each. Default `multiplied_maps.maps`; "relu" alone is those of them that a ReLU
            puts out, the paper's "maps after each ReLU", without poolings. Of a map that may be
            negative its positive part counts, which is what the next ReLU would leave of it.
        per_layer: stretch each averaged map to 0..1 before it is multiplied, the
            authors' later advice (issue 1 of their code), instead of as published. It
            keeps a layer with a high floor from flattening the mask.
        extra: further layers whose outputs come from the same forward pass, or "logits".
        precision: "float32" or "bfloat16", arithmetic of the network.

    Raises:
        InputError: no spatial layers, or layers that not every path passes.
    """

    def __init__(
        self,
        network: Network,
        layers: tuple[str, ...] | None = None,
        *,
        per_layer: bool = False,
        extra: tuple[str, ...] = (),
        precision: str = "float32",
    ):
        self.network = network
        chosen = default(network) if layers is None else ordered(network, layers)
        self.layers = tuple(one.path for one in chosen)
        network.check(extra)
        self._per_layer, self._extra = per_layer, tuple(extra)
        self._chain = [(network.graph.inputs, Layout())]
        self._chain += [(network.graph.tensors[one.path], one.layout) for one in chosen]
        self._names = [_AVERAGE.format(k) for k in range(len(self.layers))]
        averaging = _averaging(network, dict(zip(self._names, chosen, strict=True)))
        wanted = [network.path(layer) for layer in extra]
        self._taps = averaging.taps([*self._names, *dict.fromkeys(wanted)], precision)
        self._reach: dict[tuple[int, int], list] = {}
        self._evening: dict[tuple[int, int], list] = {}
        # Not autograph: there is nothing to convert, and errors stay one line.
        self._run = tf.function(self._masks, autograph=False, reduce_retracing=False)
        self._share = tf.function(self._shared, autograph=False, reduce_retracing=False)

    def __repr__(self) -> str:
        return f"<VisualBackProp of {self.network.name}: {len(self.layers)} layers>"

    def __call__(self, images, target=None) -> tf.Tensor:
        """Returns the masks of images, see `explainer.Explainer`; they are of no class.

        Raises:
            InputError: not such images, or too small for the network.
        """
        del target
        return self.attend(image_arguments.batch(images, self.network.channels)).mask

    def evened(self, images, target=None) -> tf.Tensor:
        """Returns `Attention.shown` of images, see `explainer.Evened`."""
        del target
        return self.attend(image_arguments.batch(images, self.network.channels)).shown

    def attend(self, images: tf.Tensor) -> Attention:
        """Returns the masks of images, and the masks in between.

        Args:
            images: float32 [batch, height, width, channels], display space, which `__call__`
                makes sure of.

        Raises:
            InputError: not such images, or too small for the network.
        """
        images = tf.convert_to_tensor(images, tf.float32)
        if len(images.shape) != 4 or images.shape[-1] != self.network.channels:
            raise InputError(
                f"VisualBackProp: {self.network.name} takes images of [batch, height, width, "
                f"{self.network.channels}]. Received: {tuple(images.shape)}"
            )
        self._lay_out(images.shape[1:3])
        return Attention(*self._run(images))

    def spread(
        self,
        seed: tf.Tensor,
        layer: str,
        averages: dict[str, tf.Tensor],
        size: tuple[int, int],
        shown: bool = False,
    ) -> tf.Tensor:
        """Returns maps of a layer's size taken down to the pixels, keeping their sums.

        Each unit shares what it has among the places it sees, in proportion to the average
        there, so that a place with strong averages below wins over its neighbours only, where
        the product of averages lets it win over the whole picture.

        Args:
            seed: float32 [batch, h, w], 0 or more, of the layer's size.
            layer: one of `layers`.
            averages: of the same images, from `attend`.
            size: (height, width) of the images.
            shown: without a grid of dots, as `Attention.shown`; sums are then kept about.

        Returns:
            float32 [batch, height, width], 0 or more, of the images' size.
        """
        self._lay_out(size)
        return self._share(seed, layer, averages, tuple(size), shown)

    def dotted(self, size: tuple[int, int]) -> bool:
        """Returns whether maps of images of (height, width) have a grid; see `Attention.shown`.

        Raises:
            InputError: too small for the network.
        """
        self._lay_out(size)
        return any(one is not None for step in self._evening[size] for one in step)

    def _lay_out(self, size) -> None:
        """Works out which units see what of images of a size, once."""
        height, width = size
        if (height, width) in self._reach:
            return
        found = self._geometry((height, width))
        if isinstance(found, str):
            raise InputError(
                f"{self.network.name} cannot take an image of {height} x {width} pixels up to "
                f"{found}. Try a larger {arg('size')}, a multiple of 32."
            )
        self._reach[height, width], self._evening[height, width] = found

    def _geometry(self, sizes: tuple[int, int]) -> tuple[list, list] | str:
        """Returns, per layer, which places of the map before its units see, and which see each.

        And beside it, per layer, what evens their numbers out. Or the first layer for which that
        cannot be told, with nothing left of such an image.
        """
        sizes, steps, evening = self.network.fixed_size or sizes, [], []
        for (start, layout), (end, _), layer in zip(
            self._chain, self._chain[1:], self.layers, strict=False
        ):
            seen = reach.reach(start, end, sizes, layout)
            if isinstance(seen, Lost):
                return layer
            rows, columns = seen
            sizes = (len(rows), len(columns))
            if 0 in sizes:
                return layer
            steps.append(
                (tuple(_units_seeing(axis.T) for axis in seen), tuple(map(_units_seeing, seen)))
            )
            evening.append(tuple(map(_evening, seen)))
        return steps, evening

    def _masks(self, images):
        outputs, size = self._taps(images), tuple(images.shape[1:3])
        averages = dict(zip(self.layers, (outputs[name] for name in self._names), strict=True))
        mask, steps = self._multiplied(averages, size, shown=False)
        shown, shown_steps = mask, steps
        if self.dotted(size):
            shown, shown_steps = self._multiplied(averages, size, shown=True)
        taps = {layer: outputs[self.network.path(layer)] for layer in self._extra}
        return mask, steps, averages, taps, shown, shown_steps

    def _multiplied(self, averages, size, shown: bool):
        """Returns the masks of averages, and the products in between; see `Attention`."""
        mask, steps = None, {}
        for (layer, average), (_, seeing), evening in reversed(
            list(zip(averages.items(), self._reach[size], self._evening[size], strict=True))
        ):
            if self._per_layer:
                average = _stretched(average, constant=1.0)
            mask = average if mask is None else mask * average
            # Only the shape of a mask counts, and products of 18 maps leave float32.
            mask = tf.math.divide_no_nan(mask, tf.reduce_max(mask, [1, 2], keepdims=True))
            steps[layer] = mask
            mask = _summed(mask, seeing)
            mask = _evened(mask, evening) if shown else mask
        return _stretched(_of_size(mask, size), constant=0.0), steps

    def _shared(self, seed, layer, averages, size, shown):
        count = self.layers.index(layer) + 1
        below = [None, *(averages[one] for one in self.layers[: count - 1])]
        steps = zip(below, self._reach[size][:count], self._evening[size][:count], strict=True)
        for average, (seen, seeing), evening in reversed(list(steps)):
            if average is None:  # The image: all pixels alike.
                average = tf.ones([tf.shape(seed)[0], *map(len, seeing)])
            # Of what a unit sees nothing may answer: then all its places get the same.
            average += _ROUNDING * tf.reduce_max(average, [1, 2], keepdims=True)
            total = _summed(average, seen)
            seed = average * _summed(tf.math.divide_no_nan(seed, total), seeing)
            seed = _evened(seed, evening) if shown else seed
        return _of_size(seed, size)


def _averaging(network: Network, maps_: dict[str, Map]) -> Network:
    """Returns a network that also computes averages of maps, {path of its average: map}.

    Within the network they are taken while a map is still in the cache, and only they, not
    whole maps, are collected over the batch: the maps of VGG16 at 224 px are 60 MB an image.
    """
    graph = network.graph
    tensors, layers = dict(graph.tensors), dict(graph.layers)
    for name, one in maps_.items():
        tensor = tensors[one.path]
        mean = ChannelMean(not passed.positive(tensor), one.layout, name=name.replace(" ", "_"))
        layers[name], tensors[name] = mean, mean(tensor)
    graph = dataclasses.replace(graph, tensors=tensors, layers=layers)
    return dataclasses.replace(network, graph=graph)


def _stretched(maps_: tf.Tensor, constant: float) -> tf.Tensor:
    """Returns maps [batch, h, w], at least 0, stretched to 0..1 each.

    Args:
        maps_: maps.
        constant: what becomes of one that is the same everywhere; of 0, always 0.
    """
    low = tf.reduce_min(maps_, [1, 2], keepdims=True)
    high = tf.reduce_max(maps_, [1, 2], keepdims=True)
    flat = high - low <= _ROUNDING * high
    even = constant * tf.cast(high > 0, maps_.dtype) * tf.ones_like(maps_)
    return tf.where(flat, even, tf.math.divide_no_nan(maps_ - low, high - low))


def _of_size(mask: tf.Tensor, size: tuple[int, int]) -> tf.Tensor:
    """Returns a mask at the images' size; a network of fixed size saw them resized."""
    if mask.shape[1:3] == size:
        return mask
    return tf.image.resize(mask[..., None], size, antialias=True)[..., 0]


def _units_seeing(axis: np.ndarray) -> np.ndarray:
    """Returns which units see each place, int32 [places, most units at one place].

    Args:
        axis: bool [units, places], see `reach`; turned round, which places each unit sees.

    Returns:
        Places with fewer units are filled up with the number of units.
    """
    place, unit = np.nonzero(axis.T)
    counts = axis.sum(0)
    found = np.full((axis.shape[1], max(counts.max(), 1)), axis.shape[0], np.int32)
    first = np.cumsum(counts) - counts
    found[place, np.arange(len(place)) - first[place]] = unit
    return found


def _evening(axis: np.ndarray) -> np.ndarray | None:
    """Returns the mean number of units that see a place over that of each, float32 [places].

    None where the same number sees every place but those at the border, as its units are fewer
    by nature; those at the first or last unit are of the border.

    Args:
        axis: bool [units, places], see `reach`.
    """
    counts = axis.sum(0)
    inner = counts[(counts > 0) & ~axis[0] & ~axis[-1]]
    if not inner.size or np.ptp(inner) == 0:
        return None
    return np.asarray(inner.mean() / np.maximum(counts, 1), np.float32)


def _evened(mask: tf.Tensor, evening) -> tf.Tensor:
    """Returns a mask, [batch, h, w], whose places do not differ by how many units see them."""
    rows, columns = evening
    mask = mask if rows is None else mask * rows[:, None]
    return mask if columns is None else mask * columns


def _summed(mask: tf.Tensor, places) -> tf.Tensor:
    """Returns the deconvolution with ones: each place gets the sum of the units that see it.

    With what units see in place of what sees places, the convolution with ones.
    """
    for axis, seeing in zip((1, 2), places, strict=True):
        # One more unit, 0, for the places that fewer see.
        after = [[0, int(k == axis)] for k in range(3)]
        mask = tf.reduce_sum(tf.gather(tf.pad(mask, after), seeing, axis=axis), axis + 1)
    return mask


class ChannelMean(keras.layers.Layer):
    """The mean over channels, [batch, h, w, channels] to [batch, h, w], of the positive part.

    Args:
        rectify: whether values below zero, as 0, are to be expected at all.
        layout: where the places lie, of rows and columns each along an axis of its own.
    """

    def __init__(self, rectify: bool, layout: Layout = Layout(), **kwargs):
        super().__init__(**kwargs)
        self._rectify, self._layout = rectify, layout

    def call(self, inputs):
        """Returns the mean, in the precision of the inputs."""
        x = tf.nn.relu(inputs) if self._rectify else inputs
        x = spatial_positions.channels_last(x, self._layout)
        if x.dtype == tf.float32:
            return tf.reduce_mean(x, -1)
        # A product adds in float32 within and takes half the time of a cast and a mean.
        shape, channels = tf.shape(x), x.shape[-1]
        sums = tf.linalg.matvec(tf.reshape(x, [-1, channels]), tf.ones([channels], x.dtype))
        return tf.reshape(sums, shape[:-1]) / channels

    def compute_output_shape(self, input_shape):
        """[batch, h, w, channels] to [batch, h, w]."""
        return (input_shape[0], input_shape[self._layout.rows], input_shape[self._layout.columns])
