"""Inversion: what it reaches, and that a batch is many runs at once."""

import collections
import dataclasses

import keras
import numpy as np
import tensorflow as tf
from absl.testing import parameterized

from tests import nets
from tfvis import objectives, preimages, priors
from tfvis.errors import InputError
from tfvis.networks import network
from tfvis.networks.preprocessing import contracts
from tfvis.optimize import loop
from tfvis.preimages import descent, inversion


def _run(net, target, layer, **kwargs):
    names = {field.name for field in dataclasses.fields(preimages.Inversion)}
    settings = {name: kwargs.pop(name) for name in list(kwargs) if name in names}
    runs = inversion.iterate(net, target, layer, settings=preimages.Inversion(**settings), **kwargs)
    return collections.deque(runs, maxlen=1).pop()


class InvertTest(tf.test.TestCase, parameterized.TestCase):
    def setUp(self):
        super().setUp()
        self.net = nets.wrapped()
        self.target = nets.picture(16)

    def _error(self, layer, pictures):
        phi0 = preimages.features(self.net, layer, self.target[None])
        return objectives.relative_error(preimages.features(self.net, layer, pictures), phi0)

    def test_an_invertible_layer_gives_the_image_back(self):
        inputs = keras.Input((None, None, 3))
        layer = keras.layers.Conv2D(3, 1, use_bias=False, name="mix")
        model = keras.Model(inputs, layer(inputs))
        # An orthogonal mix of the channels forgets nothing.
        mix, _ = np.linalg.qr(np.random.default_rng(0).normal(size=(3, 3)))
        layer.set_weights([mix[None, None].astype(np.float32)])
        net = network.wrap(model, preprocessing=contracts.named("caffe"))
        found = _run(net, self.target, "mix", prior=priors.NO_PRIOR, strength=1.0)
        # The steps end near a tenth of a grey level.
        self.assertAllClose(found.kept[0], self.target, atol=2.0)

    @parameterized.parameters("block1_conv1", "block2_pool")
    def test_features_come_close_and_terms_fall(self, layer):
        settings = preimages.Inversion(recipe="published")
        runs = list(inversion.iterate(self.net, self.target, layer, settings=settings))
        first, last = runs[0].snapshot.terms, runs[-1].snapshot.terms
        self.assertLess(last["objective"][-1, 0], 0.1 * first["objective"][0, 0])
        self.assertEqual(set(last), {"objective", "alpha", "tv"})
        self.assertLess(self._error(layer, runs[-1].kept)[0], 0.25)
        self.assertEqual((runs[-1].snapshot.done, runs[-1].total), (350, 350))

    def test_the_bound_holds_at_every_step(self):
        prior = priors.NaturalPrior(bound=60.0)
        center = self.net.preprocessing.center(3).numpy()
        for progress in inversion.iterate(
            self.net,
            self.target,
            "block1_conv1",
            settings=preimages.Inversion(recipe="published", prior=prior),
        ):
            length = np.linalg.norm(progress.images - center, axis=-1)
            self.assertLessEqual(length.max(), 60.0 * (1 + 1e-5))

    def test_restarts_end_as_they_would_alone(self):
        kwargs = {"recipe": "published", "jitter": 3, "steps": 30, "fine_steps": 10}
        both = _run(self.net, self.target, "block2_conv1", seeds=(5, 6), **kwargs)
        for k, seed in enumerate((5, 6)):
            alone = _run(self.net, self.target, "block2_conv1", seeds=(seed,), **kwargs)
            # TensorFlow folds the constants of a batch in another order than those of one
            # image: last bits, which 40 steps carry to a thousandth of a grey level. On a
            # GPU a batch is convolved together besides.
            tolerance = 0.2 if tf.config.list_physical_devices("GPU") else 0.01
            self.assertAllClose(both.kept[k], alone.kept[0], rtol=0, atol=tolerance)
        self.assertNotAllClose(both.kept[0], both.kept[1], atol=5)

    def test_a_resumed_run_ends_with_the_same_bits(self):
        kwargs = {
            "settings": preimages.Inversion(recipe="published", jitter=3, steps=25, fine_steps=15)
        }
        whole = list(inversion.iterate(self.net, self.target, "block2_conv1", **kwargs))
        # Compiled anew, once for all three.
        settings = inversion.published(self.net, "block2_conv1", (16, 16), kwargs["settings"])
        way = inversion.descending(self.net, self.target, "block2_conv1", (0,), settings)
        for stop in (0, len(whole) // 2, len(whole) - 2):
            state = whole[stop].snapshot.state
            rest = descent.run("block2_conv1", way, settings, state, ())
            last = collections.deque(rest, maxlen=1).pop()
            self.assertAllEqual(last.kept, whole[-1].kept)

    def test_one_trace_per_layer_and_shape(self):
        settings = preimages.Inversion(recipe="published", steps=25, fine_steps=25, jitter=4)
        settings = inversion.published(self.net, "block2_conv1", (16, 16), settings)
        way = inversion.descending(self.net, self.target, "block2_conv1", (0, 1), settings)
        list(way.compiled.run(way.stages, way.start))
        # One with the canvas of the jittered stage, one without its margin.
        self.assertEqual(way.compiled.traces, 2)
        list(way.compiled.run(way.stages, way.start + 1))
        self.assertEqual(way.compiled.traces, 2)

    def test_xla_computes_the_same_step(self):
        # Without jitter: XLA draws other numbers from the same seed.
        kwargs = {
            "recipe": "published",
            "steps": 6,
            "fine_steps": 2,
            "prior": priors.NaturalPrior(beta=1.5),
        }
        plain = _run(self.net, self.target, "block2_conv1", jitter=1, **kwargs)
        compiled = _run(self.net, self.target, "block2_conv1", jitter=1, jit=True, **kwargs)
        for name, term in plain.snapshot.terms.items():
            self.assertAllClose(compiled.snapshot.terms[name], term, rtol=0.01)
        # XLA sums in another order, and the rule's first step is nearly the gradient's
        # sign: where that is close to zero a pixel may start the other way.
        self.assertLess(np.median(np.abs(plain.kept - compiled.kept)), 0.01)
        kwargs["fine_steps"] = 0
        jittered = _run(self.net, self.target, "block2_conv1", jitter=3, jit=True, **kwargs)
        self.assertTrue(np.isfinite(jittered.kept).all())

    def test_bfloat16_ends_at_the_same_energy(self):
        ends = {}
        for precision in ("float32", "bfloat16"):
            found = _run(
                self.net, self.target, "block2_conv1", recipe="published", precision=precision
            )
            self.assertEqual(found.kept.dtype, np.float32)
            terms = found.snapshot.terms
            ends[precision] = sum(float(term[-1, 0]) for term in terms.values())
        # The last step's energy moves by a few percent from step to step.
        self.assertAllClose(ends["bfloat16"], ends["float32"], rtol=0.1)

    def test_adam_and_the_ablation_run(self):
        found = _run(self.net, self.target, "block1_conv1", optimizer="adam", prior=priors.NO_PRIOR)
        self.assertLess(self._error("block1_conv1", found.kept)[0], 0.1)
        self.assertAllEqual(found.snapshot.terms["tv"], np.zeros_like(found.snapshot.terms["tv"]))

    def test_masks_match_only_what_they_name(self):
        chosen = (0, 1, 2)
        found = _run(self.net, self.target, "block2_conv1", mask_channels=chosen)
        phi0 = preimages.features(self.net, "block2_conv1", self.target[None]).numpy()
        phi = preimages.features(self.net, "block2_conv1", found.kept).numpy()

        def error(where):
            return np.linalg.norm((phi - phi0)[where]) / np.linalg.norm(phi0[where])

        self.assertLess(error(np.s_[..., :3]), 0.25)
        self.assertGreater(error(np.s_[..., 3:]), 2 * error(np.s_[..., :3]))
        settings = preimages.Inversion(mask_window=(1, 2, 3, 4), mask_channels=(5,))
        mask = inversion.mask((8, 8, 12), settings)
        self.assertEqual(mask.sum(), 12)
        self.assertAllEqual(np.argwhere(mask)[[0, -1]], [[1, 2, 5], [3, 5, 5]])

    def test_grey_networks_give_grey_images(self):
        net = nets.wrapped(channels=1)
        found = _run(net, nets.picture(16, channels=1), "block1_conv1", steps=20)
        self.assertEqual(found.kept.shape, (1, 16, 16, 1))

    def test_fixed_size_networks_can_be_inverted_at_any_size(self):
        found = _run(nets.wrapped(size=16), nets.picture(24), "block2_conv1", steps=20)
        self.assertEqual(found.kept.shape, (1, 24, 24, 3))

    def test_defaults_follow_the_stride(self):
        settings = inversion.published(
            self.net, "block2_pool", (32, 16), preimages.Inversion(recipe="published")
        )
        self.assertEqual(settings.jitter, 1)
        # 0.05 B^2 / alpha = 53.33 per pixel.
        self.assertAllClose(settings.rate, 32 * 16 * 53.3333, rtol=1e-5)
        self.assertEqual(inversion.default_strength("vgg16", "block5_conv3", 16), 100)
        self.assertEqual(inversion.default_strength("xception", "block4_sepconv1", 16), 100)
        self.assertEqual(inversion.default_strength("resnet50", "conv2_block1_out", 4), 500)

    def test_what_cannot_be_inverted(self):
        def run(layer="block2_conv1", target=self.target, **settings):
            _run(self.net, target, layer, **settings)

        for words, attempt in {
            "nothing spatial": lambda: run("gap"),
            "no layer 'blok": lambda: run("blok2_conv1"),
            "too small": lambda: run("block2_pool", nets.picture(3)),
            "steps=0": lambda: run(steps=0),
            "optimizer=sgd": lambda: run(optimizer="sgd"),
            "jitter=0": lambda: run(jitter=0),
            "strength=0": lambda: run(strength=0),
            "is not a channel": lambda: run(mask_channels=(12,)),
            "does not fit": lambda: run(mask_window=(0, 0, 9, 1)),
        }.items():
            with self.subTest(words), self.assertRaisesRegex(InputError, words):
                attempt()

    def test_an_image_a_layer_does_not_answer(self):
        model = nets.small()
        kernel, bias = model.get_layer("block1_conv1").get_weights()
        model.get_layer("block1_conv1").set_weights([kernel * 0, bias - 1])
        with self.assertRaisesRegex(InputError, "zeros only"):
            _run(network.wrap(model), self.target, "block1_conv1")

    def test_diverging_runs_keep_the_last_good_image(self):
        with self.assertRaises(loop.DivergedError) as caught:
            # Finite at first; squared, a canvas of 1e30 is not.
            _run(
                self.net,
                self.target,
                "block2_conv1",
                recipe="published",
                optimizer="adam",
                rate=1e30,
                prior=priors.NO_PRIOR,
            )
        self.assertTrue(np.isfinite(caught.exception.state.kept).all())
