"""Files that are on the disk, and not only in its cache, before they have their name."""

import contextlib
import os
import pathlib
from collections.abc import Callable, Iterator

from tfvis import files


@contextlib.contextmanager
def replacing(
    path: pathlib.Path, ready: Callable[[pathlib.Path], None] = lambda written: None
) -> Iterator[pathlib.Path]:
    """As `files.replacing`; what was written is on the disk before it has its name.

    Args:
        path: to be written.
        ready: is called with the temporary file when all is in it and it has no name yet.

    Raises:
        InputError: as `files.replacing`.
    """
    with files.replacing(path) as temporary:
        yield temporary
        _sync(temporary, os.O_RDWR)
        ready(temporary)
    # The name is on the disk when its folder is. Windows opens no folders.
    with contextlib.suppress(PermissionError):
        _sync(path.parent, os.O_RDONLY)


def _sync(path: pathlib.Path, how: int) -> None:
    handle = os.open(path, how)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
