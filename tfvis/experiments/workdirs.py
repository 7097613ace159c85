"""The folder of a run's results, which belongs to one run at a time."""

import contextlib
import dataclasses
import functools
import inspect
import pathlib
from collections.abc import Callable

from tfvis import files, locks
from tfvis.errors import arg
from tfvis.experiments import messages

# Folders that were not there before this process.
_made: set[pathlib.Path] = set()
# What was typed to run what a folder is of.
_commands: dict[pathlib.Path, str] = {}


def claimed(path: str, command: str = "") -> pathlib.Path:
    """Makes the folder of a run's results and keeps it to this process until it ends.

    Args:
        path: the folder.
        command: what was typed to run it, for its page.

    Raises:
        InputError: it cannot be written to, or another run is at work there.
    """
    there = _exists(path)
    folder = files.make_folder(path, "workdir")
    if not there:
        _made.add(folder)
    locks.hold(folder, "workdir")
    _commands[folder] = command
    return folder


def kept(run: Callable) -> Callable:
    """Makes the `workdir` of an experiment, keeps it to it until it ends, writes its page.

    Of an app, whose process has `claimed` it before, it stays kept. A run that is refused leaves
    no empty folder where there was none.

    Raises:
        InputError: as `claimed`.
    """

    @functools.wraps(run)
    def alone(*given, workdir: pathlib.Path | str, **more):
        there = _exists(workdir)
        folder = files.make_folder(workdir, "workdir")
        there = there and folder not in _made
        try:
            with locks.held(folder, "workdir"):
                done = run(*given, workdir=folder, **more)
                call = inspect.signature(run).bind(*given, workdir=folder, **more)
                return _with_page(run, call, done)
        finally:
            if not there:
                with contextlib.suppress(OSError):  # What holds results is not empty, and stays.
                    folder.rmdir()

    return alone


def _with_page(run: Callable, call: inspect.BoundArguments, done):
    """Writes the page of a run that has come to its end, where it has one; returns its outcome."""
    if getattr(done, "page", None) is None:
        return done
    # Not before flags are read, which knows workdirs.
    from tfvis.experiments import python_snippet
    from tfvis.report import run_page

    workdir = call.arguments["workdir"]
    flags = call.arguments.get("arguments") or {}
    snippet = python_snippet.snippet(run, call.arguments, workdir, flags)
    command = _commands.get(workdir, "")
    page = dataclasses.replace(done.page, command=command, snippet=snippet)
    if not run_page.write(workdir, page):
        messages.note(f"{workdir / run_page.NAME} is no page of a run; it stays, and none is made.")
        return done
    return dataclasses.replace(done, index=workdir / run_page.NAME)


def _exists(workdir: pathlib.Path | str) -> bool:
    return files.located(workdir, f"{arg('workdir')}={workdir}").exists()
