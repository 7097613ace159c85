"""The numbers of a .caffemodel, put into the Keras model of its network."""

import math

import keras
import numpy as np

from tfvis.errors import InputError, nearest
from tfvis.networks.caffe.layer_names import legal
from tfvis.networks.caffe_layers.convolution_and_shape import ChannelScale
from tfvis.networks.caffe_layers.deconvolution import CaffeDeconvolution2D
from tfvis.networks.caffe_layers.mvn_and_normalize import UnitNorm
from tfvis.networks.caffe_layers.scale import Affine


def fill(model: keras.Model, blobs: dict[str, list[np.ndarray]], path) -> None:
    """Sets all weights of a translated model.

    One layer after another, so that there is never more than one layer's copy.

    Args:
        model: from `layers_to_keras.translated`.
        blobs: {Caffe layer: its arrays in Caffe's layout}. Layers that the model lacks are
            passed over; Caffe's old four-sided shapes (1, 1, out, in) are taken as well.
        path: of the file they came from, for messages.

    Raises:
        InputError: a layer is missing, or has other blobs or shapes than the model's. Layers
            before it are filled by then.
    """
    known = {legal(name): arrays for name, arrays in blobs.items()}
    shared = _shared(model, known)
    for layer in model.layers:
        if not layer.weights:
            continue
        arrays = list(known.get(layer.name, ()))
        for i, name in enumerate(_parameters(layer)):
            if name in shared and i <= len(arrays):
                arrays[i : i + 1] = [shared[name]]
        if not arrays:
            raise InputError(
                f"{path}: has no weights for layer {layer.name}. {nearest(layer.name, known)}"
            )
        _fill(layer, arrays, path)


def tie(model: keras.Model) -> None:
    """Gives layers that share a parameter by its name the values of the first of them.

    Args:
        model: from `layers_to_keras.translated`, its weights by chance.

    Raises:
        InputError: they are not of one shape; begins with the name of a layer.
    """
    first = {}
    for layer in model.layers:
        for name, variable in zip(_parameters(layer), layer.weights, strict=False):
            if not name or first.setdefault(name, variable) is variable:
                continue
            if first[name].shape != variable.shape:
                raise InputError(
                    f"layer {layer.name} shares the parameter {name!r}, which has another shape "
                    "in a layer before it."
                )
            variable.assign(first[name])


def _parameters(layer: keras.Layer) -> tuple[str, ...]:
    """Returns the names by which a layer's parameters are shared, "" where one is not."""
    return getattr(layer, "caffe_parameters", ())


def _shared(model: keras.Model, known: dict[str, list]) -> dict[str, np.ndarray]:
    """Returns {name: array} of what layers share; of several in a file, Caffe keeps the last."""
    return {
        name: array
        for layer in model.layers
        for name, array in zip(_parameters(layer), known.get(layer.name, ()), strict=False)
        if name
    }


def _fill(layer: keras.Layer, arrays: list[np.ndarray], path) -> None:
    wanted = _shapes(layer)
    shapes = [tuple(np.shape(array)) for array in arrays]
    if len(shapes) != len(wanted) or not all(map(_fits, shapes, wanted)):
        raise InputError(
            f"{path}: the blobs of layer {layer.name} do not fit. Expected, by the network: "
            f"{_listed(wanted)}. Received, in the file: {_listed(shapes)}."
        )
    arrays = [np.reshape(array, shape) for array, shape in zip(arrays, wanted, strict=True)]
    if isinstance(layer, keras.layers.BatchNormalization) and not _plain(layer):
        mean, variance, factor, *affine = arrays
        # The sums of a moving average, and how much has been summed up.
        scale = 0.0 if factor[0] == 0 else 1.0 / factor[0]
        arrays = [*affine, mean * scale, variance * scale]
    for variable, array in zip(layer.weights, arrays, strict=True):
        variable.assign(_laid_out(layer, variable, array))


def _shapes(layer: keras.Layer) -> list[tuple[int, ...]]:
    """Returns the shapes that Caffe's blobs of a layer have."""
    if isinstance(layer, (keras.layers.Conv2D, CaffeDeconvolution2D)):
        kernel = tuple(layer.kernel.shape)
        bias = [tuple(layer.bias.shape)] if layer.use_bias else []
        return [(kernel[3], kernel[2], *kernel[:2]), *bias]
    if isinstance(layer, keras.layers.Dense):
        inputs, outputs = layer.kernel.shape
        matrix = (inputs, outputs) if _transposed(layer) else (outputs, inputs)
        return [matrix] + [(outputs,)] * layer.use_bias
    if isinstance(layer, keras.layers.BatchNormalization):
        vector = tuple(layer.moving_mean.shape)
        if _plain(layer):
            return [vector] * 4
        # NVIDIA's has a factor and a summand behind Caffe's three.
        return [vector] * 2 + [(1,)] + [vector] * (2 * layer.scale)
    if isinstance(layer, Affine):
        sides = [s for s, covered in _in_order(layer) if covered]
        return [tuple(sides)] * len(layer.weights)
    if isinstance(layer, (keras.layers.PReLU, ChannelScale, UnitNorm)):
        return [(math.prod(weight.shape),) for weight in layer.weights]
    raise InputError(f"Layer {layer.name} is no translation of a Caffe layer.")


def _in_order(layer: Affine) -> list[tuple[int, bool]]:
    """Returns an Affine's sides, and whether its blobs have them, in Caffe's order."""
    pairs = list(zip(layer.weights[0].shape, layer.covered, strict=True))
    return [pairs[-1], *pairs[:-1]] if len(pairs) == 3 else pairs


def _plain(layer: keras.layers.BatchNormalization) -> bool:
    """Tells whether the blobs are Keras' variables in their order, as PSPNet's are."""
    return getattr(layer, "caffe_plain", False)


def _transposed(layer: keras.layers.Dense) -> bool:
    return getattr(layer, "caffe_transpose", False)


def _fits(shape: tuple[int, ...], wanted: tuple[int, ...]) -> bool:
    """Tells whether a blob's shape is the one wanted, but for sides of 1.

    Of old files, matrices and vectors have four sides, the first of them 1 (blob.cpp); a
    vector's own may be any of them.
    """
    if len(wanted) == 1:
        return math.prod(shape) == wanted[0] and sum(side != 1 for side in shape) <= 1
    extra = len(shape) - len(wanted)
    return extra >= 0 and shape[extra:] == wanted and set(shape[:extra]) <= {1}


def _listed(shapes) -> str:
    return ", ".join(map(str, shapes)) or "nothing"


def _laid_out(layer: keras.Layer, variable, array: np.ndarray):
    """Returns a blob as the Keras variable has it: both correlate, so nothing is flipped."""
    if isinstance(layer, Affine):
        array = np.reshape(array, [side for side, _ in _in_order(layer)])
        return array.transpose(1, 2, 0) if array.ndim == 3 else array
    if array.ndim == 4:
        # Four times as fast as NumPy's, of a large matrix.
        return keras.ops.transpose(array, (2, 3, 1, 0))
    if array.ndim == 2 and not _transposed(layer):
        return keras.ops.transpose(array)
    return np.reshape(array, variable.shape)
