"""A progress bar for whoever watches: a terminal or a notebook, never a log file."""

import sys
import warnings

from tfvis.errors import printable


def watched() -> bool:
    """Tells whether this runs in a notebook, or with a terminal as stderr."""
    shell = sys.modules.get("IPython") and sys.modules["IPython"].get_ipython()
    # A kernel has a shell of ZeroMQ; IPython in a terminal is a terminal.
    in_notebook = type(shell).__name__ == "ZMQInteractiveShell"
    return in_notebook or (sys.stderr is not None and sys.stderr.isatty())


def bar(word: str, total: int | None):
    """Returns tqdm's bar of this place, hidden where nobody watches.

    TQDM_DISABLE=1 hides it everywhere.

    Args:
        word: what is being done.
        total: steps in all; None where they are told later.
    """
    with warnings.catch_warnings():
        # Without ipywidgets a notebook gets the bar of a terminal, which does as well.
        warnings.simplefilter("ignore")
        from tqdm import auto
    # Left out where it is watched, so that the variable counts.
    hidden = {} if watched() else {"disable": True}
    return auto.tqdm(desc=printable(word), total=total, leave=False, **hidden)
