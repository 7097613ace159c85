"""What an operation sees of its input, found by asking the operation: part after part of the
input is changed, and where the output changes is noted.

Rows and columns of places are asked for separately. A part is halved until it is one row;
parts whose outputs lie apart are changed in the same call, so that the calls a convolution
takes grow with the logarithm of the map's size.
"""

import re
import time
from collections.abc import Callable

import numpy as np
import tensorflow as tf

from tfvis.networks.receptive_field.layer_rules import Layout

# Below this part of the largest change a change is rounding: a fast convolution adds and takes
# away neighbours that a unit does not see.
_ROUNDING = 1e-5
# Numbers in one call.
_ROOM = 1 << 24
# Rows up to which each is asked for singly.
_FEW = 8
# What an operation may take, seconds, as the time of one call tells beforehand; and one call,
# before it is made a graph.
_PATIENCE = 60
_CALLS = 200
_SLOW = 0.02
# An output counts as made of one row where all others together change it by less than this
# part of what that row does.
_OTHERS = 0.3
# A pattern of places counts as rows times columns where it fills this part of the product:
# a cross of 3 x 3 fills five ninths.
_FILLED = 0.52
# What TensorFlow's errors have for terminals and for its own use.
_MARKS = re.compile(r"\x1b\[[0-9;]*m|\{\{.*?\}\}")


class Unclear(Exception):
    """What is seen cannot be told; `args[0]` says why, as a clause."""


class Probe:
    """Asks a function of one tensor.

    Args:
        run: [batch, ...] to [batch, ...], each of the batch alone.
        shape: of its input, without the batch.
        dtype: of its input.
        layout: of its input.
        sizes: (height, width) of the places of its input.

    Raises:
        Unclear: it cannot be run, gives other answers to the same input, or takes too long.
    """

    def __init__(self, run: Callable, shape, dtype: str, layout: Layout, sizes: tuple[int, int]):
        self._run, self._shape, self._dtype = run, tuple(shape), tf.as_dtype(dtype)
        self._layout, self._sizes = layout, sizes
        self._random = np.random.default_rng(0)
        self._draws = self._drawn()
        base = self._draws[0][0][None]
        first = self._called(base)
        start = time.perf_counter()
        second = self._called(base)
        if time.perf_counter() - start > _SLOW:
            # Loops in Python, as over times, are quick once they are a graph.
            second, seconds = self._compiled(base)
            if seconds > _PATIENCE / _CALLS:
                raise Unclear("takes too long to be asked")
        if self._changed(first, second).any():
            raise Unclear("gives another answer each time")
        self.shape = first.shape[1:]

    def support(self) -> tuple[Layout, np.ndarray, np.ndarray] | None:
        """Returns the output's layout, and what it sees, bool [outputs, inputs], per axis.

        None where rows, or columns, are all seen by all.

        Raises:
            Unclear: there are places, and they do not lie in rows and columns.
        """
        found = [self._followed(axis) for axis in (0, 1)]
        if None in [axis for axis, _ in found]:
            return None
        layout, rows, columns = _laid_out(*found, self.shape)
        self._check_product(layout, rows, columns)
        return layout, rows, columns

    def dominant(self) -> tuple[Layout, np.ndarray, np.ndarray] | None:
        """Returns the same of what each output is mostly made of.

        A normalisation by statistics of the map sees all of it, and each place is its own all
        the same. None where more than one place matters, as in a running sum.

        Raises:
            Unclear: as `support`.
        """
        found = []
        for axis in (0, 1):
            carrying, seen = self._followed(axis)
            kept = carrying is not None and not running(seen)
            found.append((carrying, seen) if kept else self._mostly(axis))
        if None in [axis for axis, _ in found]:
            return None
        return _laid_out(*found, self.shape)

    def _drawn(self) -> list[tuple[np.ndarray, np.ndarray]]:
        """Returns pairs of inputs, the second what changed parts are made of."""
        if not (self._dtype.is_floating or self._dtype.is_integer or self._dtype.is_bool):
            raise Unclear(f"takes {self._dtype.name}")
        if self._dtype.is_bool:
            pairs = self._random.integers(0, 2, (8, 2, *self._shape))
        elif self._dtype.is_integer:
            pairs = self._random.integers(0, 128, (3, 2, *self._shape))
        else:
            pairs = self._random.normal(size=(4, 2, *self._shape))
            # Far above and below all others, for maxima and minima and what is cut off; and
            # above 0, where logarithms and roots are.
            pairs[0, 1] = 8 + 8 * np.abs(pairs[0, 1])
            pairs[1, 1] = -8 - 8 * np.abs(pairs[1, 1])
            pairs[2] = np.abs(pairs[2])
        return [tuple(pair) for pair in pairs.astype(self._dtype.as_numpy_dtype)]

    def _called(self, batch: np.ndarray) -> np.ndarray:
        try:
            output = self._run(tf.constant(batch, self._dtype))
            output = tf.cast(output, tf.float32).numpy()
        except Unclear:
            raise
        except Exception as error:  # Whatever code of a layer's own may raise.
            words = " ".join(_MARKS.sub("", str(error)).split())[:80]
            raise Unclear(f"fails when run by itself ({type(error).__name__}: {words})") from error
        if output.ndim < 2 or len(output) != len(batch):
            raise Unclear("mixes the images of a batch")
        return output

    def _compiled(self, base: np.ndarray) -> tuple[np.ndarray, float]:
        """Makes a graph of the function, if it can be one; returns an answer, and its seconds."""
        plain = self._run
        spec = tf.TensorSpec((None, *self._shape), self._dtype)
        self._run = tf.function(plain, input_signature=[spec], autograph=False)
        try:
            self._called(base)
        except Unclear:
            self._run = plain
        start = time.perf_counter()
        answer = self._called(base)
        return answer, time.perf_counter() - start

    def _changed(self, a: np.ndarray, b: np.ndarray) -> np.ndarray:
        """Returns where two outputs differ, of one draw and all its changed parts."""
        with np.errstate(invalid="ignore"):
            apart = np.where((a == b) | (np.isnan(a) & np.isnan(b)), 0, np.abs(a - b))
        apart = np.where(np.isnan(apart), np.inf, apart)
        size = max(np.nanmax(np.abs(x), initial=0, where=np.isfinite(x)) for x in (apart, a / 10))
        return apart > _ROUNDING * size

    def _mask(self, axis: int, indices) -> np.ndarray:
        """Returns which entries of the input lie in some rows (0) or columns (1)."""
        chosen = np.isin(np.arange(self._sizes[axis]), indices)
        layout = self._layout
        if layout.tokens:
            grid = chosen[:, None] if axis == 0 else chosen[None]
            chosen = np.broadcast_to(grid, self._sizes).ravel()
            chosen = np.pad(chosen, (layout.before, layout.after))
        shape = [1] * len(self._shape)
        shape[(layout.rows, layout.columns)[axis] - 1] = len(chosen)
        return chosen.reshape(shape)

    def _effects(self, masks: list[np.ndarray], reduce: Callable, draws=None) -> list:
        """Returns what `reduce` makes of outputs before and after, per mask and draw."""
        effects = [[] for _ in masks]
        chunk = max(1, _ROOM // max(np.prod(self._shape), np.prod(self.shape)))
        for base, fresh in draws or self._draws:
            before = self._called(base[None])
            for start in range(0, len(masks), chunk):
                part = masks[start : start + chunk]
                after = self._called(np.stack([np.where(mask, fresh, base) for mask in part]))
                for number, effect in enumerate(reduce(before, after), start):
                    effects[number].append(effect)
        return effects

    def _projected(self, masks: list[np.ndarray]) -> list[list[np.ndarray]]:
        """Returns, per mask, which entries along each axis of the output change."""

        def reduce(before, after):
            return [_projections(changed) for changed in self._changed(before, after)]

        effects = self._effects(masks, reduce)
        return [[np.any(axes, 0) for axes in zip(*draws, strict=True)] for draws in effects]

    def _followed(self, axis: int) -> tuple[int | None, np.ndarray | None]:
        """Returns the axis of the output that rows (or columns) go to, and what it sees.

        bool [entries along that axis, rows]; (None, None) where each sees all.
        """
        size = self._sizes[axis]
        for count in (size if size <= _FEW else 4, size):
            parts = np.array_split(np.arange(size), count)
            projections = self._projected([self._mask(axis, part) for part in parts])
            seen = [axes for axes in projections if axes[0].any()]
            if len(seen) > 1 or count == size:
                break  # Else but a part of the map is seen: it was cut out.
        if not seen:
            raise Unclear("answers to none of its inputs")
        carrying = [
            number
            for number, along in enumerate(zip(*seen, strict=True))
            if any((one != along[0]).any() for one in along)
        ]
        if not carrying:
            return None, None
        if len(carrying) > 1:
            raise Unclear("puts rows and columns where they cannot be told apart")
        (to,) = carrying
        seen = [axes[to] for axes in projections]
        while max(map(len, parts)) > 1:
            parts, seen = self._halved(axis, to, parts, seen)
        return to + 1, np.stack(seen, 1)

    def _halved(self, axis: int, to: int, parts, seen):
        """Returns half as large parts, and what of the axis `to` of the output each changes."""
        halves, bounds = [], []
        for part, bound in zip(parts, seen, strict=True):
            for half in np.array_split(part, 2) if len(part) > 1 else [part]:
                halves.append(half)
                bounds.append(bound)
        groups: list[list[int]] = []
        for number, bound in enumerate(bounds):
            apart = (g for g in groups if not any((bound & bounds[other]).any() for other in g))
            group = next(apart, None)
            if group is None:
                groups.append(group := [])
            group.append(number)
        masks = [self._mask(axis, np.concatenate([halves[k] for k in group])) for group in groups]
        found = list(bounds)
        for group, axes in zip(groups, self._projected(masks), strict=True):
            for number in group:
                found[number] = bounds[number] & axes[to]
        return halves, found

    def _mostly(self, axis: int) -> tuple[int | None, np.ndarray | None]:
        """As `_followed`, of the rows that outputs are mostly made of."""
        size = self._sizes[axis]
        for parts in (min(4, size), size):  # A few first: a mean over the map is soon told.
            masks = [self._mask(axis, part) for part in np.array_split(np.arange(size), parts)]
            own, rest = self._sizes_of_effects(masks), self._sizes_of_effects([~m for m in masks])
            found = []
            for to, (mine, others) in enumerate(zip(own, rest, strict=True), 1):
                seen = mine > mine.max(0) / 2
                if not seen.all() and (others[seen] <= _OTHERS * mine[seen]).all():
                    found.append((to, seen))
            if size < 2 or len(found) != 1:
                return None, None
        return found[0]

    def _sizes_of_effects(self, masks) -> list[np.ndarray]:
        """Returns, per axis of the output, how much each mask changes, [entries, masks]."""

        def reduce(before, after):
            return [_means(one) for one in np.abs(after - before)]

        # Changed to what is as likely: statistics stay what they are.
        effects = [draws[-1] for draws in self._effects(masks, reduce, self._draws[-1:])]
        return [np.stack(axis, 1) for axis in zip(*effects, strict=True)]

    def _check_product(self, layout: Layout, rows: np.ndarray, columns: np.ndarray) -> None:
        """Raises Unclear where single places do not go to rows times columns."""
        places = {
            (int(self._random.integers(self._sizes[0])), int(self._random.integers(self._sizes[1])))
            for _ in range(8)
        }
        masks = [self._mask(0, [row]) & self._mask(1, [column]) for row, column in places]
        expected, counts = 0, 0
        effects = self._effects(masks, lambda before, after: self._changed(before, after))
        for (row, column), draws in zip(places, effects, strict=True):
            changed = np.any(draws, 0)
            others = {layout.rows - 1, layout.columns - 1}
            changed = changed.any(tuple(k for k in range(changed.ndim) if k not in others))
            expected += rows[:, row].sum() * columns[:, column].sum()
            counts += changed.sum()
        if counts < _FILLED * expected:
            raise Unclear("sees places that are no product of rows and columns")


def running(seen: np.ndarray) -> bool:
    """Tells outputs that see all that comes before their place, as running sums do.

    What is seen by one is then part of what is seen by the next, over most of the map; windows
    leave behind on one side what they take in on the other.

    Args:
        seen: bool [outputs, inputs], of rows or of columns.
    """
    counts = seen.sum(1)
    nested = seen[np.argsort(counts, kind="stable")]
    sizes = set(counts[counts > 0])
    return bool(
        (nested[:-1] <= nested[1:]).all() and len(sizes) > 2 and max(sizes) > seen.shape[1] / 2
    )


def _projections(changed: np.ndarray) -> list[np.ndarray]:
    axes = range(changed.ndim)
    return [changed.any(tuple(k for k in axes if k != axis)) for axis in axes]


def _means(apart: np.ndarray) -> list[np.ndarray]:
    axes = range(apart.ndim)
    return [apart.mean(tuple(k for k in axes if k != axis)) for axis in axes]


def _laid_out(rows, columns, shape) -> tuple[Layout, np.ndarray, np.ndarray]:
    """Returns the layout of an output, and per axis what is seen, from both axes' answers."""
    (row_axis, row_seen), (column_axis, column_seen) = rows, columns
    if row_axis != column_axis:
        return Layout(row_axis, column_axis), row_seen, column_seen
    if len(shape) < 2:
        raise Unclear("makes a vector of the places")
    inside = np.flatnonzero(row_seen.any(1) | column_seen.any(1))
    before, after = inside[0], shape[row_axis - 1] - 1 - inside[-1]
    count = inside[-1] + 1 - before
    grids = [seen[before : before + count].reshape(count, -1) for seen in (row_seen, column_seen)]
    for height in range(1, count + 1):
        if count % height:
            continue
        by_row, by_column = (seen.reshape(height, count // height, -1) for seen in grids)
        if (by_row == by_row[:, :1]).all() and (by_column == by_column[:1]).all():
            layout = Layout(row_axis, row_axis, int(before), int(after))
            return layout, by_row[:, 0], by_column[0]
    raise Unclear("puts places in an order that is not row by row")
