"""The natural-image prior against closed forms and plain NumPy."""

import numpy as np
import tensorflow as tf
from absl.testing import parameterized

from tfvis import priors


def _loops_tv(x: np.ndarray, beta: float) -> float:
    """Total variation of one image, as the definition reads."""
    height, width, channels = x.shape
    total = 0.0
    for c in range(channels):
        for v in range(height):
            for u in range(width):
                dx = x[v, u + 1, c] - x[v, u, c] if u + 1 < width else 0.0
                dy = x[v + 1, u, c] - x[v, u, c] if v + 1 < height else 0.0
                total += (dx * dx + dy * dy) ** (beta / 2)
    return total / (height * width)


class PriorsTest(tf.test.TestCase, parameterized.TestCase):
    def setUp(self):
        super().setUp()
        self.x = np.random.default_rng(0).normal(0, 50, (2, 5, 7, 3)).astype(np.float32)

    def test_published_constants(self):
        alpha_weight, tv_weight = priors.NaturalPrior().weights
        # Printed by the authors' code for B = 80.
        self.assertAllClose(alpha_weight, 3.814697e-12, rtol=1e-6)
        self.assertAllClose(tv_weight, 6.6015625e-3, rtol=1e-6)
        self.assertAllClose(priors.NaturalPrior(beta=1.5).weights[1], 0.0231598, rtol=1e-5)
        self.assertAllClose(priors.NaturalPrior(beta=1).weights[1], 0.08125, rtol=1e-6)

    def test_alpha_norm_of_a_flat_colour(self):
        flat = np.tile(np.float32([48, 64, 0]), (1, 4, 6, 1))
        # The colour's length is 80 = B, so the weighted term is exactly 1.
        terms = priors.terms(priors.NaturalPrior(), tf.constant(flat))
        self.assertAllClose(terms["alpha"], [1.0], rtol=1e-5)
        self.assertAllClose(terms["tv"], [0.0])

    @parameterized.parameters(1.0, 2.0, 3.0, 6.0)
    def test_alpha_norm_is_the_definition(self, alpha):
        expected = (np.square(self.x.astype(np.float64)).sum(-1) ** (alpha / 2)).mean((1, 2))
        self.assertAllClose(priors.alpha_norm(self.x, alpha), expected, rtol=1e-5)

    @parameterized.parameters(1.0, 1.5, 2.0, 3.0)
    def test_total_variation_is_the_definition(self, beta):
        expected = [_loops_tv(x.astype(np.float64), beta) for x in self.x]
        self.assertAllClose(priors.total_variation(tf.constant(self.x), beta), expected, rtol=1e-5)

    @parameterized.parameters(1.0, 1.5, 2.0)
    def test_gradients_are_those_of_the_terms(self, beta):
        x = tf.constant(self.x[:1, :3, :4])

        def energy(x):
            return priors.total_variation(x, beta) + 1e-6 * priors.alpha_norm(x, 6)

        with tf.GradientTape() as tape:
            tape.watch(x)
            total = energy(x)
        ours = tape.gradient(total, x).numpy().ravel()
        step, numerical = 0.05, []
        for i in range(x.shape.num_elements()):
            nudge = np.zeros(x.shape, np.float32).ravel()
            nudge[i] = step
            nudge = nudge.reshape(x.shape)
            numerical.append(float(energy(x + nudge)[0] - energy(x - nudge)[0]) / (2 * step))
        # Central differences of float32 energies near 1e3 are good to about a percent.
        self.assertAllClose(ours, numerical, rtol=0.03, atol=0.03 * np.abs(ours).max())

    def test_flat_images_have_a_finite_gradient(self):
        for beta in (0.5, 1.0, 1.5, 2.0):
            x = tf.zeros([1, 4, 4, 3])
            with tf.GradientTape() as tape:
                tape.watch(x)
                value = priors.total_variation(x, beta)
            self.assertAllEqual(tape.gradient(value, x), tf.zeros_like(x))

    def test_projection_shortens_only_what_is_too_long(self):
        projected = priors.project(tf.constant(self.x), 60.0).numpy()
        length = np.linalg.norm(self.x, axis=-1, keepdims=True)
        expected = self.x * np.minimum(60.0 / length, 1)
        self.assertAllClose(projected, expected, rtol=1e-5)
        inside = (length <= 60)[..., 0]
        self.assertAllEqual(projected[inside], self.x[inside])
        self.assertAllEqual(priors.project(self.x, float("inf")), self.x)

    def test_jitter_reaches_every_offset_and_no_other(self):
        # Each pixel of the canvas names its own place.
        canvas = np.arange(36, dtype=np.float32).reshape(1, 6, 6, 1)
        seen = set()
        for step in range(200):
            window = priors.jittered(
                tf.constant(canvas), 4, 4, tf.constant([3]), tf.constant(step)
            ).numpy()
            first = int(window[0, 0, 0, 0])
            self.assertAllEqual(window[0, ..., 0], canvas[0, first // 6 :, first % 6 :, 0][:4, :4])
            seen.add((first // 6, first % 6))
        self.assertEqual(seen, {(i, j) for i in range(3) for j in range(3)})

    def test_an_image_is_jittered_in_a_batch_as_alone(self):
        canvas = tf.constant(np.random.default_rng(0).normal(size=(3, 9, 9, 2)), tf.float32)
        both = priors.jittered(canvas, 5, 5, tf.constant([7, 8, 9]), tf.constant(4))
        alone = priors.jittered(canvas[1:2], 5, 5, tf.constant([8]), tf.constant(4))
        self.assertAllEqual(both[1:2], alone)
