"""What the tables of attention do to pictures before they measure."""

import numpy as np
import tensorflow as tf

from apps.benchmarks import attention


class MovedTest(tf.test.TestCase):
    def setUp(self):
        super().setUp()
        # A backdrop that brightens to the right, and a red thing on it.
        self.picture = np.zeros((6, 12, 3), np.float32)
        self.picture[..., 2] = 10 * np.arange(12)
        self.marked = np.zeros((6, 12), bool)
        self.marked[2:4, 4:7] = True
        self.picture[self.marked] = (200, 0, 0)

    def test_what_is_marked_moves_and_the_rest_closes_behind_it(self):
        moved = attention._moved(self.picture, self.marked, 3, "marked")
        red = moved[..., 0] == 200
        self.assertAllEqual(red, np.roll(self.marked, 3, 1))
        elsewhere = ~(self.marked | red)
        self.assertAllEqual(moved[elsewhere], self.picture[elsewhere])
        # Behind it, the nearest of the rest: from above, below or beside.
        self.assertAllEqual(moved[2, 4:7, 0], np.zeros(3))
        self.assertAllInRange(moved[2, 4:7, 2], 30.0, 70.0)

    def test_it_may_move_out_of_the_picture(self):
        moved = attention._moved(self.picture, self.marked, -6, "marked")
        self.assertEqual((moved[..., 0] == 200).sum(), 2)

    def test_the_rest_moves_behind_what_is_marked(self):
        moved = attention._moved(self.picture, self.marked, 2, "rest")
        self.assertAllEqual(moved[self.marked], self.picture[self.marked])
        self.assertAllEqual(moved[0, 2:, 2], self.picture[0, :-2, 2])

    def test_the_whole_moves_as_it_is(self):
        moved = attention._moved(self.picture, self.marked, -2, "whole")
        self.assertAllEqual(moved[:, :-2], self.picture[:, 2:])
        everything = np.ones_like(self.marked)
        self.assertAllEqual(attention._moved(self.picture, everything, -2, "marked"), moved)
        self.assertAllEqual(attention._moved(self.picture, everything, -2, "rest"), self.picture)
