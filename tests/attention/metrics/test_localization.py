import collections
import weakref

import numpy as np
import scipy.ndimage
import tensorflow as tf

from tfvis.attention.boxes import Box
from tfvis.attention.metrics import localization
from tfvis.errors import InputError

SIZE = 16


def flooded(region: np.ndarray) -> list[set]:
    """Connected parts by flooding, as sets of (x, y), the largest first."""
    left = {(x, y) for y, x in np.argwhere(region).tolist()}
    found = []
    while left:
        part, queue = set(), collections.deque([min(left, key=lambda place: place[::-1])])
        while queue:
            x, y = queue.popleft()
            if (x, y) in left:
                left.remove((x, y))
                part.add((x, y))
                queue.extend((x + i, y + j) for i in (-1, 0, 1) for j in (-1, 0, 1))
        found.append(part)
    return sorted(found, key=len, reverse=True)


def filled(part: set) -> set:
    """All pixels of the tight box of a part."""
    xs, ys = zip(*part, strict=True)
    return {(x, y) for x in range(min(xs), max(xs) + 1) for y in range(min(ys), max(ys) + 1)}


def brute(masks, truths, thresholds, at) -> np.ndarray:
    """[2, a, t]: as in MaxBoxAccuracy, by counting pixels."""
    right = np.zeros((2, len(at), len(thresholds)))
    for mask, true in zip(masks, truths, strict=True):
        true = [{(x, y) for x in range(b.x0, b.x1) for y in range(b.y0, b.y1)} for b in true]
        for t, threshold in enumerate(thresholds):
            parts = [filled(part) for part in flooded(mask > threshold * mask.max())]
            best = [max(len(p & b) / len(p | b) for b in true) for p in parts]
            right[0, :, t] += best[0] >= np.array(at)
            right[1, :, t] += max(best) >= np.array(at)
    return right / len(masks)


class MaxBoxAccuracyTest(tf.test.TestCase):
    def test_agrees_with_counting_pixels(self):
        generator = np.random.default_rng(0)
        masks, truths = [], []
        for _ in range(12):
            noise = scipy.ndimage.gaussian_filter(generator.uniform(size=(SIZE, SIZE + 3)), 1.5)
            masks.append((noise - noise.min()).clip(0))
            # The box of what is above half, moved a little, and up to two others.
            ys, xs = np.nonzero(masks[-1] > masks[-1].max() / 2)
            x, y, right, down = generator.integers(0, 4, 4).tolist()
            truths.append([Box(xs.min() + x, ys.min() + y, xs.max() + 1 + right, ys.max() + down)])
            for x, y in generator.integers(0, 8, (generator.integers(3), 2)).tolist():
                truths[-1].append(Box(x, y, x + 5, y + 7))
        thresholds, at = np.arange(0.05, 1, 0.1), (0.3, 0.5, 0.7)
        found = localization.max_box_accuracy(iter(masks), iter(truths), thresholds, at)
        want = brute(masks, truths, thresholds, at)
        self.assertGreater(len(np.unique(want)), 5)
        self.assertAllClose(found.largest, want[0], atol=0, rtol=1e-12)
        self.assertAllClose(found.any_part, want[1], atol=0, rtol=1e-12)
        self.assertEqual(found.count, 12)
        self.assertAlmostEqual(found.max_box_acc(), want[0, 1].max())
        self.assertAlmostEqual(found.max_box_acc(0.3), want[0, 0].max())
        self.assertAlmostEqual(found.v2(), want[1].max(1).mean())
        self.assertAlmostEqual(found.best_threshold(), thresholds[want[0, 1].argmax()])

    def test_worked_by_hand(self):
        # A faint square of 4 x 4 with a bright one of 2 x 2 in it, another far away.
        mask = np.zeros((12, 12))
        mask[1:5, 1:5] = 0.3
        mask[1:3, 1:3] = 1
        mask[8:11, 8:11] = 0.3
        thresholds = (0.1, 0.5)
        far = localization.max_box_accuracy([mask], [[Box(8, 8, 11, 11)]], thresholds)
        self.assertAllEqual(far.largest, np.zeros((3, 2)))
        self.assertAllEqual(far.any_part, [[1, 0]] * 3)
        # IoUs of 10 / 16 and 4 / 10 with what the two thresholds leave.
        near = localization.max_box_accuracy([mask], [[Box(1, 1, 6, 3)]], thresholds)
        self.assertAllEqual(near.largest, [[1, 1], [0, 0], [0, 0]])
        both = localization.max_box_accuracy(
            [mask, mask], [[Box(1, 1, 5, 5)], [Box(1, 1, 3, 3), Box(9, 9, 12, 12)]], thresholds
        )
        # At 0.7 one threshold is right for one picture, the other for the other.
        self.assertAllEqual(both.largest[2], [0.5, 0.5])
        self.assertEqual(both.max_box_acc(0.7), 0.5)

    def test_an_iou_at_the_limit_counts(self):
        mask = np.zeros((12, 12))
        mask[0, :10] = 1
        for at, width in ((0.3, 3), (0.5, 5), (0.7, 7)):
            found = localization.max_box_accuracy([mask], [[Box(0, 0, width, 1)]], (0.2,), (at,))
            self.assertEqual(found.max_box_acc(at), 1)

    def test_masks_come_one_by_one_and_a_flat_one_counts_as_wrong(self):
        made = []

        def masks():
            for _ in range(5):
                # The one before may still be held.
                self.assertLessEqual(sum(mask() is not None for mask in made), 1)
                made.append(weakref.ref(mask := np.zeros((4, 4))))
                mask[:2, :2] = 1
                yield mask
                del mask
            yield np.ones((4, 4))

        truths = ([Box(0, 0, 2, 2)] for _ in range(6))
        found = localization.max_box_accuracy(masks(), truths)
        self.assertEqual((found.max_box_acc(), found.v2()), (5 / 6, 5 / 6))

    def test_wrong_input_is_named(self):
        mask, true = np.eye(4), [Box(0, 0, 1, 1)]
        for arguments, word in (
            (([], []), "no pictures"),
            (([mask], []), "masks as truths"),
            (([], [true]), "masks as truths"),
            (([mask, mask], [true, []]), "Picture 1"),
            (([-mask], [true]), "mask"),
            (([mask], [true], (1.0,)), "thresholds"),
            (([mask], [true], ()), "thresholds"),
            (([mask], [true], (0.5,), (0,)), "at"),
        ):
            with self.assertRaisesRegex(InputError, word):
                localization.max_box_accuracy(*arguments)
        with self.assertRaisesRegex(InputError, "0.4"):
            localization.max_box_accuracy([mask], [true]).max_box_acc(0.4)


class SharesTest(tf.test.TestCase):
    def setUp(self):
        super().setUp()
        whole, left, corner = Box(0, 0, 4, 4), Box(0, 0, 2, 4), Box(0, 0, 1, 1)
        # IoUs of 1, 0.5, 1 / 16, none, and 0.5 as the better of two.
        self.predicted = [whole, left, corner, None, left]
        self.truths = [[whole], [whole], [whole], [whole], [corner, whole]]

    def test_gt_known(self):
        self.assertAlmostEqual(localization.gt_known(self.predicted, self.truths), 3 / 5)
        self.assertAlmostEqual(localization.gt_known(self.predicted, self.truths, 0.51), 1 / 5)
        self.assertAlmostEqual(localization.gt_known(self.predicted, self.truths, 0.05), 4 / 5)

    def test_top_one_needs_class_and_box(self):
        top = localization.top_one("aabab", self.predicted, "abbaa", self.truths)
        self.assertAlmostEqual(top, 1 / 5)
        same = localization.top_one("abbaa", self.predicted, "abbaa", self.truths)
        self.assertAlmostEqual(same, 3 / 5)

    def test_corloc_counts_classes_alike(self):
        found = localization.corloc(self.predicted, self.truths, ["b", "a", "b", "b", "a"])
        self.assertEqual(list(found.per_class), ["b", "a"])
        self.assertAlmostEqual(found.per_class["b"], 1 / 3)
        self.assertAlmostEqual(found.per_class["a"], 1)
        self.assertAlmostEqual(found.mean, 2 / 3)

    def test_wrong_input_is_named(self):
        box, true = Box(0, 0, 1, 1), [Box(0, 0, 1, 1)]
        for call, word in (
            (lambda: localization.gt_known([], []), "no pictures"),
            (lambda: localization.gt_known([box], []), "boxes as truths"),
            (lambda: localization.gt_known([box], [[]]), "Picture 0"),
            (lambda: localization.gt_known([box], [true], at=0), "at"),
            (lambda: localization.corloc([box], [true], []), "labels"),
            (lambda: localization.top_one("ab", [box], "ab", [true]), "classes"),
            (lambda: localization.top_one("a", [box], "ab", [true]), "classes as labels"),
        ):
            with self.assertRaisesRegex(InputError, word):
                call()
