"""Reading weights files: what a stranger's file may do is fill arrays, nothing else."""

import math
import os
import pathlib
import re
import zipfile

import keras
import numpy as np

from tfvis import files
from tfvis.errors import InputError

# The largest keras.applications network holds 1.5 GB; a file that unpacks to more
# than this is not one of ours, or is made to fill the memory.
MAX_BYTES = 4 << 30
SUFFIXES = (".npz", ".weights.h5", ".h5", ".keras", ".onnx")

Arrays = dict[str, list[np.ndarray]]


def load_into(model: keras.Model, path: os.PathLike | str) -> None:
    """Fills `model` with the weights in a file.

    Layers are matched by name. A file may hold more layers than the model (a
    classifier on top), never fewer.

    Args:
        model: built.
        path: .npz as `save_npz` writes, .weights.h5 or .h5 as Keras writes, a .keras
            model (opened in safe mode), or .onnx.

    Raises:
        InputError: unknown kind of file, unreadable, or shapes that do not fit (both
            are named).
    """
    path = pathlib.Path(path).expanduser()
    if not path.is_file():
        raise InputError(f"--weights={path}: no such file.")
    kind = next((s for s in SUFFIXES if path.name.lower().endswith(s)), None)
    if kind is None:
        raise InputError(f"--weights={path}: expected a file ending in {', '.join(SUFFIXES)}.")
    try:
        if kind == ".npz":
            assign(model, read_npz(path), path)
        elif kind == ".onnx":
            assign(model, read_onnx(path, [layer.name for layer in model.layers]), path)
        elif kind == ".keras":
            source = open_model(path, "weights")
            assign(model, {la.name: la.get_weights() for la in source.layers}, path)
        elif kind == ".weights.h5":
            model.load_weights(path)
        else:
            # Keras 2's own files; by name, so that a classifier on top is ignored.
            model.load_weights(path, by_name=True)
    except InputError:
        raise
    except MemoryError:
        raise
    except Exception as error:  # Keras, h5py, zipfile and protobuf raise many kinds.
        raise InputError(
            f"--weights={path}: cannot be read as weights of {model.name} ({_first_line(error)})."
        ) from error


def open_model(path: os.PathLike | str, flag: str = "network") -> keras.Model:
    """Opens a .keras file without running any code it may carry.

    Args:
        path: the file.
        flag: the name used for it in messages.

    Raises:
        InputError: missing, not a .keras file, needs code (a lambda, an unknown class).
    """
    path = pathlib.Path(path).expanduser()
    if not path.is_file():
        raise InputError(f"--{flag}={path}: no such file.")
    try:
        _check_zip(path)
        return keras.models.load_model(path, compile=False, safe_mode=True)
    except InputError:
        raise
    except Exception as error:
        raise InputError(
            f"--{flag}={path}: not a .keras model that can be opened safely ({_first_line(error)})."
        ) from error


def assign(model: keras.Model, arrays: Arrays, path: os.PathLike | str) -> None:
    """Sets the weights of every layer of `model` from `arrays`, by name.

    Raises:
        InputError: a layer is missing, or a shape differs.
    """
    for layer in model.layers:
        if not layer.weights:
            continue
        if layer.name not in arrays:
            raise InputError(f"{path}: holds no weights for layer {layer.name}.")
        want = [tuple(w.shape) for w in layer.weights]
        have = [tuple(a.shape) for a in arrays[layer.name]]
        if want != have:
            raise InputError(f"{path}: layer {layer.name} takes {want}, the file holds {have}.")
        layer.set_weights(arrays[layer.name])


def save_npz(model: keras.Model, path: os.PathLike | str) -> None:
    """Writes all weights as "layer/0", "layer/1", ... float32, whole or not at all."""
    arrays = {
        f"{layer.name}/{i}": array
        for layer in model.layers
        for i, array in enumerate(layer.get_weights())
    }
    with files.replacing(path) as temporary, open(temporary, "wb") as file:
        np.savez(file, **arrays)


def read_npz(path: os.PathLike | str) -> Arrays:
    """Reads what `save_npz` wrote; never unpickles."""
    _check_zip(path)
    arrays: Arrays = {}
    with np.load(path, allow_pickle=False) as stored:
        for key in sorted(stored.files, key=lambda k: (k.rsplit("/", 1)[0], _index(k))):
            arrays.setdefault(key.rsplit("/", 1)[0], []).append(stored[key])
    return arrays


def _index(key: str) -> int:
    tail = key.rsplit("/", 1)[-1]
    return int(tail) if tail.isdigit() else 0


def read_onnx(path: os.PathLike | str, names: list[str]) -> Arrays:
    """Reads the convolutions and dense layers of an ONNX file, in Keras' layout.

    Initialisers are matched to layers by the parts of their names: exporters keep
    the layer's name, at times with a running number behind it.

    Args:
        path: the file; data it keeps in other files is not followed.
        names: the layers looked for.

    Returns:
        {layer: [kernel HWIO or (in, out), bias]} for the layers found.

    Raises:
        InputError: larger than `MAX_BYTES`.
    """
    import onnx
    from onnx import numpy_helper

    if os.path.getsize(path) > MAX_BYTES:
        raise InputError(f"{path}: larger than {MAX_BYTES >> 30} GiB.")
    graph = onnx.load(path, load_external_data=False).graph
    arrays: Arrays = {}
    for tensor in graph.initializer:
        layer = _layer_of(tensor.name, names)
        if layer is None or tensor.external_data:
            continue
        if math.prod(tensor.dims) * 4 > MAX_BYTES:
            raise InputError(f"{path}: {tensor.name} is larger than {MAX_BYTES >> 30} GiB.")
        array = numpy_helper.to_array(tensor).astype(np.float32)
        if array.ndim == 4:
            array = array.transpose(2, 3, 1, 0)
        arrays.setdefault(layer, []).append(array)
    # Keras' order: the kernel before the bias.
    return {layer: sorted(a, key=lambda x: -x.ndim) for layer, a in arrays.items()}


def _layer_of(initializer: str, names: list[str]) -> str | None:
    parts = initializer.split("/")
    for plain in (parts, [re.sub(r"_\d+$", "", part) for part in parts]):
        for name in names:
            if name in plain:
                return name
    return None


def _check_zip(path: os.PathLike | str) -> None:
    with zipfile.ZipFile(path) as archive:
        size = sum(entry.file_size for entry in archive.infolist())
    if size > MAX_BYTES:
        raise InputError(f"{path}: unpacks to more than {MAX_BYTES >> 30} GiB.")


def _first_line(error: Exception) -> str:
    text = str(error).strip()
    return text.splitlines()[0][:200] if text else type(error).__name__
