"""Parquet files that are whole or absent, and on the disk before they have their name."""

import pathlib
from collections.abc import Callable, Iterable

import pyarrow as pa
import pyarrow.parquet as pq

from tfvis.experiments.batch import durable_files

# A dictionary of floats is larger than they are.
_OPTIONS = {"compression": "zstd", "use_dictionary": False}


def write(
    path: pathlib.Path,
    table: pa.Table,
    ready: Callable[[pathlib.Path], None] = lambda written: None,
) -> None:
    """Writes a table.

    The same table gives the same bytes.

    Args:
        path: of the file.
        table: its rows.
        ready: is called with the temporary file when all is in it and it has no name yet.

    Raises:
        InputError: as `files.replacing`.
    """
    with durable_files.replacing(path, ready) as temporary:
        pq.write_table(table, temporary, **_OPTIONS)


def write_groups(path: pathlib.Path, schema: pa.Schema, tables: Iterable[pa.Table]) -> None:
    """Writes a table that comes in parts, each a row group of its own.

    Args:
        path: of the file.
        schema: of all parts.
        tables: the parts; one is in memory at a time.

    Raises:
        InputError: as `files.replacing`.
    """
    with (
        durable_files.replacing(path) as temporary,
        pq.ParquetWriter(temporary, schema, **_OPTIONS) as writer,
    ):
        for table in tables:
            writer.write_table(table, row_group_size=len(table))
