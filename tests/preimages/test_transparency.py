"""Which pixels mattered: the sum of gradients over steps, and what it leaves alone."""

import collections

import numpy as np
import tensorflow as tf

from tests import nets
from tfvis import objectives, preimages
from tfvis.errors import InputError
from tfvis.preimages import activation_maximization, transparency


def _last(runs):
    return collections.deque(runs, maxlen=1).pop()


class TransparencyTest(tf.test.TestCase):
    def setUp(self):
        super().setUp()
        self.net = nets.wrapped()
        self.objective = 100 * objectives.neuron("block2_conv1", 4)

    def _run(self, way, watched=True, **kwargs):
        settings = preimages.Maximization(steps=20, parameterization=way, transparency=watched)
        runs = activation_maximization.iterate(
            self.net, self.objective, size=(16, 16), settings=settings, **kwargs
        )
        return list(runs)

    def test_it_is_the_sum_of_gradients(self):
        settings = preimages.Maximization(
            steps=2, parameterization="pixels", transparency=True, jitter=1, optimizer="adam"
        )
        options = {"size": (16, 16), "settings": settings, "marks": (0, 1)}
        # A mean over a map is not silent, so that only the layer's own ReLU leaks.
        objective = 100 * objectives.channel_mean("block2_conv1", 4)
        leaking = self.net.waking(objective.layers)
        total, taps = np.zeros((16, 16)), leaking.taps(objective.layers)
        runs = list(activation_maximization.iterate(self.net, objective, **options))
        for progress in runs[:2]:
            images = tf.constant(progress.images)
            with tf.GradientTape() as tape:
                tape.watch(images)
                # Lowered: what leaks depends on which way it is to go.
                answer = -objective(taps(images))
            total += np.abs(tape.gradient(answer, images)[0]).sum(-1)
        # Float32, the centre subtracted and added again.
        self.assertAllClose(runs[-1].importance[0], total, rtol=1e-3, atol=1e-6)
        self.assertGreater(total.max(), 0)

    def test_it_changes_no_picture_and_goes_on_where_it_was(self):
        for way in ("pixels", "fourier", "phase"):
            runs, bare = self._run(way), self._run(way, watched=False)
            # The same numbers in another graph, which may round otherwise.
            self.assertAllClose(runs[-1].kept, bare[-1].kept, rtol=0, atol=0.5)
            self.assertIsNone(bare[-1].importance)
            resumed = self._run(way, state=runs[0].snapshot.state)[-1]
            self.assertAllEqual(resumed.kept, runs[-1].kept)
            self.assertAllEqual(resumed.importance, runs[-1].importance)
            # Of crops as large as asked for, the picture is twice as large.
            side = 32 if way == "phase" else 16
            self.assertAllEqual(runs[-1].importance.shape, [1, side, side])

    def test_opacity(self):
        importance = np.zeros((3, 10, 10), np.float32)
        importance[0] = np.arange(100).reshape(10, 10)
        importance[1, 0, 0] = 5
        shown = transparency.opacity(importance)
        # A fifth is opaque; the 80th percentile of 0..99 is 79.2.
        self.assertEqual((shown[0] == 1).sum(), 20)
        self.assertAllClose(shown[0, 5, 0], 50 / 79.2)
        self.assertAllEqual([shown[1].sum(), shown[2].sum()], [1, 100])
        pictures = transparency.transparent(np.zeros((3, 10, 10, 3), np.float32), importance)
        self.assertAllClose(pictures[..., 3], 255 * shown)


class DiversityTest(tf.test.TestCase):
    def test_pictures_of_a_unit_are_pushed_apart(self):
        net, cosines = nets.wrapped(), {}
        for weight in (0.0, 20.0):
            found = preimages.maximize(
                net, "block2_conv1:4,block2_conv1:2", size=16, steps=30, diversity=2,
                diversity_weight=weight, parameterization="fourier",
            )  # fmt: skip
            self.assertLen(found.images, 4)
            unlike = objectives.diversity("block2_conv1", 2)
            taps = net.taps(unlike.layers)(tf.constant(found.images))
            cosines[weight] = -np.mean(unlike(taps))
        self.assertLess(cosines[20.0], 0.9 * cosines[0.0])
        with self.assertRaisesRegex(InputError, "diversity=2: is of units"):
            preimages.maximize(net, objectives.neuron("block2_conv1", 4), diversity=2)
        with self.assertRaisesRegex(InputError, "transparency"):
            found.transparent  # noqa: B018

    def test_a_group_does_not_see_the_others(self):
        features = np.random.default_rng(0).normal(size=(4, 3, 3, 5)).astype(np.float32)
        apart = [
            objectives.diversity("a")({"a": tf.constant(half)}).numpy()
            for half in (features[:2], features[2:])
        ]
        together = objectives.diversity("a", 2)({"a": tf.constant(features)})
        self.assertAllClose(together, np.concatenate(apart), rtol=1e-5)
        with self.assertRaisesRegex(InputError, "whole groups"):
            objectives.diversity("a", 3)({"a": tf.constant(features)})
