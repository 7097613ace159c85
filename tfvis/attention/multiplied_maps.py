"""Which maps VisualBackProp multiplies: by default, those that a ReLU puts out, those named."""

import keras

from tfvis.errors import InputError, arg
from tfvis.networks import keras_graph
from tfvis.networks.network import Network
from tfvis.networks.receptive_field import spatial_maps as passed
from tfvis.networks.receptive_field.dominators import dominators
from tfvis.networks.receptive_field.spatial_maps import Map

# The word for the layers that a ReLU puts out.
RECTIFIED = "relu"
_POOLINGS = (keras.layers.MaxPooling2D, keras.layers.AveragePooling2D)


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
    return tuple(one.path for one in default(network))


def default(network: Network) -> list[Map]:
    """Returns the maps of `maps`, whole."""
    seen = passed.maps(network)
    seen.check_end("VisualBackProp", network.name)
    found = passed.features(network, seen)
    kept = [one for one in found if not one.layout.tokens]
    if tokens := [one for one in found if one.layout.tokens and not one.alike]:
        raise InputError(
            f"VisualBackProp: the places of {network.name} go on as tokens "
            f"({tokens[0].path}), and attention is no convolution to go back through. Grad-CAM "
            "can be had, or name layers before."
        )
    if not kept:
        raise InputError(
            f"{arg('network')}={network.name}: VisualBackProp needs a convolutional network, and "
            f"{passed.missing(network, seen)}"
        )
    return kept


def _rectified(network: Network) -> list[Map]:
    """Returns the maps that a ReLU puts out; a pooling of them is none.

    Raises:
        InputError: as `maps`, or no ReLU does.
    """
    tensors = network.graph.tensors
    found = [
        one
        for one in default(network)
        if passed.positive(tensors[one.path])
        and not isinstance(keras_graph.operation(tensors[one.path]), _POOLINGS)
    ]
    if not found:
        raise InputError(
            f"{arg('layers')}={RECTIFIED}: no map of {network.name} that every path passes comes "
            "out of a ReLU; name layers."
        )
    return found


def ordered(network: Network, layers) -> list[Map]:
    """Returns the layers asked for, once each, in order of computation.

    Raises:
        InputError: there are none, one is no map, or not every path passes it.
    """
    if tuple(layers) == (RECTIFIED,) and RECTIFIED not in network.paths:
        return _rectified(network)
    network.check(layers)
    asked = sorted({network.path(layer) for layer in layers}, key=network.paths.index)
    if not asked:
        raise InputError("VisualBackProp: no layers were named; leave them out for the default.")
    seen = passed.maps(network, asked[-1])
    known = {one.path: one for one in seen.found}
    for layer in asked:
        if layer in known and not known[layer].layout.tokens:
            continue
        if layer in dominators(network, asked[-1]):
            why = f": {seen.end}" if seen.end else ""
            raise InputError(f"VisualBackProp: {layer} of {network.name} is not a map{why}.")
        raise InputError(
            f"VisualBackProp: not every path to {asked[-1]} of {network.name} passes "
            f"{layer}; leave it out."
        )
    return [known[layer] for layer in asked]
