"""The manifest: what was run, on what, and what came out, so it can be made again."""

import dataclasses
import hashlib
import importlib.metadata
import json
import math
import os
import platform

import numpy as np

import tfvis
from tfvis import bounds, files, hardware

_PACKAGES = ("tensorflow", "tensorflow-cpu", "keras", "numpy", "pillow")


def versions() -> dict[str, str]:
    """Returns {package: version} of all that decides the bits of a picture."""
    found = {"python": platform.python_version(), "tfvis": tfvis.__version__}
    for package in _PACKAGES:
        try:
            found[package] = importlib.metadata.version(package)
        except importlib.metadata.PackageNotFoundError:
            continue
    return found


def key(**parts) -> str:
    """Returns a digest of everything that determines a result; equal keys, equal bits."""
    text = json.dumps(plain(parts), sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()


def plain(value):
    """Returns `value` in the types JSON has; not-a-number and infinity as words."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return plain(dataclasses.asdict(value))
    if isinstance(value, dict):
        return {str(k): plain(v) for k, v in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(v) for v in value]
    if isinstance(value, np.ndarray):
        # The same bytes are another array under another shape or type.
        digest = hashlib.sha256(f"{value.dtype.str} {value.shape} ".encode())
        digest.update(np.ascontiguousarray(value).data)
        return digest.hexdigest()
    if isinstance(value, np.generic):
        return plain(value.item())
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    if isinstance(value, os.PathLike):
        return os.fspath(value)
    return value


def write(path: os.PathLike | str, content: dict) -> None:
    """Writes the manifest as JSON, whole or not at all, with the machine it is written on.

    Raises:
        InputError: the folder cannot be written to.
    """
    content = content | {"machine": hardware.described()}
    files.write_text(path, json.dumps(plain(content), indent=2) + "\n")


def read(path: os.PathLike | str) -> dict:
    """Returns an earlier manifest, or {} where there is none that can be read."""
    try:
        content = json.loads(files.read_bytes(path, os.fspath(path), bounds.MANIFEST))
    except (ValueError, RecursionError):
        return {}
    return content if isinstance(content, dict) else {}
