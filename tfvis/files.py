"""Files that are what they seem and no larger, that are whole or absent; folders to write to."""

import contextlib
import errno
import hashlib
import os
import pathlib
import stat
import sys
import tempfile
from collections.abc import Iterator
from typing import BinaryIO

import numpy as np

from tfvis import locks
from tfvis.errors import InputError, arg

# How files begin that are saved under another's name, in small letters: what they are, and the way
# out.
_WEB_PAGE = "a web page; save the file itself that it shows or speaks of (on GitHub, Raw)"
_MISTAKEN = {
    b"<!doctype html": _WEB_PAGE,
    b"<html": _WEB_PAGE,
    b"version https://git-lfs": "a pointer of Git LFS; fetch the file itself (git lfs pull)",
    b"%pdf-": "a PDF; save what is wanted of it by itself",
    b"<svg": "a drawing in SVG; save it as PNG",
}


def mistaken(start: bytes) -> str:
    """Returns what a file is that is often taken for another, and what to do; "" for none.

    Args:
        start: its first bytes, some hundred of them.
    """
    start = start.removeprefix(b"\xef\xbb\xbf").lstrip().lower()
    return next((what for begin, what in _MISTAKEN.items() if start.startswith(begin)), "")


def decoded(content: bytes, errors: str = "strict") -> str:
    """Returns the text of a file, by its byte order mark or the zeros of UTF-16.

    Spreadsheets and the shell of Windows write UTF-16, and begin UTF-8 with a mark.

    Args:
        content: all bytes of the file.
        errors: what becomes of those that are no text, see `bytes.decode`.

    Raises:
        UnicodeDecodeError: such bytes, of "strict".
    """
    if content.startswith((b"\xff\xfe", b"\xfe\xff")):
        return content.decode("utf-16", errors)
    # Without a mark: the first letter of a column's or a field's name is ASCII.
    if content[:1] == b"\0" or content[1:2] == b"\0":
        return content.decode("utf-16-be" if content[:1] == b"\0" else "utf-16-le", errors)
    return content.decode("utf-8-sig", errors)


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


def opened(path: os.PathLike | str, label: str, limit: int) -> BinaryIO:
    """Opens a file to be read, once it is known to be one and not too large.

    A pipe would be waited for without end, and a device holds bytes without end.

    Args:
        path: the file, or a link to one.
        label: what messages begin with, such as "--labels=names.txt".
        limit: bytes it may have, one of `bounds`.

    Raises:
        InputError: missing, a folder, pipe, socket or device, too large, not readable.
    """
    try:
        # Before it is opened: to open a device may do something.
        _check_regular(os.stat(path), label, limit)
        file = open(path, "rb", opener=_without_waiting)  # noqa: SIM115
        try:
            _check_regular(os.fstat(file.fileno()), label, limit)
        except InputError:
            file.close()
            raise
        return file
    except FileNotFoundError as error:
        raise InputError(f"{label}: no such file.") from error
    except PermissionError as error:
        raise InputError(f"{label}: no permission to read it.") from error
    except OSError as error:
        raise InputError(f"{label}: cannot be read ({error.strerror or error}).") from error


def _without_waiting(path: str, flags: int) -> int:
    return os.open(path, flags | getattr(os, "O_NONBLOCK", 0))


def _check_regular(about: os.stat_result, label: str, limit: int) -> None:
    if stat.S_ISDIR(about.st_mode):
        raise InputError(f"{label}: is a folder. Name one file.")
    if not stat.S_ISREG(about.st_mode):
        raise InputError(f"{label}: is a pipe, socket or device. Name a file.")
    if about.st_size > limit:
        raise InputError(f"{label}: more than {limit:,} bytes, which no such file has.")


def check(path: os.PathLike | str, label: str, limit: int) -> pathlib.Path:
    """Returns `path`, for a library that opens files by itself, if `opened` would open it."""
    with opened(path, label, limit):
        return pathlib.Path(path)


def read_bytes(path: os.PathLike | str, label: str, limit: int) -> bytes:
    """Returns what is in a file; arguments and exceptions as of `opened`."""
    with opened(path, label, limit) as file:
        try:
            content = file.read(limit + 1)
        except OSError as error:
            raise InputError(f"{label}: cannot be read ({error.strerror or error}).") from error
    if len(content) > limit:  # Some files of /proc say that they are empty.
        raise InputError(f"{label}: more than {limit:,} bytes, which no such file has.")
    return content


@contextlib.contextmanager
def replacing(path: os.PathLike | str, suffix: str = "") -> Iterator[pathlib.Path]:
    """Yields a temporary path beside `path` and renames it into place at the end.

    A rename within one folder is atomic, so a reader sees the old file or the new
    one; after an exception the temporary file is removed and `path` is untouched. What a
    killed process has left half-written in the folder is removed.

    Args:
        path: to be written.
        suffix: that the temporary path has to end in, for libraries that look at it.

    Raises:
        InputError: the folder cannot be written to (read-only, full, not a folder). Other
            exceptions of the body pass as they are.
    """
    path = pathlib.Path(path)
    with contextlib.ExitStack() as stack, _explained(path, path.parent):
        path.parent.mkdir(parents=True, exist_ok=True)
        locks.clear_stale_once(path.parent.absolute())
        temporary, handle = _temporary(path.parent, f".{path.name}.", f".part{suffix}")
        # Renamed before it is unlocked.
        stack.callback(os.close, handle)
        stack.callback(temporary.unlink, missing_ok=True)
        yield temporary
        _share(temporary)
        os.replace(temporary, path)


# What the system says where there is no room, or writing itself fails.
_NO_ROOM = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EROFS, errno.EIO)


@contextlib.contextmanager
def _explained(path: pathlib.Path, folder: pathlib.Path) -> Iterator[None]:
    """Turns what the system says of a file being written into one line.

    What it says of other files, of networks or of processes is none of this file's.

    Args:
        path: the file.
        folder: whose files are its own.
    """
    try:
        yield
    except OSError as error:
        named = error.filename if isinstance(error.filename, (str, os.PathLike)) else None
        # Libraries that write (Pillow, HDF5) raise a bare OSError without a number.
        bare = type(error) is OSError and error.errno is None
        own = named is not None and _within(named, folder)
        if not (own or error.errno in _NO_ROOM or (named is None and bare)):
            raise
        raise InputError(
            f"Cannot write {path}: {error.strerror or error}. "
            "Choose a folder that is writable and has room."
        ) from error


def _within(named: os.PathLike | str, folder: pathlib.Path) -> bool:
    """Tells whether a path is a folder, one on the way to it, or directly in it."""
    named, folder = pathlib.Path(named).absolute(), folder.absolute()
    return named.parent == folder or named == folder or named in folder.parents


def append(path: os.PathLike | str, content: bytes) -> None:
    """Adds bytes to the end of a file, all or none; its folder is made where it is missing.

    Raises:
        InputError: as `replacing`.
    """
    path = pathlib.Path(path)
    with _explained(path, path.parent):
        path.parent.mkdir(parents=True, exist_ok=True)
        with open(path, "ab", buffering=0) as file:
            before = file.tell()
            try:
                rest = memoryview(content)
                while rest:  # On a nearly full disk a part is written first.
                    rest = rest[file.write(rest) :]
            except OSError:
                file.truncate(before)
                raise


def _temporary(folder: pathlib.Path, prefix: str, suffix: str) -> tuple[pathlib.Path, int]:
    """Makes a file with a name of its own, locked as long as its handle is open."""
    while True:
        handle, name = tempfile.mkstemp(prefix=prefix, suffix=suffix, dir=folder)
        locks.lock(handle)
        # Another process may have taken it for a stale one before it was locked.
        if os.fstat(handle).st_nlink:
            return pathlib.Path(name), handle
        os.close(handle)


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


def write_bytes(path: os.PathLike | str, content: bytes) -> None:
    """Writes bytes to `path`, whole or not at all.

    Raises:
        InputError: as `replacing`.
    """
    with replacing(path) as temporary:
        temporary.write_bytes(content)


def write_npz(path: os.PathLike | str, arrays: dict[str, np.ndarray]) -> None:
    """Writes arrays by their names, whole or not at all.

    Raises:
        InputError: as `replacing`.
    """
    with replacing(path) as temporary, open(temporary, "wb") as file:
        np.savez(file, **arrays)


def make_folder(path: os.PathLike | str, argument: str) -> pathlib.Path:
    """Creates the folder `path` and proves by writing that it can hold results.

    Args:
        path: the folder; parents are made too.
        argument: that named it, for messages.

    Raises:
        InputError: `path` is a file, is read-only, or its disk is full.
    """
    path = located(path, f"{arg(argument)}={path}")
    try:
        path.mkdir(parents=True, exist_ok=True)
        locks.clear_stale(path)
        with contextlib.ExitStack() as stack:
            probe, handle = _temporary(path, ".probe.", "")
            stack.callback(os.close, handle)
            stack.callback(probe.unlink, missing_ok=True)
            # One block: a full disk accepts an empty file but not its contents.
            os.write(handle, b"\0" * 4096)
            os.fsync(handle)
    except OSError as error:
        raise InputError(
            f"{arg(argument)}={path}: cannot write there ({error.strerror or error}). "
            "Choose a folder that is writable and has room."
        ) from error
    return path


def sha256_of(path: os.PathLike | str) -> str:
    """Returns the SHA-256 of a file's bytes as 64 hexadecimal digits.

    Raises:
        InputError: it cannot be read, or is no file.
    """
    with opened(path, os.fspath(path), sys.maxsize) as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
