"""Measures of a stylisation against loops written from the definitions, and closed forms."""

import keras
import numpy as np
import tensorflow as tf
from absl.testing import parameterized

from tests import nets
from tfvis import images
from tfvis.errors import InputError
from tfvis.networks import network as networks
from tfvis.style import metrics, metrics_features, metrics_image


def _border(network, layer, image, style) -> float:
    """`border_over_center` of a picture's features at a layer, at its own size."""
    target = metrics_features.gram(metrics._features(network, style, (layer,))[layer])
    features = metrics._features(network, image, (layer,))[layer]
    return metrics_features.border_over_center(features, target)


def _random(shape, seed=0):
    return np.random.default_rng(seed).uniform(0, 255, (*shape, 3)).astype(np.float32)


def _map(shape, seed=0):
    """Features as of a ReLU: some places silent."""
    values = np.random.default_rng(seed).normal(0.3, 1, shape)
    return np.maximum(values, 0).astype(np.float32)


def _loops_gram(features):
    """Gram matrix over the number of places, as the definition reads."""
    height, width, channels = features.shape
    total = np.zeros((channels, channels))
    for y in range(height):
        for x in range(width):
            for i in range(channels):
                for j in range(channels):
                    total[i, j] += float(features[y, x, i]) * float(features[y, x, j])
    return total / (height * width)


def _loops_cosine(one, other):
    one, other = (np.asarray(x, np.float64).ravel() for x in (one, other))
    return sum(one * other) / (sum(one**2) ** 0.5 * sum(other**2) ** 0.5)


def _loops_best(features, style):
    """Best cosine and its patch, of every 3x3 patch with every other, one by one."""
    patches, others = (
        [m[y : y + 3, x : x + 3] for y in range(m.shape[0] - 2) for x in range(m.shape[1] - 2)]
        for m in (features, style)
    )
    table = np.array([[_loops_cosine(p, q) for q in others] for p in patches])
    return table.max(1), table.argmax(1)


class FeaturesTest(tf.test.TestCase, parameterized.TestCase):
    def test_distances_are_the_definition_in_the_unit(self):
        one, other, small = _map((5, 4, 3)), _map((5, 4, 3), 1), _map((3, 7, 3), 2)
        expected = sum(
            (float(a) - float(b)) ** 2 for a, b in zip(one.flat, other.flat, strict=True)
        )
        self.assertAllClose(
            metrics_features.content_distance(one, other), expected / one.size, rtol=1e-12
        )
        difference = _loops_gram(one) - _loops_gram(small)
        found = metrics_features.style_distance(
            metrics_features.gram(one), metrics_features.gram(small)
        )
        # 1e3 / N^2, and again N^2 entries of which the mean is taken.
        self.assertAllClose(found, 1e3 / 3**4 * np.sum(difference**2), rtol=1e-12)

    def test_style_distance_does_not_know_size(self):
        flat, large = np.full((2, 3, 1), 2.0), np.full((9, 8, 1), 3.0)
        found = metrics_features.style_distance(
            metrics_features.gram(flat), metrics_features.gram(large)
        )
        self.assertAllClose(found, 1e3 * (4 - 9) ** 2)

    def test_features_of_two_shapes_have_no_content_distance(self):
        with self.assertRaisesRegex(InputError, "one shape"):
            metrics_features.content_distance(_map((4, 4, 1)), _map((4, 1, 4)))

    def test_cosine(self):
        one, other = _map((3, 4, 2)) - 0.5, _map((3, 4, 2), 1)
        self.assertAllClose(metrics_features.cosine(one, other), _loops_cosine(one, other))
        self.assertAllClose(metrics_features.cosine(one, -7 * one), -1.0)
        zero = np.zeros_like(one)
        self.assertEqual(metrics_features.cosine(zero, zero), 1.0)
        self.assertEqual(metrics_features.cosine(zero, one), 0.0)

    # All at once; tiles of one and of two patches a side.
    @parameterized.parameters(2**20, 1, 8 * 48 * 16)
    def test_best_patches_are_those_of_all_pairs(self, budget):
        features, style = _map((7, 5, 4)), _map((6, 8, 4), 1)
        expected, which = _loops_best(features, style)
        whole = metrics_features._CHUNK_BYTES
        self.addCleanup(setattr, metrics_features, "_CHUNK_BYTES", whole)
        metrics_features._CHUNK_BYTES = budget
        cosines, chosen = metrics_features.best_patches(features, style)
        # Products are added up in float32.
        self.assertAllClose(cosines, expected, rtol=1e-5)
        self.assertAllEqual(chosen, which)

    def test_local_pattern_is_the_definition(self):
        features, style = _map((6, 5, 4)), _map((5, 6, 4), 1)
        cosines, chosen = _loops_best(features, style)
        expected = 0.5 * cosines.mean() + 0.5 * len(set(chosen)) / (3 * 4)
        self.assertLess(len(set(chosen)), 3 * 4)
        self.assertAllClose(metrics_features.local_pattern(features, style), expected, rtol=1e-5)

    def test_a_repeated_patch_of_the_style_counts_once(self):
        # Whole numbers, so that repetitions are equal bit for bit.
        tile = np.random.default_rng(0).integers(0, 9, (2, 2, 5)).astype(np.float32)
        style = np.tile(tile, (4, 5, 1))
        self.assertAllClose(metrics_features.local_pattern(style, style), 1.0, rtol=1e-6)
        # One of the four kinds of patches there are, perfectly matched.
        one = metrics_features.local_pattern(style[:3, :3], style)
        self.assertAllClose(one, 0.5 + 0.5 / 4, rtol=1e-6)

    def test_silent_patches_are_like_each_other_only(self):
        style, silent = _map((6, 6, 3)), np.zeros((5, 5, 3), np.float32)
        self.assertAllClose(metrics_features.best_patches(silent, silent)[0], np.ones(9))
        # As good as zero.
        self.assertAllLess(metrics_features.best_patches(silent, style)[0], 1e-4)
        style[:4, :4] = 0
        cosines, chosen = metrics_features.best_patches(silent, style)
        self.assertAllClose(cosines, np.ones(9), rtol=1e-5)
        self.assertAllEqual(chosen, np.zeros(9))

    def test_patches_of_a_small_map_are_as_large_as_it(self):
        features, style = _map((2, 4, 3)), _map((3, 2, 3), 1)
        cosines, _ = metrics_features.best_patches(features, style)
        # 2x2 patches: three of the picture, two of the style.
        expected = [
            max(_loops_cosine(features[:, x : x + 2], style[y : y + 2]) for y in range(2))
            for x in range(3)
        ]
        self.assertAllClose(cosines, expected, rtol=1e-5)

    def test_border_over_center(self):
        features = np.full((16, 24, 1), 2.0)
        features[2:-2, 3:-3] = 1.0
        zero, one, four = np.zeros((1, 1)), np.ones((1, 1)), np.full((1, 1), 4.0)
        over = metrics_features.border_over_center
        # Grams are 4 and 1; distances go with the square of their difference.
        self.assertAllClose(over(features, zero), 16.0)
        self.assertAllClose(over(features, 2 * one), 4.0)
        self.assertAllClose(over(features, four), 0.0)
        self.assertTrue(np.isfinite(over(features, one)))
        self.assertGreater(over(features, one), 1e6)
        self.assertEqual(over(np.zeros((8, 8, 1)), zero), 1.0)
        self.assertAllClose(over(np.ones((8, 8, 1)), one), 1.0)
        with self.assertRaisesRegex(InputError, "at least 3x3.*2x8"):
            over(np.ones((2, 8, 1)), one)


class ResizedTest(tf.test.TestCase, parameterized.TestCase):
    # 4:1 at size 64 is 32 x 128; narrower ones keep the area.
    @parameterized.parameters(
        (100, 100, 64, 64, 64), (30, 120, 64, 32, 128), (900, 400, 60, 90, 40),
        (1000, 10, 64, 128, 32), (64, 64, 32, 32, 32),
    )  # fmt: skip
    def test_sides(self, height, width, size, high, wide):
        image = np.full((height, width, 3), 7, np.float32)
        self.assertEqual(metrics.resized(image, size).shape, (high, wide, 3))

    def test_a_size_too_small_is_refused(self):
        with self.assertRaisesRegex(InputError, "at least 32. Received: 31"):
            metrics.resized(_random((40, 40)), 31)


def _deep(strides: int) -> networks.Network:
    """A network of so many blocks, two convolutions each."""
    keras.utils.set_random_seed(0)
    x = inputs = keras.Input((None, None, 3))
    for k in range(strides):
        for name in "ab":
            x = keras.layers.Conv2D(4, 3, padding="same", name=f"conv{k}{name}")(x)
        x = keras.layers.MaxPooling2D(2, name=f"pool{k}")(x)
    return networks.wrap(keras.Model(inputs, x))


class LayersTest(tf.test.TestCase):
    def test_of_vgg_the_published_ones(self):
        for name in ("vgg16", "vgg19"):
            layers = metrics.layers_for(networks.build(name, "random"))
            self.assertEqual(layers, metrics.Layers())
            self.assertEqual(layers.content, ("block4_conv2",))
            self.assertEqual(layers.pattern, ("block3_conv1", "block4_conv1"))

    def test_of_others_those_at_like_depths(self):
        layers = metrics.layers_for(_deep(6))
        conv = [f"conv{k}a" for k in range(5)]
        self.assertEqual(layers.style, tuple(conv))
        self.assertEqual(layers.content, (conv[3],))
        self.assertEqual(layers.fidelity, (conv[3], conv[4]))
        self.assertEqual(layers.effect, tuple(conv[1:]))
        self.assertEqual(layers.pattern, (conv[2], conv[3]))
        self.assertEqual(layers.border, conv[2])

    def test_of_shallow_ones_something(self):
        for strides in (1, 2, 3):
            network = _deep(strides)
            layers = metrics.layers_for(network)
            for field in (layers.content, layers.style, layers.fidelity, layers.effect):
                self.assertNotEmpty(field)
            self.assertNotEmpty(layers.pattern)
            network.check(layers.all())
        hog = metrics.layers_for(networks.build("hog"))
        self.assertEqual(hog.style, ("hog",))


class MeasureTest(tf.test.TestCase):
    def setUp(self):
        super().setUp()
        self.network = nets.wrapped()
        self.content, self.style = nets.picture(40, seed=1), _random((36, 50), 2)
        self.result = _random((48, 48), 3)
        self.style_keys = {"style", "style block1_conv1", "style block2_conv1"} | {
            "global_effect", "local_pattern", "border_over_center"
        }  # fmt: skip
        self.content_keys = {"content block1_conv1", "content_fidelity"}
        self.own_keys = {"high_frequency", "saturated"}

    def _taps(self, image, layer, network=None):
        taps = (network or self.network).taps((layer,))
        return taps(tf.constant(image[None]))[layer].numpy()[0].astype(np.float64)

    def test_a_picture_is_itself(self):
        picture = _random((40, 60))
        found = metrics.measure(self.network, picture, picture, picture, 40)
        self.assertEqual(set(found), self.style_keys | self.content_keys | self.own_keys)
        for key, value in found.items():
            self.assertIs(type(value), float, key)  # NumPy's own would not pass as plain.
            if key.startswith(("content ", "style")):
                self.assertEqual(value, 0.0, key)
        for key in ("content_fidelity", "global_effect", "local_pattern"):
            # Cosines of patches are worked out in float32.
            self.assertAllClose(found[key], 1.0, rtol=1e-5)

    def test_the_numbers_are_the_definitions(self):
        found = metrics.measure(self.network, self.result, self.content, self.style, 40)
        result = images.resize(self.result, 40, 40)
        # Of 36x50, an area of 40^2 in the same aspect.
        style = images.resize(self.style, 34, 47)
        first, second = "block1_conv1", "block2_conv1"
        difference = self._taps(result, first) - self._taps(self.content, first)
        self.assertAllClose(found[f"content {first}"], np.mean(difference**2), rtol=1e-6)
        cosines = [
            _loops_cosine(self._taps(result, x), self._taps(self.content, x))
            for x in (first, second)
        ]
        self.assertAllClose(found["content_fidelity"], np.mean(cosines), rtol=1e-6)
        total = 0
        for layer, channels in ((first, 8), (second, 12)):
            flat = [self._taps(x, layer).reshape(-1, channels) for x in (result, style)]
            ours, theirs = (np.einsum("mi,mj->ij", x, x) / len(x) for x in flat)
            expected = 1e3 / channels**4 * np.sum((ours - theirs) ** 2)
            # Features of float32 through squares of differences.
            self.assertAllClose(found[f"style {layer}"], expected, rtol=1e-4)
            total += expected
        self.assertAllClose(found["style"], total, rtol=1e-4)
        colors = metrics_image.color_cosine(result, style)
        effect = 0.5 * _loops_cosine(ours, theirs) + 0.5 * colors
        self.assertAllClose(found["global_effect"], effect, rtol=1e-6)
        maps = [self._taps(x, first).astype(np.float32) for x in (result, style)]
        self.assertAllClose(
            found["local_pattern"], metrics_features.local_pattern(*maps), rtol=1e-6
        )
        self.assertAllClose(
            found["border_over_center"],
            _border(self.network, second, result, style),
            rtol=1e-6,
        )

    def test_what_is_made_of_pixels_is_measured_at_its_own_size(self):
        board = np.repeat(255.0 * (np.indices((90, 90)).sum(0) % 2)[..., None], 3, -1)
        found = metrics.measure(self.network, board, self.content, None, 40)
        self.assertGreater(found["high_frequency"], 0.99)
        self.assertEqual(found["saturated"], 1.0)

    def test_sizes_do_not_matter_to_the_network(self):
        large = images.resize(self.result, 130, 97)
        small = images.resize(large, 40, 40)
        one = metrics.measure(self.network, large, self.content, self.style, 40)
        other = metrics.measure(self.network, small, self.content, self.style, 40)
        for key in self.style_keys | self.content_keys:
            self.assertAllClose(one[key], other[key], rtol=1e-6)

    def test_only_what_there_is_to_compare_with(self):
        texture = metrics.measure(self.network, self.result, None, self.style, 40)
        self.assertEqual(set(texture), self.style_keys | self.own_keys)
        whole = metrics.measure(self.network, self.result, self.content, self.style, 40)
        for key in texture:
            self.assertAllClose(texture[key], whole[key], rtol=1e-6)
        content = metrics.measure(self.network, self.result, self.content, None, 40)
        self.assertEqual(set(content), self.content_keys | self.own_keys)
        nothing = metrics.measure(self.network, self.result, None, None, 40)
        self.assertEqual(set(nothing), self.own_keys)

    def test_a_blend_has_a_blended_gram_matrix(self):
        styles = [self.style, nets.picture(44, seed=5)]
        found = metrics.measure(self.network, self.result, None, styles, 40, style_weights=(3, 1))
        result, first, second = (metrics.resized(x, 40) for x in (self.result, *styles))
        ours, one, two = (
            _loops_gram(self._taps(x, "block1_conv1")) for x in (result, first, second)
        )
        expected = 1e3 / 8**4 * np.sum((ours - 0.75 * one - 0.25 * two) ** 2)
        self.assertAllClose(found["style block1_conv1"], expected, rtol=1e-4)
        alone = [metrics.measure(self.network, self.result, None, x, 40) for x in styles]
        for key in ("global_effect", "local_pattern"):
            mean = 0.75 * alone[0][key] + 0.25 * alone[1][key]
            self.assertNotAllClose(alone[0][key], alone[1][key])
            self.assertAllClose(found[key], mean, rtol=1e-6)
        # Without weights, equal ones; a style twice is that style.
        twice = metrics.measure(self.network, self.result, None, [self.style] * 2, 40)
        for key, value in alone[0].items():
            self.assertAllClose(twice[key], value, rtol=1e-6)

    def test_padding_shows_at_the_border(self):
        flat = np.full((64, 64, 3), 200, np.float32)
        over = _border(self.network, "block2_conv1", flat, np.full((32, 32, 3), 90, np.float32))
        self.assertNotAllClose(over, 1.0, atol=0.01)
        # Without padding, places of a flat picture are all alike.
        keras.utils.set_random_seed(0)
        inputs = keras.Input((None, None, 3))
        unpadded = networks.wrap(
            keras.Model(inputs, keras.layers.Conv2D(4, 3, name="conv")(inputs))
        )
        same = _border(unpadded, "conv", flat, self.style)
        self.assertAllClose(same, 1.0, rtol=1e-4)

    def test_a_network_of_one_channel_and_one_of_a_fixed_size(self):
        for network in (nets.wrapped(channels=1), nets.wrapped(size=32)):
            found = metrics.measure(network, self.result, self.content, self.style, 48)
            self.assertEqual(set(found), self.style_keys | self.content_keys | self.own_keys)
            same = metrics.measure(network, self.style, self.style, self.style, 48)
            self.assertEqual(same["style"], 0.0)
            self.assertGreater(found["style"], 0.0)

    def test_wrong_input_is_refused_in_a_line(self):
        def refused(message, *args, **kwargs):
            with self.assertRaisesRegex(InputError, message):
                metrics.measure(self.network, *args, **kwargs)

        result, content, style = self.result, self.content, self.style
        refused("result of .height, width, 3", result[..., 0], content, style, 40)
        refused("style of .height, width, 3", result, content, [style, style[None]], 40)
        refused("content of finite", result, content * np.nan, style, 40)
        refused("for each of 1 styles", result, content, style, 40, style_weights=(1, 2))
        refused("not all 0", result, content, [style, style], 40, style_weights=(0, 0))
        refused("at least 32", result, content, style, 16)
        unknown = metrics.Layers(content=("nowhere",))
        refused("no layer 'nowhere'", result, content, None, 40, layers=unknown)
        vector = metrics.Layers(content=("gap",), fidelity=("gap",))
        refused("put out a map. Received: gap", result, content, None, 40, layers=vector)


if __name__ == "__main__":
    tf.test.main()
