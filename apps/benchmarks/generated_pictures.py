"""A job of little pictures that come from their number, for measuring the engine of batches itself.

There are no files: a batch of 100,000 costs what the engine costs.
"""

import hashlib
import itertools
from collections.abc import Iterator, Sequence

import numpy as np
import pyarrow as pa

from tfvis.errors import InputError
from tfvis.experiments.batch import plans
from tfvis.experiments.batch.jobs import PICTURES, Job

MAKER = f"{__name__}:job"
_SIDE = 32


def items(count: int) -> plans.Items:
    """Returns so many pictures."""
    names = plans.Lazy(count, lambda: (f"{k:08d}" for k in range(count)))
    return plans.Items("generated", names, plans.Lazy(count, lambda: itertools.repeat(0, count)))


def broken(name: str, every: int) -> bool:
    """Tells whether a picture is one of those that cannot be used, one of `every` of them."""
    return bool(every) and int(hashlib.sha256(name.encode()).hexdigest(), 16) % every == 0


def job(settings: dict) -> Job:
    """Returns the job.

    Args:
        settings: `steps`, how much work a picture is; `broken`, see `broken`, 0 is none;
            `pictures`, whether they are kept.
    """
    steps, every, pictures = settings["steps"], settings["broken"], settings["pictures"]

    def answer(path: str) -> dict | InputError:
        name = path.rpartition("/")[2]
        if broken(name, every):
            return InputError(f"{path}: truncated, as it was generated")
        pixels = np.random.default_rng(int(name)).integers(0, 256, (_SIDE, _SIDE, 3), np.uint8)
        state = pixels.reshape(-1).astype(np.float32) / 255
        # Element by element: the same bits with any number of threads.
        for _ in range(steps):
            state = np.tanh(2 * state - 0.5)
        answer = {"vector": state[:64]}
        if pictures:
            answer[PICTURES] = {"ppm": b"P6 %d %d 255\n" % (_SIDE, _SIDE) + pixels.tobytes()}
        return answer

    def answers(paths: Sequence[str]) -> Iterator[dict | InputError]:
        return map(answer, paths)

    columns = pa.schema([("vector", pa.list_(pa.float32(), 64))])
    fingerprint = {"job": "generated", **settings}
    return Job(fingerprint, columns, answers, pictures)
