"""Which picture is learnt from when, and how much it counts."""

import dataclasses

import numpy as np
import tensorflow as tf

from tests import stripes
from tfvis.classifiers import batches, datasets


def _numbered(count: int, views: int = 1):
    """Maps that say which picture and view they are of."""
    found, _ = stripes.maps(count, shape=(1, 1, 2), views=views)
    arrays = tuple(
        np.stack([np.arange(count), np.full(count, v)], -1)[:, None, None].astype(np.float16)
        for v in range(views)
    )
    return dataclasses.replace(found, arrays=(arrays,))


def _take(dataset, steps):
    return [tf.nest.map_structure(lambda t: t.numpy(), one) for one in dataset.take(steps)]


class BatchesTest(tf.test.TestCase):
    def test_class_weights(self):
        labels = np.array([0] * 6 + [1] * 2 + [3] * 4)
        found = batches.class_weights(labels, 4)
        # n / (classes that occur * count), by hand.
        self.assertAllClose(found, [12 / 18, 12 / 6, 0, 12 / 12])
        self.assertAllClose(found[labels].mean(), 1)

    def test_numbers(self):
        examples = tuple(datasets.Example(f"{k}", 0, None, 0) for k in range(5))
        boxed = datasets.Example("1", 1, (0, 0, 2, 2), 0)
        whole = datasets.Dataset(("a", "b"), ("d",), (*examples, boxed), ())
        part = dataclasses.replace(whole, examples=(examples[1], examples[3], boxed))
        found = dataclasses.replace(_numbered(6), broken={3: "why"})
        self.assertAllEqual(batches.numbers(whole, found, part), [1, 5])

    def test_every_picture_once_per_epoch(self):
        places, views = batches.order(50, 3, 2, 0)
        self.assertAllEqual(np.sort(places), np.arange(50))
        self.assertEqual(set(views.tolist()), {0, 1, 2})
        for other in ((50, 3, 3, 0), (50, 3, 2, 1)):
            self.assertNotAllClose(batches.order(*other)[0], places)
        self.assertAllEqual(batches.order(50, 3, 2, 0)[0], places)

    def test_training(self):
        found, chosen = _numbered(20, views=2), np.array([1, 3, 5, 7, 11, 13, 17, 19])
        labels = np.array([0, 0, 0, 0, 0, 0, 1, 2])
        dataset, steps = batches.training(found, chosen, labels, 4, 4, seed=5)
        self.assertEqual(steps, 2)
        weights = batches.class_weights(labels, 4)
        of = dict(zip(chosen, labels, strict=True))
        epochs = _take(dataset, 6)
        seen_views = set()
        for first in (0, 2, 4):
            maps = np.concatenate([epochs[first][0], epochs[first + 1][0]])
            numbers = maps[:, 0, 0, 0].astype(int)
            self.assertAllEqual(np.sort(numbers), chosen)
            seen_views |= set(maps[:, 0, 0, 1])
            onehot = np.concatenate([epochs[first][1], epochs[first + 1][1]])
            self.assertAllEqual(onehot.argmax(1), [of[n] for n in numbers])
            self.assertAllEqual(onehot.sum(1), np.ones(8))
            given = np.concatenate([epochs[first][2], epochs[first + 1][2]])
            self.assertAllClose(given, weights[[of[n] for n in numbers]])
        self.assertEqual(seen_views, {0, 1})
        # Begun at the third epoch: the same.
        later, _ = batches.training(found, chosen, labels, 4, 4, seed=5, first_epoch=2)
        for ours, theirs in zip(_take(later, 2), epochs[4:], strict=True):
            self.assertAllEqual(ours[0], theirs[0])
        self.assertEqual(dataset.element_spec[0].shape, (4, 1, 1, 2))

    def test_sizes_that_do_not_fit(self):
        found = _numbered(10)
        dataset, steps = batches.training(found, np.arange(10), np.zeros(10, int), 2, 4, 0)
        numbers = np.concatenate([one[0][:, 0, 0, 0] for one in _take(dataset, steps)])
        self.assertEqual((steps, len(numbers), len(set(numbers))), (2, 8, 8))
        # Fewer than a batch are repeated, all as often as can be.
        dataset, steps = batches.training(found, np.arange(3), np.zeros(3, int), 2, 8, 0)
        numbers = _take(dataset, 1)[0][0][:, 0, 0, 0].astype(int)
        self.assertEqual((steps, sorted(np.bincount(numbers).tolist())), (1, [2, 3, 3]))

    def test_adapting(self):
        source, target = _numbered(12), _numbered(30)
        labels = np.array([0] * 8 + [1] * 4)
        chosen = np.arange(20, 30)
        arguments = (source, np.arange(12), labels, target, chosen, 2, 8, 3)
        dataset, steps = batches.adapting(*arguments)
        self.assertEqual(steps, 3)
        plain = _take(batches.training(source, np.arange(12), labels, 2, 4, 3)[0], 9)
        found = _take(dataset, 9)
        theirs = []
        for (maps, goals, weights), (own, onehot, own_weights) in zip(found, plain, strict=True):
            self.assertAllEqual(maps[:4], own)
            self.assertAllEqual(goals["class"][:4], onehot)
            self.assertAllEqual(goals["domain"][:, 0], [0] * 4 + [1] * 4)
            # The loss is a mean over 8: the source's share is that of a batch of 4.
            self.assertAllClose(weights["class"], [*(2 * own_weights), 0, 0, 0, 0])
            self.assertAllEqual(weights["domain"], np.ones(8))
            self.assertAllInSet(maps[4:, 0, 0, 0].astype(int), chosen)
            theirs.append(maps[4:, 0, 0, 0])
        # An epoch of the target is two and a half batches: two, then others.
        self.assertLen(set(np.concatenate(theirs[:2])), 8)
        # Gone on with after any epoch, although those of the target are shorter.
        for epoch in (1, 2):
            later, _ = batches.adapting(*arguments, epoch)
            for ours, other in zip(_take(later, 3), found[3 * epoch :], strict=False):
                self.assertAllEqual(ours[0], other[0])

    def test_plain(self):
        found = _numbered(10, views=2)
        chosen = np.array([9, 2, 4, 4, 0])
        maps = [one.numpy() for one in batches.plain(found, chosen, 2)]
        self.assertEqual([len(one) for one in maps], [2, 2, 1])
        self.assertAllEqual(np.concatenate(maps)[:, 0, 0], [[n, 0] for n in chosen])
        self.assertEqual(list(batches.plain(found, chosen[:0], 2)), [])


if __name__ == "__main__":
    tf.test.main()
