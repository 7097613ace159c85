"""What is done to each item of a batch, and how another process comes to do the same."""

import dataclasses
import importlib
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import pyarrow as pa

from tfvis.errors import InputError

# What an answer calls its files.
PICTURES = "pictures"


@dataclasses.dataclass(frozen=True, eq=False)
class Job:
    """What is done to items, in this process.

    Attributes:
        fingerprint: {name: what it is}, of JSON's types: all that decides what is written.
        columns: of a row, behind its `id` and `path`.
        answers: from the paths of a shard to, in their order, the values of each one's columns by
            name, or why there are none.
        pictures: whether answers also have `PICTURES`, {how the name of a file ends: its bytes},
            which go into an archive beside the part; each row has their `key` there.
        finish: from the rows of a shard to those that are written, of the same items.
    """

    fingerprint: dict[str, object]
    columns: pa.Schema
    answers: Callable[[Sequence[str]], Iterator[dict[str, Any] | InputError]]
    pictures: bool = False
    finish: Callable[[list[dict[str, Any]]], list[dict[str, Any]]] = lambda rows: rows


def build(maker: str, settings: dict) -> Job:
    """Returns a job, made anew from plain data.

    Args:
        maker: "module:function", written in code and never read from a file, as it is run.
        settings: of JSON's types; what the function is called with.

    Raises:
        InputError: as the function does.
    """
    module, _, function = maker.partition(":")
    return getattr(importlib.import_module(module), function)(settings)
