"""One shard: from its number to its files, with nothing else to go by and nothing half done.

    parts/part-00000.parquet      id, path and the job's columns of each item
    errors/errors-00000.parquet   id, path, reason, detail of those that cannot be used, if any
    checksums/00000.sha256        of both, as `sha256sum --check` reads them

The part comes last: once it has its name, the shard is done. To process a shard twice, even at the
same time, writes the same bytes under the same names.
"""

import pathlib
import re
from collections.abc import Callable

import pyarrow as pa

from tfvis import files, locks
from tfvis.errors import InputError
from tfvis.experiments.batch import arrow_files
from tfvis.experiments.batch.jobs import Job
from tfvis.experiments.batch.plans import Plan
from tfvis.image_files import folders

KEY = b"tfvis.batch"
FOLDERS = ("parts", "errors", "checksums")
_PART = re.compile(r"part-(\d{5,})\.parquet")
_ERRORS = pa.schema([(name, pa.string()) for name in ("id", "path", "reason", "detail")])


def part(plan: Plan, number: int) -> pathlib.Path:
    """Returns the file whose presence says that a shard is done."""
    return plan.folder / "parts" / f"part-{number:05d}.parquet"


def errors(plan: Plan, number: int) -> pathlib.Path:
    """Returns the file of what could not be used."""
    return plan.folder / "errors" / f"errors-{number:05d}.parquet"


def checksums(plan: Plan, number: int) -> pathlib.Path:
    """Returns the file of the digests of both."""
    return plan.folder / "checksums" / f"{number:05d}.sha256"


def finished(plan: Plan) -> set[int]:
    """Returns the numbers of the shards that are done."""
    folder = plan.folder / "parts"
    names = (_PART.fullmatch(path.name) for path in folder.iterdir()) if folder.is_dir() else ()
    return {int(name[1]) for name in names if name} & set(range(plan.shards))


def process(job: Job, plan: Plan, number: int, seen: Callable[[], None] = lambda: None) -> None:
    """Does the work of one shard and writes its files.

    Args:
        job: of the plan.
        plan: of the batch.
        number: of the shard.
        seen: is called behind each item.

    Raises:
        InputError: it cannot be written there.
    """
    ids, names = plan.items(number)
    root = pathlib.Path(plan.root)
    rows: list[dict] = []
    broken: list[dict] = []
    answers = job.answers([str(root / name) for name in names])
    for known, name, answer in zip(ids, names, answers, strict=True):
        if isinstance(answer, InputError):
            left = folders.left_out(name, answer)
            broken.append(
                {"id": known, "path": name, "reason": left.reason, "detail": str(left.detail)}
            )
        else:
            rows.append({"id": known, "path": name, **answer})
        seen()
    lines = []
    if broken:
        wrong = errors(plan, number)
        arrow_files.write(wrong, _table(broken, _ERRORS, plan, number))
        lines.append(f"{files.sha256_of(wrong)}  errors/{wrong.name}\n")

    def sealed(written: pathlib.Path) -> None:
        lines.append(f"{files.sha256_of(written)}  parts/{part(plan, number).name}\n")
        files.write_text(checksums(plan, number), "".join(lines))

    schema = pa.schema([("id", pa.string()), ("path", pa.string()), *job.columns])
    arrow_files.write(part(plan, number), _table(rows, schema, plan, number), sealed)


def about(plan: Plan, number: int) -> bytes:
    """Returns what both files say of themselves, under `KEY`: which batch, which shard."""
    return f"{plan.key} {number}".encode()


def clear(plan: Plan) -> None:
    """Removes what killed processes have left half-written."""
    for folder in FOLDERS:
        locks.clear_stale(plan.folder / folder)


def _table(rows: list[dict], schema: pa.Schema, plan: Plan, number: int) -> pa.Table:
    columns = [pa.array([row[field.name] for row in rows], field.type) for field in schema]
    schema = schema.with_metadata({KEY: about(plan, number)})
    return pa.Table.from_arrays(columns, schema=schema)
