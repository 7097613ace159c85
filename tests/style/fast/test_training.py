"""Training a transform network: its loss, its state, and styles added to one that stays."""

import dataclasses
import pathlib
from unittest import mock

import keras
import numpy as np
import tensorflow as tf

from tests import nets
from tests.style.fast.test_transform_network import SMALL, varied
from tfvis.errors import InputError
from tfvis.style import losses, targets
from tfvis.style.fast import photographs, settings, style_loss, training, transform_network
from tfvis.style.fast.checkpoints import continued, extended, joined
from tfvis.style.fast.fast_style import FastStyle
from tfvis.style.settings import Transfer

LAYERS = ("block1_conv1", "block2_conv1")
LOSS = Transfer(
    recipe="gatys", content_layers=LAYERS[1:], style_layers=LAYERS, ratio=1e4, tv_weight=0.1
)
# Both stages are of 32 px, the least there is.
QUICK = settings.FastTraining(steps=3, fine_steps=2, size=32, batch=2, rate=0.01)
TWO_SIZES = dataclasses.replace(QUICK, size=64)
STYLES = [nets.oblong(24, 30, seed=k) for k in (1, 2)]
SHOWN = [photographs.kept(nets.oblong(70, 90, seed=k), 64) for k in (3, 4)]


def loss_of(wanted=LOSS, styles=STYLES) -> style_loss.StyleLoss:
    return style_loss.StyleLoss(nets.wrapped(), styles, [nets.picture(64, seed=5)], wanted)


class TrainingTest(tf.test.TestCase):
    def setUp(self):
        super().setUp()
        self.workdir = pathlib.Path(self.create_tempdir().full_path)

    def _learner(self, model=None, styles=STYLES):
        keras.utils.set_random_seed(0)
        model = model or transform_network.build(len(styles), SMALL)
        return training.learner(model, loss_of(styles=styles), QUICK)

    def _fit(self, learner, folder="state", styles=2, wanted=QUICK, **kwargs):
        keeper = training.Keeper(self.workdir / folder, "a", lambda history: None)
        with mock.patch.object(training, "KEPT_EVERY", 2):
            training.fit(learner, SHOWN, styles, wanted, keeper, **kwargs)
        return keeper.history

    def test_the_loss_is_that_of_an_optimiser(self):
        for recipe in ("gatys", "quality"):
            wanted = dataclasses.replace(LOSS, recipe=recipe, tv_weight=0.0)
            loss, network = loss_of(wanted), nets.wrapped()
            picture, content = nets.picture(64, seed=6), nets.picture(64, seed=7)
            network = style_loss.transfer.prepared(network, wanted)
            goal = targets.goal(network, content, STYLES[1:], LAYERS[1:], LAYERS)
            found = targets.sums(network.taps(LAYERS)(picture[None]), goal)
            scales = losses.scales_of(network, goal, wanted)
            terms = losses.terms(found, goal, scales)
            energy, own = loss(picture[None], content[None], tf.constant([1]))
            weights = loss.weights(1)
            for name, value in terms.items():
                self.assertAllClose(own[name], value, rtol=1e-4, msg=name)
            total = sum(weights[name] * float(value[0]) for name, value in terms.items())
            self.assertAllClose(energy, [total], rtol=1e-4)
            # Of a photograph as it is, by definition.
            own = nets.picture(64, seed=5)[None]
            self.assertAllClose(loss(own, own, tf.constant([0]))[0], [1.0], rtol=1e-5)

    def test_a_training_that_is_stopped_ends_with_the_same_bits(self):
        whole = self._learner()
        history = self._fit(whole, "whole")
        self.assertEqual([entry["step"] for entry in history], [2, 3, 5])

        class Killed(BaseException):
            pass

        class Kill(keras.callbacks.Callback):
            def on_epoch_end(self, epoch, logs=None):
                raise Killed

        with self.assertRaises(Killed):
            self._fit(self._learner(), "killed", callbacks=[Kill()])
        again = self._learner()
        self.assertEqual([e["step"] for e in self._fit(again, "killed")], [2, 3, 5])
        for one, other in zip(
            whole.network.get_weights(), again.network.get_weights(), strict=True
        ):
            self.assertAllEqual(one, other)
        # One of another key is not gone on from.
        other = training.Keeper(self.workdir / "killed", "b", lambda history: None)
        self.assertEqual(other.done, 0)

    def test_a_size_is_traced_once_and_the_estimate_teaches_nothing(self):
        learner, traced = self._learner(), []
        before = learner.network.get_weights()
        step = learner.train_step
        with mock.patch.object(
            learner, "train_step", lambda data: traced.append(data[0].shape) or step(data)
        ):
            paces = list(training.paces(learner, SHOWN, 2, TWO_SIZES, 0))
            for one, other in zip(before, learner.network.get_weights(), strict=True):
                self.assertAllEqual(one, other)
            history = self._fit(learner, wanted=TWO_SIZES)
        self.assertEqual([entry["size"] for entry in history], [32, 32, 64])
        self.assertEqual([(pace.size, pace.steps) for pace in paces], [(32, 3), (64, 2)])
        self.assertGreater(min(pace.seconds for pace in paces), 0)
        self.assertEqual([tuple(shape) for shape in traced], [(2, 32, 32, 3), (2, 144, 144, 3)])

    def test_the_last_stage_paints_what_is_around_and_does_not_look_at_it(self):
        learner, looked = self._learner(), []
        coarse, fine = settings.stages(TWO_SIZES)
        self.assertEqual((coarse.painted, fine.painted), (32, 64 + 2 * 40))
        energy = learner._loss_of
        learner._loss_of = lambda *given: looked.append(given) or energy(*given)
        for stage in (coarse, fine):
            learner.at(stage)
            square = np.stack([nets.picture(stage.painted, seed=k) for k in (6, 7)])
            painted = learner._painted(tf.constant(square), tf.one_hot([0, 1], 2)).numpy()
            learner.train_step((tf.constant(square), tf.constant([0, 1])))
            pictures, contents, _ = looked[-1]
            inside = slice(stage.margin, stage.margin + stage.size)
            self.assertAllEqual(contents, square[:, inside, inside])
            self.assertAllClose(pictures, painted[:, inside, inside], atol=1e-3)

    def test_what_is_unstable_is_what_a_part_by_itself_is_painted_otherwise(self):
        model, wanted = varied(), dataclasses.replace(QUICK, steps=0, size=48)
        learner = training.learner(model, loss_of(), wanted)
        (stage,) = settings.stages(wanted)
        learner.at(stage)
        picture, mix = nets.picture(stage.painted, seed=9)[None], np.float32([[1, 0]])
        whole, side = model([picture, mix]).numpy(), stage.painted - 4
        expected = []
        for y, x in np.ndindex(4, 4):
            part = (slice(None), slice(y, y + side), slice(x, x + side))
            apart = (whole[part] - model([picture[part], mix]))[:, 40:-40, 40:-40]
            expected.append(np.square(apart).mean() / 255**2)
        given = tf.constant(whole), tf.constant(picture), tf.constant(mix)
        for step in range(3):
            learner.optimizer.iterations.assign(step)
            found = float(learner._unstable(*given)[0])
            # In the place itself nothing changes.
            self.assertLess(min(abs(found / one - 1) for one in expected[1:]), 1e-3)

    def test_stability_counts_in_the_last_stage_alone(self):
        def stepped(weight: float, steps: int, fine_steps: int) -> np.ndarray:
            wanted = dataclasses.replace(
                QUICK, steps=steps, fine_steps=fine_steps, stability=weight, size=64
            )
            model = varied()
            learner = training.learner(model, loss_of(), wanted)
            name = f"{weight:g}-{steps}"
            self.assertEqual(
                "stability" in self._fit(learner, name, wanted=wanted)[-1],
                bool(weight and not steps),
            )
            return np.concatenate([one.ravel() for one in model.get_weights()])

        self.assertAllEqual(stepped(100.0, 1, 0), stepped(0.0, 1, 0))
        self.assertGreater(np.abs(stepped(100.0, 0, 1) - stepped(0.0, 0, 1)).max(), 1e-3)

    def test_a_network_that_goes_on_begins_as_it_was_and_learns_whole(self):
        before = FastStyle("two", varied(), SMALL, ("a", "b"), 64, {})
        kept = before.model.get_weights()
        for added in (0, 1):
            model = continued(before, added, "float32")
            picture = nets.picture(20)[None]
            for mix in ([1, 0], [0, 1]):
                self.assertAllEqual(
                    model([picture, np.float32([mix + [0] * added])]),
                    before.model([picture, np.float32([mix])]),
                )
            started = model.get_weights()
            styles = [*STYLES, nets.oblong(24, 30, seed=9)][: 2 + added]
            self._fit(self._learner(model, styles), f"on{added}", styles=2 + added)
            for one, other in zip(started, model.get_weights(), strict=True):
                self.assertNotAllEqual(one, other)
        for one, other in zip(kept, before.model.get_weights(), strict=True):
            self.assertAllEqual(one, other)

    def test_a_further_style_leaves_the_network_and_the_others_as_they_are(self):
        before = FastStyle("two", varied(), SMALL, ("a", "b"), 64, {})
        kept = before.model.get_weights()
        learner = self._learner(extended(before, 1, "float32"), STYLES[:1])
        started = learner.network.get_layer("conv1_norm").get_weights()
        self.assertAllClose(
            started[0], before.model.get_layer("conv1_norm").get_weights()[0].mean(0)[None]
        )
        self._fit(learner, styles=1)
        self.assertNotAllClose(learner.network.get_layer("conv1_norm").get_weights()[0], started[0])
        three = joined(before, learner.network)
        for one, other in zip(kept, before.model.get_weights(), strict=True):
            self.assertAllEqual(one, other)
        for layer in before.model.layers:
            if isinstance(layer, keras.layers.Conv2D):
                self.assertAllEqual(
                    layer.get_weights()[0], three.get_layer(layer.name).get_weights()[0]
                )
        picture = nets.picture(20)[None]
        for mix in ([1, 0], [0, 1]):
            wanted = before.model([picture, np.float32([mix])])
            self.assertAllEqual(three([picture, np.float32([[*mix, 0]])]), wanted)
        learnt = learner.network([picture, np.ones((1, 1), np.float32)])
        self.assertAllEqual(three([picture, np.float32([[0, 0, 1]])]), learnt)


class PhotographsTest(tf.test.TestCase):
    def test_a_step_decides_its_squares(self):
        first, again = (photographs.batch(SHOWN, 1, 7, 3, 32) for _ in range(2))
        self.assertEqual(first.shape, (3, 32, 32, 3))
        self.assertAllEqual(first, again)
        self.assertNotAllClose(first, photographs.batch(SHOWN, 1, 8, 3, 32))
        self.assertNotAllClose(first, photographs.batch(SHOWN, 2, 7, 3, 32))

    def test_styles_take_turns(self):
        steps = photographs.batches(SHOWN, 0, 1, 2, 32, 3).take(3)
        self.assertEqual([list(which.numpy()) for _, which in steps], [[2, 0], [1, 2], [0, 1]])

    def test_a_photograph_is_kept_no_larger_than_it_need_be(self):
        self.assertEqual(photographs.kept(nets.oblong(200, 700), 64).shape, (72, 144, 3))
        self.assertEqual(photographs.kept(nets.oblong(20, 30), 64).shape, (20, 30, 3))


class SettingsTest(tf.test.TestCase):
    def test_what_goes_on_learning_has_the_last_stage_alone(self):
        wanted = settings.FastTraining()
        for frozen, tuned, stages in (
            (False, False, [(128, 10000, 0), (256, 1650, 40)]),
            (True, False, [(128, 2000, 0), (256, 300, 40)]),
            (False, True, [(256, 1650, 40)]),
        ):
            found = settings.stages(settings.complete(wanted, 2, frozen, tuned))
            self.assertEqual([dataclasses.astuple(stage) for stage in found], stages)
        with self.assertRaisesRegex(InputError, "without steps nothing is learnt"):
            settings.complete(dataclasses.replace(wanted, steps=0, fine_steps=0), 2, False)

    def test_what_is_left_out_goes_by_what_is_trained(self):
        one, three = (settings.complete(settings.FastTraining(), k, False) for k in (1, 3))
        self.assertGreater(three.steps, one.steps)
        frozen = settings.complete(settings.FastTraining(fine_steps=0), 1, True)
        self.assertLess(frozen.steps, one.steps / 5)
        self.assertEqual(settings.stages(frozen), [settings.Stage(128, frozen.steps, 0)])
        with self.assertRaisesRegex(ValueError, "batch=0: expected 1 to 64"):
            settings.complete(settings.FastTraining(batch=0), 1, False)
