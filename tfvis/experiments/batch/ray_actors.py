"""A batch on Ray: actors on any machines of a cluster, which all see the folders of the batch.

Each holds one compiled network and calls the function that any other process calls. Ray starts
again what dies and hands its shards on; what is done is told by the files, not by Ray.
"""

import os
import pathlib
import sys

from tfvis.errors import InputError, arg
from tfvis.experiments.batch import jobs, local_processes, plans, shards, worker
from tfvis.experiments.batch.plans import Plan


class _Shards:
    """What an actor is: a job, made anew there from plain data."""

    def __init__(self, maker: str, folder: str, threads: int):
        os.environ.update(dict.fromkeys(local_processes.THREADS, str(threads)))
        self._plan = plans.read(pathlib.Path(folder))
        self._job: jobs.Job | None = None
        self.refused = ""
        try:
            self._job = jobs.build(maker, self._plan.settings)
            worker.check(self._job, self._plan)
        except InputError as error:  # Told, not raised: Ray would begin it again without end.
            self.refused = str(error)

    def __call__(self, batch: dict) -> dict:
        for number in map(int, batch["shard"]):
            # A shard that is handed on may be done.
            if self._job and not self.refused and not shards.part(self._plan, number).exists():
                shards.process(self._job, self._plan, number)
        return {"shard": batch["shard"], "refused": [self.refused] * len(batch["shard"])}


def run(maker: str, plan: Plan, left: list[int], workers: int, shown) -> None:
    """Works until the shards are done.

    Args:
        maker: see `jobs.build`.
        plan: of the batch.
        left: numbers of the shards.
        workers: how many actors; the cores of the cluster are shared out among them.
        shown: a bar of `progress_bar.bar`, moved by the items done.

    Raises:
        InputError: Ray is not installed; it has fewer cores than workers; a worker is refused.
    """
    ray = _ray()
    kept = {"PYTHONPATH": local_processes.environment(workers)["PYTHONPATH"]}
    mine = not ray.is_initialized()
    if mine:
        ray.init(log_to_driver=False, configure_logging=False, include_dashboard=False,
                 runtime_env={"env_vars": kept})  # fmt: skip
    try:
        cores = int(ray.cluster_resources().get("CPU", 0))
        if cores < workers:
            raise InputError(
                f"{arg('workers')}={workers}: the Ray cluster has {cores} cores; ask for at most "
                "as many."
            )
        gpus = ray.cluster_resources().get("GPU", 0) / workers
        context = ray.data.DataContext.get_current()
        context.enable_progress_bars = False
        done = ray.data.from_items(
            [{"shard": number} for number in left], override_num_blocks=len(left)
        ).map_batches(
            _Shards, batch_size=1, num_cpus=cores // workers, num_gpus=min(1, gpus),
            compute=ray.data.ActorPoolStrategy(size=workers),
            fn_constructor_args=(maker, str(plan.folder.absolute()), cores // workers),
        )  # fmt: skip
        for row in done.iter_rows():
            if row["refused"]:
                raise InputError(row["refused"])
            shown.update(plan.length(int(row["shard"])))
    finally:
        if mine:
            ray.shutdown()


def _ray():
    try:
        import ray
        import ray.data
    except ImportError as error:
        raise InputError(
            f"{arg('engine')}=ray: Ray is not installed ({error}). Run: "
            f"{pathlib.Path(sys.executable).name} -m pip install -r requirements-ray.txt"
        ) from error
    return ray
