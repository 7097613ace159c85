"""Paddings against np.pad and np.roll; the network underneath stays what it was."""

import functools

import keras
import numpy as np
import scipy.signal
import tensorflow as tf
from absl.testing import parameterized

from tests import nets
from tfvis.errors import InputError
from tfvis.networks import network, padding, padding_layer
from tfvis.networks.preprocessing import contracts
from tfvis.networks.receptive_field.receptive_field import receptive_field

LAYERS = ("block1_conv1", "block1_pool", "block2_conv1", "block2_pool")


@functools.cache
def _network() -> network.Network:
    return nets.wrapped()


def _noise(height: int, width: int, channels: int = 3) -> np.ndarray:
    shape = (2, height, width, channels)
    return np.random.default_rng(0).uniform(0, 255, shape).astype(np.float32)


def _one(kernel, dilation: int = 1) -> network.Network:
    """A single convolution."""
    keras.utils.set_random_seed(0)
    inputs = keras.Input((None, None, 3))
    layer = keras.layers.Conv2D(4, kernel, padding="same", dilation_rate=dilation, name="conv")
    return network.wrap(keras.Model(inputs, layer(inputs)))


def _convolved(image: np.ndarray, layer, mode: str) -> np.ndarray:
    """np.pad, then a correlation per pair of channels, in float64."""
    kernel, dilation = np.float64(layer.kernel), layer.dilation_rate[0]
    spread = np.zeros([dilation * (n - 1) + 1 for n in kernel.shape[:2]] + list(kernel.shape[2:]))
    spread[::dilation, ::dilation] = kernel
    sides = [((n - 1) // 2, n - 1 - (n - 1) // 2) for n in spread.shape[:2]]
    wide = np.pad(np.float64(image), [*sides, (0, 0)], mode=mode)
    return np.stack(
        [
            sum(
                scipy.signal.correlate2d(wide[..., i], spread[..., i, o], "valid")
                for i in range(spread.shape[2])
            )
            for o in range(spread.shape[3])
        ],
        -1,
    ) + np.float64(layer.bias)


class PaddingTest(tf.test.TestCase, parameterized.TestCase):
    @parameterized.product(
        mode=[("replicate", "edge"), ("circular", "wrap")],
        # Even kernels have their odd pixel behind, as TensorFlow has it.
        kernel=[((3, 3), 1), ((1, 1), 1), ((4, 5), 1), ((3, 2), 2)],
    )
    def test_is_numpy_padding_and_a_valid_convolution(self, mode, kernel):
        net, image = _one(*kernel), _noise(9, 7)
        found = padding.padded(net, mode[0]).taps(["conv"])(tf.constant(image))["conv"]
        self.assertEqual(found.shape, (2, 9, 7, 4))
        for ours, one in zip(found, image, strict=True):
            theirs = _convolved(one, net.graph.layers["conv"], mode[1])
            # 60 products of grey levels in float32.
            self.assertAllClose(ours, theirs, rtol=1e-4, atol=1e-3)

    def test_replicate_changes_the_first_convolution_only(self):
        image = _noise(16, 20)
        plain = _network().taps(LAYERS)(image)
        found = padding.padded(_network(), "replicate").taps(LAYERS)(image)
        first = _network().graph.layers["block1_conv1"]
        inputs = _network().preprocessing(tf.constant(image), 3)[0]
        theirs = np.maximum(_convolved(inputs, first, "edge"), 0)
        self.assertAllClose(found["block1_conv1"][0], theirs, atol=1e-4)
        self.assertNotAllClose(found["block1_conv1"], plain["block1_conv1"], atol=0.1)
        inside = (slice(None), slice(2, -2), slice(2, -2))
        self.assertAllClose(found["block2_conv1"][inside], plain["block2_conv1"][inside], atol=1e-5)
        second = _network().graph.layers["block2_conv1"]
        self.assertAllClose(found["block2_conv1"], second(found["block1_pool"]), atol=1e-5)

    def test_a_network_that_goes_around_moves_with_its_image(self):
        image, net = _noise(16, 24), padding.padded(_network(), "circular")
        still = net.taps(LAYERS)(image)
        for rows, columns in ((4, -8), (8, 4)):
            moved = net.taps(LAYERS)(np.roll(image, (rows, columns), (1, 2)))
            for layer in LAYERS:
                stride = net.stride(layer)
                theirs = np.roll(still[layer], (rows // stride, columns // stride), (1, 2))
                self.assertAllClose(moved[layer], theirs, atol=1e-4, msg=layer)
        # Zeros know where the border is.
        plain = _network().taps(["block1_conv1"])
        here, there = (plain(x)["block1_conv1"] for x in (image, np.roll(image, 4, 1)))
        self.assertNotAllClose(there, np.roll(here, 4, 1), atol=0.1)

    def test_gradients_go_where_values_came_from(self):
        image = tf.constant(_noise(6, 5))
        for mode, numpy_mode in (
            ("replicate", "edge"), ("circular", "wrap"), ("reflect", "reflect"),
        ):  # fmt: skip
            layer = padding_layer.Padding(mode, ((2, 1), (1, 3)))
            with tf.GradientTape() as tape:
                tape.watch(image)
                wide = layer(image)
                weights = tf.random.stateless_normal(wide.shape, [0, 1])
                total = tf.reduce_sum(wide * weights)
            margins = ((0, 0), (2, 1), (1, 3), (0, 0))
            self.assertAllEqual(wide, np.pad(image.numpy(), margins, numpy_mode))
            # Each pixel gets the weights of all its copies.
            places = np.pad(np.arange(image.shape.num_elements()).reshape(image.shape), margins,
                            numpy_mode)  # fmt: skip
            theirs = np.bincount(places.ravel(), np.float64(weights).ravel())
            self.assertAllClose(np.ravel(tape.gradient(total, image)), theirs, atol=1e-5)

    def test_weights_are_shared_and_the_original_stays(self):
        model = nets.small()
        net = network.wrap(model, preprocessing=contracts.named("tf"))
        image = _noise(16, 16)
        before = net.taps(LAYERS)(image)
        for mode in ("replicate", "circular"):
            new = padding.padded(net, mode)
            for path in ("block1_conv1", "block2_conv1"):
                operation = new.graph.tensors[path]._keras_history.operation
                self.assertIs(operation.kernel, model.get_layer(path).kernel)
            self.assertEqual(new.paths, net.paths)
            self.assertEqual(new.logits, net.logits)
            self.assertEqual(new.convolutions(), net.convolutions())
            self.assertIn(("padding", mode), new.variant)
            self.assertIs(padding.padded(net, mode), new)
            for layer in (*LAYERS, "logits"):
                self.assertEqual(new.shape(layer, 18, 22), net.shape(layer, 18, 22))
        self.assertEqual(model.get_layer("block1_conv1").padding, "same")
        self.assertEqual(dict(net.variant).keys(), {"pooling", "activation"})
        self.assertIs(padding.padded(net, "zero"), net)
        again = network.wrap(model, preprocessing=contracts.named("tf")).taps(LAYERS)(image)
        self.assertAllClose(again, before, rtol=0, atol=0)

    @parameterized.parameters("nested", "pre", "avg")
    def test_other_ways_to_hold_the_layers(self, kind):
        model = nets.small()
        if kind == "nested":
            inputs = keras.Input((None, None, 3))
            net = network.wrap(keras.Model(inputs, model(inputs)))
        else:
            variant = ("max", "pre") if kind == "pre" else ("avg", "post")
            net = network.wrap(model, variant=variant)
        first, second = net.convolutions()
        image = tf.constant(_noise(12, 12))
        found = padding.padded(net, "replicate").taps([first, second])(image)
        theirs = _convolved(image[0], model.get_layer("block1_conv1"), "edge")
        theirs = theirs if kind == "pre" else np.maximum(theirs, 0)
        self.assertAllClose(found[first][0], theirs, rtol=1e-4, atol=1e-3)
        self.assertEqual(found[second].shape, (2, 6, 6, 12))

    @parameterized.parameters(("replicate", "edge"), ("circular", "wrap"))
    def test_a_padding_before_a_convolution_is_its_own(self, mode, numpy_mode):
        inputs = keras.Input((None, None, 3))
        x = keras.layers.ZeroPadding2D(((3, 2), (1, 4)), name="conv_pad")(inputs)
        conv = keras.layers.Conv2D(4, (5, 3), strides=2, name="conv")
        x = keras.layers.ZeroPadding2D(1, name="pool_pad")(conv(x))
        x = keras.layers.MaxPooling2D(3, 2, name="pool")(x)
        # Of what also goes elsewhere zeros stay.
        shared = keras.layers.ZeroPadding2D(1, name="shared_pad")(x)
        after = keras.layers.Conv2D(4, 3, name="after")(shared)
        both = keras.layers.Concatenate()([keras.layers.Cropping2D(1)(shared), after])
        net = network.wrap(keras.Model(inputs, both))
        image = _noise(11, 9)
        new = padding.padded(net, mode)
        found = new.taps(["conv", "pool_pad", "shared_pad"])(tf.constant(image))
        wide = np.pad(image, ((0, 0), (3, 2), (1, 4), (0, 0)), numpy_mode)
        self.assertAllClose(found["conv"], conv(wide), rtol=1e-4, atol=1e-3)
        for path in ("pool_pad", "shared_pad"):
            border = found[path].numpy()
            border[:, 1:-1, 1:-1] = 0
            self.assertAllEqual(border, np.zeros_like(border))
        self.assertEqual(new.paths, net.paths)
        for path in net.paths:
            self.assertEqual(new.shape(path, 11, 9), net.shape(path, 11, 9))

    def test_receptive_fields_know_it(self):
        replicate = padding.padded(_network(), "replicate")
        circular = padding.padded(_network(), "circular")
        for layer in LAYERS:
            plain = receptive_field(_network(), layer, 17, 22)
            found = receptive_field(replicate, layer, 17, 22)
            for ours, theirs in ((found.rows, plain.rows), (found.columns, plain.columns)):
                self.assertEqual(ours.jump, theirs.jump)
                self.assertEqual((ours.low, ours.high), (theirs.low, theirs.high))
                self.assertAllEqual(ours.first, theirs.first)
                self.assertAllEqual(ours.last, theirs.last)
            self.assertTrue(receptive_field(circular, layer, 17, 22).everything)

    def test_fast_paths_work_with_it(self):
        # From 128 channels on a convolution is packed; behind a padding there is none to be.
        keras.utils.set_random_seed(0)
        x = inputs = keras.Input((None, None, 3))
        for k, channels in enumerate((128, 8, 8)):
            x = keras.layers.Conv2D(
                channels, 3, padding="same", activation="relu", name=f"conv{k}"
            )(x)
        net = network.wrap(keras.Model(inputs, x), preprocessing=contracts.named("tf"))
        image = _noise(12, 10)
        for mode in ("replicate", "circular"):
            new = padding.padded(net, mode)
            exact = new.taps(["conv2"], packed=False)(image)["conv2"]
            packed = new.taps(["conv2"], packed=True)(image)["conv2"]
            self.assertAllClose(packed, exact, rtol=1e-4, atol=1e-5)
            rough = new.taps(["conv2"], "bfloat16", packed=True)(image)["conv2"]
            # Eight bits of mantissa, three layers.
            self.assertAllClose(rough, exact, rtol=0, atol=0.03 * np.max(exact))

    def test_unknown_words_are_refused(self):
        with self.assertRaisesRegex(InputError, "zero, replicate, circular. Received: mirror"):
            padding.padded(_network(), "mirror")
