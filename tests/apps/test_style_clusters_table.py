"""The table of clusters of styles, and the manners of drawing that it draws in."""

import contextlib
import io
import pathlib

import numpy as np
import tensorflow as tf

from apps.benchmarks import painting_manners, style_clusters
from tests import nets
from tfvis import images
from tfvis.errors import InputError
from tfvis.experiments import folders


class StyleClustersTableTest(tf.test.TestCase):
    def setUp(self):
        super().setUp()
        self.folder = pathlib.Path(self.create_tempdir().full_path)
        (self.folder / "photographs").mkdir()
        for k in range(3):
            images.save_png(self.folder / f"photographs/{k}.png", nets.oblong(48, 60, seed=k))

    def test_every_manner_draws_what_is_there_in_its_own_way(self):
        dark, bright = nets.picture(64) * 0.4, nets.picture(64)
        for manner in painting_manners.MANNERS:
            made = painting_manners.drawn(bright, manner, 1)
            self.assertEqual((made.shape, made.dtype), ((64, 64, 3), np.float32))
            self.assertBetween(float(made.min()), 0, 255)
            self.assertGreater(made.std(), 5)
            self.assertAllEqual(painting_manners.drawn(bright, manner, 1), made)
            other = painting_manners.drawn(nets.picture(64, seed=3), manner, 1)
            self.assertGreater(np.abs(other - made).mean(), 1, manner.__name__)
            # Of one colour there is nothing to stretch, and no failure.
            self.assertAllGreaterEqual(painting_manners.drawn(0 * dark + 90, manner, 0), 0)

    def test_the_table(self):
        found = folders.find(self.folder / "photographs", "images")
        pictures = style_clusters.drawings(found, 3, 40, self.folder)
        self.assertLen(pictures[1], 48)
        said = io.StringIO()
        with contextlib.redirect_stdout(said):
            style_clusters.table_style_clusters(nets.wrapped(), pictures, 40, self.folder)
        lines = said.getvalue().splitlines()
        self.assertEqual(lines[0], "48 pictures of 16 styles, 40 px")
        self.assertLen(lines, 2 + 2 * (4 + 2 + 2 + 1) + 2)
        # Layers so small are kept whole.
        self.assertIn("are 0.00% off on average, 0.00% at most", lines[-1])

    def test_folders_as_styles(self):
        place = str(self.folder / "photographs")
        found, styles = style_clusters.of_folders([place, place], 2)
        self.assertLen(found.paths, 2)
        self.assertEqual(set(styles.values()), {place})
        with self.assertRaisesRegex(InputError, "two or more folders"):
            style_clusters.of_folders([place], 2)
        with self.assertRaisesRegex(InputError, "name a folder"):
            style_clusters.drawings(None, 2, 40, self.folder)


if __name__ == "__main__":
    tf.test.main()
