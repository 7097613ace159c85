"""Plots, drawn by matplotlib into arrays."""

import numpy as np


def lines(
    series: dict[str, tuple[list[float], list[float]]],
    x_label: str,
    y_label: str,
    errors: list[list[float]] | None = None,
) -> np.ndarray:
    """Returns uint8 [height, width, 3]: one line with markers per series.

    Args:
        series: {label: (x values or names, y values)}.
        x_label, y_label: of the axes.
        errors: per series, half the length of each value's error bar.
    """
    # Without pyplot: no global state, and no window system is looked for.
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(8, 3.2), dpi=110, layout="constrained")
    canvas = FigureCanvasAgg(figure)
    axes = figure.add_subplot()
    for k, (label, (x, y)) in enumerate(series.items()):
        bars = errors[k] if errors else None
        axes.errorbar(x, y, bars, marker="o", capsize=3, label=label)
    # Names of layers run into each other where there are many.
    if max(len(x) for x, _ in series.values()) > 8:
        axes.tick_params("x", rotation=60)
    axes.set_xlabel(x_label)
    axes.set_ylabel(y_label)
    axes.set_ylim(bottom=0)
    axes.grid(alpha=0.3)
    if len(series) > 1:
        axes.legend()
    canvas.draw()
    return np.asarray(canvas.buffer_rgba())[..., :3].copy()
