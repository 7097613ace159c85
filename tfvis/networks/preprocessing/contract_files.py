"""A .keras file that also says what its network wants to be shown, and what its classes are.

Members of their own beside Keras' three hold the contract, so that --preprocessing=auto finds
it, and the names of a checkpoint's classes; Keras passes over them.
"""

import dataclasses
import io
import json
import math
import os
import pathlib
import zipfile

import keras
import numpy as np

from tfvis import bounds, files
from tfvis.errors import InputError, arg, marked
from tfvis.networks import labels
from tfvis.networks.preprocessing import contracts

_WORDS, _IMAGE = "tfvis/preprocessing.json", "tfvis/mean.npy"
_CLASSES = "tfvis/classes.json"
_LARGEST = 1e6
_LONGEST_WHY, _SAID = 300, "as the file says"
# Of pictures that a classifier is shown; as the largest --size.
_LARGEST_SIDE = 4096
# Words are a few hundred bytes; a mean image as large as the largest --size.
_MAX_WORDS, _MAX_IMAGE = 1 << 16, 3 * 4096 * 4096 * 4 + 128


@dataclasses.dataclass(frozen=True)
class Classes:
    """What a checkpoint knows of its classes, and how it was shown pictures of them.

    Attributes:
        names: in the order of the network's outputs; () where they are not known.
        side: of the square that whole pictures were squeezed into, or None.
    """

    names: tuple[str, ...] = ()
    side: int | None = None


def save(
    model: keras.Model,
    contract: contracts.Preprocessing,
    path: os.PathLike | str,
    classes: Classes = Classes(),
    why: str = "",
) -> None:
    """Writes a model and its contract as one .keras file, whole or not at all.

    Args:
        model: its layers are Keras' or registered.
        contract: what it wants to be shown.
        path: ends in ".keras".
        classes: of its output.
        why: a clause, what the contract is known by: a guess stays one.

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
            archive.writestr(_WORDS, json.dumps(_words(contract, why), indent=2) + "\n")
            if classes.names:
                said = {"classes": classes.names, "side": classes.side}
                archive.writestr(_CLASSES, json.dumps(said, indent=2) + "\n")
            if isinstance(contract, contracts.MeanImage):
                stream = io.BytesIO()
                np.save(stream, contract.image, allow_pickle=False)
                archive.writestr(_IMAGE, stream.getvalue())


def _words(contract: contracts.Preprocessing, why: str) -> dict:
    return {
        "name": contract.name,
        "mean": list(contract.mean),
        "scale": list(contract.scale),
        "bgr": contract.bgr,
        # Of a file that was made of such a file, what that one said.
        **({"why": why.removeprefix(f"{_SAID}: ")} if why not in ("", _SAID) else {}),
    }


def read(
    path: os.PathLike | str, argument: str = "network"
) -> tuple[contracts.Preprocessing, str] | None:
    """Returns the contract in a .keras file, and a clause that says why; None if there is none.

    Raises:
        InputError: what is there is no contract.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            if _WORDS not in archive.namelist():
                return None
            words = json.loads(_member(archive, _WORDS, _MAX_WORDS))
            contract, why = _contract(words), _why(words)
            if _IMAGE in archive.namelist():
                contract = contracts.MeanImage(
                    contract.name, scale=contract.scale, bgr=contract.bgr,
                    image=_array(_member(archive, _IMAGE, _MAX_IMAGE)),
                )  # fmt: skip
            return contract, why
    except (OSError, ValueError, KeyError, TypeError, RecursionError, zipfile.BadZipFile) as error:
        raise InputError(
            f"{arg(argument)}={path}: what it says of its preprocessing cannot be used "
            f"({marked(error)}). Name one with {arg('preprocessing')}."
        ) from error


def classes(path: os.PathLike | str, argument: str = "network") -> Classes:
    """Returns what a .keras file says of its classes.

    Raises:
        InputError: what is there names none.
    """
    label = f"{arg(argument)}={path}"
    try:
        with zipfile.ZipFile(path) as archive:
            if _CLASSES not in archive.namelist():
                return Classes()
            said = json.loads(_member(archive, _CLASSES, bounds.NAMES))
        names, side = tuple(said["classes"]), said["side"]
        if not all(isinstance(name, str) for name in names) or len(set(names)) < len(names):
            raise ValueError("names are words, no two alike")
        if side is not None and (type(side) is not int or not 1 <= side <= _LARGEST_SIDE):
            raise ValueError(f"side is a number of pixels up to {_LARGEST_SIDE:,}")
    except (OSError, ValueError, KeyError, TypeError, RecursionError, zipfile.BadZipFile) as error:
        raise InputError(
            f"{label}: what it says of its classes cannot be used ({error})."
        ) from error
    for name in names:
        labels.check_name(name, label)
    return Classes(names, side)


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


def _why(words: dict) -> str:
    why = words.get("why")
    # The line it stands in is one line.
    said = " ".join(why.split())[:_LONGEST_WHY] if isinstance(why, str) else ""
    return f"{_SAID}: {said}" if said else _SAID


def _array(content: bytes) -> np.ndarray:
    shape, dtype = files.npy_header(io.BytesIO(content))
    if dtype != np.float32 or math.prod(shape) * 4 > len(content):
        raise ValueError("its mean image declares more than the file holds")
    return np.load(io.BytesIO(content), allow_pickle=False)
