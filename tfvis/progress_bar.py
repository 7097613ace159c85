"""The progress bar: what is done, how much of it, the time that is left."""

import sys
import warnings
from collections.abc import Callable, Iterable

from tfvis.errors import printable

# A bar appears after this long: work of two seconds needs none.
_LATER_S = 1.0
# Seconds between two states of it on a screen, and in a log file.
_OFTEN_S, _SELDOM_S = 0.2, 15


def watched() -> bool:
    """Tells whether this runs in a notebook, or with a terminal as stderr."""
    shell = sys.modules.get("IPython") and sys.modules["IPython"].get_ipython()
    # A kernel has a shell of ZeroMQ; IPython in a terminal is a terminal.
    in_notebook = type(shell).__name__ == "ZMQInteractiveShell"
    return in_notebook or (sys.stderr is not None and sys.stderr.isatty())


def bar(
    word: str,
    total: float | None,
    items: Iterable | None = None,
    *,
    delay: float = _LATER_S,
    logged: bool = True,
):
    """Returns tqdm's bar of this place.

    TQDM_DISABLE=1 hides it everywhere.

    Args:
        word: what is being done.
        total: of what is counted; None is as many as there are items.
        items: to go through, if it is not moved by hand.
        delay: seconds before it appears.
        logged: whether it is also there where nobody watches, in a log file.
    """
    with warnings.catch_warnings():
        # Without ipywidgets a notebook gets the bar of a terminal, which does as well.
        warnings.simplefilter("ignore")
        from tqdm import auto
    # Left out where it is shown, so that the variable counts.
    hidden = {} if watched() or (logged and sys.stderr is not None) else {"disable": True}
    return auto.tqdm(
        items,
        printable(word),
        total=total,
        leave=logged,
        bar_format="{desc} {percentage:3.0f}%|{bar}| {elapsed}<{remaining}{postfix}",
        mininterval=_OFTEN_S if watched() else _SELDOM_S,
        delay=delay,
        **hidden,
    )


def follower(shown) -> Callable[..., None]:
    """Returns what moves a bar of `bar` to how much is done, and to another total if it is told."""

    def follow(done: float, total: float | None = None) -> None:
        if total is not None:
            shown.total = total
        shown.update(done - shown.n)

    return follow
