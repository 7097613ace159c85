"""The one loop: a compiled chunk of steps, and a generator of snapshots."""

import dataclasses
from collections.abc import Callable, Iterator

import numpy as np
import tensorflow as tf

from tfvis.optimize.updates import Update

# Steps per call of the compiled chunk. Long enough that Python's share vanishes,
# short enough that Ctrl-C and the progress bar answer within seconds.
CHUNK = 10

Energy = Callable[[tf.Tensor, tf.Tensor], dict[str, tf.Tensor]]


@dataclasses.dataclass(frozen=True)
class Stage:
    """A run of steps under one rate on one canvas.

    Attributes:
        steps: how many.
        rate: of the update rule.
        margin: pixels by which the canvas exceeds the image in each direction.
    """

    steps: int
    rate: float
    margin: int = 0


@dataclasses.dataclass(frozen=True)
class State:
    """All that is needed to go on, bit for bit.

    Attributes:
        canvas: float32 [batch, height, width, channels].
        slots: the update rule's.
        stage: index of the current stage.
        step: steps done in that stage.
    """

    canvas: np.ndarray
    slots: tuple[np.ndarray, ...]
    stage: int = 0
    step: int = 0


@dataclasses.dataclass(frozen=True)
class Snapshot:
    """What the loop shows between chunks.

    Attributes:
        state: where it stands.
        done: steps done over all stages.
        terms: {name: float32 [steps of this chunk, batch]}, each step's energy terms
            before its update.
    """

    state: State
    done: int
    terms: dict[str, np.ndarray]


class DivergedError(ArithmeticError):
    """The energy or the image stopped being finite.

    Attributes:
        step: steps done over all stages when it happened.
        state: the last state in which all was finite.
    """

    def __init__(self, step: int, state: State):
        super().__init__(f"The energy is not a finite number at step {step}.")
        self.step = step
        self.state = state


class Loop:
    """An energy, an update rule and a projection, compiled together.

    Args:
        energy: (canvas, step) -> {name: float32 [batch]}; their sum is made small.
            The sum over the batch is differentiated, never the mean, so that each
            image moves as if it were alone.
        update: the rule.
        project: canvas -> canvas, applied after each step.
        jit: compile with XLA.
    """

    def __init__(self, energy: Energy, update: Update, project, jit: bool = False):
        self._energy = energy
        self._update = update
        self._project = project
        self.chunk = tf.function(self._chunk, jit_compile=jit)
        self.names: list[str] = []

    @property
    def traces(self) -> int:
        """How often the chunk was traced: once per shape of canvas."""
        return self.chunk.experimental_get_tracing_count()

    def _chunk(self, canvas, slots, first, step, count, rate):
        """Does up to `count` steps; none from the first on that is not finite.

        Returns:
            (canvas, slots, step, history); the number of good steps is in `step`, the
            energy terms of step i of this chunk in history[i], [terms, batch].
        """
        history = tf.TensorArray(tf.float32, CHUNK, element_shape=[None, canvas.shape[0]])
        start = step
        for _ in tf.range(count):
            with tf.GradientTape(watch_accessed_variables=False) as tape:
                tape.watch(canvas)
                terms = self._energy(canvas, first + step)
                total = tf.add_n(list(terms.values()))
            self.names[:] = list(terms)
            gradient = tape.gradient(total, canvas)
            change, new_slots = self._update.apply(gradient, slots, rate, step)
            new_canvas = self._project(canvas + change)
            history = history.write(step - start, tf.stack(list(terms.values())))
            # One sum tells whether any element is NaN or infinite. If so the state stays
            # put for the rest of the chunk: XLA compiles no break out of a loop.
            if tf.math.is_finite(tf.reduce_sum(new_canvas) + tf.reduce_sum(total)):
                canvas, slots, step = new_canvas, new_slots, step + 1
        return canvas, slots, step, history.stack()

    def run(
        self, stages: list[Stage], canvas: np.ndarray, state: State | None = None
    ) -> Iterator[Snapshot]:
        """Runs all stages, yielding after every chunk.

        Between stages the canvas is cut to the new margin, centred, and the rule's
        slots start afresh, as in MV16's code.

        Args:
            stages: in order.
            canvas: float32 [batch, height, width, channels] with the first margin.
            state: where to go on; default the beginning.

        Raises:
            DivergedError: with the last good state.
        """
        if state is None:
            state = State(canvas, self._fresh(canvas))
        while True:
            stage = stages[state.stage]
            before = sum(earlier.steps for earlier in stages[: state.stage])
            if state.step == stage.steps:
                if state.stage + 1 == len(stages):
                    return
                following = stages[state.stage + 1]
                canvas = cut(state.canvas, stage.margin - following.margin)
                state = State(canvas, self._fresh(canvas), state.stage + 1)
                continue
            count = min(CHUNK, stage.steps - state.step)
            canvas, slots, step, history = self.chunk(
                tf.constant(state.canvas),
                tuple(tf.constant(slot) for slot in state.slots),
                tf.constant(before),
                tf.constant(state.step),
                tf.constant(count),
                tf.constant(stage.rate, tf.float32),
            )
            taken = int(step) - state.step
            state = State(canvas.numpy(), tuple(s.numpy() for s in slots), state.stage, int(step))
            if taken:
                history = history.numpy()
                terms = {n: history[:taken, i] for i, n in enumerate(self.names)}
                yield Snapshot(state, before + state.step, terms)
            if taken < count:
                raise DivergedError(before + state.step, state)

    def _fresh(self, canvas: np.ndarray) -> tuple[np.ndarray, ...]:
        return tuple(s.numpy() for s in self._update.init(tf.constant(canvas)))


def cut(canvas: np.ndarray, margin: int) -> np.ndarray:
    """Returns the centre of [batch, height, width, channels], `margin` smaller."""
    if margin <= 0:
        return canvas
    before = margin // 2
    rows, columns = canvas.shape[1] - margin, canvas.shape[2] - margin
    return canvas[:, before : before + rows, before : before + columns]
