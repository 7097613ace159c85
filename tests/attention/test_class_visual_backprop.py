"""Class-seeded VisualBackProp: what it spreads it keeps, and it is of the class."""

import dataclasses

import keras
import numpy as np
import tensorflow as tf

from tests import nets
from tfvis.attention import visual_backprop
from tfvis.attention.class_visual_backprop import ClassVisualBackProp
from tfvis.networks import network
from tfvis.networks.preprocessing import contracts

layers = keras.layers


def _colours() -> network.Network:
    """A network whose classes are red, green and blue, by the colour of a place."""
    inputs = keras.Input((None, None, 3))
    one = keras.initializers.Constant(np.eye(3)[None, None] / 255)
    x = layers.Conv2D(3, 1, activation="relu", kernel_initializer=one, name="colours")(inputs)
    mean = layers.DepthwiseConv2D(3, padding="same", activation="relu", name="around")
    x = mean(x)
    mean.set_weights([np.ones((3, 3, 3, 1)) / 9, np.zeros(3)])
    x = layers.MaxPooling2D(2, name="pool")(x)
    x = layers.Conv2D(3, 1, activation="relu", kernel_initializer=one, name="last")(x)
    x = layers.GlobalAveragePooling2D()(x)
    # Each class has something of the others, as of a trained network.
    kernel = keras.initializers.Constant(255 * (np.eye(3) + 0.5))
    x = layers.Dense(3, activation="softmax", kernel_initializer=kernel, name="scores")(x)
    found = network.wrap(keras.Model(inputs, x), preprocessing=contracts.named("none"))
    return dataclasses.replace(found, classes=("red", "green", "blue"))


class SpreadTest(tf.test.TestCase):
    def test_sums_are_kept_and_shared_by_the_averages(self):
        def build(x):
            x = layers.Conv2D(4, 3, padding="same", activation="relu", name="a")(x)
            x = layers.MaxPooling2D(3, 2, padding="same", name="b")(x)
            return layers.Conv2D(4, 4, 3, padding="same", activation="relu", name="c")(x)

        keras.utils.set_random_seed(0)
        inputs = keras.Input((None, None, 3))
        net = network.wrap(keras.Model(inputs, build(inputs)))
        backprop = visual_backprop.VisualBackProp(net)
        images = np.stack([nets.oblong(23, 30, seed=k) for k in range(2)])
        seen = backprop.attend(tf.constant(images))
        deepest = seen.averages[backprop.layers[-1]]
        seed = np.random.default_rng(0).uniform(size=deepest.shape).astype(np.float32)
        found = backprop.spread(tf.constant(seed), "c", seen.averages, (23, 30)).numpy()
        self.assertEqual(found.shape, images.shape[:3])
        # Rounding of some hundreds of float32 sums.
        self.assertAllClose(found.sum((1, 2)), seed.sum((1, 2)), rtol=1e-4)

    def test_a_unit_shares_by_hand(self):
        inputs = keras.Input((None, None, 3))
        x = layers.Conv2D(2, 1, activation="relu", name="a")(inputs)
        net = network.wrap(keras.Model(inputs, layers.MaxPooling2D(2, name="b")(x)))
        backprop = visual_backprop.VisualBackProp(net)
        below = np.array([[1, 3, 0, 0], [0, 4, 5, 5]], np.float32)[None]
        averages = {"a": tf.constant(below), "b": tf.zeros([1, 1, 2])}
        seed = tf.constant([[[16.0, 20.0]]])
        found = backprop.spread(seed, "b", averages, (2, 4)).numpy()[0]
        expected = [[2, 6, 0, 0], [0, 8, 10, 10]]
        # The least that every place gets, a millionth of the largest average.
        self.assertAllClose(found, expected, atol=1e-4)


class ClassTest(tf.test.TestCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.net = _colours()
        cls.image = np.zeros((16, 16, 3), np.float32)
        cls.image[2:8, 2:8, 0] = 60
        cls.image[8:14, 8:14, 1] = 250

    def test_a_class_lies_on_its_own_though_another_is_stronger(self):
        explain = ClassVisualBackProp(self.net)
        for name, (start, end) in (("red", (0, 10)), ("green", (6, 16))):
            found = explain(self.image, name)[0].numpy()
            own = found[start:end, start:end].sum() / found.sum()
            self.assertGreater(own, 0.999)
        # It reads no class where none is: blue is beaten everywhere.
        self.assertAllEqual(explain(self.image, "blue"), np.zeros((1, 16, 16)))

    def test_a_class_each_in_a_batch(self):
        explain = ClassVisualBackProp(self.net)
        both = explain(np.stack([self.image] * 2), ["red", 1])
        self.assertAllClose(both[0], explain(self.image, 0)[0], rtol=1e-4, atol=1e-6)
        self.assertAllClose(both[1], explain(self.image, "green")[0], rtol=1e-4, atol=1e-6)


if __name__ == "__main__":
    tf.test.main()
