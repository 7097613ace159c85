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
from collections.abc import Callable

# Elsewhere nothing can be forked from, and Python starts anew.
_context = multiprocessing.get_context("forkserver" if sys.platform == "linux" else "spawn")
if sys.platform == "linux":
    _context.set_forkserver_preload(["tests.preloaded"])


class App:
    """`python -m apps.APP FLAGS`, started; `prepare` is called in it before all else."""

    def __init__(
        self, app: str, flags: list[str], cwd: pathlib.Path, prepare: Callable | None = None
    ):
        self.command = [sys.executable, "-m", f"apps.{app}", *map(str, flags)]
        self._folder = tempfile.TemporaryDirectory()
        self._streams = [os.path.join(self._folder.name, name) for name in ("out", "err")]
        self._process = _context.Process(
            target=_main,
            args=(app, self.command[3:], str(cwd), dict(os.environ), self._streams, prepare),
        )
        self._process.start()

    def ended(self) -> bool:
        return self._process.exitcode is not None

    def send_signal(self, number: int) -> None:
        if not self.ended():
            os.kill(self._process.pid, number)

    def wait(self, timeout: float) -> subprocess.CompletedProcess:
        """Returns a CompletedProcess with text streams once it has ended."""
        self._process.join(timeout)
        late = not self.ended()
        if late:
            self._process.kill()
            self._process.join()
        with self._folder:
            texts = [pathlib.Path(path) for path in self._streams]
            out, err = (path.read_text("utf-8") if path.exists() else "" for path in texts)
        if late:
            raise subprocess.TimeoutExpired(self.command, timeout, out, err)
        return subprocess.CompletedProcess(self.command, self._process.exitcode, out, err)


def run(app: str, flags: list[str], cwd: pathlib.Path, timeout: float):
    """Runs `python -m apps.APP FLAGS` and returns a CompletedProcess with text streams."""
    return App(app, flags, cwd).wait(timeout)


def _main(
    app: str, flags: list[str], cwd: str, environ: dict, streams: list[str], prepare: Callable
) -> None:
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
    sys.argv = [f"apps/{app}.py", *flags]
    if prepare:
        prepare()
    runpy.run_module(f"apps.{app}", run_name="__main__", alter_sys=True)
