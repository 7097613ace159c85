"""Measures of predictions, beside scikit-learn's, and the pictures of them."""

import numpy as np
import sklearn.metrics
import tensorflow as tf
from absl.testing import parameterized

from tests import nets
from tfvis.classifiers import metrics
from tfvis.report import confusion


def predictions(seed: int, classes: int = 5, count: int = 200):
    """Labels (the last class has none), probabilities that know something of them."""
    generator = np.random.default_rng(seed)
    true = generator.integers(0, classes - 1, count)
    logits = generator.normal(size=(count, classes)) + 2 * np.eye(classes)[true]
    probabilities = np.exp(logits) / np.exp(logits).sum(1, keepdims=True)
    return true, probabilities


class MetricsTest(tf.test.TestCase, parameterized.TestCase):
    @parameterized.parameters(0, 1, 2)
    def test_as_scikit_learn_has_them(self, seed):
        true, probabilities = predictions(seed)
        predicted = probabilities.argmax(1)
        predicted[predicted == 2] = 1  # A class that is never predicted.
        matrix = metrics.confusion(true, predicted, 5)
        self.assertAllEqual(
            matrix, sklearn.metrics.confusion_matrix(true, predicted, labels=range(5))
        )
        self.assertEqual(matrix.dtype, np.int64)
        self.assertAllClose(
            metrics.accuracy(matrix), sklearn.metrics.accuracy_score(true, predicted)
        )
        for ours, theirs in (
            (metrics.recall, sklearn.metrics.recall_score),
            (metrics.precision, sklearn.metrics.precision_score),
            (metrics.f1, sklearn.metrics.f1_score),
        ):
            expected = theirs(true, predicted, labels=range(5), average=None, zero_division=np.nan)
            np.testing.assert_allclose(ours(matrix), expected)
            np.testing.assert_allclose(metrics.macro(ours(matrix)), np.nanmean(expected))
        self.assertTrue(np.isnan(metrics.precision(matrix)[2]))
        self.assertEqual(metrics.f1(matrix)[2], 0)

    def test_domains_are_judged_apart(self):
        true = np.array([0, 1, 0, 1, -1, 0])
        predicted = np.array([0, 0, 0, 1, 1, 1])
        domain = np.array([0, 0, 1, 1, 1, 3])
        np.testing.assert_array_equal(
            metrics.by_domain(true, predicted, domain, 4), [0.5, 1, np.nan, 0]
        )

    def test_unlabelled_examples_do_not_count(self):
        true, probabilities = predictions(3)
        more = np.concatenate([true, [-1, -1]])
        guesses = np.concatenate([probabilities, probabilities[:2]])
        self.assertAllEqual(
            metrics.confusion(more, guesses.argmax(1), 5),
            metrics.confusion(true, probabilities.argmax(1), 5),
        )
        self.assertEqual(
            metrics.calibration_error(guesses, more), metrics.calibration_error(probabilities, true)
        )

    def test_nothing_is_nan_not_zero(self):
        nothing = metrics.confusion([], [], 3)
        self.assertEqual(nothing.shape, (3, 3))
        for value in (
            metrics.accuracy(nothing),
            metrics.macro(metrics.f1(nothing)),
            metrics.calibration_error(np.zeros((0, 3)), []),
        ):
            self.assertTrue(np.isnan(value))

    @parameterized.parameters(1, 10, 15)
    def test_calibration_error_by_hand(self, bins):
        true, probabilities = predictions(4)
        expected = 0
        confidence = probabilities.max(1)
        hits = probabilities.argmax(1) == true
        for b in range(bins):
            inside = (confidence > b / bins) & (confidence <= (b + 1) / bins)
            if inside.any():
                expected += inside.mean() * abs(hits[inside].mean() - confidence[inside].mean())
        self.assertAllClose(metrics.calibration_error(probabilities, true, bins), expected)

    def test_calibration_error_at_its_ends(self):
        sure = np.eye(3)[[0, 1, 2, 0]]
        self.assertAllClose(metrics.calibration_error(sure, [0, 1, 2, 0]), 0)
        self.assertAllClose(metrics.calibration_error(sure, [1, 2, 0, 1]), 1)


class PicturesTest(tf.test.TestCase, parameterized.TestCase):
    @parameterized.parameters(2, 7, 60)
    def test_every_cell_is_as_dark_as_its_share(self, classes):
        counts = np.zeros((classes, classes), int)
        counts[np.arange(classes), np.arange(classes)[::-1]] = 30
        names = [f"class ${k}_{'long name ' * (k % 4)}" for k in range(classes)]
        page = confusion.matrix(counts, names, "of a test")
        self.assertEqual(page.dtype, np.uint8)
        self.assertEqual(page.shape[2], 3)
        # The darkest blue of the scale fills the anti-diagonal: one cell in each row.
        dark = (page == [8, 48, 107]).all(2)
        ys, xs = np.nonzero(dark)
        side = (ys.max() - ys.min() + 1) / classes
        self.assertGreater(side, 30)  # px: two lines of letters.
        for k in range(classes):
            inside = np.abs(ys - ys.min() - (k + 0.5) * side) < side / 2 - 2
            column = (xs[inside] - xs.min()) / side
            self.assertAllInRange(column, classes - 1 - k - 0.1, classes - k + 0.1)
        self.assertLess(max(page.shape), 4000)

    def test_a_class_without_examples(self):
        page = confusion.matrix(np.array([[3, 1], [0, 0]]), ("a", "b"))
        self.assertFalse((page == [8, 48, 107]).all(2).any())

    def test_mistakes_are_all_on_the_sheet(self):
        pictures = [np.round(nets.picture(20, seed=s)) for s in range(8)]
        page = confusion.mistakes([(p, "harp -> lute 0.93") for p in pictures])
        windows = np.lib.stride_tricks.sliding_window_view(page, (20, 20, 3))[:, :, 0]
        for picture in pictures:
            self.assertTrue((windows == picture.astype(np.uint8)).all((2, 3, 4)).any())

    def test_auroc_is_scikit_learns(self):
        generator = np.random.default_rng(0)
        positive = generator.random(200) < 0.3
        # Rounded, so that some are equal.
        scores = np.round(generator.normal(size=200) + positive, 1)
        self.assertAllClose(
            metrics.auroc(scores, positive), sklearn.metrics.roc_auc_score(positive, scores)
        )
        self.assertTrue(np.isnan(metrics.auroc(scores, np.zeros(200, bool))))
