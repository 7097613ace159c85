"""An image as what an untrained network makes of noise, which is more like a photograph than noise.

Ulyanov, Vedaldi & Lempitsky, "Deep Image Prior" (CVPR 2018; IJCV 2020): the weights of an
hourglass with skip connections are optimised in place of pixels; its input, noise, stays. It takes
shapes and plain areas sooner than grain.

The network is smaller than the authors' of inversion (16-32-64-128-128-128 channels, kernels of 7,
5 and 3, 3,100 steps): five levels at most, kernels of 3, a tenth of the weights, so that a step
costs little beside the network that is inverted. Normalisation, skips, sampling and the input are
theirs.
"""

import itertools
from collections.abc import Iterator

import numpy as np
import tensorflow as tf

from tfvis.parameterizations import Parameterization

# Of each level, from fine to coarse; fewer for small pictures, whose coarsest maps would vanish.
_CHANNELS = (16, 32, 64, 64, 64)
_COARSEST = 4
# The authors': of the input, and of each connection past the deeper levels.
_INPUT, _SKIP = 32, 4
_NOISE, _SLOPE, _KERNEL = 0.1, 0.2, 3
_EPSILON = 1e-5


def deep_image(
    seeds: tuple[int, ...], height: int, width: int, center: np.ndarray
) -> Parameterization:
    """Returns the weights of an untrained network for each image; its sigmoid keeps 0..255.

    Args:
        seeds: one per image, of its input and of its first weights (uniform, within one over the
            root of how many numbers each is a sum of, as the authors' are by default).
        height, width: of one image.
        center: float32 [channels], the network's mid colour, display space.
    """
    depth = _depth(height, width)
    shapes = list(_shapes(depth, len(center)))
    sizes = [int(np.prod(shape)) for shape in shapes]
    # Maps are halved without a rest; what is too much is cut off at the end.
    rows, columns = (-(-side // 2**depth) * 2**depth for side in (height, width))
    top, left = (rows - height) // 2, (columns - width) // 2
    start = np.stack([_first_weights(seed, shapes) for seed in seeds])
    noise = [
        tf.random.stateless_uniform([1, rows, columns, _INPUT], [seed, -4], 0, _NOISE)
        for seed in seeds
    ]
    middle = tf.constant(center, tf.float32)

    def picture(weights, noise):
        parts = zip(tf.split(weights, sizes), shapes, strict=True)
        made = _hourglass(noise, (tf.reshape(part, shape) for part, shape in parts), depth)
        return made[0, top : top + height, left : left + width]

    def image(weights):
        found = [picture(*one) for one in zip(tf.unstack(weights), noise, strict=True)]
        return 255 * tf.sigmoid(tf.stack(found)) - middle

    return Parameterization(start, image, lambda weights: weights)


def _depth(height: int, width: int) -> int:
    """Returns how many levels leave the coarsest map a few pixels."""
    levels = 1
    while levels < len(_CHANNELS) and min(height, width) >= 2 ** (levels + 1) * _COARSEST:
        levels += 1
    return levels


def _shapes(depth: int, channels: int) -> Iterator[tuple[int, ...]]:
    """Yields the shapes of all weights in the order in which `_hourglass` takes them."""

    def layer(size, before, after, normalized=True):
        yield (size, size, before, after)
        # What is normalised needs no bias, but gets a scale and a shift.
        yield from [(2, after)] if normalized else [(after,)]

    def level(k, before):
        count = _CHANNELS[k]
        yield from layer(1, before, _SKIP)
        yield from layer(_KERNEL, before, count)
        yield from layer(_KERNEL, count, count)
        inner = count
        if k + 1 < depth:
            yield from level(k + 1, count)
            inner = _CHANNELS[k + 1]
        yield (2, _SKIP + inner)
        yield from layer(_KERNEL, _SKIP + inner, count)
        yield from layer(1, count, count)

    yield from level(0, _INPUT)
    yield from layer(1, _CHANNELS[0], channels, normalized=False)


def _first_weights(seed: int, shapes) -> np.ndarray:
    """Returns all weights of one network, float32 [count]."""
    found = []
    for place, shape in enumerate(shapes):
        if shape[0] == 2:
            found.append(np.repeat(np.float32([1, 0]), shape[1]))
        else:
            fan = np.prod(shape[:-1]) if len(shape) == 4 else _CHANNELS[0]
            most = 1 / np.sqrt(float(fan))
            drawn = tf.random.stateless_uniform(shape, [seed, -5 - place], -most, most)
            found.append(drawn.numpy().ravel())
    return np.concatenate(found)


def _hourglass(x: tf.Tensor, weights: Iterator[tf.Tensor], depth: int) -> tf.Tensor:
    """Returns what the network makes of its input, before the sigmoid.

    Args:
        x: float32 [1, height, width, _INPUT], sides multiples of 2^depth.
        weights: shaped as `_shapes` says.
        depth: levels.
    """

    def level(x, k):
        past = _layer(x, weights)
        x = _layer(x, weights, halved=True)
        x = _layer(x, weights)
        if k + 1 < depth:
            x = level(x, k + 1)
        x = tf.repeat(tf.repeat(x, 2, 1), 2, 2)
        x = _normalized(tf.concat([past, x], -1), next(weights))
        return _layer(_layer(x, weights), weights)

    x = level(x, 0)
    kernel, bias = itertools.islice(weights, 2)
    return tf.nn.conv2d(x, kernel, 1, "VALID") + bias


def _layer(x: tf.Tensor, weights: Iterator[tf.Tensor], halved: bool = False) -> tf.Tensor:
    """Returns a convolution, mirrored at the border, normalised, through a leaky ReLU."""
    kernel, scale = itertools.islice(weights, 2)
    rim = kernel.shape[0] // 2
    if rim:
        x = tf.pad(x, [[0, 0], [rim, rim], [rim, rim], [0, 0]], "REFLECT")
    x = tf.nn.conv2d(x, kernel, 1, "VALID")
    if halved:
        x = tf.nn.avg_pool2d(x, 2, 2, "VALID")
    return tf.nn.leaky_relu(_normalized(x, scale), _SLOPE)


def _normalized(x: tf.Tensor, scale: tf.Tensor) -> tf.Tensor:
    """Returns each channel with its own mean and deviation: batch normalisation of one image."""
    mean, variance = tf.nn.moments(x, [1, 2], keepdims=True)
    return (x - mean) * tf.math.rsqrt(variance + _EPSILON) * scale[0] + scale[1]
