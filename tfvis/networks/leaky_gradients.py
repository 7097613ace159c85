"""Gradients for units that a nonlinearity keeps silent.

Where a ReLU gives 0 its derivative is 0, and a unit that rests on such values alone cannot be
raised by its gradient. lucid's redirected ReLUs let a gradient pass there that asks for more;
here so does every nonlinearity that is flat somewhere, whatever it is called: a gradient of 1 in
the place of a derivative of 0, where the output would change if the input went far enough the
way it is asked to go. Values stay as they are.
"""

import dataclasses
from collections.abc import Callable

import keras
import numpy as np
import tensorflow as tf

from tfvis.networks import keras_graph, rewiring
from tfvis.networks.rewiring import Graph

# Operations of keras.ops, and layers without weights, that are flat somewhere.
_FLAT = {
    "Celu", "Clip", "Elu", "Glu", "HardShrink", "HardSigmoid", "HardSilu", "HardTanh",
    "LeakyReLU", "LeakyRelu", "Maximum",
    "Minimum", "PReLU", "ReLU", "Relu", "Relu6", "Selu", "Sigmoid", "SoftShrink", "SparsePlus",
    "SparseSigmoid", "Squareplus", "Tanh", "TanhShrink", "Threshold",
}  # fmt: skip
# Not of each value alone.
_JOINT = (
    keras.activations.softmax,
    keras.activations.log_softmax,
    keras.activations.sparsemax,
    keras.activations.glu,
    keras.activations.linear,
    None,
)
# How far "far enough" is: further than activations go, and exact in bfloat16.
_FAR = 2.0**20
# Values of a layer that are tried at most.
_TRIED = 2**22


def tapped(graph: Graph, paths: list[str] | tuple[str, ...]) -> Graph:
    """Returns a graph whose tensors at `paths` can be raised where their own ReLU is silent.

    They have the same values. What comes after these layers is computed as ever.

    Args:
        graph: flat; it stays as it is.
        paths: where no ReLU ends a path, it is left.
    """
    rectifiers = (keras.activations.relu, keras.activations.relu6)
    chosen = {keras_graph.operation(graph.tensors[path]).name: path for path in paths}
    taps = {}

    def tap(path, before, function):
        name = rewiring.legal(f"{path}_waking")
        taps[path] = keras.layers.Activation(_raised(function), name=name)(before)

    def call(layer, path, *args, **kwargs):
        ends = chosen.get(layer.name)
        activation = getattr(layer, "activation", None)
        if ends and rewiring.fused_activation(layer) and activation in rectifiers:
            before, after = rewiring.split_activation(layer, layer.name, *args, **kwargs)
            tap(ends, before, activation)
            # The name by which `replaced` finds the output again.
            return rewiring.Taken({layer.name: after})
        if ends and (isinstance(layer, keras.layers.ReLU) or activation in rectifiers):
            tap(ends, args[0], layer.call)
        return rewiring.twin(layer)(*args, **kwargs)

    new = rewiring.replaced(graph, call)
    return dataclasses.replace(new, tensors=new.tensors | taps)


def everywhere(graph: Graph) -> Graph:
    """Returns a graph of the same values in which every nonlinearity passes what would wake.

    Args:
        graph: flat; it stays as it is.
    """

    def call(layer, path, *args, **kwargs):
        given = [one for one in (*args, *kwargs.values()) if isinstance(one, keras.KerasTensor)]
        activation = getattr(layer, "activation", None)
        if getattr(layer, "weights", ()) and activation not in _JOINT:
            function = woken(getattr(activation, "call", activation))
            return rewiring.twin(layer, activation=function)(*args, **kwargs)
        # The larger of two tensors is one of them: a gradient passes.
        plain = rewiring.twin(layer)(*args, **kwargs)
        if len(given) != 1 or not _may_be_flat(layer, given[0], plain):
            return plain

        def function(x):
            own = [x if one is given[0] else one for one in args]
            named = {name: x if one is given[0] else one for name, one in kwargs.items()}
            return layer.call(*own, **named)

        return keras.layers.Activation(woken(function), name=layer.name)(given[0])

    return rewiring.replaced(graph, call)


def _may_be_flat(layer, tensor, output) -> bool:
    """Tells functions of each value alone that may be flat; what cannot be seen into is tried."""
    if isinstance(layer, keras.layers.Activation):
        return layer.activation not in _JOINT
    kind = type(layer)
    known = keras_graph.keras_module(kind) or kind.__module__.startswith("tfvis.")
    if known and type(layer) is not keras.layers.Lambda:
        return type(layer).__name__ in _FLAT
    if tuple(getattr(output, "shape", ())) != tuple(tensor.shape):
        return False
    shape = [1 if size is None else size for size in tensor.shape]
    if getattr(layer, "weights", ()) or np.prod(shape) > _TRIED:
        return False
    values = np.random.default_rng(0).normal(0, 3, shape).astype(np.float32)
    try:
        forth, back = (np.asarray(layer(v)) for v in (values, values.ravel()[::-1].reshape(shape)))
    except (ValueError, TypeError, tf.errors.OpError):
        return False
    return forth.shape == values.shape and np.array_equal(forth.ravel()[::-1], back.ravel())


def woken(function: Callable) -> Callable:
    """Returns a function of the same values that passes a gradient where it is flat.

    Args:
        function: of each value alone, and nowhere falling; tensor -> tensor of its shape.
    """

    @tf.custom_gradient
    def passing(x):
        with tf.GradientTape() as tape:
            tape.watch(x)
            y = function(x)

        def gradient(upstream, variables=None):
            own = tape.gradient(y, x, upstream)
            passed = tf.where((own == 0) & _leads_on(function, x, y, upstream), upstream, own)
            # Those of a PReLU stand still.
            return passed if variables is None else (passed, [None] * len(variables))

        return y, gradient

    return passing


def _leads_on(function, x, y, upstream):
    """Tells where the output changes if the input goes far in the direction that is asked."""
    # Energies are made small: a negative gradient raises.
    return function(x - tf.sign(upstream) * tf.cast(_FAR, x.dtype)) != y


def _raised(function: Callable) -> Callable:
    """Returns a rectifier that lets through what would raise a silent input."""

    @tf.custom_gradient
    def rectifier(x):
        with tf.GradientTape() as tape:
            tape.watch(x)
            y = function(x)

        def gradient(upstream):
            # Energies are made small: a negative gradient raises.
            raising = tf.where((x <= 0) & (upstream < 0), upstream, 0)
            return tape.gradient(y, x, upstream) + raising

        return y, gradient

    return rectifier
