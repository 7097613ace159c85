"""Phases alone: the magnitudes stay, and are those of photographs."""

import numpy as np
import tensorflow as tf

from tfvis import parameterizations, phase_parameterization

_CENTER = np.float32([123, 116, 103])


class PhaseTest(tf.test.TestCase):
    def test_no_step_changes_a_magnitude(self):
        for width in (12, 13):
            magnitude = phase_parameterization.natural_magnitude(3, 10, width)
            written = phase_parameterization.phase((0, 1), _CENTER, magnitude, width)
            steps = np.random.default_rng(0).normal(size=written.start.shape)
            shown = written.image(tf.constant(written.start + steps, tf.float32)) + _CENTER
            waves = np.fft.rfft2(parameterizations.decorrelated(shown.numpy()))
            # float32, through a sigmoid and back.
            self.assertAllClose(np.abs(waves), [magnitude] * 2, rtol=1e-3, atol=1e-2)
            self.assertNotAllClose(shown[0], shown[1], atol=20)

    def test_the_natural_spread(self):
        for spread in (1.0, phase_parameterization.SPREAD):
            magnitude = phase_parameterization.natural_magnitude(3, 24, 32, spread)
            planes = np.fft.irfft2(magnitude, [24, 32])
            self.assertAllClose(planes.std((1, 2)), [spread] * 3, rtol=1e-5)
        # Amplitude falls as frequency grows.
        self.assertAllClose(magnitude[0, 0, 4] / magnitude[0, 0, 8], 2.0, rtol=1e-5)

    def test_a_picture_deviates_as_photographs_do(self):
        magnitude = phase_parameterization.natural_magnitude(3, 96, 96)
        written = phase_parameterization.phase((0, 1, 2, 3), _CENTER, magnitude, 96)
        shown = written.image(tf.constant(written.start)).numpy()
        # Photographs of PACS, by 61 to 63 grey levels; phases by chance differ by some.
        self.assertAllClose(shown.std((1, 2)).mean(), 61, atol=3)

    def test_the_spectrum_of_a_wave(self):
        columns = np.arange(32)
        planes = np.zeros([1, 3, 32, 32], np.float32)
        planes[0, 0] = 0.5 * np.cos(2 * np.pi * 5 * columns / 32)
        picture = parameterizations.displayed(tf.constant(planes)).numpy()[0]
        magnitude = phase_parameterization.mean_magnitude([picture, picture], 32, 32)
        self.assertEqual(np.unravel_index(magnitude[0].argmax(), magnitude[0].shape), (0, 5))
        # Parseval: the three colours have one variance in the mean, and this is all of them.
        energy = 2 * np.square(magnitude[0]).sum() / 32**4
        self.assertAllClose(energy, 3 * phase_parameterization.SPREAD**2, rtol=1e-3)
        self.assertLess(magnitude[1:].max(), 1e-4 * magnitude[0].max())
