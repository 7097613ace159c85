"""HDF5 files of strangers: looked at whole before a number is read.

The format allows what weights never need: data in other files, links that go in circles, the
same data under a thousand names, a terabyte declared in a kilobyte.
"""

import itertools
import math
import os
from collections.abc import Iterable

import h5py
import numpy as np

from tfvis import bounds
from tfvis.errors import InputError


def is_hdf5(path: os.PathLike | str) -> bool:
    """Tells HDF5 files by their first bytes, as h5py does, and archives never.

    HDF5 may begin 512, 1024, 2048, ... bytes into a file, and so may the weights in a .keras.
    """
    with open(path, "rb") as file:
        archive = file.read(4) == b"PK\x03\x04"
    return not archive and h5py.is_hdf5(path)


def check_total(total: int, size: int) -> None:
    """Raises InputError if `total` bytes cannot have come out of a weights file of `size`."""
    if total > min(bounds.WEIGHTS, bounds.RATIO * size + bounds.SLACK):
        raise InputError(
            f"the weights file of {size:,} bytes unpacks to {total:,}: refused as a bomb"
        )


def check(file: h5py.File, size: int) -> tuple[int, int]:
    """Refuses data kept elsewhere or named twice, and more than the bytes can hold.

    Args:
        file: open.
        size: its bytes.

    Returns:
        The bytes of all its arrays, unpacked; and those of the file that are of no array and
        no header, where texts of variable length are.

    Raises:
        InputError: see above; loops among them.
    """
    total, loose = 0, size
    groups, seen = [file], {h5py.h5o.get_info(file.id).addr}
    while groups:
        group = groups.pop()
        for name in group:
            if not isinstance(group.get(name, getlink=True), h5py.HardLink):
                raise InputError(f"{name!r} in it is a link to data elsewhere")
            item = group[name]
            # One object may be linked to from many places, or from within itself.
            about = h5py.h5o.get_info(item.id)
            if about.addr in seen:
                raise InputError(f"{name!r} in it is a second name of the same data")
            seen.add(about.addr)
            loose -= about.hdr.space.total
            if len(seen) > bounds.OBJECTS:
                raise InputError(f"it holds more than {bounds.OBJECTS:,} groups and arrays")
            if isinstance(item, h5py.Group):
                groups.append(item)
            elif not isinstance(item, h5py.Dataset) or item.dtype.hasobject:
                raise InputError(f"{name!r} in it holds no numbers")
            elif item.is_virtual or item.external:
                raise InputError(f"{name!r} in it points to data outside itself")
            else:
                # A chunk is unpacked whole, however little of it is used.
                total += max(item.size, math.prod(item.chunks or ())) * item.dtype.itemsize
                loose -= item.id.get_storage_size()
    check_total(total, size)
    return total, max(loose, 0)


def read(path: os.PathLike | str) -> dict[str, list[np.ndarray]]:
    """Reads the HDF5 files of Keras 2 (weights, or whole models), by layer name.

    Raises:
        InputError: as `check`; no names; arrays named more often than they are there.
        OSError, KeyError, ValueError: it is no such file.
    """
    with h5py.File(path, "r") as file:
        rest, loose = check(file, os.path.getsize(path))
        root = file.get("model_weights", file)
        arrays: dict[str, list[np.ndarray]] = {}
        for layer in _names(root, "layer_names", loose):
            arrays[layer] = []
            for name in _names(root[layer], "weight_names", loose):
                stored = root[layer][name]
                # Read, before it is kept: the same name may stand there a thousand times.
                rest -= stored.size * stored.dtype.itemsize
                if rest < 0:
                    raise InputError(f"layer {layer} names more weights than the file holds")
                arrays[layer].append(np.asarray(stored))
        if not arrays:
            raise InputError("it names no layers; is it one of Keras' files of weights?")
        return arrays


def _names(group: h5py.Group, key: str, loose: int) -> Iterable[str]:
    """Yields the names in an attribute, or in its parts, as long lists are kept."""
    parts = itertools.takewhile(group.attrs.__contains__, (f"{key}{k}" for k in itertools.count()))
    for part in [key] if key in group.attrs else parts:
        # A text of variable length is a reference, and thousands may be to the same megabyte.
        if math.prod(group.attrs.get_id(part).shape) * loose > bounds.TEXTS:
            raise InputError(f"its {part} are too many")
        for name in group.attrs[part]:
            yield name.decode() if isinstance(name, bytes) else str(name)
