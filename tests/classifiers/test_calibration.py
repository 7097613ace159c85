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

    def test_the_negative_threshold_costs_the_share_that_it_may(self):
        generator = np.random.default_rng(1)
        scores = generator.normal(size=(1000, 3))
        labels = np.r_[np.zeros(400, int), np.ones(400, int), np.full(200, 2)]
        scores[np.arange(1000), labels] += 3
        shares = np.exp(scores) / np.exp(scores).sum(-1, keepdims=True)
        right = (labels < 2) & (scores[:, :2].argmax(1) == labels)
        for kept in (0.9, 0.99, 1.0):
            value = calibration.negative_threshold(shares, labels, 2, kept)
            moved = scores + np.array([0, 0, value])
            lost = right & (moved.argmax(1) == 2)
            # As far as it goes: one picture more would be too many.
            self.assertLessEqual(lost.sum(), (1 - kept) * right.sum() + 1e-9)
            beyond = scores + np.array([0, 0, value + 1e-6])
            further = right & (beyond.argmax(1) == 2)
            self.assertGreater(further.sum(), (1 - kept) * right.sum() - 1)
        # Nothing to go by.
        self.assertEqual(calibration.negative_threshold(shares[:800], labels[:800], 2), 0.0)
        self.assertEqual(calibration.negative_threshold(shares[800:], labels[800:], 2), 0.0)

    def test_a_shifted_learner_says_none_sooner(self):
        learner = backbone.learner(backbone.split(nets.wrapped()), 3)
        maps = np.random.default_rng(0).normal(size=(5, 6, 6, 8)).astype(np.float32)
        before = np.log(np.asarray(learner(maps), np.float64))
        calibration.shift(learner, 2, 0.7)
        after = np.log(np.asarray(learner(maps), np.float64))
        moved = after - before
        self.assertAllClose(moved[:, 2] - moved[:, 0], np.full(5, 0.7), atol=1e-5)
        self.assertAllClose(moved[:, 1], moved[:, 0], atol=1e-5)
        # What it says then is known without asking it again.
        self.assertAllClose(calibration.shifted(np.exp(before), 2, 0.7), np.exp(after), atol=1e-6)

    def test_a_cooled_learner_says_the_same_more_surely(self):
        learner = backbone.learner(backbone.split(nets.wrapped()), 3)
        maps = np.random.default_rng(0).normal(size=(5, 6, 6, 8)).astype(np.float32)
        before = np.asarray(learner(maps), np.float64)
        calibration.cool(learner, 0.5)
        expected = before**2 / (before**2).sum(-1, keepdims=True)
        self.assertAllClose(learner(maps), expected, atol=1e-5)


if __name__ == "__main__":
    tf.test.main()
