"""Networks that are sound and cannot be asked, and directions that are none."""

import io
import pathlib

import keras
import numpy as np
from keras import layers


def make(folder: pathlib.Path) -> dict[str, list[pathlib.Path]]:
    """Writes a .keras file each into `folder`.

    Returns:
        {kind: paths}: "foreign" take no picture, "mapless" have no maps, "sound" lack a classifier
        or layers.
    """
    folder.mkdir(parents=True, exist_ok=True)
    image = (16, 16, 3)
    flat = [layers.Flatten(), layers.Dense(8), layers.Dense(3, "softmax")]
    kinds = {
        "foreign": {
            "vector": _chain((12,), [layers.Dense(8), layers.Dense(3, "softmax")]),
            "sequence": _chain((20, 3), [layers.Conv1D(4, 3), layers.GlobalAveragePooling1D()]),
            "video": _chain((8, 16, 16, 3), [layers.Conv3D(4, 3)]),
            "words": _chain((20,), [layers.Embedding(50, 4), layers.GlobalAveragePooling1D()]),
            "bands": _chain((16, 16, 7), [layers.Conv2D(4, 3)]),
            "two_inputs": _two_inputs(image),
        },
        "mapless": {"flat": _chain(image, flat)},
        "sound": {
            "no_classifier": _chain((None, None, 3), [layers.Conv2D(4, 3, name="conv1")]),
            "nothing": _chain(image, [layers.Activation("linear")]),
        },
    }
    for kind, models in kinds.items():
        for name, model in models.items():
            model.save(folder / f"{name}.keras")
        kinds[kind] = [folder / f"{name}.keras" for name in models]
    return kinds


def directions(folder: pathlib.Path) -> list[pathlib.Path]:
    """Writes .npy files that are no direction of a layer of four channels."""
    folder.mkdir(parents=True, exist_ok=True)
    arrays = {
        "long": np.ones(5), "zero": np.zeros(4), "nan": np.full(4, np.nan), "map": np.ones((2, 2)),
        "words": np.array(["a", "b", "c", "d"]), "huge": np.full(4, 1e300),
    }  # fmt: skip
    paths = []
    for name, array in arrays.items():
        paths.append(folder / f"{name}.npy")
        np.save(paths[-1], array)
    pickled = io.BytesIO()
    np.save(pickled, np.array([{}], object), allow_pickle=True)
    vast = b"\x93NUMPY\x01\x00v\x00" + (
        b"{'descr': '<f4', 'fortran_order': False, 'shape': (100000000000,), }".ljust(117) + b"\n"
    )
    for name, content in {"objects": pickled.getvalue(), "vast": vast, "cut": vast[:40]}.items():
        paths.append(folder / f"{name}.npy")
        paths[-1].write_bytes(content)
    return paths


def _chain(shape: tuple, chain: list[keras.Layer]) -> keras.Model:
    return keras.Sequential([keras.Input(shape), *chain])


def _two_inputs(shape: tuple) -> keras.Model:
    left, right = keras.Input(shape), keras.Input(shape)
    both = layers.Concatenate()([left, right])
    return keras.Model([left, right], layers.Conv2D(4, 3)(both))
