"""Measures of pictures that need no network, against closed forms."""

import numpy as np
import tensorflow as tf
from absl.testing import parameterized

from tfvis.style import metrics_image


def _random(shape, seed=0):
    return np.random.default_rng(seed).uniform(0, 255, (*shape, 3)).astype(np.float32)


class ImageTest(tf.test.TestCase, parameterized.TestCase):
    @parameterized.parameters((32, 32), (33, 47), (2, 64))
    def test_a_checkerboard_is_all_high_frequency(self, height, width):
        board = 255.0 * (np.indices((height, width)).sum(0) % 2)
        share = metrics_image.high_frequency(np.repeat(board[..., None], 3, -1))
        self.assertGreater(share, 0.99)

    def test_a_gradient_and_a_flat_picture_have_none(self):
        ramp = np.add.outer(np.arange(64.0), 2 * np.arange(48.0))
        self.assertLess(metrics_image.high_frequency(np.repeat(ramp[..., None], 3, -1)), 1e-3)
        self.assertEqual(metrics_image.high_frequency(np.full((9, 9, 3), 127.3)), 0.0)

    def test_white_noise_has_the_area_outside_the_circle(self):
        share = metrics_image.high_frequency(_random((301, 302)))
        # Some 1e4 independent frequencies under the window: good to about a percent.
        self.assertAllClose(share, 1 - np.pi / 16, atol=0.015)

    @parameterized.parameters(
        (0.20, 0.0, 0), (0.30, 0.0, 1), (0.0, -0.2, 0), (0.0, -0.3, 1),
        (0.15, 0.15, 0), (0.2, 0.2, 1), (0.2, -0.2, 1),
    )  # fmt: skip
    def test_the_limit_is_half_the_nyquist_frequency_in_all_directions(self, fy, fx, expected):
        y, x = np.indices((80, 81))
        wave = 100 + 50 * np.cos(2 * np.pi * (fy * y + fx * x) + 1)
        share = metrics_image.high_frequency(np.repeat(wave[..., None], 3, -1))
        # A Hann window's sidelobes fall off as the cube of the distance.
        self.assertAllClose(share, expected, atol=1e-3)

    def test_half_of_the_spectrum_counts_for_all_of_it(self):
        for shape in ((9, 8), (8, 9), (7, 7)):
            image = _random(shape).astype(np.float64)
            luma = image @ [0.299, 0.587, 0.114]
            y, x = (np.sin(np.pi * np.arange(1, n + 1) / (n + 1)) ** 2 for n in shape)
            window = np.outer(y, x)
            luma = (luma - np.average(luma, weights=window)) * window
            power = np.abs(np.fft.fft2(luma)) ** 2
            fy, fx = (np.fft.fftfreq(n) for n in shape)
            high = fy[:, None] ** 2 + fx**2 > 0.25**2
            self.assertAllClose(
                metrics_image.high_frequency(image), power[high].sum() / power.sum(), rtol=1e-9
            )

    def test_saturated_counts_pixels(self):
        image = np.full((4, 5, 3), 100.0)
        image[0, 0] = 255  # All channels: one pixel.
        image[1, 1, 2] = 254.5
        image[2, 2, 0] = 0.5
        image[3, 3, 1] = -3
        image[0, 4] = 0.51, 254.49, 1
        self.assertAllClose(metrics_image.saturated(image), 4 / 20)

    def test_color_cosine(self):
        flat = [np.full((3, 4, 3), level) for level in (10.0, 11.0, 12.0, 255.0, 260.0)]
        # Levels 10 and 11 share a bin, 12 is in the next one; light beyond 255 is 255.
        self.assertAllClose(metrics_image.color_cosine(flat[0], flat[1]), 1.0)
        self.assertAllClose(metrics_image.color_cosine(flat[1], flat[2]), 0.0)
        self.assertAllClose(metrics_image.color_cosine(flat[3], flat[4]), 1.0)
        # So do the last levels: bins are two levels wide all along.
        last = [np.full((2, 2, 3), level) for level in (252.0, 253.9)]
        self.assertAllClose(metrics_image.color_cosine(*last), 1.0)
        half = np.concatenate([flat[0], flat[3]])
        self.assertAllClose(metrics_image.color_cosine(half, flat[0]), 0.5**0.5)
        one_channel = flat[0].copy()
        one_channel[..., 1] = 99
        self.assertAllClose(metrics_image.color_cosine(one_channel, flat[0]), 2 / 3)
