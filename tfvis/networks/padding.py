"""Convolutions whose border is not black: a picture that continues, or goes around.

A "same" convolution pads with zeros, which in a network's input space is the mid colour:
every picture has an edge there, and pictures made from features show it.
"""

import dataclasses
import functools

import keras

from tfvis.errors import InputError
from tfvis.networks import keras_graph, rewiring
from tfvis.networks.caffe_layers.convolution_and_shape import GroupedConv2D
from tfvis.networks.keras_graph import sources
from tfvis.networks.network import Network
from tfvis.networks.padding_layer import Padding
from tfvis.networks.receptive_field.dominators import dominators

MODES = ("zero", "replicate", "circular")
_CONVOLUTIONS = (keras.layers.Conv2D, GroupedConv2D)


def padded(network: Network, mode: str) -> Network:
    """Returns the network with another padding of its convolutions, sharing its weights.

    Args:
        network: stays as it is.
        mode: "zero" leaves all; "replicate" repeats the border pixel at the first
            convolution only, as Crowson's style transfer does (deeper ones then see no edge
            that the picture has not); "circular" lets every convolution go around, so that
            what is made tiles the plane, also one without padding that every path passes.
            A ZeroPadding2D that is there for a convolution counts as its padding.

    Raises:
        InputError: another word.
    """
    if mode not in MODES:
        raise InputError(f"Expected a padding of {', '.join(MODES)}. Received: {mode}")
    return network if mode == "zero" else _padded(network, mode)


@functools.lru_cache(maxsize=16)
def _padded(network: Network, mode: str) -> Network:
    """See `padded`; kept so that its taps are kept, too."""
    chosen = None
    if mode == "replicate":
        # By the name in the graph, which of a nested model is not the path.
        first = network.convolutions()[:1]
        chosen = {keras_graph.operation(network.graph.tensors[path]).name for path in first}

    for_convolutions = _paddings(network, chosen)
    bare = _unpadded(network) if mode == "circular" else set()

    def call(layer, path, *args, **kwargs):
        if path in for_convolutions:
            return Padding(mode, layer.padding, name=layer.name)(*args, **kwargs)
        if type(layer) not in _CONVOLUTIONS or (chosen is not None and path not in chosen):
            return rewiring.twin(layer)(*args, **kwargs)
        # A strided "same" pads by the size, which goes around nothing.
        same = layer.padding == "same" and tuple(layer.strides) == (1, 1)
        margins = _margins(layer)
        if not (same or path in bare) or not any(map(any, margins)):
            return rewiring.twin(layer)(*args, **kwargs)
        wider = Padding(mode, margins, name=f"{layer.name}_padding")(*args)
        return rewiring.twin(layer, padding="valid")(wider, **kwargs)

    graph = rewiring.replaced(network.graph, call)
    return dataclasses.replace(network, graph=graph, variant=(*network.variant, ("padding", mode)))


def _margins(layer) -> list[tuple[int, int]]:
    """Returns, per axis, what a convolution needs around a map to see all of it alike."""
    margins = []
    for k, d, s in zip(layer.kernel_size, layer.dilation_rate, layer.strides, strict=True):
        both = max(d * (k - 1) + 1 - s, 0)
        margins.append((both // 2, both - both // 2))
    return margins


def _unpadded(network: Network) -> set[str]:
    """Returns the names, in the graph, of the convolutions that shrink the only way on.

    Beside another way a larger map would no longer fit.
    """
    found = set()
    for path in dominators(network):
        tensor = network.graph.tensors[path]
        layer = keras_graph.operation(tensor)
        if type(layer) in _CONVOLUTIONS and layer.padding == "valid":
            before = keras_graph.operation(sources(tensor)[0])
            if not isinstance(before, keras.layers.ZeroPadding2D):
                found.add(layer.name)
    return found


def _paddings(network: Network, chosen: set[str] | None) -> set[str]:
    """Returns the names, in the graph, of the zero paddings that only convolutions take.

    Args:
        network: its graph.
        chosen: names of the convolutions that count; None are all.
    """
    found: dict[str, bool] = {}
    for tensor in network.graph.tensors.values():
        layer = keras_graph.operation(tensor)
        right = type(layer) in _CONVOLUTIONS and (chosen is None or layer.name in chosen)
        for source in sources(tensor):
            before = keras_graph.operation(source)
            if isinstance(before, keras.layers.ZeroPadding2D):
                found[before.name] = found.get(before.name, True) and right
    return {name for name, right in found.items() if right}
