"""The grid of `sweep`: its cells, the runs that make them, the rows they become."""

import dataclasses
import functools
import pathlib

import numpy as np

from tfvis import files, images
from tfvis.experiments import (
    energy_traces,
    messages,
    runner,
    style_runs,
    style_transfer,
    sweep_grid,
    sweep_metrics,
    sweep_reports,
)
from tfvis.experiments.sweep_cells import Cell
from tfvis.optimize import loop
from tfvis.report import tensorboard
from tfvis.style import transfer

FIELDS = {"name": str, "cells": list}


@dataclasses.dataclass(frozen=True)
class Job:
    """What to sweep, and where to put it.

    Attributes:
        base: the painting of which every cell is a variation.
        grid: what varies.
        cells: of the grid, in its order.
    """

    base: style_transfer.Job
    grid: sweep_grid.Grid
    cells: tuple[Cell, ...]


@dataclasses.dataclass(frozen=True)
class _Run:
    """Cells that one transfer makes: those that differ in evaluations only, or one.

    Attributes:
        cells: shortest first.
        piece: the last of them.
    """

    cells: tuple[Cell, ...]
    piece: style_runs.Piece


class Ends(energy_traces.Stills):
    """The pictures a run would have ended with, had it been one of so many steps."""

    def add(self, progress) -> None:
        """Saves the picture if this is one of the steps."""
        if progress.snapshot.done in self.marks:
            pictures = self._finish(ended(progress.snapshot))
            images.save_png(self.path(progress.snapshot.done), pictures[0])


def ended(snapshot: loop.Snapshot) -> np.ndarray:
    """Returns the result of a run that ends here: the best of the ends of its chunks.

    Args:
        snapshot: of a run of one stage that stops nothing early.
    """
    state = snapshot.state
    mean = state.trail[-loop.CHUNK :].mean(0, dtype=np.float64)
    better = mean < state.kept_energy
    return np.where(better[:, None, None, None], snapshot.canvas, state.kept)


def run(job: Job) -> list[dict]:
    """Makes every cell, or takes it over where it was finished before.

    Writes the pictures, results.csv, sheet.png, pareto.png where the ratio varies,
    manifest.json, TensorBoard events.

    Returns:
        The rows of results.csv, in the order of the grid.

    Raises:
        InputError: a size or layer that cannot be, or an energy that diverges.
    """
    workdir = job.base.workdir
    made, plans = zip(*_runs(job), strict=True)
    ruler = sweep_metrics.ruler([(cell.network, cell.settings) for cell in job.cells])
    tasks = [_task(job, one, ruler) for one in made]
    ahead = style_runs.ahead(tasks, plans, workdir, FIELDS)
    if ahead:
        messages.say(
            f"{len(job.cells)} pictures by {len(tasks)} runs, {len(ahead)} of them to be made."
        )
        style_runs.announce(ahead, job.cells[0].network)
    varied = {flag: [sweep_grid.word(v) for v in found] for flag, found in job.grid.axes.items()}
    header = style_runs.header([one.piece for one in made], job.base.arguments)
    header |= {"varied": varied, "judge": runner.described(ruler.judge)}
    trials = sweep_reports.Trials(workdir / "tensorboard", varied)

    def finished(records: list[dict]) -> None:
        rows = _rows(job, made, tasks, records)
        sweep_reports.write_csv(workdir / "results.csv", rows)
        trials.add(rows)

    with tensorboard.Writer(workdir / "tensorboard") as writer:
        records = runner.run(tasks, workdir, header, writer, FIELDS, finished)
        rows = _rows(job, made, tasks, records)
        first = made[0].piece
        shown = {"content": first.judged[0]}
        styles = first.judged[1]
        shown |= {
            f"style {k + 1}" if len(styles) > 1 else "style": one for k, one in enumerate(styles)
        }
        pictures = {"sheet": sweep_reports.sheet(job.grid, shown, rows, workdir)}
        if "ratio" in job.grid.axes:
            pictures["pareto"] = sweep_reports.tradeoff(job.grid, rows)
        for name, page in pictures.items():
            images.save_png(workdir / f"{name}.png", page)
            writer.images(name, page[None], 0)
    return rows


def _runs(job: Job) -> list[tuple]:
    """Returns the runs that make the cells, and what each takes."""
    groups, pieces, found = {}, {}, []
    for cell in job.cells:
        shared = _shared(cell.settings)
        rest = [(f, v) for f, v in cell.values.items() if f != "evaluations" or not shared]
        groups.setdefault(tuple(rest), []).append(cell)
    for group in groups.values():
        group = sorted(group, key=lambda cell: cell.settings.evaluations)
        last = group[-1]
        scale = last.values.get("style_scale", job.base.style_scale)
        # Runs that see the same pictures share them; a mixed style depends on the layers too.
        key = (last.network, scale, None if job.base.fine is None else last.path)
        if key not in pieces:
            pieces[key] = style_transfer.piece_of(
                dataclasses.replace(
                    job.base, network=last.network, settings=last.settings, style_scale=scale
                )
            )
        piece = dataclasses.replace(
            pieces[key],
            name=last.path.with_suffix("").relative_to("cells").as_posix(),
            path=last.path,
            settings=last.settings,
            stills=(),
        )
        piece, plan = style_runs.planned(piece, job.base.limit)
        found.append((_Run(tuple(group), piece), plan))
    return found


def _shared(settings: transfer.Transfer) -> bool:
    """Tells whether a run goes the same way whatever its length.

    Adam's rate depends on it, and so do the parts of a schedule.
    """
    parts = transfer.schedule((1, 1), settings)
    return settings.recipe == "gatys" and settings.optimizer == "lbfgs" and len(parts) == 1


def _task(job: Job, one: _Run, ruler: sweep_metrics.Ruler) -> runner.Task:
    """Returns a run as a task of `runner.run`; its record has the measures of every cell."""
    workdir, piece = job.base.workdir, one.piece
    task = style_runs.task(piece, workdir, job.base.seed)
    marks = [cell.settings.evaluations for cell in one.cells[:-1]]
    layers = (ruler.layers(piece.network), ruler.layers(ruler.judge))
    measure = functools.partial(_measure, job, one, ruler, task.watchers[0])
    return dataclasses.replace(
        task,
        keys=(runner.key(ruler.judge, run=task.keys[0], marks=marks, layers=layers),),
        measure=lambda pictures, paths: measure(),
        watchers=(*task.watchers, Ends(workdir / piece.path.parent, marks, piece.finish)),
        whole=functools.partial(_whole, workdir, one),
    )


def _measure(
    job: Job, one: _Run, ruler: sweep_metrics.Ruler, trace: energy_traces.Trace
) -> list[dict]:
    """Returns the record of a run: of each cell's file, what it measures."""
    paths = [job.base.workdir / cell.path for cell in one.cells]
    found = [
        {
            "evaluations": cell.settings.evaluations,
            "sha256": files.sha256_of(path),
            **numbers,
        }
        for cell, path, numbers in zip(
            one.cells, paths, ruler.measure(one.piece, paths), strict=True
        )
    ]
    return [{"cells": found, "terms": trace.rows()} | style_runs.described(one.piece)]


def _whole(workdir: pathlib.Path, one: _Run, record: dict) -> bool:
    """Tells whether a record tells of every cell, and all files are as they were."""
    try:
        known = {cell["evaluations"]: cell["sha256"] for cell in record["cells"]}
        complete = all(cell["unit"] and cell["measures"] for cell in record["cells"])
    except (KeyError, TypeError):
        return False
    return complete and all(
        (workdir / cell.path).is_file()
        and files.sha256_of(workdir / cell.path) == known.get(cell.settings.evaluations)
        for cell in one.cells
    )


def _rows(job: Job, made: tuple[_Run, ...], tasks, records: list[dict]) -> list[dict]:
    """Returns the rows of the cells that are finished, in the order of the grid."""
    by_key = {record["key"]: record for record in records}
    found = {}
    for one, task in zip(made, tasks, strict=True):
        record = by_key.get(task.keys[0])
        if record is None:
            continue
        numbers = {cell["evaluations"]: cell for cell in record["cells"]}
        for cell in one.cells:
            evaluations = cell.settings.evaluations
            # Every evaluation costs the same.
            share = evaluations / one.cells[-1].settings.evaluations
            found[cell.path] = (
                {flag: sweep_grid.word(value) for flag, value in cell.values.items()}
                | numbers[evaluations]["unit"]
                | numbers[evaluations]["measures"]
                | {"seconds": round(record["seconds"] * share, 2), "file": cell.path.as_posix()}
            )
    return [found[cell.path] for cell in job.cells if cell.path in found]
