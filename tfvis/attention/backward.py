"""Going back from a unit to the pixels: what saliency, SmoothGrad and the deconvnet share.

All of it is in display space: the preprocessing is part of what is differentiated.
"""

from collections.abc import Iterable, Sequence

import numpy as np
import tensorflow as tf

from tfvis.errors import InputError, arg
from tfvis.networks import differentiable
from tfvis.networks.network import Network

# A channel of a vector; (channel, row, column) in a map; or one of these per image.
Units = int | Sequence[int] | Sequence[Sequence[int]] | np.ndarray


def gradient(taps, layer: str, image: tf.Tensor, unit: tf.Tensor, from_activation: bool):
    """Goes back from one unit, (channel, row, column), to one image, [height, width, c]."""
    with tf.GradientTape() as tape:
        tape.watch(image)
        features = as_map(taps(image[None])[layer])
        activation = features[0, unit[1], unit[2], unit[0]]
    start = activation if from_activation else tf.ones_like(activation)
    return tape.gradient(activation, image, output_gradients=start)


def as_map(features: tf.Tensor) -> tf.Tensor:
    """Returns a vector as a map of one place."""
    return features[:, None, None] if features.shape.rank == 2 else features


def over_colours(signed: np.ndarray) -> np.ndarray:
    """Returns the largest absolute value over colours, [..., c] to [...]."""
    return np.abs(signed).max(axis=-1)


def check_output(network: Network, layer: str) -> None:
    """Raises InputError unless a layer exists and puts out a map or a vector."""
    if layer == "logits" and layer not in network.paths and not network.logits:
        raise InputError(
            f"{arg('layer')}=logits: {network.name} was built without a classifier, so it has "
            "none. Build it with one (top=True), or name another layer."
        )
    network.check([layer])
    shape = network.graph.tensors[network.path(layer)].shape
    if len(shape) not in (2, 4) or shape[-1] is None:
        raise InputError(
            f"{arg('layer')}={layer}: expected a layer whose output is a map [height, width, "
            f"channels] or a vector [channels]. Received one of {tuple(shape[1:])}"
        )


def check_scores(network: Network, layer: str) -> str:
    """Returns `layer`, of which gradients can be taken.

    Raises:
        InputError: it is missing, neither map nor vector, or a softmax.
    """
    check_output(network, layer)
    if network.is_softmax(layer):
        other = (
            f" {arg('layer')}=logits has the scores." if network.logits not in ("", layer) else ""
        )
        raise InputError(
            f"{arg('layer')}={layer}: the output of a softmax, which also answers to the other "
            f"classes; take the scores before it.{other}"
        )
    return layer


def checked(network: Network, layer: str, images, units: Units):
    """Returns images and units, as lists of tensors: float32 [h, w, c], int32 [3]."""
    images = np.asarray(images, np.float32)
    if images.ndim != 4 or not len(images):
        raise InputError(
            f"Expected images of [n, height, width, channels]. Received: {images.shape}"
        )
    shape = network.shape(layer, *images.shape[1:3])
    if 0 in shape:
        raise InputError(
            f"Nothing is left at {layer} of an image of {images.shape[1]} x {images.shape[2]} "
            f"pixels. Try a larger {arg('size')}."
        )
    differentiable.check(network, [layer], images.shape[1:3])
    units = np.asarray(units, np.int32)
    if len(shape) == 1 and units.shape in ((), (len(images),)):
        units = np.stack([units, 0 * units, 0 * units], axis=-1)
    if units.shape not in ((3,), (len(images), 3)):
        form = "a channel" if len(shape) == 1 else "(channel, row, column)"
        raise InputError(
            f"{arg('units')}: {layer} wants {form}, one for all or one for each of {len(images)} "
            f"images. Received: {units.tolist()}"
        )
    units = np.broadcast_to(units, (len(images), 3))
    height, width = shape[:2] if len(shape) == 3 else (1, 1)
    sizes = {"channels": shape[-1], "rows": height, "columns": width}
    for values, (name, size) in zip(units.T, sizes.items(), strict=True):
        check_range(layer, name, values, size)
    return list(map(tf.constant, images)), list(map(tf.constant, units))


def check_range(layer: str, name: str, values: Iterable[int], size: int) -> None:
    """Raises InputError unless all values are of 0 to size - 1."""
    for value in values:
        if not 0 <= value < size:
            raise InputError(
                f"{arg('units')}: {layer} has {name} 0 to {size - 1}. Received: {value}"
            )
