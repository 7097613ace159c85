import numpy as np
import tensorflow as tf

from tfvis.attention.metrics import grid_pointing as pointing
from tfvis.errors import InputError


class PointingTest(tf.test.TestCase):
    def test_a_grid_holds_each_picture_in_its_place(self):
        pictures = np.random.default_rng(0).uniform(size=(4, 3, 5, 3))
        whole = pointing.grid(pictures)
        self.assertEqual(whole.shape, (6, 10, 3))
        for picture, (y, x) in zip(pictures, ((0, 0), (0, 5), (3, 0), (3, 5)), strict=True):
            self.assertAllEqual(whole[y : y + 3, x : x + 5], picture)

    def test_cells_are_those_of_the_grid(self):
        # The map of a class is 1 on its own picture: the grid of its pictures is the map.
        for cell in range(4):
            pictures = np.zeros((4, 3, 5, 1))
            pictures[cell] = 1
            own = pointing.grid(pictures)[None, ..., 0]
            for asked in range(4):
                self.assertAllEqual(pointing.shares(own, [asked]), [float(asked == cell)])
                self.assertAllEqual(pointing.hits(own, [asked]), [asked == cell])

    def test_shares_of_positive_values(self):
        maps = np.random.default_rng(1).normal(size=(5, 8, 6))
        cells = [3, 0, 1, 2, 1]
        corners = [(slice(4), slice(3)), (slice(4), slice(3, 6)), (slice(4, 8), slice(3))]
        corners.append((slice(4, 8), slice(3, 6)))
        want = [
            sum(v for v in m[corners[c]].ravel() if v > 0) / sum(v for v in m.ravel() if v > 0)
            for m, c in zip(maps, cells, strict=True)
        ]
        self.assertAllClose(pointing.shares(maps, cells), want, rtol=1e-12)
        inside = [np.unravel_index(m.argmax(), m.shape) for m in maps]
        want = [2 * (y >= 4) + (x >= 3) == c for (y, x), c in zip(inside, cells, strict=True)]
        self.assertAllEqual(pointing.hits(maps, cells), want)

    def test_maps_that_do_not_point(self):
        maps = np.stack([np.ones((4, 4)), np.zeros((4, 4)), -np.ones((4, 4))])
        self.assertAllEqual(pointing.shares(maps, [0, 0, 0]), [0.25, 0, 0])
        self.assertAllEqual(pointing.hits(maps, [0, 0, 0]), [False] * 3)

    def test_grids_are_of_four_classes_and_use_pictures_alike(self):
        labels = np.repeat(["a", "b", "c", "d", "e"], [7, 3, 5, 4, 6])
        drawn = pointing.draw(labels, 40, seed=3)
        self.assertEqual(drawn.shape, (40, 4))
        for row in drawn:
            self.assertLen(set(labels[row]), 4)
        for label in "abcde":
            uses = np.bincount(drawn.ravel(), minlength=len(labels))[labels == label]
            self.assertLessEqual(uses.max() - uses.min(), 1)
        # No class keeps to one cell.
        self.assertTrue(all(len(set(column)) == 5 for column in labels[drawn].T))

    def test_draws_are_those_of_the_seed(self):
        labels = [k % 6 for k in range(30)]
        drawn = pointing.draw(labels, 20, seed=1)
        self.assertAllEqual(pointing.draw(labels, 20, seed=1), drawn)
        self.assertAllEqual(pointing.draw(labels, 5, seed=1), drawn[:5])
        self.assertNotAllEqual(pointing.draw(labels, 20, seed=2), drawn)

    def test_wrong_input_is_named(self):
        maps = np.ones((1, 4, 4))
        for call, word in (
            (lambda: pointing.grid(np.ones((3, 4, 4, 3))), "pictures"),
            (lambda: pointing.shares(np.ones((1, 5, 4)), [0]), "even"),
            (lambda: pointing.shares(maps * np.nan, [0]), "finite"),
            (lambda: pointing.shares(maps, [4]), "cell"),
            (lambda: pointing.hits(maps, [0, 1]), "cell"),
            (lambda: pointing.draw("abc", 1), "4 classes"),
            (lambda: pointing.draw("abcd", 0), "count=0"),
        ):
            with self.assertRaisesRegex(InputError, word):
                call()
