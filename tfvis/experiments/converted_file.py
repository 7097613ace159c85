"""The file that a conversion writes."""

import pathlib

from tfvis import files
from tfvis.errors import InputError, arg
from tfvis.networks import registry


def path(name: str, output: str | None, workdir: str | None) -> pathlib.Path:
    """Returns the file to write: that named, or in a folder that of the network's name.

    Args:
        name: of the network, or its file.
        output: a name that ends in .keras; or
        workdir: a folder.

    Raises:
        InputError: neither or both; another ending; no such path, or that of a folder or of what
            is converted.
    """
    if (output is None) == (workdir is None):
        raise InputError(
            f"{arg('output')}: name the file to write, NAME.keras, or its folder with "
            f"{arg('workdir')}; not both."
        )
    if output is None:
        folder = files.located(workdir, f"{arg('workdir')}={workdir}")
        return _another(folder / f"{registry.label(name)}.keras", name)
    if not output.endswith(".keras"):
        raise InputError(f"{arg('output')}={output}: expected a name that ends in .keras.")
    return _another(_file(output), name)


def of_painter(output: str | None) -> pathlib.Path:
    """Returns the file that a network that paints is written to.

    Args:
        output: NAME.onnx or NAME.tflite.

    Raises:
        InputError: it is not named, or for no runtime that is known; it is a folder.
    """
    if output is None:
        raise InputError(f"{arg('output')}: name the file to write, NAME.onnx or NAME.tflite.")
    if not output.endswith((".onnx", ".tflite")):
        raise InputError(
            f"{arg('output')}={output}: expected a name that ends in .onnx, or .tflite for LiteRT."
        )
    return _file(output)


def _another(path: pathlib.Path, name: str) -> pathlib.Path:
    """Returns a path, if it is not that of the network itself, which would be lost."""
    own = files.located(name) if registry.is_file(name) else None
    if own and path.exists() and own.exists() and path.samefile(own):
        raise InputError(f"{path}: is what is to be converted. Name another with {arg('output')}.")
    return path


def _file(output: str) -> pathlib.Path:
    path = files.located(output, f"{arg('output')}={output}")
    # Before the minute that what is to be written takes.
    if path.is_dir():
        raise InputError(f"{arg('output')}={output}: is a folder. Name the file to write.")
    return path
