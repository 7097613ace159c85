"""The numbers of Keras' layers out of an ONNX file that they were exported to."""

import math
import os
import re

import keras
import numpy as np

from tfvis import bounds, files
from tfvis.errors import InputError
from tfvis.networks.files import onnx_bounds


def graph(path: os.PathLike | str):
    """Reads the graph of an ONNX file; data it keeps in other files is not followed.

    Raises:
        InputError: larger than `bounds.WEIGHTS`, or mostly no numbers.
    """
    import onnx

    data = files.read_bytes(path, os.fspath(path), bounds.WEIGHTS)
    onnx_bounds.check(data)
    return onnx.load_from_string(data).graph


def read(path: os.PathLike | str, model: keras.Model) -> dict[str, list[np.ndarray]]:
    """Reads the convolutions and dense layers of an ONNX file, in Keras' layout.

    Initialisers are matched to layers by the parts of their names: exporters keep
    the layer's name, at times with a running number behind it.

    Args:
        path: the file; data it keeps in other files is not followed.
        model: whose layers are looked for.

    Returns:
        {layer: [kernel, bias, ...]} for the layers found, by exact names if those give
        every layer something, else without running numbers.

    Raises:
        InputError: larger than `bounds.WEIGHTS`.
    """
    from onnx import numpy_helper

    size = os.path.getsize(path)
    initializers = graph(path).initializer
    wanted = {layer.name: layer for layer in model.layers if layer.weights}
    found: list[dict[str, list[np.ndarray]]] = []
    for pattern in (r"$^", r"_\d+$"):
        arrays: dict[str, list[np.ndarray]] = {}
        for tensor in initializers:
            parts = [re.sub(pattern, "", part) for part in tensor.name.split("/")]
            name = next((part for part in parts if part in wanted), None)
            if name is None or tensor.external_data:
                continue
            if math.prod(tensor.dims) * 4 > bounds.RATIO * size:
                raise InputError(f"{tensor.name} declares more than the file holds")
            array = numpy_helper.to_array(tensor).astype(np.float32)
            arrays.setdefault(name, []).append(_keras_layout(array, wanted[name]))
        # Keras' order: the kernel before the bias.
        found.append({name: sorted(a, key=lambda x: -x.ndim) for name, a in arrays.items()})
    return max(found, key=len)


def _keras_layout(array: np.ndarray, layer: keras.Layer) -> np.ndarray:
    """Turns OIHW into HWIO, or for a depthwise convolution (C, 1, H, W) into HWC1."""
    if array.ndim != 4:
        return array
    if isinstance(layer, keras.layers.DepthwiseConv2D):
        return array.transpose(2, 3, 0, 1)
    return array.transpose(2, 3, 1, 0)
