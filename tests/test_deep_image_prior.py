"""The deep image prior: an image of any size, the same in any batch, plain before it is grainy."""

import numpy as np
import tensorflow as tf

from tests import nets
from tfvis import deep_image_prior

_CENTER = np.float32([123, 116, 103])


def _fitted(target: np.ndarray, steps: int) -> float:
    """Returns the mean squared error after so many steps of Adam, in shares of display space."""
    written = deep_image_prior.deep_image((0,), *target.shape[:2], _CENTER)
    weights = tf.Variable(written.start)
    adam = tf.keras.optimizers.Adam(0.01)

    @tf.function
    def step():
        with tf.GradientTape() as tape:
            off = (written.image(weights) + _CENTER - target) / 255
            error = tf.reduce_mean(tf.square(off))
        return error, tape.gradient(error, weights)

    for _ in range(steps):
        error, gradient = step()
        adam.apply_gradients([(gradient, weights)])
    return float(error)


class DeepImageTest(tf.test.TestCase):
    def test_any_size_within_display_space(self):
        for height, width in ((16, 16), (13, 21), (5, 40)):
            written = deep_image_prior.deep_image((0, 7), height, width, _CENTER)
            image = written.image(tf.constant(written.start)).numpy() + _CENTER
            self.assertEqual(image.shape, (2, height, width, 3))
            self.assertAllInRange(image, 0.0, 255.0)
            self.assertNotAllClose(image[0], image[1], atol=5)
            alone = deep_image_prior.deep_image((7,), height, width, _CENTER)
            self.assertAllEqual(alone.start[0], written.start[1])
            # One network or two in a graph may be summed in another order.
            self.assertAllClose(
                alone.image(tf.constant(alone.start))[0] + _CENTER, image[1], atol=0.01
            )

    def test_every_weight_is_taken_once(self):
        written = deep_image_prior.deep_image((0,), 32, 32, _CENTER)
        x = tf.constant(written.start)
        with tf.GradientTape() as tape:
            tape.watch(x)
            # Of a sum alone the normalisation would leave nothing.
            value = tf.reduce_sum(tf.square(written.image(x)) * np.linspace(0, 1, 32)[:, None])
        gradient = tape.gradient(value, x)[0].numpy()
        # Leaky ReLUs pass something everywhere.
        self.assertGreater(np.mean(gradient != 0), 0.99)
        # Three levels of 16, 32 and 64 channels, worked out by hand.
        skips = (32 + 2) * 4 + (16 + 2) * 4 + (32 + 2) * 4
        down = 9 * (32 * 16 + 16 * 16) + 9 * (16 * 32 + 32 * 32) + 9 * (32 * 64 + 64 * 64)
        up = 9 * (36 * 16 + 68 * 32 + 68 * 64) + 16**2 + 32**2 + 64**2
        scales = 2 * 4 * (16 + 32 + 64) + 2 * (4 + 32 + 4 + 64 + 4 + 64)
        self.assertLen(gradient, skips + down + up + scales + 16 * 3 + 3)

    def test_a_picture_comes_sooner_than_noise(self):
        picture = nets.picture(48)
        noise = np.random.default_rng(0).permutation(picture.reshape(-1, 3)).reshape(48, 48, 3)
        variance = np.square((picture - picture.mean((0, 1))) / 255).mean()
        # Ulyanov et al. 2018, figure 2: of the same colours shuffled next to nothing is learnt.
        self.assertLess(_fitted(picture, 20), 0.2 * variance)
        self.assertGreater(_fitted(noise, 20), 0.8 * variance)


if __name__ == "__main__":
    tf.test.main()
