"""Colour charts, grey scales, scale bars and rulers, told from pictures by their regular marks.

Along a chart, patches meet at even distances, the same at every depth: where colours change, summed
over the depth, is periodic. A ruler is paper with ticks: some depths have them, at one distance.
"""

import numpy as np
import scipy.ndimage

# Colours nearer than this, of 255, are one: twice the noise of strong JPEG.
SAME = 24
# Charts are made to be seen: between their patches or ticks there is as much, of 255.
_CONTRAST = 70
# A step of a grey scale of 20 is 12 levels, less after blur; the mean of some rows strays by 2.
_STEP = 8
# Two blocks that alternate line up by chance; more distances, and equal ones, seldom do.
_PATCHES, _TICKS = 4, 8
# Correlation with itself a period on, and two: near 1 of patches, above 0.5 of a grey scale whose
# dark end is lost in noise.
_ALIKE = 0.5
# Of what rows differ by along them, they share so much: 0.53 was had by foliage.
_SHARED = 0.55
# Marks go along so much of a chart: a ruler may have blank ends.
_SPAN = 0.7
# Strips are looked at as so many rows: ticks take a quarter of a ruler's depth.
_ROWS = 12
# In px: in less, chance is regular.
_LEAST = (5, 32)


def apart(a: np.ndarray, b: np.ndarray | float) -> np.ndarray:
    """Returns by how much colours, [..., 3], differ in the channel where they do most."""
    red, green, blue = np.moveaxis(np.abs(a - b), -1, 0)
    # A reduction over an axis of three takes five times as long.
    return np.maximum(np.maximum(red, green), blue)


def is_chart(strip: np.ndarray) -> bool:
    """Says whether a picture shows a chart or ruler, upright and filling it.

    Args:
        strip: float32 [height, width, 3], 0..255; marks are along its longer side, or, where it is
            about square, along either.
    """
    depth, length = sorted(strip.shape[:2])
    if depth < _LEAST[0] or length < _LEAST[1]:
        return False
    turned = strip.transpose(1, 0, 2)
    if length < 2 * depth:
        return _regular(strip) or _regular(turned)
    return _regular(strip if strip.shape[1] == length else turned)


def straightened(picture: np.ndarray, mask: np.ndarray, cell: int) -> np.ndarray:
    """Returns what a picture shows in the smallest rectangle, at any angle, about a mask.

    Args:
        picture: float32 [height, width, 3].
        mask: bool, a value for each square of `cell` px; some are true.
        cell: side of a square, px.
    """
    ys, xs = np.nonzero(mask)
    change = np.diff(ys) > 0
    first, last = np.append(True, change), np.append(change, True)
    ends = [(xs[first], ys[first]), (xs[last] + 1, ys[last])]
    corners = np.concatenate([np.stack([x, y + k], 1) for x, y in ends for k in (0, 1)]) * cell
    found = []
    for angle in np.deg2rad(np.arange(-45, 45, 0.5)):
        cosine, sine = np.cos(angle), np.sin(angle)
        u, v = corners @ (cosine, sine), corners @ (-sine, cosine)
        found.append(
            (np.ptp(u) * np.ptp(v), abs(angle), cosine, sine, u.min(), u.max(), v.min(), v.max())
        )
    _, _, cosine, sine, left, right, top, bottom = min(found)
    u, v = np.meshgrid(np.arange(left, right), np.arange(top, bottom))
    places = np.stack([u * sine + v * cosine, u * cosine - v * sine])
    channels = [
        scipy.ndimage.map_coordinates(picture[..., k], places, order=1, mode="nearest")
        for k in range(3)
    ]
    return np.stack(channels, -1)


def _regular(strip: np.ndarray) -> bool:
    """Says whether there are patches or ticks along a strip."""
    parts = np.array_split(strip, int(np.clip(len(strip) // 3, 1, _ROWS)))
    rows = np.stack([part.mean(0) for part in parts])
    if np.ptp(rows, axis=1).max() < _CONTRAST:
        return False
    return _patches(rows) or _ticks(rows, np.median(strip.reshape(-1, 3), axis=0))


def _patches(rows: np.ndarray) -> bool:
    """Says whether colours change at even distances, the same in all rows, and not between."""
    steps = apart(rows[:, 3:], rows[:, :-3])
    # All that is more than a clear edge counts as one.
    steps = np.minimum(steps[steps.max(1) >= _STEP], 5 * _STEP)
    if not len(steps) or np.percentile(steps, 40) > 0.75 * _STEP:
        return False
    mean = steps.mean(0)
    # Of rows that have nothing in common, the mean varies by 1 / rows of what they do.
    same = mean.var() >= max(_SHARED, 2 / len(steps)) * steps.var(1).mean()
    return bool(same and _periods(mean) >= _PATCHES)


def _ticks(rows: np.ndarray, paper: np.ndarray) -> bool:
    """Says whether some rows have ticks at one distance, and most are paper or have ticks."""
    if len(rows) < _ROWS / 2:
        return False  # The steps of one slanting line.
    # The mean of the channels: JPEG keeps colours in coarse blocks.
    ink = np.abs(rows - paper).mean(-1)
    counts = np.array([_periods(255.0 * (row > _CONTRAST)) for row in ink])
    ticks = counts >= _TICKS
    alike = np.abs(counts[ticks, None] - counts[ticks]) <= 0.07 * counts[ticks]
    known = ticks | ((ink <= SAME).mean(1) >= 0.5)
    return bool(ticks.any() and alike.sum(1).max() >= 2 and known.mean() >= 0.75)


def _periods(signal: np.ndarray) -> float:
    """Returns how often a signal, [length] in levels, repeats itself; 0 if it does not."""
    marks = np.flatnonzero(signal > _STEP)
    if len(marks) < _PATCHES or np.ptp(marks) < _SPAN * len(signal):
        return 0.0
    count = 1 + np.sum(np.diff(marks) > 1)
    signal = np.minimum(signal, 2 * np.median(signal[marks]))
    # Distances are seldom whole px.
    signal = scipy.ndimage.gaussian_filter1d(signal[marks[0] : marks[-1] + 1], 1)
    signal = signal - signal.mean()
    length = len(signal)
    same = np.correlate(signal, signal, "full")[length - 1 :]
    same = same / max(same[0], 1e-9) * length / np.arange(length, 0, -1)
    peaks = 1 + np.flatnonzero((same[1:-1] > same[:-2]) & (same[1:-1] >= same[2:]))
    for lag in peaks[(same[peaks] >= _ALIKE) & (peaks >= 4) & (peaks <= length / _PATCHES + 1)]:
        if same[2 * lag - 2 : 2 * lag + 3].max() >= _ALIKE and count >= 0.7 * length / lag:
            return length / lag
    return 0.0
