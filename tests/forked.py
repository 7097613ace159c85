"""Apps as processes of their own, forked from one that has imported TensorFlow once.

To import it takes most of the time of an app that does little, as those in tests do. What an app
sees is the same: its arguments, environment, streams and exit code.
"""

import multiprocessing
import os
import pathlib
import runpy
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence

# Elsewhere nothing can be forked from, and Python starts anew.
_context = multiprocessing.get_context("forkserver" if sys.platform == "linux" else "spawn")
if sys.platform == "linux":
    _context.set_forkserver_preload(["tests.preloaded"])


class Process:
    """A function that runs in a process of its own, from `cwd`, with text streams."""

    def __init__(self, cwd: pathlib.Path, function: Callable, *args):
        self._function, self._folder = function, tempfile.TemporaryDirectory()
        self._streams = [os.path.join(self._folder.name, name) for name in ("out", "err")]
        self._process = _context.Process(
            target=_main, args=(function, args, str(cwd), dict(os.environ), self._streams)
        )
        self._process.start()

    @property
    def pid(self) -> int:
        return self._process.pid

    def ended(self) -> bool:
        return self._process.exitcode is not None

    def send_signal(self, number: int) -> None:
        if not self.ended():
            os.kill(self._process.pid, number)

    def wait(self, timeout: float) -> subprocess.CompletedProcess:
        """Returns its exit code and what it wrote, once it has ended."""
        self._process.join(timeout)
        late = not self.ended()
        if late:
            self._process.kill()
            self._process.join()
        with self._folder:
            texts = [pathlib.Path(path) for path in self._streams]
            out, err = (path.read_text("utf-8") if path.exists() else "" for path in texts)
        if late:
            raise subprocess.TimeoutExpired(self._function.__name__, timeout, out, err)
        return subprocess.CompletedProcess(
            self._function.__name__, self._process.exitcode, out, err
        )


def started(
    app: str, flags: Sequence[str], cwd: pathlib.Path, prepare: Callable | None = None
) -> Process:
    """Starts `python -m apps.APP FLAGS`; `prepare` is called in it before all else."""
    return Process(cwd, _app, app, list(map(str, flags)), prepare)


def _main(function: Callable, args: tuple, cwd: str, environ: dict, streams: list[str]) -> None:
    # Shells have what they start in the background ignore Ctrl-C, and all that this starts.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    os.environ.clear()
    os.environ.update(environ)
    os.chdir(cwd)
    for number, path in enumerate((os.devnull, *streams)):
        opened = os.open(path, os.O_RDWR | os.O_CREAT)
        os.dup2(opened, number)
        os.close(opened)
    # Open until the process ends.
    sys.stdin, sys.stdout, sys.stderr = (
        open(number, mode, closefd=False)  # noqa: SIM115
        for number, mode in enumerate("rww")
    )
    function(*args)


def _app(app: str, flags: list[str], prepare: Callable | None) -> None:
    sys.argv = [f"apps/{app}.py", *flags]
    if prepare:
        prepare()
    runpy.run_module(f"apps.{app}", run_name="__main__", alter_sys=True)
