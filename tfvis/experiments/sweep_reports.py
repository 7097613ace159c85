"""What `sweep` shows of its grid: a table, a sheet, a trade-off, TensorBoard's trials."""

import collections
import pathlib

import numpy as np
import tensorflow as tf
from tensorboard.plugins.hparams import api as hparams

from tfvis import files, images, tables
from tfvis.errors import InputError
from tfvis.experiments import style_transfer, sweep_grid
from tfvis.report import sheets

# A sheet is at most about this wide, its pictures at least and at most so large.
_PAGE, _SMALLEST, _LARGEST = 4000, 64, 512
_NUMBERS = ("evaluations", "ratio", "tv_weight", "style_scale")
_LAST = ("seconds", "file")
# Event files of trials, to be told from those of runs and replaced.
_SUFFIX = ".hparams"
# Pixels between two labels of a plot that say the same.
_APART = 60


def write_csv(path: pathlib.Path, rows: list[dict]) -> None:
    """Writes rows as a CSV, whole or not at all; what a row lacks is empty."""
    names = [name for name in dict.fromkeys(n for row in rows for n in row) if name not in _LAST]
    names += _LAST
    values = ([row.get(name) for name in names] for row in rows)
    tables.write(
        path, names, ([f"{v:.6g}" if isinstance(v, float) else v for v in row] for row in values)
    )


def sheet(
    grid: sweep_grid.Grid, shown: dict[str, np.ndarray], rows: list[dict], workdir: pathlib.Path
) -> np.ndarray:
    """Returns the sheet: what is shown first, then the last flag across and the others down.

    Args:
        grid: what varies.
        shown: {title: picture} at the top.
        rows: of every cell.
        workdir: their files are relative to it.
    """
    *_, across = grid.axes
    columns = len(grid.axes[across])
    largest = int(np.clip(_PAGE // columns, _SMALLEST, _LARGEST))
    cells = [sheets.Cell(style_transfer.shown(p, largest), name) for name, p in shown.items()]
    blank = sheets.Cell(np.full_like(cells[0].pixels, 250))
    cells += [blank] * (-len(cells) % columns)
    for cell, row in zip(grid.cells, rows, strict=True):
        down = {flag: value for flag, value in cell.items() if flag != across}
        note = sweep_grid.titles(down) or f"content {row['content']:.3g}, style {row['style']:.3g}"
        pixels = style_transfer.shown(images.read(workdir / row["file"]).pixels, largest)
        cells.append(sheets.Cell(pixels, sweep_grid.title(across, cell[across]), note))
    return sheets.sheet(cells, columns)


def pareto(points) -> np.ndarray:
    """Returns bool [n]: which points no other one is better than, less being better.

    Args:
        points: [n, 2]. One is better where it is less in a number and not more in the
            other; of equal points all count. What is not finite counts for nothing.
    """
    points = np.asarray(points, np.float64).reshape(-1, 2)
    good = np.isfinite(points).all(1)
    no_more = (points[:, None] <= points).all(-1)
    less = (points[:, None] < points).any(-1)
    return good & ~(no_more & less & good[:, None]).any(0)


def tradeoff(grid: sweep_grid.Grid, rows: list[dict]) -> np.ndarray:
    """Returns uint8 [height, width, 3]: style against content over the ratio.

    A line for every setting of the other flags; rings mark the points that no other of the
    whole grid is better than.
    """
    # Without pyplot: no global state, and no window system is looked for.
    from matplotlib import colormaps
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    points = np.array([(row["content"], row["style"]) for row in rows])
    series = collections.defaultdict(list)
    for k, cell in enumerate(grid.cells):
        rest = {flag: value for flag, value in cell.items() if flag != "ratio"}
        series[sweep_grid.titles(rest)].append(k)
    figure = Figure(figsize=(9, 6), dpi=110, layout="constrained")
    canvas = FigureCanvasAgg(figure)
    axes = figure.add_subplot()
    colors = colormaps["turbo"](np.linspace(0.05, 0.95, len(series)))
    for color, (label, members) in zip(colors, series.items(), strict=True):
        members = sorted(members, key=lambda k: grid.cells[k]["ratio"])
        axes.plot(*points[members].T, marker=".", color=color, label=label)
    best = pareto(points)
    axes.plot(
        *points[best].T, "o", markersize=12, fillstyle="none", color="black", label="none is better"
    )
    for scale, values in ((axes.set_xscale, points[:, 0]), (axes.set_yscale, points[:, 1])):
        if values.min() > 0 and values.max() > 5 * values.min():
            scale("log")
    said = collections.defaultdict(list)
    for k in np.flatnonzero(best):
        name, place = (
            sweep_grid.title("ratio", grid.cells[k]["ratio"]),
            axes.transData.transform(points[k]),
        )
        # Points on top of each other are named once.
        if all(np.abs(place - other).max() > _APART for other in said[name]):
            axes.annotate(name, points[k], (8, 6), textcoords="offset points", fontsize=8)
            said[name].append(place)
    axes.set_xlabel("content distance")
    axes.set_ylabel("style distance")
    axes.grid(alpha=0.3)
    # Beside the plot, where many lines leave no room in it; more cannot be told apart.
    if len(series) <= 30:
        axes.legend(loc="upper left", bbox_to_anchor=(1, 1), fontsize=8)
    canvas.draw()
    return np.asarray(canvas.buffer_rgba())[..., :3].copy()


class Trials:
    """The cells as trials of TensorBoard's HParams, each a run of its own.

    Args:
        folder: of all events.
        varied: {flag: its values' words}.
    """

    def __init__(self, folder: pathlib.Path, varied: dict[str, list[str]]):
        self._folder, self._varied, self._known = folder, varied, set()

    def add(self, rows: list[dict]) -> None:
        """Writes the rows that were not written yet; those of an earlier process again.

        Raises:
            InputError: the folder cannot be written to.
        """
        for row in rows:
            if not self._known:
                self._write(self._folder, lambda row=row: self._begin(row))
            if row["file"] not in self._known:
                folder = self._folder / pathlib.PurePosixPath(row["file"]).with_suffix("")
                self._write(folder, lambda row=row: self._trial(row))
                self._known.add(row["file"])

    def _begin(self, row: dict) -> None:
        hparams.hparams_config(
            hparams=[
                hparams.HParam(flag, hparams.Discrete([_value(flag, word) for word in words]))
                for flag, words in self._varied.items()
            ],
            metrics=[hparams.Metric(name) for name in self._metrics(row)],
        )

    def _trial(self, row: dict) -> None:
        values = {flag: _value(flag, row[flag]) for flag in self._varied}
        hparams.hparams(values, trial_id=row["file"])
        for name, value in self._metrics(row).items():
            tf.summary.scalar(name, value, 0)

    def _metrics(self, row: dict) -> dict[str, float]:
        return {k: v for k, v in row.items() if k not in self._varied and k != "file"}

    def _write(self, folder: pathlib.Path, log) -> None:
        files.make_folder(folder, "workdir")
        for old in folder.glob(f"*tfevents*{_SUFFIX}"):
            old.unlink(missing_ok=True)
        try:
            writer = tf.summary.create_file_writer(str(folder), filename_suffix=_SUFFIX)
            with writer.as_default():
                log()
            writer.close()
        except tf.errors.OpError as error:
            raise InputError(
                f"Cannot write TensorBoard events to {folder}: {error.message} "
                "Choose a folder that is writable and has room."
            ) from error


def _value(flag: str, word: str) -> float | str:
    return float(word) if flag in _NUMBERS else word
