"""A network of some places computes what the whole one does there, and less."""

import dataclasses

import keras
import numpy as np
import tensorflow as tf
from absl.testing import parameterized

from tests import nets
from tfvis import preimages
from tfvis.networks import network
from tfvis.networks.caffe_layers.pooling import CaffeAveragePooling2D, CaffeMaxPooling2D
from tfvis.networks.network import Network
from tfvis.preimages import activation_maximization

_SIZE = (26, 31)


def _wrapped(*layers, size=(None, None)) -> Network:
    keras.utils.set_random_seed(0)
    inputs = x = keras.Input((*size, 3))
    for layer in layers:
        x = layer(x)
    return network.wrap(keras.Model(inputs, keras.layers.Activation("linear", name="end")(x)))


def _conv(channels: int, kernel: int, **settings):
    settings = {"padding": "same", "activation": "relu"} | settings
    return keras.layers.Conv2D(channels, kernel, **settings)


def _shortcut(x):
    y = keras.layers.BatchNormalization()(_conv(8, 3, activation=None)(x))
    y = keras.layers.DepthwiseConv2D((3, 5), padding="same")(y)
    x = keras.layers.Add()([_conv(8, 1)(x), y])
    wide = keras.layers.Concatenate()([x, keras.layers.MaxPooling2D(1)(y)])
    return keras.layers.Multiply()([wide, keras.ops.sigmoid(wide)])


def _networks() -> dict[str, Network]:
    layers = keras.layers
    return {
        "blocks": _wrapped(
            _conv(4, 3), layers.MaxPooling2D(2), _conv(6, 5), _conv(6, (1, 3), padding="valid"),
            layers.AveragePooling2D(3, strides=2), _conv(8, 3),
        ),
        "strides": _wrapped(
            _conv(4, 7, strides=2), layers.ZeroPadding2D(((0, 2), (1, 0))),
            layers.MaxPooling2D(3, strides=2), _conv(6, 3, dilation_rate=2),
            _conv(6, 3, groups=2), layers.SeparableConv2D(6, 3, padding="same"),
            _conv(8, 3, strides=(2, 1)),
        ),
        "branches": _wrapped(_conv(8, 3), _shortcut, layers.MaxPooling2D(2), _shortcut),
        "dimmed": _wrapped(
            layers.Rescaling(1 / 255), _conv(4, 3), layers.ReLU(6.0), layers.Dropout(0.5),
            layers.PReLU(shared_axes=[1, 2]), lambda x: x * np.float32([1, 2, 3, 4]),
            _conv(4, 3, strides=2, activation="gelu"), size=_SIZE,
        ),
    }  # fmt: skip


def _boxes(height: int, width: int):
    yield (height // 2, height // 2), (width // 2, width // 2)
    yield (0, 0), (width - 1, width - 1)
    yield (height - 1, height - 1), (0, 1)
    yield (1, height - 2), (0, width - 1)


class NeededPlacesTest(parameterized.TestCase, tf.test.TestCase):
    @parameterized.named_parameters((name, name) for name in _networks())
    def test_values_and_gradients_are_those_of_the_whole(self, name):
        whole = _networks()[name]
        x = tf.constant(np.random.default_rng(0).uniform(0, 255, (2, *_SIZE, 3)), tf.float32)
        height, width, _ = whole.trace("end", *_SIZE)
        for box in _boxes(height, width):
            (top, bottom), (left, right) = box
            part = whole.restricted("end", _SIZE, box)
            self.assertIsNot(part, whole)
            found = []
            for net in (whole, part):
                with tf.GradientTape() as tape:
                    tape.watch(x)
                    y = net.taps(["end"])(x)["end"]
                    inside = y[:, top : bottom + 1, left : right + 1]
                    value = tf.reduce_sum(tf.square(inside))
                found.append((y, inside, tape.gradient(value, x)))
            (_, inside, gradient), (y, own, own_gradient) = found
            # Sums of other order.
            self.assertAllClose(own, inside, rtol=1e-5, atol=1e-5 * np.abs(inside).max())
            scale = np.abs(gradient).max()
            self.assertAllClose(own_gradient / scale, gradient / scale, atol=1e-5)
            beside = np.array(y)
            beside[:, top : bottom + 1, left : right + 1] = 0
            self.assertAllEqual(beside, np.zeros_like(beside))

    def test_less_is_computed(self):
        whole = _networks()["blocks"]
        height, width, _ = whole.trace("end", 64, 64)
        part = whole.restricted("end", (64, 64), ((height // 2,) * 2, (width // 2,) * 2))
        model = keras.Model(part.graph.inputs, part.graph.tensors["end"])
        maps = [one.output.shape for one in model.layers if isinstance(one, keras.layers.Conv2D)]
        # From the last: 1 place; 3 of a pooling of 3 by 2 are 7; of them 9 by the kernel of 1 x 3,
        # 13 by that of 5; twice as many before the pooling.
        self.assertEqual([tuple(shape[1:3]) for shape in maps], [(22, 26), (7, 9), (7, 7), (1, 1)])

    @parameterized.named_parameters(
        ("gate", lambda x: x * keras.ops.mean(x, (1, 2), keepdims=True)),
        ("own", keras.layers.Lambda(lambda x: x[:, ::-1])),
        ("border", keras.layers.MaxPooling2D(3, 1, padding="same")),
        ("normalised", keras.layers.GroupNormalization(2)),
        ("slopes", keras.layers.PReLU()),
        ("rows", keras.layers.BatchNormalization(axis=1)),
        ("picture", lambda x: x - np.ones((1, *_SIZE, 1), np.float32)),
        ("column", keras.layers.Rescaling(1.0, offset=np.ones((_SIZE[0], 1, 1), np.float32))),
    )
    def test_what_needs_more_stays_whole(self, layer):
        whole = _wrapped(_conv(4, 3), layer, _conv(4, 3), size=_SIZE)
        self.assertIs(whole.restricted("end", _SIZE, ((0, 0), (5, 5))), whole)

    @parameterized.named_parameters(
        ("keras", keras.layers.MaxPooling2D(3, 1, padding="same")),
        ("caffe_max", CaffeMaxPooling2D(3, 2, margin=1)),
        ("caffe_average", CaffeAveragePooling2D(3, 2, margin=1)),
    )
    def test_a_pooling_is_cut_where_no_border_is_near(self, pooling):
        whole = _wrapped(_conv(4, 3), pooling, _conv(4, 3))
        self.assertIs(whole.restricted("end", _SIZE, ((0, 0), (5, 5))), whole)
        part = whole.restricted("end", _SIZE, ((6, 6), (7, 8)))
        self.assertIsNot(part, whole)
        x = tf.constant(np.random.default_rng(0).uniform(0, 255, (1, *_SIZE, 3)), tf.float32)
        maps, own = (net.taps(["end"])(x)["end"][:, 6, 7:9] for net in (whole, part))
        self.assertAllClose(own, maps, rtol=1e-5)

    def test_no_place_of_the_map(self):
        whole = _networks()["blocks"]
        self.assertIs(whole.restricted("end", _SIZE, ((90, 90), (0, 0))), whole)


class MaximizationTest(parameterized.TestCase, tf.test.TestCase):
    @parameterized.parameters("pixels", "fourier")
    def test_pictures_of_neurons_are_the_same(self, parameterization):
        net = nets.wrapped()
        objective = activation_maximization.unit(net, "block2_conv1", [0, 3], (32, 32))
        self.assertIsNotNone(objective.box)
        pictures = [
            _raised(net, dataclasses.replace(objective, box=box), (32, 32), steps=10,
                    parameterization=parameterization)
            for box in (objective.box, None)
        ]  # fmt: skip
        # Grey levels; rounding, over ten steps.
        self.assertAllClose(pictures[0], pictures[1], atol=0.05)
        self.assertNotAllClose(pictures[0][0], pictures[0][1], atol=5)

    def test_a_silent_neuron_is_woken_all_the_same(self):
        keras.utils.set_random_seed(0)
        inputs = keras.Input((None, None, 3))
        conv = keras.layers.Conv2D(2, 3, padding="same", activation="relu", name="conv")
        model = keras.Model(inputs, conv(inputs))
        kernel = np.zeros((3, 3, 3, 2), np.float32)
        kernel[1, 1] = 1 / 255
        conv.set_weights([kernel, np.float32([-1.8, -1.8])])
        net = network.wrap(model)
        objective = 1e6 * activation_maximization.unit(net, "conv", [0, 1], (16, 16))
        pictures = [
            _raised(net, dataclasses.replace(objective, box=box), (16, 16), steps=60)
            for box in (objective.box, None)
        ]
        self.assertAllClose(*pictures, atol=0.05)
        answers = net.taps(["conv"])(tf.constant(pictures[0]))
        self.assertAllGreater(objective(answers), 0)


def _raised(net: Network, objective, size: tuple[int, int], **constants) -> np.ndarray:
    *_, last = activation_maximization.iterate(
        net, objective, size=size, seeds=(0, 1), settings=preimages.Maximization(**constants)
    )
    return last.kept
