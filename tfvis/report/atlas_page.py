"""The page of an atlas: index.html with its one script, and data as scripts it asks for.

A browser that opens a page from disk loads neither modules nor JSON; a classic script it does. The
page asks nothing of any other place, to which a Content-Security-Policy holds browsers.
"""

import base64
import functools
import hashlib
import json
import os
import pathlib

import jinja2
import markupsafe

from tfvis import files
from tfvis.errors import printable

NAME = "index.html"
_FOLDER = pathlib.Path(__file__).parent
# Any page of ours has it.
_MARK = '<meta name="generator" content="tfvis atlas">'
_SEEN = 4096


def ours(path: pathlib.Path) -> bool:
    """Tells whether a page may be written there: nothing is, or an atlas."""
    if not path.exists():
        return True
    with path.open("rb") as file:
        return _MARK in file.read(_SEEN).decode("utf-8", "replace")


def write(path: os.PathLike | str) -> None:
    """Writes the page; all that it shows comes from the data beside it.

    Raises:
        InputError: the folder cannot be written to.
    """
    script = "".join(
        (_FOLDER / name).read_text("utf-8")
        for name in ("atlas.js", "atlas_sheets.js", "atlas_units.js", "atlas_start.js")
    )
    text = _template("atlas.html").render(
        mark=markupsafe.Markup(_MARK),
        style=markupsafe.Markup((_FOLDER / "atlas.css").read_text("utf-8")),
        script=markupsafe.Markup(script),
        digest=base64.b64encode(hashlib.sha256(script.encode()).digest()).decode("ascii"),
    )
    files.write_text(path, text + "\n")


def write_data(path: os.PathLike | str, name: str, data) -> None:
    """Writes data as a script that hands it to the page.

    Args:
        path: of the file.
        name: under which the page waits for it.
        data: of JSON's types; no words in it are obeyed by a terminal or a browser.
    """
    text = json.dumps(_shown(data), ensure_ascii=True, separators=(",", ":"), allow_nan=False)
    files.write_text(path, f"atlas({json.dumps(name)},{text});\n")


def write_found(path: os.PathLike | str, **values) -> None:
    """Writes the page of a search by picture.

    Args:
        path: of the file.
        **values: of found.html.
    """
    style = (_FOLDER / "atlas.css").read_text("utf-8")
    text = _template("found.html").render(style=markupsafe.Markup(style), **values)
    files.write_text(path, text + "\n")


def _shown(data):
    """Returns data whose words hold nothing that a page obeys, such as turned letters."""
    if isinstance(data, str):
        return printable(data)
    if isinstance(data, dict):
        return {printable(str(name)): _shown(value) for name, value in data.items()}
    if isinstance(data, (list, tuple)):
        return [_shown(value) for value in data]
    return data


@functools.cache
def _template(name: str) -> jinja2.Template:
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(_FOLDER), autoescape=True, undefined=jinja2.StrictUndefined
    )
    return environment.get_template(name)
