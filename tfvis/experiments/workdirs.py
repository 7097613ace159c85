"""The folder of a run's results, which belongs to one run at a time."""

import functools
import pathlib
from collections.abc import Callable

from tfvis import files, locks


def claimed(path: str) -> pathlib.Path:
    """Makes the folder of a run's results and keeps it to this process until it ends.

    Raises:
        InputError: it cannot be written to, or another run is at work there.
    """
    folder = files.make_folder(path, "workdir")
    locks.hold(folder, "workdir")
    return folder


def kept(run: Callable) -> Callable:
    """Makes the `workdir` of an experiment, and keeps it to it until it ends.

    Of an app, whose process has `claimed` it before, it stays kept.

    Raises:
        InputError: as `claimed`.
    """

    @functools.wraps(run)
    def alone(*given, workdir: pathlib.Path | str, **more):
        folder = files.make_folder(workdir, "workdir")
        with locks.held(folder, "workdir"):
            return run(*given, workdir=folder, **more)

    return alone
