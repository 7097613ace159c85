"""Scales, evaluations and what is refused, before a transfer begins."""

import numpy as np
import tensorflow as tf
from absl.testing import parameterized

from tests import nets
from tests.transfers import settings_of, stylized
from tfvis.errors import InputError
from tfvis.style import transfer
from tfvis.style.settings import OPTIMIZERS, RECIPES


class ScheduleTest(tf.test.TestCase, parameterized.TestCase):
    @parameterized.parameters(
        ((100, 120), [(100, 120)]),
        ((181, 181), [(181, 181)]),
        ((182, 182), [(129, 129), (182, 182)]),
        ((256, 256), [(128, 128), (181, 181), (256, 256)]),
        ((512, 512), [(128, 128), (181, 181), (256, 256), (362, 362), (512, 512)]),
        # The side of a square as large counts: 300.
        ((200, 450), [(100, 225), (141, 318), (200, 450)]),
    )
    def test_scales_grow_by_the_root_of_two_from_128(self, size, sizes):
        levels = transfer.schedule(size, transfer.Transfer(evaluations=300))
        self.assertEqual([level.size for level in levels], sizes)
        counts = [180, *[90] * (len(sizes) - 2), 210] if len(sizes) > 1 else [300]
        self.assertEqual([level.evaluations for level in levels], counts)
        # In all, as many as at full size, but for whole pixels.
        pixels = sum(level.evaluations * np.prod(level.size) for level in levels)
        self.assertAllClose(pixels / np.prod(size), 300, rtol=0.01)
        levels = transfer.schedule(size, transfer.Transfer(recipe="gatys", evaluations=300))
        self.assertEqual(levels, [transfer.Level(size, 300)])

    def test_one_evaluation_is_one_at_every_scale(self):
        levels = transfer.schedule((400, 400), transfer.Transfer(evaluations=1))
        self.assertEqual({level.evaluations for level in levels}, {1})

    def test_a_scene_at_another_size_has_its_styles_in_proportion(self):
        scene = transfer.Scene(nets.oblong(40, 60), (nets.oblong(20, 30), nets.oblong(80, 10)))
        smaller = scene.at((20, 30))
        self.assertEqual(smaller.content.shape, (20, 30, 3))
        self.assertEqual([style.shape for style in smaller.styles], [(10, 15, 3), (40, 5, 3)])
        self.assertEqual(smaller.size, (20, 30))
        self.assertIs(scene.at((40, 60)), scene)

    @parameterized.parameters(
        ({"recipe": "best"}, "recipe=best: expected quality, gatys"),
        ({"init": "grey"}, "init=grey: expected content, noise, style"),
        ({"optimizer": "sgd"}, "optimizer=sgd: expected lbfgs, adam"),
        ({"evaluations": 0}, "evaluations=0"),
        ({"ratio": 0.0}, "ratio=0.0"),
        ({"ratio": float("nan")}, "ratio=nan"),
    )
    def test_settings_that_cannot_be_are_refused(self, change, message):
        with self.assertRaisesRegex(InputError, message):
            stylized(settings=transfer.Transfer(**change))

    def test_what_is_left_open_is_chosen(self):
        rates = set()
        for recipe in RECIPES:
            self.assertEqual(transfer.resolved(settings_of(recipe)).optimizer, "lbfgs")
            for optimizer in OPTIMIZERS:
                found = transfer.resolved(settings_of(recipe, optimizer))
                self.assertEqual(found.optimizer, optimizer)
                self.assertNotIn(None, (found.rate, found.tv_weight))
                rates.add(found.rate)
        # Adam has one, L-BFGS one for each recipe.
        self.assertLen(rates, 3)
        given = settings_of("quality", "adam", rate=2.0, tv_weight=0.5)
        self.assertEqual(transfer.resolved(given), given)
