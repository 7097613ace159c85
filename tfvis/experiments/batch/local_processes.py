"""A batch by several processes of this machine, which are started again when they die."""

import contextlib
import os
import pathlib
import subprocess
import sys
import time

from tfvis import files, hardware
from tfvis.errors import InputError, arg
from tfvis.experiments.batch import shards, worker
from tfvis.experiments.batch.plans import Plan

# What a process writes, of which the end is told when it dies.
LOGS = "workers"
# Deaths in a row, for each worker, without a shard done between them: by then it is no chance.
DEATHS = 3
# Variables that say how many threads a process computes with.
THREADS = (
    "TF_NUM_INTRAOP_THREADS", "OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"
)  # fmt: skip
_LOOK_EVERY_S = 0.2
# What a worker is given to end, before it is made to.
_PATIENCE_S = 5.0
_LAST_WORDS = 2000
# More than any start of TensorFlow has to say.
_LOG_BYTES = 2**30


def run(maker: str, plan: Plan, workers: int, shown, deaths: int | None = None) -> None:
    """Works until all shards are done.

    Args:
        maker: see `jobs.build`.
        plan: of the batch.
        workers: how many processes.
        shown: a bar of `progress_bar.bar`, moved by the items done.
        deaths: how many in a row, without a shard done between them, end the run; None is
            `DEATHS` for each worker.

    Raises:
        InputError: workers are refused, or die again and again.
    """
    deaths = DEATHS * workers if deaths is None else deaths
    logs = plan.folder / LOGS
    logs.mkdir(exist_ok=True)
    done, died = shards.finished(plan), 0
    with contextlib.ExitStack() as stack:
        running: list[subprocess.Popen | None] = [None] * workers
        stack.callback(_end, running)
        while len(done) < plan.shards:
            for number, process in enumerate(running):
                log = logs / f"worker-{number}.log"
                if process is not None and process.poll() is not None:
                    died += process.returncode != 0
                    _check(process.returncode, died, deaths, log)
                    process = None
                if process is None:
                    running[number] = _started(maker, plan, workers, log)
            time.sleep(_LOOK_EVERY_S)
            now = shards.finished(plan)
            if new := now - done:
                died = 0
                shown.update(sum(map(plan.length, new)))
            done = now


def environment(workers: int) -> dict[str, str]:
    """Returns the environment of a worker: a share of the cores, and where modules are found."""
    threads = str(max(1, hardware.cores() // workers))
    return {
        **os.environ,
        **dict.fromkeys(THREADS, threads),
        # Several share a GPU only if none takes all of its memory.
        "TF_FORCE_GPU_ALLOW_GROWTH": "true",
        "PYTHONPATH": os.pathsep.join(path or os.getcwd() for path in sys.path),
    }


def _started(maker: str, plan: Plan, workers: int, log: pathlib.Path) -> subprocess.Popen:
    words = [sys.executable, "-m", worker.__name__, maker, str(plan.folder), str(os.getpid())]
    with open(log, "wb") as file:
        # In a session of its own: Ctrl-C is for this process, which then ends them.
        return subprocess.Popen(
            words, stdin=subprocess.DEVNULL, stdout=file, stderr=file,
            env=environment(workers), start_new_session=True,
        )  # fmt: skip


def _check(code: int, died: int, deaths: int, log: pathlib.Path) -> None:
    """Raises InputError where a worker was refused, or one death was too many."""
    if code == 0 or (code != worker.REFUSED and died <= deaths):
        return
    words = files.read_bytes(log, str(log), _LOG_BYTES)[-_LAST_WORDS:].decode(errors="replace")
    last = (words.strip().splitlines() or ["nothing"])[-1]
    if code == worker.REFUSED:
        raise InputError(last)
    raise InputError(
        f"{arg('workers')}: workers died {died} times without a shard done, the last with code "
        f"{code}; it said: {last} (all of it: {log}). What is finished stays."
    )


def _end(running: list[subprocess.Popen | None]) -> None:
    """Ends all workers: at once where they obey, in the end where not."""
    alive = [process for process in running if process is not None]
    for process in alive:
        process.terminate()
    for process in alive:
        try:
            process.wait(_PATIENCE_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
