"""What the engine of batches costs, in time and memory.

The items are generated (`generated_pictures`): nothing of it needs TensorFlow or files.
"""

import pathlib
import resource
import shutil
import time

from tfvis import hardware
from tfvis.experiments.batch import jobs, plans
from tfvis.experiments.batch.engine import Engine

from . import batch_kills, generated_pictures


def table_costs(workdir: pathlib.Path, count: int) -> None:
    """Prints what the engine costs beside the bare loop, and how its memory grows.

    Args:
        workdir: for the batches, which are deleted.
        count: of the items of the pass whose memory is measured.
    """
    place = workdir / "batches"
    shutil.rmtree(place, ignore_errors=True)
    _overhead(place / "alone")
    _memory(place / "many", count)
    shutil.rmtree(place)


def _overhead(folder: pathlib.Path) -> None:
    """Prints what a batch takes beside the bare loop, and two workers beside one; in turns."""
    # Some 10 ms each: a small folder, cut into the smallest shards that are 16 to a part.
    steps, count = 5000, 512
    job = jobs.build(
        generated_pictures.MAKER, {"steps": steps, "broken": batch_kills.BROKEN, "pictures": True}
    )
    names = generated_pictures.items(count).names
    times: dict[str, list[float]] = {"bare": [], "batch": [], "1": [], "2": []}

    def timed(name: str, clock, done) -> None:
        began = clock()
        done()
        times[name].append(clock() - began)

    for turn in range(3):
        place = folder / str(turn)
        timed("bare", time.process_time, lambda: list(job.answers(list(names))))
        timed("batch", time.process_time, lambda place=place: batch_kills.run(place, count, steps))
        for workers in (1, 2):
            timed(
                str(workers), time.perf_counter,
                lambda place=place, workers=workers: batch_kills.run(
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
        batch_kills.run(folder / str(part), part, 1)
        marks.append(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
    more = 1024 * (marks[1] - marks[0]) / (count - count // 10)
    print(f"memory at most: {marks[0] / 1024:.0f} MiB for {count // 10:,} items, "
          f"{marks[1] / 1024:.0f} MiB for {count:,}: {more:.0f} bytes an item")  # fmt: skip
