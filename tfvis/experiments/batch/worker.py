"""A process that works on a batch until it is done, or until who started it is gone.

python -m tfvis.experiments.batch.worker MODULE:FUNCTION FOLDER PARENT
"""

import os
import pathlib
import sys
import threading
import time

from tfvis.errors import InputError, arg
from tfvis.experiments.batch import jobs, leases, plans, shards
from tfvis.report import manifest

# Exit code of bad input, which no new start makes good (sysexits.h, EX_DATAERR).
REFUSED = 65
# Between two looks at shards that others hold, or at who started this process.
_PAUSE_S = 0.2


def work(maker: str, folder: pathlib.Path) -> None:
    """Processes shards that nobody has, until all are done.

    Args:
        maker: see `jobs.build`.
        folder: of the batch.

    Raises:
        InputError: the job is not the plan's here; nothing can be written.
    """
    plan = plans.read(folder)
    job = jobs.build(maker, plan.settings)
    check(job, plan)
    while len(done := shards.finished(plan)) < plan.shards:
        claimed = False
        for number in range(plan.shards):
            if number in done or shards.part(plan, number).exists():
                continue
            lease = leases.claim(folder, number)
            if lease is None:
                continue
            claimed = True
            # Whoever had it before may have done it between the two looks.
            if not shards.part(plan, number).exists():
                with leases.renewed(lease):
                    shards.process(job, plan, number)
            leases.release(lease)
        if not claimed:
            time.sleep(_PAUSE_S)


def check(job: jobs.Job, plan: plans.Plan) -> None:
    """Raises InputError where a job, made anew, is not what the plan was made for."""
    for name, value in manifest.plain(job.fingerprint).items():
        if plan.fingerprint.get(name) != value:
            raise InputError(
                f"{arg('workdir')}={plan.folder}: {name} is {value} in a worker, and the plan says "
                f"{plan.fingerprint.get(name)}. All must have the same files and versions."
            )


def _end_with(parent: int) -> None:
    """Ends this process soon after the one that started it, in whatever it is at.

    As a kill would: nothing that is half done counts, and who goes on needs the cores and memory.
    """
    while os.getppid() == parent:
        time.sleep(_PAUSE_S)
    os.write(2, b"The process that started this one is gone.\n")
    os._exit(1)


def main() -> None:
    """Works as the arguments say."""
    maker, folder, parent = sys.argv[1:]
    if os.name != "nt":  # There, whose parent is gone still has its number.
        threading.Thread(target=_end_with, args=(int(parent),), daemon=True).start()
    try:
        work(maker, pathlib.Path(folder))
    except InputError as error:
        print(error, file=sys.stderr)
        sys.exit(REFUSED)


if __name__ == "__main__":
    main()
