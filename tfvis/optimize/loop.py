"""The one loop: a compiled chunk of steps, and a generator of snapshots."""

import dataclasses
from collections.abc import Callable, Iterable, Iterator

import numpy as np
import tensorflow as tf

from tfvis.optimize.optimizers import Update
from tfvis.optimize.stopping import Stop

# Steps per call of the compiled chunk. Long enough that Python's share vanishes,
# short enough that Ctrl-C and the progress bar answer within seconds.
CHUNK = 10

Energy = Callable[[tf.Tensor, tf.Tensor], dict[str, tf.Tensor]]


@dataclasses.dataclass(frozen=True)
class Stage:
    """A run of steps under one rate on one canvas.

    Attributes:
        steps: how many at most.
        rate: of the update rule.
        margin: pixels by which the canvas exceeds the image in each direction.
    """

    steps: int
    rate: float
    margin: int = 0


@dataclasses.dataclass(frozen=True, repr=False)
class State:
    """All that is needed to go on, bit for bit.

    Attributes:
        canvas: what is optimised, float32 [batch, ...].
        slots: the update rule's; left as tensors, since L-BFGS' may fill the memory.
        stage: index of the current stage.
        step: steps done in that stage.
        kept: the best of this stage so far, shaped as canvas.
        kept_energy: float64 [batch], its energy (a mean over `CHUNK` steps).
        stopped: bool [batch], the images that have come far enough.
        trail: float32 [steps, batch], the latest energies of the stage.
        slowed: what the rates of the stages are multiplied by, less than 1 after a divergence.
    """

    canvas: np.ndarray
    slots: tuple[np.ndarray | tf.Tensor, ...]
    stage: int
    step: int
    kept: np.ndarray
    kept_energy: np.ndarray
    stopped: np.ndarray
    trail: np.ndarray
    slowed: float = 1.0

    def __repr__(self) -> str:
        return f"<State: canvas {self.canvas.shape}, stage {self.stage}, step {self.step}>"


@dataclasses.dataclass(frozen=True, repr=False)
class Snapshot:
    """What the loop shows between chunks.

    Attributes:
        state: where it stands.
        canvas: the image as it is now, float32 like the state's canvas; `state.kept` is
            the best so far, and the result once the loop has ended.
        done: steps done, or left out because all images had stopped, over all stages.
        terms: {name: float32 [steps of this chunk, batch]}, each step's energy terms
            before its update, unweighted; empty for the start itself.
        energies: float32 [steps of this chunk, batch], what the rule judges by.
    """

    state: State
    canvas: np.ndarray
    done: int
    terms: dict[str, np.ndarray]
    energies: np.ndarray

    def __repr__(self) -> str:
        return f"<Snapshot: {self.done} steps done, canvas {self.canvas.shape}>"


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
        energy: (canvas, step) -> {name: float32 [batch]}; their weighted sum is made
            small. The sum over the batch is differentiated, never the mean, so that each
            image moves as if it were alone.
        update: the rule.
        project: canvas -> canvas, applied after each step.
        jit: compile with XLA.
        weights: {name: factor} of terms; a term without one weighs 1, and one that weighs
            0 is only watched.
    """

    def __init__(self, energy: Energy, update: Update, project, jit=False, weights=None):
        self._energy = energy
        self._weights = weights or {}
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
            (canvas, slots, step, shown, history); the number of good steps is in
            `step`; the energy terms of step i of this chunk, and the energy it is judged
            by, are in history[i], [terms + 1, batch].
        """
        history = tf.TensorArray(tf.float32, CHUNK, element_shape=[None, canvas.shape[0]])
        start = step
        for _ in tf.range(count):
            terms, total, judged, new_canvas, new_slots = self._stepped(
                canvas, slots, first, step, rate
            )
            history = history.write(step - start, tf.stack([*terms, judged]))
            # One sum tells whether any element is NaN or infinite. If so the state stays
            # put for the rest of the chunk: XLA compiles no break out of a loop.
            good = tf.reduce_sum(new_canvas)
            if not self._update.tries:
                good += tf.reduce_sum(total)
            if tf.math.is_finite(good):
                canvas, slots, step = new_canvas, new_slots, step + 1
        return canvas, slots, step, self._update.result(canvas, slots), history.stack()

    # Not autograph: there is nothing to convert, and looking takes a sixth of a trace's time.
    @tf.autograph.experimental.do_not_convert
    def _stepped(self, canvas, slots, first, step, rate):
        """Returns (terms, their sum, the energy to judge by, the next canvas and slots)."""
        with tf.GradientTape(watch_accessed_variables=False) as tape:
            tape.watch(canvas)
            terms = self._energy(canvas, first + step)
            total = self._total(terms)
        self.names[:] = list(terms)
        gradient = tape.gradient(total, canvas)
        new_canvas, new_slots = self._update.apply(canvas, total, gradient, slots, rate, step)
        new_canvas = self._project(new_canvas)
        judged = self._update.value(total, new_slots)
        return list(terms.values()), total, judged, new_canvas, new_slots

    def _total(self, terms: dict[str, tf.Tensor]) -> tf.Tensor:
        weights = {name: self._weights.get(name, 1.0) for name in terms}
        return tf.add_n(
            [
                term if weights[name] == 1 else weights[name] * term
                for name, term in terms.items()
                # Not even differentiated.
                if weights[name] != 0
            ]
        )

    def run(
        self,
        stages: list[Stage],
        canvas: np.ndarray,
        state: State | None = None,
        stop: Stop = Stop(),
        marks: Iterable[int] = (),
    ) -> Iterator[Snapshot]:
        """Runs all stages, yielding after every chunk.

        Between stages the canvas is cut to the new margin, centred, and the rule's
        slots start afresh, as in MV16's code.

        Args:
            stages: in order.
            canvas: float32 [batch, ...]; with a margin, [batch, height, width, channels].
            state: where to go on; default the beginning.
            stop: when to end a stage early.
            marks: steps, counted over all stages, at which to yield as well; 0 is the
                start itself.

        Raises:
            DivergedError: with the last good state.
        """
        marks = sorted(set(marks))
        if state is None:
            state = self.begin(canvas)
            if 0 in marks:
                yield Snapshot(state, state.canvas, 0, {}, np.zeros((0, len(canvas)), np.float32))
        while True:
            stage = stages[state.stage]
            before = sum(earlier.steps for earlier in stages[: state.stage])
            if state.step == stage.steps:
                if state.stage + 1 == len(stages):
                    return
                following = stages[state.stage + 1]
                # An image that stopped goes on from where it did.
                stopped = state.stopped.reshape([-1] + [1] * (state.canvas.ndim - 1))
                canvas = np.where(stopped, state.kept, state.canvas)
                canvas = cut(canvas, stage.margin - following.margin)
                state = self.begin(canvas, state.stage + 1)
                continue
            # Chunks end at multiples of CHUNK whatever the marks, so that these change
            # neither what is kept nor when an image stops.
            count = min(CHUNK - state.step % CHUNK, stage.steps - state.step)
            ahead = [mark - before - state.step for mark in marks]
            count = min([count] + [steps for steps in ahead if steps > 0])
            canvas, slots, step, shown, history = self.chunk(
                tf.constant(state.canvas),
                tuple(tf.convert_to_tensor(slot) for slot in state.slots),
                tf.constant(before),
                tf.constant(state.step),
                tf.constant(count),
                tf.constant(stage.rate * state.slowed, tf.float32),
            )
            taken, shown = int(step) - state.step, shown.numpy()
            state = dataclasses.replace(
                state,
                canvas=canvas.numpy(),
                slots=tuple(slots),
                step=int(step),
            )
            if taken:
                history = history.numpy()[:taken]
                terms = {name: history[:, i] for i, name in enumerate(self.names)}
                state = _kept(state, stage, stop, shown, history[:, -1])
                yield Snapshot(state, shown, before + state.step, terms, history[:, -1])
            if taken < count:
                raise DivergedError(before + state.step, state)

    def begin(self, canvas: np.ndarray, stage: int = 0) -> State:
        """Returns the state at the beginning of a stage, at `canvas`."""
        batch = len(canvas)
        return State(
            canvas=canvas,
            slots=tuple(self._update.init(tf.constant(canvas))),
            stage=stage,
            step=0,
            kept=canvas,
            kept_energy=np.full(batch, np.inf),
            stopped=np.zeros(batch, bool),
            trail=np.zeros((0, batch), np.float32),
        )


def _kept(state: State, stage: Stage, stop: Stop, shown, energies) -> State:
    """Returns the state with its best images, and its end if all have come far enough.

    Args:
        state: after the steps, the rest as before them.
        stage: the current one.
        stop: the criterion.
        shown: the images now.
        energies: float32 [steps, batch], of the steps just done.
    """
    trail = np.concatenate([state.trail, energies])[-max(2 * stop.window, CHUNK) :]
    state = dataclasses.replace(state, trail=trail)
    if state.step % CHUNK and state.step < stage.steps:
        return state
    mean = trail[-CHUNK:].mean(0, dtype=np.float64)
    better = ~state.stopped & (mean < state.kept_energy)
    stopped = state.stopped
    if stop.change > 0 and len(trail) >= 2 * stop.window:
        halves = trail[-2 * stop.window :].astype(np.float64).reshape(2, stop.window, -1)
        older, newer = halves.mean(1)
        stopped = stopped | (np.abs(newer - older) < stop.change * np.abs(older))
    return dataclasses.replace(
        state,
        kept=np.where(better.reshape([-1] + [1] * (shown.ndim - 1)), shown, state.kept),
        kept_energy=np.where(better, mean, state.kept_energy),
        stopped=stopped,
        step=stage.steps if stopped.all() else state.step,
    )


def cut(canvas: np.ndarray, margin: int) -> np.ndarray:
    """Returns the centre of [batch, height, width, channels], `margin` smaller."""
    if margin <= 0:
        return canvas
    before = margin // 2
    rows, columns = canvas.shape[1] - margin, canvas.shape[2] - margin
    return canvas[:, before : before + rows, before : before + columns]
