"""Caffe networks as text and numbers, run by OpenCV."""

import keras
import numpy as np
from google.protobuf import text_format

from apps.benchmarks import caffe_oracle
from tfvis.networks.caffe import fill_weights, schema
from tfvis.networks.caffe.to_keras import layers_to_keras


def layer(name: str, kind: str, bottom: str, top: str = "", **params: str) -> str:
    """Returns a layer's text; bottoms and tops parted by blanks, the top of its name if not given.

    Args:
        params: {its message, without "_param": its fields}.
    """
    lines = [f'name: "{name}" type: "{kind}"']
    lines += [f'bottom: "{blob}"' for blob in bottom.split()]
    lines += [f'top: "{blob}"' for blob in top.split() or [name]]
    lines += [f"{message}_param {{ {fields} }}" for message, fields in params.items()]
    return "layer { " + " ".join(lines) + " }\n"


def conv(name: str, bottom: str, fields: str, top: str = "") -> str:
    """Returns a convolution's text; see `layer`."""
    return layer(name, "Convolution", bottom, top, convolution=fields)


def pool(name: str, bottom: str, fields: str) -> str:
    """Returns a pooling's text; see `layer`."""
    return layer(name, "Pooling", bottom, pooling=fields)


def deploy(*layers: str, size: tuple[int, int] = (13, 11), channels: int = 3):
    """Returns the NetParameter of some layers on one input, "data"."""
    dims = " ".join(f"dim: {side}" for side in (1, channels, *size))
    source = (
        f'layer {{ name: "data" type: "Input" top: "data" input_param {{ shape {{ {dims} }} }} }}'
    )
    return text_format.Parse(source + "\n" + "".join(layers), schema.NetParameter())


def numbers(seed: int = 0, **shapes) -> dict[str, list[np.ndarray]]:
    """Returns random blobs, {layer: arrays}, small enough that nothing saturates."""
    generator = np.random.default_rng(seed)
    return {
        name.replace("__", "/"): [generator.normal(0, 0.4, shape).astype("f4") for shape in blobs]
        for name, blobs in shapes.items()
    }


def image(size: tuple[int, int] = (13, 11), channels: int = 3, seed: int = 1) -> np.ndarray:
    """Returns a random input, float32 [1, height, width, channels]."""
    return np.random.default_rng(seed).normal(0, 2, (1, *size, channels)).astype("f4")


def opencv(net, blobs: dict[str, list[np.ndarray]], pixels: np.ndarray) -> dict[str, list]:
    """Runs a network in OpenCV; see `caffe_oracle.opencv`.

    Args:
        pixels: [batch, height, width, channels].
    """
    image = np.ascontiguousarray(pixels.transpose(0, 3, 1, 2))
    return caffe_oracle.opencv(net, caffe_oracle.caffemodel(net, blobs), image)


def ours(array) -> np.ndarray:
    """Returns one of Caffe's arrays as it lies in Keras: a map's channels last."""
    return array.transpose(0, 2, 3, 1) if array.ndim == 4 else array


def deviation(mine, theirs) -> float:
    """Returns the largest difference over the largest value; infinite where shapes differ."""
    mine, theirs = np.asarray(mine, "f8"), np.asarray(theirs, "f8")
    if mine.shape != theirs.shape:
        return np.inf
    return np.abs(mine - theirs).max() / np.abs(theirs).max()


def filled(layers, shapes, blobs=None, **kwargs) -> tuple:
    """Returns (net, its blobs, the Keras model filled with them), by chance unless given."""
    net = deploy(*layers, **kwargs)
    blobs = blobs or numbers(a=[(6, 3, 3, 3), (6,)], **shapes)
    if "norm" in blobs:
        mean, variance, _, *affine = blobs["norm"]
        blobs["norm"] = [mean, np.abs(variance) + 0.5, np.float32([1.7]), *affine]
    model = layers_to_keras.translated(net, name="net")
    fill_weights.fill(model, blobs, "net.caffemodel")
    return net, blobs, model


def outputs(model: keras.Model, pixels) -> dict[str, np.ndarray]:
    """Returns what each layer answers to pixels."""
    values = keras.Model(model.input, [x.output for x in model.layers[1:]])(pixels)
    return {x.name: np.asarray(y) for x, y in zip(model.layers[1:], values, strict=True)}
