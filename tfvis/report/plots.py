"""Plots, drawn by matplotlib into arrays."""

import numpy as np


def lines(
    series: dict[str, tuple[list[float], list[float]]], x_label: str, y_label: str
) -> np.ndarray:
    """Returns uint8 [height, width, 3]: one line with markers per series.

    Args:
        series: {label: (x values or names, y values)}.
        x_label, y_label: of the axes.
    """
    # Without pyplot: no global state, and no window system is looked for.
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(8, 3.2), dpi=110, layout="constrained")
    canvas = FigureCanvasAgg(figure)
    axes = figure.add_subplot()
    for label, (x, y) in series.items():
        axes.plot(x, y, marker="o", label=label)
    axes.set_xlabel(x_label)
    axes.set_ylabel(y_label)
    axes.set_ylim(bottom=0)
    axes.grid(alpha=0.3)
    if len(series) > 1:
        axes.legend()
    canvas.draw()
    return np.asarray(canvas.buffer_rgba())[..., :3].copy()
