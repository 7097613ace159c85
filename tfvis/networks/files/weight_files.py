"""Reading weights files: what a stranger's file may do is fill arrays, nothing else."""

import contextlib
import importlib
import math
import os
import pathlib
import warnings
import zipfile
from collections.abc import Iterator

import h5py
import keras
import numpy as np

from tfvis import bounds, files
from tfvis.errors import InputError, arg, marked
from tfvis.networks.files import hdf5, keras_bounds, keras_files, onnx_files

SUFFIXES = (".npz", ".weights.h5", ".h5", ".keras", ".onnx", ".caffemodel")
_CAFFE = "tfvis.networks.caffe."
# Modules whose layers a .keras file may name.
_LAYERS = (
    *(
        f"caffe.keras_layers.{name}"
        for name in (
            "activations", "convolution_and_shape", "crop_and_interp", "deconvolution", "lrn",
            "mvn_and_normalize", "pooling", "scale", "strided_dilated_convolution", "unpooling",
        )
    ),
    "preprocessing.layers",
)  # fmt: skip

Arrays = dict[str, list[np.ndarray]]


def load_into(model: keras.Model, path: os.PathLike | str) -> None:
    """Fills `model` with the weights in a file.

    Layers are matched by name, but for .weights.h5, which holds no names: there by
    kind and order, as Keras does. A file matched by name may hold more layers than
    the model (a classifier on top), never fewer.

    Args:
        model: built.
        path: .npz as `save_npz` writes, .weights.h5 or .h5 as Keras writes, a .keras
            model (opened in safe mode), .onnx, or .caffemodel (for a Caffe network, or
            Oxford's VGG for Keras' own).

    Raises:
        InputError: unknown kind of file, unreadable, larger than its bytes can hold, or
            shapes that do not fit (both are named).
    """
    label = f"{arg('weights')}={path}"
    path = files.check(files.located(path, label), label, bounds.WEIGHTS)
    kind = next((s for s in SUFFIXES if path.name.lower().endswith(s)), None)
    if kind is None:
        raise InputError(
            f"{arg('weights')}={path}: expected a file ending in {', '.join(SUFFIXES)}."
        )
    with _explained(label, f"cannot be read as weights of {model.name}"):
        if kind == ".npz":
            assign(model, read_npz(path), path)
        elif kind == ".onnx":
            _fill_from_onnx(model, path)
        elif kind == ".caffemodel":
            _fill_from_caffe(model, path)
        elif kind == ".keras":
            source = open_model(path, "weights")
            assign(model, {la.name: la.get_weights() for la in source.layers}, path)
        elif kind == ".h5":
            assign(model, hdf5.read(path), path)
        else:
            with h5py.File(path, "r") as file:
                hdf5.check(file, path.stat().st_size)
            model.load_weights(path)


def _fill_from_onnx(model: keras.Model, path: pathlib.Path) -> None:
    if not any(type(layer).__module__.startswith(_CAFFE) for layer in model.layers):
        assign(model, onnx_files.read(path, model), path)
        return
    from tfvis.networks.caffe import fill_weights, onnx_blobs

    names = [layer.name for layer in model.layers if layer.weights]
    fill_weights.fill(model, onnx_blobs.read(path, names), path)


def _fill_from_caffe(model: keras.Model, path: pathlib.Path) -> None:
    from tfvis.networks.caffe import caffemodel, fill_weights
    from tfvis.networks.caffe.zoo import oxford_vgg

    blobs = caffemodel.read_model(path).blobs
    if oxford_vgg.is_vgg(model):
        assign(model, oxford_vgg.arrays(model, blobs, path), path)
    else:
        fill_weights.fill(model, blobs, path)


@contextlib.contextmanager
def _explained(label: str, message: str) -> Iterator[None]:
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
    for module in _LAYERS:
        importlib.import_module(f"tfvis.networks.{module}")
    with _explained(label, "not a Keras model that can be opened safely"):
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
        if layer.name not in arrays:
            raise InputError(f"{arg('weights')}={path}: holds no weights for layer {layer.name}.")
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
