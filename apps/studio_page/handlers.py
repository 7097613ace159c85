"""What both halves do with what the page sends, which may be anything."""

from collections.abc import Callable


def brought(studio, keep: Callable) -> Callable:
    """Returns (token, data) -> what is remembered, of a file that was brought.

    Args:
        studio: knows which files were.
        keep: (token, path, name) -> what is remembered.
    """

    def handler(token: str, data: dict):
        path = studio.brought(str(data.get("path", "")))
        try:
            return keep(token, path, str(data.get("name", "")))
        finally:
            path.unlink(missing_ok=True)

    return handler
