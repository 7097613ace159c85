"""Where the places of a map go through a graph, whatever its operations.

A *place* is a row and a column of a map, wherever in a tensor they lie (`layer_rules.Layout`).
Rules answer for the layers they know (`windows`), the operation itself for all others
(`asking`); where several hide what they do together (a reshape, a transposition, a reshape),
they are asked as one.
"""

import dataclasses
from typing import Protocol

import tensorflow as tf

from tfvis.networks import keras_graph
from tfvis.networks.keras_graph import sources
from tfvis.networks.receptive_field import layer_rules, subgraph_probing
from tfvis.networks.receptive_field.layer_rules import Layout, Support, Window
from tfvis.networks.receptive_field.subgraph_probing import Lost

_JOINED = "joins all places"


@dataclasses.dataclass(frozen=True, eq=False)
class State:
    """What is known of a tensor's places.

    Attributes:
        layout: where in the tensor they lie.
        rows, columns: what they see, in terms of an `Algebra`.
        alike: whether the operation that made it acts on each place by itself, as a
            normalisation, a nonlinearity or a sum does.
    """

    layout: Layout
    rows: object
    columns: object
    alike: bool = False


class Algebra(Protocol):
    """How one axis of places is followed."""

    def length(self, axis) -> int:
        """Returns how many places it has."""

    def through(self, axis, seen: Window | Support):
        """Returns the axis of what sees these."""

    def united(self, axes: list):
        """Returns the axis of what sees all of some of one length."""


class Sizes:
    """The algebra that counts places: an axis is its length."""

    def length(self, axis: int) -> int:
        """See `Algebra`."""
        return axis

    def through(self, axis: int, seen: Window | Support) -> int:
        """See `Algebra`."""
        return seen.size

    def united(self, axes: list[int]) -> int:
        """See `Algebra`."""
        return axes[0]


class Walk:
    """Follows places from one tensor on.

    Args:
        start: symbolic tensor [batch, ...].
        state: its own.
        algebra: of what states hold.
        strict: whether all that is seen counts. Else a branch, or the part of an operation,
            that sees everything is left out where another keeps its place: the gates of
            squeeze-and-excitation, attention beside a shortcut, the statistics of a
            normalisation.
        ask: whether operations that no rule knows are asked, at the sizes at hand. What they
            answer holds for these only, where a rule holds for parts of an image as well.
    """

    def __init__(
        self, start, state: State, algebra: Algebra, *, strict: bool = False, ask: bool = True
    ):
        self._known: dict[int, State | Lost] = {id(start): state}
        self._algebra, self._strict, self._ask = algebra, strict, ask

    def to(self, end) -> State | Lost:
        """Returns what is known of a tensor; all ways to it come from the start."""
        # By hand, not by recursion: a DenseNet is deeper than Python's stack.
        stack = [end]
        while stack:
            tensor = stack[-1]
            if id(tensor) in self._known:
                stack.pop()
                continue
            before = sources(tensor)
            missing = [source for source in before if id(source) not in self._known]
            if missing:
                stack.extend(missing)
                continue
            self._known[id(tensor)] = self._step(tensor, before)
            stack.pop()
        return self._known[id(end)]

    def sizes(self, tensor) -> tuple[int, int]:
        """Returns the (height, width) of the places of a tensor that keeps them."""
        state = self._known[id(tensor)]
        return self._algebra.length(state.rows), self._algebra.length(state.columns)

    def _step(self, tensor, before) -> State | Lost:
        states = [self._known[id(source)] for source in before]
        lost = [state for state in states if isinstance(state, Lost)]
        if not states:
            return Lost(keras_graph.operation(tensor).name, "is not made of the image")
        hidden = next((state for state in lost if state.hidden), None)
        local = {id(s): s for s, x in zip(before, states, strict=True) if not isinstance(x, Lost)}
        if not local or (lost and self._strict):
            return self._together(tensor, hidden) if hidden else lost[0]
        empty = next((key for key, source in local.items() if 0 in self.sizes(source)), None)
        if empty is not None:
            return self._known[empty]
        found = self._one(tensor, before, list(local.values()))
        return self._together(tensor, hidden) if isinstance(found, Lost) and hidden else found

    def _one(self, tensor, before, local) -> State | Lost:
        """Returns what one operation makes of the places of some of its sources."""
        operation, rank = keras_graph.operation(tensor), len(tensor.shape)
        states = [self._known[id(source)] for source in local]
        layout = states[0].layout
        same = all(
            state.layout == layout and len(source.shape) == rank
            for state, source in zip(states, local, strict=True)
        )
        if layer_rules.joins_all(operation, layout):
            return Lost(operation.name, _JOINED)
        keeps = layer_rules.pointwise(operation, layout, rank)
        if same and (keeps or (layer_rules.scaled(operation) and not self._strict)):
            return self._in_place(layout, local)
        if layer_rules.scaled(operation) or (self._strict and layer_rules.goes_around(operation)):
            return Lost(operation.name, _JOINED)
        # Of several, such as a map and the mask it is put back by, places are seen alike.
        if same and rank == 4 and len(set(map(self.sizes, local))) == 1:
            free = ({1, 2, 3} - {layout.rows, layout.columns}).pop()
            channels = local[0].shape[free]
            found = layer_rules.windows(operation, self.sizes(local[0]), channels, layout)
            if found:
                return self._joined([(source, layout, *found) for source in local])
        return self._asked(tensor, before, local)

    def _in_place(self, layout, local) -> State:
        sizes = [self.sizes(source) for source in local]
        largest = tuple(map(max, zip(*sizes, strict=True)))
        ways = []
        for source, own in zip(local, sizes, strict=True):
            if own == largest:
                ways.append((source, layout, *map(Window, own)))
            elif any(1 != one < many for one, many in zip(own, largest, strict=True)):
                # Maps that do not fit: the image is too small, or its size odd.
                return self._joined([(source, layout, Window(0), Window(0))])
            elif self._strict:
                # A map of one place is added to every place of another; otherwise it is a
                # branch that sees everything.
                spread = zip(own, largest, strict=True)
                seen = (Window(many, step=int(one == many)) for one, many in spread)
                ways.append((source, layout, *seen))
        return self._joined(ways, alike=True)

    def _asked(self, tensor, before, local) -> State | Lost:
        """Lets the operation answer, for each of the sources."""
        operation, shapes = keras_graph.operation(tensor), {id(s): self._shape(s) for s in before}
        if not self._ask:
            return Lost(operation.name, "is known by no rule")
        ways, lost = [], []
        for source in local:
            layout = self._known[id(source)].layout
            question = subgraph_probing.Question(layout, self.sizes(source), self._strict)
            found = subgraph_probing.ask(source, tensor, shapes, question)
            lost += [found] if isinstance(found, Lost) else []
            ways += [] if isinstance(found, Lost) else [(source, *found)]
        if lost and (self._strict or not ways):
            return next((one for one in lost if one.hidden), lost[0])
        if len({(layout, *(axis.size for axis in axes)) for _, layout, *axes in ways}) > 1:
            return Lost(operation.name, "puts places of its inputs side by side", True)
        one_by_one = len(before) == 1 and all(axis.identity for axis in ways[0][2:])
        # A kernel makes new features, were it of 1 x 1.
        kernels = [w for w in getattr(operation, "weights", ()) if len(w.shape) > 1]
        return self._joined(ways, alike=one_by_one and not kernels)

    def _joined(self, ways, alike: bool = False) -> State:
        """Returns the state from what is seen of each of some sources.

        Args:
            ways: (source, layout of the output, rows, columns) each.
            alike: see `State`.
        """
        rows, columns = [], []
        for source, _, *seen in ways:
            state = self._known[id(source)]
            rows.append(self._algebra.through(state.rows, seen[0]))
            columns.append(self._algebra.through(state.columns, seen[1]))
        united = self._algebra.united
        return State(ways[0][1], united(rows), united(columns), alike)

    def _together(self, tensor, hidden: Lost) -> State | Lost:
        """Asks all operations since places were last seen, as one."""
        if len(tensor.shape) < 3:
            return hidden
        kept, shapes, between = {}, {}, [tensor]
        for one in between:
            for source in sources(one):
                if not isinstance(self._known[id(source)], Lost):
                    kept[id(source)] = source
                elif not any(source is other for other in between):
                    between.append(source)
            if len(between) > subgraph_probing.TOGETHER:
                return hidden
        if len(kept) != 1:
            return hidden
        (source,) = kept.values()
        shapes[id(source)] = self._shape(source)
        question = subgraph_probing.Question(
            self._known[id(source)].layout, self.sizes(source), self._strict
        )
        found = subgraph_probing.ask(source, tensor, shapes, question)
        if isinstance(found, Lost):
            return hidden if found.hidden else found
        return self._joined([(source, *found)])

    def _shape(self, tensor) -> tuple[int | None, ...]:
        """Returns the shape of one image's tensor, None where it cannot be told."""
        state, shape = self._known[id(tensor)], list(tensor.shape)
        if not isinstance(state, Lost):
            layout, (height, width) = state.layout, self.sizes(tensor)
            if layout.tokens:
                shape[layout.rows] = layout.before + height * width + layout.after
            else:
                shape[layout.rows], shape[layout.columns] = height, width
        return tuple(shape[1:])


def start(tensor, sizes: tuple[int, int], strict: bool = False) -> Walk:
    """Returns a walk that counts places, from a tensor [batch, height, width, channels]."""
    return Walk(tensor, State(Layout(), *sizes), Sizes(), strict=strict)


def as_map(output: tf.Tensor, layout: Layout, sizes: tuple[int, int]) -> tf.Tensor:
    """Returns a tensor [batch, ...] as a map [batch, height, width, channels].

    Args:
        output: of which entries that are no places are left out.
        layout: where its places lie.
        sizes: (height, width) of the places.
    """
    if not layout.tokens:
        return channels_last(output, layout)
    height, width = sizes
    rest = [axis for axis in (1, 2) if axis != layout.rows]
    tokens = tf.transpose(output, [0, layout.rows, *rest])
    tokens = tokens[:, layout.before : layout.before + height * width]
    return tf.reshape(tokens, [-1, height, width, output.shape[rest[0]]])


def channels_last(output: tf.Tensor, layout: Layout) -> tf.Tensor:
    """Returns a tensor of four axes as a map [batch, height, width, channels]."""
    (free,) = {1, 2, 3} - {layout.rows, layout.columns}
    order = [0, layout.rows, layout.columns, free]
    return output if order == [0, 1, 2, 3] else tf.transpose(output, order)
