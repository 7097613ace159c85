"""What a classifier's output says, and the scores it is made of.

Explanations start from scores: a probability also rises where the others fall, and a squashing
function that is flat has no gradient (Simonyan et al. 2014, section 2). What follows the scores
is looked through as long as it keeps their order, which `squashing` tells by numbers.
"""

import dataclasses
import typing

import keras
import numpy as np
import tensorflow as tf

from tfvis.errors import InputError, Text, arg, marked, nearest
from tfvis.networks import keras_graph, rewiring, score_functions
from tfvis.networks.keras_graph import ordered, sources
from tfvis.networks.receptive_field.dominators import passed

if typing.TYPE_CHECKING:
    from tfvis.networks.network import Network

# Operations that pass scores on, or add those of several heads.
_PASSING = {
    "Activation", "Add", "Average", "BatchNormalization", "Cast", "Dropout", "ExpandDims",
    "Flatten", "GetItem", "Identity", "Mean", "Multiply", "Permute", "Rescaling", "Reshape",
    "Squeeze", "Subtract", "Transpose", "TrueDivide", "Divide",
}  # fmt: skip
_PRODUCTS = {"Matmul", "Einsum", "Dot", "Tensordot"}


@dataclasses.dataclass(frozen=True, repr=False)
class Classifier:
    """How a network says what it sees.

    Attributes:
        path: of the scores, [batch, classes], that rise with the classes.
        source: of the tensor that `path` reads them from, in whatever shape.
        output: of what the network puts out.
        classes: how many; two where one score tells yes from no.
        kind: "multiclass", "multilabel" or "binary", scikit-learn's words.
        form: what the output is, see `score_functions.form`.
    """

    path: str
    source: str
    output: str
    classes: int
    kind: str
    form: str

    def __repr__(self) -> str:
        return f"<Classifier {self.output}: {self.classes} classes, {self.kind}, {self.form}>"

    @property
    def note(self) -> str:
        """One line for the person looking, or "" where the network says it itself."""
        if self.form == "scores":
            return f"{self.output} puts out scores; percentages are the softmax of them"
        if self.form == "numbers":
            return f"{self.output} puts out numbers that are no probabilities"
        if self.source == self.output:
            return f"no scores are found before {self.output}; their logarithms stand for them"
        return ""


@keras.saving.register_keras_serializable("tfvis")
class BothSides(keras.layers.Layer):
    """One score, [batch, 1], as those of two classes: against, for."""

    def call(self, inputs):
        """[batch, 1] to [batch, 2]."""
        return tf.concat([-inputs, inputs], -1)

    def compute_output_shape(self, input_shape):
        """Two."""
        return (*input_shape[:-1], 2)


@keras.saving.register_keras_serializable("tfvis")
class Logarithm(keras.layers.Layer):
    """Of probabilities; those of 0 as the smallest number that is told from it."""

    def call(self, inputs):
        """As it comes, in float32."""
        return tf.math.log(tf.maximum(tf.cast(inputs, tf.float32), 1e-30))

    def compute_output_shape(self, input_shape):
        """As it comes."""
        return input_shape


def found(
    model: keras.Model, call_function: rewiring.CallFunction, output: str | None = None
) -> tuple[rewiring.Graph, Classifier | str]:
    """Rewires a model so that the scores of its classes have a path.

    Args:
        model: any of one image input.
        call_function: how to run its layers, see `rewiring.rewire`.
        output: which output names classes, by its key, path or layer; None for the one that
            does.

    Returns:
        The graph, its `output` the one meant, and the classifier, or why there is none.

    Raises:
        InputError: no such output; a model that `rewiring.rewire` refuses.
    """
    graph = rewiring.rewire(model, call_function)
    if not graph.outputs:
        return graph, "its output is not one tensor"
    chosen = _named(graph, output, model.name) if output else tuple(graph.outputs.values())
    split: dict[int, keras.Layer] = {}
    heads = {}
    for path in dict.fromkeys(chosen):
        source = _source(graph, path)
        layer = graph.layers[source]
        # A layer's own activation is looked through as well, on a path of its own.
        if _squashes(graph, source):
            split[id(layer)] = layer
        heads[path] = source
    whole = graph
    if split:
        graph = rewiring.rewire(model, _splitting(call_function, split))
        heads = {path: _source(graph, path) for path in heads}
    known = {path: _kind(graph, path, source) for path, source in heads.items()}
    if len(known) > 1:
        certain = [path for path, kind in known.items() if _certain(kind)]
        if len(certain) != 1:
            names = ", ".join(graph.outputs)
            said = f"has several outputs ({names}); name the one of classes with {arg('output')}"
            return whole, Text(said)
        known = {certain[0]: known[certain[0]]}
    ((path, kind),) = known.items()
    if isinstance(kind, str):
        # No classifier, and so nothing to look through.
        return dataclasses.replace(whole, output=path), kind
    graph = dataclasses.replace(graph, output=path)
    return _with_path(graph, path, heads[path], *kind)


def probabilities(network: "Network", scores: tf.Tensor) -> tf.Tensor:
    """Returns what a network says of its scores, as it would put it out itself.

    Args:
        network: with a classifier.
        scores: float32 [batch, classes], a tap of `network.logits`.

    Returns:
        float32 [batch, classes]: of a multiclass network they add up to 1 (of one that puts
        out scores it is their softmax), of several labels each is by itself.

    Raises:
        InputError: it puts out no probabilities.
    """
    head = network.classifier
    if head.form == "numbers":
        raise InputError(f"{arg('network')}={network.name}: {marked(head.note)}.")
    if head.source == head.output and head.kind == "multiclass" and head.form != "scores":
        return tf.exp(scores)
    ends = network.graph.tensors[head.source], network.graph.tensors[head.output]
    given = scores[:, 1:] if head.kind == "binary" else scores
    values = _function(*ends)(given)
    if head.form == "logarithms":
        values = tf.exp(values)
    if head.form == "scores":
        return tf.nn.softmax(values)
    return tf.concat([1 - values, values], -1) if head.kind == "binary" else values


def is_softmax(network: "Network", layer: str) -> bool:
    """Tells whether a softmax, or its logarithm, puts out what `layer` does."""
    path, head = network.path(layer), network.classifier
    if head and path in (head.path, head.source):
        # Where no scores are found before it, it is all there is.
        return path == head.output and head.form != "scores"
    if head and path == head.output:
        return head.kind == "multiclass" and head.form in ("probabilities", "logarithms")
    operation = keras_graph.operation(network.graph.tensors[path])
    # By name: keras.layers and keras.ops have one each.
    named = type(operation).__name__ in ("Softmax", "LogSoftmax")
    activation = getattr(operation, "activation", None)
    return named or activation in (keras.activations.softmax, keras.activations.log_softmax)


def _named(graph: rewiring.Graph, name: str, model: str) -> tuple[str, ...]:
    """Returns the path of the output of a name, by itself in a tuple."""
    layers = {graph.layers[path].name: path for path in graph.outputs.values()}
    for known in (graph.outputs, {path: path for path in graph.outputs.values()}, layers):
        if name in known:
            return (known[name],)
    raise InputError(
        f"{arg('output')}={name}: {model} has no such output. {nearest(name, list(graph.outputs))}"
    )


def _size(tensor) -> tuple[int | None, int | None]:
    """Returns (numbers of one image, places): 1, None of a map of any size; None of others."""
    shape = tensor.shape[1:]
    if None not in shape and shape and max(shape) == np.prod(shape):
        return int(np.prod(shape)), 1
    if len(shape) == 3 and shape[:2] == (None, None) and shape[2]:
        return shape[2], None
    return None, None


def _source(graph: rewiring.Graph, output: str) -> str:
    """Returns the path furthest from an output behind which nothing changes scores' order."""
    end = graph.tensors[output]
    names = {id(tensor): path for path, tensor in graph.tensors.items()}
    size, best, after = _size(end), end, end
    if size[0] is None:
        return output
    for tensor in reversed(passed(end)[:-1]):
        if _size(tensor) != size or id(tensor) not in names:
            break
        # A window wants more places than the one that scores are asked at; TensorFlow may end
        # the process for it.
        if _windowed(keras_graph.operation(after)) or _learns(tensor, end):
            break
        after = tensor
        # In the middle of a softmax by hand the order may be another, or no number finite.
        if score_functions.keeps_order(_numbers(tensor, end), size[0]):
            best = tensor
    return names[id(best)]


def _windowed(operation) -> bool:
    """Tells operations that look at several places of a map, or change how many there are."""
    return any(
        hasattr(operation, name)
        for name in ("pool_size", "kernel_size", "cropping", "padding", "size")
    )


def _learns(start, end) -> bool:
    """Tells whether weights of several numbers lie between two tensors, a temperature has one."""
    order, _ = ordered(end, stop={id(start)})
    operations = {
        id(keras_graph.operation(t)): keras_graph.operation(t) for t in order if t is not start
    }
    return any(
        np.prod(weight.shape) > 1
        for operation in operations.values()
        for weight in getattr(operation, "weights", ())
    )


def _function(start, end):
    """Returns the function [n, numbers] -> [n, numbers] between two tensors."""
    size = _size(start)[0]
    if start is end:
        return lambda scores: scores
    model = keras.Model(start, end)
    shape = [-1, *(side or 1 for side in start.shape[1:])]

    def run(scores):
        given = tf.cast(tf.reshape(scores, shape), start.dtype)
        return tf.reshape(tf.cast(model(given, training=False), tf.float32), [-1, size])

    return run


def _numbers(start, end) -> score_functions.Function:
    run = _function(start, end)
    return lambda scores: np.asarray(run(scores))


def _squashes(graph: rewiring.Graph, path: str) -> bool:
    """Tells whether what is at a path went through its layer's own squashing function."""
    operation = keras_graph.operation(graph.tensors[path])
    size = _size(graph.tensors[path])[0]
    if not size or not rewiring.fused_activation(operation):
        return False
    function = operation.activation
    return score_functions.keeps_order(
        lambda scores: np.asarray(function(tf.constant(scores))), size
    )


def _splitting(
    call_function: rewiring.CallFunction, layers: dict[int, keras.Layer]
) -> rewiring.CallFunction:
    """Returns `call_function`, with the activations of some layers on paths of their own."""

    def split(layer, path, *args, **kwargs):
        if id(layer) not in layers:
            return call_function(layer, path, *args, **kwargs)
        before, after = rewiring.split_activation(layer, path, *args, **kwargs)
        return rewiring.Taken({f"{path}_scores": before, path: after})

    return split


def _kind(graph: rewiring.Graph, output: str, source: str) -> tuple[str, str] | str:
    """Returns (kind, form) of an output, or why it names no classes."""
    start, end = graph.tensors[source], graph.tensors[output]
    last = graph.layers[output]
    ends = f"ends in {last.name} ({type(last).__name__}), not in scores or probabilities of classes"
    size, places = _size(start)
    pooled = isinstance(keras_graph.operation(start), keras.layers.AveragePooling2D)
    if not size or (places is None and not pooled):
        return ends
    kind, form = score_functions.form(_numbers(start, end), size)
    if kind:
        return kind, form
    if start is end and not _weighed(start) and size > 1:
        return ("multiclass", "probabilities") if _adds_up(graph, end, size) else ends
    if size == 1:
        return ends + ": one number with no sigmoid"
    if form == "numbers" and not _weighed(start):
        return ends
    return ("multiclass", form) if _weighed(start) else ends


def _certain(kind: tuple[str, str] | str) -> bool:
    """Tells whether an output is sure to name classes that exclude each other."""
    return kind in (("multiclass", "probabilities"), ("multiclass", "logarithms"))


def _weighed(tensor) -> bool:
    """Tells scores, which weights make of features, from features themselves."""
    operation = keras_graph.operation(tensor)
    if any(len(weight.shape) > 1 for weight in getattr(operation, "weights", ())):
        return not rewiring.fused_activation(operation)
    word = type(operation).__name__
    if word in _PRODUCTS:
        return True
    if word == "Activation" and operation.activation is not keras.activations.linear:
        return False
    before = [source for source in sources(tensor) if keras_graph.made(source)]
    return word in _PASSING and bool(before) and all(_weighed(source) for source in before)


def _adds_up(graph: rewiring.Graph, end, size: int) -> bool:
    """Tells whether what a network puts out adds up to 1, asked with noise of any pictures."""
    sides = [side or 224 for side in graph.inputs.shape[1:3]]
    noise = np.random.default_rng(0).uniform(0, 255, (2, *sides, graph.inputs.shape[3]))
    try:
        values = keras.Model(graph.inputs, end)(tf.cast(noise, graph.inputs.dtype), training=False)
    except (ValueError, tf.errors.OpError):
        return False
    return score_functions.adds_up(np.asarray(values, np.float64).reshape(-1, size))


def _with_path(
    graph: rewiring.Graph, output: str, source: str, kind: str, form: str
) -> tuple[rewiring.Graph, Classifier]:
    """Returns a graph in which the scores are a vector with a path of their own."""
    tensor = graph.tensors[source]
    count = 2 if kind == "binary" else _size(tensor)[0]
    name = "logits" if "logits" not in graph.tensors else f"{output}_before_softmax"
    added = []
    if len(tensor.shape) == 4:
        added.append(keras.layers.GlobalAveragePooling2D)
    elif len(tensor.shape) != 2:
        added.append(keras.layers.Flatten)
    if kind == "binary":
        added.append(BothSides)
    elif source == output and kind == "multiclass" and form == "probabilities":
        added.append(Logarithm)
    tensors, layers = dict(graph.tensors), dict(graph.layers)
    path = source
    if source == f"{output}_scores" and not added:
        # Split off a layer's own activation: nobody knows it by another name.
        tensors = {name if p == source else p: t for p, t in tensors.items()}
        layers = {name if p == source else p: one for p, one in layers.items()}
        source = path = name
    for k, kind_of_layer in enumerate(added):
        path = name if k == len(added) - 1 else f"{name}_{k}"
        layer = kind_of_layer(name=rewiring.legal(path))
        tensor = layer(tensor)
        tensors, layers = tensors | {path: tensor}, layers | {path: layer}
    graph = dataclasses.replace(graph, tensors=tensors, layers=layers)
    return graph, Classifier(path, source, output, count, kind, form)
