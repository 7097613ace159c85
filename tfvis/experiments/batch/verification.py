"""Whether a batch is whole: every item once, in a row or among the errors, and no byte changed."""

import dataclasses
import os
import pathlib
import re
import tarfile
from collections.abc import Iterator

import pyarrow as pa
import pyarrow.parquet as pq

from tfvis import files
from tfvis.errors import InputError
from tfvis.experiments.batch import plans, shards, tar_files
from tfvis.experiments.batch.plans import Plan

_LINE = re.compile(r"([0-9a-f]{64})  ((?:parts|errors|archives)/[\w.-]+)")
# A digest and a name, three times.
_BYTES = 4096


@dataclasses.dataclass(frozen=True)
class Verified:
    """What a batch has.

    Attributes:
        items: that were planned.
        rows: of the parts.
        errors: items that could not be used.
        missing: shards that are not done.
        wrong: what is not as it was written, a line each.
    """

    items: int
    rows: int
    errors: int
    missing: int
    wrong: tuple[str, ...]

    @property
    def whole(self) -> bool:
        """Whether every item was done once, and all is as it was written."""
        return not self.missing and not self.wrong and self.rows + self.errors == self.items


def verify(folder: os.PathLike | str) -> Verified:
    """Counts rows, compares ids with the plan's and files with their checksums.

    Args:
        folder: of a batch, done or not.

    Raises:
        InputError: no batch was begun there.
    """
    plan = plans.read(folder)
    done = sorted(shards.finished(plan))
    rows, errors, wrong = 0, 0, []
    for number in done:
        try:
            counts = _counts(plan, number)
        except (InputError, pa.ArrowException, tarfile.TarError, OSError) as error:
            wrong.append(f"{error} Delete {shards.part(plan, number)} and run again.")
            continue
        rows, errors = rows + counts[0], errors + counts[1]
    known = {shards.part(plan, number).name for number in range(plan.shards)}
    if (plan.folder / "parts").is_dir():
        strange = (
            path
            for path in (plan.folder / "parts").iterdir()
            if path.name not in known and not path.name.startswith(".")
        )
        wrong += [f"{path}: is no part of this batch. Take it away." for path in sorted(strange)]
    return Verified(plan.count, rows, errors, plan.shards - len(done), tuple(wrong))


def broken(plan: Plan) -> Iterator[dict]:
    """Yields the rows of all errors: id, path, reason, detail."""
    for number in sorted(shards.finished(plan)):
        if (path := shards.errors(plan, number)).exists():
            yield from pq.read_table(path).to_pylist()


def _counts(plan: Plan, number: int) -> tuple[int, int]:
    """Returns how many rows and errors a shard has.

    Raises:
        InputError: they are not those of the plan, or their files not as they were written.
    """
    place = shards.checksums(plan, number)
    text = files.read_bytes(place, str(place), _BYTES).decode(errors="replace")
    known = {line[2]: line[1] for line in map(_LINE.fullmatch, text.splitlines()) if line}

    def read(path: pathlib.Path) -> pa.Table:
        _check(path, known.get(path.relative_to(plan.folder).as_posix()))
        with pq.ParquetFile(path) as file:
            if (file.schema_arrow.metadata or {}).get(shards.KEY) != shards.about(plan, number):
                raise InputError(f"{path}: is of another batch, or another shard.")
            return file.read([name for name in ("id", "key") if name in file.schema_arrow.names])

    part, errors = shards.part(plan, number), shards.errors(plan, number)
    found = read(part)
    there = errors.exists() or f"errors/{errors.name}" in known
    rows = found["id"].to_pylist()
    broken = read(errors)["id"].to_pylist() if there else []
    planned, wrong = plan.items(number)[0], set(broken)
    if rows != [one for one in planned if one not in wrong] or broken != [
        one for one in planned if one in wrong
    ]:
        raise InputError(f"{part}: its rows are not the items of the plan.")
    if "key" in found.column_names:
        archive = shards.archive(plan, number)
        _check(archive, known.get(f"archives/{archive.name}"))
        if tar_files.keys(archive) != found["key"].to_pylist():
            raise InputError(f"{archive}: its pictures are not those of the rows of {part.name}.")
    return len(rows), len(broken)


def _check(path: pathlib.Path, digest: str | None) -> None:
    if files.sha256_of(path) != digest:
        raise InputError(f"{path}: its bytes are not those that were written.")
