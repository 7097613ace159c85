"""What the engine of batches costs, in time and memory."""

import dataclasses
import pathlib
import resource
import shutil
import time
from collections.abc import Callable

import numpy as np

from tfvis import hardware, images
from tfvis.experiments.batch import batches
from tfvis.experiments.batch.engine import Engine

from . import batch_kills

# Photographs of the pass over real items, their side in px, and passes of each kind.
_PHOTOGRAPHS, _SIDE, _TURNS = 64, 400, 3
# Items for two workers, and the work of each: some 20 ms in one thread, half a minute in all, to
# which the start of a worker and the last shard, of 32, add little.
_ITEMS, _STEPS = 1536, 5000


def table_costs(workdir: pathlib.Path, count: int) -> None:
    """Prints what the engine costs beside the bare loop, and how its memory grows.

    Args:
        workdir: for the batches, which are deleted.
        count: of the generated items of the pass whose memory is measured.
    """
    place = workdir / "batches"
    shutil.rmtree(place, ignore_errors=True)
    # Before TensorFlow is there, whose own memory would hide what grows.
    _memory(place / "many", count)
    _two_workers(place / "two")
    _overhead(place / "alone")
    shutil.rmtree(place)


def _memory(folder: pathlib.Path, count: int) -> None:
    """Prints how the memory of this process grows from a tenth of the items to all of them."""
    marks = []
    for part in (count // 10, count):
        batch_kills.run(folder / str(part), part, 1)
        marks.append(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)
    print(f"memory at most: {marks[0]:.0f} MiB for {count // 10:,} items, {marks[1]:.0f} MiB for "
          f"{count:,}: {marks[1] / marks[0] - 1:+.1%}", flush=True)  # fmt: skip


def _two_workers(folder: pathlib.Path) -> None:
    """Prints how much faster two workers are than one, of one thread each."""
    times: dict[int, list[float]] = {1: [], 2: []}
    for turn in range(_TURNS):
        for workers, taken in times.items():
            began = time.perf_counter()
            batch_kills.run(folder / f"{turn}-{workers}", _ITEMS, _STEPS, Engine(workers=workers))
            taken.append(time.perf_counter() - began)
    one, two = (float(np.median(taken)) for taken in times.values())
    print(f"two workers of a thread each {one / two:.2f} times as fast as one of a thread, "
          f"{two:.1f} and {one:.1f} s, on {hardware.cores()} cores, their start included (medians "
          f"of {_TURNS}, in turns)", flush=True)  # fmt: skip


def _overhead(folder: pathlib.Path) -> None:
    """Prints what vectors of photographs take in shards beside the bare loop, in turns."""
    from tfvis.experiments import features, folders, networks
    from tfvis.experiments.features_settings import Features

    generator = np.random.default_rng(0)
    photographs = images.demo_set()
    for k in range(_PHOTOGRAPHS):
        whole = photographs[k % len(photographs)]
        top, left = (int(generator.integers(side - _SIDE)) for side in whole.shape[:2])
        cut = images.pil(whole[top : top + _SIDE, left : left + _SIDE])
        (folder / "photographs").mkdir(parents=True, exist_ok=True)
        cut.save(folder / f"photographs/{k:03d}.jpg", quality=90)
    given = {
        "network": networks.plain(networks.Wanted(network="vgg16", weights="random")),
        "features": dataclasses.asdict(Features(layer="block5_conv3")),
        "precision": "float32",
    }
    ready = features.prepared(given)
    found = folders.find(folder / "photographs", "images")
    times: dict[str, list[tuple[float, float]]] = {"bare": [], "batch": []}

    def timed(name: str, done: Callable[[], object]) -> None:
        before = time.process_time(), time.perf_counter()
        done()
        times[name].append((time.process_time() - before[0], time.perf_counter() - before[1]))

    ready.row(str(found.paths[0]))  # Compiled in neither's time.
    for turn in range(_TURNS):
        place = folder / str(turn)
        place.mkdir()
        timed("bare", lambda: [ready.row(str(path)) for path in found.paths])
        timed("batch", lambda place=place: batches.run(
            ready.job, features.MAKER, given, batches.items(found), folder=place, word="",
        ))  # fmt: skip
    bare, batch = (np.median(times[name], axis=0) for name in times)
    each, more = 1000 * bare[0] / _PHOTOGRAPHS, batch / bare - 1
    print(f"vectors of {_PHOTOGRAPHS} photographs of {_SIDE} px, {each:.0f} ms of processor time "
          f"each: in shards {more[0]:+.1%} of processor time and {more[1]:+.1%} of time over the "
          f"bare loop (medians of {_TURNS}, in turns)", flush=True)  # fmt: skip
