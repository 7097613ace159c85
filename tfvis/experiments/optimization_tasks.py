"""Optimisations as parts of a run: their state, how their pictures grow, their energies."""

import dataclasses
import functools
import pathlib
import time
from collections.abc import Callable, Iterator
from typing import Protocol

import numpy as np

from tfvis import bounds, files, images
from tfvis.errors import InputError, PartError, Text, arg, marked, printable
from tfvis.experiments import growth, messages, runner
from tfvis.optimize import loop
from tfvis.preimages import Progress
from tfvis.preimages.zero_gradients import SilentError
from tfvis.report import manifest, tensorboard
from tfvis.words import some

# TensorBoard gets a picture every so many steps, and at the end.
IMAGE_EVERY = 50
# A kill costs at most this much work; or, of a large state, so much that saving it takes no
# more than a twentieth of the time.
SAVE_EVERY_S, _SAVING_SHARE = 5.0, 20
# What any record has.
_NEEDED = {"key": str, "file": str, "sha256": str, "seconds": float}


class Watcher(Protocol):
    """Sees a task's pictures grow; `growth.Spool` is one.

    Attributes:
        marks: steps it wants to see as well.
    """

    marks: list[int]

    def clear(self) -> None:
        """Forgets all."""

    def rewind(self, done: int) -> bool:
        """Drops what came after step `done`; tells whether it can go on from there."""

    def add(self, progress: Progress) -> None:
        """Sees progress."""

    def finish(self, paths: list[pathlib.Path], pictures: np.ndarray) -> None:
        """Is told of the end."""


@dataclasses.dataclass(frozen=True)
class Task:
    """Pictures that are made together, in one batch.

    Attributes:
        name: in the bar and in TensorBoard's tags.
        labels: TensorBoard's tag of each picture's energies.
        keys: of each picture, the digest of all that decides its bits.
        paths: of each picture, relative to the workdir, in one folder.
        start: (state, marks) -> progress; see `tfvis.preimages`.
        measure: (pictures, paths of the files) -> a record each, of JSON's types.
        steps: in all.
        cost: of a step, in any unit common to the tasks of a run.
        growth: whether to make a strip and a GIF of how the pictures grew.
        finish: what is done to the pictures before they are saved.
        about: what each picture's record begins with: which one it is.
        weight: the argument that weighs the objective, for a message.
        watchers: others that see how the pictures grow, and are told of interruptions.
        whole: record -> whether further files it tells of are as they were.
        silent: whether pictures that nothing can change are kept as they began, to be shown as
            such; else they end the run.
    """

    name: str
    labels: tuple[str, ...]
    keys: tuple[str, ...]
    paths: tuple[pathlib.PurePosixPath, ...]
    start: Callable[..., Iterator[Progress]]
    measure: Callable[[np.ndarray, list[pathlib.Path]], list[dict]]
    steps: int
    cost: float
    growth: bool = False
    finish: Callable[[np.ndarray], np.ndarray] = lambda pictures: pictures
    about: tuple[dict, ...] = ()
    watchers: tuple[Watcher, ...] = ()
    weight: str = "strength"
    whole: Callable[[dict], bool] = lambda record: True
    silent: bool = False


def run(
    tasks: list[Task],
    workdir: pathlib.Path,
    header: dict,
    fields: dict[str, type],
    *,
    target: np.ndarray | None = None,
    finished: Callable[[list[dict]], None] = lambda records: None,
    optional: bool = False,
) -> list[dict]:
    """Does every task, or takes it over where the same was finished before.

    Writes the pictures, manifest.json and TensorBoard events.

    Args:
        tasks: in the order of the results.
        workdir: exists and is writable.
        header: of the manifest, besides its results.
        fields: {name: type} of what the caller needs of a record; one of an earlier
            manifest that lacks it counts as unfinished.
        target: float32 [height, width, channels], what TensorBoard shows first, or None.
        finished: is told after each task of all records that are finished so far.
        optional: whether a task that cannot be done (`errors.PartError`) is left out, which is said
            here and stands in the manifest; else it ends the run.

    Returns:
        The records, one per picture; of what is left out none.

    Raises:
        InputError: the energy diverges (what was good is saved); all tasks are left out.
    """
    left: dict[str, str] = {}

    def records(task, writer, earlier, bar):
        try:
            return _records(task, workdir, writer, earlier, bar)
        except PartError as error:
            if not optional or len(tasks) == 1:
                raise
            why = marked(error)
            left[task.name] = why if why.startswith(task.name) else f"{task.name}: {why}"
            bar.update(task.cost * task.steps)
            return []

    def head():
        told = {name: str(Text(why)) for name, why in left.items()}
        return header | ({"left_out": told} if told else {})

    with tensorboard.Writer(workdir / "tensorboard") as writer:
        if target is not None:
            writer.images("target", target[None], 0)
        parts = [
            runner.Part(
                task.keys,
                task.cost * task.steps,
                functools.partial(records, task, writer),
            )
            for task in tasks
        ]
        done = runner.run(parts, workdir, head, "key", _NEEDED | fields, delay=0, finished=finished)
    _say_left_out(left, len(tasks))
    return done


def unfinished(tasks: list[Task], workdir: pathlib.Path, fields: dict[str, type]) -> list[Task]:
    """Returns the tasks `run` would not take over."""
    earlier = runner.earlier(workdir, "key", _NEEDED | fields)
    return [
        task for task in tasks if not _finished(task, workdir, [earlier.get(k) for k in task.keys])
    ]


def save_pages(workdir: pathlib.Path, pages: dict[str, np.ndarray]) -> None:
    """Saves pages that show results as {name}.png, and shows them in TensorBoard."""
    with tensorboard.Writer(workdir / "tensorboard") as writer:
        for name, page in pages.items():
            images.save_png(workdir / f"{name}.png", page)
            writer.images(name, page[None], 0)


def _say_left_out(left: dict[str, str], total: int) -> None:
    """Says in one line what was left out, and why.

    Raises:
        InputError: it is everything.
    """
    if not left:
        return
    names, first = list(left), next(iter(left.values()))
    if len(left) == total:
        raise InputError(f"none of {total} can be done ({some(names)}); the first: {first}")
    others = f"{some(names)}; the first: " if len(left) > 1 else ""
    messages.note(f"left out {len(left)} of {total}: {others}{first}")


def _records(task: Task, workdir: pathlib.Path, writer, earlier, bar) -> list[dict]:
    """Returns the records of a task; see `runner.Part`."""
    if not _finished(task, workdir, earlier):
        return _made(task, workdir, writer, bar)
    bar.update(task.cost * task.steps)
    # The same bits may have been made under another name.
    return [
        record | task.about[k] | {"file": task.paths[k].as_posix()}
        for k, record in enumerate(earlier)
    ]


def _finished(task: Task, workdir: pathlib.Path, earlier: list[dict | None]) -> bool:
    """Tells whether all pictures are as earlier records tell."""
    return all(
        record and runner.unchanged(workdir / path, record["sha256"]) and task.whole(record)
        for path, record in zip(task.paths, earlier, strict=True)
    )


def _made(task: Task, workdir: pathlib.Path, writer, bar) -> list[dict]:
    """Does one task; saves its state as it goes and its pictures at the end."""
    paths = [workdir / path for path in task.paths]
    saved = paths[0].with_name(f".{paths[0].stem}.state.npz")
    spool = growth.Spool(paths[0].with_name(f".{paths[0].stem}.frames"), task)
    watchers: tuple[Watcher, ...] = (spool, *task.watchers)
    state, before, taken, spent = _load_state(saved, task.keys)
    if state is not None and not all(watcher.rewind(before) for watcher in watchers):
        state, before, taken, spent = None, 0, 0, 0.0
    if state is None:
        for watcher in watchers:
            watcher.clear()
    began = last_save = time.perf_counter()
    pause = SAVE_EVERY_S
    bar.update(task.cost * before)
    progress = kept = None
    try:
        for progress in task.start(state, [m for watcher in watchers for m in watcher.marks]):
            done, terms = progress.snapshot.done, progress.snapshot.terms
            for watcher in watchers:
                watcher.add(progress)
            if not terms:
                continue
            # Not `done`, which counts what is left out after --stop.
            taken += len(progress.snapshot.energies)
            energy = float(progress.snapshot.energies[-1].mean())
            bar.set_description_str(printable(f"{task.name} {done}/{task.steps}"), refresh=False)
            bar.set_postfix_str(f"energy {energy:.3g}", refresh=False)
            bar.update(task.cost * (done - before))
            _log(task, writer, progress, before)
            before = done
            if time.perf_counter() - last_save > pause and done < task.steps:
                last_save = time.perf_counter()
                seconds = spent + last_save - began
                _save_state(saved, task.keys, progress.snapshot.state, done, taken, seconds)
                pause = max(SAVE_EVERY_S, _SAVING_SHARE * (time.perf_counter() - last_save))
        kept = progress.kept
    except SilentError as error:
        if not task.silent:
            raise
        kept = error.pictures
    except loop.DivergedError as error:
        good = "it was so from the start"
        if progress is not None and progress.snapshot.done:
            _save_pictures(paths, progress.kept)
            good = f"the last good image is kept as {paths[0]}"
        saved.unlink(missing_ok=True)
        spool.clear()
        raise InputError(
            f"{task.name}: the energy is not finite at step {error.step}; {good}. "
            f"Lower {arg('rate')} or {arg(task.weight)}."
        ) from error
    seconds = spent + time.perf_counter() - began
    pictures = task.finish(kept)
    _save_pictures(paths, pictures)
    for watcher in watchers:
        watcher.finish(paths, pictures)
    records = task.measure(kept, paths)
    saved.unlink(missing_ok=True)
    spool.clear()
    return [
        task.about[k]
        | record
        | {
            "steps": taken,
            # A batch is computed together; its images share the time.
            "seconds": round(seconds / len(paths), 2),
            "file": task.paths[k].as_posix(),
            "sha256": files.sha256_of(paths[k]),
            "key": task.keys[k],
        }
        for k, record in enumerate(records)
    ]


def _save_pictures(paths: list[pathlib.Path], pictures: np.ndarray) -> None:
    for path, pixels in zip(paths, pictures, strict=True):
        images.save_png(path, pixels)


def _log(task: Task, writer, progress: Progress, before: int) -> None:
    """Sends a chunk's energies, and now and then the pictures, to TensorBoard."""
    done = progress.snapshot.done
    for k, label in enumerate(task.labels):
        terms = progress.snapshot.terms.items()
        writer.scalars({f"{label}/energy/{term}": float(v[-1, k]) for term, v in terms}, done)
    if done // IMAGE_EVERY > before // IMAGE_EVERY or done == task.steps:
        writer.images(f"{task.name}/picture", progress.images, done)
        writer.flush()


def _save_state(
    path: pathlib.Path, keys, state: loop.State, done: int, taken: int, seconds
) -> None:
    arrays = {f"slot{i}": np.asarray(slot) for i, slot in enumerate(state.slots)}
    for field in dataclasses.fields(state):
        if field.name != "slots":
            arrays[field.name] = np.asarray(getattr(state, field.name))
    arrays |= {"keys": np.array(keys), "run": np.array([done, taken, seconds])}
    files.write_npz(path, {"digest": np.array(manifest.key(**arrays)), **arrays})


def _load_state(path: pathlib.Path, keys) -> tuple[loop.State | None, int, int, float]:
    """Returns the state of an interrupted run with the same keys, and its progress.

    Returns:
        (state or None, steps done or left out, steps taken, seconds).
    """
    try:
        files.check(path, str(path), bounds.WEIGHTS)
        with np.load(path, allow_pickle=False) as stored:
            arrays = {name: stored[name] for name in stored.files}
        whole = str(arrays.pop("digest")) == manifest.key(**arrays)
        if not whole or arrays.pop("keys").tolist() != list(keys):
            return None, 0, 0, 0.0
        done, taken, seconds = arrays.pop("run").tolist()
        names = sorted((n for n in arrays if n.startswith("slot")), key=lambda n: int(n[4:]))
        slots = tuple(arrays.pop(name) for name in names)
        kinds = {"stage": int, "step": int, "slowed": float}
        numbers = {name: kind(arrays.pop(name)) for name, kind in kinds.items()}
        state = loop.State(slots=slots, **numbers, **arrays)
        return state, int(done), int(taken), seconds
    except Exception:  # Any damage means the same: begin this task again.
        return None, 0, 0, 0.0
