"""Results made by threads a little ahead of where they are asked for."""

import collections
import concurrent.futures
import itertools
from collections.abc import Callable, Generator, Iterable
from typing import TypeVar

from tfvis.errors import InputError

Item = TypeVar("Item")
Result = TypeVar("Result")


def ahead(
    make: Callable[[Item], Result], items: Iterable[Item], threads: int = 1, most: int = 1
) -> Generator[Result | InputError, None, None]:
    """Yields what is made of each item, in their order; closing the iterator ends the threads.

    An InputError that is raised takes the place of its result.

    Args:
        make: what is done in threads. What else it raises is raised where its result is asked for.
        items: any number.
        threads: how many.
        most: results that wait or are being made while another is worked on.
    """

    def attempt(item: Item) -> Result | InputError:
        try:
            return make(item)
        except InputError as error:
            return error

    coming = iter(items)
    pool = concurrent.futures.ThreadPoolExecutor(threads)
    try:
        waiting = collections.deque(
            pool.submit(attempt, item) for item in itertools.islice(coming, most)
        )
        while waiting:
            result = waiting.popleft().result()
            waiting.extend(pool.submit(attempt, item) for item in itertools.islice(coming, 1))
            yield result
    finally:
        pool.shutdown(cancel_futures=True)
