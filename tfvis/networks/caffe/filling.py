"""The numbers of a .caffemodel, put into the Keras model of its network."""

import math

import keras
import numpy as np

from tfvis.errors import InputError, nearest
from tfvis.networks.caffe.layers import ChannelScale
from tfvis.networks.caffe.naming import legal


def fill(model: keras.Model, blobs: dict[str, list[np.ndarray]], path) -> None:
    """Sets all weights of a translated model.

    One layer after another, so that there is never more than one layer's copy.

    Args:
        model: from `translating.translated`.
        blobs: {Caffe layer: its arrays in Caffe's layout}. Layers that the model lacks are
            passed over; Caffe's old four-sided shapes (1, 1, out, in) are taken as well.
        path: of the file they came from, for messages.

    Raises:
        InputError: a layer is missing, or has other blobs or shapes than the model's. Layers
            before it are filled by then.
    """
    known = {legal(name): name for name in blobs}
    for layer in model.layers:
        if not layer.weights:
            continue
        if layer.name not in known or not blobs[known[layer.name]]:
            raise InputError(
                f"{path}: has no weights for layer {layer.name}. {nearest(layer.name, known)}"
            )
        _fill(layer, blobs[known[layer.name]], path)


def _fill(layer: keras.Layer, arrays: list[np.ndarray], path) -> None:
    wanted = _shapes(layer)
    shapes = [tuple(np.shape(array)) for array in arrays]
    if len(shapes) != len(wanted) or not all(map(_fits, shapes, wanted)):
        raise InputError(
            f"{path}: the blobs of layer {layer.name} do not fit. Expected, by the network: "
            f"{_listed(wanted)}. Received, in the file: {_listed(shapes)}."
        )
    arrays = [np.reshape(array, shape) for array, shape in zip(arrays, wanted, strict=True)]
    if isinstance(layer, keras.layers.BatchNormalization):
        mean, variance, factor = arrays
        # The sums of a moving average, and how much has been summed up.
        scale = 0.0 if factor[0] == 0 else 1.0 / factor[0]
        arrays = [mean * scale, variance * scale]
    for variable, array in zip(layer.weights, arrays, strict=True):
        variable.assign(_laid_out(layer, variable, array))


def _shapes(layer: keras.Layer) -> list[tuple[int, ...]]:
    """Returns the shapes that Caffe's blobs of a layer have."""
    if isinstance(layer, keras.layers.Conv2D):
        height, width, inputs, outputs = layer.kernel.shape
        return [(outputs, inputs, height, width)] + [(outputs,)] * layer.use_bias
    if isinstance(layer, keras.layers.Dense):
        inputs, outputs = layer.kernel.shape
        matrix = (inputs, outputs) if _transposed(layer) else (outputs, inputs)
        return [matrix] + [(outputs,)] * layer.use_bias
    if isinstance(layer, keras.layers.BatchNormalization):
        return [tuple(layer.moving_mean.shape)] * 2 + [(1,)]
    if isinstance(layer, (keras.layers.PReLU, ChannelScale)):
        return [(math.prod(weight.shape),) for weight in layer.weights]
    raise InputError(f"Layer {layer.name} is no translation of a Caffe layer.")


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
    if array.ndim == 4:
        # Four times as fast as NumPy's, of a large matrix.
        return keras.ops.transpose(array, (2, 3, 1, 0))
    if array.ndim == 2 and not _transposed(layer):
        return keras.ops.transpose(array)
    return np.reshape(array, variable.shape)
