"""Files that are either whole or absent, and folders that can be written to."""

import contextlib
import hashlib
import os
import pathlib
import tempfile
from collections.abc import Iterator
from typing import BinaryIO

import numpy as np

from tfvis.errors import InputError


def npy_header(file: BinaryIO) -> tuple[tuple[int, ...], np.dtype]:
    """Returns the (shape, dtype) that an .npy file declares, before its numbers are read.

    Args:
        file: open at its start.

    Raises:
        ValueError, AttributeError: it is no such file.
    """
    major, _ = np.lib.format.read_magic(file)
    shape, _, dtype = getattr(np.lib.format, f"read_array_header_{major}_0")(file)
    return shape, dtype


def located(word: os.PathLike | str, label: str = "") -> pathlib.Path:
    """Returns the path a word stands for, once the system agrees that it could be one.

    Questions to what is returned (is it a file, a folder?) then answer no where nothing is
    there, and raise nothing.

    Args:
        word: as a person or a file says it; a leading ~ or ~USER is that home.
        label: what messages begin with, such as "--image=~me/x"; left out, the word.

    Raises:
        InputError: no such user; too long for a path; letters that no path has; a link to
            itself; a folder on the way that may not be entered.
    """
    label = label or os.fspath(word)
    try:
        path = pathlib.Path(word).expanduser()
        os.stat(path)
    except (FileNotFoundError, NotADirectoryError):
        pass  # The caller's to say: it may be a name, or a file to come.
    except RuntimeError as error:
        user = os.fspath(word).split("/")[0]
        raise InputError(f"{label}: there is no home of {user}. Write the path out.") from error
    except OSError as error:
        raise InputError(f"{label}: no such path ({error.strerror or error}).") from error
    except ValueError as error:  # A NUL, or half a surrogate pair.
        raise InputError(f"{label}: no such path ({error}).") from error
    return path


def home() -> pathlib.Path:
    """Returns the cache folder: $TFVIS_HOME, else ~/.cache/tfvis."""
    named = os.environ.get("TFVIS_HOME")
    if named:
        return located(named, f"TFVIS_HOME={named}")
    return pathlib.Path.home() / ".cache/tfvis"


@contextlib.contextmanager
def replacing(path: os.PathLike | str) -> Iterator[pathlib.Path]:
    """Yields a temporary path beside `path` and renames it into place at the end.

    A rename within one folder is atomic, so a reader sees the old file or the new
    one; after an exception the temporary file is removed and `path` is untouched.

    Raises:
        InputError: the folder cannot be written to (read-only, full, not a folder).
    """
    path = pathlib.Path(path)
    temporary = None
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(prefix=f".{path.name}.", suffix=".part", dir=path.parent)
        os.close(handle)
        temporary = pathlib.Path(name)
        yield temporary
        _share(temporary)
        os.replace(temporary, path)
    except OSError as error:
        raise InputError(
            f"Cannot write {path}: {error.strerror or error}. "
            "Choose a folder that is writable and has room."
        ) from error
    finally:
        if temporary is not None:
            temporary.unlink(missing_ok=True)


def _share(path: pathlib.Path) -> None:
    """Gives a mkstemp file, private by default, the permissions of any new file."""
    mask = os.umask(0)
    os.umask(mask)
    path.chmod(0o666 & ~mask)


def write_text(path: os.PathLike | str, text: str) -> None:
    """Writes `text` (UTF-8) to `path`, whole or not at all.

    Raises:
        InputError: as `replacing`.
    """
    with replacing(path) as temporary:
        temporary.write_text(text, encoding="utf-8")


def make_folder(path: os.PathLike | str, flag: str) -> pathlib.Path:
    """Creates the folder `path` and proves by writing that it can hold results.

    Args:
        path: the folder; parents are made too.
        flag: the flag the path came from, for the message.

    Raises:
        InputError: `path` is a file, is read-only, or its disk is full.
    """
    path = located(path, f"{flag}={path}")
    try:
        path.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=path, prefix=".probe.") as probe:
            # One block: a full disk accepts an empty file but not its contents.
            probe.write(b"\0" * 4096)
            probe.flush()
            os.fsync(probe.fileno())
    except OSError as error:
        raise InputError(
            f"{flag}={path}: cannot write there ({error.strerror or error}). "
            "Choose a folder that is writable and has room."
        ) from error
    return path


def sha256_of(path: os.PathLike | str) -> str:
    """Returns the SHA-256 of a file's bytes as 64 hexadecimal digits."""
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
