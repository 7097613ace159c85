"""Models with channels first: the same numbers with channels last, or refused."""

import pathlib

import keras
import numpy as np
import tensorflow as tf

from tests import nets
from tfvis.errors import InputError
from tfvis.networks import channels_first, network
from tfvis.networks.receptive_field import receptive_field

_L = keras.layers


def _pair(build) -> tuple[keras.Model, keras.Model]:
    """Returns a model as `build(format, axis)` makes it, channels first and last, one weights."""
    keras.utils.set_random_seed(0)
    first, last = build("channels_first", 1), build("channels_last", -1)
    for variable in first.weights:
        variable.assign_add(0.1 * keras.random.uniform(variable.shape, seed=1))
    last.set_weights(first.get_weights())
    return first, last


def _net(fmt: str, axis: int, swapped: bool) -> keras.Model:
    """A residual block, gating and two poolings; `swapped` if the input is of the format."""
    size = (3, 20, 24) if swapped and axis == 1 else (20, 24, 3)
    x = inputs = keras.Input(size)
    if axis == 1 and not swapped:
        x = _L.Permute((3, 1, 2), name="to_first")(x)
    x = _L.Rescaling(1 / 255)(x)
    x = _L.Conv2D(4, 3, strides=2, activation="relu", data_format=fmt, name="one")(x)
    x = _L.BatchNormalization(axis=axis, name="norm")(x)
    y = _L.ZeroPadding2D(data_format=fmt)(x)
    y = _L.DepthwiseConv2D(3, data_format=fmt)(y)
    y = _L.ReLU(name="rectified")(y)
    x = _L.Add(name="sum")([x, y])
    gate = _L.GlobalAveragePooling2D(data_format=fmt)(x)
    gate = _L.Dense(4, activation="sigmoid")(gate)
    gate = _L.Reshape((4, 1, 1) if axis == 1 else (1, 1, 4))(gate)
    x = _L.Multiply(name="gated")([x, gate])
    x = keras.ops.relu(x * 2.0)
    x = _L.Concatenate(axis=axis, name="both")([x, x])
    x = _L.MaxPooling2D(data_format=fmt, name="pool")(x)
    x = _L.Flatten(data_format=fmt)(x)
    return keras.Model(inputs, _L.Dense(3, activation="softmax", name="classes")(x), name="net")


class ChannelsFirstTest(tf.test.TestCase):
    def setUp(self):
        super().setUp()
        self.image = tf.constant(nets.oblong(20, 24)[None])

    def test_same_numbers_with_channels_last(self):
        for swapped in (False, True):
            first, last = _pair(lambda fmt, axis, s=swapped: _net(fmt, axis, s))
            self.assertTrue(channels_first.is_first(first))
            self.assertFalse(channels_first.is_first(last))
            path = str(pathlib.Path(self.create_tempdir().full_path) / "first.keras")
            first.save(path)
            net, other = network.build(path), network.wrap(last)
            self.assertEqual((net.fixed_size, net.channels), ((20, 24), 3))
            paths = [
                "one",
                "norm",
                "rectified",
                "sum",
                "gated",
                "both",
                "pool",
                "logits",
                "classes",
            ]
            found, expected = (n.taps(paths)(self.image) for n in (net, other))
            for layer in paths:
                # float32, in another order of sums.
                self.assertAllClose(found[layer], expected[layer], rtol=1e-5, atol=1e-5)
            with tf.GradientTape() as tape:
                tape.watch(self.image)
                score = net.taps(["logits"])(self.image)["logits"][0, 1]
            self.assertGreater(np.abs(tape.gradient(score, self.image)).max(), 0)
            self.assertEqual(net.stride("one"), other.stride("one"))
            rows = [receptive_field.receptive_field(n, "norm", 20, 24).rows for n in (net, other)]
            self.assertEqual(*((axis.jump, axis.low, axis.high) for axis in rows))

    def test_nested_and_shared(self):
        def build(fmt, axis):
            size = (3, None, None) if axis == 1 else (None, None, 3)
            inside = keras.Input(size)
            conv = _L.Conv2D(3, 3, padding="same", data_format=fmt, name="conv")
            inner = keras.Model(inside, conv(conv(inside)), name="inner")
            pooled = _L.GlobalMaxPooling2D(data_format=fmt)
            return keras.Sequential([keras.Input(size), inner, pooled])

        first, last = _pair(build)
        net = network.wrap(first)
        self.assertIsNone(net.fixed_size)
        found = net.taps([net.graph.output])(self.image)[net.graph.output]
        self.assertAllClose(found, last(self.image), rtol=1e-5)
        self.assertIn("inner--conv", net.paths)

    def test_what_would_be_another_order_is_refused(self):
        x = keras.Input((3, 20, 24))
        y = _L.Conv2D(4, 3, data_format="channels_first", name="conv")(x)
        for layer in (
            _L.LayerNormalization(name="odd"),
            _L.Dense(5, name="odd"),
            _L.Softmax(name="odd"),
            _L.Activation("softmax", name="odd"),
            _L.Rescaling(scale=[1.0] * 22, name="odd"),
        ):
            with self.assertRaisesRegex(InputError, "layer odd .*not known in another order"):
                network.wrap(keras.Model(x, layer(y)))

    def test_a_vector_at_the_end_is_the_models_own(self):
        # Flattened as the model does it: channels first.
        first, last = _pair(
            lambda fmt, axis: keras.Sequential(
                [
                    keras.Input((3, 20, 24) if axis == 1 else (20, 24, 3)),
                    _L.Conv2D(4, 3, data_format=fmt),
                    *([] if axis == 1 else [_L.Permute((3, 1, 2))]),
                    _L.Flatten(),
                    _L.Dense(2),
                ]
            )
        )
        net = network.wrap(first)
        found = net.taps([net.graph.output])(self.image)[net.graph.output]
        self.assertAllClose(found, last(self.image), rtol=1e-5)


if __name__ == "__main__":
    tf.test.main()
