"""The table of charts and backdrops: its photographs are as they say, its shares are counted."""

import csv
import pathlib

import numpy as np
import tensorflow as tf

from apps.benchmarks import borders, museum_photographs
from tests import nets
from tfvis import images


class MuseumPhotographsTest(tf.test.TestCase):
    def test_everything_lies_where_it_is_said_to(self):
        red = np.zeros((60, 80, 3), np.float32) + np.float32([200, 30, 40])
        seen, tilted = set(), 0
        for seed in range(8):
            scene = museum_photographs.scene(red, seed)
            x0, y0, x1, y1 = scene.object
            height, width = scene.pixels.shape[:2]
            self.assertTrue(0 <= x0 < x1 <= width and 0 <= y0 < y1 <= height)
            # JPEG and blur change colours by the edge; red is no backdrop's and few patches'.
            is_red = np.abs(scene.pixels - red[0, 0]).max(-1) < 40
            ys, xs = np.nonzero(is_red & ~scene.instruments.any(0))
            self.assertAllClose((xs.min(), ys.min(), xs.max() + 1, ys.max() + 1), scene.object,
                                atol=2)  # fmt: skip
            for where in scene.instruments:
                self.assertGreater(where.sum(), 1000)
                # Beside the object, never on it.
                self.assertFalse(where[y0:y1, x0:x1].any())
            seen.add(scene.backdrop)
            tilted += bool(scene.tilt)
        self.assertEqual(seen, set(museum_photographs.BACKDROPS))
        self.assertBetween(tilted, 1, 7)
        again = museum_photographs.scene(red, 7)
        self.assertAllEqual(again.pixels, scene.pixels)

    def test_shares_of_a_rule_that_knows_and_of_one_that_does_nothing(self):
        folder = pathlib.Path(self.create_tempdir().full_path)
        images.save_png(folder / "a.png", nets.picture(64))
        rules = {"nothing": lambda pixels: (0, 0, pixels.shape[1], pixels.shape[0])}
        found = [one for _, one in borders.outcomes([folder / "a.png"], 3, rules)]
        self.assertTrue(all(one.kept == 1 and min(one.left) == 1 for one in found))
        said = borders.lines("nothing", found, [True, False])
        self.assertIn("object kept in 100.0% of 3 photographs, 50.0% of 2 plain", said[0])
        self.assertIn("along the edge, off in: all 0%", said[1])

    def test_the_simpler_rule(self):
        page = np.full((200, 300, 3), 120.0, np.float32)
        page[50:150, 60:200], page[10:30, 60:200] = 240, 20
        self.assertAllClose(borders.flooded(page), (60, 50, 200, 150), atol=2)
        noise = np.random.default_rng(0).uniform(0, 255, (100, 120, 3))
        self.assertEqual(borders.flooded(noise), (0, 0, 120, 100))

    def test_the_table(self):
        folder = pathlib.Path(self.create_tempdir().full_path)
        images.save_png(folder / "a.png", nets.picture(64))
        borders.table_borders([folder / "a.png"], 2, folder / "b.csv")
        rows = list(csv.DictReader((folder / "b.csv").read_text().splitlines()))
        self.assertEqual({row["rule"] for row in rows}, {"crop_borders", "flood"})
        self.assertTrue(all(0 <= float(row["kept"]) <= 1 for row in rows))


if __name__ == "__main__":
    tf.test.main()
