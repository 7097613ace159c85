"""Rows of pixels: how far they are apart, their shading, what is narrow or regular in them."""

import numpy as np
import scipy.ndimage


def apart(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Returns by how much colours, [..., 3], differ in the channel where they do most."""
    red, green, blue = np.moveaxis(np.abs(a - b), -1, 0)
    # A reduction over an axis of three takes five times as long.
    return np.maximum(np.maximum(red, green), blue)


def _running_median(row: np.ndarray, window: int) -> np.ndarray:
    # In one dimension SciPy slides its window; in two it sorts each anew.
    found = [scipy.ndimage.median_filter(c, window, mode="nearest") for c in row.T.copy()]
    return np.stack(found, axis=1)


def shade(row: np.ndarray) -> np.ndarray:
    """Returns a row without what is narrower than an eighth of it."""
    # A running median is slow where its window is wide, and shading is smooth.
    places = np.arange(0, len(row), max(1, len(row) // 128))
    window = len(places) // 8 * 2 + 1
    coarse = _running_median(row[places], window)
    return np.stack([np.interp(np.arange(len(row)), places, c) for c in coarse.T], axis=1)


def ink(row: np.ndarray) -> np.ndarray:
    """Returns bool [length]: narrow and unlike what surrounds it."""
    window = max(9, len(row) // 20 * 2 + 1)
    return apart(row, _running_median(row, window)) > 30


def runs(mask: np.ndarray, least: float) -> tuple[np.ndarray, np.ndarray]:
    """Returns where runs of at least `least` true values start and stop."""
    edges = np.diff(np.concatenate([[0], mask.astype(int), [0]]))
    starts, stops = np.flatnonzero(edges > 0), np.flatnonzero(edges < 0)
    long = stops - starts >= least
    return starts[long], stops[long]


def regular(starts: np.ndarray, stops: np.ndarray, least: int, play: float) -> np.ndarray | None:
    """Returns which of the runs form the longest evenly spaced series of even widths."""
    if len(starts) < least:
        return None
    widths, centres = stops - starts, (starts + stops) / 2
    pitches = np.diff(centres)
    best = None
    # The picture may have more at either end: the backdrop, the corner of a ruler.
    for pitch in np.unique(np.round(pitches)):
        even = np.abs(pitches - pitch) <= max(1.01, 0.2 * pitch)
        for first, last in zip(*runs(even, least - 1), strict=True):
            series = np.arange(first, last + 1)
            width = np.median(widths[series])
            alike = np.abs(widths[series] - width) <= max(1.01, play * width)
            if alike.mean() >= 0.8 and (best is None or len(series) > len(best)):
                best = series
    return best
