"""Files of tables that are whole or absent, and on the disk before they have their name."""

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
    """Writes a table as a Parquet file.

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


def write_batches(
    path: pathlib.Path,
    schema: pa.Schema,
    batches: Iterable[pa.RecordBatch],
    ready: Callable[[pathlib.Path], None] = lambda written: None,
) -> None:
    """Writes a table that comes in parts, of which one is in memory at a time, as an Arrow file.

    Whoever opens it holds 24 bytes of each part that is not read; of each row group of Parquet it
    would be kilobytes (https://arrow.apache.org/docs/format/Columnar.html#ipc-file-format).

    Args:
        path: of the file.
        schema: of all parts.
        batches: the parts.
        ready: as of `write`.

    Raises:
        InputError: as `files.replacing`.
    """
    with (
        durable_files.replacing(path, ready) as temporary,
        pa.OSFile(str(temporary), "wb") as file,
        pa.ipc.new_file(file, schema) as writer,
    ):
        for batch in batches:
            writer.write_batch(batch)
