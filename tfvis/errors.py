"""The one exception that means "the input is wrong", not "the program is"."""

import difflib
from collections.abc import Iterable


class InputError(ValueError):
    """Something the caller gave cannot be used; the message says what and what to do.

    Apps print the message as one line on stderr and exit with a non-zero code.
    Anything else that escapes is a bug and keeps its traceback.
    """


def nearest(name: str, known: Iterable[str], count: int = 3) -> str:
    """Returns a hint that names the known words closest to `name`.

    Args:
        name: what was asked for.
        known: every word that would have been accepted.
        count: how many to offer at most.

    Returns:
        "Nearest: a, b." or, where nothing is close, the first few known words.
    """
    known = list(known)
    lowered = {word.lower(): word for word in known}
    close = difflib.get_close_matches(name.lower(), lowered, n=count, cutoff=0.5)
    if close:
        return f"Nearest: {', '.join(lowered[word] for word in close)}."
    shown = ", ".join(known[:8])
    return f"Known: {shown}{', ...' if len(known) > 8 else ''}."
