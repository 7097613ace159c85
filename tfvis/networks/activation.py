"""Where a layer's nonlinearity has been applied, in networks that have it as a layer of its own."""

import keras

from tfvis.networks import keras_graph, rewiring
from tfvis.networks.keras_graph import sources
from tfvis.networks.network import Network
from tfvis.networks.receptive_field import layer_rules

_NONLINEAR = {
    "ELU", "Elu", "Gelu", "HardSilu", "LeakyReLU", "LeakyRelu", "Mish", "PReLU", "ReLU", "Relu",
    "Relu6", "Selu", "Sigmoid", "Silu", "Softplus", "Tanh",
}  # fmt: skip


def activated(network: Network, layer: str) -> str:
    """Returns the path at which the nonlinearity that follows a layer has been applied.

    "relu1" for Caffe's "conv1"; with a normalisation or the sum of a residual block between,
    what is behind that. The layer itself where it has one fused, where another way leaves
    before, or where the network was built to be tapped before nonlinearities.

    Args:
        network: its graph.
        layer: a path.
    """
    if dict(network.variant).get("activation") == "pre":
        return layer
    tensors = network.graph.tensors
    tensor = tensors[network.path(layer)]
    if rewiring.fused_activation(keras_graph.operation(tensor)):
        return layer
    paths = {id(tensor): path for path, tensor in tensors.items()}
    takers: dict[int, list] = {}
    for taker in tensors.values():
        for source in sources(taker):
            takers.setdefault(id(source), []).append(taker)
    while len(takers.get(id(tensor), ())) == 1:
        (tensor,) = takers[id(tensor)]
        operation = keras_graph.operation(tensor)
        if not (layer_rules.pointwise(operation) or layer_rules.scaled(operation)):
            break
        if _nonlinear(operation):
            return paths[id(tensor)]
    return layer


def _nonlinear(operation) -> bool:
    if isinstance(operation, keras.layers.Activation):
        return operation.activation is not keras.activations.linear
    return type(operation).__name__ in _NONLINEAR
