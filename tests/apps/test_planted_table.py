"""Units that are planted in a network are named where their pattern is, and not elsewhere."""

import pathlib

import numpy as np
import tensorflow as tf

from apps.benchmarks import planted_units
from tests import nets
from tfvis import images
from tfvis.errors import InputError


class PlantedTest(tf.test.TestCase):
    def test_named_where_the_pattern_is_and_not_elsewhere(self):
        place = pathlib.Path(self.create_tempdir().full_path)
        for name, photograph in zip("ab", images.demo_set(), strict=True):
            for k in range(6):
                cut = photograph[k // 3 * 200 :, k % 3 * 200 :][:224, :224]
                images.save_png(place / f"photographs/{name}{k}.png", cut)
        found = planted_units.trials(place / "photographs", place / "out", 5, seed=0)
        first = np.array([one.places for one in found]) == 1
        self.assertAllEqual(first.all(0), [True, False, False])
        self.assertLess(first[:, 2].sum(), 2)

    def test_too_few_photographs(self):
        place = pathlib.Path(self.create_tempdir().full_path)
        for k in range(7):
            images.save_png(place / f"photographs/{k}.png", nets.picture(32, seed=k))
        with self.assertRaisesRegex(InputError, "images=.*eight photographs"):
            planted_units.trials(place / "photographs", place / "out", 2, seed=0)


if __name__ == "__main__":
    tf.test.main()
