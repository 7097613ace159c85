"""Units of two networks: matched, and what they answer to."""

import itertools

import numpy as np
import tensorflow as tf

from tfvis.comparison import selectivity, unit_matching
from tfvis.errors import InputError


class MatchingTest(tf.test.TestCase):
    def setUp(self):
        super().setUp()
        self.random = np.random.default_rng(2)

    def test_correlations_are_numpys(self):
        one, other = self.random.normal(size=(50, 3)), self.random.normal(size=(50, 4))
        expected = np.corrcoef(one.T, other.T)[:3, 3:]
        self.assertAllClose(unit_matching.correlations(one, other), expected, atol=1e-12)

    def test_units_in_another_order_and_scale_are_found(self):
        one = self.random.normal(size=(200, 12))
        order = self.random.permutation(12)
        found = unit_matching.correlations(one, 5 * one[:, order] + 2)
        for matches in (unit_matching.best(found), unit_matching.one_to_one(found)):
            self.assertAllEqual(order[matches.partner], np.arange(12))
            self.assertAllClose(matches.r, np.ones(12))

    def test_one_to_one_is_the_best_of_all_matchings(self):
        found = unit_matching.correlations(
            self.random.normal(size=(20, 5)), self.random.normal(size=(20, 5))
        )
        all_sums = [
            found[np.arange(5), list(order)].sum() for order in itertools.permutations(range(5))
        ]
        self.assertAllClose(unit_matching.one_to_one(found).r.sum(), max(all_sums))

    def test_dead_units_and_those_left_over_have_no_partner(self):
        one = self.random.normal(size=(30, 4))
        one[:, 1] = 3
        found = unit_matching.correlations(one, one[:, :3])
        matches = unit_matching.one_to_one(found)
        self.assertAllEqual(matches.partner, [0, -1, 2, -1])
        self.assertAllEqual(np.isnan(matches.r), [False, True, False, True])
        best = unit_matching.best(found)
        self.assertEqual(best.partner[1], -1)
        self.assertNotEqual(best.partner[3], -1)
        nothing = unit_matching.correlations(np.ones((9, 2)), one[:9])
        self.assertAllEqual(unit_matching.one_to_one(nothing).partner, [-1, -1])

    def test_bad_input(self):
        with self.assertRaises(InputError):
            unit_matching.correlations(np.zeros((4, 2)), np.zeros((5, 2)))


class SelectivityTest(tf.test.TestCase):
    def test_by_hand(self):
        means = np.array([[4.0, 1, 2, 0, 3], [0, 1, 1, 0, 1], [0, 1, 0, 0, 1]])
        self.assertAllClose(selectivity.selectivity(means), [1, 0, 0.6, np.nan, 0.5])
        self.assertAllClose(selectivity.of_one_group(means), [0.75, 0, 0])

    def test_nothing_alive(self):
        self.assertTrue(np.isnan(selectivity.of_one_group(np.zeros((2, 3)))).all())

    def test_bad_input(self):
        for means in (np.ones((1, 3)), np.array([[1.0], [-1.0]])):
            with self.assertRaises(InputError):
                selectivity.selectivity(means)
