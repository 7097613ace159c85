"""The one exception that means "the input is wrong", not "the program is".

Messages name arguments as `arg` marks them: a notebook reads `steps`, who typed flags `--steps`.
"""

import difflib
import secrets
import unicodedata
from collections.abc import Callable, Iterable

# Categories that a terminal or an editor obeys instead of showing: controls (escape sequences
# begin with one), orders of direction, halves of surrogate pairs (bytes of a file name that
# were no UTF-8), line and paragraph separators.
_UNSHOWN = {"Cc", "Cf", "Cs", "Zl", "Zp"}
# Of them, what words are written with: the joiners of Persian, Indic scripts and emoji.
_JOINERS = "\u200c\u200d"
# Drawn anew by each process: what files and people wrote cannot hold it.
_MARK = secrets.token_hex(8)


def arg(name: str) -> str:
    """Returns the name of an argument, marked as one, for a message that becomes a `Text`."""
    return f"{_MARK}{name}{_MARK}"


class Text(str):
    """Words that name arguments, as a person reads them; `spelled` writes the names otherwise."""

    _pieces: tuple[str, ...]

    def __new__(cls, words: str):
        """Takes words with `arg` in them; what they quote is made harmless."""
        if isinstance(words, Text):
            return words
        pieces = tuple(map(printable, words.split(_MARK)))
        made = super().__new__(cls, "".join(pieces))
        made._pieces = pieces
        return made

    def spelled(self, spell: Callable[[str], str]) -> str:
        """Returns the words with the name of each argument as `spell` writes it."""
        return "".join(spell(piece) if k % 2 else piece for k, piece in enumerate(self._pieces))


class InputError(ValueError):
    """Something the caller gave cannot be used; the message says what and what to do.

    Apps print the message as one line on stderr and exit with a non-zero code.
    Anything else that escapes is a bug and keeps its traceback. What the message quotes
    (names of files, layers, classes) is made harmless with `printable`.
    """

    def __init__(self, message: str = ""):
        super().__init__(Text(message))


class PartError(InputError):
    """Cannot be done of this one part of what was asked for, such as a layer; of others it may."""


def marked(said: Exception | str) -> str:
    """Returns what an exception or a `Text` says, its arguments marked, for words around it."""
    said = said.args[0] if isinstance(said, InputError) else said
    return said.spelled(arg) if isinstance(said, Text) else str(said)


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
