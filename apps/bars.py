"""The progress bar of every app: what is done, how much of it, the time that is left."""

import sys
from collections.abc import Iterable

import tqdm

# A bar appears after this long: work of two seconds needs none.
LATER_S = 1.0


def bar(
    word: str, total: float | None, items: Iterable | None = None, *, delay: float = LATER_S
) -> tqdm.tqdm:
    """Returns a bar with the time that is left, on stderr.

    Args:
        word: what is being done.
        total: of what is counted; None is as many as there are items.
        items: to go through, if it is not moved by hand.
        delay: seconds before it appears.
    """
    return tqdm.tqdm(
        items,
        word,
        total=total,
        bar_format="{desc} {percentage:3.0f}%|{bar}| {elapsed}<{remaining}{postfix}",
        mininterval=0.2 if sys.stderr.isatty() else 15,
        delay=delay,
        file=sys.stderr,
    )
