"""A process that works on a batch until it is done, or until who started it is gone.

python -m tfvis.experiments.batch.worker MODULE:FUNCTION FOLDER PARENT
"""

import os
import pathlib
import sys
import time

from tfvis.errors import InputError, arg
from tfvis.experiments.batch import jobs, leases, plans, shards
from tfvis.report import manifest

# Exit code of bad input, which no new start makes good (sysexits.h, EX_DATAERR).
REFUSED = 65
# Between two looks at shards that others hold.
_PAUSE_S = 0.2


def work(maker: str, folder: pathlib.Path, parent: int) -> None:
    """Processes shards that nobody has, until all are done.

    Args:
        maker: see `jobs.build`.
        folder: of the batch.
        parent: the process that started this one; without it, this one ends.

    Raises:
        InputError: the job is not the plan's here; nothing can be written.
    """
    plan = plans.read(folder)
    job = jobs.build(maker, plan.settings)
    check(job, plan)

    def stop_alone() -> None:
        if os.name != "nt" and os.getppid() != parent:
            sys.exit("The process that started this one is gone.")

    while len(done := shards.finished(plan)) < plan.shards:
        stop_alone()
        claimed = False
        for number in range(plan.shards):
            if number in done or shards.part(plan, number).exists():
                continue
            lease = leases.claim(folder, number)
            if lease is None:
                continue
            claimed = True

            def seen(lease=lease) -> None:
                leases.renew(lease)
                stop_alone()

            # Whoever had it before may have done it between the two looks.
            if not shards.part(plan, number).exists():
                shards.process(job, plan, number, seen)
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


def main() -> None:
    """Works as the arguments say."""
    maker, folder, parent = sys.argv[1:]
    try:
        work(maker, pathlib.Path(folder), int(parent))
    except InputError as error:
        print(error, file=sys.stderr)
        sys.exit(REFUSED)


if __name__ == "__main__":
    main()
