"""Whole models in Keras' files, of Keras 3 and 2, opened without running code of theirs."""

import json
import pathlib
import tempfile
import zipfile

import h5py
import keras
import numpy as np

from tfvis import bounds
from tfvis.errors import InputError, arg
from tfvis.networks import keras_graph
from tfvis.networks.files import hdf5, keras2_configs, keras_configs


def load(path: pathlib.Path, label: str) -> keras.Model:
    """Returns the model in a .keras or .h5 file that `keras_bounds` has no objection to.

    Args:
        path: the file.
        label: what messages begin with, such as "--network=net.keras".

    Raises:
        InputError: it needs code, or a class that is not Keras'; it holds weights only; it
            is from a Keras whose layers are not known here.
    """
    is_h5 = hdf5.is_hdf5(path)
    config, version = _of_h5(path, label) if is_h5 else _of_archive(path, label)
    if not isinstance(config, dict):
        raise InputError(f"{label}: its config describes no model.")
    try:
        old = version.startswith("2.") or keras2_configs.is_keras2(config)
        if old:
            config = keras2_configs.translated(config, label)
        keras_configs.check(config, label)
        if is_h5:
            model = keras.models.model_from_json(json.dumps(_with_module(config)))
            _fill(model, hdf5.read(path))
            return model
        if old:
            return _rewritten(path, config)
        return keras.models.load_model(path, compile=False, safe_mode=True)
    except InputError:
        raise
    except (MemoryError, RecursionError):
        raise
    except Exception as error:
        raise InputError(
            f"{label}: was saved by Keras {version or '(unknown)'} and cannot be opened safely by "
            f"Keras {keras.__version__} ({_reason(error)}). Save it again as .keras there, or look "
            "at the model itself: tfvis.wrap(model)."
        ) from error


def _of_archive(path: pathlib.Path, label: str) -> tuple[object, str]:
    """Returns the config in a .keras file, and the version of Keras that wrote it."""
    with zipfile.ZipFile(path) as archive:
        found = {}
        for name in ("config.json", "metadata.json"):
            if name not in archive.namelist():
                raise InputError(f"{label}: no .keras file, it holds no {name}.")
            if archive.getinfo(name).file_size > bounds.CONFIG:
                raise InputError(f"{label}: its {name} is far too large.")
            found[name] = json.loads(archive.read(name))
    metadata = found["metadata.json"]
    version = metadata.get("keras_version") if isinstance(metadata, dict) else None
    return found["config.json"], str(version or "")


def _of_h5(path: pathlib.Path, label: str) -> tuple[object, str]:
    """Returns the config in a whole model's .h5 file, and the version that wrote it."""
    with h5py.File(path, "r") as file:
        text, version = file.attrs.get("model_config"), file.attrs.get("keras_version", "")
    if text is None:
        raise InputError(
            f"{label}: holds weights and no layers. Name the network: {arg('network')}=NAME "
            f"{arg('weights')}={path}."
        )
    return json.loads(text), version.decode() if isinstance(version, bytes) else str(version)


def _with_module(config: dict) -> dict:
    """Returns the config of an .h5 file with what its layers have: where its class is from."""
    functional = config.get("class_name") == "Functional"
    home = keras_graph.FUNCTIONAL if functional else "keras.models"
    return {"module": home, "registered_name": None} | config


def _fill(model: keras.Model, arrays: dict[str, list[np.ndarray]]) -> None:
    """Sets all weights from a whole model's .h5, layer by layer in their order, as Keras does."""
    layers = [layer for layer in model.layers if layer.weights]
    stored = [found for found in arrays.values() if found]
    if len(layers) != len(stored):
        raise InputError(f"it describes {len(layers)} layers with weights and holds {len(stored)}")
    for layer, found in zip(layers, stored, strict=True):
        # What learns comes first, also of the layers within a layer.
        variables = layer.trainable_weights + layer.non_trainable_weights
        want, have = ([tuple(x.shape) for x in those] for those in (variables, found))
        if want != have:
            raise InputError(f"layer {layer.name} takes {want}, and it holds {have}")
        for variable, array in zip(variables, found, strict=True):
            variable.assign(array)


def _rewritten(path: pathlib.Path, config: dict) -> keras.Model:
    """Returns the model of a .keras file under another config."""
    with tempfile.TemporaryDirectory() as folder:
        copy = pathlib.Path(folder) / "translated.keras"
        with zipfile.ZipFile(path) as old, zipfile.ZipFile(copy, "w") as new:
            for item in old.infolist():
                if item.filename == "config.json":
                    new.writestr(item.filename, json.dumps(config))
                else:
                    with old.open(item) as source, new.open(item.filename, "w") as target:
                        while block := source.read(1 << 20):
                            target.write(block)
        return keras.models.load_model(copy, compile=False, safe_mode=True)


def _reason(error: Exception) -> str:
    """Returns what Keras says in short: it may go on with pages of config."""
    text = " ".join(str(error).split()) or type(error).__name__
    # The end of a chain of errors is the cause.
    return text.rsplit("Exception encountered: ", 1)[-1][:160].rstrip(". ")
