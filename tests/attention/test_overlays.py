import os
import pathlib

import matplotlib
import numpy as np
import PIL.Image
import tensorflow as tf

from tests import nets
from tfvis.attention import overlays
from tfvis.attention.boxes import Box
from tfvis.errors import InputError


class OverlaysTest(tf.test.TestCase):
    def setUp(self):
        super().setUp()
        self.folder = pathlib.Path(self.create_tempdir().full_path)

    def test_an_overlay_reddens(self):
        picture = np.array([[[51, 102, 153], [255, 0, 204], [51, 102, 153]]], np.float32)
        mask = np.array([[0.2, 0.5, 0]])
        # On a scale of 0..1: (.2, .4, .6), (1, 0, .8).
        want = [[[0.4, 0.2, 0.4], [1, 0, 0.3], [0.2, 0.4, 0.6]]]
        self.assertAllClose(overlays.overlay(picture, mask) / 255, want, atol=1e-6)

    def test_heat_goes_from_grey_to_the_colours(self):
        picture = nets.picture(8)
        values = np.arange(64.0).reshape(8, 8) - 8
        grey = overlays.heat(picture, values, strength=0)
        luma = picture @ np.array([0.299, 0.587, 0.114])
        self.assertAllClose(grey, np.repeat(luma[..., None], 3, -1), atol=1e-3)
        colors = overlays.heat(picture, values, strength=1)
        known = np.array(matplotlib.colormaps["inferno"].colors)
        self.assertAllClose(colors[7, 7] / 255, known[-1], atol=1e-6)
        # What is negative is as nothing.
        self.assertAllClose(colors[0], np.tile(255 * known[0], (8, 1)), atol=1e-3)
        mixed = overlays.heat(picture, values, strength=0.3)
        self.assertAllClose(mixed, 0.7 * grey + 0.3 * colors, atol=1e-3)
        nothing = overlays.heat(picture, np.zeros((8, 8)), strength=1)
        self.assertAllClose(nothing, np.broadcast_to(255 * known[0], (8, 8, 3)), atol=1e-3)

    def test_masks_keep_sixteen_bits(self):
        mask = np.arange(65536).reshape(256, 256)[::-1] / 65535
        path = self.folder / "mask.png"
        overlays.save_mask16(path, mask)
        with PIL.Image.open(path) as image:
            self.assertEqual((image.format, image.size, image.mode), ("PNG", (256, 256), "I;16"))
            self.assertAllEqual(np.asarray(image), np.arange(65536).reshape(256, 256)[::-1])
        # Half a level is 8e-6.
        self.assertAllClose(overlays.read_mask16(path), mask, atol=1e-7, rtol=0)
        dim = 0.003 * mask
        overlays.save_mask16(path, dim.astype(np.float32))
        self.assertAllClose(overlays.read_mask16(path), dim, atol=8e-6, rtol=0)
        self.assertEqual(os.listdir(self.folder), ["mask.png"])

    def test_a_wrong_mask_is_not_written(self):
        for mask in (
            np.full((4, 4), 1.1),
            np.full((4, 4), -0.1),
            np.full((4, 4), np.nan),
            np.ones(4),
        ):
            with self.assertRaisesRegex(InputError, "mask"):
                overlays.save_mask16(self.folder / "mask.png", mask)
        self.assertEqual(os.listdir(self.folder), [])

    def test_boxes_are_drawn_on_their_own_edges(self):
        picture = np.full((60, 80, 3), 100.0)
        drawn = overlays.draw_boxes(picture, [Box(10, 20, 40, 50)], true=[Box(50, 5, 75, 30)])
        for color, (x0, y0, x1, y1) in (
            (overlays.FOUND, (10, 20, 40, 50)),
            (overlays.TRUE, (50, 5, 75, 30)),
        ):
            ys, xs = np.nonzero((drawn == color).all(-1))
            self.assertEqual((xs.min(), ys.min(), xs.max() + 1, ys.max() + 1), (x0, y0, x1, y1))
            # An outline, not a plate.
            middle = drawn[(y0 + y1) // 2, (x0 + x1) // 2]
            self.assertAllEqual(middle, [100, 100, 100])
        self.assertAllEqual(picture, np.full((60, 80, 3), 100))

    def test_labels_stay_in_the_picture(self):
        picture = np.full((80, 120, 3), 200.0)
        inks = []
        for box in (Box(10, 40, 60, 70), Box(100, 1, 119, 79), Box(0, 0, 120, 80)):
            drawn = overlays.draw_boxes(picture, [box], ["violin"])
            # Above the box, beside the edge, or inside: always all of the letters.
            inks.append((drawn < 60).all(-1).sum())
        self.assertAllEqual(inks, inks[:1] * 3)
        self.assertGreater(inks[0], 20)
        bare = overlays.draw_boxes(picture, [box])
        self.assertAllEqual(overlays.draw_boxes(picture, [box], [""]), bare)
        self.assertFalse((bare < 60).all(-1).any())

    def test_boxes_outside_and_thinner_than_a_pixel(self):
        picture = np.full((20, 20, 3), 100.0)
        out = overlays.draw_boxes(picture, [Box(-90, -90, -50, -50)])
        self.assertAllEqual(out, picture)
        thin = overlays.draw_boxes(picture, [Box(5.2, 5, 5.4, 15)])
        self.assertTrue((thin == overlays.FOUND).all(-1).any())

    def test_wrong_input_is_named(self):
        picture, values = np.zeros((4, 4, 3)), np.zeros((4, 4))
        for call, word in (
            (lambda: overlays.overlay(picture, values[:2]), "size"),
            (lambda: overlays.overlay(picture[..., 0], values), "picture"),
            (lambda: overlays.overlay(picture, values * np.nan), "finite"),
            (lambda: overlays.heat(picture, values, strength=2), "strength"),
            (lambda: overlays.draw_boxes(picture, [Box(0, 0, 1, 1)], ["a", "b"]), "labels"),
        ):
            with self.assertRaisesRegex(InputError, word):
                call()
