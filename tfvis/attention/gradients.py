"""What a unit saw, by one pass back to the pixels.

All of it is in display space: the preprocessing is part of what is differentiated.
"""

import dataclasses
import functools
import heapq
from collections.abc import Iterable, Iterator, Sequence

import numpy as np
import tensorflow as tf

from tfvis.errors import InputError
from tfvis.networks import differentiable, relu_gradients
from tfvis.networks.network import Network

# A channel of a vector; (channel, row, column) in a map; or one of these per image.
Units = int | Sequence[int] | Sequence[Sequence[int]] | np.ndarray


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

    Returns:
        {channel: peaks, the strongest first; of equals the earlier image}.

    Raises:
        InputError: a layer or channel that does not exist, `top` below 1, no images.
    """
    _check_output(network, layer)
    channels = list(dict.fromkeys(int(channel) for channel in channels))
    _check_range(layer, "channels", channels, network.channels_of(layer))
    if top < 1:
        raise InputError(f"--top={top}: expected 1 or more images per channel.")
    find = _maxima(network, layer)
    chosen = tf.constant(channels, tf.int32)
    kept: dict[int, list] = {channel: [] for channel in channels}
    index = -1
    for index, image in enumerate(_one_by_one(images)):
        values, rows, columns = (t.numpy() for t in find(image, chosen))
        for k, channel in enumerate(channels):
            # A heap gives up its least: the weakest, of equals the latest.
            entry = (float(values[k]), -index, int(rows[k]), int(columns[k]))
            push = heapq.heappush if len(kept[channel]) < top else heapq.heappushpop
            push(kept[channel], entry)
    if index < 0:
        raise InputError("--images: there are none to look through.")
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
        policy: see `rectifiers`.

    Returns:
        float32 [n, height, width, c]: signed, per grey level, around 0.

    Raises:
        InputError: an unknown layer, policy or unit; a network or layer that is no
            matter for the policy; a softmax.
    """
    clone = relu_gradients.with_policy(network, policy, [_scores(network, layer)])
    images, units = _asked(network, layer, images, units)
    back = _projection(clone, layer, policy != "gradient")
    return np.stack([back(*pair).numpy() for pair in zip(images, units, strict=True)])


def gradients(
    network: Network, images: np.ndarray, unit: Units, layer: str = "logits"
) -> np.ndarray:
    """Returns dS/dx, signed, float32 [n, height, width, c]; arguments as `saliency`."""
    return project(network, layer, images, unit, policy="gradient")


def saliency(
    network: Network, images: np.ndarray, class_or_unit: Units, layer: str = "logits"
) -> np.ndarray:
    """Returns max over colours of |dS/dx| (Simonyan et al. 2014, section 3).

    S is a score before any softmax: the score after it would also rise by lowering others.

    Args:
        network: any.
        images: float32 [n, height, width, c], display space.
        class_or_unit: a class, or (channel, row, column) in a map; or one per image.
        layer: a path, or "logits".

    Returns:
        float32 [n, height, width], 0 or more; score per grey level.

    Raises:
        InputError: no classifier, a softmax, or a unit that does not exist.
    """
    return _over_colours(gradients(network, images, class_or_unit, layer))


def smoothgrad(
    network: Network,
    images: np.ndarray,
    class_or_unit: Units,
    layer: str = "logits",
    samples: int = 50,
    noise: float = 0.2,
    seed: int = 0,
) -> np.ndarray:
    """Returns max over colours of |mean of dS/dx| over noisy copies (Smilkov et al. 2017).

    What is averaged is the signed gradient; its absolute value is taken afterwards. The
    noise is Gaussian of standard deviation `noise` * (max - min) of each image; an image
    meets the same draws in any batch. Copies are made and forgotten one by one.

    Args:
        network, images, class_or_unit, layer: as in `saliency`.
        samples: copies per image, at least 1; 50 as the paper recommends.
        noise: 0 or more; the paper's 10 % to 20 %.
        seed: of the draws.

    Returns:
        float32 [n, height, width].

    Raises:
        InputError: as in `saliency`; no samples or negative noise.
    """
    if samples < 1:
        raise InputError(f"--samples={samples}: expected 1 or more noisy copies.")
    if not noise >= 0:
        raise InputError(f"--noise={noise}: expected a share of the image's range, 0 or more.")
    _scores(network, layer)
    images, units = _asked(network, layer, images, class_or_unit)
    mean = _smooth(network, layer)
    count, seed = tf.constant(samples), tf.constant(seed)
    spreads = [tf.constant(noise) * (tf.reduce_max(i) - tf.reduce_min(i)) for i in images]
    found = [mean(*own, seed, count) for own in zip(images, units, spreads, strict=True)]
    return _over_colours(np.stack([one.numpy() for one in found]))


def _over_colours(signed: np.ndarray) -> np.ndarray:
    return np.abs(signed).max(axis=-1)


@functools.lru_cache(maxsize=16)
def _maxima(network: Network, layer: str):
    """Returns (image, int32 [k] channels) -> the largest value of each, its row, its column."""
    taps = network.taps([layer])

    @tf.function
    def find(image, channels):
        features = _as_map(taps(image[None])[layer])[0]
        width = tf.shape(features)[1]
        flat = tf.reshape(tf.gather(features, channels, axis=2), [-1, tf.size(channels)])
        place = tf.argmax(flat, axis=0, output_type=tf.int32)
        return tf.reduce_max(flat, axis=0), place // width, place % width

    return find


@functools.lru_cache(maxsize=16)
def _projection(network: Network, layer: str, from_activation: bool):
    """Returns (image, int32 [3] unit) -> its projection, [height, width, c]."""
    taps = network.taps([layer])

    @tf.function
    def back(image, unit):
        return _gradient(taps, layer, image, unit, from_activation)

    return back


@functools.lru_cache(maxsize=16)
def _smooth(network: Network, layer: str):
    """Returns (image, unit, spread, seed, count) -> the mean gradient, [height, width, c]."""
    taps = network.taps([layer])

    @tf.function
    def mean(image, unit, spread, seed, count):
        total = tf.zeros_like(image)
        for sample in tf.range(count):
            draw = tf.random.stateless_normal(image.shape, tf.stack([seed, sample]))
            total += _gradient(taps, layer, image + spread * draw, unit, False)
        return total / tf.cast(count, tf.float32)

    return mean


def _gradient(taps, layer: str, image: tf.Tensor, unit: tf.Tensor, from_activation: bool):
    """Goes back from one unit, (channel, row, column), to one image, [height, width, c]."""
    with tf.GradientTape() as tape:
        tape.watch(image)
        features = _as_map(taps(image[None])[layer])
        activation = features[0, unit[1], unit[2], unit[0]]
    start = activation if from_activation else tf.ones_like(activation)
    return tape.gradient(activation, image, output_gradients=start)


def _as_map(features: tf.Tensor) -> tf.Tensor:
    """Returns a vector as a map of one place."""
    return features[:, None, None] if features.shape.rank == 2 else features


def _one_by_one(images: Iterable[np.ndarray]) -> Iterator[tf.Tensor]:
    for image in images:
        image = np.asarray(image, np.float32)
        if image.ndim not in (3, 4):
            raise InputError(
                f"Expected images of [height, width, channels]. Received: {image.shape}"
            )
        yield from tf.constant(image[None] if image.ndim == 3 else image)


def _check_output(network: Network, layer: str) -> None:
    """Raises InputError unless a layer exists and puts out a map or a vector."""
    if layer == "logits" and layer not in network.paths and not network.logits:
        raise InputError(
            f"--layer=logits: {network.name} was built without a classifier, so it has none. "
            "Build it with one (top=True), or name another layer."
        )
    network.check([layer])
    shape = network.graph.tensors[network.path(layer)].shape
    if len(shape) not in (2, 4) or shape[-1] is None:
        raise InputError(
            f"--layer={layer}: expected a layer whose output is a map [height, width, channels] "
            f"or a vector [channels]. Received one of {tuple(shape[1:])}"
        )


def _scores(network: Network, layer: str) -> str:
    """Returns `layer`, of which gradients can be taken.

    Raises:
        InputError: it is missing, neither map nor vector, or a softmax.
    """
    _check_output(network, layer)
    if network.is_softmax(layer):
        other = " --layer=logits has the scores." if network.logits not in ("", layer) else ""
        raise InputError(
            f"--layer={layer}: the output of a softmax, which also answers to the other "
            f"classes; take the scores before it.{other}"
        )
    return layer


def _asked(network: Network, layer: str, images, units: Units):
    """Returns images and units, as lists of tensors: float32 [h, w, c], int32 [3]."""
    images = np.asarray(images, np.float32)
    if images.ndim != 4 or not len(images):
        raise InputError(
            f"Expected images of [n, height, width, channels]. Received: {images.shape}"
        )
    shape = network.shape(layer, *images.shape[1:3])
    if 0 in shape:
        raise InputError(
            f"--size={images.shape[1]}: nothing is left of such an image at {layer}. "
            "Try a larger one."
        )
    differentiable.check(network, [layer], images.shape[1:3])
    units = np.asarray(units, np.int32)
    if len(shape) == 1 and units.shape in ((), (len(images),)):
        units = np.stack([units, 0 * units, 0 * units], axis=-1)
    if units.shape not in ((3,), (len(images), 3)):
        form = "a channel" if len(shape) == 1 else "(channel, row, column)"
        raise InputError(
            f"--unit: {layer} wants {form}, one for all or one for each of {len(images)} images. "
            f"Received: {units.tolist()}"
        )
    units = np.broadcast_to(units, (len(images), 3))
    height, width = shape[:2] if len(shape) == 3 else (1, 1)
    sizes = {"channels": shape[-1], "rows": height, "columns": width}
    for values, (name, size) in zip(units.T, sizes.items(), strict=True):
        _check_range(layer, name, values, size)
    return list(map(tf.constant, images)), list(map(tf.constant, units))


def _check_range(layer: str, name: str, values: Iterable[int], size: int) -> None:
    for value in values:
        if not 0 <= value < size:
            raise InputError(f"--unit: {layer} has {name} 0 to {size - 1}. Received: {value}")
