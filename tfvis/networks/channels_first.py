"""Models that keep channels before rows and columns, made to keep them last.

A CPU has no kernels for many of their layers, and whoever looks into a map takes its last axis
for channels. The numbers are the same: a map is only kept in another order.
"""

import keras
import numpy as np

from tfvis.errors import InputError
from tfvis.networks import rewiring

_FIRST = "channels_first"
_TO_FIRST, _TO_LAST = (3, 1, 2), (2, 3, 1)
# Layers that treat every number by itself, whatever their order.
_BY_NUMBER = (
    keras.layers.Activation,
    keras.layers.ReLU,
    keras.layers.LeakyReLU,
    keras.layers.ELU,
    keras.layers.Dropout,
    keras.layers.AlphaDropout,
    keras.layers.GaussianDropout,
    keras.layers.GaussianNoise,
    keras.layers.Identity,
    keras.layers.Rescaling,
)
_BY_PAIRS = (
    keras.layers.Add,
    keras.layers.Subtract,
    keras.layers.Multiply,
    keras.layers.Average,
    keras.layers.Maximum,
    keras.layers.Minimum,
)
# Of keras.ops, by the names of their classes: there are no others to ask.
_OPERATIONS = {
    "Abs", "Add", "Cast", "Clip", "Divide", "Elu", "Exp", "Gelu", "HardSigmoid", "HardSilu",
    "LeakyRelu", "Maximum", "Minimum", "Multiply", "Negative", "Relu", "Relu6", "Sigmoid", "Silu",
    "Softplus", "Sqrt", "Square", "Subtract", "Tanh", "TrueDivide",
}  # fmt: skip
# Nonlinearities along the last axis, which would be another.
_BY_LAST_AXIS = ("glu", "log_softmax", "softmax", "sparsemax")
# Layers along one axis, that of the channels.
_BY_AXIS = (
    keras.layers.BatchNormalization,
    keras.layers.GroupNormalization,
    keras.layers.Concatenate,
    keras.layers.Softmax,
)


def is_first(model: keras.Model) -> bool:
    """Tells whether a layer of a model, however deep, keeps channels first."""
    stack = [model]
    while stack:
        layer = stack.pop()
        # Nothing but these are laid out so; a TimeDistributed is not a model of images.
        if isinstance(layer, keras.Model):
            stack += layer.layers
        elif getattr(layer, "data_format", "") == _FIRST:
            return True
    return False


def converted(model: keras.Model) -> keras.Model:
    """Returns a model with the same numbers whose maps, and input, have channels last.

    Args:
        model: of one input, built; it stays as it is, and its weights are copied.

    Raises:
        InputError: a layer that is no convolution, pooling or the like takes such maps.
    """
    (source,) = model.inputs if len(model.inputs) == 1 else (None,)
    if source is None or len(source.shape) != 4:
        return model  # Refused as what it is by others.
    shape = tuple(source.shape[1:])
    first = shape[-1] not in (1, 3) and shape[0] in (1, 3)
    inputs = keras.Input((*shape[1:], shape[0]) if first else shape, dtype=source.dtype)
    x = keras.layers.Permute(_TO_FIRST, name="to_channels_first")(inputs) if first else inputs
    whole = keras.Model(inputs, model(x), name=model.name)
    graph = rewiring.rewire(whole, _Conversion(f"{model.name}/"))
    if not graph.output:
        raise InputError(f"{model.name}: keeps channels first, and has not one output.")
    return keras.Model(graph.inputs, graph.tensors[graph.output], name=model.name)


class _Conversion:
    """A way to run layers, see `rewiring.CallFunction`, that keeps maps with channels last.

    Attributes:
        prefix: of the paths, taken off.
        swapped: ids of tensors whose numbers the model has in the other order.
        made: {id of a layer: the one in its place}.
    """

    def __init__(self, prefix: str):
        self.prefix = prefix
        self.swapped: set[int] = set()
        self.made: dict[int, keras.Layer] = {}
        # Ids are of tensors that must not go.
        self.kept: list = []

    def __call__(self, layer, path: str, *args, **kwargs):
        name = rewiring.legal(path.removeprefix(self.prefix))
        given = keras.tree.flatten((args, kwargs))
        maps = [x for x in given if self._is_map(x)]
        if isinstance(layer, keras.layers.Permute) and maps:
            swapped = self._swapped(maps[0])
            if tuple(layer.dims) == (_TO_LAST if swapped else _TO_FIRST):
                return self._same(maps[0], not swapped, name)
        changes = self._changes(layer, args, kwargs, maps)
        if changes is None:
            # As it was, on maps as they were.
            args, kwargs = keras.tree.map_structure(self._first, (args, kwargs))
            output = rewiring.twin(layer, name=name)(*args, **kwargs)
            if any(map(self._swapped, maps)) and self._is_map(output):
                raise InputError(
                    f"keeps channels first, and layer {layer.name} "
                    f"({type(layer).__name__}) is not known in another order. Build it with "
                    "data_format='channels_last'."
                )
            return output
        args, kwargs = keras.tree.map_structure(self._last, (args, kwargs))
        if changes:
            output = self._other(layer, name, changes)(*args, **kwargs)
            self._fill(layer)
        else:
            output = rewiring.twin(layer, name=name)(*args, **kwargs)
        return self._noted(output) if self._is_map(output) else output

    def _changes(self, layer, args, kwargs, maps: list) -> dict | None:
        """Returns what is set otherwise in a layer on maps with channels last.

        {} for nothing; None where it is to be run as it was.
        """
        activation = getattr(layer, "activation", None)
        if not maps or getattr(activation, "__name__", "") in _BY_LAST_AXIS:
            return None
        if getattr(layer, "data_format", "") == _FIRST:
            return {"data_format": "channels_last"}
        if not any(map(self._swapped, maps)):
            return None
        if isinstance(layer, _BY_AXIS) and layer.axis in (1, -3):
            return {"axis": -1}
        is_operation = not isinstance(layer, keras.Layer) and type(layer).__name__ in _OPERATIONS
        if isinstance(layer, _BY_NUMBER + _BY_PAIRS) or is_operation:
            others = [x for x in keras.tree.flatten((args, kwargs)) if hasattr(x, "shape")]
            scalar = all(np.size(getattr(layer, key, 0)) == 1 for key in ("scale", "offset"))
            if scalar and all(self._is_map(x) or not x.shape for x in others):
                return {}
        return None

    def _other(self, layer, name: str, changes: dict) -> keras.Layer:
        if id(layer) not in self.made:
            config = layer.get_config() | changes | {"name": name}
            self.made[id(layer)] = type(layer).from_config(config)
        return self.made[id(layer)]

    def _fill(self, layer) -> None:
        self.made[id(layer)].set_weights(layer.get_weights())

    def _is_map(self, x) -> bool:
        return isinstance(x, keras.KerasTensor) and len(x.shape) == 4

    def _swapped(self, x) -> bool:
        return id(x) in self.swapped

    def _noted(self, x):
        self.kept.append(x)
        self.swapped.add(id(x))
        return x

    def _same(self, x, swapped: bool, name: str):
        """Returns a tensor of the same numbers, that the model has in the other order or not."""
        x = keras.layers.Identity(name=name)(x)
        return self._noted(x) if swapped else x

    def _first(self, x):
        """Returns a tensor as the model has it."""
        return keras.layers.Permute(_TO_FIRST)(x) if self._is_map(x) and self._swapped(x) else x

    def _last(self, x):
        """Returns a map of the model with its channels last."""
        return keras.layers.Permute(_TO_LAST)(x) if self._is_map(x) and not self._swapped(x) else x
