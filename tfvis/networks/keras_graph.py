"""Questions to a graph of Keras' layers, and every use of what Keras keeps to itself.

Keras 3.15 offers no public way to ask what a symbolic tensor was made of, or to copy a layer
that goes on sharing its weights. What a new Keras changes of that is to be changed here.
"""

import keras
import numpy as np

# Where a .keras file says that a functional model is from.
FUNCTIONAL = "keras.src.models.functional"


def operation(tensor: keras.KerasTensor):
    """Returns the layer or operation that produced a symbolic tensor."""
    return tensor._keras_history.operation


def made(tensor) -> bool:
    """Tells whether anything in a graph produced a tensor."""
    return hasattr(tensor, "_keras_history")


def sources(tensor: keras.KerasTensor) -> list:
    """Returns the symbolic tensors that a symbolic tensor was made of."""
    return _node(tensor).input_tensors


def ordered(output, stop=()) -> tuple[list, dict[int, list]]:
    """Returns everything the output is made of, sources first, and the sources of each.

    Args:
        output: a symbolic tensor.
        stop: ids of tensors behind which nothing is looked at.
    """
    order, parents = [], {}
    # By hand, not by recursion: a DenseNet is deeper than Python's stack.
    stack, placed = [output], set()
    while stack:
        tensor = stack[-1]
        if id(tensor) in placed:
            stack.pop()
            continue
        if id(tensor) not in parents:
            parents[id(tensor)] = [] if id(tensor) in stop else sources(tensor)
            waiting = [source for source in parents[id(tensor)] if id(source) not in placed]
            stack.extend(waiting)
            if waiting:
                continue
        placed.add(id(tensor))
        order.append(tensor)
        stack.pop()
    return order, parents


def computed(tensor: keras.KerasTensor, values: dict[int, object]):
    """Returns what a symbolic tensor's layer makes of other values of its sources.

    Args:
        tensor: symbolic.
        values: {id of a source: its value}.
    """
    made_by = operation(tensor)
    args, kwargs = _node(tensor).arguments.fill_in(values)
    if getattr(made_by, "_call_has_training_arg", False):
        # As a model does; augmentation takes its own training for granted.
        kwargs = kwargs | {"training": False}
    return keras.tree.flatten(made_by(*args, **kwargs))[tensor._keras_history.tensor_index]


def shapes_beside(tensor: keras.KerasTensor) -> list[tuple[int, ...]]:
    """Returns the shapes of what the operation that made a tensor works with besides its inputs."""
    made_by, call = operation(tensor), _node(tensor).arguments
    held = [getattr(made_by, name, None) for name in ("scale", "offset", "mean", "variance")]
    given = [
        *held,
        *getattr(made_by, "variables", ()),
        *keras.tree.flatten((call.args, call.kwargs)),
    ]
    return [
        tuple(getattr(one, "shape", None) or np.shape(one))
        for one in given
        if not isinstance(one, keras.KerasTensor)
    ]


def call_of(model: keras.Model, tensor: keras.KerasTensor) -> tuple[int, int]:
    """Returns which call of its layer made a model's tensor, and which of its outputs it is.

    Calls are counted in the order in which `keras.models.clone_model` runs them.
    """
    made_by = operation(tensor)
    by_depth = model._nodes_by_depth
    nodes = [node for depth in sorted(by_depth, reverse=True) for node in by_depth[depth]]
    calls = [node for node in nodes if node.operation is made_by]
    return calls.index(_node(tensor)), tensor._keras_history.tensor_index


def is_graph(model: keras.Model) -> bool:
    """Tells functional and sequential models from subclassed ones, which hide theirs."""
    graph = isinstance(model, keras.Sequential) or hasattr(model, "_run_through_graph")
    return graph and model.built and bool(getattr(model, "inputs", None))


def keys(model: keras.Model) -> dict[int, str]:
    """Returns {id of an output: its key} of a model whose outputs are a dict, else {}."""
    structure = getattr(model, "_outputs_struct", None)
    named = structure if isinstance(structure, dict) else {}
    return {id(tensor): key for key, tensor in named.items()}


def shallow_copy(layer: keras.Layer, policy: str | None = None, **changes) -> keras.Layer:
    """Returns a layer in no graph that shares all variables of `layer`.

    `copy.copy` would serialise the layer and make new variables, hence by hand.

    Args:
        layer: stays as it is.
        policy: name of another dtype policy.
        changes: attributes that are others.
    """
    copy = object.__new__(type(layer))
    # Not setattr: Keras would take the change for one of the shared layer's own.
    copy.__dict__.update(layer.__dict__)
    copy.__dict__.update(_inbound_nodes=[], _outbound_nodes=[], **changes)
    if policy:
        copy.__dict__["_dtype_policy"] = keras.DTypePolicy(policy)
    return copy


def inner_layers(layer: keras.Layer, itself: bool = True) -> list[keras.Layer]:
    """Returns all layers within a layer, at any depth, and the layer itself."""
    return list(layer._flatten_layers(include_self=itself))


def keras_module(kind: type) -> str:
    """Returns where in Keras a class is from ("layers.pooling.max_pooling2d"), "" for others.

    A class of the user's may bear any name, so names alone do not tell.
    """
    package, _, module = kind.__module__.partition("keras.src.")
    return "" if package else module


def _node(tensor: keras.KerasTensor):
    history = tensor._keras_history
    return history.operation._inbound_nodes[history.node_index]
