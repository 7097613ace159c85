"""Trainings: that they learn, stop, keep the best, and go on after a kill as if nothing were."""

import json
import pathlib
import warnings
from unittest import mock

import keras
import numpy as np
import tensorflow as tf

from tests import forked, nets, stripes
from tests.processes import ROOT
from tfvis.classifiers import backbone, batches, training, training_state
from tfvis.networks import network as networks


class _Killed(Exception):
    pass


class _Kill(keras.callbacks.Callback):
    """Ends the process, as far as a test can, in the middle of an epoch."""

    def __init__(self, epoch):
        super().__init__()
        self._epoch, self._now = epoch, None

    def on_epoch_begin(self, epoch, logs=None):
        self._now = epoch

    def on_train_batch_end(self, batch, logs=None):
        if self._now == self._epoch and batch == 1:
            raise _Killed


class TrainingTest(tf.test.TestCase):
    def setUp(self):
        super().setUp()
        self.folder = pathlib.Path(self.create_tempdir().full_path)
        self.parts = backbone.split(nets.wrapped())
        self.train = stripes.part(80, views=2, noise=2.0)
        self.validation = stripes.part(30, seed=1, noise=2.0)
        # A head by chance, where it is not about the head: half the graphs.
        self.headless = self._settings(head_epochs=0)

    def _fit(self, name="state", *, parts=None, settings=None, **kwargs):
        settings = settings or self._settings()
        return training.fit(
            parts or self.parts, 3, self.train, self.validation, settings, self.folder / name,
            **kwargs,
        )  # fmt: skip

    def _settings(self, **changes):
        common = {"epochs": 3, "head_epochs": 3, "batch": 16, "patience": 9}
        # A network that knows nothing has far to go.
        return training.Training(**(common | {"rate": 1e-2, "head_rate": 3e-2} | changes))

    def _scores(self, learner):
        found = [learner(b, training=False) for b in batches.plain(
            self.validation.features, self.validation.chosen, 64
        )]  # fmt: skip
        return np.concatenate(found)

    def _loss(self, scores, smoothing=0.1):
        """Cross entropy with labels of 0.9 + 0.1 / 3, written out."""
        goal = np.full((30, 3), smoothing / 3)
        goal[np.arange(30), self.validation.labels] += 1 - smoothing
        return -(goal * np.log(scores)).sum(-1).mean()

    def test_it_learns_and_the_network_stays_as_it_was(self):
        before = self.parts.network.graph.layers["block2_conv1"].get_weights()
        learner, history = self._fit()
        self.assertLen(history, 4)
        self.assertGreater(history[-1]["val_accuracy"], 0.9)
        self.assertLess(history[-1]["loss"], history[1]["loss"])
        self.assertEqual(set(history[1]), {"loss", "accuracy", "val_loss", "val_accuracy"})
        after = self.parts.network.graph.layers["block2_conv1"].get_weights()
        self.assertAllEqual(before[0], after[0])
        self.assertNotAllClose(learner.get_layer("block2_conv1").get_weights()[0], before[0])
        # The losses told are those of the learner that comes back, by their definition.
        scores = self._scores(learner)
        losses = [entry["val_loss"] for entry in history]
        self.assertAllClose(self._loss(scores), min(losses), rtol=1e-5)

    def test_without_epochs_the_head_alone(self):
        learner, history = self._fit(settings=self._settings(epochs=0, head_epochs=30))
        self.assertLen(history, 1)
        original = self.parts.network.graph.layers["block2_conv1"].get_weights()
        self.assertAllEqual(learner.get_layer("block2_conv1").get_weights()[0], original[0])
        self.assertGreater(history[0]["val_accuracy"], 0.6)

    def test_killed_and_gone_on_with_it_ends_alike(self):
        # A dropout inside the tail, whose draws must go on alike too.
        parts = backbone.split(networks.wrap(stripes.residual()), "block1")
        for target in (None, stripes.part(50, seed=2)):
            name = "adapted" if target else "plain"
            arguments = {
                "parts": parts, "target": target, "key": "k",
                "settings": self._settings(epochs=2, head_epochs=0),
            }  # fmt: skip
            whole, expected = self._fit(f"{name}-whole", **arguments)
            with self.assertRaises(_Killed):
                self._fit(name, callbacks=[_Kill(0 if target else 1)], **arguments)
            with warnings.catch_warnings():
                # Nothing for the person running it to see.
                warnings.simplefilter("error", UserWarning)
                with mock.patch.object(training, "_head", side_effect=AssertionError):
                    if target:
                        with self.assertRaises(_Killed):
                            self._fit(name, callbacks=[_Kill(1)], **arguments)
                    found, history = self._fit(name, **arguments)
            self.assertLen(history, 3)
            # To rounding: threads add up in any order.
            for ours, theirs in zip(found.weights, whole.weights, strict=True):
                self.assertAllClose(ours, theirs, rtol=1e-4, atol=1e-5)
            for ours, theirs in zip(history, expected, strict=True):
                self.assertAllClose(ours, theirs, rtol=1e-4)

    def test_the_optimizer_goes_on_too(self):
        """Without its moments and its step, the rate's cosine would begin again."""
        seen = []

        class See(keras.callbacks.Callback):
            def on_train_begin(self, logs=None):
                optimizer = self.model.optimizer
                moments = [v.numpy() for v in optimizer.variables if "moment" in v.path]
                seen.append(
                    (int(optimizer.iterations.numpy()), max(np.abs(m).max() for m in moments))
                )

        with self.assertRaises(_Killed):
            self._fit(settings=self.headless, callbacks=[See(), _Kill(2)])
        self._fit(settings=self.headless, callbacks=[See()])
        # 80 pictures in batches of 16, two whole epochs.
        self.assertEqual([iterations for iterations, _ in seen], [0, 10])
        self.assertEqual(seen[0][1], 0)
        self.assertGreater(seen[1][1], 0)

    def test_finished_it_is_found_again(self):
        first, history = self._fit(settings=self.headless, key="a")
        with mock.patch.object(training, "_fine_tune", side_effect=AssertionError):
            again, same = self._fit(settings=self.headless, key="a", callbacks=[])
        self.assertEqual(history, same)
        self.assertAllEqual(self._scores(again), self._scores(first))

    def test_another_key_begins_anew_and_leaves_nothing_behind(self):
        self._fit(key="a", settings=self._settings(epochs=2, head_epochs=0))
        _, history = self._fit(key="b", settings=self._settings(epochs=1, head_epochs=0))
        self.assertLen(history, 2)
        names = sorted(path.name for path in (self.folder / "state").iterdir())
        self.assertEqual(names, ["best.npz", "epoch1.npz", "state.json"])

    def test_damaged_state_begins_anew(self):
        # The first entry alone, which is quick.
        settings = self._settings(epochs=0, head_epochs=0)
        _, expected = self._fit(key="a", settings=settings)
        state = self.folder / "state" / "state.json"
        whole = state.read_text()
        for text in ("", "[]", whole[:40], json.dumps({"key": "a", "history": []})):
            state.write_text(text)
            self.assertEqual(self._fit(key="a", settings=settings)[1], expected)
        (self.folder / "state" / "best.npz").unlink()
        self.assertEqual(self._fit(key="a", settings=settings)[1], expected)

    def test_patience_ends_it_and_the_best_is_kept(self):
        # Labels by chance: what is learnt of them is wrong, ever more surely.
        generator = np.random.default_rng(3)
        self.train = training.Part(
            self.train.features, self.train.chosen, generator.integers(3, size=80)
        )
        settings = self._settings(epochs=30, patience=2, rate=3e-2, smoothing=0.0, dropout=0.0)
        learner, history = self._fit(settings=settings)
        losses = [entry["val_loss"] for entry in history]
        best = int(np.argmin(losses))
        self.assertLess(len(history), 31)
        self.assertEqual(len(history) - 1 - best, 2)
        self.assertAllClose(self._loss(self._scores(learner), 0.0), losses[best], rtol=1e-4)
        # Begun again it knows that it has ended.
        self.assertLen(self._fit(settings=settings)[1], len(history))

    def test_init_stands_in_for_the_head(self):
        first, _ = self._fit("first")
        init = backbone.learnt(first)
        with mock.patch.object(training, "_head", side_effect=AssertionError):
            _, history = self._fit("second", init=init, settings=self._settings(epochs=0))
        self.assertGreater(history[0]["val_accuracy"], 0.9)
        # Without a head among them, one is trained, on their tail.
        init.pop(backbone.CLASSES)
        with mock.patch.object(training, "_head", wraps=training._head) as head:
            third, _ = self._fit("third", init=init, settings=self._settings(epochs=0))
        head.assert_called_once()
        self.assertAllEqual(
            third.get_layer("block2_conv1").get_weights()[0], init["block2_conv1"][0]
        )

    def test_seeds(self):
        one, _ = self._fit("one", settings=self._settings(epochs=1))
        two, _ = self._fit("two", settings=self._settings(epochs=1))
        other, _ = self._fit("other", settings=self._settings(epochs=1, seed=1))
        self.assertAllClose(self._scores(one), self._scores(two), rtol=1e-3)
        self.assertNotAllClose(self._scores(one), self._scores(other), rtol=1e-2)

    def test_bfloat16(self):
        learner, history = self._fit(settings=self._settings(precision="bfloat16"))
        self.assertEqual(learner.get_layer("block2_conv1").compute_dtype, "bfloat16")
        self.assertEqual(learner.get_layer("block2_conv1").kernel.dtype, "float32")
        self.assertGreater(history[-1]["val_accuracy"], 0.9)

    def test_losses_that_are_not_numbers_end_it(self):
        settings = self._settings(rate=1e30, patience=1, epochs=5, head_epochs=0)
        learner, history = self._fit(settings=settings)
        self.assertLen(history, 2)
        self.assertTrue(np.isfinite(self._scores(learner)).all())

    def test_without_validation_the_last_is_kept(self):
        self.validation = stripes.part(0)
        keeper = self._fit(settings=self._settings(patience=1, head_epochs=0))
        self.assertLen(keeper[1], 4)

    def test_dropouts_draw_by_epoch_and_each_by_itself(self):
        learner = backbone.learner(backbone.split(networks.wrap(stripes.residual()), "block1"), 3)
        generators = training_state._generators(learner)
        self.assertLen(generators, 2)
        keeper = training_state.Keeper(self.folder, "", learner, None, np.zeros(0), 1, 0, None)
        seen = set()
        for epoch in (0, 1):
            keeper.on_epoch_begin(epoch)
            seen |= {tuple(generator.state.numpy()) for generator in generators}
        self.assertLen(seen, 4)
        keeper.on_epoch_begin(0)
        self.assertIn(tuple(generators[0].state.numpy()), seen)


class AveragingTest(tf.test.TestCase):
    def test_weights_kept_are_the_mean_over_the_last_steps(self):
        seen = []

        class Record(keras.callbacks.Callback):
            def on_train_batch_end(self, batch, logs=None):
                seen.append(self.model.get_layer("block2_conv1").get_weights()[0])

        settings = training.Training(
            epochs=1, head_epochs=0, rate=1e-2, batch=8, averaging=0.4, dropout=0.0
        )
        train, validation = stripes.part(80, noise=2.0), stripes.part(30, seed=1, noise=2.0)
        learner, _ = training.fit(
            backbone.split(nets.wrapped()), 3, train, validation, settings,
            pathlib.Path(self.create_tempdir().full_path), callbacks=[Record()],
        )  # fmt: skip
        self.assertLen(seen, 10)
        # Over 0.4 of 10 steps: three quarters of the mean so far, a quarter of the new.
        mean = seen[0]
        for kernel in seen[1:]:
            mean = 0.75 * mean + 0.25 * kernel
        kept = learner.get_layer("block2_conv1").get_weights()[0]
        self.assertAllClose(kept, mean, atol=1e-6)
        self.assertNotAllClose(kept, seen[-1], atol=1e-4)


class LastTest(tf.test.TestCase):
    def test_of_a_training_that_adapts_the_last_epoch_is_kept(self):
        """The rate is such that the sources themselves suffer from the first step on."""
        settings = training.Training(
            epochs=2, head_epochs=20, rate=3.0, batch=16, patience=1, averaging=0.0, dropout=0.0
        )
        for target, kept in ((None, 0), (stripes.part(40, seed=2), 2)):
            learner, history = training.fit(
                backbone.split(nets.wrapped()), 3, stripes.part(80, noise=2.0),
                validation := stripes.part(30, seed=1, noise=2.0), settings,
                pathlib.Path(self.create_tempdir().full_path), target=target,
            )  # fmt: skip
            # Without a target, patience ends at once.
            self.assertLen(history, 3 if target else 2)
            losses = [entry["val_loss"] for entry in history]
            self.assertEqual(np.argmin(losses), 0)
            maps = batches.plain(validation.features, validation.chosen, 64)
            accuracy = (
                training_state.answering(learner)(maps).argmax(-1) == validation.labels
            ).mean()
            self.assertAllClose(accuracy, history[kept]["val_accuracy"])
            self.assertNotEqual(history[0]["val_accuracy"], history[-1]["val_accuracy"])


def _on_two(folder: str) -> None:
    """Trains on two devices, with and without a target, and finds each finished again."""
    cpu = tf.config.list_physical_devices("CPU")[0]
    tf.config.set_logical_device_configuration(cpu, [tf.config.LogicalDeviceConfiguration()] * 2)
    strategy = tf.distribute.MirroredStrategy(["CPU:0", "CPU:1"])
    assert strategy.num_replicas_in_sync == 2
    with strategy.scope():
        for target in (None, stripes.part(40, seed=2)):
            arguments = _distributed(pathlib.Path(folder, str(bool(target))))
            _, history = training.fit(*arguments, target=target)
            assert training.fit(*arguments, target=target)[1] == history
            print(len(history), history[-1]["val_accuracy"], history[1]["loss"])


def _distributed(folder: pathlib.Path) -> tuple:
    settings = training.Training(
        epochs=2, head_epochs=2, rate=1e-2, batch=8, patience=9, dropout=0.0
    )
    return (
        backbone.split(nets.wrapped()), 3, stripes.part(80, noise=2.0),
        stripes.part(30, seed=1, noise=2.0), settings, folder,
    )  # fmt: skip


class DistributedTest(tf.test.TestCase):
    def test_on_two_devices(self):
        folder = pathlib.Path(self.create_tempdir().full_path)
        done = forked.Process(ROOT, _on_two, str(folder / "two")).wait(timeout=200)
        self.assertEqual(done.returncode, 0, done.stderr[-3000:])
        rows = [line.split() for line in done.stdout.splitlines()]
        self.assertLen(rows, 2)
        for (epochs, accuracy, loss), target in zip(
            rows, (None, stripes.part(40, seed=2)), strict=True
        ):
            self.assertEqual(epochs, "3")
            self.assertGreater(float(accuracy), 0.9)
            # The same batches, shared: the same loss as on one.
            arguments = _distributed(folder / f"one{bool(target)}")
            _, history = training.fit(*arguments, target=target)
            self.assertAllClose(float(loss), history[1]["loss"], rtol=0.05)


if __name__ == "__main__":
    tf.test.main()
