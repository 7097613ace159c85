"""The plan of a batch: its items, cut into shards once and for all, and what is done to them.

An item is known by its path below the folder of all and its size: unique, as paths are, the same
wherever the folder is mounted, and known without opening a file. The digest of a picture's bytes
would be one for two copies of it, and reads a terabyte before anything begins.
"""

import dataclasses
import functools
import hashlib
import itertools
import json
import os
import pathlib
from collections.abc import Callable, Collection, Iterable, Iterator
from typing import Generic, TypeVar

import pyarrow as pa

from tfvis import bounds, files
from tfvis.errors import InputError, arg
from tfvis.experiments.batch import arrow_files
from tfvis.report import manifest

ITEMS, DESCRIPTION = "plan.arrow", "job.json"
# Of 256 pictures, at 29 a second, a kill costs 9 seconds at most, and what writing a shard takes
# (some milliseconds) is nothing beside it. A small folder is cut finer, or there is nothing to
# share.
_LARGEST, _LEAST, _PARTS = 256, 8, 32
# A shard is held in memory until it is written.
_SHARD_BYTES = 64 * 2**20
_SCHEMA = pa.schema([("id", pa.string()), ("path", pa.string()), ("size", pa.int64())])
# Characters of a value in a message.
_SHOWN = 40
T = TypeVar("T")


class Lazy(Collection[T], Generic[T]):
    """So many values, made as they are gone through and held by nobody."""

    def __init__(self, count: int, values: Callable[[], Iterable[T]]):
        self._count, self._values = count, values

    def __len__(self) -> int:
        return self._count

    def __iter__(self) -> Iterator[T]:
        return iter(self._values())

    def __contains__(self, value: object) -> bool:
        return any(value == one for one in self)


@dataclasses.dataclass(frozen=True)
class Items:
    """What there is to do.

    Attributes:
        root: the folder that all names begin in.
        names: of the items, relative, with slashes; no two alike. A `Lazy` of a million takes no
            memory, as they are gone through once.
        sizes: in bytes.
    """

    root: str
    names: Collection[str]
    sizes: Collection[int]


@dataclasses.dataclass(frozen=True)
class Plan:
    """A plan as it lies in a folder.

    Attributes:
        folder: of the batch.
        root: of the items.
        count: of the items.
        shard: items in each shard but the last.
        fingerprint: of the job, the items and the shards.
        settings: that a job is made from.
    """

    folder: pathlib.Path
    root: str
    count: int
    shard: int
    fingerprint: dict[str, object]
    settings: dict

    @property
    def shards(self) -> int:
        """How many shards there are."""
        return -(-self.count // self.shard)

    def length(self, number: int) -> int:
        """Returns how many items a shard has."""
        return min(self.shard, self.count - number * self.shard)

    def items(self, number: int) -> tuple[list[str], list[str]]:
        """Returns the (ids, names) of a shard; of the others nothing is read."""
        rows = _opened(self.folder / ITEMS).get_batch(number)
        return rows["id"].to_pylist(), rows["path"].to_pylist()

    @functools.cached_property
    def key(self) -> str:
        """The digest of the fingerprint, which every part carries."""
        return manifest.key(fingerprint=self.fingerprint)


def shard_size(count: int, row_bytes: int) -> int:
    """Returns how many items a shard is best of.

    Args:
        count: of all items.
        row_bytes: of one's row.
    """
    size = min(_LARGEST, max(_LEAST, -(-count // _PARTS)))
    return max(1, min(size, _SHARD_BYTES // max(1, row_bytes)))


def agreed(
    folder: pathlib.Path, items: Items, fingerprint: dict, settings: dict, shard: int
) -> Plan:
    """Returns the plan of a folder, which is made where there is none.

    Args:
        folder: of the batch.
        items: what there is to do.
        fingerprint: of the job.
        settings: of the job.
        shard: items in a shard, if the plan is made.

    Raises:
        InputError: there is a plan in the folder, of other items or another job.
    """
    before = _description(folder)
    shard = before["shard"] if before else shard
    digest, count = hashlib.sha256(), len(items.names)

    def known() -> dict:
        return manifest.plain({**fingerprint, "items": f"{count:,} ({digest.hexdigest()[:12]})"})

    def check(written: pathlib.Path) -> None:
        if before:
            _check_same(folder, before["fingerprint"], known())

    # Without the description nothing was begun, whatever lies there. With it the items are written
    # all the same: they may be lost, or as an earlier version wrote them.
    arrow_files.write_batches(folder / ITEMS, _SCHEMA, _batches(items, shard, digest), check)
    plan = Plan(folder, items.root, count, shard, known(), settings)
    about = {
        "root": plan.root, "count": plan.count, "shard": shard,
        "fingerprint": plan.fingerprint, "settings": manifest.plain(settings),
    }  # fmt: skip
    files.write_text(folder / DESCRIPTION, json.dumps(about, indent=2) + "\n")
    return plan


def _batches(items: Items, shard: int, digest) -> Iterator[pa.RecordBatch]:
    """Yields the rows of the plan, those of a shard at a time; adds their ids to a digest."""
    rows = zip(items.names, items.sizes, strict=True)
    between = ""
    while group := list(itertools.islice(rows, shard)):
        names, sizes = zip(*group, strict=True)
        ids = [_id(name, size) for name, size in group]
        digest.update((between + "\n".join(ids)).encode())
        between = "\n"
        yield pa.record_batch([ids, names, sizes], schema=_SCHEMA)


def read(folder: os.PathLike | str) -> Plan:
    """Returns the plan that lies in a folder.

    Raises:
        InputError: there is none.
    """
    folder = pathlib.Path(folder)
    before = _description(folder)
    if not before:
        raise InputError(f"{folder}: no batch was begun there.")
    if not (folder / ITEMS).is_file():
        raise InputError(f"{folder}: its {ITEMS} is missing. Begin the batch again: it goes on.")
    return Plan(folder, **before)


def _description(folder: pathlib.Path) -> dict | None:
    path = folder / DESCRIPTION
    if not path.exists():
        return None
    kinds = {"root": str, "count": int, "shard": int, "fingerprint": dict, "settings": dict}
    try:
        found = json.loads(files.read_bytes(path, str(path), bounds.MANIFEST))
        sound = {name: type(found[name]) for name in kinds} == kinds
    except (ValueError, KeyError, TypeError, RecursionError):
        sound = False
    if not sound or found["shard"] < 1:
        raise InputError(
            f"{path}: is no plan of a batch, or damaged. Choose another {arg('workdir')}."
        )
    return {name: found[name] for name in kinds}


def _check_same(folder: pathlib.Path, before: dict, now: dict) -> None:
    names = [name for name in {**before, **now} if before.get(name) != now.get(name)]
    if names:
        changes = "; ".join(
            f"{name} was {_shown(before.get(name))}, is {_shown(now.get(name))}" for name in names
        )
        raise InputError(
            f"{arg('workdir')}={folder}: what was begun there differs: {changes}. Give what it was "
            "begun with, or choose another folder."
        )


def _shown(value) -> str:
    text = value if isinstance(value, str) else json.dumps(value)
    return text if len(text) <= _SHOWN else f"{text[: _SHOWN - 3]}..."


def _id(name: str, size: int) -> str:
    # Half of a digest: of 10^9 items no two share it but once in 10^20 such sets.
    return hashlib.sha256(f"{size} {name}".encode()).hexdigest()[:32]


def _opened(path: pathlib.Path) -> pa.ipc.RecordBatchFileReader:
    about = path.stat()
    return _kept(str(path), about.st_mtime_ns, about.st_size)


@functools.lru_cache(maxsize=4)
def _kept(path: str, time: int, size: int) -> pa.ipc.RecordBatchFileReader:
    del time, size  # What tells a file from one of its name.
    return pa.ipc.open_file(pa.OSFile(path))
