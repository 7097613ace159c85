"""Filling a network with the weights in a file, of whichever kind it is."""

import os
import pathlib

import h5py
import keras

from tfvis import bounds, files
from tfvis.errors import InputError, arg
from tfvis.networks.caffe import caffemodel, fill_weights, onnx_blobs
from tfvis.networks.caffe.zoo import oxford_vgg
from tfvis.networks.files import hdf5, onnx_files, weight_files

SUFFIXES = (".npz", ".weights.h5", ".h5", ".keras", ".onnx", ".caffemodel")
_CAFFE_LAYERS = "tfvis.networks.caffe_layers."


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
    with weight_files.explained(label, f"cannot be read as weights of {model.name}"):
        if kind == ".npz":
            weight_files.assign(model, weight_files.read_npz(path), path)
        elif kind == ".onnx":
            _fill_from_onnx(model, path)
        elif kind == ".caffemodel":
            _fill_from_caffe(model, path)
        elif kind == ".keras":
            source = weight_files.open_model(path, "weights")
            weight_files.assign(model, {la.name: la.get_weights() for la in source.layers}, path)
        elif kind == ".h5":
            weight_files.assign(model, hdf5.read(path), path)
        else:
            with h5py.File(path, "r") as file:
                hdf5.check(file, path.stat().st_size)
            _fill_by_order(model, path)


def _fill_by_order(model: keras.Model, path: pathlib.Path) -> None:
    try:
        model.load_weights(path)
    except ValueError as error:
        # Keras lists every layer, over many lines.
        if "could not be loaded" not in str(error):
            raise
        raise InputError(
            f"its weights do not fit {model.name}, whose layers are of other kinds or shapes, or "
            "in another order"
        ) from error


def _fill_from_onnx(model: keras.Model, path: pathlib.Path) -> None:
    if not any(type(layer).__module__.startswith(_CAFFE_LAYERS) for layer in model.layers):
        weight_files.assign(model, onnx_files.read(path, model), path)
        return
    names = [layer.name for layer in model.layers if layer.weights]
    fill_weights.fill(model, onnx_blobs.read(path, names), path)


def _fill_from_caffe(model: keras.Model, path: pathlib.Path) -> None:
    blobs = caffemodel.read_model(path).blobs
    if oxford_vgg.is_vgg(model):
        weight_files.assign(model, oxford_vgg.arrays(model, blobs, path), path)
    else:
        fill_weights.fill(model, blobs, path)
