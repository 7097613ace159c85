"""Colours kept: moments after a map, against closed forms."""

import numpy as np
import scipy.linalg
import tensorflow as tf
from absl.testing import parameterized

from tfvis.style import color


def _colors(seed: int, mean, spread: float, size=(24, 17)) -> np.ndarray:
    """Correlated colours around a mean, uniform and so bounded, far from 0 and 255."""
    generator = np.random.default_rng(seed)
    mix = np.eye(3) + 0.4 * generator.uniform(-1, 1, (3, 3))
    colors = np.asarray(mean) + spread * generator.uniform(-1, 1, (*size, 3)) @ mix.T
    return colors.astype(np.float32)


def _covariance(image) -> np.ndarray:
    return np.cov(np.asarray(image, np.float64).reshape(-1, 3).T, bias=True)


def _positive(seed: int) -> np.ndarray:
    factor = np.random.default_rng(seed).normal(size=(3, 3))
    return factor @ factor.T + 0.1 * np.eye(3)


class MatchTest(tf.test.TestCase, parameterized.TestCase):
    def test_mean_and_covariance_are_the_references(self):
        image = _colors(0, (120, 90, 140), 40)
        reference = _colors(1, (130, 140, 110), 25, (9, 31))
        self.assertNotAllClose(_covariance(image), _covariance(reference), rtol=0.2)
        matched = color.match(image, reference, eps=1e-12)
        self.assertEqual((matched.dtype, matched.shape), (np.float32, image.shape))
        # None was clipped, or the moments would not be exact.
        self.assertBetween(matched.min(), 1, 254)
        self.assertBetween(matched.max(), 1, 254)
        # float32 rounds to 1e-5 levels.
        self.assertAllClose(matched.mean((0, 1), np.float64), reference.mean((0, 1)), atol=1e-3)
        self.assertAllClose(_covariance(matched), _covariance(reference), rtol=1e-4, atol=1e-3)

    def test_the_default_epsilon_hardly_shows(self):
        image, reference = _colors(0, (120, 90, 140), 40), _colors(1, (130, 140, 110), 25)
        matched = color.match(image, reference)
        # C' = C + eps (I - A A^T), 255^2 eps = 0.65 of variances of some hundreds.
        self.assertAllClose(_covariance(matched), _covariance(reference), atol=0.65)
        self.assertNotAllClose(_covariance(matched), _covariance(reference), atol=1e-3)

    def test_an_image_matches_itself(self):
        image = _colors(2, (128, 128, 128), 50)
        self.assertAllClose(color.match(image, image), image, atol=1e-3)

    @parameterized.parameters(1e-5, 0.0)
    def test_grey_and_constant_images_stay_finite(self, eps):
        colorful = _colors(3, (120, 130, 125), 50)
        grey = np.repeat(colorful[..., :1], 3, -1)
        constant = np.full((8, 8, 3), (10.0, 200.0, 33.0), np.float32)
        for image in (colorful, grey, constant):
            for reference in (colorful, grey, constant):
                matched = color.match(image, reference, eps)
                self.assertAllInRange(matched, 0, 255)
        # What has no variation gets the mean colour, whatever the reference's variation.
        mean = np.broadcast_to(colorful.mean((0, 1)), constant.shape)
        self.assertAllClose(color.match(constant, colorful, eps), mean, atol=0.01)
        black = np.zeros((4, 4, 3), np.float32)
        self.assertAllClose(color.match(black, black, eps), black, atol=0.01)

    def test_results_are_clipped(self):
        wide = np.tile(np.float32([[[0], [255]]]), (4, 4, 3))
        # Three quarters white: matching the even distribution's variance has to leave 0..255.
        image = np.full((4, 4, 3), 255, np.float32)
        image[0] = 0
        matched = color.match(image, wide)
        self.assertAllInRange(matched, 0, 255)
        self.assertAllEqual(matched[0], np.zeros((4, 3)))


class MatrixTest(tf.test.TestCase, parameterized.TestCase):
    def test_maps_one_covariance_to_the_other(self):
        for seed in range(5):
            have, wanted = _positive(seed), _positive(seed + 50)
            a = color.matrix(have, wanted)
            self.assertAllClose(a @ have @ a.T, wanted, rtol=1e-9, atol=1e-9)

    def test_against_scipys_roots(self):
        have, wanted = _positive(1), _positive(2)
        root = scipy.linalg.sqrtm(have)
        inner = scipy.linalg.sqrtm(root @ wanted @ root)
        sym = np.linalg.solve(root, inner) @ np.linalg.inv(root)
        self.assertAllClose(color.matrix(have, wanted), sym, rtol=1e-8, atol=1e-8)

    def test_sym_is_symmetric_positive_and_moves_least(self):
        for seed in range(5):
            have, wanted = _positive(seed), _positive(seed + 50)
            a = color.matrix(have, wanted)
            self.assertAllClose(a, a.T, rtol=1e-9, atol=1e-9)
            self.assertAllGreater(np.linalg.eigvalsh(a), 0)
            # E |A x - x|^2 = tr (A - I) C (A - I)^T; the least is known in closed form
            # (Wasserstein distance of two Gaussians).
            root = scipy.linalg.sqrtm(have)
            least = np.trace(have + wanted - 2 * scipy.linalg.sqrtm(root @ wanted @ root))
            moved = np.trace((a - np.eye(3)) @ have @ (a - np.eye(3)).T)
            self.assertAllClose(moved, least, rtol=1e-8)


class LuminanceTest(tf.test.TestCase):
    def test_luminance(self):
        levels = np.float32([[[255, 0, 0], [0, 255, 0]], [[0, 0, 255], [10, 10, 10]]])
        expected = np.float32([[76.245, 149.685], [29.07, 10]])
        self.assertAllClose(
            color.luminance(levels), np.repeat(expected[..., None], 3, -1), rtol=1e-6
        )
        self.assertEqual(color.luminance(levels).dtype, np.float32)

    def test_match_luminance_has_the_contents_mean_and_contrast(self):
        style = color.luminance(_colors(0, (60, 70, 80), 20))
        content = color.luminance(_colors(1, (160, 150, 140), 60, (30, 11)))
        matched = color.match_luminance(style, content)
        # float32 rounds to 1e-5 levels.
        self.assertAllClose(matched.mean(dtype=np.float64), content.mean(), atol=1e-3)
        self.assertAllClose(matched.std(dtype=np.float64), content.std(), atol=1e-3)
        # Shifted and scaled, nothing else: a line through all points, rising.
        slope, offset = np.polyfit(style.ravel(), matched.ravel(), 1)
        self.assertAllClose(slope * style + offset, matched, atol=1e-2)
        self.assertGreater(slope, 1)

    def test_a_style_without_contrast(self):
        content = color.luminance(_colors(1, (160, 150, 140), 60))
        mean = np.full((64, 48, 3), content.mean())
        flat = np.full((64, 48, 3), 100.1, np.float32)
        self.assertAllClose(color.match_luminance(flat, content), mean, atol=1e-3)
        # A resized flat picture has the contrast of its rounding, 1e-5 levels: a hundredth of
        # the floor, so that it gets a hundredth of the content's.
        rounded = flat + np.random.default_rng(0).choice(np.float32([-1e-5, 1e-5]), flat.shape)
        self.assertGreater(rounded.std(dtype=np.float64), 0)
        self.assertAllClose(color.match_luminance(rounded, content), mean, atol=1)

    def test_luminance_round_trip(self):
        content, result = _colors(4, (120, 130, 125), 15), _colors(5, (140, 120, 130), 30)
        both = color.with_luminance_of(content, result)
        self.assertBetween(both.min(), 1, 254)
        self.assertBetween(both.max(), 1, 254)
        # float32 rounds to 1e-5 levels.
        self.assertAllClose(color.luminance(both), color.luminance(result), rtol=0, atol=1e-4)
        # U and V, 0.492 (B - Y) and 0.877 (R - Y) to three digits, are the content's.
        for name, weights in (("U", (-0.147, -0.288, 0.436)), ("V", (0.615, -0.515, -0.1))):
            self.assertAllClose(both @ weights, content @ weights, rtol=0, atol=1e-3, msg=name)
        self.assertAllClose(color.with_luminance_of(content, content), content, atol=1e-4)

    def test_results_are_clipped(self):
        blue = np.full((2, 2, 3), (0, 0, 255), np.float32)
        white = np.full((2, 2, 3), 255, np.float32)
        self.assertAllInRange(color.with_luminance_of(blue, white), 0, 255)
