"""Caffe networks as text and numbers, run by OpenCV."""

import cv2
import numpy as np
from google.protobuf import text_format

from tfvis.networks.caffe import schema


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


def caffemodel(net, blobs: dict[str, list[np.ndarray]]) -> bytes:
    """Returns the binary message of a network with its numbers."""
    full = schema.NetParameter()
    full.CopyFrom(net)
    for message in full.layer:
        for array in blobs.get(message.name, ()):
            blob = message.blobs.add(data=array.ravel().tolist())
            blob.shape.dim.extend(array.shape)
    return full.SerializeToString()


def opencv(net, blobs: dict[str, list[np.ndarray]], pixels: np.ndarray) -> dict[str, list]:
    """Runs a network in OpenCV.

    Args:
        pixels: [batch, height, width, channels].

    Returns:
        {layer: [its tops]}, in Caffe's layout.
    """
    names = [message.name for message in net.layer if message.type != "Input"]
    net = _spelled_out(net)
    # Its name for the field.
    text = text_format.MessageToString(net).replace("round_mode: FLOOR", "ceil_mode: false")
    run = cv2.dnn.readNetFromCaffe(
        np.frombuffer(text.encode(), np.uint8), np.frombuffer(caffemodel(net, blobs), np.uint8)
    )
    # Every layer's own output, and no approximate transform.
    run.enableFusion(False)
    run.enableWinograd(False)
    run.setInput(np.ascontiguousarray(pixels.transpose(0, 3, 1, 2)))
    return dict(zip(names, run.forwardAndRetrieve(names), strict=True))


def _spelled_out(net):
    """Returns the same network, without what OpenCV 4.14 takes for something else.

    It knows fewer of Caffe's defaults and old names, and passes over the LRN's k:
    x / (k + s) ** beta is x / (1 + s / k) ** beta / k ** beta.
    """
    full = schema.NetParameter(name=net.name, input=net.input, input_dim=net.input_dim)
    full.input_shape.extend(net.input_shape)
    for message in net.layer:
        new = full.layer.add()
        new.CopyFrom(message)
        if new.type == "Pooling":
            new.pooling_param.pool = new.pooling_param.pool
        if new.concat_param.HasField("concat_dim"):
            new.concat_param.axis = new.concat_param.concat_dim
            new.concat_param.ClearField("concat_dim")
        if new.type == "LRN":
            given = new.lrn_param
            k = 1.0 if schema.word(given, "norm_region") == "WITHIN_CHANNEL" else given.k
            given.local_size, given.beta, given.alpha = (
                given.local_size,
                given.beta,
                given.alpha / k,
            )
            given.k = 1.0
            if k != 1:
                new.name, new.top[0] = f"{message.name}/raw", f"{message.top[0]}/raw"
                scaled = full.layer.add(name=message.name, type="Power", top=message.top)
                scaled.bottom.append(new.top[0])
                scaled.power_param.scale = k**-given.beta
    return full


def ours(array) -> np.ndarray:
    """Returns one of Caffe's arrays as it lies in Keras: a map's channels last."""
    return array.transpose(0, 2, 3, 1) if array.ndim == 4 else array


def deviation(mine, theirs) -> float:
    """Returns the largest difference over the largest value; infinite where shapes differ."""
    mine, theirs = np.asarray(mine, "f8"), np.asarray(theirs, "f8")
    if mine.shape != theirs.shape:
        return np.inf
    return np.abs(mine - theirs).max() / np.abs(theirs).max()
