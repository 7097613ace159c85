"""Decisions of two networks, beside worked examples."""

import numpy as np
import tensorflow as tf

from tfvis.comparison import decisions
from tfvis.errors import InputError


class DecisionsTest(tf.test.TestCase):
    def test_interval_is_wilsons(self):
        found = decisions.share(8, 10)
        z, p, n = 1.959964, 0.8, 10
        center, half = (p + z * z / 2 / n), z * np.sqrt(p * (1 - p) / n + z * z / 4 / n / n)
        self.assertAllClose(
            [found.low, found.high], np.array([center - half, center + half]) / (1 + z * z / n),
            atol=1e-6,
        )  # fmt: skip
        self.assertEqual(str(found), "80.0% (49.0% to 94.3%, 10)")
        self.assertEqual(str(decisions.share(0, 0)), "-")

    def test_error_consistency(self):
        one = np.array([1, 1, 1, 1, 1, 1, 0, 0, 0, 0], bool)
        other = np.array([1, 1, 1, 1, 0, 0, 1, 0, 0, 0], bool)
        # Observed 0.7; by chance 0.6 * 0.5 + 0.4 * 0.5 = 0.5.
        self.assertAllClose(decisions.error_consistency(one, other), 0.4)
        self.assertAllClose(decisions.error_consistency(one, one), 1)
        self.assertTrue(np.isnan(decisions.error_consistency(one | True, one | True)))

    def test_shape_bias_counts_as_published(self):
        shapes = np.array([0, 0, 0, 0, 1, 1])
        textures = np.array([1, 1, 1, 1, 2, 1])
        found = decisions.shape_bias(np.array([0, 0, 1, 2, 2, 1]), shapes, textures)
        self.assertEqual((found.bias.hits, found.bias.of), (2, 4))
        self.assertEqual((found.either.hits, found.either.of), (4, 5))

    def test_bad_input(self):
        with self.assertRaises(InputError):
            decisions.share(3, 2)
        with self.assertRaises(InputError):
            decisions.error_consistency(np.ones(2), np.ones(3))
        with self.assertRaises(InputError):
            decisions.shape_bias(np.ones(2), np.ones(3), np.ones(2))
