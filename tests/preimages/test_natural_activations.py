"""What a picture is measured by: photographs that are given, or what is known of many."""

import dataclasses

import numpy as np
import tensorflow as tf

from tests import nets
from tfvis import photograph_statistics
from tfvis.networks import weights
from tfvis.networks.preprocessing import contracts
from tfvis.objectives import parsing
from tfvis.preimages import natural_activations, normalization


def _as_vgg16(**changed):
    """Returns a small network that says it is VGG16."""
    record = weights.Record("file", weights.PUBLISHED["vgg16"], True)
    net = nets.like_vgg16()
    contract = contracts.named("caffe")
    return dataclasses.replace(net, name="vgg16", record=record, preprocessing=contract, **changed)


class ShippedTest(tf.test.TestCase):
    def test_files_hold_what_the_card_says(self):
        found = photograph_statistics.find(_as_vgg16())
        self.assertEqual(found.photographs, 2049)
        self.assertLen(found.layers, 13)
        for layer, measures in found.layers.items():
            channels = {"1": 64, "2": 128, "3": 256}.get(layer[5], 512)
            of = {name: measures[name] for name in photograph_statistics.MEASURES}
            self.assertEqual({values.shape for values in of.values()}, {(channels,)}, layer)
            self.assertTrue((of["largest"] >= of["q99_of_largest"]).all())
            self.assertTrue((of["q99_of_largest"] >= of["median_of_largest"]).all())
            self.assertTrue((of["largest"] >= of["largest_mean"]).all())
            self.assertTrue((of["largest_mean"] >= of["mean"]).all())

    def test_other_weights_and_other_arithmetic_are_not_measured_by_them(self):
        other = weights.Record("file", "0" * 64, False)
        averaged = (("pooling", "avg"), ("activation", "post"))
        for changed in ({"record": other}, {"variant": averaged}):
            net = dataclasses.replace(_as_vgg16(), **changed)
            self.assertIsNone(photograph_statistics.find(net))


class NaturalTest(tf.test.TestCase):
    def setUp(self):
        super().setUp()
        self.net = nets.wrapped()
        self.units = parsing.parse("block2_conv1:3,block2_conv1:5", self.net)

    def _natural(self, references, everywhere=False):
        seen = normalization.statistics(self.net, self.units, references)
        most = np.ones(2)
        return natural_activations.natural(self.net, self.units, references, seen, most, everywhere)

    def test_photographs_that_are_given_count(self):
        pictures = [nets.picture(16, seed=k) for k in range(4)]
        maps = self.net.taps(["block2_conv1"])(tf.constant(np.stack(pictures)))["block2_conv1"]
        given = normalization.given_references(self.net, pictures)
        found = self._natural(given)
        self.assertEqual(found.photographs, 4)
        self.assertAllClose(found.largest, maps.numpy().max((0, 1, 2))[[3, 5]], rtol=1e-4)
        means = self._natural(given, everywhere=True)
        self.assertAllClose(means.largest, maps.numpy().mean((1, 2)).max(0)[[3, 5]], rtol=1e-4)

    def test_without_any_two_are_said_to_be_two(self):
        self.assertEqual(self._natural(normalization.demo_references(self.net)).photographs, 2)

    def test_ratios_where_they_have_a_meaning(self):
        found = natural_activations.ratios(
            np.array([6.0, 6.0, 6.0, -1.0]), np.array([True, False, True, True]),
            np.array([2.0, 2.0, 0.0, -3.0]),
        )  # fmt: skip
        self.assertAllEqual(found[:1], [3.0])
        self.assertTrue(np.isnan(found[1:]).all())
