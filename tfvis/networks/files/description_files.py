"""What a checkpoint says of itself: a small JSON file, checked before anything is made of it."""

import json
import pathlib
from collections.abc import Callable, Mapping, Sequence

from tfvis import bounds, files
from tfvis.errors import InputError


def read(
    path: pathlib.Path,
    label: str,
    formats: Sequence[int],
    kinds: Mapping[str, type],
    check: Callable[[dict], None],
) -> dict:
    """Reads a description, and checks that each entry is what it must be.

    Args:
        path: the file.
        label: what messages begin with, such as "--checkpoint=pacs_vgg16".
        formats: numbers, one of which is its "format".
        kinds: {entry: its type}; others may be there.
        check: raises ValueError where an entry of the right type is impossible.

    Raises:
        InputError: unreadable, of another format, or an entry is missing or impossible.
    """
    try:
        said = json.loads(files.read_bytes(path, path.name, bounds.DESCRIPTION))
        if not isinstance(said, dict) or said.get("format") not in formats:
            raise ValueError(f"not of format {' or '.join(map(str, formats))}")
        wrong = [key for key, kind in kinds.items() if type(said.get(key)) is not kind]
        if wrong:
            raise ValueError(f"lacks {', '.join(wrong)}")
        check(said)
    except (ValueError, RecursionError) as error:
        raise InputError(f"{label}: {path.name} cannot be used ({error}).") from error
    return said
