"""Sweeps of neural style: the cells of a grid, the runs that make them, their rows."""

import dataclasses
import functools
import pathlib
from collections.abc import Sequence

import numpy as np

from tfvis import files, images
from tfvis.errors import InputError, arg, marked
from tfvis.experiments import (
    energy_traces,
    messages,
    optimization_tasks,
    outcome,
    runner,
    style_pages,
    style_runs,
    style_transfer,
    sweep_cells,
    sweep_grid,
    sweep_metrics,
    sweep_reports,
    workdirs,
)
from tfvis.experiments.sweep_cells import Cell
from tfvis.networks.network import Network
from tfvis.optimize import loop
from tfvis.style import metrics, transfer
from tfvis.style.transfer import Transfer

FIELDS = {"name": str, "cells": list}
# What of a grid is a constant of `Transfer`.
_CONSTANTS = ("evaluations", "ratio", "init", "tv_weight", *sweep_grid.WEIGHTS)


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


@workdirs.kept
def run(
    wanted,
    axes: dict[str, tuple | None],
    content: np.ndarray,
    styles: Sequence[np.ndarray],
    *,
    workdir: pathlib.Path | str,
    settings: Transfer = Transfer(recipe="gatys"),
    content_layers: Sequence[str] | None = None,
    style_layers: Sequence[str] | None = None,
    size: int = 256,
    memory: int | None = None,
    seed: int = 0,
    precision: str = "auto",
    jit: str = "auto",
    arguments: dict | None = None,
    **painted,
) -> outcome.Outcome:
    """Makes every cell of a grid, or takes it over where it was finished before.

    Writes the pictures, results.csv, sheet.png, pareto.png where the ratio varies,
    manifest.json, TensorBoard events.

    Args:
        wanted: the networks, see `sweep_cells.built`.
        axes: {what varies: its values}, of `sweep_grid.DEFAULTS`; None are the usual values.
        content, styles: see `style_transfer.run`, as for all but what varies.
        precision: "auto" is float32 where runs are shared: one in bfloat16 changes over at a
            share of its length, and serves no other.
        **painted: the rest of a `style_transfer.Painting`.

    Returns:
        The rows of results.csv, in the order of the grid.

    Raises:
        InputError: a size or layer that cannot be, or an energy that diverges.
    """
    painting = style_transfer.Painting(content, styles, **painted)
    networks = sweep_cells.built(wanted, axes)
    first = next(iter(networks.values()))
    usual = metrics.layers_for(first)
    counts = len(style_layers or usual.style), len(content_layers or usual.content)
    grid = sweep_grid.grid(axes, usual.style, counts)
    gatys = settings.recipe == "gatys" and settings.optimizer == "lbfgs"
    if precision == "auto" and "evaluations" in axes and gatys:
        precision = "float32"

    def settled(network: Network, cell: dict) -> Transfer:
        varied = {name: value for name, value in cell.items() if name in _CONSTANTS}
        layers = {"content_layers": content_layers, "style_layers": style_layers}
        layers |= {name: value for name, value in cell.items() if name in layers}
        try:
            return style_runs.settled(
                dataclasses.replace(settings, **varied), network, workdir, precision, jit, **layers
            )
        except InputError as error:
            named = {*sweep_grid.LAYERS, *sweep_grid.WEIGHTS, "network"}
            where = f"{arg('values')}: " if named & {*cell} else ""
            raise InputError(f"{where}{marked(error)}") from error

    cells = sweep_cells.cells(grid, networks, settled)
    made, plans = zip(*_runs(cells, painting, size, seed, memory), strict=True)
    ruler = sweep_metrics.ruler([(cell.network, cell.settings) for cell in cells])
    tasks = [_task(one, ruler, workdir, seed) for one in made]
    ahead = style_runs.ahead(tasks, plans, workdir, FIELDS)
    if ahead:
        messages.say(
            f"{len(cells)} pictures by {len(tasks)} runs, {len(ahead)} of them to be made."
        )
        style_runs.announce(ahead, first)
    varied = {flag: [sweep_grid.word(v) for v in found] for flag, found in grid.axes.items()}
    header = style_runs.header([one.piece for one in made], arguments)
    header |= {"varied": varied, "judge": runner.described(ruler.judge)}
    trials = sweep_reports.Trials(workdir / "tensorboard", varied)

    def finished(records: list[dict]) -> None:
        rows = _rows(cells, made, tasks, records)
        sweep_reports.write_csv(workdir / "results.csv", rows)
        trials.add(rows)

    records = optimization_tasks.run(tasks, workdir, header, FIELDS, finished=finished)
    rows = _rows(cells, made, tasks, records)
    content, styles = made[0].piece.judged
    shown = {"content": content}
    shown |= {f"style {k + 1}" if len(styles) > 1 else "style": s for k, s in enumerate(styles)}
    pages = {"sheet": sweep_reports.sheet(grid, shown, rows, workdir)}
    if "ratio" in grid.axes:
        pages["pareto"] = sweep_reports.tradeoff(grid, rows)
    optimization_tasks.save_pages(workdir, pages)
    titles = [sweep_grid.titles(cell) for cell in grid.cells]
    page = style_pages.sweep(rows, titles, workdir, shown)
    return outcome.Outcome(rows, _lines(grid, rows, workdir), workdir / "sheet.png", page)


def _lines(grid: sweep_grid.Grid, rows: list[dict], workdir: pathlib.Path) -> list[str]:
    titles = [sweep_grid.titles(cell) for cell in grid.cells]
    width = max(map(len, titles))
    return [
        *(
            f"{title:<{width}}  content {row['content']:9.3g}  style {row['style']:9.3g}  "
            f"{row['seconds']:6.1f} s  {workdir / row['file']}"
            for title, row in zip(titles, rows, strict=True)
        ),
        f"All numbers: {workdir / 'results.csv'}",
    ]


def _runs(
    cells: tuple[Cell, ...],
    painting: style_transfer.Painting,
    size: int,
    seed: int,
    memory: int | None,
) -> list[tuple]:
    """Returns the runs that make the cells, and what each takes."""
    groups, pieces, found = {}, {}, []
    for cell in cells:
        shared = _shared(cell.settings)
        rest = [(f, v) for f, v in cell.values.items() if f != "evaluations" or not shared]
        groups.setdefault(tuple(rest), []).append(cell)
    for group in groups.values():
        group = sorted(group, key=lambda cell: cell.settings.evaluations)
        last = group[-1]
        scale = last.values.get("style_scale", painting.style_scale)
        # Runs that see the same pictures share them; a mixed style depends on the layers too.
        key = (last.network, scale, None if painting.fine is None else last.path)
        if key not in pieces:
            scaled = dataclasses.replace(painting, style_scale=scale)
            pieces[key] = style_transfer.piece_of(scaled, last.network, last.settings, size, seed)
        piece = dataclasses.replace(
            pieces[key],
            name=last.path.with_suffix("").relative_to("cells").as_posix(),
            path=last.path,
            settings=last.settings,
            stills=(),
        )
        piece, plan = style_runs.planned(piece, memory)
        found.append((_Run(tuple(group), piece), plan))
    return found


def _shared(settings: transfer.Transfer) -> bool:
    """Tells whether a run goes the same way whatever its length.

    Adam's rate depends on it, and so do the parts of a schedule.
    """
    parts = transfer.schedule((1, 1), settings)
    return settings.recipe == "gatys" and settings.optimizer == "lbfgs" and len(parts) == 1


def _task(
    one: _Run, ruler: sweep_metrics.Ruler, workdir: pathlib.Path, seed: int
) -> optimization_tasks.Task:
    """Returns a run as a task, whose record has the measures of every cell."""
    piece = one.piece
    task = style_runs.task(piece, workdir, seed)
    marks = [cell.settings.evaluations for cell in one.cells[:-1]]
    layers = (ruler.layers(piece.network), ruler.layers(ruler.judge))
    measure = functools.partial(_measure, one, ruler, task.watchers[0], workdir)
    return dataclasses.replace(
        task,
        keys=(runner.key(ruler.judge, run=task.keys[0], marks=marks, layers=layers),),
        measure=lambda pictures, paths: measure(),
        watchers=(*task.watchers, Ends(workdir / piece.path.parent, marks, piece.finish)),
        whole=functools.partial(_whole, workdir, one),
    )


def _measure(
    one: _Run, ruler: sweep_metrics.Ruler, trace: energy_traces.Trace, workdir: pathlib.Path
) -> list[dict]:
    """Returns the record of a run: of each cell's file, what it measures."""
    paths = [workdir / cell.path for cell in one.cells]
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
        runner.unchanged(workdir / cell.path, known.get(cell.settings.evaluations))
        for cell in one.cells
    )


def _rows(cells: tuple[Cell, ...], made: tuple[_Run, ...], tasks, records) -> list[dict]:
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
    return [found[cell.path] for cell in cells if cell.path in found]
