"""HOG and dense SIFT: equal to a pixel-by-pixel reading of their papers, and invertible."""

import functools
import pathlib

import keras
import numpy as np
import tensorflow as tf
from absl.testing import parameterized
from sklearn.datasets import load_sample_image

from tests import nets
from tfvis import images, objectives, preimages
from tfvis.errors import InputError
from tfvis.networks import hog_sift, hog_sift_layers, network
from tfvis.preimages import inversion

NAMES = ("hog", "hogb", "dsift")


@functools.cache
def _network(name: str) -> network.Network:
    return network.build(name)


def _features(name: str, pictures: np.ndarray) -> np.ndarray:
    """[height, width, channels] or a batch of them, through a named network."""
    batch = pictures.reshape(-1, *pictures.shape[-3:])
    result = preimages.features(_network(name), name, batch).numpy()
    return result if pictures.ndim == 4 else result[0]


def _photograph(height: int, width: int) -> np.ndarray:
    """The eaves of a pagoda before a pale sky, float32 [height, width, 1]."""
    photograph = load_sample_image("china.jpg")[150 : 150 + height, 250 : 250 + width]
    return images.with_channels(photograph.astype(np.float32), 1)


def _votes(image: np.ndarray, directions: int, soft: bool):
    """Yields (y, x, direction, weight) of every pixel that has all four neighbours.

    Angles run from right over down. Felzenszwalb et al. 2010, section 6.1; Lowe 2004,
    section 6.
    """
    image = image.astype(np.float64)
    step = 2 * np.pi / directions
    for y in range(1, image.shape[0] - 1):
        for x in range(1, image.shape[1] - 1):
            down = (image[y + 1, x] - image[y - 1, x]) / 2
            right = (image[y, x + 1] - image[y, x - 1]) / 2
            length = np.hypot(right, down)
            if soft:
                place = np.arctan2(down, right) / step
                lower = int(np.floor(place))
                yield y, x, lower % directions, length * (lower + 1 - place)
                yield y, x, (lower + 1) % directions, length * (place - lower)
            else:
                # Of two as near, the first: a gradient straight down lies between two.
                likeness = [np.cos(k * step) * right + np.sin(k * step) * down for k in range(18)]
                yield y, x, int(np.argmax(np.round(likeness, 9))), length


def _in_cells(votes, shape, side: int, first: float) -> np.ndarray:
    """Spreads votes over the four nearest cells, whose centres begin at `first`."""
    cells = np.zeros(shape)
    for y, x, direction, weight in votes:
        row, column = (y - first) / side, (x - first) / side
        top, left = int(np.floor(row)), int(np.floor(column))
        for i, j in ((top, left), (top, left + 1), (top + 1, left), (top + 1, left + 1)):
            if 0 <= i < shape[0] and 0 <= j < shape[1]:
                share = (1 - abs(row - i)) * (1 - abs(column - j))
                cells[i, j, direction] += weight * share
    return cells


def _hog(image: np.ndarray, soft: bool = False) -> np.ndarray:
    """Felzenszwalb et al. 2010, section 6; 18 directed and 9 undirected sums per cell."""
    rows, columns = image.shape[0] // 8, image.shape[1] // 8
    cells = _in_cells(_votes(image[..., 0], 18, soft), (rows, columns, 18), 8, first=3.5)
    undirected = cells[..., :9] + cells[..., 9:]
    energy = (undirected**2).sum(-1)
    result = np.zeros((rows, columns, 27))
    for i in range(rows):
        for j in range(columns):
            everything = np.concatenate([cells[i, j], undirected[i, j]])
            for k, m in ((i - 1, j - 1), (i - 1, j + 1), (i + 1, j - 1), (i + 1, j + 1)):
                if 0 <= k < rows and 0 <= m < columns:
                    norm = np.sqrt(energy[i, j] + energy[k, j] + energy[i, m] + energy[k, m])
                    result[i, j] += 0.5 * np.minimum(everything / max(norm, 1e-6), 0.2)
    return result


def _dsift(image: np.ndarray, side: int = 5) -> np.ndarray:
    """Lowe 2004, section 6, at every third bin, without interpolating the window."""
    rows, columns = (image.shape[0] - 2) // side - 1, (image.shape[1] - 2) // side - 1
    votes = _votes(image[..., 0], 8, soft=True)
    # The first bin begins at the first pixel that has a gradient.
    cells = _in_cells(votes, (rows, columns, 8), side, first=side + 0.5)
    away = np.arange(4) - 1.5
    window = np.exp(-(away[:, None] ** 2 + away**2) / (2 * 1.5**2))[..., None]
    result = np.zeros(((rows - 4) // 3 + 1, (columns - 4) // 3 + 1, 128))
    for i, j in np.ndindex(result.shape[:2]):
        bins = cells[3 * i : 3 * i + 4, 3 * j : 3 * j + 4] * window
        result[i, j] = np.minimum(bins / np.sqrt((bins**2).sum() + 1e-6), 0.2).ravel()
    return result


REFERENCES = {"hog": _hog, "hogb": functools.partial(_hog, soft=True), "dsift": _dsift}


def _ramp(degrees: float, size: int = 40) -> np.ndarray:
    """A plane that rises by 2 a pixel in one direction, from right over down."""
    y, x = np.mgrid[:size, :size].astype(np.float32)
    angle = np.radians(degrees)
    return (2 * (x * np.cos(angle) + y * np.sin(angle)) + 60)[..., None].astype(np.float32)


class DefinitionTest(tf.test.TestCase, parameterized.TestCase):
    @parameterized.parameters(*NAMES)
    def test_a_photograph_has_the_features_of_the_papers(self, name):
        # No multiple of a cell: a last row and column are left over.
        image = _photograph(75, 93)
        expected = REFERENCES[name](image)
        self.assertGreater(expected.std(), 0.05)
        # Sums of some 200 gradients in float32 rather than float64.
        self.assertAllClose(_features(name, image), expected, rtol=0, atol=3e-6)

    def test_other_bins(self):
        image = _photograph(75, 93)
        net = network.wrap(hog_sift.dsift(bin_size=8))
        self.assertAllClose(
            preimages.features(net, "dsift", image[None])[0], _dsift(image, 8), rtol=0, atol=3e-6
        )
        self.assertEqual(network.wrap(hog_sift.hog(cell=4)).shape("hog", 40, 48), (10, 12, 27))

    @parameterized.parameters(*NAMES)
    def test_gradients_are_differences_of_the_papers_features(self, name):
        image = _photograph(29, 29)
        weights = np.random.default_rng(0).normal(size=REFERENCES[name](image).shape)
        variable = tf.constant(image[None])
        with tf.GradientTape() as tape:
            tape.watch(variable)
            features = _network(name).taps([name])(variable)[name]
            total = tf.reduce_sum(features * tf.constant(weights, tf.float32))
        gradient = tape.gradient(total, variable)[0, ..., 0].numpy()
        step = 1e-4
        for y, x in ((0, 3), (7, 8), (14, 14), (20, 13), (28, 27)):
            bump = np.zeros_like(image, np.float64)
            bump[y, x] = step
            above, below = REFERENCES[name](image + bump), REFERENCES[name](image - bump)
            slope = (weights * (above - below)).sum() / (2 * step)
            # Gradients are near 0.05; a kink within 1e-4 of a grey level would differ.
            self.assertAllClose(gradient[y, x], slope, rtol=1e-3, atol=1e-5)

    @parameterized.parameters(*NAMES)
    def test_brightness_and_contrast_do_not_matter(self, name):
        image = _photograph(64, 64)
        features = _features(name, image)
        # 32 is exact in float32 beside 255, up to the last bit.
        self.assertAllClose(_features(name, image + 32), features, rtol=0, atol=1e-5)
        self.assertAllClose(_features(name, image / 3), features, rtol=0, atol=1e-5)

    def test_a_vertical_edge_is_in_one_direction(self):
        """Brighter to the right is direction 0, to the left half of all directions on."""
        image = np.full((48, 48, 1), 50, np.float32)
        image[:, 24:] = 200
        for name, half in (("hog", 9), ("hogb", 9), ("dsift", 4)):
            for picture, bins in ((image, [0]), (255 - image, [half])):
                features = _features(name, picture)
                if name != "dsift":
                    bins = [*bins, 18]
                features = features.reshape(-1, features.shape[-1] if half == 9 else 8)
                energy = np.square(features).sum(0)
                self.assertGreater(energy[bins].min(), 0.1)
                self.assertAllEqual(np.delete(energy, bins), np.zeros(len(energy) - len(bins)))
        # Half or all of a block's norm, cut off at 0.2, halved, four times.
        cells = _features("hog", image)
        self.assertAllClose(cells[1:-1, 2:4, [0, 18]], np.full((4, 2, 2), 0.4), atol=1e-6)
        self.assertAllEqual(cells[:, [0, 1, 4, 5]], np.zeros((6, 4, 27)))

    def test_a_horizontal_edge_lies_between_two_of_hog_s_directions(self):
        """90 degrees are as near to 80 as to 100; hard votes go to the first."""
        image = np.full((48, 48, 1), 50, np.float32)
        image[24:] = 200
        for name, picture, channels in (
            ("hog", image, [4, 22]),
            ("hog", 255 - image, [13, 22]),
            ("hogb", image, [4, 5, 22, 23]),
        ):
            features = _features(name, picture)
            self.assertAllEqual(np.flatnonzero(features.sum((0, 1))), channels)
        soft = _features("hogb", image)
        self.assertAllClose(soft[..., 4], soft[..., 5], atol=1e-6)
        descriptors = _features("dsift", image).reshape(-1, 8)
        self.assertAllEqual(np.flatnonzero(descriptors.sum(0)), [2])

    @parameterized.parameters((45, 8, 1.0, 0.0), (22.5, 8, 0.5, 0.5), (45, 18, 0.75, 0.25))
    def test_slanted_planes_share_their_slope_by_angle(self, degrees, channels, first, second):
        net = _network("dsift" if channels == 8 else "hogb")
        votes = net.taps(["orientations"])(tf.constant(_ramp(degrees)[None]))["orientations"]
        expected = np.zeros(channels)
        bin_ = int(degrees * channels // 360)
        expected[[bin_, bin_ + 1]] = 2 * first, 2 * second
        # The plane's heights are rounded to 1e-5.
        self.assertAllClose(votes[0], np.broadcast_to(expected, votes.shape[1:]), atol=1e-3)

    def test_turned_pictures_have_turned_features(self):
        # 57 px are 10 bins: the windows fit without a remainder.
        image = _photograph(57, 57)
        # By 45 degrees (of a picture that any turn leaves on the grid: a plane).
        bins = [_features("dsift", _ramp(a)).reshape(-1, 8).sum(0) for a in (0, 45, 90)]
        self.assertAllClose(np.roll(bins[0], 1), bins[1], rtol=1e-3, atol=1e-3)
        self.assertAllClose(np.roll(bins[0], 2), bins[2], rtol=1e-3, atol=1e-3)
        # By 90 degrees, counter-clockwise: directions go two bins back, 4 x 4 bins turn too.
        straight = _features("dsift", image)
        turned = _features("dsift", np.rot90(image).copy())
        shape = (*straight.shape[:2], 4, 4, 8)
        expected = np.rot90(np.rot90(straight.reshape(shape)), axes=(2, 3))
        self.assertAllClose(turned.reshape(shape), np.roll(expected, -2, -1), atol=1e-5)
        # By 180 degrees every one of HOG's directions has its opposite.
        straight = _features("hogb", image[:56, :56])
        turned = _features("hogb", image[:56, :56][::-1, ::-1].copy())[::-1, ::-1]
        order = [*range(9, 18), *range(9), *range(18, 27)]
        self.assertAllClose(turned[..., order], straight, atol=1e-5)

    @parameterized.parameters(*NAMES)
    def test_flat_images_have_no_features_and_no_gradient(self, name):
        part = np.full((48, 48, 1), 255, np.float32)
        part[:20] = _photograph(20, 48)
        for picture in (np.full((48, 48, 1), 255, np.float32), np.zeros((48, 48, 1)), part):
            variable = tf.constant(picture[None], tf.float32)
            with tf.GradientTape() as tape:
                tape.watch(variable)
                features = _network(name).taps([name])(variable)[name]
                total = tf.reduce_sum(tf.square(features - 0.1))
            gradient = tape.gradient(total, variable).numpy()
            self.assertTrue(np.isfinite(gradient).all())
            if picture is not part:
                self.assertAllEqual(features, np.zeros(features.shape))
                self.assertAllEqual(gradient, np.zeros(gradient.shape))

    def test_directions_along_the_axes_and_tiny_gradients_have_finite_slopes(self):
        """acos has none at 1 and -1, nor has the root at 0."""
        slopes = np.float32([[0, 1], [1, 0], [-1, 0], [0, -1], [0, 0], [1e-7, 0], [1e-20, 1e-20]])
        for soft in (True, False):
            for count in (4, 9):
                layer = hog_sift_layers.Orientations(count, soft)
                variable = tf.constant(slopes[None, None])
                with tf.GradientTape() as tape:
                    tape.watch(variable)
                    votes = layer(variable)
                    total = tf.reduce_sum(votes * tf.range(2.0 * count))
                self.assertAllClose(
                    tf.reduce_sum(votes, -1)[0, 0], [1, 1, 1, 1, 0, 1e-7, 0], rtol=1e-5
                )
                self.assertTrue(np.isfinite(tape.gradient(total, variable)).all())


class NetworkTest(tf.test.TestCase, parameterized.TestCase):
    @parameterized.parameters(
        ("hog", 8, (28, 28, 27)), ("hogb", 8, (28, 28, 27)), ("dsift", 15, (14, 14, 128))
    )
    def test_built_by_name(self, name, stride, shape):
        net = network.build(name.upper())
        self.assertEqual((net.name, net.channels, net.fixed_size), (name, 1, None))
        self.assertEqual((net.record.source, net.record.notice), ("computed", ""))
        self.assertEqual(net.record.fingerprint, network.build(name).record.fingerprint)
        self.assertEqual((net.paths[-1], net.logits), (name, ""))
        layers = net.convolutions_and_poolings()
        self.assertEqual((layers[0], layers[1], layers[-1]), ("gradient", "cells", name))
        self.assertEqual((net.stride(name), net.stride("gradient")), (stride, 1))
        self.assertEqual(net.shape(name, 224, 224), shape)
        self.assertEqual(net.trace(name, 224, 224), shape)
        self.assertGreater(net.cost(name, 224, 224), net.cost("gradient", 224, 224))

    @parameterized.product(name=NAMES, precision=["float32", "bfloat16"])
    def test_every_tap_at_any_size_and_precision(self, name, precision):
        net = _network(name)
        taps = net.taps(list(net.paths), precision)
        exact = net.taps(list(net.paths))
        for height, width in ((27, 40), (64, 51)):
            image = tf.constant(_photograph(height, width)[None])
            for path, output in taps(image).items():
                self.assertEqual(tuple(output.shape[1:]), net.shape(path, height, width))
                self.assertAllEqual(output, exact(image)[path])

    def test_colour_is_seen_as_luma(self):
        colour = nets.picture(32)
        grey = images.with_channels(colour, 1)
        self.assertAllClose(_features("hogb", colour), _features("hogb", grey), atol=1e-5)

    def test_images_of_a_batch_are_apart(self):
        pictures = np.stack([_photograph(40, 40), nets.picture(40, channels=1)])
        for name in NAMES:
            both = _features(name, pictures)
            for one, picture in zip(both, pictures, strict=True):
                self.assertAllClose(one, _features(name, picture), atol=1e-6)

    def test_xla_computes_the_same(self):
        image = tf.constant(_photograph(40, 40)[None])
        taps = _network("dsift").taps(["dsift"], packed=False)

        def run(image):
            with tf.GradientTape() as tape:
                tape.watch(image)
                features = taps(image)["dsift"]
                total = tf.reduce_sum(tf.sin(features))
            return features, tape.gradient(total, image)

        compiled = tf.function(run, jit_compile=True)(image)
        for one, other in zip(run(image), compiled, strict=True):
            self.assertAllClose(one, other, rtol=1e-3, atol=1e-5)

    @parameterized.parameters(*NAMES)
    def test_saved_and_opened_again(self, name):
        path = pathlib.Path(self.create_tempdir().full_path) / "saved.keras"
        hog_sift.BUILDERS[name]().save(path)
        net = network.wrap(keras.models.load_model(path, safe_mode=True), "opened")
        image = _photograph(48, 48)
        self.assertAllEqual(preimages.features(net, name, image[None])[0], _features(name, image))
        self.assertEmpty(net.graph.layers[name].trainable_variables)

    @parameterized.parameters(*NAMES)
    def test_inversion_comes_nearer(self, name):
        net, target = _network(name), _photograph(48, 48)
        phi0 = preimages.features(net, name, target[None])
        settings = preimages.Inversion(strength=100.0, jitter=1, steps=20, fine_steps=0)
        runs = list(inversion.iterate(net, target, name, settings=settings))
        start = np.sqrt(runs[0].snapshot.terms["objective"][0, 0] / 100)
        features = preimages.features(net, name, runs[-1].images)
        self.assertLess(objectives.relative_error(features, phi0)[0], 0.6 * start)

    def test_wrong_input_is_refused(self):
        for words, flag in (
            ({"weights": "random"}, "weights"),
            ({"weights": "vgg16.npz"}, "weights"),
            ({"pooling": "avg"}, "pooling"),
            ({"activation": "pre"}, "activation"),
        ):
            for name in NAMES:
                with self.assertRaisesRegex(InputError, f"{flag}.*{name}"):
                    network.build(name, **words)
        with self.assertRaisesRegex(InputError, "hog"):
            network.build("hogg")
        with self.assertRaisesRegex(InputError, "even cell.*7"):
            hog_sift.hog(cell=7)
        with self.assertRaisesRegex(InputError, "bin.*0"):
            hog_sift.dsift(bin_size=0)
        with self.assertRaisesRegex(InputError, "20 x 20 pixels is too small for dsift.*size"):
            next(inversion.iterate(_network("dsift"), _photograph(20, 20), "dsift"))
        flat = np.full((48, 48, 1), 128, np.float32)
        with self.assertRaisesRegex(InputError, "zeros only"):
            next(inversion.iterate(_network("hog"), flat, "hog"))
