"""Batches whose processes are killed at random moments, and what the engine of batches costs.

The items are generated (`generated_pictures`): nothing of it needs TensorFlow or files.
"""

import collections
import os
import pathlib
import random
import resource
import shutil
import signal
import subprocess
import sys
import time

from tfvis import hardware
from tfvis.experiments.batch import batches, jobs, plans, shards, verification
from tfvis.experiments.batch.engine import Engine

from . import generated_pictures

# One in a hundred cannot be used.
_BROKEN = 100
# A death is what is measured, not what ends the run.
_DEATHS = 10**6
_ROOT = pathlib.Path(__file__).resolve().parents[2]


def run(folder: pathlib.Path, count: int, steps: int, engine: Engine = Engine()):
    """Does a batch of so many items, `steps` the work of each; see `batches.run`."""
    settings = {"steps": steps, "broken": _BROKEN}
    folder.mkdir(parents=True, exist_ok=True)
    return batches.run(
        jobs.build(generated_pictures.MAKER, settings), generated_pictures.MAKER, settings,
        generated_pictures.items(count), engine, folder=folder, word="", deaths=_DEATHS,
    )  # fmt: skip


def results(folder: pathlib.Path) -> dict[str, bytes]:
    """Returns the bytes of all results of a batch."""
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for name in shards.FOLDERS
        for path in sorted((folder / name).iterdir())
    }


def killed(
    folder: pathlib.Path, count: int, steps: int, kills: int, later_s: float = 0.2, seed: int = 0
) -> collections.Counter:
    """Does a batch with two workers, of which one, or who started them, is killed again and again.

    Each third kill is that of who started them; all are begun again until the batch is done.

    Args:
        folder: of the batch.
        count, steps: see `run`.
        kills: how many.
        later_s: seconds at most from when a shard is done until somebody is killed.
        seed: of who is killed and when.

    Returns:
        {"worker" or "driver": how many were killed}; fewer than asked for where all was done
        before.

    Raises:
        RuntimeError: the batch ends otherwise than by a kill, or wrong.
    """
    generator, done = random.Random(seed), collections.Counter()
    environment = {**os.environ, "PYTHONPATH": str(_ROOT), "TQDM_DISABLE": "1"}
    words = [sys.executable, "-m", __name__, str(folder), str(count), str(steps)]
    while True:
        driver = subprocess.Popen(words, env=environment, stderr=subprocess.PIPE, cwd=_ROOT)
        reached = _done(folder)
        while driver.poll() is None:
            time.sleep(0.02)
            if done.total() == kills or _done(folder) <= reached:
                continue
            time.sleep(generator.uniform(0, later_s))
            reached = _done(folder)
            whom = "driver" if done.total() % 3 == 2 else "worker"
            alive = children(driver.pid)
            if driver.poll() is None and (whom == "driver" or alive):
                os.kill(driver.pid if whom == "driver" else generator.choice(alive), signal.SIGKILL)
                done[whom] += 1
        said = driver.communicate()[1].decode(errors="replace")
        if driver.returncode == 0:
            return done
        if driver.returncode != -signal.SIGKILL:
            raise RuntimeError(said)


def children(parent: int) -> list[int]:
    """Returns the processes that one has started and that live, as Linux tells them."""
    found = []
    for place in pathlib.Path("/proc").glob("[0-9]*/stat"):
        try:
            pid, _, rest = place.read_text().partition(" ")
        except OSError:  # It has just ended.
            continue
        state, above = rest.rpartition(") ")[2].split()[:2]
        if int(above) == parent and state != "Z":
            found.append(int(pid))
    return found


def table_batch(workdir: pathlib.Path, kills: int, count: int) -> None:
    """Prints what is left after kills, and what the engine costs beside the bare loop.

    Args:
        workdir: for the batches, which are deleted.
        kills: how many processes are killed.
        count: of the items of the pass whose memory is measured.
    """
    place = workdir / "batches"
    shutil.rmtree(place, ignore_errors=True)
    # While one is started again, the other does several shards of a tenth of a second.
    items, steps = 2560 * kills, 150
    run(place / "whole", items, steps)
    began = time.perf_counter()
    done = killed(place / "killed", items, steps, kills)
    found = verification.verify(place / "killed")
    same = results(place / "killed") == results(place / "whole")
    planned = sum(
        generated_pictures.broken(n, _BROKEN) for n in generated_pictures.items(items).names
    )
    seconds, bytes_ = time.perf_counter() - began, "the same" if same else "OTHER"
    there = found.rows + found.errors
    print(f"kill -9 of {done['worker']} workers and {done['driver']} of who started them, "
          f"{seconds:.0f} s: {bytes_} bytes as without, {found.items - there} items lost, "
          f"{there:,} of {found.items:,} there once, {len(found.wrong)} files wrong")  # fmt: skip
    print(f"unusable items: {found.errors} of {planned} among the errors")
    _overhead(place / "alone")
    _memory(place / "many", count)
    shutil.rmtree(place)


def _overhead(folder: pathlib.Path) -> None:
    """Prints what a batch takes beside the bare loop, and two workers beside one; in turns."""
    # Some 10 ms each: a small folder, cut into the smallest shards that are 16 to a part.
    steps, count = 5000, 512
    job = jobs.build(generated_pictures.MAKER, {"steps": steps, "broken": _BROKEN})
    names = generated_pictures.items(count).names
    times: dict[str, list[float]] = {"bare": [], "batch": [], "1": [], "2": []}

    def timed(name: str, clock, done) -> None:
        began = clock()
        done()
        times[name].append(clock() - began)

    for turn in range(3):
        place = folder / str(turn)
        timed("bare", time.process_time, lambda: list(job.answers(list(names))))
        timed("batch", time.process_time, lambda place=place: run(place, count, steps))
        for workers in (1, 2):
            timed(
                str(workers), time.perf_counter,
                lambda place=place, workers=workers: run(
                    place / str(workers), 2 * count, steps, Engine(workers=workers)
                ),
            )  # fmt: skip
    bare, batch, one, two = (sorted(times[name])[1] for name in times)
    shard = (batch - bare) / (count / plans.shard_size(count, 0))
    print(f"{count} items of {1000 * bare / count:.1f} ms in shards of "
          f"{plans.shard_size(count, 0)}: {batch / bare - 1:+.1%} of processor time over the bare "
          f"loop, {1000 * shard:.1f} ms a shard (medians of 3, in turns)")  # fmt: skip
    print(f"two workers {one / two:.2f} times as fast as one on {hardware.cores()} cores, their "
          "start included")  # fmt: skip


def _memory(folder: pathlib.Path, count: int) -> None:
    """Prints how the memory of this process grows from a tenth of the items to all of them."""
    marks = []
    for part in (count // 10, count):
        run(folder / str(part), part, 1)
        marks.append(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
    more = 1024 * (marks[1] - marks[0]) / (count - count // 10)
    print(f"memory at most: {marks[0] / 1024:.0f} MiB for {count // 10:,} items, "
          f"{marks[1] / 1024:.0f} MiB for {count:,}: {more:.0f} bytes an item")  # fmt: skip


def _done(folder: pathlib.Path) -> int:
    return len(list((folder / "parts").glob("part-*")))


if __name__ == "__main__":
    run(pathlib.Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]), Engine(workers=2))
