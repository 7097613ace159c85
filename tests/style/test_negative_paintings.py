"""Photographs as subjects: strokes run along edges, tones are the photograph's own."""

import numpy as np
import tensorflow as tf

from tools import negative_paintings, painting


class PhotographTest(tf.test.TestCase):
    def test_strokes_follow_edges(self):
        # Bands across: edges run along x whichever side of them is bright.
        rows = np.sin(np.arange(64) / 3)[:, None, None]
        pixels = np.broadcast_to(128 + 100 * rows, (64, 64, 3)).astype(np.float32)
        subject, _ = negative_paintings.photograph(pixels)
        points = np.random.default_rng(0).uniform(0.1, 0.9, (50, 2))
        self.assertAllClose(np.abs(subject.direction(points)), np.tile([0, 1], (50, 1)), atol=1e-3)
        turned, _ = negative_paintings.photograph(pixels.transpose(1, 0, 2))
        self.assertAllClose(np.abs(turned.direction(points)), np.tile([1, 0], (50, 1)), atol=1e-3)

    def test_what_is_dark_is_painted_dark_in_its_own_colours(self):
        pixels = np.zeros((64, 64, 3), np.float32)
        pixels[:, :32] = (30, 10, 60)
        pixels[:, 32:] = (200, 220, 180)
        subject, palette = negative_paintings.photograph(pixels)
        # The ninth in the middle holds both halves.
        self.assertAllClose(palette[0], (30, 10, 60))
        self.assertAllClose(palette[-1], (200, 220, 180))
        made = painting.paint(64, 3, subject, palette)
        # Strokes wander into their neighbours (170 levels away), and light lies on them.
        self.assertAllClose(made[:, 4:24].mean((0, 1)), (30, 10, 60), atol=40)
        self.assertAllClose(made[:, 40:60].mean((0, 1)), (200, 220, 180), atol=40)


if __name__ == "__main__":
    tf.test.main()
