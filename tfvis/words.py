"""Lists as people type them: names between commas, numbers and ranges."""

import re

from tfvis.errors import InputError, arg


def words(value: str) -> list[str]:
    r"""Returns words that commas separate; a comma in one is written \,."""
    return [re.sub(r"\\,", ",", word).strip() for word in re.split(r"(?<!\\),", value)]


def split(value: str, argument: str) -> list[str]:
    r"""Returns the comma-separated words, without doubles; \, is a comma in one.

    Args:
        value: the words.
        argument: that they are of, for messages.

    Raises:
        InputError: there are none.
    """
    found = dict.fromkeys(filter(None, words(value or "")))
    if not found:
        raise InputError(f"{arg(argument)}: expected at least one name.")
    return list(found)


def some(names: list[str], most: int = 8) -> str:
    """Returns the first of the names in words, and how many more there are."""
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return ", ".join(names[:most]) + more


def floats(value: str | None, argument: str) -> tuple[float, ...]:
    """Returns comma-separated numbers; none of what is empty.

    Raises:
        InputError: a word is no number.
    """
    try:
        return tuple(float(word) for word in value.split(",")) if value else ()
    except ValueError as error:
        raise InputError(f"{arg(argument)}={value}: expected numbers such as 0.7,0.3.") from error


def numbers(value: str | None, argument: str, exactly: int | None = None) -> tuple[int, ...] | None:
    """Returns whole numbers, or None where there are none.

    Args:
        value: "0-3,7", ranges and doubles counted once; with `exactly`, a plain list.
        argument: that they are of, for messages.
        exactly: how many numbers it takes.

    Raises:
        InputError: not of that form.
    """
    if not value:
        return None
    if exactly:
        parts = [word.strip() for word in value.split(",")]
        if len(parts) != exactly or not all(re.fullmatch(r"\d{1,7}", w) for w in parts):
            raise InputError(f"{arg(argument)}={value}: expected {exactly} whole numbers.")
        return tuple(int(word) for word in parts)
    result = []
    for word in value.split(","):
        match = re.fullmatch(r"\s*(\d{1,7})(?:-(\d{1,7}))?\s*", word)
        if not match:
            raise InputError(f"{arg(argument)}={value}: expected numbers such as 0-3,7.")
        first, last = int(match[1]), int(match[2] or match[1])
        if last < first or last - first > 100_000:
            raise InputError(f"{arg(argument)}={value}: {word.strip()} is not a range.")
        result += range(first, last + 1)
    return tuple(dict.fromkeys(result))
