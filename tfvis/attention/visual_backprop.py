"""VisualBackProp: where a convolutional network looks, in one forward pass.

Bojarski et al., "VisualBackProp: efficient visualization of CNNs for autonomous driving"
(arXiv 1611.05418, ICRA 2018): the maps after each ReLU are averaged over their channels;
from the deepest on, an average is scaled up by a deconvolution with ones, of the kernel and
stride of the layer that made it, and multiplied by the average below, down to the image.

The paper and every port of it know chains. Here the maps are those of the layers that all
paths pass (`dominators`), and a step down spans whatever lies between two of them: of a chain
exactly the layer's own kernel, of a residual block all that its units see of the map before.
Each step is a list of which units see a place (`reach`), exact at borders and odd sizes.
"""

import dataclasses

import keras
import numpy as np
import tensorflow as tf

from tfvis.errors import InputError
from tfvis.networks import reach, receptive, surgery
from tfvis.networks.caffe.normalizing import SpatialResponse
from tfvis.networks.dominators import dominators, sources
from tfvis.networks.network import Network
from tfvis.networks.padding import Padding

# Of a map's largest value: less than this apart is the rounding of float32 sums, no shape.
_ROUNDING = 1e-6
# An image that leaves every network in use some places at its end.
_ROOM = (320, 320)
# No layers, where the paper counts.
_BORDERS = (keras.layers.ZeroPadding2D, keras.layers.Cropping2D, Padding)
# How the average of the k-th layer is called among the taps; no layer has a space in its name.
_AVERAGE = "average {}"


@dataclasses.dataclass(frozen=True)
class Attention:
    """Masks of a batch of images.

    Attributes:
        mask: float32 [batch, height, width], 0..1 per image, of the images' size; zero
            where the network marks nothing or everything alike.
        steps: {layer: float32 [batch, h, w]}: the product down to and with each layer's
            averaged map, of its size, the deepest first; 0..1, its largest value 1.
        taps: {layer: output} of the extra layers asked for.
    """

    mask: tf.Tensor
    steps: dict[str, tf.Tensor]
    taps: dict[str, tf.Tensor]


class VisualBackProp:
    """Makes masks; compiled once per shape of images.

    Args:
        network: convolutional.
        layers: whose maps are multiplied; all paths from the input to the deepest must
            pass each. Default `maps`. Of a map that may be negative its positive part
            counts, which is what the next ReLU would leave of it.
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
        self.layers = maps(network) if layers is None else _ordered(network, layers)
        network.check(extra)
        self._per_layer, self._extra = per_layer, tuple(extra)
        self._chain = [network.graph.inputs]
        self._chain += [network.graph.tensors[layer] for layer in self.layers]
        if layers is not None and isinstance(found := self._geometry(_ROOM), str):
            raise InputError(
                f"VisualBackProp: what {found} of {network.name} sees of the layer before it is "
                "not known; name other layers."
            )
        self._names = [_AVERAGE.format(k) for k in range(len(self.layers))]
        averaging = _averaging(network, dict(zip(self.layers, self._names, strict=True)))
        wanted = [network.path(layer) for layer in extra]
        self._taps = averaging.taps([*self._names, *dict.fromkeys(wanted)], precision)
        self._places: dict[tuple[int, int], list] = {}
        # Not autograph: there is nothing to convert, and errors stay one line.
        self._run = tf.function(self._masks, autograph=False, reduce_retracing=False)

    def __call__(self, images: tf.Tensor) -> Attention:
        """Returns the masks of images.

        Args:
            images: float32 [batch, height, width, channels], display space.

        Raises:
            InputError: not such images, or too small for the network.
        """
        images = tf.convert_to_tensor(images, tf.float32)
        if len(images.shape) != 4 or images.shape[-1] != self.network.channels:
            raise InputError(
                f"VisualBackProp: {self.network.name} takes images of [batch, height, width, "
                f"{self.network.channels}]. Received: {tuple(images.shape)}"
            )
        height, width = images.shape[1:3]
        if (height, width) not in self._places:
            found = self._geometry((height, width))
            if isinstance(found, str):
                raise InputError(
                    f"--size={height}: {self.network.name} cannot take an image of {height} x "
                    f"{width} pixels up to {found}. Try a larger one, a multiple of 32."
                )
            self._places[height, width] = found
        return Attention(*self._run(images))

    def _geometry(self, sizes: tuple[int, int]) -> list | str:
        """Returns, per layer, which of its units see each place of the map before.

        Or the first layer for which that cannot be told, with nothing left of such an image.
        """
        sizes, steps = self.network.fixed_size or sizes, []
        for start, end, layer in zip(self._chain, self._chain[1:], self.layers, strict=False):
            seen = reach.reach(start, end, sizes)
            if seen is None:
                return layer
            sizes = tuple(len(axis) for axis in seen)
            steps.append(tuple(map(_seers, seen)))
        return steps

    def _masks(self, images):
        outputs, size = self._taps(images), tuple(images.shape[1:3])
        mask, steps = None, {}
        for layer, name, places in reversed(
            list(zip(self.layers, self._names, self._places[size], strict=True))
        ):
            average = outputs[name]
            if self._per_layer:
                average = _stretched(average, constant=1.0)
            mask = average if mask is None else mask * average
            # Only the shape of a mask counts, and products of 18 maps leave float32.
            mask = tf.math.divide_no_nan(mask, tf.reduce_max(mask, [1, 2], keepdims=True))
            steps[layer] = mask
            mask = _down(mask, places)
        if mask.shape[1:3] != size:
            # A network of fixed size saw the image resized.
            mask = tf.image.resize(mask[..., None], size, antialias=True)[..., 0]
        taps = {layer: outputs[self.network.path(layer)] for layer in self._extra}
        return _stretched(mask, constant=0.0), steps, taps


def maps(network: Network) -> tuple[str, ...]:
    """Returns the layers whose maps VisualBackProp multiplies, in order of computation.

    Of the layers that all paths pass, those that slide over their input or join branches;
    each followed by what acts on its output place by place (normalisation, ReLU) counts as
    one, at its end. Of VGG all convolutions and poolings, of ResNet the stem and the blocks,
    of Inception and DenseNet the concatenations too. The blocks of MobileNetV2 end without a
    ReLU and count with their positive part. Maps that are scores of classes already, as the
    last of Illustration2Vec's tags, are left out: they are no features.

    Raises:
        InputError: the network has none.
    """
    tensors = network.graph.tensors
    found: list[str] = []
    before, sizes = network.graph.inputs, network.fixed_size or _ROOM
    scores = _scores(network)
    for path in dominators(network):
        tensor = tensors[path]
        if path in scores:
            break
        seen = reach.reach(before, tensor, sizes) if len(tensor.shape) == 4 else None
        if seen is None:  # A global pooling, attention: from here on there are no places.
            break
        before, sizes = tensor, tuple(len(axis) for axis in seen)
        operation = surgery.operation(tensor)
        # Normalisation by the places around slides, but belongs to the layer before it.
        within = receptive.pointwise(operation) or isinstance(operation, SpatialResponse)
        within = within and len(sources(tensor)) == 1
        if within and found:
            found[-1] = path
        elif not within and not isinstance(operation, _BORDERS):
            found.append(path)
    if not found:
        raise InputError(
            f"--network={network.name}: has no spatial layers that every path passes; "
            "VisualBackProp needs a convolutional network."
        )
    return tuple(found)


def _scores(network: Network) -> set[str]:
    """Returns the paths of the logits, and of maps that only poolings are between."""
    found: set[str] = set()
    if not network.logits:
        return found
    tensor = network.graph.tensors[network.logits]
    paths = {id(one): path for path, one in network.graph.tensors.items()}
    poolings = (keras.layers.AveragePooling2D, keras.layers.GlobalAveragePooling2D)
    while id(tensor) in paths:
        operation = surgery.operation(tensor)
        pooling = isinstance(operation, poolings)
        if pooling or (getattr(operation, "weights", ()) and not _positive(tensor)):
            found.add(paths[id(tensor)])
        if not pooling:
            break
        (tensor,) = sources(tensor)
    return found


def _ordered(network: Network, layers) -> tuple[str, ...]:
    """Returns the layers asked for, once each, in order of computation.

    Raises:
        InputError: there are none, one is no map, or not every path passes it.
    """
    network.check(layers)
    asked = sorted({network.path(layer) for layer in layers}, key=network.paths.index)
    if not asked:
        raise InputError("VisualBackProp: no layers were named; leave them out for the default.")
    passed = dominators(network, asked[-1])
    for layer in asked:
        if len(network.graph.tensors[layer].shape) != 4:
            raise InputError(f"VisualBackProp: {layer} of {network.name} is not a map.")
        if layer not in passed:
            raise InputError(
                f"VisualBackProp: not every path to {asked[-1]} of {network.name} passes "
                f"{layer}; leave it out."
            )
    return tuple(asked)


def _averaging(network: Network, names: dict[str, str]) -> Network:
    """Returns a network that also computes averages of maps, {layer: path of its average}.

    Within the network they are taken while a map is still in the cache, and only they, not
    whole maps, are collected over the batch: the maps of VGG16 at 224 px are 60 MB an image.
    """
    graph = network.graph
    tensors, layers = dict(graph.tensors), dict(graph.layers)
    for layer, name in names.items():
        layers[name] = ChannelMean(not _positive(tensors[layer]), name=name.replace(" ", "_"))
        tensors[name] = layers[name](tensors[layer])
    graph = dataclasses.replace(graph, tensors=tensors, layers=layers)
    return dataclasses.replace(network, graph=graph)


def _positive(tensor) -> bool:
    """Tells, from the graph, whether no value of a map can be below zero."""
    operation = surgery.operation(tensor)
    activation = getattr(operation, "activation", None)
    rectifiers = (keras.activations.relu, keras.activations.relu6, keras.activations.sigmoid)
    if activation in rectifiers or type(operation).__name__ in ("Relu", "Relu6"):
        return True
    if isinstance(operation, keras.layers.ReLU):
        return not operation.negative_slope
    keeps = (keras.layers.MaxPooling2D, keras.layers.AveragePooling2D, keras.layers.Concatenate)
    before = sources(tensor)
    return isinstance(operation, keeps) and bool(before) and all(map(_positive, before))


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


def _seers(axis: np.ndarray) -> np.ndarray:
    """Returns which units see each place, int32 [places, most units at one place].

    Args:
        axis: bool [units, places], see `reach`.

    Returns:
        Places with fewer units are filled up with the number of units.
    """
    place, unit = np.nonzero(axis.T)
    counts = axis.sum(0)
    found = np.full((axis.shape[1], max(counts.max(), 1)), axis.shape[0], np.int32)
    first = np.cumsum(counts) - counts
    found[place, np.arange(len(place)) - first[place]] = unit
    return found


def _down(mask: tf.Tensor, places) -> tf.Tensor:
    """Returns the deconvolution with ones: each place gets the sum of the units that see it."""
    for axis, seers in zip((1, 2), places, strict=True):
        # One more unit, 0, for the places that fewer see.
        after = [[0, int(k == axis)] for k in range(3)]
        mask = tf.reduce_sum(tf.gather(tf.pad(mask, after), seers, axis=axis), axis + 1)
    return mask


class ChannelMean(keras.layers.Layer):
    """The mean over channels, [batch, h, w, channels] to [batch, h, w], of the positive part.

    Args:
        rectify: whether values below zero, as 0, are to be expected at all.
    """

    def __init__(self, rectify: bool, **kwargs):
        super().__init__(**kwargs)
        self._rectify = rectify

    def call(self, inputs):
        """Returns the mean, in the precision of the inputs."""
        x = tf.nn.relu(inputs) if self._rectify else inputs
        if x.dtype == tf.float32:
            return tf.reduce_mean(x, -1)
        # A product adds in float32 within and takes half the time of a cast and a mean.
        shape, channels = tf.shape(x), x.shape[-1]
        sums = tf.linalg.matvec(tf.reshape(x, [-1, channels]), tf.ones([channels], x.dtype))
        return tf.reshape(sums, shape[:-1]) / channels

    def compute_output_shape(self, input_shape):
        """[batch, h, w, channels] to [batch, h, w]."""
        return tuple(input_shape[:-1])
