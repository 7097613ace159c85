"""The folder of a run's results, which belongs to one run at a time."""

import contextlib
import functools
import pathlib
from collections.abc import Callable

from tfvis import files, locks
from tfvis.errors import arg

# Folders that were not there before this process.
_made: set[pathlib.Path] = set()


def claimed(path: str) -> pathlib.Path:
    """Makes the folder of a run's results and keeps it to this process until it ends.

    Raises:
        InputError: it cannot be written to, or another run is at work there.
    """
    there = _exists(path)
    folder = files.make_folder(path, "workdir")
    if not there:
        _made.add(folder)
    locks.hold(folder, "workdir")
    return folder


def kept(run: Callable) -> Callable:
    """Makes the `workdir` of an experiment, and keeps it to it until it ends.

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
                return run(*given, workdir=folder, **more)
        finally:
            if not there:
                with contextlib.suppress(OSError):  # What holds results is not empty, and stays.
                    folder.rmdir()

    return alone


def _exists(workdir: pathlib.Path | str) -> bool:
    return files.located(workdir, f"{arg('workdir')}={workdir}").exists()
