"""Priors of an inversion: each finds its way and resumes; what means nothing is refused."""

import collections
import math

import numpy as np
import tensorflow as tf
from absl.testing import parameterized

from tests import nets
from tfvis import preimages, priors
from tfvis.errors import InputError
from tfvis.networks import network
from tfvis.preimages import descent, inversion
from tfvis.preimages.settings import IMAGE_PRIORS

_LAYER = "block2_conv1"


def _resolved(net, layer=_LAYER, size=16, **constants):
    return inversion.published(net, layer, (size, size), preimages.Inversion(**constants))


def _last(net, target, **constants):
    settings = preimages.Inversion(**constants)
    return collections.deque(inversion.iterate(net, target, _LAYER, settings=settings), 1).pop()


class ImagePriorsTest(tf.test.TestCase, parameterized.TestCase):
    def setUp(self):
        super().setUp()
        self.net = nets.wrapped()
        self.target = nets.picture(16)

    @parameterized.parameters(*IMAGE_PRIORS, ("phase", "lbfgs"), ("deep_image", "lbfgs"))
    def test_it_comes_nearer_and_resumes_to_the_bit(self, prior, optimizer=None):
        settings = preimages.Inversion(
            image_prior=prior, optimizer=optimizer, steps=60, fine_steps=20
        )
        options = {"seeds": (0, 4), "settings": settings}
        whole = list(inversion.iterate(self.net, self.target, _LAYER, marks=(0,), **options))
        for shown in whole[1:]:
            self.assertAllInRange(shown.kept, -1e-3, 255 + 1e-3)
        for k in (1, -2):
            state = whole[k].snapshot.state
            rest = inversion.iterate(self.net, self.target, _LAYER, state=state, **options)
            self.assertAllEqual(list(rest)[-1].kept, whole[-1].kept)
        first, last = (
            inversion.relative_errors(
                self.net, found, self.target, _LAYER, _resolved(self.net, image_prior=prior)
            )
            for found in (whole[0].images, whole[-1].kept)
        )
        # Magnitudes of photographs are not the target's, whatever the phases.
        self.assertTrue(np.all(last < (0.8 if prior == "phase" else 0.5) * first))
        self.assertNotAllClose(whole[-1].kept[0], whole[-1].kept[1], atol=1)

    def test_tv_is_the_default_as_it_was(self):
        for constants in ({}, {"recipe": "published"}):
            plain = _resolved(self.net, **constants)
            self.assertEqual(plain, _resolved(self.net, image_prior="tv", **constants))
            self.assertEqual(plain.image_prior, "tv")
        ends = [
            _last(self.net, self.target, steps=20, fine_steps=0, **constants).kept
            for constants in (
                {},
                {
                    "recipe": "decorrelated", "optimizer": "lbfgs", "strength": 500.0,
                    "parameterization": "pixels", "rate": 4.0, "jitter": 1,
                    "prior": priors.NaturalPrior(
                        alpha_weight=0.0, tv_weight=0.1 * (6.5 / 80) ** 2, decorrelated=True
                    ),
                },
            )
        ]  # fmt: skip
        self.assertAllEqual(*ends)

    def test_none_is_the_features_alone(self):
        net = self.net
        for recipe in ("decorrelated", "published"):
            found = _resolved(net, recipe=recipe, image_prior="none")
            self.assertEqual(found.prior.weights, (0.0, 0.0))
            ours, theirs = (
                _last(net, self.target, recipe=recipe, steps=20, fine_steps=0, **more).kept
                for more in ({"image_prior": "none"}, {"prior": priors.NO_PRIOR})
            )
            self.assertAllEqual(ours, theirs)
        self.assertEqual(found.prior.longest, math.inf)

    def test_what_follows_from_a_prior(self):
        for prior, expected in {
            "phase": ("phase", "adam", 1, 0.1),
            "deep_image": ("network", "adam", 1, 0.01),
            "plug_in": ("pixels", "adam", 1, 4.0),
            "none": ("pixels", "lbfgs", 1, 4.0),
        }.items():
            found = _resolved(self.net, image_prior=prior)
            way = (found.parameterization, found.optimizer, found.jitter, found.rate)
            self.assertEqual(way, expected)
            self.assertEqual(found.prior.weights, (0.0, 0.0))
            # What is resolved stays as it is.
            self.assertEqual(inversion.published(self.net, _LAYER, (16, 16), found), found)
        prior = priors.NaturalPrior(tv_weight=0.5)
        self.assertEqual(
            _resolved(self.net, image_prior="phase", prior=prior).prior.weights, (0.0, 0.5)
        )
        # HOG's own recipe has a prior of its own; who asks for another gets the other recipe.
        hog = network.build("hog")
        self.assertEqual(_resolved(hog, "hog", 32).recipe, "published")
        asked = _resolved(hog, "hog", 32, image_prior="deep_image")
        self.assertEqual((asked.recipe, asked.parameterization), ("decorrelated", "network"))

    def test_what_means_nothing_is_refused(self):
        prior = priors.NaturalPrior
        for words, asked in {
            "image_prior=best: expected tv or phase": {"image_prior": "best"},
            "image_prior=phase: the published recipe": {
                "image_prior": "phase", "recipe": "published"
            },
            "parameterization=pixels: image_prior=deep_image": {
                "image_prior": "deep_image", "parameterization": "pixels"
            },
            "parameterization=phase: expected pixels or fourier": {"parameterization": "phase"},
            "optimizer=lbfgs: image_prior=plug_in": {
                "image_prior": "plug_in", "optimizer": "lbfgs"
            },
            "fine_steps=0: image_prior=plug_in": {"image_prior": "plug_in", "fine_steps": 0},
            "optimizer=adagrad: image_prior=phase": {
                "image_prior": "phase", "optimizer": "adagrad"
            },
            "jitter=3: image_prior=phase": {"image_prior": "phase", "jitter": 3},
            "tv_weight=1.0: image_prior=none": {
                "image_prior": "none", "prior": prior(tv_weight=1.0)
            },
            "beta=1.0: image_prior=phase": {"image_prior": "phase", "prior": prior(beta=1.0)},
            "bound=100.0: image_prior=none": {
                "image_prior": "none", "recipe": "published", "prior": prior(bound=100.0)
            },
        }.items():  # fmt: skip
            with self.subTest(words), self.assertRaisesRegex(InputError, words) as caught:
                _resolved(self.net, **asked)
            self.assertNotIn("\n", str(caught.exception))

    def test_everything_of_a_step_compiles_under_xla(self):
        for prior in ("phase", "deep_image", "plug_in"):
            settings = preimages.Inversion(image_prior=prior, steps=2, fine_steps=1, jit=True)
            *_, last = inversion.iterate(self.net, self.target, _LAYER, settings=settings)
            self.assertAllInRange(last.kept, -1e-3, 255 + 1e-3)

    def test_several_targets_end_as_alone(self):
        targets = np.stack([self.target, nets.picture(16, seed=5)])
        settings = _resolved(self.net, steps=20, fine_steps=0)
        way = inversion.descending(self.net, targets, _LAYER, (0, 1), settings)
        *_, both = descent.run(_LAYER, way, settings, None, ())
        for k in range(2):
            *_, one = inversion.iterate(self.net, targets[k], _LAYER, seeds=(k,), settings=settings)
            # Small images are convolved together, which rounds in another order.
            self.assertAllClose(both.kept[k], one.kept[0], rtol=0, atol=0.5)


if __name__ == "__main__":
    tf.test.main()
