"""Pointing, energy, similarity, class sensitivity and the sanity check on maps made by hand."""

import dataclasses

import keras
import numpy as np
import tensorflow as tf

from tests import nets
from tfvis.attention.boxes import Box
from tfvis.attention.metrics import (
    class_sensitivity,
    energy,
    pointing_game,
    sanity,
    similarity,
)
from tfvis.errors import InputError

_BOXES = [Box(2, 3, 6, 8), Box(5, 3, 7, 8)]


class BoxesTest(tf.test.TestCase):
    def test_a_maximum_hits_within_the_tolerance(self):
        for (y, x), near, hit in (
            ((3, 2), 0, True),
            ((7, 6), 0, True),
            # 3 right and 4 below of the last pixel of a box, 5 px.
            ((11, 9), 5, True),
            ((11, 9), 4.9, False),
            ((2, 2), 0, False),
        ):
            values = np.zeros((20, 20))
            values[y, x] = 1
            self.assertEqual(pointing_game.hit(values, _BOXES, near), hit)
        values[3, 2] = 1
        self.assertFalse(pointing_game.hit(values, _BOXES, 0))

    def test_shares_of_boxes_that_overlap(self):
        values = np.ones((10, 10))
        self.assertAllClose(energy.share(values, _BOXES), 0.25)
        self.assertAllClose(energy.area((10, 10), _BOXES), 0.25)
        values[3:8, 2:7] = 3
        self.assertAllClose(energy.share(values, _BOXES), 75 / 150)

    def test_what_says_nothing(self):
        for call, words in (
            (lambda: pointing_game.hit(np.ones((4, 4)), _BOXES), "same everywhere"),
            (lambda: pointing_game.hit(np.eye(4), []), "no true box"),
            (lambda: energy.share(np.zeros((4, 4)), _BOXES), "zero everywhere"),
            (lambda: energy.share(np.eye(4), []), "no true box"),
            (lambda: similarity.similarity(np.ones((12, 12)), np.eye(12)), "like nothing"),
            (lambda: similarity.similarity(np.eye(5), np.eye(5)), "11 px"),
        ):
            with self.assertRaisesRegex(InputError, words):
                call()


class SimilarityTest(tf.test.TestCase):
    def test_of_ranks_and_of_structure(self):
        one = np.random.default_rng(0).uniform(size=(32, 32))
        # Ranks know no scale, and stretched maps neither.
        same = similarity.similarity(one, 5 * one + 1)
        self.assertAllClose((same.spearman, same.ssim), (1, 1), atol=1e-6)
        self.assertAllClose(similarity.similarity(one, one.max() - one).spearman, -1)
        other = similarity.similarity(one, one[::-1])
        # 1024 ranks by chance: a deviation of 0.03.
        self.assertBetween(other.spearman, -0.1, 0.1)
        self.assertLess(other.ssim, 0.2)


class NetworkTest(tf.test.TestCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.net = dataclasses.replace(nets.wrapped(), classes=("a", "b", "c", "d", "e"))
        cls.image = nets.picture(16)

    def test_classes_are_told_apart_or_not(self):
        def blind(images, target):
            return tf.reduce_mean(tf.constant(images), -1)

        def seeing(images, target):
            signs = tf.constant([1.0 if k == 3 else -1.0 for k in target])
            return blind(images, target) * signs[:, None, None] + 255

        alike = class_sensitivity.between_classes(blind, self.image, 3, 1)
        self.assertAllClose((alike.spearman, alike.ssim), (1, 1), atol=1e-6)
        apart = class_sensitivity.between_classes(seeing, self.image, 3, 1)
        self.assertAllClose(apart.spearman, -1)
        with self.assertRaisesRegex(InputError, "two classes"):
            class_sensitivity.between_classes(blind, self.image, 3, 3)

    def _answers(self, network):
        return network.taps(["logits"])(tf.constant(self.image[None]))["logits"].numpy()

    def test_the_cascade_goes_down_from_the_scores(self):
        before = self._answers(self.net)
        found = list(sanity.cascade(self.net))
        self.assertEqual([path for path, _ in found], ["logits", "block2_conv1", "block1_conv1"])
        layer = {path: [w.numpy() for w in rewired_weights(net)] for path, net in found}
        own = [w.numpy() for w in rewired_weights(self.net)]
        for k, (path, network) in enumerate(found):
            self.assertNotAllClose(self._answers(network), before)
            self.assertEqual(network.paths, self.net.paths)
            # The same numbers, of the layers from the scores down in another order.
            for number, (now, then) in enumerate(zip(layer[path], own, strict=True)):
                self.assertAllEqual(np.sort(now, None), np.sort(then, None))
                if now.ndim > 1:
                    self.assertEqual(np.array_equal(now, then), number // 2 < 2 - k)
        self.assertAllEqual(self._answers(self.net), before)

    def test_stages_are_evenly_spaced_and_drawn_alike(self):
        (only, _), (last, all_) = sanity.cascade(self.net, 2, seed=3)
        self.assertEqual((only, last), ("logits", "block1_conv1"))
        *_, (_, again) = sanity.cascade(self.net, 2, seed=3)
        self.assertAllEqual(self._answers(all_), self._answers(again))
        with self.assertRaisesRegex(InputError, "stages=0"):
            next(sanity.cascade(self.net, 0))
        with self.assertRaisesRegex(InputError, "no classifier"):
            next(sanity.cascade(dataclasses.replace(self.net, classifier=None)))


def rewired_weights(network) -> list[keras.Variable]:
    """Those of the graph itself, from the image up."""
    return network.graph.truncated([network.logits]).weights


if __name__ == "__main__":
    tf.test.main()
