"""What experiments share that look through a folder of any size in shards; see `batch`."""

import contextlib
import dataclasses
import pathlib
from collections.abc import Callable, Iterator, Sequence
from typing import Any, TypeVar

import pyarrow.parquet as pq

from tfvis import images, read_ahead
from tfvis.errors import InputError
from tfvis.experiments import folders
from tfvis.experiments.batch import batches, shards
from tfvis.experiments.batch.engine import Engine
from tfvis.experiments.batch.jobs import Job
from tfvis.experiments.batch.plans import Plan
from tfvis.experiments.batch.verification import Verified
from tfvis.report import manifest

Read = TypeVar("Read")
# Of a row whose pictures go into an archive: a shard is then of 64, some 100 MB of maps or
# paintings, and a kill costs a minute or two.
PICTURES_BYTES = 2**20


@dataclasses.dataclass(frozen=True)
class Done:
    """A batch that is done.

    Attributes:
        found: the files it is of.
        plan: of it.
        verified: what it has.
    """

    found: folders.Found
    plan: Plan
    verified: Verified

    def rows(self) -> Iterator[dict[str, Any]]:
        """Yields the rows of all parts, their paths whole; a shard is in memory at a time."""
        root = pathlib.Path(self.plan.root)
        for number in range(self.plan.shards):
            for row in pq.read_table(shards.part(self.plan, number)).to_pylist():
                yield row | {"path": str(root / row["path"])}

    def lines(self) -> list[str]:
        """Returns what it came to, in words."""
        return batches.lines(self.plan, self.verified)

    def write_manifest(self, workdir: pathlib.Path, arguments: dict | None, **about) -> None:
        """Writes manifest.json: what the batch came to, and what else there is to say."""
        manifest.write(
            workdir / "manifest.json",
            {
                "arguments": arguments or {}, "versions": manifest.versions(), **about,
                "fingerprint": self.plan.fingerprint, "pictures": self.verified.items,
                "rows": self.verified.rows, "errors": self.verified.errors,
                **folders.told(self.found),
            },
        )  # fmt: skip


def run(
    job: Job,
    maker: str,
    settings: dict,
    found: folders.Found,
    engine: Engine,
    workdir: pathlib.Path,
    *,
    word: str = "Looking",
    row_bytes: int = 0,
) -> Done:
    """Does what is not done yet of a batch of files, verifies all of it, says what was left out.

    Args:
        job, maker, settings, engine, word, row_bytes: see `batches.run`.
        found: the files.
        workdir: for the batch.

    Raises:
        InputError: as `batches.run`; none of the files can be used.
    """
    plan, verified = batches.run(
        job, maker, settings, batches.items(found), engine, folder=workdir, word=word,
        row_bytes=row_bytes,
    )  # fmt: skip
    batches.report(found, plan, verified)
    return Done(found, plan, verified)


def answers(
    read: Callable[[str], Read], look: Callable[[Read], dict[str, Any]]
) -> Callable[[Sequence[str]], Iterator[dict[str, Any] | InputError]]:
    """Returns the answers of a job, see `Job`, that reads the next file while it looks at one.

    Args:
        read: from a path to what is looked at, in a thread.
        look: from that to the values of a row's columns.
    """

    def answer(found: Read | InputError) -> dict[str, Any] | InputError:
        if isinstance(found, InputError):
            return found
        try:
            return look(found)
        except InputError as error:
            return error

    def all_of(paths: Sequence[str]) -> Iterator[dict[str, Any] | InputError]:
        coming = read_ahead.ahead(read, paths)
        with contextlib.closing(coming):
            yield from map(answer, coming)

    return all_of


def whole(path: str) -> Any:
    """Reads a picture whose pixels are counted, as those of maps and boxes are."""
    return images.read(path, None, shrink=False).pixels
