"""Batches whose processes are killed at random moments, on both engines.

The items are generated (`generated_pictures`): nothing of it needs TensorFlow or files.
"""

import collections
import functools
import os
import pathlib
import random
import secrets
import shutil
import signal
import subprocess
import sys
import time

from tfvis import files
from tfvis.experiments.batch import batches, jobs, shards, verification
from tfvis.experiments.batch.engine import Engine

from . import generated_pictures

# One in a hundred cannot be used.
BROKEN = 100
# A death is what is measured, not what ends the run.
_DEATHS = 10**6
# In shards of 64, some 50 ms each: while one worker is started again, the other does several. A
# batch is done over until there were kills enough.
_ITEMS, _STEPS, _ROW_BYTES = 300 * 64, 300, 2**20
# How the system names the processes of Ray that do the work.
_ACTOR = "ray::MapWorker"
_ROOT = pathlib.Path(__file__).resolve().parents[2]


def run(folder: pathlib.Path, count: int, steps: int, engine: Engine = Engine()):
    """Does a batch of so many items, `steps` the work of each; see `batches.run`."""
    settings = {"steps": steps, "broken": BROKEN, "pictures": True}
    folder.mkdir(parents=True, exist_ok=True)
    return batches.run(
        jobs.build(generated_pictures.MAKER, settings), generated_pictures.MAKER, settings,
        generated_pictures.items(count), engine, folder=folder, word="", deaths=_DEATHS,
        row_bytes=_ROW_BYTES,
    )  # fmt: skip


def results(folder: pathlib.Path) -> dict[str, str]:
    """Returns the digests of the bytes of all results of a batch."""
    return {
        path.relative_to(folder).as_posix(): files.sha256_of(path)
        for name in shards.FOLDERS
        for path in sorted((folder / name).glob("*"))
    }


def killed(
    folder: pathlib.Path,
    count: int,
    steps: int,
    kills: int,
    later_s: float = 0.2,
    seed: int = 0,
    engine: str = "local",
) -> collections.Counter:
    """Does a batch with two workers, of which one, or who started them, is killed again and again.

    Each third kill is that of who started them; all are begun again until the batch is done. Ray's
    cluster is one below this process, which goes on meanwhile.

    Args:
        folder: of the batch.
        count, steps: see `run`.
        kills: how many.
        later_s: seconds at most from when a shard is done until somebody is killed.
        seed: of who is killed and when.
        engine: see `Engine`.

    Returns:
        {"worker" or "driver": how many were killed}; fewer than asked for where all was done
        before.

    Raises:
        RuntimeError: the batch ends otherwise than by a kill, or wrong.
    """
    generator, done = random.Random(seed), collections.Counter()
    # Begun first: whoever is to be let in takes its token from the environment.
    cluster = {"RAY_ADDRESS": _ray_cluster()} if engine == "ray" else {}
    environment = {**os.environ, "PYTHONPATH": str(_ROOT), "TQDM_DISABLE": "1", **cluster}
    words = [sys.executable, "-m", __name__, str(folder), str(count), str(steps), engine]
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
            alive = children(driver.pid) if engine == "local" else _actors()
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
    return _parents().get(parent, [])


def _parents() -> dict[int, list[int]]:
    """Returns the living processes by who has started them."""
    found: dict[int, list[int]] = {}
    for place in pathlib.Path("/proc").glob("[0-9]*/stat"):
        try:
            pid, _, rest = place.read_text().partition(" ")
        except OSError:  # It has just ended.
            continue
        state, above = rest.rpartition(") ")[2].split()[:2]
        if state != "Z":
            found.setdefault(int(above), []).append(int(pid))
    return found


@functools.cache
def _ray_cluster() -> str:
    """Returns the address of a cluster of two cores, which ends with this process."""
    import ray

    # Whoever is started below is let in by it; else each process would make one of its own.
    os.environ.setdefault("RAY_AUTH_TOKEN", secrets.token_hex(32))
    ray.init(num_cpus=2, include_dashboard=False, log_to_driver=False, configure_logging=False)
    return ray.get_runtime_context().gcs_address


def _actors() -> list[int]:
    """Returns the processes that do the work in that cluster."""
    parents, below = _parents(), [os.getpid()]
    for process in below:  # Which grows meanwhile.
        below += parents.get(process, [])
    return [process for process in below if _name(process).startswith(_ACTOR)]


def _name(process: int) -> str:
    try:
        return pathlib.Path(f"/proc/{process}/cmdline").read_text(errors="replace")
    except OSError:
        return ""


def table_kills(workdir: pathlib.Path, kills: int, engine: str) -> None:
    """Prints what is left of a batch after kills.

    Args:
        workdir: for the batches, which are deleted.
        kills: how many processes are killed.
        engine: see `Engine`.
    """
    place = workdir / "batches"
    shutil.rmtree(place, ignore_errors=True)
    run(place / "whole", _ITEMS, _STEPS)
    expected = results(place / "whole")
    began, done, batch = time.perf_counter(), collections.Counter(), 0
    lost = wrong = other = unusable = 0
    while done.total() < kills:
        folder = place / f"killed-{batch}"
        more = killed(folder, _ITEMS, _STEPS, kills - done.total(), seed=batch, engine=engine)
        found = verification.verify(folder)
        lost += found.items - found.rows - found.errors
        wrong += len(found.wrong)
        unusable += found.errors
        other += results(folder) != expected
        done, batch = done + more, batch + 1
        print(f"{time.perf_counter() - began:.0f} s: {done.total()} of {kills}", flush=True)
        shutil.rmtree(folder)
    planned = sum(
        generated_pictures.broken(name, BROKEN) for name in generated_pictures.items(_ITEMS).names
    )
    print(f"{engine}: kill -9 of {done['worker']} workers and {done['driver']} of who started "
          f"them; of {batch} batches of {_ITEMS:,} items {batch - other} with the same bytes as "
          f"without, {lost} items lost or twice, {wrong} files wrong, {unusable} of "
          f"{batch * planned} unusable items among the errors")  # fmt: skip
    shutil.rmtree(place)


def _done(folder: pathlib.Path) -> int:
    return len(list((folder / "parts").glob("part-*")))


if __name__ == "__main__":
    run(pathlib.Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]), Engine(sys.argv[4], 2))
