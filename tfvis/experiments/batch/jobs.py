"""What is done to each item of a batch, and how another process comes to do the same."""

import dataclasses
import importlib
from collections.abc import Callable, Iterator, Sequence

import pyarrow as pa

from tfvis.errors import InputError


@dataclasses.dataclass(frozen=True, eq=False)
class Job:
    """What is done to items, in this process.

    Attributes:
        fingerprint: {name: what it is}, of JSON's types: all that decides what is written.
        columns: of a row, behind its `id` and `path`.
        answers: from the paths of a shard to, in their order, the values of each one's columns by
            name, or why there are none.
    """

    fingerprint: dict[str, object]
    columns: pa.Schema
    answers: Callable[[Sequence[str]], Iterator[dict[str, object] | InputError]]


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
