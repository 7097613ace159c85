"""A Caffe network as a Keras functional model: the same graph, channels last."""

import math

import keras

from tfvis.errors import InputError
from tfvis.networks import keras_graph
from tfvis.networks.caffe import fill_weights
from tfvis.networks.caffe.layer_names import legal
from tfvis.networks.caffe.to_keras.layer_makers import MAKERS
from tfvis.networks.caffe.to_keras.layer_spec import (
    LARGEST,
    LARGEST_MAP,
    MOST_WEIGHTS,
    NeedsSize,
    Spot,
    check_finite,
)


def translated(
    net, *, name: str, lines: dict[str, int] | None = None, top: bool = True, label: str = ""
) -> keras.Model:
    """Returns the Keras model of a Caffe network, its weights by chance.

    Each Caffe layer is one Keras layer of its name (`layer_names.legal`), also where it works in
    place: "conv1" is what the convolution puts out, "relu1" what its ReLU makes of it. A Slice is
    one layer per top, "slice--top". Helpers stand before their layer: "conv1_pad" pads a
    convolution, "fc6_flat" makes a vector of a map, in Caffe's order (channels, rows, columns).

    Args:
        net: schema.NetParameter of V2 layers, all of them in use, its inputs among them; as
            `prototxt.read` and `layer_tables.chain` return it.
        name: the model's.
        lines: {layer: line of the file}, for messages.
        top: False leaves out what is for one size of input only, inner products first of all,
            and what depends on it.
        label: what messages begin with, such as the path of its file; default `name`.

    Returns:
        A model of one image input, [batch, height, width, channels]. Its size is fixed to the
        one the net declares where a vector is made of a map, else any. Its output is the last
        blob that nothing takes up; where there are more, a list, that one first.

    Raises:
        InputError: a layer that is not supported or asks for the impossible; not one image
            input; a blob that nothing puts out.
    """
    label = label or name
    source, size, channels = _input(net, label)
    net_layers = [layer for layer in net.layer if layer.type != "Input"]
    _check_names([source, *(layer.name for layer in net_layers)], label)
    walk = _Walk(label, lines or {}, top, net_layers, source, (1, *size, channels))
    try:
        model = walk.model(keras.Input((None, None, channels), name=legal(source)), legal(name))
    except NeedsSize:
        model = walk.model(keras.Input((*size, channels), name=legal(source)), legal(name))
    _name_parameters(model, net_layers, label)
    return model


def _name_parameters(model: keras.Model, net_layers: list, label: str) -> None:
    """Tells the Keras layers by which names their parameters are shared."""
    named = {legal(la.name): tuple(p.name for p in la.param) for la in net_layers}
    for layer in model.layers:
        if any(named.get(layer.name, ())):
            layer.caffe_parameters = named[layer.name]
    try:
        fill_weights.tie(model)
    except InputError as error:
        raise InputError(f"{label}: {error}") from error


def _input(net, label: str) -> tuple[str, tuple[int, int], int]:
    """Returns (blob, (height, width), channels) of the net's only input."""
    found = []
    for layer in net.layer:
        if layer.type == "Input":
            shapes = layer.input_param.shape
            found += [
                (top, list(shapes[min(k, len(shapes) - 1)].dim) if shapes else [])
                for k, top in enumerate(layer.top)
            ]
    if len(found) != 1:
        raise InputError(
            f"{label}: has {len(found)} inputs, expected one, of pictures. A deploy.prototxt "
            "begins with it (a layer of type Input, or input: and input_dim:)."
        )
    ((blob, dims),) = found
    if len(dims) != 4 or not all(side > 0 for side in dims[1:]):
        raise InputError(
            f"{label}: expected an input of [number, channels, height, width]. Received: {dims}"
        )
    if max(dims[1:]) > LARGEST:
        raise InputError(f"{label}: has an input of {dims}; at most {LARGEST} is supported.")
    return blob, (dims[2], dims[3]), dims[1]


def _check_names(names: list[str], label: str) -> None:
    seen: dict[str, str] = {}
    for name in names:
        if legal(name) in seen:
            raise InputError(
                f"{label}: has two layers named {seen[legal(name)]!r} and {name!r}; rename one."
            )
        seen[legal(name)] = name


def _weights(tops: list) -> int:
    layers = {id(x): keras_graph.operation(x) for x in tops}
    return sum(math.prod(w.shape) for layer in layers.values() for w in layer.weights)


class _Walk:
    """Places one layer after another."""

    def __init__(
        self, label: str, lines: dict[str, int], top: bool, net_layers, source: str, declared
    ):
        self._label, self._lines, self._top = label, lines, top
        self._layers, self._source, self._declared = net_layers, source, declared
        self._taken = frozenset(legal(x) for x in (source, *(layer.name for layer in net_layers)))

    def model(self, inputs, name: str) -> keras.Model:
        """Returns the model on a symbolic input; NeedsSize where that has too little of one."""
        blobs, loose, room = {self._source: inputs}, {}, MOST_WEIGHTS
        # What each would be of a picture of the size that the net declares.
        sized = {id(inputs): keras.KerasTensor(self._declared, name="sized")}
        for layer in self._layers:
            bottoms = [self._bottom(layer, blob, blobs) for blob in layer.bottom]
            left_out = any(x is None for x in bottoms)
            tops = None if left_out else self._placed(layer, bottoms, room)
            if tops is None:
                # Left out, with all that depends on it: what it would have taken stays loose.
                blobs |= dict.fromkeys(layer.top)
                continue
            self._check_size(layer, bottoms, tops, sized)
            for blob in layer.bottom:
                loose.pop(blob, None)
            for blob, tensor in zip(layer.top, tops, strict=True):
                loose.pop(blob, None)
                blobs[blob] = loose[blob] = tensor
            room -= _weights(tops)
        if not loose:
            raise InputError(f"{self._label}: has no layers to run.")
        *others, last = loose.values()
        # A blob and its copy, by a Split, are one.
        outputs = list({id(x): x for x in (last, *others)}.values())
        try:
            return keras.Model(inputs, outputs if len(outputs) > 1 else last, name=name)
        except ValueError as error:
            # Such as two tops of a Slice with one name.
            raise InputError(f"{self._label}: {' '.join(str(error).split())[:300]}") from error

    def _bottom(self, layer, blob: str, blobs: dict):
        if blob not in blobs:
            raise self._error(layer, f"takes {blob!r}, which no layer before it puts out")
        return blobs[blob]

    def _placed(self, layer, bottoms: list, room: int) -> list | None:
        """Returns the layer's tops, None where it is to be left out."""
        if layer.type not in MAKERS:
            raise self._error(
                layer, f"is not supported. Supported types: Input, {', '.join(MAKERS)}"
            )
        if layer.type == "InnerProduct" and not self._top:
            return None
        try:
            check_finite(layer)
            tops = MAKERS[layer.type](Spot(layer, legal(layer.name), bottoms, self._taken, room))
        except NeedsSize:
            if self._top:
                raise
            return None
        except InputError:
            raise
        except ValueError as error:
            # Of ours, or of Keras: a map smaller than a kernel, shapes that do not match.
            raise self._error(layer, " ".join(str(error).split())[:300]) from error
        if len(tops) != len(layer.top):
            raise self._error(layer, f"has {len(layer.top)} tops, expected {len(tops)}")
        return tops

    def _check_size(self, layer, bottoms: list, tops: list, sized: dict) -> None:
        """Refuses what has no output at the size that the net declares."""
        own = {id(x): x for x in bottoms}
        new = {id(x): x for x in tops if id(x) not in sized}
        try:
            part = keras.Function(list(own.values()), list(new.values()))
            results = part.compute_output_spec([sized[key] for key in own])
        except ValueError as error:
            raise self._error(
                layer, f"fits no input of the declared size ({' '.join(str(error).split())[:300]})"
            ) from error
        for key, result in zip(new, results, strict=True):
            if any(side is not None and side < 1 for side in result.shape[1:]):
                raise self._error(
                    layer, f"leaves nothing of an input of the declared size: {result.shape[1:]}"
                )
            if math.prod(filter(None, result.shape[1:])) > LARGEST_MAP:
                raise self._error(
                    layer, f"makes {result.shape[1:]} numbers of a picture, more than memory holds"
                )
            sized[key] = result

    def _error(self, layer, problem: str) -> InputError:
        line = self._lines.get(layer.name)
        where = f" (line {line})" if line else ""
        return InputError(
            f"{self._label}: layer {layer.name} of type {layer.type}{where} {problem}."
        )
