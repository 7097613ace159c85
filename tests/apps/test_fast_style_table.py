"""What the table of networks that paint measures."""

import numpy as np
import tensorflow as tf

from apps.benchmarks import fast_style
from tests import nets


class _Painter:
    """Paints what it is told to."""

    def __init__(self, painted):
        self._painted = painted

    def paint(self, picture, mix):
        del mix
        return self._painted(picture)


class FastStyleTableTest(tf.test.TestCase):
    def test_a_checkerboard_is_a_peak_and_a_photograph_has_none(self):
        smooth = nets.picture(64)
        rows, columns = np.mgrid[:64, :64]
        for board in ((rows + columns) % 2, rows % 2, columns % 2):
            self.assertGreater(fast_style.nyquist(smooth + 8.0 * board[..., None]), 5)
        # White noise is flat.
        noise = np.random.default_rng(0).normal(128, 30, (128, 128, 3))
        self.assertAllClose(fast_style.nyquist(noise), 1.0, atol=0.2)
        self.assertLess(fast_style.nyquist(smooth), 1.0)

    def test_flicker_is_what_is_left_of_the_change_without_the_pan(self):
        picture, pattern = nets.picture(32), np.float32([0, 10] * 16)[:31, None]
        own = np.sqrt(np.mean(np.square(picture[:, 1:] - picture[:, :-1])))
        for painted, change, flicker in (
            (lambda frame: frame, 1.0, 0.0), (lambda frame: 3 * frame, 3.0, 0.0),
            (lambda frame: 0 * frame, 0.0, 0.0),
            # Marks that stay where they are in the frame.
            (lambda frame: 0 * frame + pattern, 0.0, 10 / own),
        ):  # fmt: skip
            found = fast_style.flicker(_Painter(painted), picture, None)
            self.assertAllClose(found, (change, flicker), rtol=1e-5, atol=1e-6)


if __name__ == "__main__":
    tf.test.main()
