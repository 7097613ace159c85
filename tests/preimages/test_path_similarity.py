"""Path similarity beside SciPy's Spearman correlations, and a planted circuit that it finds."""

import numpy as np
import scipy.stats
import tensorflow as tf

from apps.benchmarks import fooling
from tests import nets
from tfvis.preimages import natural_patches, path_similarity


class PathSimilarityTest(tf.test.TestCase):
    def setUp(self):
        super().setUp()
        self.net = nets.wrapped()

    def test_correlations_are_spearmans(self):
        seeds = (range(1), range(10, 13), range(20, 24))
        groups = [[nets.picture(16, seed=seed) for seed in group] for group in seeds]
        # Those that excite a unit are more alike than others.
        groups[1] = [0.3 * one + 0.7 * groups[1][0] for one in groups[1]]
        ways = [path_similarity.paths(self.net, "gap", 4, group, None) for group in groups]
        found = path_similarity.path_similarity(*(way.activations for way in ways))
        self.assertEqual(found.layers, ("block1_conv1", "block2_conv1"))
        taps = self.net.taps(found.layers)
        for k, layer in enumerate(found.layers):
            own, same, other = (
                taps(tf.constant(np.stack(group)))[layer].numpy().reshape(len(group), -1)
                for group in groups
            )

            def rho(first, second):
                return scipy.stats.spearmanr(first, second).statistic

            self.assertAllClose(found.picture[k], np.mean([rho(own[0], b) for b in same]), 1e-4)
            pairs = ((0, 1), (0, 2), (1, 2))
            expected = np.mean([rho(same[a], same[b]) for a, b in pairs])
            self.assertAllClose(found.same[k], expected, 1e-4)
            expected = np.mean([rho(a, b) for a in other for b in same])
            self.assertAllClose(found.other[k], expected, 1e-4)
        expected = (found.picture - found.other).sum() / (found.same - found.other).sum()
        self.assertAllClose(found.number, expected)

    def test_another_path_has_less_in_common_than_photographs_by_chance(self):
        def takes_another(picture, same):
            numbers = (np.array([one]) for one in (picture, same, 0.4))
            return path_similarity.PathSimilarity(("layer",), *numbers).other_path

        self.assertTrue(takes_another(0.2, 0.8))
        self.assertFalse(takes_another(0.3, 0.8))
        # They have no more in common than any photographs: half of that decides.
        self.assertTrue(takes_another(0.1, 0.4))
        self.assertFalse(takes_another(0.3, 0.3))

    def test_only_what_the_unit_sees_counts(self):
        # A unit of block2_conv1 sees 3 x 3 of block1_pool, and so 6 x 6 of block1_conv1, of 8.
        found = path_similarity.paths(self.net, "block2_conv1", 1, [nets.picture(32)], (7, 7))
        self.assertEqual(found.activations["block1_conv1"].shape, (1, 6 * 6 * 8))
        # What lies outside changes nothing.
        other = nets.picture(32)
        other[:8] = 255
        again = path_similarity.paths(self.net, "block2_conv1", 1, [other], (7, 7))
        for name in ("activations", "contributions"):
            one, two = (getattr(way, name)["block1_conv1"] for way in (found, again))
            self.assertAllEqual(one, two)

    def test_contributions_to_a_silent_unit_are_what_it_would_go_by(self):
        picture = nets.picture(32)
        taps = self.net.taps(("block1_conv1", "block2_conv1"))(picture[None])
        channel = int(np.argmin(taps["block2_conv1"][0, 7, 7]))
        self.assertEqual(float(taps["block2_conv1"][0, 7, 7, channel]), 0)
        kernel, bias = nets.small().get_layer("block2_conv1").get_weights()
        with tf.GradientTape() as tape:
            tape.watch(before := taps["block1_conv1"])
            pooled = tf.nn.max_pool2d(before, 2, 2, "VALID")
            unit = (tf.nn.conv2d(pooled, kernel, 1, "SAME") + bias)[0, 7, 7, channel]
        # What it sees: 3 x 3 of the pooled, around (7, 7).
        expected = (before * tape.gradient(unit, before)).numpy()[0, 12:18, 12:18].ravel()
        found = path_similarity.paths(self.net, "block2_conv1", channel, [picture], (7, 7))
        (ranked,) = found.contributions["block1_conv1"]
        self.assertAllClose(np.corrcoef(ranked, scipy.stats.rankdata(expected))[0, 1], 1, 1e-3)

    def test_nothing_comes_before_the_first_layer(self):
        found = path_similarity.paths(self.net, "block1_conv1", 1, [nets.picture(16)], (3, 3))
        self.assertIsNone(path_similarity.path_similarity({}, {}, {}))
        self.assertEqual(found.activations, {})

    def test_a_photograph_is_the_same_cut_as_whole(self):
        photograph = nets.picture(40)
        whole = self.net.taps(["block2_conv1"])(photograph[None])["block2_conv1"].numpy()
        cut = natural_patches.window(
            self.net, "block2_conv1", photograph, (9, 12), (20, 20), (5, 5)
        )
        part = self.net.taps(["block2_conv1"])(cut[None])["block2_conv1"].numpy()
        self.assertAllClose(part[0, 5, 5], whole[0, 9, 12], rtol=1e-4, atol=1e-4)
        # Beyond the border it goes on.
        shape = natural_patches.window(
            self.net, "block2_conv1", photograph, (0, 19), (20, 20), (5, 5)
        ).shape
        self.assertEqual(shape, (20, 20, 3))

    def test_a_planted_circuit_takes_another_path_and_an_honest_unit_does_not(self):
        fooled, honest = fooling.trial(0, 2, 60)
        # It shows the pattern, of which no photograph has so much.
        self.assertGreater(fooled.times, 10)
        self.assertTrue(fooled.flagged)
        self.assertFalse(honest.flagged)
