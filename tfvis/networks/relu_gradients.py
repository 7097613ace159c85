"""How ReLUs pass gradients back, as a policy on a copy of a network.

With R the gradient that arrives and x what the ReLU was given:

- gradient: R * (x > 0), the derivative; Simonyan et al. 2014.
- deconvnet: R * (R > 0), as if R itself went through the ReLU; Zeiler & Fergus 2014.
- guided: R * (R > 0) * (x > 0), both; Springenberg et al. 2015.

The rest of a deconvnet is the ordinary backward pass: a transposed convolution with the
same filters, and the gradient of max pooling, which is unpooling to the recorded maximum.
A window of zeros only (a fifth to four fifths of VGG16's) has no such place; a deconvnet
passes through it all the same, and there `fast_execution.EvenMaxPooling` shares among all places
(`Taps` asks for it), other poolings take the first. Local response normalisation, of which
Zeiler & Fergus say nothing, passes its own gradient in all three.
"""

import dataclasses
import functools
from collections.abc import Callable, Iterable

import keras
import tensorflow as tf

from tfvis.errors import InputError, arg
from tfvis.networks import keras_graph, rewiring
from tfvis.networks.caffe_layers import convolution_and_shape as caffe
from tfvis.networks.caffe_layers import lrn, pooling
from tfvis.networks.network import Network

POLICIES = ("gradient", "guided", "deconvnet")

_FUNCTIONS = (keras.activations.relu, keras.activations.relu6, keras.activations.leaky_relu)
# Of keras.layers, keras.ops and keras.activations alike.
_CLASSES = {"LeakyReLU", "LeakyRelu", "ReLU", "Relu", "Relu6"}
# Operations without weights that are linear, or, as poolings, choose.
# fmt: off
_HARMLESS = {
    "Add", "Average", "AveragePool", "BatchNorm", "BroadcastTo", "Concatenate", "Conv",
    "DepthwiseConv", "Divide", "Einsum", "ExpandDims", "Flip", "GetItem", "Matmul", "Max",
    "MaxPool", "Mean", "Moveaxis", "Multiply", "Negative", "Pad", "Repeat", "Reshape", "Resize",
    "SeparableConv", "Squeeze", "Stack", "Subtract", "Sum", "Swapaxes", "Tile", "Transpose",
    "TrueDivide",
}
# Of the layers of Caffe networks; a Power is another nonlinearity.
_CAFFE = {
    caffe.CaffeReshape, caffe.ChannelScale, caffe.GroupedConv2D, caffe.Slice, caffe.WeightedSum,
    lrn.ChannelResponse, lrn.SpatialResponse,
    pooling.CaffeAveragePooling2D, pooling.CaffeMaxPooling2D,
}
# fmt: on


def with_policy(network: Network, policy: str, layers: Iterable[str] | None = None) -> Network:
    """Returns a network that computes the same, and whose ReLUs pass gradients by `policy`.

    It shares its weights with the one given, which stays as it is, and has the same
    paths. A ReLU with a slope, a ceiling or a threshold keeps its own derivative in the
    place of (x > 0).

    Args:
        network: any, for "gradient"; else one whose nonlinearities are ReLUs.
        policy: one of `POLICIES`; "gradient" returns the network itself.
        layers: what will be tapped: what lies behind need not be made of ReLUs.
            Default the logits, or all where there are none.

    Raises:
        InputError: another policy, an unknown layer, or another nonlinearity than ReLU
            on the way to a layer.
    """
    if policy not in POLICIES:
        raise InputError(f"{arg('policy')}={policy}: expected {', '.join(POLICIES)}.")
    if layers is None:
        layers = ["logits"] if network.logits else network.paths
    layers = list(layers)
    network.check(layers)
    if policy == "gradient":
        return network
    for layer in layers:
        if other := other_nonlinearity(network, layer):
            raise InputError(
                f"{arg('policy')}={policy}: defined for networks of ReLUs only; on the way to "
                f"{layer}, {network.name} has {other}. Use {arg('policy')}=gradient, or a layer "
                "before it."
            )
    return _rectified_network(network, policy)


def other_nonlinearity(network: Network, layer: str) -> str:
    """Returns what is no ReLU on the way to a layer, such as "gelu at block1", or ""."""
    graph = network.graph
    names = {id(keras_graph.operation(tensor)): path for path, tensor in graph.tensors.items()}
    for operation in graph.truncated([network.path(layer)]).operations:
        if found := _other_nonlinearity(operation):
            return f"{found} at {names.get(id(operation), operation.name)}"
    return ""


def rectified(function: Callable, policy: str) -> Callable:
    """Returns a function with the values of `function` and the gradient of `policy`.

    Args:
        function: a rectifier, tensor -> tensor of the same shape.
        policy: "guided" or "deconvnet".
    """

    @tf.custom_gradient
    def deconvnet(x):
        return function(x), tf.nn.relu

    @tf.custom_gradient
    def keep_positive(y):
        return tf.identity(y), tf.nn.relu

    def guided(x):
        return keep_positive(function(x))

    return {"deconvnet": deconvnet, "guided": guided}[policy]


@functools.lru_cache(maxsize=8)
def _rectified_network(network: Network, policy: str) -> Network:
    """Rewires every ReLU; one copy per question, so that its taps are kept as well."""

    def call(layer, path, *args, **kwargs):
        if _is_rectifier(layer):
            # Not the layer itself, which would cast to its own precision.
            function = rectified(layer.call, policy)
            return keras.layers.Activation(function, name=layer.name)(*args, **kwargs)
        changes = {}
        if _is_rectifier(getattr(layer, "activation", None)):
            function = layer.activation
            changes["activation"] = rectified(getattr(function, "call", function), policy)
        return rewiring.twin(layer, **changes)(*args, **kwargs)

    graph = rewiring.replaced(network.graph, call)
    variant = (*network.variant, ("rectifiers", policy))
    return dataclasses.replace(network, graph=graph, variant=variant)


def _is_rectifier(operation) -> bool:
    """Tells ReLUs: layers, operations, and the functions fused into other layers."""
    kind = type(operation)
    if kind is keras.layers.Activation:
        return False
    return operation in _FUNCTIONS or (keras_graph.keras_module(kind) and kind.__name__ in _CLASSES)


def _other_nonlinearity(operation) -> str:
    """Returns what it is called, "" if there is none; what cannot be seen into counts."""
    kind = type(operation)
    if isinstance(operation, keras.layers.InputLayer) or _is_rectifier(operation):
        return ""
    own = keras_graph.keras_module(kind) or kind in _CAFFE
    if not own or kind is keras.layers.Lambda:
        return f"a {kind.__name__} layer, which may hold any,"
    if not isinstance(operation, keras.Layer):
        return "" if kind.__name__ in _HARMLESS else kind.__name__
    activation = getattr(operation, "activation", None)
    if activation not in (None, keras.activations.linear) and not _is_rectifier(activation):
        return getattr(activation, "__name__", type(activation).__name__)
    layers = keras_graph.inner_layers(operation, itself=False)
    inside = [layer for layer in layers if layer is not activation]
    group = keras_graph.keras_module(kind).startswith(("layers.activations.", "layers.attention."))
    if kind is not keras.layers.Activation and (inside or group):
        return kind.__name__
    return ""
