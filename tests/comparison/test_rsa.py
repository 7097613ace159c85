"""Representational similarity, beside NumPy and SciPy."""

import numpy as np
import scipy.spatial
import scipy.stats
import tensorflow as tf

from tfvis.comparison import rsa
from tfvis.errors import InputError


class RsaTest(tf.test.TestCase):
    def setUp(self):
        super().setUp()
        self.random = np.random.default_rng(1)

    def test_dissimilarities_are_scipys(self):
        features = self.random.normal(5, 2, size=(6, 4, 4, 3)).astype(np.float32)
        expected = scipy.spatial.distance.cdist(*[features.reshape(6, -1)] * 2, "correlation")
        self.assertAllClose(rsa.dissimilarities(features), expected, atol=1e-6)

    def test_classes_are_averaged_before_they_are_compared(self):
        features = self.random.normal(5, 2, size=(7, 4, 4, 3))
        labels = np.array([0, 2, 0, 1, 2, 2, 1])
        averages = [features[labels == k].mean(0).ravel() for k in range(3)]
        expected = scipy.spatial.distance.cdist(averages, averages, "correlation")
        kernel = features.reshape(7, -1) @ features.reshape(7, -1).T
        found = rsa.of_classes(kernel, features.mean((1, 2, 3)), 48, labels)
        self.assertAllClose(found, expected, atol=1e-9)
        # One whose features all answer alike on average is like nothing.
        features[labels == 1] = [[[[1.0]]], [[[3.0]]]]
        kernel = features.reshape(7, -1) @ features.reshape(7, -1).T
        found = rsa.of_classes(kernel, features.mean((1, 2, 3)), 48, labels)
        self.assertAllEqual(np.isnan(found), [[0, 1, 0], [1, 1, 1], [0, 1, 0]])

    def test_halves_are_of_other_batches(self):
        one, other = (
            [rsa.dissimilarities(self.random.normal(size=(6, 9))) for _ in range(3)]
            for _ in range(2)
        )
        upper = np.triu_indices(6, 1)

        def rho(a, b):
            return scipy.stats.spearmanr(a[upper], b[upper]).statistic

        (even, odd), (even2, odd2) = (((p[0] + p[2]) / 2, p[1]) for p in (one, other))
        both, same = rsa.halves(one, other)
        self.assertAllClose(both, (rho(even, odd2) + rho(odd, even2)) / 2)
        self.assertAllClose(same, rho(even, odd))
        both, same = rsa.halves(one[:1], other[:1])
        self.assertAllClose(both, rho(one[0], other[0]))
        self.assertTrue(np.isnan(same))
        # Two things have one pair, which has no order.
        self.assertTrue(np.isnan(rsa.halves([np.eye(2)], [np.eye(2)])).all())
        with self.assertRaises(InputError):
            rsa.halves(one, other[:1])

    def test_agreement_is_scipys(self):
        one, other = (rsa.dissimilarities(self.random.normal(size=(8, 20))) for _ in range(2))
        upper = np.triu_indices(8, 1)
        expected = scipy.stats.spearmanr(one[upper], other[upper]).statistic
        self.assertAllClose(rsa.agreement([one, one], [other, one]), (expected + 1) / 2)

    def test_same_things_agree_and_others_do_not(self):
        things = self.random.normal(size=(4, 8, 6))
        one, other, unrelated = (
            [rsa.dissimilarities(part + self.random.normal(0, 0.3, part.shape)) for part in group]
            for group in (things, things, self.random.normal(size=things.shape))
        )
        self.assertLess(rsa.p_value(one, other, 199), 0.01)
        self.assertGreater(rsa.p_value(one, unrelated, 199), 0.05)

    def test_what_is_always_the_same_is_undefined(self):
        features = self.random.normal(size=(5, 30))
        features[2] = 7
        found = rsa.dissimilarities(features)
        self.assertTrue(np.isnan(found[2]).all() and np.isnan(found[:, 2]).all())
        self.assertAllClose(rsa.agreement([found], [found]), 1)
        flat = rsa.dissimilarities(np.ones((4, 9)))
        self.assertTrue(np.isnan(rsa.agreement([flat], [flat])))
        self.assertTrue(np.isnan(rsa.p_value([flat], [flat], 9)))

    def test_bad_input(self):
        for one, other in ((np.eye(2), np.eye(2)), (np.eye(3), np.eye(4))):
            with self.assertRaises(InputError):
                rsa.agreement([one], [other])
        with self.assertRaises(InputError):
            rsa.agreement([], [])
