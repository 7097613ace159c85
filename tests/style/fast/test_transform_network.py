"""The network that paints: any size, its borders, its normalisation, and mixes of styles."""

import keras
import numpy as np
import tensorflow as tf
from absl.testing import parameterized

from tests import nets
from tfvis.style.fast import normalization, transform_network
from tfvis.style.fast.transform_network import Architecture

SMALL = Architecture(4, 1)


def varied(styles: int = 2) -> keras.Model:
    """A small network whose styles differ."""
    keras.utils.set_random_seed(0)
    model = transform_network.build(styles, SMALL)
    generator = np.random.default_rng(0)
    draw = generator.standard_normal
    model.set_weights([w + np.float32(0.3 * draw(w.shape)) for w in model.get_weights()])
    return model


class TransformNetworkTest(tf.test.TestCase, parameterized.TestCase):
    @parameterized.parameters((8, 8), (9, 17), (33, 26))
    def test_a_picture_keeps_its_size_and_its_range(self, height, width):
        painted = varied()([nets.oblong(height, width)[None], np.float32([[1, 0]])]).numpy()
        self.assertEqual(painted.shape, (1, height, width, 3))
        self.assertBetween(painted.min(), 0, 255)
        self.assertBetween(painted.max(), painted.min() + 1, 255)

    def test_the_published_widths(self):
        # 9*9*3*16 + 9*16*32 + 9*32*64 + 10*9*64^2 + 9*64*32 + 9*32*16 + 9*9*16*3.
        kernels, channels = 422_496, 803
        self.assertEqual(transform_network.build(1).count_params(), kernels + 2 * channels)
        shapes = transform_network.shapes(3, SMALL)
        model = transform_network.build(3, SMALL)
        found = {
            layer.name: [tuple(w.shape) for w in layer.weights]
            for layer in model.layers
            if layer.weights
        }
        self.assertEqual(found, shapes)

    def test_normalisation_is_keras_own_with_a_scale_and_a_shift(self):
        theirs = keras.layers.GroupNormalization(
            groups=-1, epsilon=normalization.EPSILON, center=False, scale=False
        )
        draw = tf.random.stateless_normal
        x, weights = 3 + 2 * draw([2, 7, 5, 4], [0, 1]), draw([2, 7, 5, 4], [0, 2])
        scale, shift = draw([2, 4], [0, 3]), draw([2, 4], [0, 4])
        with tf.GradientTape(persistent=True) as tape:
            tape.watch([x, scale, shift])
            ours = normalization.normalized(x, scale, shift)
            wanted = theirs(x) * scale[:, None, None] + shift[:, None, None]
            totals = [tf.reduce_sum(weights * one) for one in (ours, wanted)]
        # Float32 of numbers of about one.
        self.assertAllClose(ours, wanted, atol=1e-5)
        for one in (x, scale, shift):
            self.assertAllClose(*(tape.gradient(total, one) for total in totals), atol=1e-4)

    def test_a_layer_takes_the_rows_of_its_mix(self):
        layer = normalization.ConditionalInstanceNormalization(2)
        x = tf.random.stateless_normal([3, 6, 6, 2], [1, 1])
        layer(x, tf.eye(2)[:1])
        gamma, beta = np.float32([[1, 2], [3, 5]]), np.float32([[0, 1], [4, -1]])
        layer.set_weights([gamma, beta])
        mix = np.float32([[1, 0], [0, 1], [0.25, 0.75]])
        found = layer(x, mix).numpy()
        self.assertAllClose(found.mean((1, 2)), mix @ beta, atol=1e-5)
        # Epsilon takes a hundred-thousandth of a variance of about one.
        self.assertAllClose(found.std((1, 2)), mix @ gamma, rtol=1e-4)

    def test_mixing_is_linear_in_scales_and_shifts(self):
        model, picture = varied(), nets.picture(16)[None]
        mixed = model([picture, np.float32([[0.3, 0.7]])])
        one = transform_network.build(1, SMALL)
        for layer in one.layers:
            if layer.weights:
                found = model.get_layer(layer.name).get_weights()
                is_norm = len(found) == 2
                layer.set_weights([np.float32([[0.3, 0.7]]) @ w if is_norm else w for w in found])
        self.assertAllClose(one([picture, np.ones((1, 1), np.float32)]), mixed, atol=1e-3)

    def test_arithmetic_in_bfloat16_has_float32_weights_and_pictures(self):
        exact = varied()
        narrow = transform_network.build(2, SMALL, "bfloat16")
        narrow.set_weights(exact.get_weights())
        given = [nets.picture(16)[None], np.float32([[1, 0]])]
        self.assertEqual({w.dtype for w in narrow.weights}, {"float32"})
        self.assertEqual(narrow.get_layer("conv1").compute_dtype, "bfloat16")
        painted = narrow(given)
        self.assertEqual(painted.dtype, tf.float32)
        # Eight bits of every activation, on a slope of 64 levels for each unit before the sigmoid.
        self.assertAllClose(painted, exact(given), atol=12)
