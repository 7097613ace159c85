"""Keeping a training: checked after every epoch, the best kept, resumable after a kill."""

import contextlib
import json
import pathlib
from collections.abc import Callable, Iterable

import keras
import numpy as np
import tensorflow as tf

from tfvis import bounds, files
from tfvis.networks.files import variable_files


class Keeper(keras.callbacks.Callback):
    """Validates after each epoch, keeps the best weights, stops early, saves the state.

    Args:
        folder: of the state: three files, replaced together as far as disks allow.
        key: of the training; a state of another one is not used.
        learner: the model that is validated.
        maps: of the validation pictures, in batches.
        labels: of these, int.
        patience: epochs without a lower loss before the end.
        seed: of dropout.
        loss: (one-hot labels, probabilities) -> the loss that decides, as in training: with
            smoothed labels surer is not always better.
        last: whether the last epoch is kept, not the best: of a training that adapts, the
            sources it is validated on cannot tell how well.

    Attributes:
        history: of every epoch.
        epoch: the next one.
        begun: whether there is a state to go on from.
        stopped: whether patience has ended.
    """

    def __init__(
        self,
        folder: pathlib.Path,
        key: str,
        learner: keras.Model,
        maps: tf.data.Dataset,
        labels: np.ndarray,
        patience: int,
        seed: int,
        loss: keras.losses.Loss,
        last: bool = False,
    ):
        super().__init__()
        self._folder, self._key, self._learner = folder, key, learner
        self._maps, self._labels = maps, labels
        self._patience, self._seed, self._loss, self._last = patience, seed, loss, last
        # The same layers without an optimizer, which would be saved, and missed, with them.
        self._bare = keras.Model(learner.inputs, learner.outputs)
        self._answers = answering(learner)
        self._state = self._read()
        self.begun = bool(self._state)

    @property
    def history(self) -> list[dict]:
        """Of every epoch; the first is of the head alone."""
        return self._state.get("history", [])

    @property
    def epoch(self) -> int:
        """The next epoch to train."""
        return max(len(self.history) - 1, 0)

    @property
    def stopped(self) -> bool:
        """Whether the loss has not fallen for as many epochs as there is patience."""
        losses = [entry["val_loss"] for entry in self.history if len(self._labels)]
        # Not-a-number would count as the least.
        best = int(np.argmin(np.nan_to_num(losses, nan=np.inf))) if losses else 0
        return bool(losses) and not self._last and len(losses) - 1 - best >= self._patience

    def start(self) -> None:
        """Validates and keeps the learner as it is before the first epoch."""
        # Another training's state ends here, before the first of its files is replaced.
        (self._folder / "state.json").unlink(missing_ok=True)
        for stale in self._folder.glob("epoch*.npz"):
            stale.unlink()
        self._state = {"key": self._key, "history": []}
        self._keep(self._learner, {})

    def resume(self, model: keras.Model) -> None:
        """Gives a model, compiled and with its optimizer built, the weights it had."""
        if self.epoch:
            variable_files.load(model, self._folder / f"epoch{self.epoch}.npz")
        else:
            self.best()

    def best(self) -> None:
        """Gives the learner its best weights."""
        variable_files.load(self._bare, self._folder / "best.npz")

    def on_epoch_begin(self, epoch, logs=None):
        """Seeds dropout by the epoch, so that a resumed one draws the same."""
        for k, generator in enumerate(_generators(self._learner)):
            words = np.random.SeedSequence((self._seed, epoch, k)).generate_state(2)
            generator.state.assign(words.astype(generator.state.dtype))

    def on_epoch_end(self, epoch, logs=None):
        """Validates, saves, and stops where patience has ended."""
        logs = {} if logs is None else logs
        self._keep(self.model, logs)
        if self.stopped:
            self.model.stop_training = True

    def _keep(self, model: keras.Model, logs: dict) -> None:
        with _averaged(model):
            logs |= self._validate()
            history = [*self.history, _named(logs)]
            losses = [entry["val_loss"] for entry in history]
            number = len(history) - 1
            # The first is kept whatever it is: a loss may be not-a-number.
            if self._last or not number or losses[-1] <= min(losses):
                variable_files.save(self._bare, self._folder / "best.npz")
        if number:
            variable_files.save(model, self._folder / f"epoch{number}.npz")
        self._state = {"key": self._key, "history": history}
        # Last: until it is written, the state before this epoch holds.
        files.write_text(self._folder / "state.json", json.dumps(self._state))
        (self._folder / f"epoch{number - 1}.npz").unlink(missing_ok=True)

    def _validate(self) -> dict[str, float]:
        """Returns the loss and accuracy of the learner on the validation pictures."""
        if not len(self._labels):
            return {"val_loss": 0.0, "val_accuracy": 0.0}
        found = self._answers(self._maps)
        onehot = np.eye(found.shape[-1], dtype=np.float32)[self._labels]
        return {
            # `call`, since within a strategy the loss is a share of it.
            "val_loss": float(np.mean(self._loss.call(onehot, found))),
            "val_accuracy": float((found.argmax(-1) == self._labels).mean()),
        }

    def _read(self) -> dict:
        path = self._folder / "state.json"
        try:
            state = json.loads(files.read_bytes(path, str(path), bounds.MANIFEST))
            count = len(state["history"]) - 1
            kept = self._folder / (f"epoch{count}.npz" if count else "best.npz")
            best = self._folder / "best.npz"
            if state["key"] == self._key and kept.is_file() and best.is_file():
                return state
        except (ValueError, KeyError, TypeError):
            pass
        return {}


def answering(learner: keras.Model) -> Callable[[Iterable[tf.Tensor]], np.ndarray]:
    """Returns the function from batches of maps to probabilities, float32 [pictures, classes].

    Not `predict`, which would change what a model being fitted is compiled to.
    """
    run = tf.function(lambda x: learner(x, training=False), autograph=False, reduce_retracing=True)

    def answers(batches):
        found = [run(batch).numpy() for batch in batches]
        return np.concatenate(found or [np.zeros((0, learner.output_shape[-1]), np.float32)])

    return answers


@contextlib.contextmanager
def _averaged(model: keras.Model):
    """Has a model hold the mean of its weights over the last steps, where that is kept."""
    optimizer = getattr(model, "optimizer", None)
    if not (optimizer and optimizer.use_ema):
        yield
        return
    variables = model.trainable_variables
    before = [variable.numpy() for variable in variables]
    optimizer.finalize_variable_values(variables)
    try:
        yield
    finally:
        for variable, value in zip(variables, before, strict=True):
            variable.assign(value)


def _named(logs: dict) -> dict[str, float]:
    # With two outputs Keras puts the output's name before the measure; "loss" is of both.
    return {
        "accuracy" if key == "class_accuracy" else key: float(value) for key, value in logs.items()
    }


def _generators(model: keras.Model) -> list[keras.random.SeedGenerator]:
    """Returns what the layers draw from: dropout of any kind, stochastic depth, noise."""
    found = [value for layer in model.layers for value in vars(layer).values()]
    return [value for value in found if isinstance(value, keras.random.SeedGenerator)]
