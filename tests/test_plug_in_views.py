"""Plug-in views: what colours they shift, which waves they let through, and until when."""

import numpy as np
import tensorflow as tf

from tfvis import plug_in_views
from tfvis.plug_in_views import PlugIn

_SEEDS = tf.constant([3, 8])


class PlugInTest(tf.test.TestCase):
    def _seen(self, images, step, seeds=_SEEDS, **way):
        by = PlugIn(**{"steps": 40} | way)
        return plug_in_views.view(tf.constant(images), seeds, tf.constant(step), by).numpy()

    def test_colours_are_shifted_within_their_range_and_anew_at_every_step(self):
        images = np.random.default_rng(0).normal(0, 40, (2, 8, 9, 3)).astype(np.float32)
        gains, shifts = [], []
        for step in range(20, 40):
            seen = self._seen(images, step)
            for k in range(2):
                for c in range(3):
                    fit = np.polyfit(images[k, ..., c].ravel(), seen[k, ..., c].ravel(), 1)
                    self.assertAllClose(np.polyval(fit, images[k, ..., c]), seen[k, ..., c],
                                        atol=0.05)  # fmt: skip
                    gains.append(np.log(fit[0]))
                    shifts.append(fit[1] / 58)
        for drawn in (gains, shifts):
            self.assertAllInRange(np.array(drawn), -1.001, 1.001)
            # 120 draws of U(-1, 1): deviation 0.58, four errors of the mean 0.21.
            self.assertAllClose(np.mean(drawn), 0, atol=0.21)
            self.assertGreater(np.std(drawn), 0.45)
        self.assertAllEqual(self._seen(images, 30), self._seen(images, 30))
        alone = self._seen(images[1:], 30, seeds=_SEEDS[1:])
        self.assertAllClose(alone[0], self._seen(images, 30)[1], atol=1e-4)

    def test_waves_open_from_coarse_to_fine(self):
        columns = np.arange(64, dtype=np.float32)
        slow, fast = (np.cos(2 * np.pi * n * columns / 64) for n in (2, 20))
        images = np.zeros((1, 64, 64, 1), np.float32) + (slow + fast)[:, None]
        sizes = []
        for step in (0, 10, 20):
            seen = self._seen(images, step, seeds=_SEEDS[:1], gain=0, shift=0)[0, 0, :, 0]
            waves = np.abs(np.fft.rfft(seen)) / 32
            sizes.append((waves[2], waves[20]))
        # Butterworth's filter of order 8 passes a half at its edge: at wave 4, 11.3, and all.
        expected = [
            (1 / (1 + (2 / 4) ** 8), 1 / (1 + (20 / 4) ** 8)),
            (1 / (1 + (2 / 128**0.5) ** 8), 1 / (1 + (20 / 128**0.5) ** 8)),
            (1, 1),
        ]
        self.assertAllClose(sizes, expected, atol=1e-4)

    def test_the_last_steps_see_the_image_as_it_is(self):
        images = np.random.default_rng(0).normal(0, 40, (2, 8, 9, 3)).astype(np.float32)
        self.assertAllEqual(self._seen(images, 40), images)
        self.assertNotAllClose(self._seen(images, 39), images, atol=5)


if __name__ == "__main__":
    tf.test.main()
