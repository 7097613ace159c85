"""One shard: from its number to its files, with nothing else to go by and nothing half done.

    parts/part-00000.parquet      id, path and the job's columns of each item
    errors/errors-00000.parquet   id, path, reason, detail of those that cannot be used, if any
    archives/pictures-00000.tar   the pictures a job makes of each item, if it makes any
    checksums/00000.sha256        of all, as `sha256sum --check` reads them

The part comes last: once it has its name, the shard is done. To process a shard twice, even at the
same time, writes the same bytes under the same names.
"""

import contextlib
import os
import pathlib
import re
import shutil
from collections.abc import Callable

import pyarrow as pa

from tfvis import files, locks
from tfvis.errors import InputError
from tfvis.experiments.batch import arrow_files, tar_files
from tfvis.experiments.batch.jobs import PICTURES, Job
from tfvis.experiments.batch.plans import DESCRIPTION, ITEMS, Plan
from tfvis.image_files import folders

KEY = b"tfvis.batch"
FOLDERS = ("parts", "errors", "archives", "checksums")
_PART = re.compile(r"part-(\d{5,})\.parquet")
_ERRORS = pa.schema([(name, pa.string()) for name in ("id", "path", "reason", "detail")])


def part(plan: Plan, number: int) -> pathlib.Path:
    """Returns the file whose presence says that a shard is done."""
    return plan.folder / "parts" / f"part-{number:05d}.parquet"


def errors(plan: Plan, number: int) -> pathlib.Path:
    """Returns the file of what could not be used."""
    return plan.folder / "errors" / f"errors-{number:05d}.parquet"


def archive(plan: Plan, number: int) -> pathlib.Path:
    """Returns the file of the pictures that were made."""
    return plan.folder / "archives" / f"pictures-{number:05d}.tar"


def checksums(plan: Plan, number: int) -> pathlib.Path:
    """Returns the file of the digests of all."""
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
    rows: list[dict] = []
    broken: list[dict] = []
    # Not as `pathlib` joins them, which adds each name to a table of the whole process (`intern`).
    answers = job.answers([os.path.join(plan.root, name) for name in names])
    with contextlib.ExitStack() as stack:
        add = None
        if job.pictures:
            add = stack.enter_context(tar_files.writing(archive(plan, number)))
        for known, name, answer in zip(ids, names, answers, strict=True):
            if isinstance(answer, InputError):
                left = folders.left_out(name, answer)
                broken.append(
                    {"id": known, "path": name, "reason": left.reason, "detail": str(left.detail)}
                )
            else:
                row = {"id": known, "path": name, **answer}
                if add:
                    row["key"] = tar_files.key(name)
                    for ending, content in row.pop(PICTURES).items():
                        add(f"{row['key']}.{ending}", content)
                rows.append(row)
            seen()
    lines = []
    if broken:
        arrow_files.write(errors(plan, number), _table(broken, _ERRORS, plan, number))
        lines.append(_line(plan, errors(plan, number)))
    if job.pictures:
        lines.append(_line(plan, archive(plan, number)))

    def sealed(written: pathlib.Path) -> None:
        lines.append(f"{files.sha256_of(written)}  parts/{part(plan, number).name}\n")
        files.write_text(checksums(plan, number), "".join(lines))

    named = ("id", "path", "key") if job.pictures else ("id", "path")
    schema = pa.schema([*((name, pa.string()) for name in named), *job.columns])
    table = _table(job.finish(rows), schema, plan, number)
    arrow_files.write(part(plan, number), table, sealed)


def about(plan: Plan, number: int) -> bytes:
    """Returns what both files say of themselves, under `KEY`: which batch, which shard."""
    return f"{plan.key} {number}".encode()


def discard(plan: Plan) -> None:
    """Removes a batch of which nothing is of any use."""
    # Without the description there is no batch, whatever else is left by a kill.
    (plan.folder / DESCRIPTION).unlink(missing_ok=True)
    (plan.folder / ITEMS).unlink(missing_ok=True)
    for folder in FOLDERS:
        shutil.rmtree(plan.folder / folder, ignore_errors=True)


def clear(plan: Plan) -> None:
    """Removes what killed processes have left half-written."""
    for folder in FOLDERS:
        locks.clear_stale(plan.folder / folder)


def _line(plan: Plan, path: pathlib.Path) -> str:
    return f"{files.sha256_of(path)}  {path.relative_to(plan.folder).as_posix()}\n"


def _table(rows: list[dict], schema: pa.Schema, plan: Plan, number: int) -> pa.Table:
    columns = [pa.array([row[field.name] for row in rows], field.type) for field in schema]
    schema = schema.with_metadata({KEY: about(plan, number)})
    return pa.Table.from_arrays(columns, schema=schema)
