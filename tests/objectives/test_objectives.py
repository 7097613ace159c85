"""Objectives against their formulas, and that each can be raised."""

import itertools

import numpy as np
import scipy.ndimage
import tensorflow as tf
from absl.testing import parameterized

from tests import nets
from tfvis import objectives, parameterizations, priors, transforms
from tfvis.errors import InputError
from tfvis.preimages import Maximization, activation_maximization
from tfvis.preimages.activation_maximization import iterate


def _taps(seed=0, batch=2):
    generator = np.random.default_rng(seed)
    return {
        "a": generator.normal(size=(batch, 3, 4, 5)).astype(np.float32),
        "b": generator.normal(size=(batch, 6)).astype(np.float32),
    }


def _aligned(features, vector):
    along = features @ vector
    lengths = np.linalg.norm(features, axis=-1) * np.linalg.norm(vector)
    return along * np.maximum(along / lengths, 0.1) ** 2


def _value(objective, taps):
    return objective({name: tf.constant(value) for name, value in taps.items()})


class ObjectiveTest(tf.test.TestCase):
    def test_distance_and_gradient_are_the_formula(self):
        generator = np.random.default_rng(0)
        x, phi0 = generator.normal(size=(2, 2, 3, 4, 5))
        mask = (generator.uniform(size=(3, 4, 5)) > 0.5).astype(np.float32)
        for chosen in (None, mask):
            weight = 1.0 if chosen is None else chosen
            objective = objectives.feature_distance("a", tf.constant(phi0, tf.float32), 7.0, chosen)
            features = tf.constant(x, tf.float32)
            with tf.GradientTape() as tape:
                tape.watch(features)
                value = objective({"a": features})
            norm = np.square(weight * phi0).sum((1, 2, 3))
            expected = 7 * np.square(weight * (x - phi0)).sum((1, 2, 3)) / norm
            self.assertAllClose(value, expected, rtol=1e-5)
            gradient = 14 * weight * (x - phi0) / norm[:, None, None, None]
            self.assertAllClose(tape.gradient(value, features), gradient, rtol=1e-4, atol=1e-6)
            error = objectives.relative_error(weight * x, weight * phi0)
            self.assertAllClose(7 * error**2, expected, rtol=1e-6)


class UnitTest(tf.test.TestCase, parameterized.TestCase):
    def test_values_are_the_formulas(self):
        taps = _taps()
        a, b = taps["a"].astype(np.float64), taps["b"].astype(np.float64)
        vector = np.array([1.0, -2, 0, 0.5, 3])
        for objective, expected in (
            (objectives.channel("a", 3), a[..., 3].sum((1, 2))),
            (objectives.channel("a", (3, 1)), [a[0, ..., 3].sum(), a[1, ..., 1].sum()]),
            (objectives.channel("b", 2), b[:, 2]),
            (objectives.channel_mean("a", 3), a[..., 3].mean((1, 2))),
            # The centre of 3 x 4 is row 1, column 2.
            (objectives.neuron("a", 4), a[:, 1, 2, 4]),
            (objectives.neuron("a", (4, 0), row=2, column=(3, 1)), [a[0, 2, 3, 4], a[1, 2, 1, 0]]),
            (objectives.logit(5, "b"), b[:, 5]),
            (objectives.logit((5, 1), "b"), [b[0, 5], b[1, 1]]),
            (objectives.direction("a", vector), (a @ vector).mean((1, 2))),
            (objectives.direction("a", vector, position=(0, 3)), a[:, 0, 3] @ vector),
            (objectives.direction("b", np.arange(6.0)), b @ np.arange(6.0)),
            (objectives.aligned("a", vector, (0, 3)), _aligned(a[:, 0, 3], vector)),
            (objectives.layer_norm("a"), 0.5 * np.square(a).mean((1, 2, 3))),
        ):
            with self.subTest(objective.description):
                self.assertAllClose(_value(objective, taps), expected, rtol=1e-5, atol=1e-6)

    def test_inner_product_is_one_at_the_rectified_target(self):
        phi0 = _taps(1, 1)["a"]
        objective = objectives.inner_product("a", tf.constant(phi0))
        rectified = np.maximum(phi0, 0)
        self.assertAllClose(_value(objective, {"a": rectified}), [1.0], rtol=1e-5)
        x = _taps()["a"]
        expected = (rectified * x).sum((1, 2, 3)) / np.square(rectified).sum()
        self.assertAllClose(_value(objective, {"a": x}), expected, rtol=1e-5)
        with self.assertRaisesRegex(InputError, "nowhere above zero"):
            objectives.inner_product("a", tf.constant(-np.abs(phi0)))

    def test_diversity_is_minus_the_mean_cosine_of_grams(self):
        x = _taps(batch=3)["a"].astype(np.float64)
        grams = np.einsum("bhwc,bhwd->bcd", x, x).reshape(3, -1)
        grams /= np.linalg.norm(grams, axis=1, keepdims=True)
        cosines = grams @ grams.T
        expected = -(cosines.sum(1) - 1) / 2
        self.assertAllClose(
            _value(objectives.diversity("a"), {"a": x.astype(np.float32)}), expected
        )
        same = np.repeat(x[:1], 3, 0).astype(np.float32)
        self.assertAllClose(_value(objectives.diversity("a"), {"a": same}), [-1.0] * 3, rtol=1e-5)

    def test_algebra(self):
        taps = _taps()
        a, b = objectives.channel_mean("a", 3), objectives.logit(5, "b")
        first, second = (np.asarray(_value(one, taps), np.float64) for one in (a, b))
        for objective, expected, text in (
            (a + b, first + second, "a:3:mean + b:5"),
            (a - b, first - second, "a:3:mean - b:5"),
            (2 * a, 2 * first, "2 a:3:mean"),
            (a * 2, 2 * first, "2 a:3:mean"),
            (a / 4, first / 4, "0.25 a:3:mean"),
            (-a, -first, "-a:3:mean"),
            (a - 2 * (a + 3 * b), -first - 6 * second, "a:3:mean - (2 (a:3:mean + 3 b:5))"),
            (a + 3 * b - 5 * a, -4 * first + 3 * second, "a:3:mean + 3 b:5 - (5 a:3:mean)"),
        ):
            with self.subTest(text):
                self.assertAllClose(_value(objective, taps), expected, rtol=1e-5, atol=1e-6)
                self.assertEqual(objective.description, text)
        self.assertEqual((a + b).layers, ("a", "b"))
        # The operands are what they were.
        self.assertAllClose(_value(a, taps), first, rtol=1e-6)
        with self.assertRaises(TypeError):
            a + 1
        with self.assertRaises(TypeError):
            "2" * a

    def test_the_logarithm_and_its_gradient(self):
        scores = tf.constant([[-3.0], [0.0], [5.0]])
        objective = objectives.logarithm(objectives.logit(0, "b"))
        with tf.GradientTape() as tape:
            tape.watch(scores)
            value = objective({"b": scores})
        self.assertAllClose(value, [-3, 0, np.log(6)], rtol=1e-6)
        # A score that is not above 0 is raised as it is.
        self.assertAllClose(tape.gradient(value, scores), [[1], [1], [1 / 6]], rtol=1e-6)

    @parameterized.parameters(
        objectives.channel("block2_conv1", 3),
        objectives.channel_mean("block2_conv1", (3, 4)),
        # Units that the noise excites: a silent one is first to be woken.
        objectives.neuron("block2_conv1", (6, 10)),
        objectives.neuron("block2_conv1", 2, row=0, column=7),
        objectives.layer_norm("block2_conv1"),
        objectives.direction("block2_conv1", np.linspace(-1, 1, 12)),
        objectives.aligned("block2_conv1", np.linspace(-1, 1, 12), (3, 4)),
        objectives.logit((1, 4)),
        objectives.diversity("block1_conv1"),
        -1 * objectives.feature_distance("block2_conv1", tf.ones((1, 8, 8, 12))),
        objectives.inner_product("block2_conv1", tf.ones((1, 8, 8, 12))),
        objectives.logit(1) - objectives.logit(4) + 0.5 * objectives.channel_mean("gap", 2),
        lambda taps: tf.reduce_mean(taps["block2_pool"][..., 5], [1, 2]) + taps["logits"][:, 0],
    )
    def test_three_steps_raise_it(self, objective):
        net = nets.wrapped()
        options = {"parameterization": "pixels", "prior": priors.NO_PRIOR, "jitter": 1, "steps": 3}
        run = iterate(net, objective, size=(16, 16), seeds=(0, 1), settings=Maximization(**options))
        last = list(run)[-1]
        values = -last.snapshot.terms["objective"]
        self.assertEqual(values.shape, (3, 2))
        self.assertTrue((np.diff(values, axis=0) > 0).all(), values)

    def test_a_plain_function_sees_the_maps_of_the_canvas(self):
        net, layer = nets.wrapped(), "block2_conv1"
        side = activation_maximization.canvas(net, layer)
        last = net.trace(layer, *side)[0] - 1
        self.assertLess(last, 30)  # Smaller than at 224 px.
        settings = Maximization(parameterization="pixels", steps=3)
        run = list(iterate(net, lambda taps: taps[layer][:, last, last, 5], settings=settings))
        self.assertEqual(run[-1].kept.shape[1:3], side)
        with self.assertRaisesRegex(InputError, rf"{layer} \({last + 1}, {last + 1}, 12\).*30"):
            list(iterate(net, lambda taps: taps[layer][:, 30, 30, 5], settings=settings))
        with self.assertRaisesRegex(InputError, "no layer 'nowhere'"):
            list(iterate(net, lambda taps: taps["nowhere"][:, 0, 0, 0], settings=settings))


class FourierTest(tf.test.TestCase):
    def test_image_is_the_inverse_transform_in_decorrelated_colours(self):
        for height, width in ((12, 16), (9, 7)):
            center = np.array([100.0, 110, 120], np.float32)
            written = parameterizations.fourier((3,), height, width, center)
            waves = written.start[0, 0].astype(np.float64) + 1j * written.start[0, 1]
            frequency = np.hypot(np.fft.fftfreq(height)[:, None], np.fft.rfftfreq(width)[None])
            scale = np.sqrt(height * width) / np.maximum(frequency, 1 / max(height, width))
            planes = np.fft.irfft2(waves * scale, (height, width)) / 4
            colors = np.array([[0.26, 0.09, 0.02], [0.27, 0, -0.05], [0.27, -0.09, 0.03]])
            colors /= np.linalg.norm(colors, axis=0).max()
            mixed = np.einsum("chw,dc->hwd", planes, colors)
            expected = 255 / (1 + np.exp(-mixed)) - center
            self.assertAllClose(written.image(written.start)[0], expected, rtol=1e-3, atol=1e-2)

    def test_grey_networks_have_one_plane(self):
        written = parameterizations.fourier((0, 1), 8, 8, np.array([100.0], np.float32))
        self.assertEqual(written.image(written.start).shape, (2, 8, 8, 1))


class TransformsTest(tf.test.TestCase):
    def setUp(self):
        super().setUp()
        self.image = np.random.default_rng(0).normal(size=(2, 9, 12, 3)).astype(np.float32)

    def _sample(self, matrices, shifts, pad=0, size=None):
        return transforms.sample(
            tf.constant(self.image),
            tf.constant(matrices, tf.float32),
            tf.constant(shifts, tf.float32),
            pad,
            size,
        ).numpy()

    def test_against_scipy(self):
        angle = np.deg2rad(17.0)
        turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
        matrices, shifts = np.stack([turn / 1.1, turn.T * 1.3]), np.array([[1.5, -0.25], [0, 3.0]])
        center = np.array([4.0, 5.5])
        for size, k, c in itertools.product(((9, 12), (6, 15)), range(2), range(3)):
            ours = self._sample(matrices, shifts, 30, size)
            middle = (np.array(size) - 1) / 2
            theirs = scipy.ndimage.affine_transform(
                np.pad(self.image[k, ..., c].astype(np.float64), 30),
                matrices[k],
                center + shifts[k] + 30 - matrices[k] @ middle,
                output_shape=size,
                order=1,
            )
            # float32 coordinates up to 70.
            self.assertAllClose(ours[k, ..., c], theirs, atol=1e-4)

    def test_nothing_asked_nothing_changed(self):
        same = self._sample(np.stack([np.eye(2)] * 2), np.zeros((2, 2)))
        self.assertAllClose(same, self.image, atol=1e-6)

    def test_an_image_is_seen_the_same_in_any_batch(self):
        images, by = tf.constant(self.image), transforms.Transforms()
        both = transforms.view(images, tf.constant([5, 6]), tf.constant(3), by)
        alone = transforms.view(images[1:], tf.constant([6]), tf.constant(3), by)
        # A batch's products may be added up in another order.
        self.assertAllClose(both[1:], alone, atol=1e-5)
        later = transforms.view(images, tf.constant([5, 6]), tf.constant(4), by)
        self.assertNotAllClose(both, later, atol=0.1)

    def test_gradient_is_the_adjoint(self):
        images, by = tf.constant(self.image), transforms.Transforms(pad=0.2)
        upstream = tf.random.stateless_normal(images.shape, [1, 2])
        with tf.GradientTape() as tape:
            tape.watch(images)
            seen = transforms.view(images, tf.constant([5, 6]), tf.constant(3), by)
            product = tf.reduce_sum(seen * upstream)
        # For a linear map <A x, u> = <x, A' u>.
        self.assertAllClose(
            product, tf.reduce_sum(images * tape.gradient(product, images)), rtol=1e-4
        )
