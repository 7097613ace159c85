"""Keras as tfvis needs it: on TensorFlow, channels last, in float32.

Keras reads its settings once, at import, from keras.json and KERAS_BACKEND.
"""

import json
import os
import pathlib

from tfvis.errors import InputError

_DEFAULT = {"backend": "tensorflow", "floatx": "float32", "image_data_format": "channels_last"}
_ALLOWED = {
    "floatx": ("float16", "float32", "float64"),
    "image_data_format": ("channels_first", "channels_last"),
}


def check_file() -> None:
    """Raises InputError where Keras could not be imported because of its settings file."""
    named = os.environ.get("KERAS_HOME")
    # As Keras looks for it.
    path = pathlib.Path(named or os.path.expanduser("~/.keras")) / "keras.json"
    try:
        said = json.loads(path.read_bytes())
    except (OSError, ValueError, RecursionError):
        return  # Keras takes its own for these.
    if not isinstance(said, dict):
        wrong, expected = "it", "an object of settings"
    elif not isinstance(said.get("epsilon", 1e-7), float):
        wrong, expected = "epsilon", "a number such as 1e-07"
    else:
        wrong = next((k for k, v in _ALLOWED.items() if said.get(k, v[0]) not in v), "")
        expected = " or ".join(_ALLOWED.get(wrong, ()))
    if wrong:
        raise InputError(
            f"{path}: Keras' settings cannot be used: {wrong} is not {expected}. Correct the "
            "file or delete it."
        )


def check() -> None:
    """Raises InputError where Keras is set up so that networks would be others."""
    import keras

    found = {
        "backend": keras.config.backend(),
        "floatx": keras.config.floatx(),
        "image_data_format": keras.config.image_data_format(),
    }
    wrong = [key for key, value in found.items() if value != _DEFAULT[key]]
    if "backend" in wrong:
        raise InputError(
            f"tfvis needs Keras on TensorFlow. Received: {found['backend']}. Set "
            "KERAS_BACKEND=tensorflow before Keras is imported."
        )
    if wrong:
        (key, *_) = wrong
        raise InputError(
            f"tfvis needs Keras' {key} to be {_DEFAULT[key]}. Received: {found[key]}. Call "
            f"keras.config.set_{key}({_DEFAULT[key]!r}) first, or correct keras.json."
        )


def set_up() -> None:
    """Sets Keras up for tfvis, in a process that is tfvis' own.

    Raises:
        InputError: Keras runs on another backend.
    """
    import keras

    keras.config.set_image_data_format("channels_last")
    keras.config.set_floatx("float32")
    check()
