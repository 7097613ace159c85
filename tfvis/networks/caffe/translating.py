"""A Caffe network as a Keras functional model: the same graph, channels last."""

import math
import pathlib

import keras

from tfvis.errors import InputError
from tfvis.networks.caffe.making import MAKERS
from tfvis.networks.caffe.naming import legal
from tfvis.networks.caffe.schema import word
from tfvis.networks.caffe.spots import LARGEST, MOST_WEIGHTS, NeedsSize, Spot


def translated(
    net, *, name: str, lines: dict[str, int] | None = None, top: bool = True
) -> keras.Model:
    """Returns the Keras model of a Caffe network, its weights by chance.

    Each Caffe layer is one Keras layer of its name (`naming.legal`), also where it works in
    place: "conv1" is what the convolution puts out, "relu1" what its ReLU makes of it. A Slice is
    one layer per top, "slice--top". Helpers stand before their layer: "conv1_pad" pads a
    convolution, "fc6_flat" makes a vector of a map, in Caffe's order (channels, rows, columns).
    Layers that are for training only (`include { phase: TRAIN }`) are left out.

    Args:
        net: schema.NetParameter of V2 layers.
        name: for messages, and as the model's.
        lines: {layer: line of the file}, for messages.
        top: False leaves out what is for one size of input only, inner products first of all,
            and what depends on it.

    Returns:
        A model of one image input, [batch, height, width, channels]. Its size is fixed to the
        one the net declares where a vector is made of a map, else any. Its output is the last
        blob that nothing takes up; where there are more, a list, that one first.

    Raises:
        InputError: a layer that is not supported or asks for the impossible; not one image
            input; a blob that nothing puts out.
    """
    source, size, channels = _input(net, name)
    # The input may also be a layer.
    net_layers = [x for x in net.layer if x.type != "Input" and _included(x, net.state)]
    _check_names([source, *(layer.name for layer in net_layers)], name)
    walk = _Walk(name, lines or {}, top, net_layers, source)
    try:
        return walk.model(keras.Input((None, None, channels), name=legal(source)))
    except NeedsSize:
        return walk.model(keras.Input((*size, channels), name=legal(source)))


def _input(net, name: str) -> tuple[str, tuple[int, int], int]:
    """Returns (blob, (height, width), channels) of the net's only input."""
    found = [
        (blob, list(shape.dim)) for blob, shape in zip(net.input, net.input_shape, strict=False)
    ]
    if not net.input_shape:
        sides = list(net.input_dim)
        found = [(blob, sides[4 * k : 4 * k + 4]) for k, blob in enumerate(net.input)]
    for layer in net.layer:
        if layer.type == "Input" and _included(layer, net.state):
            shapes = layer.input_param.shape
            found += [
                (top, list(shapes[min(k, len(shapes) - 1)].dim) if shapes else [])
                for k, top in enumerate(layer.top)
            ]
    if len(found) != 1:
        raise InputError(
            f"{name}: has {len(found)} inputs, expected one, of pictures. A deploy.prototxt "
            "begins with it (a layer of type Input, or input: and input_dim:)."
        )
    ((blob, dims),) = found
    if len(dims) != 4 or not all(side > 0 for side in dims[1:]):
        raise InputError(
            f"{name}: expected an input of [number, channels, height, width]. Received: {dims}"
        )
    if max(dims[1:]) > LARGEST:
        raise InputError(f"{name}: has an input of {dims}; at most {LARGEST} is supported.")
    return blob, (dims[2], dims[3]), dims[1]


def _included(layer, state) -> bool:
    """Tells whether a layer is there for the net's state, for testing unless it says so."""

    def met(rule) -> bool:
        return (
            (not rule.HasField("phase") or word(rule, "phase") == word(state, "phase"))
            and (not rule.HasField("min_level") or state.level >= rule.min_level)
            and (not rule.HasField("max_level") or state.level <= rule.max_level)
            and set(rule.stage) <= set(state.stage)
            and not set(rule.not_stage) & set(state.stage)
        )

    if layer.include:
        return any(map(met, layer.include))
    return not any(map(met, layer.exclude))


def _check_names(names: list[str], net: str) -> None:
    seen: dict[str, str] = {}
    for name in names:
        if legal(name) in seen:
            raise InputError(
                f"{net}: has two layers named {seen[legal(name)]!r} and {name!r}; rename one."
            )
        seen[legal(name)] = name


def _weights(tops: list) -> int:
    layers = {id(x): x._keras_history.operation for x in tops}
    return sum(math.prod(w.shape) for layer in layers.values() for w in layer.weights)


class _Walk:
    """Places one layer after another."""

    def __init__(self, name: str, lines: dict[str, int], top: bool, net_layers, source: str):
        self._name, self._lines, self._top = name, lines, top
        self._layers, self._source = net_layers, source
        self._taken = frozenset(legal(x) for x in (source, *(layer.name for layer in net_layers)))

    def model(self, inputs) -> keras.Model:
        """Returns the model on a symbolic input; NeedsSize where that has too little of one."""
        blobs, loose, weights = {self._source: inputs}, {}, 0
        for layer in self._layers:
            bottoms = [self._bottom(layer, blob, blobs) for blob in layer.bottom]
            tops = None if any(x is None for x in bottoms) else self._placed(layer, bottoms)
            if tops is None:
                # Left out, with all that depends on it: what it would have taken stays loose.
                blobs |= dict.fromkeys(layer.top)
                continue
            for blob in layer.bottom:
                loose.pop(blob, None)
            for blob, tensor in zip(layer.top, tops, strict=True):
                loose.pop(blob, None)
                blobs[blob] = loose[blob] = tensor
            weights += _weights(tops)
            if weights > MOST_WEIGHTS:
                raise self._error(layer, f"brings the weights to {weights}, more than any file")
        if not loose:
            raise InputError(f"{self._name}: has no layers to run.")
        *others, last = loose.values()
        # A blob and its copy, by a Split, are one.
        outputs = list({id(x): x for x in (last, *others)}.values())
        own = self._name
        name = legal(pathlib.PurePath(own).stem if own.endswith(".prototxt") else own)
        try:
            return keras.Model(inputs, outputs if len(outputs) > 1 else last, name=name)
        except ValueError as error:
            # Such as two tops of a Slice with one name.
            raise InputError(f"{self._name}: {' '.join(str(error).split())[:300]}") from error

    def _bottom(self, layer, blob: str, blobs: dict):
        if blob not in blobs:
            raise self._error(layer, f"takes {blob!r}, which no layer before it puts out")
        return blobs[blob]

    def _placed(self, layer, bottoms: list) -> list | None:
        """Returns the layer's tops, None where it is to be left out."""
        if layer.type not in MAKERS:
            raise self._error(
                layer, f"is not supported. Supported types: Input, {', '.join(MAKERS)}"
            )
        if layer.type == "InnerProduct" and not self._top:
            return None
        try:
            tops = MAKERS[layer.type](Spot(layer, legal(layer.name), bottoms, self._taken))
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
            raise self._error(layer, f"has {len(layer.top)} tops, {len(tops)} are supported")
        return tops

    def _error(self, layer, problem: str) -> InputError:
        line = self._lines.get(layer.name)
        where = f" (line {line})" if line else ""
        return InputError(
            f"{self._name}: layer {layer.name} of type {layer.type}{where} {problem}."
        )
