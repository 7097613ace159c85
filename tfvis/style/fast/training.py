"""Training a transform network: plain `model.fit` in stages, kept so that a kill costs seconds."""

import dataclasses
import json
import math
import pathlib
import time
from collections.abc import Callable, Iterator, Sequence

import keras
import numpy as np
import tensorflow as tf

from tfvis import bounds, files
from tfvis.networks.files import variable_files
from tfvis.settings import given
from tfvis.style.fast import photographs, transform_network
from tfvis.style.fast.settings import FastTraining, Stage, stages
from tfvis.style.fast.style_loss import StyleLoss

# Steps after which the state is kept: seconds of work.
KEPT_EVERY = 50
# Name of what changes in a picture that is moved, among the terms.
STABILITY = "stability"
# Steps that are timed before a training begins, after one that compiles.
_TIMED = 3


@dataclasses.dataclass(frozen=True)
class Pace:
    """How fast a stage goes.

    Attributes:
        size: side of its pictures.
        steps: that are left of it.
        seconds: a step takes.
    """

    size: int
    steps: int
    seconds: float


class Learner(keras.Model):
    """A transform network and its loss.

    Args:
        network: see `transform_network.build`.
        loss: of its pictures.
        settings: of the training; they hold no None.
    """

    def __init__(self, network: keras.Model, loss: StyleLoss, settings: FastTraining):
        super().__init__()
        self.network, self._loss_of, self._settings = network, loss, settings
        names = ("energy", *loss.terms, *([STABILITY] if settings.stability else []))
        self._means = {name: keras.metrics.Mean(name) for name in names}
        self._stage: Stage | None = None
        # What Keras' trainer calls for each step, by the stage it was traced for.
        self.train_function: Callable | None = None
        self._functions: dict[Stage | None, Callable | None] = {}

    def at(self, stage: Stage) -> None:
        """Has the next `fit` be of one stage.

        Each has a trace of its own: one for all would know no size, and where it is known VGG
        takes a batch picture by picture, which is faster.
        """
        self._functions[self._stage] = self.train_function
        self._stage, self.train_function = stage, self._functions.get(stage)

    @property
    def metrics(self) -> list[keras.metrics.Metric]:
        """Means over the steps since the state was last kept."""
        return list(self._means.values())

    def train_step(self, data):
        """One step on (pictures, which style each is to have)."""
        whole, which = data
        stage = given(self._stage)
        centre = slice(stage.margin, stage.margin + stage.size)
        contents = tf.ensure_shape(whole[:, centre, centre], (None, stage.size, stage.size, 3))
        variables = self.network.trainable_variables
        with tf.GradientTape() as tape:
            mix = tf.one_hot(which, self.network.input_shape[1][-1])
            painted = self._painted(whole, mix)
            energies, terms = self._loss_of(painted[:, centre, centre], contents, which)
            total = energies
            if stage.margin and self._settings.stability:
                terms = terms | {STABILITY: self._unstable(painted, whole, mix)}
                total = energies + self._settings.stability * terms[STABILITY]
            # Over all devices the gradients are added up.
            energy = tf.reduce_sum(total) / self._settings.batch
        self.optimizer.apply(tape.gradient(energy, variables), variables)
        found = {"energy": energies} | terms
        for name, values in found.items():
            self._means[name].update_state(values)
        return {name: self._means[name].result() for name in found}

    def _painted(self, pictures: tf.Tensor, mix: tf.Tensor) -> tf.Tensor:
        return tf.ensure_shape(self.network([pictures, mix], training=True), pictures.shape)

    def _unstable(self, painted: tf.Tensor, whole: tf.Tensor, mix: tf.Tensor) -> tf.Tensor:
        """Returns how far a part is from what it is painted as by itself, float32 [batch].

        The part begins up to three pixels from the corner, so that it lies otherwise on the grid of
        the coarsest maps, as the next frame of a pan would: the mean square of the difference, as
        a share of the range, without the margin.
        """
        stride, margin = transform_network.STRIDE, given(self._stage).margin
        side = whole.shape[1] - stride
        seed = tf.stack([self._settings.seed, tf.cast(self.optimizer.iterations, tf.int32)])
        place = tf.random.stateless_uniform([], seed, 1, stride**2, tf.int32)
        corner, size = (0, place // stride, place % stride, 0), (whole.shape[0], side, side, 3)
        alone = self._painted(tf.ensure_shape(tf.slice(whole, corner, size), size), mix)
        inside = slice(margin, side - margin)
        apart = (tf.slice(painted, corner, size) - alone)[:, inside, inside] / 255.0
        return tf.reduce_mean(tf.square(apart), (1, 2, 3))


class Keeper(keras.callbacks.Callback):
    """Keeps the state of a training, and what it has been through.

    Args:
        folder: of the state.
        key: of the training; a state of another one is not used.
        told: is called with the history each time the state has been kept.

    Attributes:
        history: [{"step": steps done, "seconds": of work, "size", "energy", ...}]; means since the
            one before.
    """

    def __init__(self, folder: pathlib.Path, key: str, told: Callable[[list[dict]], None]):
        super().__init__()
        self._folder, self._key, self._told = folder, key, told
        self.history: list[dict] = self._read()
        self.size, self._began = 0, time.perf_counter()

    @property
    def done(self) -> int:
        """Steps done."""
        return self.history[-1]["step"] if self.history else 0

    def resume(self, learner: Learner) -> None:
        """Gives a learner, whose optimizer is built, the state it had."""
        if self.done:
            variable_files.load(learner, self._folder / f"step{self.done}.npz")
        self._began = time.perf_counter()

    def on_epoch_end(self, epoch, logs=None):
        """Keeps the state; see `fit` for what an epoch is."""
        before = self.done
        entry = {name: float(value) for name, value in (logs or {}).items()}
        if not all(map(math.isfinite, entry.values())):
            self.model.stop_training = True
            raise FloatingPointError(f"The energy is not a finite number by step {before + 1}.")
        seconds = self.history[-1]["seconds"] if self.history else 0.0
        now = time.perf_counter()
        done = before + self.params["steps"]
        self.history.append(
            {"step": done, "size": self.size, "seconds": seconds + now - self._began, **entry}
        )
        self._began = now
        variable_files.save(self.model, self._folder / f"step{done}.npz")
        # Last: until it is written, the state before holds.
        state = {"key": self._key, "history": self.history}
        files.write_text(self._folder / "state.json", json.dumps(state))
        for stale in self._folder.glob("step*.npz"):
            if stale.name != f"step{done}.npz":
                stale.unlink(missing_ok=True)
        self._told(self.history)

    def _read(self) -> list[dict]:
        path = self._folder / "state.json"
        try:
            state = json.loads(files.read_bytes(path, str(path), bounds.MANIFEST))
            history = state["history"]
            done = history[-1]["step"]
            if state["key"] == self._key and (self._folder / f"step{done}.npz").is_file():
                return history
        except (ValueError, KeyError, TypeError, IndexError):
            pass
        return []


def learner(network: keras.Model, loss: StyleLoss, settings: FastTraining) -> Learner:
    """Returns a learner that is compiled and built; `settings` hold no None."""
    made = Learner(network, loss, settings)
    steps = sum(stage.steps for stage in stages(settings))
    optimizer = keras.optimizers.Adam(keras.optimizers.schedules.CosineDecay(settings.rate, steps))
    # XLA's convolutions on a CPU take a naive path.
    gpus = tf.config.list_physical_devices("GPU")
    made.compile(optimizer, jit_compile="auto" if gpus else False)
    optimizer.build(network.trainable_variables)
    return made


def paces(
    learning: Learner, shown: Sequence[np.ndarray], styles: int, settings: FastTraining, done: int
) -> Iterator[Pace]:
    """Yields how fast each stage that is left will go, measured in a few steps of it.

    What they learn is taken back; the stages then begin without compiling.
    """
    before = 0
    for stage in stages(settings):
        left = min(before + stage.steps - done, stage.steps)
        before += stage.steps
        if left <= 0:
            continue
        # In memory: a checkpoint is of seconds.
        kept = [variable.numpy() for variable in _variables(learning)]
        clock = _Clock()
        data = photographs.batches(shown, settings.seed, 0, settings.batch, stage.painted, styles)
        learning.at(stage)
        learning.fit(data, steps_per_epoch=1 + _TIMED, shuffle=False, verbose=0, callbacks=[clock])
        for variable, value in zip(_variables(learning), kept, strict=True):
            variable.assign(value)
        yield Pace(stage.size, left, float(np.median(clock.seconds[1:])))


def fit(
    learning: Learner,
    shown: Sequence[np.ndarray],
    styles: int,
    settings: FastTraining,
    keeper: Keeper,
    callbacks: Sequence[keras.callbacks.Callback] = (),
) -> None:
    """Trains from where the keeper has come to, to the end.

    Args:
        learning: what `learner` returned; holds the result.
        shown: what `photographs.kept` returned.
        styles: that are trained.
        settings: they hold no None.
        keeper: whose state is gone on from; equal arguments end with the same bits.
        callbacks: of `model.fit`, of which an epoch is `KEPT_EVERY` steps.
    """
    keeper.resume(learning)
    before = 0
    for stage in stages(settings):
        end = before + stage.steps
        before = end
        keeper.size = stage.size
        learning.at(stage)
        while keeper.done < end:
            # The last epoch of a stage may be shorter, and is then a fit of its own.
            left = end - keeper.done
            whole, each = max(left // KEPT_EVERY, 1), min(left, KEPT_EVERY)
            data = photographs.batches(
                shown, settings.seed, keeper.done, settings.batch, stage.painted, styles
            )
            learning.fit(
                data, steps_per_epoch=each, epochs=whole, shuffle=False, verbose=0,
                callbacks=[keeper, *callbacks],
            )  # fmt: skip


def _variables(learning: Learner) -> list:
    return [*learning.variables, *given(learning.optimizer).variables]


class _Clock(keras.callbacks.Callback):
    """Times steps."""

    def __init__(self):
        super().__init__()
        self.seconds, self._began = [], 0.0

    def on_train_batch_begin(self, batch, logs=None):
        self._began = time.perf_counter()

    def on_train_batch_end(self, batch, logs=None):
        self.seconds.append(time.perf_counter() - self._began)
