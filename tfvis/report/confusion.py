"""What a classifier takes for what: the matrix, and the pictures it got wrong."""

from collections.abc import Sequence

import numpy as np

from tfvis.report import sheets

# Longer names are cut, so that they leave room for the matrix.
_NAME = 24


def matrix(counts: np.ndarray, classes: Sequence[str], heading: str = "") -> np.ndarray:
    """Draws a confusion matrix: uint8 [height, width, 3].

    A cell has its count and its share of the row, in percent, and is as dark as that
    share; empty cells stay empty.

    Args:
        counts: [classes, classes], rows are the true classes.
        classes: their names; 2 to some 60 are readable.
        heading: a line at the top.
    """
    # Without pyplot: no global state, and no window system is looked for.
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    counts = np.asarray(counts)
    number = len(classes)
    names = [name if len(name) <= _NAME else f"{name[: _NAME - 1]}…" for name in classes]
    shares = counts / np.maximum(counts.sum(1, keepdims=True), 1)
    # Inches: a cell of few classes has room for large letters, one of 60 for "100%".
    cell = float(np.clip(9 / number, 0.34, 0.8))
    letters = 11 * cell**0.7
    side = cell * number + 0.11 * max(map(len, names)) + 1.2
    figure = Figure(figsize=(side, side), dpi=110, layout="constrained")
    canvas = FigureCanvasAgg(figure)
    axes = figure.add_subplot()
    axes.imshow(shares, cmap="Blues", vmin=0, vmax=1)
    for row, column in np.argwhere(counts > 0):
        share = shares[row, column]
        axes.text(
            column,
            row,
            f"{counts[row, column]}\n{100 * share:.0f}%",
            ha="center",
            va="center",
            fontsize=letters,
            color="white" if share > 0.5 else "black",
        )
    # A name may hold a dollar sign, which is no formula.
    axes.set_xticks(range(number), names, rotation=90, parse_math=False)
    axes.set_yticks(range(number), names, parse_math=False)
    axes.set_xlabel("predicted")
    axes.set_ylabel("true")
    axes.set_xticks(np.arange(number + 1) - 0.5, minor=True)
    axes.set_yticks(np.arange(number + 1) - 0.5, minor=True)
    axes.grid(which="minor", color="lightgrey", linewidth=0.5)
    axes.tick_params(which="minor", length=0)
    if heading:
        axes.set_title(heading, parse_math=False)
    canvas.draw()
    return np.asarray(canvas.buffer_rgba())[..., :3].copy()


def mistakes(entries: Sequence[tuple[np.ndarray, str]]) -> np.ndarray:
    """Returns a sheet, uint8 [height, width, 3], of pictures and what they were taken for.

    Args:
        entries: at least one (pixels [height, width, 1 | 3] in 0..255, "true -> predicted 0.93").
    """
    return sheets.sheet([sheets.Cell(pixels, words) for pixels, words in entries])
