"""Parquet files that are whole or absent, and on the disk before they have their name."""

import contextlib
import os
import pathlib
from collections.abc import Callable

import pyarrow as pa
import pyarrow.parquet as pq

from tfvis import files


def write(
    path: pathlib.Path,
    table: pa.Table,
    ready: Callable[[pathlib.Path], None] = lambda written: None,
    **more,
) -> None:
    """Writes a table.

    The same table gives the same bytes.

    Args:
        path: of the file.
        table: its rows.
        ready: is called with the temporary file when all is in it and it has no name yet.
        **more: of pyarrow's `write_table`.

    Raises:
        InputError: as `files.replacing`.
    """
    with files.replacing(path) as temporary:
        # A dictionary of floats is larger than they are.
        pq.write_table(table, temporary, compression="zstd", use_dictionary=False, **more)
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
