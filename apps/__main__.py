"""The command `tfvis APP [flags]`, of which each app is one word; alone it lists them."""

import ast
import importlib.util
import pkgutil
import runpy
import sys

from tfvis import __version__
from tfvis.errors import nearest, printable

from .flags import program, streams

_HELP = ("--help", "-help", "-h", "help")


def main() -> None:
    """Runs the app that the first word names, as `python -m apps.NAME` does.

    Exit codes: the app's; 2 for a word that is none.
    """
    words = sys.argv[1:]
    streams.prepare()
    if not words or words[0] in _HELP:
        streams.write(_listed())
    elif words[0] == "--version":
        streams.write(f"tfvis {__version__}\n")
    elif words[0] not in _apps():
        streams.say(f"tfvis: there is no app {printable(words[0])!r}. {nearest(words[0], _apps())}")
        sys.exit(2)
    else:
        sys.argv = words
        runpy.run_module(program.module(words[0]), run_name="__main__", alter_sys=True)


def _apps() -> list[str]:
    """Returns the names of all apps."""
    path = importlib.util.find_spec(program.PACKAGE).submodule_search_locations
    return sorted(
        found.name
        for found in pkgutil.iter_modules(path)
        if not found.ispkg and not found.name.startswith("_")
    )


def _listed() -> str:
    """Returns a line for each app, of which nothing is run to know it."""
    lines = [f"{program.name('APP')} [flags]; --help after an app's name tells its flags.", ""]
    for app in _apps():
        loader = importlib.util.find_spec(program.module(app)).loader
        about = ast.get_docstring(ast.parse(loader.get_source(program.module(app))))
        lines.append(f"  {app:<12} {about.splitlines()[0]}")
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    main()
