"""A transform network as a LiteRT file (.tflite), by TensorFlow's own converter.

Inputs are `picture`, float32 [1, height, width, 3], RGB, 0..255, of any size (resized before its
tensors are allocated), and `mix`, float32 [1, styles]; the output is `painted`.
"""

import pathlib
import warnings

import numpy as np
import tensorflow as tf

from tfvis.style.fast.fast_style import FastStyle
from tfvis.style.fast.normalization import EPSILON
from tfvis.style.fast.transform_network import NORM, Architecture, convolutions


def write(style: FastStyle, path: pathlib.Path) -> None:
    """Writes the file."""
    signature = (
        tf.TensorSpec((1, None, None, 3), tf.float32, "picture"),
        tf.TensorSpec((1, len(style.styles)), tf.float32, "mix"),
    )
    arrays = {layer.name: layer.get_weights() for layer in style.model.layers}
    paint = tf.function(
        lambda picture, mix: {"painted": _painted(style.architecture, arrays, picture, mix)},
        signature, autograph=False,
    )  # fmt: skip
    with warnings.catch_warnings():
        # It says that it will move to another package.
        warnings.simplefilter("ignore")
        converter = tf.lite.TFLiteConverter.from_concrete_functions(
            [paint.get_concrete_function()], tf.Module()
        )
        path.write_bytes(converter.convert())


def painted(path: pathlib.Path, picture: np.ndarray, mix) -> np.ndarray:
    """Returns what the file paints, float32 [height, width, 3], by TensorFlow's interpreter."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        interpreter = tf.lite.Interpreter(str(path))
    given = {"picture": picture[None], "mix": np.array([mix], np.float32)}
    found = {
        name: one
        for one in interpreter.get_input_details()
        for name in given
        if name in one["name"]
    }
    for name, value in given.items():
        interpreter.resize_tensor_input(found[name]["index"], value.shape)
    interpreter.allocate_tensors()
    for name, value in given.items():
        interpreter.set_tensor(found[name]["index"], value)
    interpreter.invoke()
    return interpreter.get_tensor(interpreter.get_output_details()[0]["index"])[0]


def _painted(
    architecture: Architecture, arrays: dict[str, list[np.ndarray]], picture, mix
) -> tf.Tensor:
    """Returns what the network makes, of operations that LiteRT has, weights as constants."""
    x = skipped = picture / 127.5 - 1
    for one in convolutions(architecture):
        if one.name.endswith("_conv1"):
            skipped = x
        if one.up:
            x = tf.image.resize(x, 2 * tf.shape(x)[1:3], "nearest")
        margin = one.kernel // 2
        x = tf.pad(x, [(0, 0), (margin, margin), (margin, margin), (0, 0)], "REFLECT")
        x = tf.nn.conv2d(x, tf.constant(*arrays[one.name]), one.stride, "VALID")
        centred = x - tf.reduce_mean(x, [1, 2], keepdims=True)
        variance = tf.reduce_mean(tf.square(centred), [1, 2], keepdims=True)
        gamma, beta = (
            tf.reshape(tf.matmul(mix, tf.constant(rows)), [1, 1, 1, one.channels])
            for rows in arrays[NORM.format(one.name)]
        )
        x = centred * tf.math.rsqrt(variance + EPSILON) * gamma + beta
        if one.name.endswith("_conv2"):
            x = skipped + x
        elif one.name != "colors":
            x = tf.nn.relu(x)
    shape = tf.shape(picture)
    return tf.slice(255 * tf.sigmoid(x), [0, 0, 0, 0], [1, shape[1], shape[2], 3])
