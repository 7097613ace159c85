"""The numbers of a Caffe network out of an ONNX file it was converted to, in Caffe's layout.

Converters keep Caffe's layer names and add a word of their own for the kernel and the bias:
"conv1_1_w", "conv1_1_W", "conv1_1_weight", "features.conv1_1.weight", "/conv1_1/kernel:0".
"""

import math
import os
import re
from collections.abc import Collection

import numpy as np

from tfvis.errors import InputError
from tfvis.networks.files import onnx_files

# What is left of an initialiser's name behind the layer's: a word, and running numbers.
_KERNEL = re.compile(r"[\W_]*(w|weights?|kernels?|filters?)([\W_]*\d+)?", re.IGNORECASE)
_BIAS = re.compile(r"[\W_]*(b|bias(es)?)([\W_]*\d+)?", re.IGNORECASE)


def read(path: os.PathLike | str, layers: Collection[str]) -> dict[str, list[np.ndarray]]:
    """Reads the kernels and biases of `layers`.

    Args:
        path: the .onnx file; data it keeps in other files is not followed.
        layers: names of those that are looked for.

    Returns:
        {layer: [kernel, bias]}, float32, as a .caffemodel holds them: (out, in, height, width),
        or (out, in) with `in` counting channel by channel; what the file does not hold is not
        there.

    Raises:
        InputError: an initialiser declares more than the file holds.
    """
    from onnx import numpy_helper

    graph = onnx_files.graph(path)
    size = os.path.getsize(path)
    across = _transposed(graph)
    found: dict[str, dict[bool, np.ndarray]] = {}
    for tensor in graph.initializer:
        layer, is_kernel = _match(tensor.name, layers)
        if layer is None or tensor.external_data or is_kernel in found.get(layer, {}):
            continue
        if math.prod(tensor.dims) > size:
            raise InputError(f"{tensor.name} declares more than the file holds")
        array = numpy_helper.to_array(tensor).astype(np.float32)
        if tensor.name in across:
            array = array.T
        found.setdefault(layer, {})[is_kernel] = array if is_kernel else array.reshape(-1)
    return {
        layer: [arrays[part] for part in (True, False) if part in arrays]
        for layer, arrays in found.items()
    }


def _match(name: str, layers: Collection[str]) -> tuple[str | None, bool]:
    """Returns (layer, whether it is its kernel) of an initialiser, (None, ...) of others."""
    best = (None, False)
    for layer in layers:
        # Not within a longer name: conv1 is no part of deconv1, nor of conv11.
        for match in re.finditer(rf"(?<![A-Za-z0-9]){re.escape(layer)}(?=[\W_])", name):
            rest = name[match.end() :]
            for pattern, is_kernel in ((_KERNEL, True), (_BIAS, False)):
                longer = best[0] is None or len(layer) > len(best[0])
                if pattern.fullmatch(rest) and longer:
                    best = (layer, is_kernel)
    return best


def _transposed(graph) -> set[str]:
    """Returns the matrices that lie (in, out): factors on the right."""
    names = set()
    for node in graph.node:
        flags = {a.name: a.i for a in node.attribute}
        if node.op_type == "MatMul" or (node.op_type == "Gemm" and not flags.get("transB", 0)):
            names.update(node.input[1:2])
    return names
