"""Plots, drawn by matplotlib into arrays."""

from collections.abc import Sequence

import numpy as np

# Letters of a label, two of which are as wide as a plot.
_HALF = 45


def lines(
    series: dict[str, tuple[list[float], list[float]]],
    x_label: str,
    y_label: str,
    errors: Sequence | None = None,
    bottom: float | None = 0.0,
) -> np.ndarray:
    """Returns uint8 [height, width, 3]: one line with markers per series.

    Args:
        series: {label: (x values or names, y values)}.
        x_label, y_label: of the axes.
        errors: per series, half the length of each value's error bar, or how far each reaches
            down and how far each up.
        bottom: where the y axis begins; None is what the values need.
    """
    # A legend of many lines would lie on some of them.
    above = len(series) > 3
    columns = 2 if max(map(len, series)) <= _HALF else 1
    canvas, axes = _empty(8, 3.2 + 0.25 * -(-len(series) // columns) * above)
    for k, (label, (x, y)) in enumerate(series.items()):
        bars = errors[k] if errors else None
        axes.errorbar(x, y, bars, marker="o", capsize=3, label=label)
    # Names of layers run into each other where there are many.
    if max(len(x) for x, _ in series.values()) > 8:
        axes.tick_params("x", rotation=60)
    axes.set_xlabel(x_label)
    axes.set_ylabel(y_label)
    if bottom is not None:
        axes.set_ylim(bottom=bottom)
    axes.grid(alpha=0.3)
    if above:
        axes.legend(loc="lower center", bbox_to_anchor=(0.5, 1), ncols=columns, frameon=False)
    elif len(series) > 1:
        axes.legend()
    return _drawn(canvas)


def matrix(
    values: np.ndarray,
    rows: Sequence[str],
    columns: Sequence[str],
    row_label: str,
    column_label: str,
) -> np.ndarray:
    """Returns uint8 [height, width, 3]: a map of values 0..1, each written where there is room.

    Args:
        values: [rows, columns]; nan stays white, what is below 0 is as 0.
        rows, columns: their names.
        row_label, column_label: of the axes.
    """
    side = max(4.5, 0.42 * max(len(rows), len(columns)) + 2)
    canvas, axes = _empty(side + 1, side)
    shown = axes.imshow(values, cmap="viridis", vmin=0, vmax=1)
    canvas.figure.colorbar(shown, shrink=0.8)
    if max(values.shape) <= 20:
        for row, column in np.argwhere(~np.isnan(values)):
            value = values[row, column]
            color = "black" if value > 0.6 else "white"
            axes.text(
                column, row, f"{value:.2f}", ha="center", va="center", fontsize=7, color=color
            )
    axes.set_xticks(range(len(columns)), columns, rotation=90, parse_math=False)
    axes.set_yticks(range(len(rows)), rows, parse_math=False)
    axes.set_xlabel(column_label, parse_math=False)
    axes.set_ylabel(row_label, parse_math=False)
    return _drawn(canvas)


def histograms(
    series: dict[str, np.ndarray], x_label: str, y_label: str, low: float, high: float
) -> np.ndarray:
    """Returns uint8 [height, width, 3]: shares of values by size, a line for each series.

    Args:
        series: {label: values}; nan is left out.
        x_label, y_label: of the axes.
        low, high: of the x axis.
    """
    canvas, axes = _empty(8, 3.2)
    for label, values in series.items():
        known = np.asarray(values)[~np.isnan(values)]
        if known.size:
            counts, edges = np.histogram(known, 20, (low, high))
            axes.stairs(counts / known.size, edges, label=label, linewidth=1.5)
    axes.set_xlabel(x_label)
    axes.set_ylabel(y_label)
    axes.grid(alpha=0.3)
    axes.legend()
    return _drawn(canvas)


def _empty(width: float, height: float):
    """Returns (canvas, axes) of a figure of so many inches."""
    # Without pyplot: no global state, and no window system is looked for.
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width, height), dpi=110, layout="constrained")
    return FigureCanvasAgg(figure), figure.add_subplot()


def _drawn(canvas) -> np.ndarray:
    canvas.draw()
    return np.asarray(canvas.buffer_rgba())[..., :3].copy()
