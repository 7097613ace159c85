"""The object on a museum's photograph: without colour chart, ruler, plain backdrop.

A photograph is peeled from its edges. A *band* is a run of rows that hardly differ
(seen from the left and the right edge, columns): backdrop, a row of patches, the ticks
of a ruler are bands; paintings and photographs of things have none at their edges.
A band is an instrument if its one row has regular patches or ticks along it and ends
on a sharp line. Whatever is not recognised for sure is kept.
"""

import dataclasses

import numpy as np
import scipy.ndimage

from tfvis import images
from tfvis.classifiers import pixel_rows

# Longest side that is looked at, in px: the millimetres of a ruler as long as the picture
# are three px then, and a look takes about as long as decoding.
_SIDE = 1024
# Colours nearer than this (largest channel, of 255) are one: twice the noise of strong JPEG.
_SAME = 24
# Share of a row that may differ within a band: ringing, dust, an edge of what lies beside.
_STRAY = 0.06
# Instruments are made to be seen: between their patches or ticks there is as much, of 255.
_CONTRAST = 70
# Five patches or eight ticks have no room, to be told from chance, in fewer px.
_LEAST = 32
# An instrument lies within this share of the picture from the edge.
_REACH = 0.3
# Share of the picture that lies, at most, between an instrument and the object.
_GAP = 0.1
# A margin, a card, its writing and rows of patches are fewer bands than these.
_BANDS = 16
# Share of the picture, between bands, that may be anything: writing on a chart's card.
_WRITING = 0.04
# JPEG mixes what lies in one block: a line may seem this many px nearer to the edge.
_BLOCK = 16
# How far JPEG's ringing beside a line may go, at most: of 255.
_RINGING = 40
# Backdrop may be shaded from one end to the other by so much.
_SHADING = 40
# Each takes off a margin or an instrument at every edge; more lie around no object.
_ROUNDS = 6


@dataclasses.dataclass(frozen=True)
class _Band:
    """Rows start..stop that are all like `row`, float32 [length, 3]."""

    start: int
    stop: int
    row: np.ndarray


@dataclasses.dataclass(frozen=True)
class _Marks:
    """Columns start..stop that hold patches or ticks; `other` colours lie between them."""

    start: int
    stop: int
    other: np.ndarray


def crop_borders(picture: np.ndarray) -> tuple[int, int, int, int]:
    """Finds the object on a photograph that shows more: (x0, y0, x1, y1), ends exclusive.

    Left out are, along the edges: rows of at least five regular patches, rulers of at
    least eight ticks (their numbers too), and backdrop: a plain margin, of one colour at
    opposite edges or of the colour an instrument lies on. A plain margin at one edge may
    be a sky, and stays. Of a drawing, only the blank around the ink goes. Charts and rulers
    that are not parallel to the edge stay.

    Args:
        picture: [height, width, 1 | 3], 0..255.

    Returns:
        The box in px of `picture`; all of it where nothing is recognised.
    """
    height, width = picture.shape[:2]
    factor = -(-max(height, width) // _SIDE)
    small = _reduced(picture, factor)
    box, backdrop, grounds = [0, 0, small.shape[1], small.shape[0]], [], {}
    for _ in range(_ROUNDS):
        before = list(box)
        for edge in range(4):
            view = _view(small, box, edge)
            depth, found = _instruments(view, int(_REACH * small.shape[edge % 2]))
            _cut(box, edge, depth)
            if depth:
                grounds[edge] = grounds.get(edge, []) + found
        _cut_margins(small, box, backdrop, grounds)
        if box == before:
            break
    x0, y0, x1, y1 = (int(side) * factor for side in box)
    return x0, y0, min(x1, width), min(y1, height)


def _reduced(picture: np.ndarray, factor: int) -> np.ndarray:
    """Returns float32 [ceil(h / factor), ceil(w / factor), 3], each the mean of its square."""
    picture = images.with_channels(np.asarray(picture, np.float32), 3)
    if factor == 1:
        return picture
    height, width = picture.shape[:2]
    pad = [(0, -height % factor), (0, -width % factor), (0, 0)]
    picture = np.pad(picture, pad, mode="edge")
    rows, columns = picture.shape[0] // factor, picture.shape[1] // factor
    return picture.reshape(rows, factor, columns, factor, 3).mean((1, 3))


def _view(small: np.ndarray, box: list[int], edge: int) -> np.ndarray:
    """Returns what is in the box, turned so that the edge is the first row.

    Edges are 0 top, 1 left, 2 bottom, 3 right: even ones along the height.
    """
    inside = small[box[1] : box[3], box[0] : box[2]]
    inside = inside.transpose(1, 0, 2) if edge % 2 else inside
    return inside[::-1] if edge > 1 else inside


def _cut(box: list[int], edge: int, depth: int) -> None:
    box[(1, 0, 3, 2)[edge]] += depth if edge < 2 else -depth


def _instruments(view: np.ndarray, limit: int) -> tuple[int, list[np.ndarray]]:
    """Returns how many rows charts and rulers take, and the colours they lie on."""
    bands = _bands(view, min(limit, len(view) // 2))
    depth, colors = 0, []
    for index, band in enumerate(bands):
        marks = _marks(band.row, band.stop - band.start)
        if marks is None or band.stop + 3 > len(view):
            continue
        end = _end_of_ticks(bands[index:], marks)
        # Slats and stripes go on, with some texture; patches and ticks end all at once.
        if end == band.stop and not _ends(view, band, marks):
            continue
        depth = _sharpest(view, end, marks)
        colors = [np.median(b.row, axis=0) for b in bands[:index]] + list(marks.other)
        depth = _end_of_ground(view, depth, marks, limit)
    return depth, colors


def _bands(view: np.ndarray, limit: int) -> list[_Band]:
    """Returns the bands from the edge inwards, until something larger than writing is not."""
    patience = max(4, int(_WRITING * min(view.shape[:2])))
    bands, start, missed = [], 0, 0
    while start + 3 <= limit and missed <= patience and len(bands) < _BANDS:
        stop = _run(view, start, limit)
        if stop - start < 3:
            start, missed = start + 1, missed + 1
            continue
        bands.append(_Band(start, stop, np.median(view[start:stop], axis=0)))
        start, missed = stop, 0
    return bands


def _run(view: np.ndarray, start: int, limit: int) -> int:
    """Returns where the rows that are like the one at `start` end."""
    a, b, c = view[start : start + 3]
    # Their median; np.median takes ten times as long.
    row = np.maximum(np.minimum(a, b), np.minimum(np.maximum(a, b), c))
    stop, step = start, 3
    while stop < limit:
        block = view[stop : min(stop + step, limit)]
        moved = (pixel_rows.apart(block, row) > _SAME).mean(1) > _STRAY
        if moved.any():
            return stop + int(moved.argmax())
        stop, step = stop + len(block), 4 * step
    return stop


def _marks(row: np.ndarray, depth: int) -> _Marks | None:
    """Returns the patches or ticks along a band of that depth, if it has them."""
    if len(row) < _LEAST or np.ptp(row, axis=0).max() < _CONTRAST:
        return None
    marks = _patches(row) if depth >= max(4, 0.01 * len(row)) else None
    return marks or _ticks(row)


def _ends(view: np.ndarray, band: _Band, marks: _Marks) -> bool:
    """Says whether most patches or ticks end where the band does."""
    inside = slice(marks.start, marks.stop)
    here, next_ = view[max(band.start, band.stop - 3), inside], view[band.stop + 2, inside]
    ends = np.abs(here - next_).max(1) > _SAME
    # What lies between them may go on as what lies behind them.
    between = (np.abs(here[:, None] - marks.other).max(2) <= _SAME).any(1)
    return bool((ends if between.all() else ends[~between]).mean() >= 0.6)


def _longer(ink: np.ndarray, before: np.ndarray) -> bool:
    """Says whether ink is some of the ticks of the row before, and nothing else."""
    # A ruler's last rows are crossed by each tenth tick.
    enough = ink.any() and ink.sum() >= 0.05 * before.sum()
    some = ink.sum() <= 0.6 * before.sum() and (ink & ~before).sum() <= 0.2 * ink.sum()
    return bool(enough and some)


def _patches(row: np.ndarray) -> _Marks | None:
    """Returns at least five regular patches in a row, [length, 3], if it has them."""
    flat = np.ptp(np.stack([row[:-2], row[1:-1], row[2:]]), axis=0).max(1) <= 9
    starts, stops = pixel_rows.runs(
        np.concatenate([[flat[0]], flat, [flat[-1]]]), max(3, len(row) / 200)
    )
    if not len(starts):
        return None
    means = np.stack([np.median(row[a:b], 0) for a, b in zip(starts, stops, strict=True)])
    ranges = [np.ptp(row[a:b], 0).max() for a, b in zip(starts, stops, strict=True)]
    sound = np.asarray(ranges) <= _SHADING / 2
    # With a card between the patches, every other one is the card.
    near = np.abs(means[:, None] - means).max(2) <= 10
    card = near[near.sum(1).argmax()]
    for chosen in [sound, sound & ~card] if card.sum() >= 4 else [sound]:
        taken = pixel_rows.regular(starts[chosen], stops[chosen], 5, 0.3)
        if taken is None:
            continue
        kept = np.flatnonzero(chosen)[taken]
        first, last = kept[0], kept[-1]
        span, filled = stops[last] - starts[first], (stops - starts)[first : last + 1].sum()
        steps, rest = np.diff(means[kept], axis=0), means[:0]
        # A scale bar is one dark colour beside one light: it steps through its card.
        if chosen is not sound:
            rest = np.median(means[card], axis=0)[None]
            steps = means[kept] - rest
        dense = span >= 0.12 * len(row) and filled >= 0.6 * span
        distinct = (np.abs(steps).max(1) >= 9).mean() >= 0.8
        if dense and distinct and np.ptp(means[first : last + 1], 0).max() >= _CONTRAST:
            # One colour beyond both ends is what the chart lies on.
            if first > 0 and last < len(means) - 1 and np.ptp(means[[0, -1]], 0).max() <= _SAME:
                rest = np.concatenate([rest, means[:1]])
            return _Marks(int(starts[first]), int(stops[last]), rest)
    return None


def _ticks(row: np.ndarray) -> _Marks | None:
    """Returns at least eight regular ticks in a row, [length, 3], if it has them."""
    ink = pixel_rows.ink(row)
    starts, stops = pixel_rows.runs(ink, 1)
    taken = pixel_rows.regular(starts, stops, 8, 0.6)
    if taken is None:
        return None
    starts, stops = starts[taken], stops[taken]
    pitch = np.median(np.diff(starts))
    if stops[-1] - starts[0] < 0.2 * len(row) or np.median(stops - starts) > 0.55 * pitch:
        return None
    inside = row[starts[0] : stops[-1]]
    ground = np.median(inside[~ink[starts[0] : stops[-1]]], axis=0)
    return _Marks(int(starts[0]), int(stops[-1]), ground[None])


def _end_of_ticks(bands: list[_Band], marks: _Marks) -> int:
    """Returns where an instrument's bands end: long ticks go on where short ones ended."""
    band, inside = bands[0], slice(marks.start, marks.stop)
    end, dark = band.stop, pixel_rows.ink(band.row)[inside]
    for next_ in bands[1:]:
        ink = pixel_rows.ink(next_.row)[inside]
        if next_.start - end > 2 or not _longer(ink, dark):
            break
        end, dark = next_.stop, ink
    return end


def _sharpest(view: np.ndarray, depth: int, marks: _Marks) -> int:
    """Returns the row near `depth` that begins what comes next."""
    rows = view[max(depth - 1, 0) : depth + _BLOCK, marks.start : marks.stop]
    change = (pixel_rows.apart(rows[1:], rows[:-1]) > _SAME).mean(1)
    line = int(change.argmax())
    # Blurred over two rows, a line is two changes: the later one ends it.
    line += int(line + 1 < len(change) and change[line + 1] >= 0.7 * change[line])
    return depth + line if change[line] >= 0.4 else depth


def _end_of_ground(view: np.ndarray, depth: int, marks: _Marks, limit: int) -> int:
    """Returns where the ground of an instrument ends, with the numbers on it if it has any."""
    reach = min(limit, depth + max(8, int(2 * _WRITING * min(view.shape[:2]))))
    if not marks.other.size or reach + 2 > len(view):
        return depth
    inside = view[depth:reach, marks.start : marks.stop]
    ink = (pixel_rows.apart(inside[:, :, None], marks.other) > _SAME).all(2)
    written = ink.mean(1)
    # The ground of a ruler ends with it; and where it ends, all of a row is unlike it.
    over = np.flatnonzero(written > 0.6)
    stop = int(over[0]) if len(over) else len(written)
    rows = np.flatnonzero(written[:stop] > 0)
    if not len(rows):
        return depth + stop if len(over) else depth
    quiet = np.flatnonzero(written[rows[0] : stop] == 0)
    if not len(quiet) and not len(over):
        return depth  # No end in sight: that is no writing.
    last = int(rows[0] + quiet[0]) if len(quiet) else stop
    columns = ink[rows[0] : last].any(0)
    joined = scipy.ndimage.binary_closing(columns, np.ones(max(3, last - rows[0])))
    starts, stops = pixel_rows.runs(joined, 1)
    taken = pixel_rows.regular(starts, stops, 4, 1.0)
    if taken is None or stops[taken[-1]] - starts[taken[0]] < 0.5 * len(columns):
        return depth
    return depth + (stop if len(over) and not written[last:stop].any() else last)


def _cut_margins(small: np.ndarray, box: list[int], backdrop: list, grounds: dict) -> None:
    """Takes plain margins off the box, if their colour is known.

    Either it was found at opposite edges: then it is added to `backdrop`. Or an instrument
    at the edge lies on it: `grounds` has such colours by edge.
    """
    margins = [_margin(_view(small, box, edge), edge in grounds) for edge in range(4)]
    for edge in (0, 1):
        (depth, color), (opposite, other) = margins[edge], margins[edge + 2]
        if depth and opposite and np.abs(color - other).max() <= _SAME:
            backdrop.append((color + other) / 2)
    for edge in range(4):
        # Anew: the cut before this one may have taken what was in the way.
        view = _view(small, box, edge)
        depth, color = _margin(view, edge in grounds)
        # Beside an instrument, a little of what it lies on; more may be a bright sky.
        narrow = depth <= _GAP * len(view)
        known = backdrop + (grounds.get(edge, []) if narrow else [])
        if depth and any(np.abs(color - other).max() <= _SAME for other in known):
            _cut(box, edge, depth)


def _margin(view: np.ndarray, opened: bool) -> tuple[int, np.ndarray]:
    """Returns how many rows at the edge are plain, and their colour; a blank picture has 0.

    Every pixel counts: a row that a line of ink crosses is not plain. Where an instrument
    was, the first rows of a block may hold its ringing.
    """
    for skipped in range(0, max(1, min(_BLOCK, len(view) - 3)) if opened else 1, 3):
        depth, color = _plain(view[skipped:], 16 if opened else 8)
        rung = np.abs(view[:skipped] - color).max(initial=0)
        if (depth >= 3 or not skipped) and depth and rung <= 2 * _RINGING:
            return skipped + depth, color
    return 0, color


def _plain(view: np.ndarray, least: float) -> tuple[int, np.ndarray]:
    """Returns how many rows are plain, within `least` where there is no noise; their colour."""
    shade = pixel_rows.shade(np.median(view[:3], axis=0))
    color = np.median(shade, axis=0)
    if np.ptp(shade, axis=0).max() > _SHADING:
        return 0, color
    noise = 1.4826 * np.median(np.abs(view[:3] - shade))
    tolerance = np.clip(5 * noise + 3, least, 20)
    depth, step = 0, 8
    while depth < len(view):
        block = view[depth : depth + step]
        wrong = np.abs(block - shade).max((1, 2)) > tolerance
        if wrong.any():
            depth += int(wrong.argmax())
            return (depth + _to_line(view[depth : depth + _BLOCK], shade) if depth else 0), color
        depth += len(block)
        # Light falls off slowly; what shifts more than that is another thing.
        shade = shade + 0.5 * (
            np.median(pixel_rows.shade(np.median(block, axis=0)) - shade, axis=0)
        )
        if np.abs(np.median(shade, axis=0) - color).max() > _SHADING:
            return depth, color
    return 0, color


def _to_line(rows: np.ndarray, shade: np.ndarray) -> int:
    """Returns how many rows, of backdrop and ringing, are before a line across them, or 0."""
    away = pixel_rows.apart(rows, shade)
    lines = np.flatnonzero((away > _RINGING).mean(1) > 0.3)
    return int(lines[0]) if len(lines) and away[: lines[0]].max(initial=0) <= _RINGING else 0
