"""A transform network as an ONNX file, written node by node; `onnx` alone is needed.

Inputs are `picture`, float32 [1, height, width, 3], RGB, 0..255, of any size, and `mix`, float32
[1, styles]; the output is `painted`, as large as the picture.
"""

import json
import pathlib

import numpy as np
import numpy.typing as npt
import onnx
from onnx import helper, numpy_helper

from tfvis.style.fast.fast_style import FastStyle
from tfvis.style.fast.normalization import EPSILON
from tfvis.style.fast.transform_network import NORM, convolutions

# The first operator set whose Resize and Pad runtimes of the last years all have.
_OPSET, _IR = 17, 8


class _Graph:
    """Nodes and constants, in the order they are added."""

    def __init__(self):
        self.nodes, self.constants = [], []

    def constant(self, name: str, value: npt.ArrayLike) -> str:
        """Adds numbers; returns their name."""
        self.constants.append(numpy_helper.from_array(np.ascontiguousarray(value), name))
        return name

    def add(self, kind: str, inputs: list[str], output: str, **attributes) -> str:
        """Adds a node of one output; returns its name."""
        self.nodes.append(helper.make_node(kind, inputs, [output], name=output, **attributes))
        return output


def model(style: FastStyle) -> onnx.ModelProto:
    """Returns the network as ONNX; names of its styles are in its metadata, as JSON."""
    graph = _Graph()
    x = graph.add("Transpose", ["picture"], "channels_first", perm=[0, 3, 1, 2])
    x = graph.add("Mul", [x, graph.constant("scale", np.float32(1 / 127.5))], "scaled")
    x = graph.add("Sub", [x, graph.constant("center", np.float32(1))], "centred")
    skipped = x
    for one in convolutions(style.architecture):
        if one.name.endswith("_conv1"):
            skipped = x
        x = _convolved(graph, style, one, x)
        if one.name.endswith("_conv2"):
            x = graph.add("Add", [skipped, x], f"{one.name}_added")
        elif one.name != "colors":
            x = graph.add("Relu", [x], f"{one.name}_relu")
    x = graph.add("Sigmoid", [x], "sigmoid")
    x = graph.add("Mul", [x, graph.constant("range", np.float32(255))], "in_range")
    size = graph.add("Shape", ["channels_first"], "size", start=2, end=4)
    zeros, axes = np.zeros(2, np.int64), np.array([2, 3], np.int64)
    cut = [x, graph.constant("zeros", zeros), size, graph.constant("axes", axes)]
    x = graph.add("Slice", cut, "cut")
    graph.add("Transpose", [x], "painted", perm=[0, 2, 3, 1])
    shape: list[int | str] = [1, "height", "width", 3]
    kind = onnx.TensorProto.FLOAT
    inputs = [
        helper.make_tensor_value_info("picture", kind, shape),
        helper.make_tensor_value_info("mix", kind, [1, len(style.styles)]),
    ]
    outputs = [helper.make_tensor_value_info("painted", kind, shape)]
    made = helper.make_model(
        helper.make_graph(graph.nodes, "transform_network", inputs, outputs, graph.constants),
        opset_imports=[helper.make_opsetid("", _OPSET)], ir_version=_IR, producer_name="tfvis",
    )  # fmt: skip
    helper.set_model_props(made, {"styles": json.dumps(style.styles)})
    onnx.checker.check_model(made, full_check=True)
    return made


def write(style: FastStyle, path: pathlib.Path) -> None:
    """Writes the file."""
    path.write_bytes(model(style).SerializeToString())


def painted(path: pathlib.Path, picture: np.ndarray, mix) -> np.ndarray:
    """Returns what the file paints, float32 [height, width, 3], by ONNX's own reference."""
    from onnx.reference import ReferenceEvaluator

    given = {"picture": picture[None], "mix": np.array([mix], np.float32)}
    (found,) = ReferenceEvaluator(str(path)).run(None, given)
    return np.asarray(found)[0]


def _convolved(graph: _Graph, style: FastStyle, one, x: str) -> str:
    """Adds a convolution with its padding and its normalisation."""
    name, margin = one.name, one.kernel // 2
    if one.up:
        scales = graph.constant(f"{name}_scales", np.array([1, 1, 2, 2], np.float32))
        x = graph.add(
            "Resize", [x, "", scales], f"{name}_up", mode="nearest", nearest_mode="floor",
            coordinate_transformation_mode="asymmetric",
        )  # fmt: skip
    pads = np.array([0, 0, margin, margin] * 2, np.int64)
    x = graph.add(
        "Pad", [x, graph.constant(f"{name}_pads", pads)], f"{name}_padded", mode="reflect"
    )
    (kernel,) = style.model.get_layer(name).get_weights()
    weights = graph.constant(f"{name}_kernel", kernel.transpose(3, 2, 0, 1))
    sides = {"kernel_shape": [one.kernel] * 2, "strides": [one.stride] * 2}
    x = graph.add("Conv", [x, weights], name, **sides)
    ones = np.ones(one.channels, np.float32)
    plain = [graph.constant(f"{name}_ones", ones), graph.constant(f"{name}_zeros", 0 * ones)]
    x = graph.add("InstanceNormalization", [x, *plain], f"{name}_unit", epsilon=EPSILON)
    for part, kind, rows in zip(
        ("gamma", "beta"), ("Mul", "Add"),
        style.model.get_layer(NORM.format(name)).get_weights(), strict=True,
    ):  # fmt: skip
        mixed = graph.add(
            "MatMul", ["mix", graph.constant(f"{name}_{part}s", rows)], f"{name}_{part}_mixed"
        )
        places = graph.constant(f"{name}_{part}_axes", np.array([2, 3], np.int64))
        factor = graph.add("Unsqueeze", [mixed, places], f"{name}_{part}")
        x = graph.add(kind, [x, factor], f"{name}_{kind.lower()}")
    return x
