"""Results made by threads a little ahead of where they are asked for."""

import collections
import concurrent.futures
import itertools
from collections.abc import Callable, Generator, Iterable
from typing import TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")


def ahead(
    make: Callable[[Item], Result], items: Iterable[Item], threads: int = 1, most: int = 1
) -> Generator[Result, None, None]:
    """Yields what is made of each item, in their order; closing the iterator ends the threads.

    Args:
        make: what is done in threads. What it raises is raised where its result is asked for.
        items: any number.
        threads: how many.
        most: results that wait or are being made while another is worked on.
    """
    coming = iter(items)
    pool = concurrent.futures.ThreadPoolExecutor(threads)
    try:
        waiting = collections.deque(
            pool.submit(make, item) for item in itertools.islice(coming, most)
        )
        while waiting:
            result = waiting.popleft().result()
            waiting.extend(pool.submit(make, item) for item in itertools.islice(coming, 1))
            yield result
    finally:
        pool.shutdown(cancel_futures=True)
