"""The recipes of an inversion: truthful colours by default, and the published one as it was."""

import collections
import dataclasses

import keras
import numpy as np
import tensorflow as tf
from absl.testing import parameterized

from tests import nets
from tfvis import preimages, priors
from tfvis.errors import InputError
from tfvis.networks import network
from tfvis.preimages import inversion
from tfvis.preimages.zero_gradients import SilentError

_LAYER = "block2_conv1"


def _last(net, target, layer=_LAYER, seeds=(0,), **constants):
    settings = preimages.Inversion(**constants)
    runs = inversion.iterate(net, target, layer, seeds=seeds, settings=settings)
    return collections.deque(runs, maxlen=1).pop()


def _resolved(net, layer=_LAYER, **constants):
    return inversion.published(net, layer, (16, 16), preimages.Inversion(**constants))


class DecorrelatedTest(tf.test.TestCase, parameterized.TestCase):
    def setUp(self):
        super().setUp()
        self.net = nets.wrapped()

    def test_white_comes_back_white(self):
        white = np.full((16, 16, 3), 255, np.float32)
        white[10:] = nets.picture(16)[10:]
        ends = {
            recipe: _last(self.net, white, "block1_conv1", recipe=recipe, steps=80, fine_steps=0)
            for recipe in ("decorrelated", "published")
        }
        apart = {
            recipe: np.abs(end.kept[0, 2:8, 2:-2] - 255).mean() for recipe, end in ends.items()
        }
        # A hundredth of display space; the published norm holds it far below.
        self.assertLess(apart["decorrelated"], 2.55)
        self.assertGreater(apart["published"], 5 * apart["decorrelated"])

    @parameterized.parameters(
        {"parameterization": "pixels"},
        {"parameterization": "fourier"},
        {"parameterization": "fourier", "optimizer": "adam"},
        {"optimizer": "adagrad", "jitter": 3},
        {"optimizer": "adam"},
        {"precision": "bfloat16"},
    )
    def test_every_way_keeps_to_display_space_and_resumes_to_the_bit(self, **way):
        target = nets.picture(16)
        options = {"seeds": (0, 4), "settings": preimages.Inversion(steps=30, fine_steps=0, **way)}
        whole = list(inversion.iterate(self.net, target, _LAYER, **options))
        for shown in whole:
            # Centring and back rounds the last bits.
            self.assertAllInRange(shown.kept, -1e-4, 255 + 1e-4)
        state = whole[0].snapshot.state
        *_, last = inversion.iterate(self.net, target, _LAYER, state=state, **options)
        self.assertAllEqual(last.kept, whole[-1].kept)
        objective = [shown.snapshot.terms["objective"] for shown in whole]
        self.assertTrue(np.all(objective[-1].min(0) < 0.5 * objective[0][0]))

    def test_variation_is_of_decorrelated_colours(self):
        prior = dataclasses.replace(priors.NaturalPrior(), decorrelated=True)
        image = nets.picture(8)[None].astype(np.float32)
        planes = image.astype(np.float64) @ np.linalg.inv(priors.COLORS.astype(np.float64)).T
        dy, dx = np.diff(planes, axis=1), np.diff(planes, axis=2)
        expected = (np.square(dy).sum() + np.square(dx).sum()) / 64 * (6.5 / 80) ** 2
        terms = priors.terms(prior, tf.constant(image))
        self.assertEqual(set(terms), {"tv"})
        self.assertAllClose(terms["tv"], [expected], rtol=1e-4)
        # Grey has no colours to tell apart.
        grey = tf.constant(image[..., :1])
        plain = priors.terms(priors.NaturalPrior(), grey)["tv"]
        self.assertAllEqual(priors.terms(prior, grey)["tv"], plain)

    def test_constants_follow_the_stride_and_what_is_asked_for(self):
        found = _resolved(self.net, "block1_conv1")
        words = (found.recipe, found.optimizer, found.parameterization, found.jitter)
        self.assertEqual(words, ("decorrelated", "lbfgs", "pixels", 1))
        self.assertAllClose(found.prior.weights, (0.0, 0.1 * (6.5 / 80) ** 2))
        # What is resolved stays as it is.
        self.assertEqual(inversion.published(self.net, "block1_conv1", (16, 16), found), found)
        for asked in ({"optimizer": "adagrad"}, {"optimizer": "adam", "jitter": 2}):
            self.assertEqual(_resolved(self.net, **asked).parameterization, "pixels")
        prior = priors.NaturalPrior(tv_weight=0.5, alpha_weight=0.25)
        self.assertEqual(_resolved(self.net, prior=prior).prior.weights, (0.25, 0.5))
        self.assertEqual(_resolved(self.net, prior=priors.NO_PRIOR).prior.weights, (0.0, 0.0))

    def test_what_does_not_go_together_is_refused(self):
        prior = priors.NaturalPrior
        for words, asked in {
            "recipe=best: expected": {"recipe": "best"},
            "parameterization=wavelets: expected": {"parameterization": "wavelets"},
            "bound=100.*0..255": {"prior": prior(bound=100.0)},
            "alpha=3.*no colour norm": {"prior": prior(alpha=3.0)},
            "jitter=3: lbfgs": {"jitter": 3},
            "adagrad: a spectrum": {"parameterization": "fourier", "optimizer": "adagrad"},
            "jitter=2: a spectrum": {
                "parameterization": "fourier", "optimizer": "adam", "jitter": 2
            },
            "published recipe is of pixels": {
                "recipe": "published", "parameterization": "fourier"
            },
        }.items():  # fmt: skip
            with self.subTest(words), self.assertRaisesRegex(InputError, words) as caught:
                _resolved(self.net, **asked)
            self.assertNotIn("\n", str(caught.exception))

    def test_a_silent_start_is_woken(self):
        inputs = keras.Input((16, 16, 3))
        layer = keras.layers.Conv2D(4, 3, activation="relu", name="bright")
        model = keras.Model(inputs, layer(inputs))
        # Answers to bright pictures only, and noise is none.
        layer.set_weights([np.full((3, 3, 3, 4), 1.0), np.full(4, -6e3)])
        net, white = network.wrap(model), np.full((16, 16, 3), 255, np.float32)
        for optimizer in (None, "adam"):
            moved = _last(net, white, "bright", optimizer=optimizer, steps=60)
            self.assertGreater(moved.kept.mean(), 150)
        sign = keras.ops.sign(keras.layers.Conv2D(4, 3)(inputs))
        dead = keras.Model(inputs, keras.layers.Conv2D(4, 3, name="behind")(sign))
        with self.assertRaisesRegex(SilentError, "not even where silent units"):
            _last(network.wrap(dead), nets.picture(16), "behind")


class PublishedTest(tf.test.TestCase):
    def test_it_is_that_of_the_paper(self):
        net, target = nets.wrapped(), nets.picture(16)
        found = _resolved(net, recipe="published")
        self.assertEqual((found.optimizer, found.parameterization), ("adagrad", "pixels"))
        # MV16: 1 / B^6 and (6.5 / B)^2 of B = 80, within 2 B; a rate of 0.05 B^2 / 6 a pixel.
        self.assertAllClose(found.prior.weights, (3.8147e-12, 6.6016e-3), rtol=1e-4)
        self.assertEqual(found.prior.longest, 160)
        self.assertAllClose(found.rate, 256 * 0.05 * 6400 / 6)
        ends = [
            _last(net, target, recipe="published", steps=20, fine_steps=10, **constants).kept
            for constants in (
                {},
                {
                    "optimizer": "adagrad", "rate": found.rate, "jitter": 1, "strength": 500.0,
                    "leak": 0.9, "momentum": 0.9,
                    "prior": priors.NaturalPrior(6.0, 80.0**-6, 2.0, (6.5 / 80) ** 2, bound=160.0),
                },
            )
        ]  # fmt: skip
        self.assertAllEqual(*ends)

    def test_hog_is_published(self):
        net = network.build("hog")
        found = inversion.published(net, "hog", (32, 32), preimages.Inversion())
        self.assertEqual((found.recipe, found.optimizer, found.jitter), ("published", "adagrad", 1))
        asked = preimages.Inversion(recipe="decorrelated")
        self.assertEqual(inversion.published(net, "hog", (32, 32), asked).optimizer, "lbfgs")


if __name__ == "__main__":
    tf.test.main()
