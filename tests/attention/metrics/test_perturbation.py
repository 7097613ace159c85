"""Deletion, insertion and ROAD against what can be worked out by hand."""

import numpy as np
import tensorflow as tf

from tfvis.attention.metrics import deletion_insertion, perturbation, road
from tfvis.errors import InputError


def red(pictures):
    """The mean of the first channel: every pixel counts, and alike."""
    return pictures[..., 0].mean((1, 2))


class OrderTest(tf.test.TestCase):
    def test_ties_are_drawn_and_the_rest_is_in_order(self):
        values = np.zeros((40, 40))
        values[3, 5], values[2, 2] = 2, 1
        found = perturbation.order(values)
        self.assertAllEqual(found[:2], [3 * 40 + 5, 2 * 40 + 2])
        self.assertAllEqual(np.sort(found), np.arange(1600))
        # By chance the first half of the ties would lie in the upper half: here half of them.
        self.assertBetween((found[2:802] < 800).mean(), 0.4, 0.6)
        self.assertAllEqual(found, perturbation.order(values))

    def test_what_has_no_order(self):
        for values, words in (
            (np.ones((3, 3)), "same everywhere"),
            (np.full((3, 3), np.nan), "finite"),
            (np.zeros(3), "height, width"),
        ):
            with self.assertRaisesRegex(InputError, words):
                perturbation.order(values)


class RememberedTest(tf.test.TestCase):
    def test_each_picture_is_asked_about_once(self):
        asked = []

        def scores(pictures):
            asked.append(len(pictures))
            return red(pictures)

        pictures = np.random.default_rng(0).uniform(size=(4, 6, 8, 3)).astype(np.float32)
        again = perturbation.remembered(scores)
        self.assertAllClose(again(pictures[[0, 1, 0]]), red(pictures[[0, 1, 0]]))
        self.assertAllClose(again(pictures), red(pictures))
        self.assertAllClose(again(pictures[::-1]), red(pictures[::-1]))
        self.assertEqual(asked, [2, 2])


class CurvesTest(tf.test.TestCase):
    def setUp(self):
        super().setUp()
        self.values = np.random.default_rng(0).uniform(size=(6, 8))
        self.image = np.zeros((6, 8, 3), np.float32)

    def test_areas_of_a_sum_of_pixels(self):
        # What counts is 1 on the k pixels that the map marks most: the score falls from k/n to
        # 0 in k steps of one pixel, an area of k^2 / 2 n^2.
        k, n = 12, 48
        self.image.reshape(n, 3)[perturbation.order(self.values)[:k]] = 1
        right = deletion_insertion.deletion(red, self.image, self.values, np.zeros(3), n)
        self.assertAllClose(right.auc, k * k / 2 / n**2, rtol=1e-6)
        wrong = deletion_insertion.deletion(red, self.image, -self.values, np.zeros(3), n)
        self.assertAllClose(wrong.auc, (k / n) - k * k / 2 / n**2, rtol=1e-6)
        # Inserted, it is what was left out of the square of 1 x k/n.
        back = deletion_insertion.insertion(red, self.image, self.values, np.zeros(3), n)
        self.assertAllClose(back.auc, k / n - k * k / 2 / n**2, rtol=1e-6)
        self.assertAllClose(back.shares, np.arange(n + 1) / n)

    def test_steps_of_several_pixels_end_with_all(self):
        curve = deletion_insertion.insertion(red, self.image + 1, self.values, np.zeros(3), 7)
        self.assertAllClose(curve.shares, np.minimum(np.arange(8) * 7, 48) / 48)
        self.assertAllClose(curve.scores, curve.shares, rtol=1e-6)

    def test_the_blur_keeps_what_is_even_and_what_there_is(self):
        self.assertAllClose(deletion_insertion.blurred(self.image + 7), self.image + 7, rtol=1e-6)
        wide = np.zeros((41, 41, 3), np.float32)
        wide[20, 20] = 100
        spot = deletion_insertion.blurred(wide)
        self.assertAllClose(spot.sum((0, 1)), [100] * 3, rtol=1e-5)
        self.assertAllEqual(np.nonzero(spot[:, 20, 0])[0], np.arange(15, 26))

    def test_refused(self):
        for call, words in (
            (lambda: deletion_insertion.deletion(red, self.image[:3], self.values, 0), "its size"),
            (lambda: deletion_insertion.deletion(red, self.image, self.values, 0, 0), "steps=0"),
            (
                lambda: deletion_insertion.deletion(
                    red, self.image, self.values, np.zeros((2, 2, 3))
                ),
                "fill",
            ),
        ):
            with self.assertRaisesRegex(InputError, words):
                call()


class RoadTest(tf.test.TestCase):
    def test_a_slope_is_painted_over_as_it_was(self):
        # The weights are even around a pixel, so what grows evenly is its own mean.
        y, x = np.mgrid[:12, :15].astype(np.float32)
        image = np.stack([3 * x + 2 * y, 5 * y, 0 * x + 9], -1)
        removed = np.zeros((12, 15), bool)
        removed[2:9, 3:12] = True
        removed[5, 6] = False
        self.assertAllClose(road.imputed(image, removed, noise=0), image, atol=1e-4)

    def test_what_is_even_stays_so_at_the_border_too(self):
        image = np.full((9, 9, 3), 80, np.float32)
        removed = np.random.default_rng(0).uniform(size=(9, 9)) < 0.7
        self.assertAllClose(road.imputed(image, removed, noise=0), image, atol=1e-3)
        noisy = road.imputed(image, removed, noise=2.0)
        self.assertAllEqual(noisy[~removed], image[~removed])
        self.assertBetween(float((noisy - image)[removed].std()), 1.5, 2.5)

    def test_a_map_of_what_counts_has_the_better_score(self):
        image = np.zeros((16, 16, 3), np.float32)
        image[4:8, 4:8] = 100
        right = road.road(red, image, image[..., 0] + np.arange(256).reshape(16, 16) / 1e4,
                          [6.25], noise=0)  # fmt: skip
        # The 16 pixels lie on black: without them nothing is left, without others nothing lacks.
        self.assertAllClose(right.most_first, [0], atol=1e-4)
        self.assertAllClose(right.least_first, [100 / 16], rtol=1e-4)
        self.assertAllClose(right.combined, 100 / 32, rtol=1e-4)

    def test_refused(self):
        image, values = np.zeros((4, 4, 3)), np.arange(16).reshape(4, 4)
        for call, words in (
            (lambda: road.road(red, image, values, [0]), "percentages"),
            (lambda: road.imputed(image, np.ones((4, 4), bool)), "All pixels"),
        ):
            with self.assertRaisesRegex(InputError, words):
                call()


if __name__ == "__main__":
    tf.test.main()
