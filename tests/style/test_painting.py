"""The painting of the demo: strokes along a flow, few colours, the same every time."""

import itertools
from unittest import mock

import numpy as np
import scipy.ndimage
import tensorflow as tf
from absl.testing import parameterized

from tfvis import images
from tfvis.errors import InputError
from tfvis.style.painting import shipped
from tools import painting
from tools.painted_flow import scene

SIZE = 96


def places(size: int) -> np.ndarray:
    """Pixel centres as (y, x) in 0..1: [size, size, 2]."""
    ticks = (np.arange(size) + 0.5) / size
    return np.stack(np.meshgrid(ticks, ticks, indexing="ij"), -1)


def agreement(picture: np.ndarray, flow: np.ndarray) -> float:
    """Mean cos(2 angle) between the texture and the flow: 1 along it, 0 by chance, -1 across.

    The texture runs across the gradient that a structure tensor finds; places count by how
    clearly they have a direction, |eigenvalue difference|.
    """
    grey = picture @ np.asarray(images.LUMA)
    dy, dx = (scipy.ndimage.gaussian_filter(grey, 0.7, order=order) for order in [(1, 0), (0, 1)])
    yy, xx, xy = (scipy.ndimage.gaussian_filter(p, 2.0) for p in (dy * dy, dx * dx, dy * dx))
    # The doubled angle of the gradient is that of (xx - yy, 2 xy); across it, of its negative.
    flow_y, flow_x = flow[..., 0], flow[..., 1]
    cosine = -((xx - yy) * (flow_x**2 - flow_y**2) + 2 * xy * 2 * flow_x * flow_y)
    return cosine.sum() / np.hypot(xx - yy, 2 * xy).sum()


class PaintTest(tf.test.TestCase, parameterized.TestCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.picture = painting.paint(SIZE, seed=0)

    def test_is_an_image_of_the_library(self):
        self.assertEqual(self.picture.shape, (SIZE, SIZE, 3))
        self.assertEqual(self.picture.dtype, np.float32)
        self.assertAllInRange(self.picture, 0, 255)

    def test_same_seed_same_picture(self):
        np.random.seed(7)  # The global generator must not matter.
        self.assertAllEqual(painting.paint(SIZE, seed=0), self.picture)

    def test_other_seed_other_picture(self):
        other = painting.paint(SIZE, seed=1)
        # Two unrelated pictures of this contrast differ by some tens of levels.
        self.assertGreater(np.abs(other - self.picture).mean(), 30)

    def test_paint_covers_the_canvas(self):
        # On another ground the same strokes show another picture exactly where it is bare.
        with mock.patch.object(painting, "GROUND", np.array((255, 0, 255), np.float32)):
            other = painting.paint(SIZE, seed=0)
        bare = np.abs(other - self.picture).max(-1) > 2
        self.assertLess(bare.mean(), 0.002)

    def test_without_broad_strokes_ground_shows(self):
        # So that the test above can fail: the finest brush alone leaves ground.
        with mock.patch.object(painting, "BRUSHES", painting.BRUSHES[-1:]):
            plain = painting.paint(32, seed=0)
            with mock.patch.object(painting, "GROUND", np.array((255, 0, 255), np.float32)):
                other = painting.paint(32, seed=0)
        self.assertGreater((np.abs(other - plain).max(-1) > 2).mean(), 0.2)

    def test_colors_are_those_of_the_palette(self):
        # A brush holds two neighbouring colours, or crimson and ochre, and mixes them.
        pairs = [*itertools.pairwise(painting.PALETTE), (painting.CRIMSON, painting.PALETTE[-1])]
        colors = np.array([(1 - m) * a + m * b for a, b in pairs for m in (0, 0.5, 1)])
        # Light and shade make a colour lighter and darker.
        shades = (np.linspace(0.6, 1.4, 9)[:, None, None] * colors).reshape(-1, 3)

        def near(pixels):
            distances = np.linalg.norm(pixels[:, None] - shades, axis=-1).min(1)
            return (distances < 30).mean()  # The longest way through the cube is 442.

        self.assertGreater(near(self.picture.reshape(-1, 3)), 0.9)
        anything = np.random.default_rng(0).uniform(0, 255, (2000, 3))
        self.assertLess(near(anything), 0.4)

    def test_cold_and_warm_both_have_their_place(self):
        red, _, blue = np.moveaxis(self.picture, -1, 0)
        self.assertGreater((blue > red + 30).mean(), 0.3)
        self.assertGreater((red > blue + 30).mean(), 0.05)

    @parameterized.parameters(0, 1)
    def test_strokes_follow_the_flow(self, seed):
        picture = self.picture if seed == 0 else painting.paint(SIZE, seed)
        self.assertGreater(agreement(picture, scene(seed).direction(places(SIZE))), 0.75)
        # The flows of other seeds are unrelated: that is chance.
        others = [agreement(picture, scene(s).direction(places(SIZE))) for s in range(10, 18)]
        self.assertLess(np.abs(np.mean(others)), 0.2)

    def test_structure_at_every_scale(self):
        grey = self.picture @ np.asarray(images.LUMA)
        blurred = [scipy.ndimage.gaussian_filter(grey, sigma) for sigma in (0, 1, 3, 8)]
        for fine, coarse in itertools.pairwise(blurred):
            # The eye's threshold is 1 to 2 levels; this is plainly seen.
            self.assertGreater((fine - coarse).std(), 6)
        self.assertGreater(blurred[-1].std(), 15)

    def test_light_comes_from_the_upper_left(self):
        # A dome of paint on even colour: lit on the side of the light, dark on the other.
        side = 64
        y, x = np.mgrid[:side, :side] - side / 2
        dome = 4 * np.exp(-(x**2 + y**2) / 100).astype(np.float32)
        even = np.full((side * side, 3), 100, np.float32)
        lit = painting._lit(painting._Canvas(side, even, dome.reshape(-1)))[..., 0]
        self.assertGreater(lit[25, 25], 105)
        self.assertLess(lit[39, 39], 95)
        self.assertAllClose(lit[2, 2], 100, atol=0.5)

    @parameterized.parameters(painting.MIN_SIZE, 33)
    def test_small_sizes(self, size):
        picture = painting.paint(size, seed=3)
        self.assertEqual(picture.shape, (size, size, 3))
        self.assertGreater(picture.std(), 20)

    def test_size_keeps_the_scene(self):
        small = painting.paint(48, seed=0)
        halved = self.picture.reshape(48, 2, 48, 2, 3).mean((1, 3))
        blur = (4, 4, 0)
        small, halved = (scipy.ndimage.gaussian_filter(p, blur) for p in (small, halved))
        self.assertGreater(np.corrcoef(small.ravel(), halved.ravel())[0, 1], 0.9)

    @parameterized.parameters((painting.MIN_SIZE - 1, 0), (64, -1))
    def test_refuses(self, size, seed):
        with self.assertRaisesRegex(InputError, "Expected a"):
            painting.paint(size, seed)


class SceneTest(tf.test.TestCase):
    def test_flow_runs_along_the_contours_of_the_stream(self):
        subject = scene(5)
        points = places(20).reshape(-1, 2)
        step = 1e-5
        slopes = [
            (subject.stream(points + move) - subject.stream(points - move)) / (2 * step)
            for move in step * np.eye(2)
        ]
        gradient = np.stack(slopes, -1)
        direction = subject.direction(points)
        self.assertAllClose(np.linalg.norm(direction, axis=-1), np.ones(400), atol=1e-6)
        along = (direction * gradient).sum(-1) / np.linalg.norm(gradient, axis=-1)
        # Central differences of this step are good to about 1e-8 of values near 1.
        self.assertAllClose(along, np.zeros(400), atol=1e-5)

    def test_vortices_glow(self):
        subject = scene(0)
        tones = subject.tone(subject.centers)
        self.assertAllGreater(tones, 0.9)
        self.assertGreater(tones.min(), subject.tone(places(30)).mean() + 0.3)


class ShippedTest(tf.test.TestCase):
    def test_is_what_the_generator_paints(self):
        file = shipped()
        self.assertEqual(file.dtype, np.float32)
        painted = painting.paint(painting.SHIPPED_SIZE, painting.SHIPPED_SEED)
        self.assertEqual(file.shape, painted.shape)
        # JPEG at this quality leaves 4.9 levels on so fine a texture; another seed is at 71.
        self.assertLess(np.abs(file - painted).mean(), 7)

    def test_is_small_enough_to_ship(self):
        self.assertLessEqual(painting.SHIPPED.stat().st_size, 250_000)


if __name__ == "__main__":
    tf.test.main()
