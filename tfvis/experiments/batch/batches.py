"""A batch from its items to its verified files: by this process, by others, or on Ray."""

import pathlib
from collections.abc import Iterator

from tfvis.errors import InputError, arg, marked
from tfvis.experiments import folders, messages
from tfvis.experiments.batch import jobs, local_processes, plans, shards, verification
from tfvis.experiments.batch.engine import Engine
from tfvis.experiments.batch.plans import Items, Lazy, Plan
from tfvis.experiments.batch.verification import Verified
from tfvis.progress_bar import bar


def items(found: folders.Found) -> Items:
    """Returns the files of a folder as items, but those that are broken."""
    root = found.root
    if root is None:
        raise InputError(f"{arg(found.argument)}: is no folder of files.")
    paths = [path for path in found.paths if path not in found.broken]
    if not paths:
        raise InputError(
            f"{arg(found.argument)}: {marked(next(iter(found.broken.values())).detail)}."
        )
    return Items(
        str(root.absolute()),
        Lazy(len(paths), lambda: (path.relative_to(root).as_posix() for path in paths)),
        Lazy(len(paths), lambda: (path.stat().st_size for path in paths)),
    )


def run(
    job: jobs.Job,
    maker: str,
    settings: dict,
    todo: Items,
    engine: Engine = Engine(),
    *,
    folder: pathlib.Path,
    word: str,
    row_bytes: int = 0,
    shard: int | None = None,
    deaths: int | None = None,
) -> tuple[Plan, Verified]:
    """Does what is not done yet of a batch, and verifies all of it.

    Args:
        job: what is done to each item.
        maker: "module:function" that makes the job in another process, see `jobs.build`.
        settings: what the function is called with there, of JSON's types.
        todo: the items.
        engine: who does the work.
        folder: of the batch, which no other process works on.
        word: in the bar.
        row_bytes: of one item's row; a shard is held in memory.
        shard: items in each, of a job that does those of a shard together; None is as many as
            `plans.shard_size` says.
        deaths: see `local_processes.run`.

    Raises:
        InputError: the folder holds another batch; workers die again and again; files are not
            as they were written.
    """
    engine.check()
    size = shard or plans.shard_size(len(todo.names), row_bytes)
    plan = plans.agreed(folder, todo, job.fingerprint, settings, size)
    shards.clear(plan)
    done = shards.finished(plan)
    if done:
        messages.say(f"{len(done):,} of {plan.shards:,} shards are done; going on.")
    left = [number for number in range(plan.shards) if number not in done]
    with bar(word, sum(map(plan.length, left))) as shown:
        if engine.engine == "ray" and left:
            from tfvis.experiments.batch import ray_actors

            ray_actors.run(maker, plan, left, engine.workers, shown)
        elif engine.workers and left:
            local_processes.run(maker, plan, engine.workers, shown, deaths)
        else:
            for number in left:
                shards.process(job, plan, number, lambda: shown.update(1))
    shards.clear(plan)
    return plan, _verified(folder)


def report(found: folders.Found, plan: Plan, verified: Verified) -> None:
    """Says which files were left out, of the folder and of its batch.

    Raises:
        InputError: none could be used; of the batch nothing is left, then.
    """
    folders.say_left_out(
        [*found.left_out, *found.broken.values(), *left_out(plan)],
        len(found.paths) + len(found.left_out),
    )
    if not verified.rows:
        first = next(left_out(plan))
        shards.discard(plan)
        raise folders.none_read(found.argument, verified.items, first)


def left_out(plan: Plan) -> Iterator[folders.LeftOut]:
    """Yields the items that could not be used."""
    for row in verification.broken(plan):
        yield folders.LeftOut(row["path"], row["reason"], row["detail"])


def lines(plan: Plan, found: Verified) -> list[str]:
    """Returns what a batch came to, in words."""
    said = [
        f"{found.rows:,} of {found.items:,} items in {plan.shards:,} shards, verified: "
        f"{plan.folder / 'parts'}"
    ]
    if found.errors:
        said.append(f"{found.errors:,} that cannot be used, and why: {plan.folder / 'errors'}")
    return said


def _verified(folder: pathlib.Path) -> Verified:
    found = verification.verify(folder)
    if not found.whole:
        more = f", and {len(found.wrong) - 1} more" if len(found.wrong) > 1 else ""
        raise InputError(f"{(found.wrong or ('Shards are missing.',))[0]}{more}")
    return found
