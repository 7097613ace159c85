"""The one exception that means "the input is wrong", not "the program is"."""

import difflib
import unicodedata
from collections.abc import Iterable

# Categories that a terminal or an editor obeys instead of showing: controls (escape sequences
# begin with one), orders of direction, halves of surrogate pairs (bytes of a file name that
# were no UTF-8), line and paragraph separators.
_UNSHOWN = {"Cc", "Cf", "Cs", "Zl", "Zp"}
# Of them, what words are written with: the joiners of Persian, Indic scripts and emoji.
_JOINERS = "\u200c\u200d"


class InputError(ValueError):
    """Something the caller gave cannot be used; the message says what and what to do.

    Apps print the message as one line on stderr and exit with a non-zero code.
    Anything else that escapes is a bug and keeps its traceback. What the message quotes
    (names of files, layers, classes) is made harmless with `printable`.
    """

    def __init__(self, message: str = ""):
        super().__init__(printable(message))


def printable(text: str) -> str:
    """Returns text that a terminal or a page shows and does not obey.

    Names of files, layers and classes come out of files that anyone may have written.

    Args:
        text: any; spaces, tabs and line ends stay.

    Returns:
        The same with control characters and their like spelled out (an escape becomes
        the four characters \\x1b).
    """
    if text.isprintable():
        return text
    return "".join(
        letter.encode("unicode_escape", "surrogatepass").decode("ascii")
        if unicodedata.category(letter) in _UNSHOWN and letter not in "\t\n" + _JOINERS
        else letter
        for letter in text
    )


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
