"""Who is at work in a folder, told by locks that end with the process, however it ends."""

import contextlib
import functools
import os
import re
import stat
from collections.abc import Iterator

from tfvis.errors import InputError, arg

try:
    import fcntl
except ImportError:  # Windows: nothing is locked there, and nothing stale removed.
    fcntl = None

# Names of files that are being written, and of probes: with mkstemp's eight letters.
_TEMPORARY = re.compile(r"\.(.+\.[a-z0-9_]{8}\.part(\.\w+)*|probe\.[a-z0-9_]{8})")
# Open handles of the folders this process holds, until it ends.
_held: dict[str, int] = {}


def lock(handle: int) -> bool | None:
    """Locks an open file or folder for as long as it is open, or the process lives.

    Returns:
        False if another process has locked it, None where nothing can be locked: some
        network file systems.
    """
    if fcntl is None:
        return None
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:
        return None
    return True


def hold(folder: os.PathLike | str, argument: str) -> None:
    """Keeps a folder to this process until it ends: two runs in one would mix their results.

    The lock is on the folder itself, so that a killed run leaves neither lock nor file.

    Args:
        folder: exists.
        argument: that named it, for messages.

    Raises:
        InputError: another process holds it.
    """
    place = os.path.realpath(folder)
    if fcntl is None or place in _held:
        return
    try:
        handle = os.open(place, os.O_RDONLY)
    except OSError:  # A folder may be written to and not be read.
        return
    if lock(handle) is False:
        os.close(handle)
        raise InputError(
            f"{arg(argument)}={folder}: another run is writing there. Wait for its end, or choose "
            "another folder."
        )
    _held[place] = handle


@contextlib.contextmanager
def held(folder: os.PathLike | str, argument: str) -> Iterator[None]:
    """Keeps a folder to what runs within, or longer if this process holds it already.

    Args, Raises:
        As `hold`.
    """
    before = set(_held)
    hold(folder, argument)
    try:
        yield
    finally:
        for place in {os.path.realpath(folder)} & set(_held) - before:
            os.close(_held.pop(place))


def clear_stale(folder: os.PathLike | str) -> None:
    """Removes from a folder what killed processes were writing into it.

    That is files under the temporary names of `files` which no living process has locked;
    where there are no locks, none.
    """
    try:
        with os.scandir(folder) as entries:
            stale = [entry.path for entry in entries if _TEMPORARY.fullmatch(entry.name)]
    except OSError:
        return
    for path in stale:
        with contextlib.suppress(OSError):
            if not stat.S_ISREG(os.lstat(path).st_mode):
                continue
            handle = os.open(path, os.O_RDWR)
            try:
                if lock(handle):
                    os.unlink(path)
            finally:
                os.close(handle)


# Once in a process: to look through a folder of ten thousand pictures takes milliseconds.
clear_stale_once = functools.lru_cache(maxsize=4096)(clear_stale)
