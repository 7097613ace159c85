"""Names of others inside Markdown, as text and nothing else."""

import html
import re

from tfvis.errors import printable


def text(name: str) -> str:
    """Returns a name for a sentence or a cell of a table: no HTML, links, code or new cells."""
    shown = html.escape(line(name), quote=False)
    return re.sub(r"([\\`*\[\]|~])", r"\\\1", shown)


def line(name: str) -> str:
    """Returns a text on one line, for a block of code."""
    return " ".join(printable(name).split())
