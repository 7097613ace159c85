"""Projections and saliency: closed forms, brute force, and one trace for many units."""

import weakref

import keras
import numpy as np
import tensorflow as tf
from absl.testing import parameterized

from tests import nets
from tfvis.attention import deconvnet, saliency, smoothgrad
from tfvis.errors import InputError
from tfvis.networks import network, relu_gradients
from tfvis.networks.preprocessing import contracts

layers = keras.layers


def _pictures(count: int = 3, size: int = 16) -> np.ndarray:
    return np.stack([nets.picture(size, seed=seed) for seed in range(count)])


def _linear(contract: str = "none") -> tuple[network.Network, np.ndarray]:
    """A linear classifier and its weights, [height, width, 3, classes]."""
    model = keras.Sequential(
        [
            keras.Input((4, 5, 3)),
            layers.Flatten(),
            layers.Dense(6, activation="softmax", name="predictions"),
        ]
    )
    weights = np.random.default_rng(0).normal(size=(4, 5, 3, 6)).astype(np.float32)
    model.layers[-1].kernel.assign(weights.reshape(60, 6))
    return network.wrap(model, preprocessing=contracts.named(contract)), weights


def _quadratic() -> network.Network:
    """S(x) = (sum of x * x, sum of x * x * x)."""
    inputs = keras.Input((6, 6, 3))
    square = layers.Multiply()([inputs, inputs])
    cube = layers.Multiply()([square, inputs])
    both = [keras.ops.sum(powers, axis=(1, 2, 3), keepdims=True) for powers in (square, cube)]
    outputs = layers.Flatten(name="scores")(layers.Concatenate()(both))
    return network.wrap(keras.Model(inputs, outputs))


class StrongestTest(tf.test.TestCase, parameterized.TestCase):
    @parameterized.parameters("block2_conv1", "block1_pool", "logits")
    def test_brute_force(self, layer):
        net, images = nets.wrapped(), _pictures(7)
        channels = [4, 0, 3]
        found = deconvnet.strongest(net, layer, channels, iter(images), top=3)
        features = net.taps([layer])(tf.constant(images))[layer].numpy()
        features = features.reshape(7, *((1, 1, -1) if features.ndim == 2 else features.shape[1:]))
        self.assertEqual(list(found), channels)
        for channel, peaks in found.items():
            values = features[..., channel].max((1, 2))
            order = sorted(range(7), key=lambda k: (-values[k], k))[:3]
            self.assertEqual([peak.image for peak in peaks], order)
            for peak in peaks:
                value = features[peak.image, peak.row, peak.column, channel]
                self.assertAllClose(value, values[peak.image], rtol=1e-6)
                self.assertAllClose(peak.activation, value, rtol=1e-5)

    def test_of_equals_the_earlier_image(self):
        net, image = nets.wrapped(), nets.picture(16)
        found = deconvnet.strongest(net, "block1_pool", [1], [image] * 5, top=2)
        self.assertEqual([peak.image for peak in found[1]], [0, 1])

    def test_batches_and_single_images_are_alike(self):
        net, images = nets.wrapped(), _pictures(5)
        single = deconvnet.strongest(net, "block2_pool", [0, 1], images, top=2)
        batches = deconvnet.strongest(net, "block2_pool", [0, 1], [images[:3], images[3:]], top=2)
        self.assertEqual(single, batches)
        few = deconvnet.strongest(net, "block2_pool", [0, 1], images, top=99)
        self.assertLen(few[0], 5)

    def test_images_are_let_go(self):
        net, given, most = nets.wrapped(), [], []

        def stream():
            for seed in range(12):
                image = nets.picture(16, seed=seed)
                given.append(weakref.ref(image))
                yield image
                del image
                most.append(sum(one() is not None for one in given))

        deconvnet.strongest(net, "block1_pool", [0], stream(), top=9)
        self.assertLessEqual(max(most), 3)

    def test_input_that_cannot_be_used(self):
        net, images = nets.wrapped(), _pictures(1)
        for layer, channels, options, message in (
            ("block9", [0], {}, "no layer 'block9'"),
            ("block1_pool", [8], {}, "block1_pool has channels 0 to 7. Received: 8"),
            ("block1_pool", [-1], {}, "Received: -1"),
            ("block1_pool", [0], {"top": 0}, "top=0"),
            ("block1_pool", [0], {"images": []}, "images"),
            ("block1_pool", [0], {"images": [np.zeros(3)]}, r"\(3,\)"),
        ):
            with self.assertRaisesRegex(InputError, message):
                deconvnet.strongest(net, layer, channels, **({"images": images} | options))


class ProjectTest(tf.test.TestCase, parameterized.TestCase):
    def test_the_gradient_is_the_tape_s(self):
        model = nets.small()
        net = network.wrap(model, preprocessing=contracts.named("caffe"))
        images, units = _pictures(2), [(3, 2, 1), (7, 5, 5)]
        tapped = keras.Model(model.inputs, model.get_layer("block2_conv1").output)
        x = tf.constant(images)
        with tf.GradientTape() as tape:
            tape.watch(x)
            ready = (x - contracts.IMAGENET_MEAN)[..., ::-1]
            features = tapped(ready)
            total = sum(features[k, r, c, channel] for k, (channel, r, c) in enumerate(units))
        expected = tape.gradient(total, x)
        found = deconvnet.project(net, "block2_conv1", images, units, policy="gradient")
        self.assertEqual((found.dtype, found.shape), (np.float32, images.shape))
        self.assertAllClose(found, expected, rtol=1e-4, atol=1e-6)
        self.assertGreater(np.abs(found).max(), 1e-3)

    @parameterized.parameters("deconvnet", "guided")
    def test_the_other_passes_start_from_the_activation(self, policy):
        net, images = nets.wrapped(), _pictures(2)
        peaks = deconvnet.strongest(net, "block2_conv1", [2], images, top=2)[2]
        units = [(2, peak.row, peak.column) for peak in peaks]
        images = images[[peak.image for peak in peaks]]
        found = deconvnet.project(net, "block2_conv1", images, units, policy)
        taps = relu_gradients.with_policy(net, policy, ["block2_conv1"]).taps(["block2_conv1"])
        x = tf.constant(images)
        with tf.GradientTape() as tape:
            tape.watch(x)
            features = taps(x)["block2_conv1"]
        upstream = np.zeros(features.shape, np.float32)
        for k, (channel, row, column) in enumerate(units):
            upstream[k, row, column, channel] = peaks[k].activation
        expected = tape.gradient(features, x, output_gradients=tf.constant(upstream))
        self.assertAllClose(found, expected, rtol=1e-4, atol=1e-7)
        self.assertGreater(np.abs(found).max(), 0)

    def test_only_pixels_that_the_unit_sees(self):
        """Place 4 of block2_conv1 sees places 3 to 5 of the pooling: pixels 6 - 1 to 11 + 1."""
        found = deconvnet.project(nets.wrapped(), "block2_conv1", _pictures(1), (3, 4, 4))
        rows, columns = np.nonzero(np.abs(found[0]).max(-1))
        self.assertAllInRange(np.concatenate([rows, columns]), 5, 12)

    def test_one_trace_for_all_units(self):
        net, images = nets.wrapped(), _pictures(3)
        for channel in range(4):
            deconvnet.project(net, "block2_conv1", images, (channel, channel, 1))
        deconvnet.project(net, "block2_conv1", images[:1], [(0, 7, 7)])
        clone = relu_gradients.with_policy(net, "deconvnet", ["block2_conv1"])
        run = deconvnet._projection(clone, "block2_conv1", True)
        self.assertEqual(run.experimental_get_tracing_count(), 1)
        for unit in range(3):
            smoothgrad.smoothgrad(net, images, unit, samples=unit + 1, seed=unit, noise=0.1 * unit)
        self.assertEqual(
            smoothgrad._smooth(net, "logits", "float32").experimental_get_tracing_count(), 1
        )

    def test_vectors_and_fixed_sizes(self):
        net, images = nets.wrapped(size=16), _pictures(2, 24)
        one = deconvnet.project(net, "logits", images, 3, policy="gradient")
        each = deconvnet.project(net, "logits", images, [3, 4], policy="gradient")
        full = deconvnet.project(net, "logits", images, [(3, 0, 0), (4, 0, 0)], policy="gradient")
        self.assertEqual(one.shape, (2, 24, 24, 3))
        self.assertAllEqual(one[0], each[0])
        self.assertAllEqual(each, full)
        self.assertNotAllClose(one[1], each[1])

    def test_input_that_cannot_be_used(self):
        net, images = nets.wrapped(), _pictures(2)
        project = deconvnet.project
        for arguments, message in (
            (("block9", images, (0, 0, 0)), "no layer 'block9'"),
            (("block2_conv1", images, (12, 0, 0)), "channels 0 to 11. Received: 12"),
            (("block2_conv1", images, (0, 8, 0)), "rows 0 to 7. Received: 8"),
            (("block2_conv1", images, (0, 0, -1)), "columns 0 to 7. Received: -1"),
            (("block2_conv1", images, 3), r"wants \(channel, row, column\)"),
            (("block2_conv1", images, [(0, 0, 0)] * 3), "each of 2 images"),
            (("logits", images, 5), "channels 0 to 4. Received: 5"),
            (("block2_conv1", images[0], (0, 0, 0)), "Received: .16, 16, 3."),
            (
                ("block2_pool", images[:, :2, :2], (0, 0, 0)),
                "at block2_pool of an image of 2 x 2.*size",
            ),
            (("predictions", images, 1, "gradient"), "softmax.*layer=logits has"),
            (("predictions", images, 1), "softmax.*layer=logits has"),
            (("block2_conv1", images, (0, 0, 0), "relu"), "policy=relu"),
        ):
            with self.assertRaisesRegex(InputError, message):
                project(net, *arguments)


class SaliencyTest(tf.test.TestCase, parameterized.TestCase):
    @parameterized.parameters(("none", 1.0), ("tf", 1 / 127.5))
    def test_of_a_linear_classifier_is_its_weights(self, contract, scale):
        net, weights = _linear(contract)
        images = np.random.default_rng(1).uniform(0, 255, (2, 4, 5, 3)).astype(np.float32)
        expected = scale * np.abs(weights).max(2)
        found = saliency.saliency(net, images, [1, 4])
        self.assertEqual((found.dtype, found.shape), (np.float32, (2, 4, 5)))
        self.assertAllClose(found[0], expected[..., 1], rtol=1e-5)
        self.assertAllClose(found[1], expected[..., 4], rtol=1e-5)
        # Noise changes nothing where the gradient is the same everywhere.
        smooth = smoothgrad.smoothgrad(net, images, [1, 4], samples=3)
        self.assertAllClose(smooth, found, rtol=1e-5)

    def test_colours_come_back_in_display_order(self):
        net, weights = _linear("caffe")
        images = np.zeros((1, 4, 5, 3), np.float32)
        found = saliency.gradients(net, images, 2)
        self.assertAllClose(found[0], weights[..., ::-1, 2], rtol=1e-5)

    def test_a_unit_of_a_map(self):
        net, images = nets.wrapped(), _pictures(2)
        unit = (3, 4, 4)
        signed = deconvnet.project(net, "block2_conv1", images, unit, policy="gradient")
        found = saliency.saliency(net, images, unit, layer="block2_conv1")
        self.assertAllEqual(found, np.abs(signed).max(-1))

    def test_smoothgrad_s_expectation(self):
        """E d(x^2) = 2 x; E d(x^3) = 3 x^2 + 3 sigma^2."""
        net = _quadratic()
        x = np.random.default_rng(0).uniform(1, 2, (1, 6, 6, 3)).astype(np.float32)
        sigma = 0.2 * (x.max() - x.min())
        plain = saliency.saliency(net, x, [1], layer="scores")
        self.assertAllClose(plain, (3 * x**2).max(-1), rtol=1e-5)
        samples = 4000
        square = smoothgrad.smoothgrad(net, x, 0, layer="scores", samples=samples)
        self.assertAllClose(square, 2 * x.max(-1), atol=5 * 2 * sigma / samples**0.5)
        cube = smoothgrad.smoothgrad(net, x, 1, layer="scores", samples=samples)
        error = 5 * 6 * 2 * sigma / samples**0.5
        self.assertAllClose(cube, (3 * x**2 + 3 * sigma**2).max(-1), atol=error)
        # Strong noise, so that its own term is far above the error.
        noisy = smoothgrad.smoothgrad(net, x, 1, layer="scores", samples=samples, noise=2.0)
        surplus = np.mean(noisy - plain) / (3 * (10 * sigma) ** 2)
        self.assertAllClose(surplus, 1, atol=0.1)

    def test_signed_gradients_are_averaged(self):
        """Around 0 the gradients of x^2 cancel; their absolute values would not."""
        net = _quadratic()
        x = np.zeros((1, 6, 6, 3), np.float32)
        x[0, 0, 0] = 1, -1, 0
        smooth = smoothgrad.smoothgrad(net, x, 0, layer="scores", samples=2000, noise=0.5)
        self.assertLess(smooth[0, 1:].max(), 0.3)
        self.assertGreater(smooth[0, 0, 0], 1.7)

    def test_draws_depend_on_the_seed_only(self):
        net, images = nets.wrapped(), _pictures(3)
        options = {"samples": 4, "noise": 0.3}
        first = smoothgrad.smoothgrad(net, images, 1, seed=7, **options)
        self.assertAllEqual(first, smoothgrad.smoothgrad(net, images, 1, seed=7, **options))
        alone = smoothgrad.smoothgrad(net, images[1:2], 1, seed=7, **options)
        self.assertAllEqual(first[1:2], alone)
        self.assertNotAllClose(first, smoothgrad.smoothgrad(net, images, 1, seed=8, **options))
        none = smoothgrad.smoothgrad(net, images, 1, samples=4, noise=0.0)
        self.assertAllClose(none, saliency.saliency(net, images, 1), rtol=1e-5)

    def test_scores_before_the_softmax_only(self):
        images = _pictures(1)
        backbone = network.wrap(keras.Sequential([keras.Input((16, 16, 3)), layers.ReLU()]))
        inputs = keras.Input((16, 16, 3))
        flat = layers.Dense(3, name="scores")(layers.Flatten()(inputs))
        ending = network.wrap(keras.Model(inputs, keras.ops.softmax(flat)))
        layer = network.wrap(keras.Model(inputs, layers.Softmax(name="last")(flat)))
        self.assertEqual(saliency.saliency(layer, images, 2).shape, (1, 16, 16))
        for function in (saliency.saliency, smoothgrad.smoothgrad):
            with self.assertRaisesRegex(InputError, "without a classifier"):
                function(backbone, images, 0)
            with self.assertRaisesRegex(InputError, "layer=last.*softmax.*layer=logits"):
                function(layer, images, 0, layer="last")
            # In any spelling, it is looked through.
            found, expected = (function(net, images, 0) for net in (ending, layer))
            self.assertAllClose(found, expected, rtol=1e-5)
        for options in ({"samples": 0}, {"noise": -0.1}, {"noise": float("nan")}):
            with self.assertRaisesRegex(InputError, f"{next(iter(options))}="):
                smoothgrad.smoothgrad(layer, images, 0, **options)
