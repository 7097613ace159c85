"""Timing on machines that do other things too: in turns, and by the median."""

import statistics
import time
from collections.abc import Callable

from tfvis import hardware


def precisions() -> tuple[str, ...]:
    """Returns the precisions that are timed here; says in one line that bfloat16 is not."""
    if hardware.native_bfloat16():
        return ("float32", "bfloat16")
    print(f"bfloat16 is left out: {hardware.cpu()} does not multiply it in hardware.", flush=True)
    return ("float32",)


def medians(runs: dict[str, Callable[[], object]], rounds: int = 5) -> dict[str, float]:
    """Returns the median seconds of each run, all taken in turns after a warm-up.

    Ratios of the results are comparable: whatever slowed the machine for a while
    slowed every run of those rounds.
    """
    for run in runs.values():
        run()
    times: dict[str, list[float]] = {name: [] for name in runs}
    for _ in range(rounds):
        for name, run in runs.items():
            began = time.perf_counter()
            run()
            times[name].append(time.perf_counter() - began)
    return {name: statistics.median(values) for name, values in times.items()}
