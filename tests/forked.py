"""Apps as processes of their own, forked from one that has imported TensorFlow once.

To import it takes most of the time of an app that does little, as those in tests do. What an app
sees is the same: its arguments, environment, streams and exit code.
"""

import multiprocessing
import os
import pathlib
import runpy
import subprocess
import sys
import tempfile


def run(app: str, flags: list[str], cwd: pathlib.Path, timeout: float):
    """Runs `python -m apps.APP FLAGS` and returns a CompletedProcess with text streams."""
    command = [sys.executable, "-m", f"apps.{app}", *map(str, flags)]
    if sys.platform != "linux":
        return subprocess.run(command, cwd=cwd, capture_output=True, text=True, timeout=timeout)
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["tests.preloaded"])
    with tempfile.TemporaryDirectory() as folder:
        streams = [os.path.join(folder, name) for name in ("out", "err")]
        process = context.Process(
            target=_main, args=(app, command[3:], str(cwd), dict(os.environ), *streams)
        )
        process.start()
        process.join(timeout)
        if process.exitcode is None:
            process.kill()
            raise subprocess.TimeoutExpired(command, timeout)
        out, err = (pathlib.Path(path).read_text("utf-8") for path in streams)
    return subprocess.CompletedProcess(command, process.exitcode, out, err)


def _main(app: str, flags: list[str], cwd: str, environ: dict, out: str, err: str) -> None:
    os.environ.clear()
    os.environ.update(environ)
    os.chdir(cwd)
    for number, path in enumerate((os.devnull, out, err)):
        opened = os.open(path, os.O_RDWR | os.O_CREAT)
        os.dup2(opened, number)
        os.close(opened)
    # Open until the process ends.
    sys.stdin, sys.stdout, sys.stderr = (
        open(number, mode, closefd=False)  # noqa: SIM115
        for number, mode in enumerate("rww")
    )
    sys.argv = [f"apps/{app}.py", *flags]
    runpy.run_module(f"apps.{app}", run_name="__main__", alter_sys=True)
