"""Temperatures: found again where they were put in, and built into the last layer."""

import numpy as np
import tensorflow as tf

from tests import nets
from tfvis.classifiers import backbone, calibration


class CalibrationTest(tf.test.TestCase):
    def test_a_temperature_that_was_put_in_is_found(self):
        generator = np.random.default_rng(0)
        scores = generator.normal(0, 2, (20_000, 5))
        true = np.exp(scores) / np.exp(scores).sum(-1, keepdims=True)
        # Labels drawn from the probabilities: calibrated by definition.
        labels = (true.cumsum(-1) < generator.random((len(true), 1))).sum(-1)
        for value in (0.4, 1.0, 2.5):
            warm = true**value / (true**value).sum(-1, keepdims=True)
            # 20,000 draws leave some hundredths.
            self.assertAllClose(calibration.temperature(warm, labels), value, rtol=0.05)

    def test_bounds_and_nothing_to_go_by(self):
        self.assertEqual(calibration.temperature(np.zeros((0, 3)), np.zeros(0, int)), 1.0)
        sure = np.array([[0.9, 0.1], [0.2, 0.8]])
        self.assertAllClose(calibration.temperature(sure, np.array([0, 1])), 0.2, rtol=0.01)
        self.assertAllClose(calibration.temperature(sure, np.array([1, 0])), 5.0, rtol=0.01)
        certain = np.array([[1.0, 0.0], [0.0, 1.0]])
        self.assertTrue(np.isfinite(calibration.temperature(certain, np.array([0, 0]))))

    def test_a_cooled_learner_says_the_same_more_surely(self):
        learner = backbone.learner(backbone.split(nets.wrapped()), 3)
        maps = np.random.default_rng(0).normal(size=(5, 6, 6, 8)).astype(np.float32)
        before = np.asarray(learner(maps), np.float64)
        calibration.cool(learner, 0.5)
        expected = before**2 / (before**2).sum(-1, keepdims=True)
        self.assertAllClose(learner(maps), expected, atol=1e-5)


if __name__ == "__main__":
    tf.test.main()
