"""Caricature and maximisation: what they reach, and that a batch is many runs at once."""

import collections
import itertools

import keras
import numpy as np
import tensorflow as tf

from tests import nets
from tfvis import objectives, preimages, priors, transforms
from tfvis.errors import InputError
from tfvis.networks import network
from tfvis.optimize import lbfgs
from tfvis.preimages import activation_maximization, caricatures, inversion


def _last(runs):
    return collections.deque(runs, maxlen=1).pop()


class CaricatureTest(tf.test.TestCase):
    def setUp(self):
        super().setUp()
        self.net = nets.wrapped()
        self.target = nets.picture(16)

    def _run(self, recipe="decorrelated", **kwargs):
        settings = preimages.Caricature(steps=30, jitter=3, recipe=recipe)
        return caricatures.iterate(
            self.net, self.target, "block2_conv1", settings=settings, **kwargs
        )

    def test_starts_at_the_image_and_answers_more(self):
        product = objectives.inner_product(
            "block2_conv1", preimages.features(self.net, "block2_conv1", self.target[None])
        )
        taps = self.net.taps(["block2_conv1"])
        for recipe in ("published", "decorrelated"):
            runs = list(self._run(recipe, marks=(0,)))
            # The bound of 160 grey levels is that of the steps; a sigmoid reaches neither black
            # nor white.
            start = self.target if recipe == "published" else self.target.clip(1, 254)
            self.assertAllClose(runs[0].images[0], start, rtol=0, atol=0.01)
            before, after = (
                product(taps(tf.constant(x)))[0] for x in (self.target[None], runs[-1].kept)
            )
            self.assertGreater(float(after), 1.3 * float(before))

    def test_a_resumed_run_ends_with_the_same_bits(self):
        whole = list(self._run())
        rest = _last(self._run(state=whole[0].snapshot.state))
        self.assertAllEqual(rest.kept, whole[-1].kept)

    def test_what_cannot_be_exaggerated(self):
        with self.assertRaisesRegex(InputError, "strength=0"):
            caricatures.published(
                self.net, "block2_conv1", (16, 16), preimages.Caricature(strength=0.0)
            )
        for words, kwargs in {
            "recipe=best: expected decorrelated, published": {"recipe": "best"},
            "optimizer=lbfgs: recipe=decorrelated": {"optimizer": "lbfgs"},
            "fine_steps=3: recipe=decorrelated": {"fine_steps": 3},
        }.items():
            with self.assertRaisesRegex(InputError, words):
                caricatures.published(
                    self.net, "block2_conv1", (16, 16), preimages.Caricature(**kwargs)
                )
        with self.assertRaisesRegex(InputError, "nothing spatial"):
            caricatures.published(self.net, "gap", (16, 16), preimages.Caricature())


class MaximizeTest(tf.test.TestCase):
    def setUp(self):
        super().setUp()
        self.net = nets.wrapped()

    def _unit(self, net, layer, channels, size=(16, 16), **kwargs):
        bare = activation_maximization.unit(net, layer, channels, size, **kwargs)
        return activation_maximization.normalized(
            net, bare, layer, size, [0.5] * len(channels), 1e4
        )

    def test_every_unit_of_a_batch_ends_as_alone(self):
        for way in ("pixels", "fourier", "phase"):
            settings = preimages.Maximization(steps=25, parameterization=way)
            options = {"size": (16, 16), "settings": settings}
            objective = self._unit(self.net, "block2_conv1", (2, 7))
            both = _last(
                activation_maximization.iterate(self.net, objective, seeds=(0, 0), **options)
            )
            for k, channel in enumerate((2, 7)):
                objective = self._unit(self.net, "block2_conv1", (channel,))
                alone = _last(
                    activation_maximization.iterate(self.net, objective, seeds=(0,), **options)
                )
                # Small images are convolved together, which rounds in another order;
                # 25 steps carry that to some hundredths of a grey level.
                self.assertAllClose(both.kept[k], alone.kept[0], rtol=0, atol=0.5)
            self.assertNotAllClose(both.kept[0], both.kept[1], atol=5)

    def test_of_classes_in_phase_the_logarithm_is_raised(self):
        picture = tf.constant(nets.picture(16)[None])
        for way, layer in itertools.product(("phase", "fourier"), ("logits", "block2_conv1")):
            logged = (way, layer) == ("phase", "logits")
            settings = preimages.Maximization(parameterization=way)
            bare = activation_maximization.unit(self.net, layer, [1], (16, 16), everywhere=True)
            # Far from 0, where the two would be alike.
            bare = 1000 * bare * float(np.sign(bare(self.net.taps(bare.layers)(picture))[0]) or 1)
            sought, scale = activation_maximization.filling(
                self.net, bare, layer, np.float32([7.0]), settings
            )
            plain, found = (one(self.net.taps(one.layers)(picture)) for one in (bare, sought))
            self.assertGreater(plain[0], 1)
            self.assertAllClose(found, np.log1p(plain) if logged else plain, rtol=1e-5)
            self.assertAllClose(scale, [np.log(8) if logged else 7], rtol=1e-6)

    def test_it_answers_more_than_any_natural_start(self):
        for way in ("pixels", "fourier"):
            objective = self._unit(self.net, "block2_conv1", (4,))
            settings = preimages.Maximization(steps=60, parameterization=way)
            found = _last(
                activation_maximization.iterate(
                    self.net, objective, size=(16, 16), settings=settings
                )
            )
            self.assertAllInRange(found.kept + 0.0, -300.0, 500.0)
            answers = [
                preimages.features(self.net, "block2_conv1", x[None]).numpy()[0, ..., 4]
                for x in (found.kept[0], *(nets.picture(16, seed=k) for k in range(10)))
            ]
            center = answers[0][4, 4]
            self.assertGreater(center, 2 * max(a.max() for a in answers[1:]))

    def test_a_silent_unit_is_woken(self):
        model = nets.small()
        kernel, bias = model.get_layer("block2_conv1").get_weights()
        # Behind its ReLU it answers nothing to noise, and has no gradient.
        model.get_layer("block2_conv1").set_weights([kernel, bias - 0.5])
        inputs = model.inputs
        separate = keras.layers.ReLU(name="after")(
            keras.layers.Conv2D(3, 3, bias_initializer=keras.initializers.Constant(-0.5))(
                model.get_layer("block1_pool").output
            )
        )
        for net, layer in (
            (network.wrap(model), "block2_conv1"),
            (network.wrap(keras.Model(inputs, separate)), "after"),
        ):
            # Pictures in -1..1 terms of these small weights: a grey level is 1.
            settings = preimages.Maximization(
                steps=60, parameterization="pixels", prior=priors.NO_PRIOR
            )
            objective = objectives.neuron(layer, 1)
            found = _last(
                activation_maximization.iterate(net, objective, size=(16, 16), settings=settings)
            )
            start = preimages.features(net, layer, np.zeros((1, 16, 16, 3), np.float32)).numpy()
            self.assertEqual(start.max(), 0)
            answers = preimages.features(net, layer, found.kept).numpy()[0, ..., 1]
            self.assertGreater(answers.max(), 1)
            # The rest of the network computes what it did.
            images = nets.picture(16)[None]
            other = net.waking([layer])
            output = net.graph.output
            if output == layer:
                continue
            self.assertAllClose(
                other.taps([output])(images)[output], net.taps([output])(images)[output], rtol=1e-5
            )

    def test_sizes_and_ways_follow_the_layer(self):
        # 1.1 fields of 10 at stride 2 are 5.5 places, made odd; the field of 3 gives 3.
        self.assertEqual(activation_maximization.canvas(self.net, "block1_conv1"), (3, 3))
        self.assertEqual(activation_maximization.canvas(self.net, "block2_conv1"), (10, 10))
        self.assertEqual(activation_maximization.canvas(self.net, "logits"), (224, 224))
        self.assertEqual(
            activation_maximization.canvas(nets.wrapped(size=20), "block2_conv1"), (20, 20)
        )

        def published(layer, **kwargs):
            return activation_maximization.published(
                self.net, layer, (16, 16), preimages.Maximization(**kwargs)
            )

        shallow, deep = published("block2_conv1"), published("logits")
        self.assertEqual((shallow.parameterization, shallow.optimizer), ("pixels", "adagrad"))
        self.assertEqual((deep.parameterization, deep.optimizer), ("fourier", "adam"))
        self.assertEqual(published("logits", optimizer="lbfgs").parameterization, "pixels")
        for words, kwargs in {
            "by adam": {"parameterization": "fourier", "optimizer": "adagrad"},
            "one stage": {"parameterization": "fourier", "fine_steps": 3},
            "expected pixels, fourier, phase": {"parameterization": "wavelets"},
            "phase has one stage": {"parameterization": "phase", "fine_steps": 3},
            "added up over one stage": {"transparency": True, "fine_steps": 3},
            "diversity=0": {"diversity": 0},
            "diversity=nan": {"diversity": float("nan")},
            "diversity_weight=nan": {"diversity_weight": float("nan")},
            "strength=nan": {"strength": float("nan")},
            "transparency=some": {"transparency": "some"},
            "sides of 0.05 to 1": {"crops": transforms.Crops(largest=0.3)},
            "strength=-1": {"strength": -1.0},
        }.items():
            with self.assertRaisesRegex(InputError, words):
                published("logits", **kwargs)

    def test_one_trace(self):
        settings = preimages.Maximization(steps=25, parameterization="phase", transparency=True)
        objective = self._unit(self.net, "block2_conv1", (2, 5))
        way = activation_maximization.descending(self.net, objective, (16, 16), (0, 0), settings)
        list(way.compiled.run(way.stages, way.start, marks=(0, 1, 2, 7)))
        self.assertEqual(way.compiled.traces, 1)


class LbfgsTest(tf.test.TestCase):
    def test_inversion_by_lbfgs_keeps_to_display_space(self):
        net, target = nets.wrapped(), nets.picture(16)
        energies = {}
        for optimizer in ("adagrad", "lbfgs"):
            settings = preimages.Inversion(optimizer=optimizer, steps=80, fine_steps=20, jitter=1)
            found = _last(
                inversion.iterate(net, target, "block2_conv1", seeds=(0, 1), settings=settings)
            )
            energies[optimizer] = found.snapshot.state.kept_energy
            if optimizer == "lbfgs":
                self.assertAllInRange(found.kept, -1e-3, 255 + 1e-3)
                # What is kept is the accepted point, not the last trial.
                slots = lbfgs.Memory(*found.snapshot.state.slots)
                center = net.preprocessing.center(3).numpy()
                self.assertAllClose(
                    tf.reshape(slots.point, found.kept.shape), found.kept - center, atol=1e-4
                )
        self.assertAllLess(energies["lbfgs"] / energies["adagrad"], 1.05)
        with self.assertRaisesRegex(InputError, "stands still"):
            inversion.published(
                net, "block2_conv1", (16, 16), preimages.Inversion(optimizer="lbfgs", jitter=2)
            )
