"""Every rewiring of a model, on one primitive: a clone that shares the weights.

`keras.models.clone_model` walks a functional graph and lets a function of ours (its
`call_function`) run each node. Here that function runs a *twin* of each layer: a shallow copy
that holds the same variables but keeps its own place in the graph, so the model that was
given is never touched, and a copy may differ in one attribute (its activation, its
precision) without a second set of weights.
"""

import dataclasses
import warnings
from collections.abc import Callable

import keras

from tfvis.errors import InputError, arg
from tfvis.networks import convolutions, keras_graph, model_inputs
from tfvis.networks.caffe_layers.pooling import CaffeAveragePooling2D, CaffeMaxPooling2D


class Taken(dict):
    """{path: tensor} of a layer that was split in several taps; the last one goes on."""


# A function that runs one layer of a graph: (layer, path, *inputs) -> output or Taken.
CallFunction = Callable[..., object]


@dataclasses.dataclass(frozen=True, repr=False)
class Graph:
    """A rewired network, flat: layers of nested models stand beside their neighbours.

    Attributes:
        inputs: the symbolic input image.
        tensors: {path: symbolic output}, in the order of computation; a layer of a
            nested model has the path "inner/layer"; a layer used a second time has
            ":1" appended, and so on.
        layers: {path: layer that produced it}.
        output: path of the model's output, of several the first or the one that is meant.
        outputs: {key or path: path} of all of them.
    """

    inputs: keras.KerasTensor
    tensors: dict[str, keras.KerasTensor]
    layers: dict[str, keras.Layer]
    output: str
    outputs: dict[str, str] = dataclasses.field(default_factory=dict)

    def __repr__(self) -> str:
        return f"<Graph: {len(self.tensors)} layers, output {self.output}>"

    def truncated(self, paths: list[str] | tuple[str, ...]) -> keras.Model:
        """Returns the smallest model from the input to the tensors at `paths`."""
        return keras.Model(self.inputs, {path: self.tensors[path] for path in paths})


def twin(layer: keras.Layer, **changes) -> keras.Layer:
    """Returns a layer that shares all variables of `layer`, with attributes changed.

    A twin runs on every CPU, see `convolutions.everywhere`; so do those in a nested model that is
    kept whole.

    Args:
        layer: stays as it is.
        changes: see `keras_graph.shallow_copy`.
    """
    if isinstance(layer, keras.Model) and keras_graph.is_graph(layer):
        layer = keras.models.clone_model(layer, clone_function=twin)
    return convolutions.everywhere(keras_graph.shallow_copy(layer, **changes))


def rewire(
    model: keras.Model,
    call_function: CallFunction | None = None,
    size: tuple[int, int] | None = None,
) -> Graph:
    """Runs every layer's twin once, on a new input, and records each output.

    Args:
        model: functional or sequential, built; nested models are flattened.
        call_function: how to run one layer, called as call_function(layer, path, *args, **kwargs);
            default runs its twin. It may return `Taken`, to add taps.
        size: (height, width) that the new input has; None is the model's.

    Raises:
        InputError: the model is not built from a Keras graph, or has several inputs.
    """
    recorded: dict[str, keras.KerasTensor] = {}
    layers: dict[str, keras.Layer] = {}
    call_function = call_function or run_twin

    def run(layer: keras.Layer, prefix: str, args, kwargs) -> object:
        path = prefix + layer.name
        if (
            isinstance(layer, keras.Model)
            and keras_graph.is_graph(layer)
            and _is_chain(layer, args)
        ):
            return walk(layer, args[0], path + "/")[0]
        name, count = path, 0
        while name in recorded:
            count += 1
            name = f"{path}:{count}"
        placed = call_function(layer, name, *args, **kwargs)
        outputs = placed if isinstance(placed, Taken) else Taken({name: placed})
        for name, tensor in outputs.items():
            if isinstance(tensor, keras.KerasTensor):
                recorded[name] = tensor
                layers[name] = layer
        return tensor

    def walk(inner: keras.Model, tensor: keras.KerasTensor, prefix: str) -> list:
        if isinstance(inner, keras.Sequential):
            for layer in inner.layers:
                tensor = run(layer, prefix, (tensor,), {})
            return [tensor]
        produced = {}

        def call(layer, *args, **kwargs):
            result = run(layer, prefix, args, kwargs)
            produced.setdefault(layer.name, []).append(result)
            return result

        with warnings.catch_warnings():
            # Of the clone, which is thrown away: its inputs are called otherwise than its keys.
            warnings.filterwarnings("ignore", "When providing `inputs` as a dict", UserWarning)
            keras.models.clone_model(
                inner,
                input_tensors=_like(inner.input, tensor),
                clone_function=lambda layer: layer,
                call_function=call,
            )
        # The clone's own outputs are copies cut off from `tensor`; ours are connected.
        return [_of_call(inner, one, produced, tensor) for one in inner.outputs]

    if not keras_graph.is_graph(model):
        raise InputError(
            "Expected a functional or sequential Keras model that has been built. "
            f"Received: {type(model).__name__} {model.name!r}"
        )
    model_inputs.check_one(model)
    (source,) = model.inputs
    # Whole numbers have no gradient; `integer_inputs.check` sees that floats do as well.
    dtype = source.dtype if "float" in source.dtype else "float32"
    sides = source.shape[1:3] if size is None else size
    inputs = keras.Input(batch_shape=(None, *sides, *source.shape[3:]), dtype=dtype)
    ends = walk(model, inputs, "")
    known = {id(tensor): path for path, tensor in recorded.items()}
    paths = [known.get(id(end), "") for end in ends]
    return Graph(inputs, recorded, layers, paths[0], _keyed(model, paths))


def _of_call(inner: keras.Model, output, produced: dict[str, list], tensor):
    """Returns what a call produced again: of a layer used twice, the call that is meant.

    Args:
        inner: whose output it is.
        output: the symbolic tensor.
        produced: {layer: results of its calls}, in the order Keras runs them.
        tensor: what stands for the model's input.
    """
    name = keras_graph.operation(output).name
    if name not in produced:
        return tensor
    call, position = keras_graph.call_of(inner, output)
    return keras.tree.flatten(produced[name][call])[position]


def _keyed(model: keras.Model, paths: list[str]) -> dict[str, str]:
    """Returns {key of an output, or its path: path}."""
    keys = keras_graph.keys(model)
    return {
        keys.get(id(tensor), path): path
        for tensor, path in zip(model.outputs, paths, strict=True)
        if path
    }


def _is_chain(model: keras.Model, args) -> bool:
    """Tells nested models of one tensor in, one out; others are run whole, as a layer."""
    single = len(model.inputs) == len(model.outputs) == 1
    return single and len(args) == 1 and isinstance(args[0], keras.KerasTensor)


def _like(structure, tensor):
    """Returns `tensor` wrapped as the model's own input is (bare, list or dict)."""
    return keras.tree.map_structure(lambda _: tensor, structure)


def run_twin(layer: keras.Layer, path: str, *args, **kwargs) -> object:
    """Runs a twin of `layer`, renamed to its path so that names stay unique."""
    return twin(layer, name=legal(path))(*args, **kwargs)


def legal(path: str) -> str:
    """Returns a path as a name that a layer may have."""
    return path.replace("/", "--").replace(":", "-")


def calling(pooling: str = "max", activation: str = "post") -> CallFunction:
    """Returns the way to run layers that gives a network its variant.

    Args:
        pooling: "avg" runs each MaxPooling2D as an average of the same windows
            (Gatys et al. 2016, section 2), those of a Caffe network by Caffe's own rule at
            the border; "max" leaves them.
        activation: "pre" splits a layer with a fused nonlinearity in two taps:
            its own path before it, "<path>_<nonlinearity>" after; "post" leaves it.

    Raises:
        InputError: another word was given.
    """
    if pooling not in ("max", "avg"):
        raise InputError(f"{arg('pooling')}={pooling}: expected max or avg.")
    if activation not in ("post", "pre"):
        raise InputError(f"{arg('activation')}={activation}: expected post or pre.")

    def call(layer, path, *args, **kwargs):
        if pooling == "avg" and isinstance(layer, keras.layers.MaxPooling2D):
            config = layer.get_config() | {"name": legal(path)}
            caffe = isinstance(layer, CaffeMaxPooling2D)
            kind = CaffeAveragePooling2D if caffe else keras.layers.AveragePooling2D
            return kind.from_config(config)(*args, **kwargs)
        if activation == "pre" and fused_activation(layer):
            before, after = split_activation(layer, path, *args, **kwargs)
            return Taken({path: before, f"{path}_{_name(layer.activation)}": after})
        return run_twin(layer, path, *args, **kwargs)

    return call


def fused_activation(layer: keras.Layer) -> bool:
    """Tells whether a layer with weights applies a nonlinearity of its own."""
    function = getattr(layer, "activation", None)
    weights = getattr(layer, "weights", ())
    return bool(weights) and function not in (None, keras.activations.linear)


def _name(activation) -> str:
    """Returns the name of an activation, a function or a layer."""
    return getattr(activation, "__name__", None) or activation.name


def split_activation(layer: keras.Layer, path: str, *args, **kwargs):
    """Runs a layer without its fused nonlinearity, then the nonlinearity.

    Returns:
        (output before, output after) it; the second equals the original's.
    """
    bare = twin(layer, name=legal(path), activation=keras.activations.linear)
    before = bare(*args, **kwargs)
    name = legal(f"{path}_{_name(layer.activation)}")
    return before, keras.layers.Activation(layer.activation, name=name)(before)


def replaced(graph: Graph, call_function: CallFunction) -> Graph:
    """Returns a graph of the same paths, each layer run by `call_function`.

    Args:
        graph: flat; it stays as it is.
        call_function: see `rewire`; it is given the names of `graph`'s own layers.
    """
    first = [graph.tensors[graph.output]] if graph.output else []
    # Every path, also those that lead to another output than the first.
    model = keras.Model(graph.inputs, first + list(graph.tensors.values()))
    new = rewire(model, call_function)
    tensors = {
        path: new.tensors[keras_graph.operation(t).name] for path, t in graph.tensors.items()
    }
    return dataclasses.replace(graph, inputs=new.inputs, tensors=tensors)
