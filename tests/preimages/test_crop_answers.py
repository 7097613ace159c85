"""What pictures larger than what a network is shown get from units, and where."""

import numpy as np
import tensorflow as tf

from tests import nets
from tfvis import objectives, preimages
from tfvis.objectives import parsing
from tfvis.preimages import activation_maximization, crop_answers
from tfvis.transforms import Crops


class CropAnswersTest(tf.test.TestCase):
    def setUp(self):
        super().setUp()
        self.net = nets.wrapped()
        self.unit = parsing.parse("block2_conv1:4", self.net, argument="objective")[0]
        # Grey, but for one square of noise.
        generator = np.random.default_rng(0)
        self.page = np.full((32, 32, 3), 127.5, np.float32)
        self.page[18:26, 6:14] = generator.uniform(0, 255, (8, 8, 3))

    def test_crops_look_everywhere(self):
        counted = np.zeros((32, 33))
        places = np.arange(32 * 33, dtype=np.float32).reshape(1, 32, 33, 1)
        for (top, left), crop in crop_answers.crops(places, (16, 12)):
            self.assertAllEqual(crop[0, ..., 0], places[0, top : top + 16, left : left + 12, 0])
            counted[top : top + 16, left : left + 12] += 1
        self.assertGreaterEqual(counted.min(), 1)
        ((corner, whole),) = crop_answers.crops(places, (32, 33))
        self.assertEqual(corner, (0, 0))
        self.assertAllEqual(whole, places)

    def test_the_most_counts_wherever_it_is(self):
        middle = activation_maximization.unit(self.net, "block2_conv1", [4], (16, 16))
        taps = self.net.taps(["block2_conv1"])

        def answer(page):
            return crop_answers.answers(self.net, middle, page[None], (16, 16), [self.unit])

        whole = taps(self.page[None])["block2_conv1"].numpy()[0, ..., 4]
        # The noise lies within a crop, whose border no unit that sees it sees.
        self.assertAllClose(answer(self.page), [whole.max()], rtol=1e-5)
        self.assertAllClose(answer(np.roll(self.page, -8, 0)), [whole.max()], rtol=1e-5)
        # What the network is shown whole answers as ever.
        shown = self.page[10:26, 2:18]
        own = middle(taps(shown[None]))
        self.assertAllClose(answer(shown), own)
        self.assertLess(own[0], whole.max())

    def test_the_best_crop_has_it_in_the_middle(self):
        best = crop_answers.best(self.net, self.unit, self.page, (16, 16))
        middle = activation_maximization.unit(self.net, "block2_conv1", [4], (16, 16))
        taps = self.net.taps(["block2_conv1"])
        most = taps(self.page[None])["block2_conv1"].numpy()[0, ..., 4].max()
        self.assertAllClose(middle(taps(best[None])), [most], rtol=1e-5)
        self.assertIs(crop_answers.best(self.net, self.unit, best, (16, 16)), best)

    def test_means_are_of_all_crops(self):
        mean = objectives.channel_mean("block2_conv1", [4])
        found = crop_answers.answers(
            self.net, mean, self.page[None], (16, 16), [self.unit], everywhere=True
        )
        taps = self.net.taps(["block2_conv1"])
        crops = [crop for _, crop in crop_answers.crops(self.page[None], (16, 16))]
        expected = np.mean([mean(taps(crop)) for crop in crops])
        self.assertAllClose(found, [expected], rtol=1e-5)

    def test_of_classes_and_places_the_best_crop_counts(self):
        for word in ("block2_conv1:4@2x3", "logits:1"):
            (unit,) = parsing.parse(word, self.net, argument="objective")
            objective = activation_maximization.unit(
                self.net, unit.layer, [unit.channel], (16, 16), [unit.position]
            )
            taps = self.net.taps([unit.layer])
            crops = [crop for _, crop in crop_answers.crops(self.page[None], (16, 16))]
            expected = np.max([objective(taps(crop)) for crop in crops], 0)
            for everywhere in (False, True):
                found = crop_answers.answers(
                    self.net, objective, self.page[None], (16, 16), [unit], everywhere
                )
                self.assertAllClose(found, expected, rtol=1e-5)


class FullFrameTest(tf.test.TestCase):
    def test_all_of_the_picture_is_sought(self):
        net = nets.wrapped()
        objective = 100 * objectives.neuron("block2_conv1", 4)
        shares = {}
        for wander in (0.05, 0.5):
            settings = preimages.Maximization(
                steps=60, parameterization="phase", crops=Crops(wander=wander)
            )
            runs = activation_maximization.iterate(net, objective, size=(16, 16), settings=settings)
            (importance,) = list(runs)[-1].importance
            self.assertEqual(importance.shape, (32, 32))
            inside = importance[8:-8, 8:-8].sum() / importance.sum()
            shares[wander] = inside
        # A quarter of the picture is its middle. The crops of 60 steps are not quite even.
        self.assertLess(shares[0.5], 0.4)
        self.assertGreater(shares[0.05], 0.7)

    def test_several_crops_a_step_are_a_mean(self):
        net, unit = nets.wrapped(), objectives.neuron("block2_conv1", [4, 2], 4, 4)
        views = tf.constant(np.stack([nets.picture(16, seed=k) for k in range(6)]))
        taps = net.taps(unit.layers)
        expected = np.mean([unit(taps(views[k : k + 2])) for k in (0, 2, 4)], 0)
        self.assertAllClose(objectives.mean_over_views(unit, 3)(taps(views)), expected, rtol=1e-5)
        settings = preimages.Maximization(
            steps=20, parameterization="phase", crops=Crops(count=3), transparency=True
        )
        way = activation_maximization.descending(net, unit, (16, 16), (0, 1), settings)
        *_, last = way.compiled.run(way.stages, way.start)
        self.assertAllEqual(way.importance(last.state).shape, [2, 32, 32])
        self.assertEqual(way.compiled.traces, 1)
