"""The deconvnet: what in which image excites a unit, by one pass back to the pixels.

Zeiler & Fergus, "Visualizing and Understanding Convolutional Networks" (ECCV 2014); guided
backpropagation: Springenberg et al. 2015.

Both ignore the parameters of later layers (Sixt et al., "When Explanations Lie", 2020): their maps
are nearly the same for every class, so they show what excites a unit, and explain no decision.
"""

import dataclasses
import functools
import heapq
from collections.abc import Iterable, Iterator, Mapping, Sequence

import numpy as np
import tensorflow as tf

from tfvis.attention import backward, explainer
from tfvis.attention.backward import Units
from tfvis.errors import InputError, arg
from tfvis.networks import relu_gradients
from tfvis.networks.network import Network


@dataclasses.dataclass(frozen=True)
class Peak:
    """Where, in which image, a channel was strongest.

    Attributes:
        image: its place in the order the images came in, from 0.
        row, column: of the unit in the layer's map; 0 in a vector.
        activation: what the unit answered.
    """

    image: int
    row: int
    column: int
    activation: float


def strongest(
    network: Network,
    layer: str,
    channels: Sequence[int],
    images: Iterable[np.ndarray],
    top: int = 9,
    before: Mapping[int, Sequence[Peak]] | None = None,
    first: int = 0,
) -> dict[int, list[Peak]]:
    """Returns the images that excite each channel most, and the place in each.

    One place per image, as in the figures of Zeiler & Fergus 2014. Images are taken one
    by one and let go, so that any number can be looked through; one size needs one trace.

    Args:
        network: any.
        layer: a path, or "logits", whose output is a map or a vector.
        channels: which of its channels.
        images: float32 [height, width, c] or batches of them, display space.
        top: how many images per channel, at least 1.
        before: what this returned of the images before these.
        first: how many those were.

    Returns:
        {channel: peaks, the strongest first; of equals the earlier image}.

    Raises:
        InputError: a layer or channel that does not exist, `top` below 1, no images.
    """
    backward.check_output(network, layer)
    channels = list(dict.fromkeys(int(channel) for channel in channels))
    backward.check_range(layer, "channels", channels, network.channels_of(layer))
    if top < 1:
        raise InputError(f"{arg('top')}={top}: expected 1 or more images per channel.")
    find = _maxima(network, layer)
    chosen = tf.constant(channels, tf.int32)
    kept: dict[int, list] = {channel: [] for channel in channels}
    for channel, peaks in (before or {}).items():
        kept[channel] = [(one.activation, -one.image, one.row, one.column) for one in peaks]
        heapq.heapify(kept[channel])
    index = first - 1
    for index, image in enumerate(_one_by_one(images), first):
        values, rows, columns = (t.numpy() for t in find(image, chosen))
        for k, channel in enumerate(channels):
            # A heap gives up its least: the weakest, of equals the latest.
            entry = (float(values[k]), -index, int(rows[k]), int(columns[k]))
            push = heapq.heappush if len(kept[channel]) < top else heapq.heappushpop
            push(kept[channel], entry)
    if index < 0:
        raise InputError(f"{arg('images')}: there are none to look through.")
    return {
        channel: [
            Peak(-minus, row, column, value)
            for value, minus, row, column in sorted(entries, reverse=True)
        ]
        for channel, entries in kept.items()
    }


def project(
    network: Network, layer: str, images: np.ndarray, units: Units, policy: str = "deconvnet"
) -> np.ndarray:
    """Returns what of each image reaches one unit of `layer`, projected back to its pixels.

    All other activations of the layer are set to zero. The deconvnet and the guided pass
    start from the activation itself, as Zeiler & Fergus 2014 do; the gradient from 1.

    Args:
        network: for "deconvnet" and "guided", of ReLUs up to the layer.
        layer: a path, or "logits".
        images: float32 [n, height, width, c], display space.
        units: int [n, 3], (channel, row, column) in image k; [n] channels of a vector;
            one for all where they are the same.
        policy: see `relu_gradients`.

    Returns:
        float32 [n, height, width, c]: signed, per grey level, around 0.

    Raises:
        InputError: an unknown layer, policy or unit; a network or layer that is no
            matter for the policy; a softmax.
    """
    clone = relu_gradients.with_policy(network, policy, [backward.check_scores(network, layer)])
    images, units = backward.checked(network, layer, images, units)
    back = _projection(clone, layer, policy != "gradient")
    return np.stack([back(*pair).numpy() for pair in zip(images, units, strict=True)])


class Deconvnet(explainer.OfScores):
    """Maps of the deconvnet, of networks of ReLUs; see `explainer.Explainer` and `project`.

    Args:
        network: with a classifier.

    Raises:
        InputError: it has none, or another nonlinearity than ReLU on the way to it.
    """

    _policy = "deconvnet"

    def __init__(self, network: Network):
        super().__init__(network)
        if other := relu_gradients.other_nonlinearity(network, network.logits):
            raise InputError(
                f"{arg('network')}={network.name}: {type(self).__name__} is defined for networks "
                f"of ReLUs only, and it has {other}. Saliency is the nearest that it can have."
            )

    def _maps(self, images: np.ndarray, classes: np.ndarray) -> np.ndarray:
        projected = project(self.network, self.network.logits, images, classes, self._policy)
        return backward.over_colours(projected)


class GuidedBackprop(Deconvnet):
    """Maps of guided backpropagation, of networks of ReLUs; see `explainer.Explainer`."""

    _policy = "guided"


@functools.lru_cache(maxsize=16)
def _maxima(network: Network, layer: str):
    """Returns (image, int32 [k] channels) -> the largest value of each, its row, its column."""
    taps = network.taps([layer])

    @tf.function(autograph=False)
    def find(image, channels):
        features = backward.as_map(taps(image[None])[layer])[0]
        width = tf.shape(features)[1]
        flat = tf.reshape(tf.gather(features, channels, axis=2), [-1, tf.size(channels)])
        place = tf.argmax(flat, axis=0, output_type=tf.int32)
        return tf.reduce_max(flat, axis=0), place // width, place % width

    return find


@functools.lru_cache(maxsize=16)
def _projection(network: Network, layer: str, from_activation: bool):
    """Returns (image, int32 [3] unit) -> its projection, [height, width, c]."""
    taps = network.taps([layer])

    @tf.function(autograph=False)
    def back(image, unit):
        return backward.gradient(taps, layer, image, unit, from_activation)

    return back


def _one_by_one(images: Iterable[np.ndarray]) -> Iterator[tf.Tensor]:
    for image in images:
        image = np.asarray(image, np.float32)
        if image.ndim not in (3, 4):
            raise InputError(
                f"Expected images of [height, width, channels]. Received: {image.shape}"
            )
        yield from tf.constant(image[None] if image.ndim == 3 else image)
