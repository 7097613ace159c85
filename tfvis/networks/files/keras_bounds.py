"""What a stranger's .keras or .h5 file may ask for, counted before Keras builds anything of it.

A description of a hundred bytes can ask for weights that fill any memory, for maps of a billion
places, for models within models that are 2^40 layers when they are called.
"""

import contextlib
import io
import json
import math
import os
import zipfile
from collections.abc import Iterator

import h5py
import keras
import tensorflow as tf

from tfvis import bounds
from tfvis.errors import InputError
from tfvis.networks.files import hdf5

_CONFIG, _WEIGHTS = "config.json", "model.weights.h5"
# Counters, seeds of dropout: variables that files may lack.
_SLACK_BYTES = 1 << 20


def check_zip(path: os.PathLike | str) -> None:
    """Raises InputError where a zip file unpacks to more than its bytes can hold."""
    with zipfile.ZipFile(path) as archive:
        total = sum(entry.file_size for entry in archive.infolist())
    hdf5.check_total(total, os.path.getsize(path))


def check(path: os.PathLike | str) -> int:
    """Looks at a .keras file, or a whole model's .h5, without building what it describes.

    Returns:
        The bytes of the weights in it.

    Raises:
        InputError: it holds or describes too much, or keeps weights elsewhere.
        zipfile.BadZipFile, KeyError, OSError, ValueError: it is no such file.
    """
    if hdf5.is_hdf5(path):
        with h5py.File(path, "r") as file:
            total, _ = hdf5.check(file, os.path.getsize(path))
            config = file.attrs.get("model_config", "null")
        if not isinstance(config, (str, bytes)) or len(config) > bounds.CONFIG:
            raise InputError(f"its model_config is no text of at most {bounds.CONFIG:,} bytes")
        _check_layers(json.loads(config))
        return total
    check_zip(path)
    with zipfile.ZipFile(path) as archive:
        if archive.getinfo(_CONFIG).file_size > bounds.CONFIG:
            raise InputError(f"its {_CONFIG} has more than {bounds.CONFIG:,} bytes")
        _check_layers(json.loads(archive.read(_CONFIG)))
        stored = io.BytesIO(archive.read(_WEIGHTS))
    with h5py.File(stored, "r") as file:
        return hdf5.check(file, len(stored.getbuffer()))[0]


def _check_layers(described) -> None:
    try:
        count = _layers(described)
    except RecursionError as error:
        raise InputError("it has models within models without end") from error
    if count > bounds.LAYERS:
        raise InputError(f"it describes more than {bounds.LAYERS:,} layers")


def _layers(described) -> int:
    """Returns how many layers a description stands for, each as often as it is called."""
    config = described.get("config") if isinstance(described, dict) else None
    inner = config.get("layers") if isinstance(config, dict) else None
    count = 1
    for layer in inner if isinstance(inner, list) else ():
        calls = layer.get("inbound_nodes") if isinstance(layer, dict) else None
        count += max(len(calls) if isinstance(calls, list) else 1, 1) * _layers(layer)
    return count


@contextlib.contextmanager
def building(total: int) -> Iterator[None]:
    """Refuses variables that take more than `total` bytes, before they are made.

    Raises:
        InputError: within it, of the variable that would be too much.
    """
    rest = total + _SLACK_BYTES
    graph = tf.Graph()

    def creator(make, **arguments):
        nonlocal rest
        value = arguments.get("initial_value")
        if callable(value):
            # In a graph its shape is known and nothing computed.
            with graph.as_default():
                value = tf.convert_to_tensor(value())
            rest -= math.prod(value.shape) * value.dtype.size
            if rest < 0:
                shape = "x".join(map(str, value.shape))
                raise InputError(
                    f"it describes weights, such as those of {shape} numbers, that it does not hold"
                )
        return make(**arguments)

    with tf.variable_creator_scope(creator):
        yield


def check_maps(model: keras.Model) -> None:
    """Raises InputError where a picture of the one size a model takes would fill the memory."""
    for tensor in model.inputs:
        # What is no picture is refused for that, further on.
        sides = [side for side in tensor.shape[1:-1][:2] if side is not None]
        if max(sides, default=0) > bounds.SIDE:
            shape = "x".join(map(str, tensor.shape[1:]))
            raise InputError(f"its input is {shape}: at most {bounds.SIDE:,} a side")
    for layer in model.layers:
        for output in keras.tree.flatten(layer.output):
            sides = output.shape[1:]
            if None not in sides and math.prod(sides) > bounds.MAP:
                raise InputError(
                    f"layer {layer.name} makes {'x'.join(map(str, sides))} numbers of a picture"
                )
