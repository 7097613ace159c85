"""Sketches: what they make small, of pictures of any shape, without another trace."""

from unittest import mock

import numpy as np
import tensorflow as tf

from tests import nets
from tests.transfers import LAYERS, settings_of
from tfvis import images
from tfvis.errors import InputError
from tfvis.style import sketches, targets, transfer
from tfvis.style.transfer import Scene


class SketchesTest(tf.test.TestCase):
    def setUp(self):
        super().setUp()
        self.net = nets.wrapped(variant=("avg", "post"))
        self.settings = transfer.resolved(settings_of("quality"))
        self.enterContext(mock.patch.object(sketches, "SCALES", ((32, 9), (48, 6))))

    def _scene(self, height: int, width: int) -> Scene:
        styles = (nets.oblong(70, 60, seed=7), nets.oblong(50, 90, seed=8))
        return Scene(nets.oblong(height, width), styles, (1.0, 3.0))

    def _apart(self, picture: np.ndarray, scene: Scene) -> float:
        """Returns how far Gram matrices are from the blend's, as a share of its own."""
        taps, apart = self.net.taps(LAYERS), []

        def grams(one):
            moments = targets.sums(taps(tf.constant(one[None])), empty).style
            return [moments[layer].second.numpy() for layer in LAYERS]

        empty = targets.Goal({}, {layer: targets.Target(None, None) for layer in LAYERS})
        scaled = sketches._at(scene, 48)
        first, second = (grams(style) for style in scaled.styles)
        for found, one, other in zip(grams(picture), first, second, strict=True):
            wanted = 0.25 * one + 0.75 * other
            apart.append(np.square(found - wanted).sum() / np.square(wanted).sum())
        return float(np.mean(apart))

    def test_it_comes_near_the_styles_whatever_the_shape(self):
        sketcher = sketches.Sketcher(self.net, self.settings)
        for height, width in ((90, 120), (150, 60)):
            scene = self._scene(height, width)
            steps = list(sketcher.sketch(scene, 1e3))
            self.assertEqual([done for done, _ in steps], [8, 9, 15])
            picture = steps[-1][1]
            self.assertEqual(picture.shape[:2], images.sides_of_area(height, width, 48))
            start = sketches._colored(sketches._at(scene, 48))
            self.assertLess(self._apart(picture, scene), 0.5 * self._apart(start, scene))
            # Less strength keeps more of the content.
            *_, (_, weak) = sketcher.sketch(scene, 1.0)
            content = sketches._at(scene, 48).content
            self.assertLess(*(np.abs(one - content).mean() for one in (weak, picture)))

    def test_it_begins_in_the_colours_of_the_styles(self):
        scene = self._scene(90, 120)
        found = sketches._colored(scene).mean((0, 1))
        wanted = np.average([style.mean((0, 1)) for style in scene.styles], 0, scene.weights)
        # Colours that leave 0..255 are clipped.
        self.assertAllClose(found, wanted, atol=8)

    def test_what_has_no_energy_is_refused(self):
        sketcher = sketches.Sketcher(self.net, self.settings)
        with self.assertRaisesRegex(InputError, "lost its way"):
            list(sketcher.sketch(self._scene(90, 120), float("nan")))


if __name__ == "__main__":
    tf.test.main()
