"""Whether a gradient can go from a layer back to the pixels."""

import functools
from collections.abc import Iterable

import tensorflow as tf

from tfvis.errors import InputError
from tfvis.networks import rewiring
from tfvis.networks.network import Network
from tfvis.networks.receptive_field.dominators import sources


def check(network: Network, layers: Iterable[str], size: tuple[int, int]) -> None:
    """Raises InputError at the first layer from which no gradient gets back to the image.

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
            raise InputError(
                f"{layer} of {network.name} cannot be looked into by its gradient: none passes "
                f"{culprit(network, layer, size)}. Choose a layer before that."
            )


@functools.lru_cache(maxsize=64)
def _connected(network: Network, layers: tuple[str, ...], size: tuple[int, int]) -> list[bool]:
    taps = network.taps(layers)
    found: list[bool] = []

    @tf.function(autograph=False)
    def run(images):
        outputs = taps(images)
        found[:] = [tf.gradients(outputs[layer], images)[0] is not None for layer in layers]
        return images

    run.get_concrete_function(tf.TensorSpec((1, *size, network.channels), tf.float32))
    return found


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
            return f"{path} ({type(rewiring.operation(tensors[path])).__name__})"
    return layer
