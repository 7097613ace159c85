"""Receptive fields: which pixels of the image a unit of a layer can see.

The graph is walked once with the sizes of a concrete image, because the padding "same"
is asymmetric in a way that depends on them. Two answers are kept per axis: an affine one
that knows no border (its width is the receptive field of the literature), and for every
unit the exact first and last pixel inside the image.
"""

import dataclasses
import functools
import math
import typing
from fractions import Fraction

import numpy as np

from tfvis.errors import InputError, arg
from tfvis.networks.receptive_field import layer_rules, spatial_positions
from tfvis.networks.receptive_field.layer_rules import Layout, Support, Window
from tfvis.networks.receptive_field.subgraph_probing import Lost

if typing.TYPE_CHECKING:
    from tfvis.networks.network import Network


@dataclasses.dataclass(frozen=True, eq=False)
class Axis:
    """What the units along one axis of a map see, in pixels of the image.

    Attributes:
        jump: pixels between what neighbours see; a fraction after upsampling, 0 where
            all see the same.
        low, high: unit i sees pixels low + jump * i .. high + jump * i, both included,
            not clipped to the image (where the map grows: at most these).
        first, last: the same for each unit of this image's map, clipped and exact;
            first > last where a unit sees padding only. None where all see everything.
    """

    jump: Fraction
    low: Fraction
    high: Fraction
    first: np.ndarray | None
    last: np.ndarray | None


@dataclasses.dataclass(frozen=True, eq=False)
class Field:
    """The receptive field of a layer, see `receptive_field`.

    Attributes:
        rows, columns: per axis.
        image: (height, width) of the image.
        layout: where in the layer's output the places lie, or why there are none.
    """

    rows: Axis
    columns: Axis
    image: tuple[int, int]
    layout: Layout | Lost

    @property
    def everything(self) -> bool:
        """Whether each unit sees the whole image."""
        return self.rows.first is None

    @property
    def places(self) -> tuple[int, int]:
        """(height, width) of the map; (1, 1) where each unit sees everything."""
        return (1, 1) if self.everything else (len(self.rows.first), len(self.columns.first))

    @property
    def size(self) -> tuple[int, int]:
        """(rows, columns) of pixels a unit far from every border sees."""
        return tuple(math.floor(axis.high - axis.low) + 1 for axis in (self.rows, self.columns))

    def box(self, row: int, column: int) -> tuple[int, int, int, int]:
        """Returns (top, left, bottom, right) of what one unit sees, half-open, in the image.

        The smallest box around it: a dilated convolution leaves gaps within. (0, 0, 0, 0)
        where a unit sees padding only.

        Raises:
            InputError: the map has no such unit.
        """
        if self.everything:
            return (0, 0, *self.image)
        edges = []
        for name, axis, index in (("row", self.rows, row), ("column", self.columns, column)):
            if not 0 <= index < len(axis.first):
                raise InputError(
                    f"Expected a {name} of 0 to {len(axis.first) - 1}, the map's. Received: {index}"
                )
            edges.append((int(axis.first[index]), int(axis.last[index]) + 1))
        (top, bottom), (left, right) = edges
        if top >= bottom or left >= right:
            return (0, 0, 0, 0)
        return (top, left, bottom, right)


def receptive_field(
    network: "Network",
    layer: str,
    height: int,
    width: int,
    *,
    places_only: bool = False,
    by_rule: bool = False,
) -> Field:
    """Returns what the units of `layer` see of an image of height x width pixels.

    Every operation is followed, by a rule or by asking it (`places`); branches are united.
    What joins all places (global pooling, attention), or cannot be asked, and all that
    follows it, is taken to see everything.

    Args:
        network: which network; one of fixed size sees the image resized, as its taps do.
        layer: a path, or "logits".
        height, width: in pixels.
        places_only: leave out what sees everything beside what keeps its place: the gates of
            squeeze-and-excitation, the statistics of a normalisation.
        by_rule: ask no operation, so that the answer holds for parts of the image, too.

    Raises:
        InputError: an unknown layer, or an image too small to reach it.
    """
    network.check([layer])
    walk = _walk(network, int(height), int(width), not places_only, not by_rule)
    found = walk.to(network.graph.tensors[network.path(layer)])
    if isinstance(found, Lost):
        whole = (
            Axis(Fraction(0), Fraction(0), Fraction(n - 1), None, None) for n in (height, width)
        )
        return Field(*whole, (height, width), found)
    axes = (found.rows, found.columns)
    if 0 in (len(axis.first) for axis in axes):
        raise InputError(
            f"{network.name} cannot take an image of {height} x {width} pixels up to {layer}. Try "
            f"a larger {arg('size')}, a multiple of 32."
        )
    return Field(*axes, (height, width), found.layout)


@functools.lru_cache(maxsize=32)
def _walk(
    network: "Network", height: int, width: int, strict: bool, ask: bool
) -> spatial_positions.Walk:
    graph, algebra = network.graph, _Axes()
    axes = [_pixels(height), _pixels(width)]
    if network.fixed_size and network.fixed_size != (height, width):
        resized = map(layer_rules.resized, (height, width), network.fixed_size)
        axes = list(map(algebra.through, axes, resized))
    state = spatial_positions.State(Layout(), *axes)
    return spatial_positions.Walk(graph.inputs, state, algebra, strict=strict, ask=ask)


def _pixels(size: int) -> Axis:
    """Returns the axis of the image itself."""
    indices = np.arange(size)
    return Axis(Fraction(1), Fraction(0), Fraction(0), indices, indices)


class _Axes:
    """What is seen of the image, as `Axis`; a `spatial_positions.Algebra`."""

    def length(self, axis: Axis) -> int:
        return len(axis.first)

    def through(self, axis: Axis, seen: Window | Support) -> Axis:
        # What sees nothing keeps a span that any union replaces.
        first = np.full(seen.size, np.iinfo(np.int64).max // 2)
        last = np.full(seen.size, -1)
        for outputs, inputs in seen.pairs(len(axis.first)):
            first[outputs] = np.minimum(first[outputs], axis.first[inputs])
            last[outputs] = np.maximum(last[outputs], axis.last[inputs])
        if isinstance(seen, Support):
            return _fitted(axis, seen, first, last)
        scale = axis.jump / seen.parts
        # Of a map that was flipped the jump is negative.
        low, high = sorted((scale * seen.low, scale * seen.high))
        return Axis(scale * seen.step, axis.low + low, axis.high + high, first, last)

    def united(self, axes: list[Axis]) -> Axis:
        if len(axes) == 1:
            return axes[0]
        first = np.min([axis.first for axis in axes], axis=0)
        last = np.max([axis.last for axis in axes], axis=0)
        jumps = {axis.jump for axis in axes}
        if len(jumps) > 1:
            return _unfitted(first, last)
        low, high = min(axis.low for axis in axes), max(axis.high for axis in axes)
        return Axis(jumps.pop(), low, high, first, last)


def _fitted(axis: Axis, support: Support, first, last) -> Axis:
    """Returns the axis of what a support sees, with the affine rule that is nearest to it."""
    rows = np.flatnonzero(support.seen.any(1))
    if not len(rows):
        return Axis(Fraction(0), Fraction(0), Fraction(0), first, last)
    begin, end = (support.seen[rows].argmax(1), support.seen[rows][:, ::-1].argmax(1))
    middle = begin + support.seen.shape[1] - 1 - end
    # Borders cut off what is seen, so the slope is that of the inner half.
    inner = slice(len(rows) // 4, len(rows) - len(rows) // 4)
    step = Fraction(0)
    if len(rows[inner]) > 1:
        slope = np.polyfit(rows[inner], middle[inner] / 2, 1)[0]
        step = Fraction(float(slope)).limit_denominator(16)
    # At most these, as where a map grows: every unit's are within.
    low = min(Fraction(int(b)) - step * int(r) for r, b in zip(rows, begin, strict=True))
    last_seen = support.seen.shape[1] - 1 - end
    high = max(Fraction(int(e)) - step * int(r) for r, e in zip(rows, last_seen, strict=True))
    if high - low > 2 * (last_seen - begin).max() + abs(step) + 1:
        # Parts in another order, as of a map that was rolled.
        return _unfitted(first, last)
    low, high = sorted((axis.jump * low, axis.jump * high))
    return Axis(axis.jump * step, axis.low + low, axis.high + high, first, last)


def _unfitted(first, last) -> Axis:
    # No affine rule fits; this one holds for every unit.
    return Axis(Fraction(0), Fraction(int(first.min())), Fraction(int(last.max())), first, last)
