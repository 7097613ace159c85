"""Whether a gradient can go from a layer back to the pixels."""

import functools
from collections.abc import Iterable

import numpy as np
import tensorflow as tf

from tfvis import images
from tfvis.errors import InputError, PartError
from tfvis.networks import keras_graph
from tfvis.networks.keras_graph import sources
from tfvis.networks.network import Network

# Side of the pictures that layers are tried with.
_SIDE = 256


def check(network: Network, layers: Iterable[str], size: tuple[int, int]) -> None:
    """Raises PartError at the first layer from which no gradient gets back to the image.

    Rounding, a cast to whole numbers and the like have none, so that nothing in front of them
    can be asked to change.

    Args:
        network: the network.
        layers: paths, or "logits".
        size: (height, width) of the image.
    """
    asked = tuple(layers)
    for layer, connected in zip(asked, _connected(network, asked, size), strict=True):
        if not connected:
            raise PartError(
                f"{layer} of {network.name} cannot be looked into by its gradient: none passes "
                f"{culprit(network, layer, size)}. Choose a layer before that."
            )


def check_alive(network: Network, layers: Iterable[str], pictures: Iterable[np.ndarray]) -> None:
    """Raises InputError at the first layer whose units all answer the same to every pixel.

    Units whose ReLU died have a gradient, and it is zero everywhere.

    Args:
        network: the network.
        layers: paths that `check` has passed.
        pictures: float32 [height, width, channels] each, 0..255; looked at with at most `_SIDE` px
            on the longer side, where that leaves every layer a place.
    """
    silent = dict.fromkeys(layers)
    taps = network.taps(tuple(silent))
    for picture in pictures:
        size = picture.shape[:2]
        small = tuple(max(round(side * _SIDE / max(size)), 1) for side in size)
        if max(size) > _SIDE and not any(0 in network.trace(one, *small) for one in silent):
            picture = images.resize(picture, *small)
        shown = tf.constant(images.with_channels(picture, network.channels)[None], tf.float32)
        with tf.GradientTape(persistent=True) as tape:
            tape.watch(shown)
            outputs = taps(shown)
            values = {one: tf.reduce_sum(tf.square(outputs[one])) for one in silent}
        for layer in list(silent):
            if tf.reduce_any(tape.gradient(values[layer], shown) != 0):
                del silent[layer]
        if not silent:
            return
    raise InputError(
        f"{', '.join(silent)} of {network.name}: no pixel changes what it answers, as where all "
        "units are silent. Choose other layers, or other weights."
    )


@functools.lru_cache(maxsize=64)
def _connected(network: Network, layers: tuple[str, ...], size: tuple[int, int]) -> list[bool]:
    taps = network.taps(layers)
    found: list[bool] = []

    @tf.function(autograph=False)
    def run(images):
        with tf.GradientTape(persistent=True) as tape:
            tape.watch(images)
            outputs = taps(images)
        found[:] = [gradient(tape, outputs[layer], images) is not None for layer in layers]
        return images

    run.get_concrete_function(tf.TensorSpec((1, *size, network.channels), tf.float32))
    return found


def gradient(tape: tf.GradientTape, value: tf.Tensor, images: tf.Tensor) -> tf.Tensor | None:
    """Returns d value / d images, None where none passes.

    Nor does any pass an operation whose gradient TensorFlow lacks, such as ResizeArea.
    """
    try:
        return tape.gradient(value, images)
    except LookupError:
        return None


def culprit(network: Network, layer: str, size: tuple[int, int]) -> str:
    """Returns the layer or operation that passes no gradient on the way to `layer`.

    Args:
        network: the network.
        layer: a path, or "logits", from which no gradient gets back to the image.
        size: (height, width) of the image.
    """
    tensors = network.graph.tensors
    way = network.paths[: network.paths.index(network.path(layer)) + 1]
    cut = [p for p, ok in zip(way, _connected(network, way, size), strict=True) if not ok]
    missing = {id(tensors[path]) for path in cut}
    for path in reversed(cut):
        before = sources(tensors[path])
        if before and not all(id(tensor) in missing for tensor in before):
            return f"{path} ({type(keras_graph.operation(tensors[path])).__name__})"
    return layer
