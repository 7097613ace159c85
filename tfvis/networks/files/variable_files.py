"""All that a training changes, as a file it goes on from: variables, and its optimizer's."""

import pathlib

import keras

from tfvis import files
from tfvis.errors import InputError
from tfvis.networks.files import weight_files


def save(model: keras.Model, path: pathlib.Path) -> None:
    """Writes a model's variables, then its optimizer's, if it has one, whole or not at all."""
    # Not as HDF5, whose library does not survive a full disk.
    files.write_npz(path, {str(k): v.numpy() for k, v in enumerate(_variables(model))})


def load(model: keras.Model, path: pathlib.Path) -> None:
    """Gives a model, whose optimizer is built, what `save` wrote of one like it.

    Raises:
        InputError: it is of another model, or damaged.
    """
    variables = _variables(model)
    try:
        arrays = weight_files.read_npz(path)
        found = [arrays[str(k)][0] for k in range(len(variables))]
        for variable, array in zip(variables, found, strict=True):
            variable.assign(array)
    except Exception as error:  # zipfile, NumPy, Keras: many kinds, all "not this state".
        raise InputError(
            f"{path}: cannot be gone on from ({weight_files.first_line(error)}). Delete "
            f"{path.parent} to begin anew."
        ) from error


def _variables(model: keras.Model) -> list:
    optimizer = getattr(model, "optimizer", None)
    return [*model.variables, *(optimizer.variables if optimizer else ())]
