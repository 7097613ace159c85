"""Reading weights files: what a stranger's file may do is fill arrays, nothing else."""

import contextlib
import math
import os
import warnings
import zipfile
from collections.abc import Iterator

import keras
import numpy as np

from tfvis import bounds, files
from tfvis.errors import InputError, arg, marked, nearest

# What a .keras file may name is registered by being imported.
from tfvis.networks import caffe_layers  # noqa: F401
from tfvis.networks.files import keras_bounds, keras_files
from tfvis.networks.preprocessing import layers  # noqa: F401

Arrays = dict[str, list[np.ndarray]]


@contextlib.contextmanager
def explained(label: str, message: str) -> Iterator[None]:
    """Turns the many exceptions of Keras, h5py, zipfile and protobuf into one that has a name."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    except InputError as error:
        if f"{label.partition('=')[2]}:" in str(error):
            raise
        raise InputError(f"{label}: {marked(error)}".rstrip(".") + ".") from error
    except MemoryError as error:
        raise InputError(f"{label}: {message} (it declares more than memory holds).") from error
    except Exception as error:
        raise InputError(f"{label}: {message} ({first_line(error)}).") from error


def open_model(path: os.PathLike | str, argument: str = "network") -> keras.Model:
    """Opens a .keras file, or a whole model's .h5, without running any code it may carry.

    Args:
        path: the file.
        argument: that named it, for messages.

    Raises:
        InputError: missing, no such file, needs code (a lambda, an unknown class).
    """
    label = f"{arg(argument)}={path}"
    path = files.check(files.located(path, label), label, bounds.WEIGHTS)
    with explained(label, "not a Keras model that can be opened safely"):
        with keras_bounds.building(keras_bounds.check(path)):
            model = keras_files.load(path, label)
        keras_bounds.check_maps(model)
        return model


def assign(model: keras.Model, arrays: Arrays, path: os.PathLike | str) -> None:
    """Sets the weights of every layer of `model` from `arrays`, by name.

    Raises:
        InputError: a layer is missing, or a shape differs.
    """
    for layer in model.layers:
        if not layer.weights:
            continue
        if not arrays.get(layer.name):
            known = [name for name, held in arrays.items() if held]
            others = f". {nearest(layer.name, known)}" if known else ", nor for any other."
            raise InputError(
                f"{arg('weights')}={path}: holds no weights for layer {layer.name} of "
                f"{model.name}{others}"
            )
        want = [tuple(w.shape) for w in layer.weights]
        have = [tuple(a.shape) for a in arrays[layer.name]]
        if want != have:
            raise InputError(
                f"{arg('weights')}={path}: layer {layer.name} takes {want}, the file holds {have}."
            )
        layer.set_weights(arrays[layer.name])


def save_npz(model: keras.Model, path: os.PathLike | str) -> None:
    """Writes all weights as "layer/0", "layer/1", ..., whole or not at all."""
    arrays = {
        f"{layer.name}/{i}": array
        for layer in model.layers
        for i, array in enumerate(layer.get_weights())
    }
    files.write_npz(path, arrays)


def read_npz(path: os.PathLike | str) -> Arrays:
    """Reads what `save_npz` wrote; never unpickles.

    Raises:
        InputError: an array is not of numbers, or declares more of them than the file holds.
    """
    files.check(path, os.fspath(path), bounds.WEIGHTS)
    keras_bounds.check_zip(path)
    with zipfile.ZipFile(path) as archive:
        for entry in archive.infolist():
            with archive.open(entry) as member:
                shape, dtype = files.npy_header(member)
                # Dates, records, objects: NumPy would make numbers of some of them.
                if dtype.kind not in "fiub":
                    raise InputError(f"{entry.filename} in it cannot be read as numbers")
                if math.prod(shape) * dtype.itemsize > entry.file_size:
                    raise InputError(f"{entry.filename} in it declares more than it holds")
    arrays: Arrays = {}
    with np.load(path, allow_pickle=False) as stored:
        for key in sorted(stored.files, key=lambda k: (k.rsplit("/", 1)[0], _index(k))):
            arrays.setdefault(key.rsplit("/", 1)[0], []).append(stored[key])
    return arrays


def _index(key: str) -> int:
    tail = key.rsplit("/", 1)[-1]
    return int(tail) if tail.isdigit() else 0


def first_line(error: Exception) -> str:
    """Returns the first line of an exception's message, or its name."""
    text = str(error).strip()
    return text.splitlines()[0][:200].rstrip(".") if text else type(error).__name__
