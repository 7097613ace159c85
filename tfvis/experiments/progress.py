"""The progress bar of every app: what is done, how much of it, the time that is left."""

import sys
from collections.abc import Iterable

import tqdm

from tfvis.errors import printable

# A bar appears after this long: work of two seconds needs none.
LATER_S = 1.0


class Bar(tqdm.tqdm):
    """A bar whose words, names of layers among them, cannot give a terminal orders."""

    def set_description_str(self, desc: str | None = None, refresh: bool = True) -> None:
        """Sets the words in front."""
        super().set_description_str(printable(desc or ""), refresh)


def bar(
    word: str, total: float | None, items: Iterable | None = None, *, delay: float = LATER_S
) -> Bar:
    """Returns a bar with the time that is left, on stderr.

    Args:
        word: what is being done.
        total: of what is counted; None is as many as there are items.
        items: to go through, if it is not moved by hand.
        delay: seconds before it appears.
    """
    return Bar(
        items,
        printable(word),
        total=total,
        bar_format="{desc} {percentage:3.0f}%|{bar}| {elapsed}<{remaining}{postfix}",
        mininterval=0.2 if sys.stderr.isatty() else 15,
        delay=delay,
        file=sys.stderr,
    )
