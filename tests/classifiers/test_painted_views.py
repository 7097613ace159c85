"""Training pictures that a transform network has painted, on their way into the trunk."""

import pathlib

import numpy as np
import tensorflow as tf

from tests import nets, stripes
from tests.style.fast.test_checkpoints import saved
from tfvis import images
from tfvis.classifiers import backbone, feature_cache, painted_views, style_pictures
from tfvis.errors import InputError
from tfvis.networks import network
from tfvis.style.fast import checkpoints


class PaintedViewsTest(tf.test.TestCase):
    def setUp(self):
        super().setUp()
        self.folder = saved(pathlib.Path(self.create_tempdir().full_path) / "two")
        for k, name in enumerate(("warm", "cold")):
            images.save_png(self.folder / f"style_{name}.png", nets.picture(32, seed=k))
        self.painter = checkpoints.load(str(self.folder))
        self.parts = backbone.split(network.wrap(stripes.residual()), "block1")
        self.recipe = feature_cache.Recipe(32, 2)

    def _painting(self, recipe=None):
        styles = style_pictures.read(str(self.folder))
        return painted_views.Painting(self.parts, styles, self.painter, 2, recipe or self.recipe)

    def test_maps_are_those_of_painted_pictures(self):
        painting = self._painting()
        pictures = np.stack([nets.picture(32, seed=k) for k in (5, 6)])
        found, mixes = painting.maps(pictures, 1, 4, 0), painting.draw(1, 4, 2)
        taps = self.parts.network.taps(["block1"])
        for picture, mix, maps in zip(pictures, mixes, found, strict=True):
            painted = self.painter.paint(picture, mix)
            expected = taps(painted[None])["block1"][0]
            # Half precision: 11 bits.
            self.assertAllClose(maps, expected, rtol=2e-3, atol=2e-3)
            self.assertNotAllClose(maps, taps(picture[None])["block1"][0], rtol=0.1)

    def test_mixes_are_shares_of_two_styles_at_most(self):
        painting = self._painting()
        mixes = painting.draw(0, 0, 300)
        self.assertAllClose(mixes.sum(1), np.ones(300))
        self.assertAllInRange(mixes.max(1), 0.5, 1.0)
        # Each style is the stronger one in about half of them: 300 draws, three deviations.
        self.assertAllInRange(np.mean(mixes[:, 0] > 0.5), 0.41, 0.59)
        self.assertAllEqual(painting.draw(0, 0, 300), mixes)
        self.assertNotAllEqual(painting.draw(1, 0, 300), mixes)

    def test_other_weights_are_other_views(self):
        before = self._painting().views
        self.assertEqual(self._painting().views, before)
        weight = self.painter.model.trainable_variables[0]
        weight.assign(2 * weight)
        self.assertNotEqual(self._painting().views, before)

    def test_what_cannot_be_is_refused(self):
        with self.assertRaisesRegex(InputError, "size=4: too small to be painted by two"):
            self._painting(feature_cache.Recipe(4, 2))
        (self.folder / "style_cold.png").unlink()
        with self.assertRaisesRegex(InputError, "style_augment=.*style_cold.png is missing"):
            self._painting()


if __name__ == "__main__":
    tf.test.main()
