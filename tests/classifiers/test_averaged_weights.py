"""The mean of several trainings: its weights, what it has learnt from, what is refused."""

import pathlib

import numpy as np
import tensorflow as tf

from tests import nets
from tfvis.classifiers import averaged_weights, backbone, checkpoints
from tfvis.errors import InputError
from tfvis.networks import network as networks


class AveragedWeightsTest(tf.test.TestCase):
    def setUp(self):
        super().setUp()
        self.home = pathlib.Path(self.create_tempdir().full_path)
        self.model = self.home / "small.keras"
        nets.small().save(self.model)

    def _trained(self, name, seed, classes=("a", "b", "c"), size=24, cut=None, **about):
        parts = backbone.split(networks.build(str(self.model), preprocessing="tf"), cut)
        learner = backbone.learner(parts, len(classes))
        generator = np.random.default_rng(seed)
        for variable in learner.trainable_variables:
            variable.assign_add(0.1 * generator.normal(size=variable.shape))
        learnt = backbone.learnt(learner)
        checkpoints.save(self.home / name, parts, learnt, classes, size, about)
        return checkpoints.load(str(self.home / name))

    def test_weights_are_means_and_the_trunk_stays(self):
        found = [
            self._trained(f"t{k}", k, learnt_from=[f"{k}"], learnt_from_complete=k < 2)
            for k in range(3)
        ]
        weights = [
            {name: layer.get_weights() for name, layer in one.network.graph.layers.items()}
            for one in found
        ]
        trunk = found[0].parts.trunk_fingerprint()
        mean = averaged_weights.averaged(found)
        for name in ("block2_conv1", backbone.CLASSES):
            for k, array in enumerate(mean.network.graph.layers[name].get_weights()):
                expected = sum(one[name][k].astype(np.float64) for one in weights) / 3
                self.assertAllClose(array, expected, rtol=1e-6)
                self.assertNotAllClose(array, weights[0][name][k])
        self.assertEqual(mean.parts.trunk_fingerprint(), trunk)
        self.assertEqual(mean.about["learnt_from"], ["0", "1", "2"])
        self.assertFalse(mean.about["learnt_from_complete"])
        self.assertEqual(mean.name, "t0, t1, t2")

    def test_one_is_itself(self):
        one = self._trained("one", 0)
        self.assertIs(averaged_weights.averaged([one]), one)

    def test_what_does_not_match_is_refused(self):
        first = self._trained("first", 0)
        for name, what, arguments in (
            ("classes", "other classes", {"classes": ("a", "b", "d")}),
            ("size", "another size of pictures", {"size": 32}),
            ("cut", "another cut", {"cut": "block1_conv1"}),
        ):
            with self.subTest(name):
                with self.assertRaisesRegex(InputError, f"init: {name} has {what} than first"):
                    averaged_weights.averaged([first, self._trained(name, 1, **arguments)])
        # The same layers, whose frozen ones are others.
        nets.small(seed=5).save(self.model)
        with self.assertRaisesRegex(InputError, "other has other frozen weights than first"):
            averaged_weights.averaged([first, self._trained("other", 1)])
