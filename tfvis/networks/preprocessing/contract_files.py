"""A .keras file that also says what its network wants to be shown.

A member of its own beside Keras' three holds the contract, so that --preprocessing=auto finds
it; Keras passes over it.
"""

import io
import json
import math
import os
import pathlib
import zipfile

import keras
import numpy as np

from tfvis import files
from tfvis.errors import InputError
from tfvis.networks.preprocessing import contracts

_WORDS, _IMAGE = "tfvis/preprocessing.json", "tfvis/mean.npy"
_LARGEST = 1e6
# Words are a few hundred bytes; a mean image as large as the largest --size.
_MAX_WORDS, _MAX_IMAGE = 1 << 16, 3 * 4096 * 4096 * 4 + 128


def save(model: keras.Model, contract: contracts.Preprocessing, path: os.PathLike | str) -> None:
    """Writes a model and its contract as one .keras file, whole or not at all.

    Args:
        model: its layers are Keras' or registered.
        contract: what it wants to be shown.
        path: ends in ".keras".

    Raises:
        InputError: the folder cannot be written to, or the name ends otherwise.
    """
    path = pathlib.Path(path)
    if path.suffix != ".keras":
        raise InputError(f"{path}: expected a name that ends in .keras.")
    # Keras looks at the suffix.
    with files.replacing(path, ".keras") as temporary:
        model.save(temporary)
        with zipfile.ZipFile(temporary, "a") as archive:
            archive.writestr(_WORDS, json.dumps(_words(contract), indent=2) + "\n")
            if isinstance(contract, contracts.MeanImage):
                stream = io.BytesIO()
                np.save(stream, contract.image, allow_pickle=False)
                archive.writestr(_IMAGE, stream.getvalue())


def _words(contract: contracts.Preprocessing) -> dict:
    return {
        "name": contract.name,
        "mean": list(contract.mean),
        "scale": list(contract.scale),
        "bgr": contract.bgr,
    }


def read(path: os.PathLike | str, flag: str = "network") -> contracts.Preprocessing | None:
    """Returns the contract in a .keras file, None if there is none.

    Raises:
        InputError: what is there is no contract.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            if _WORDS not in archive.namelist():
                return None
            words = json.loads(_member(archive, _WORDS, _MAX_WORDS))
            contract = _contract(words)
            if _IMAGE in archive.namelist():
                return contracts.MeanImage(
                    contract.name, scale=contract.scale, bgr=contract.bgr,
                    image=_array(_member(archive, _IMAGE, _MAX_IMAGE)),
                )  # fmt: skip
            return contract
    except (OSError, ValueError, KeyError, TypeError, RecursionError, zipfile.BadZipFile) as error:
        raise InputError(
            f"--{flag}={path}: what it says of its preprocessing cannot be used ({error}). "
            "Name one with --preprocessing."
        ) from error


def _member(archive: zipfile.ZipFile, name: str, limit: int) -> bytes:
    with archive.open(name) as member:
        content = member.read(limit + 1)
    if len(content) > limit:
        raise ValueError(f"{name} is far too large")
    return content


def _contract(words: dict) -> contracts.Preprocessing:
    mean, scale = (tuple(float(x) for x in words[key]) for key in ("mean", "scale"))
    # Levels are 0 to 255; what is far beyond them is no number in float32, or nothing at all.
    sound = all(abs(x) <= _LARGEST for x in mean) and all(
        1 / _LARGEST <= abs(x) <= _LARGEST for x in scale
    )
    if not sound or not {len(mean), len(scale)} <= {1, 3}:
        raise ValueError("mean and scale are one number or three, of a size that levels have")
    if not isinstance(words["name"], str) or not isinstance(words["bgr"], bool):
        raise ValueError("name or order of the channels is missing")
    own = contracts.Preprocessing(words["name"], mean, scale, words["bgr"])
    # A known name is that contract in every detail, or it would be mistaken for it.
    known = contracts.CONTRACTS.get(own.name, own)
    if own != known:
        raise ValueError(f"it calls another contract {own.name}")
    return own


def _array(content: bytes) -> np.ndarray:
    shape, dtype = files.npy_header(io.BytesIO(content))
    if dtype != np.float32 or math.prod(shape) * 4 > len(content):
        raise ValueError("its mean image declares more than the file holds")
    return np.load(io.BytesIO(content), allow_pickle=False)
