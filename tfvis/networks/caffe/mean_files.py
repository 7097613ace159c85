"""Mean images and mean pixels, from Caffe's own files and from NumPy's."""

import math
import os
import pathlib

import numpy as np

from tfvis import bounds, files
from tfvis.errors import InputError, arg
from tfvis.networks.caffe import caffemodel
from tfvis.networks.preprocessing import contracts

# As large as the largest picture an app looks at.
_MAX_SIDE = 4096


def read(path: os.PathLike | str, argument: str = "mean") -> np.ndarray:
    """Reads what a network was trained to have subtracted.

    Args:
        path: .binaryproto, or .npy: (3, height, width) or (3,), blue, green, red, as Caffe's
            tools write it (ilsvrc_2012_mean.npy); 0..255.
        argument: that named it, for messages.

    Returns:
        float32 [height, width, 3], RGB, 0..255; [1, 1, 3] for a mean pixel.

    Raises:
        InputError: missing, unreadable, or of another shape.
    """
    label = f"{arg(argument)}={path}"
    path = files.check(files.located(path, label), label, bounds.ARRAY)
    kind = path.suffix.lower()
    if kind == ".binaryproto":
        image = caffemodel.read_mean(path)
    elif kind == ".npy":
        image = _npy(path, argument)
    else:
        raise InputError(f"{arg(argument)}={path}: expected a file ending in .binaryproto or .npy.")
    if image.shape[-1] == 1:
        image = np.repeat(image, 3, axis=-1)
    if image.shape[-1] != 3 or not np.isfinite(image).all():
        raise InputError(f"{arg(argument)}={path}: no mean of 1 or 3 channels of finite numbers.")
    return image


def _npy(path: pathlib.Path, argument: str) -> np.ndarray:
    try:
        with open(path, "rb") as file:
            shape, dtype = files.npy_header(file)
        if math.prod(shape) * dtype.itemsize > path.stat().st_size or dtype.hasobject:
            raise ValueError("it declares more than it holds")
        with np.errstate(over="ignore"):
            array = np.load(path, allow_pickle=False).astype(np.float32)
    except (OSError, ValueError, AttributeError, TypeError) as error:
        raise InputError(
            f"{arg(argument)}={path}: cannot be read as an array ({error})."
        ) from error
    array = array[0] if array.ndim == 4 and len(array) == 1 else array
    array = array[:, None, None] if array.ndim == 1 else array
    if array.ndim != 3 or len(array) not in (1, 3) or not 1 <= max(array.shape) <= _MAX_SIDE:
        raise InputError(
            f"{arg(argument)}={path}: expected (3, height, width) or (3,), blue, green, red. "
            f"Received: {tuple(shape)}."
        )
    return np.ascontiguousarray(array[::-1].transpose(1, 2, 0))


def contract(base: contracts.Preprocessing, mean: np.ndarray) -> contracts.Preprocessing:
    """Returns `base` with another mean.

    Args:
        base: gives scale and order of the channels.
        mean: float32 [height, width, 3], RGB, 0..255; of one pixel, it is a mean pixel.
    """
    if mean.shape[:2] != (1, 1):
        return contracts.with_mean_image(base, mean)
    pixel = tuple(float(x) for x in mean.reshape(-1))
    name = f"{base.name}+mean-" + "-".join(f"{x:.1f}" for x in pixel)
    return contracts.Preprocessing(name, pixel, base.scale, base.bgr)
