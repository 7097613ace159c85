"""Statistics, goals and distances of style against loops in NumPy."""

import functools
import itertools

import numpy as np
import tensorflow as tf
from absl.testing import parameterized

from tests import nets
from tests.transfers import settings_of
from tfvis.errors import InputError
from tfvis.networks import network
from tfvis.style import gram, losses, settings, targets

LAYERS = ("block1_conv1", "block2_conv1")


@functools.cache
def _network(**kwargs) -> network.Network:
    return nets.wrapped(**kwargs)


def _features(height: int, width: int, channels: int = 3, batch: int = 1, seed: int = 0):
    """Positive, as after a ReLU, and correlated; float32."""
    generator = np.random.default_rng(seed)
    mixed = generator.normal(size=(batch, height, width, channels)) @ generator.normal(
        size=(channels, channels)
    )
    return np.maximum(mixed, 0).astype(np.float32)


def _moments64(features, weights=None):
    """The sums over places, one after the other: (second [R, C, C], first [R, C])."""
    features = np.float64(features)
    height, width, channels = features.shape
    weights = np.ones((1, height, width)) if weights is None else np.float64(weights)
    second = np.zeros((len(weights), channels, channels))
    first = np.zeros((len(weights), channels))
    for r, row, column in itertools.product(range(len(weights)), range(height), range(width)):
        place = features[row, column]
        second[r] += weights[r, row, column] * np.outer(place, place) / (height * width)
        first[r] += weights[r, row, column] * place / (height * width)
    return second, first


def _guides(height: int, width: int, seed: int = 0) -> np.ndarray:
    """Squares of two guides, of mean 1."""
    squares = np.random.default_rng(seed).uniform(0, 1, (2, height, width)) ** 4
    return (squares / squares.mean((1, 2), keepdims=True)).astype(np.float32)


class StatisticsTest(tf.test.TestCase, parameterized.TestCase):
    @parameterized.parameters(False, True)
    def test_moments_and_their_gradients(self, guided):
        features = _features(3, 4, batch=2)
        weights = _guides(3, 4) if guided else None
        regions = 2 if guided else 1
        generator = np.random.default_rng(1)
        # A linear function of the moments; what it asks of the second is not symmetric.
        asked = generator.normal(size=(2, regions, 3, 3)), generator.normal(size=(2, regions, 3))

        def by_hand(flat):
            pairs = [_moments64(one, weights) for one in flat.reshape(features.shape)]
            return sum(
                (a[k] * pair[i]).sum() for k, pair in enumerate(pairs) for i, a in enumerate(asked)
            )

        with tf.GradientTape() as tape:
            x = tf.constant(features)
            tape.watch(x)
            found = gram.moments(x, weights)
            total = sum(
                tf.reduce_sum(tf.constant(a, tf.float32) * m)
                for a, m in zip(asked, found, strict=True)
            )
        for k, one in enumerate(features):
            second, first = _moments64(one, weights)
            self.assertAllClose(found.second[k], second, rtol=1e-5, atol=1e-6)
            self.assertAllClose(found.first[k], first, rtol=1e-5, atol=1e-6)
        # Of a quadratic function central differences are exact.
        flat = np.float64(features).ravel()
        theirs = [(by_hand(flat + e) - by_hand(flat - e)) / 2 for e in np.eye(len(flat))]
        self.assertAllClose(np.ravel(tape.gradient(total, x)), theirs, rtol=1e-4, atol=1e-5)

    def test_parts_of_a_map_add_up(self):
        features, weights = _features(5, 4), _guides(5, 4)
        whole = gram.moments(features, weights)
        upper = gram.moments(features[:, :2], weights[:, :2], 20)
        lower = gram.moments(features[:, 2:], weights[:, 2:], 20)
        for a, b, both in zip(upper, lower, whole, strict=True):
            self.assertAllClose(a + b, both, rtol=1e-5, atol=1e-6)

    def test_covariance_is_numpys(self):
        features, weights = _features(6, 5, batch=2), _guides(6, 5)
        found = gram.covariance(gram.moments(features, weights))
        for k, r in itertools.product(range(2), range(2)):
            theirs = np.cov(
                np.float64(features[k]).reshape(-1, 3).T, aweights=weights[r].ravel(), ddof=0
            )
            self.assertAllClose(found[k, r], theirs, rtol=1e-4, atol=1e-5)


class LossesTest(tf.test.TestCase, parameterized.TestCase):
    @parameterized.parameters(False, True)
    def test_the_unit_is_that_of_the_code_of_gatys(self, guided):
        taps = {"a": _features(4, 5, 3, 2, 0), "b": _features(2, 3, 4, 2, 1)}
        content = {"b": tf.constant(_features(2, 3, 4, 1, 2))}
        style, wanted = {}, {}
        for layer, seed in (("a", 3), ("b", 4)):
            channels = taps[layer].shape[-1]
            # A style of another size than the picture's.
            other = _features(7, 3, channels, 1, seed)
            there = _guides(7, 3, seed) if guided else None
            here = _guides(*taps[layer].shape[1:3], 5) if guided else None
            wanted[layer] = _moments64(other[0], there)[0]
            style[layer] = targets.Target(gram.moments(other, there), here)
        goal = targets.Goal(content, style)
        self.assertEqual(goal.layers, ("b", "a"))
        terms = losses.unit(targets.sums({k: tf.constant(v) for k, v in taps.items()}, goal), goal)
        self.assertEqual(set(terms), {"content b", "style a", "style b"})
        for k in range(2):
            squares = [
                (float(a) - float(b)) ** 2
                for a, b in zip(taps["b"][k].flat, content["b"][0].numpy().flat, strict=True)
            ]
            self.assertAllClose(terms["content b"][k], sum(squares) / len(squares), rtol=1e-5)
            for layer in style:
                grams = _moments64(taps[layer][k], style[layer].weights)[0]
                channels, total = grams.shape[-1], 0.0
                for r, i, j in np.ndindex(*grams.shape):
                    total += (grams[r, i, j] - wanted[layer][r, i, j]) ** 2
                # Mean over pairs and over regions, times 1e3 / N^2.
                theirs = 1e3 / channels**2 * total / channels**2 / len(grams)
                self.assertAllClose(terms[f"style {layer}"][k], theirs, rtol=1e-4)

    def test_the_published_ratio_weighs_both_by_one(self):
        goal = targets.Goal({"b": None}, {"a": None, "b": None})
        names = {"content b", "style a", "style b"}
        self.assertEqual(losses.unit_weights(goal, 1000), dict.fromkeys(names, 1.0))
        weights = losses.unit_weights(goal, 50)
        self.assertEqual(weights["content b"], 1.0)
        self.assertAllClose([weights["style a"], weights["style b"]], [0.05, 0.05])

    def test_a_silent_content_is_not_smoothed_away(self):
        goal = targets.Goal({"a": tf.zeros((1, 4, 4, 2))}, {})
        quality = settings.resolved(settings_of("quality", tv_weight=0.1))
        self.assertEqual(losses.smoothness(goal, quality), 0.0)
        # Of a texture, which has no content, and of gatys it is what was given.
        self.assertEqual(losses.smoothness(targets.Goal({}, {}), quality), 0.1)
        gatys = settings.resolved(settings_of("gatys", tv_weight=0.1))
        self.assertEqual(losses.smoothness(goal, gatys), 0.1)

    def test_shape_is_nothing_for_the_style_itself_and_knows_no_scale(self):
        own, other = _features(5, 6, seed=1), _features(9, 4, seed=2)

        def shape(features, target, scale):
            goal = targets.Goal({}, {"a": targets.Target(gram.moments(target), None)})
            found = targets.sums({"a": tf.constant(features)}, goal)
            return losses.shape(found, goal, {"a": scale})["shape a"][0]

        self.assertAllClose(shape(own, own, 0.5), 0, atol=1e-10)
        apart = shape(own, other, 0.5)
        self.assertGreater(apart, 0)
        self.assertAllClose(shape(own * 10, other * 10, 5.0), apart, rtol=1e-4)
        # Places may change theirs: it is statistics that count.
        self.assertAllClose(shape(own[:, ::-1], own, 0.5), 0, atol=1e-9)


class GoalsTest(tf.test.TestCase, parameterized.TestCase):
    def _taps(self, picture):
        return _network().taps(LAYERS)(tf.constant(picture[None]))

    def _goal(self, content, styles, **kwargs):
        return targets.goal(_network(), content, styles, LAYERS[1:], LAYERS, **kwargs)

    def test_a_blend_of_styles_of_other_sizes(self):
        content = nets.oblong(20, 26)
        styles = [nets.oblong(31, 24, seed=1), nets.oblong(18, 40, seed=2)]
        single = [{k: _moments64(v[0]) for k, v in self._taps(style).items()} for style in styles]
        for weights, shares in (((), (0.5, 0.5)), ((1, 3), (0.25, 0.75)), ((2, 0), (1, 0))):
            goal = self._goal(content, styles, style_weights=weights)
            for layer, target in goal.style.items():
                for i in range(2):
                    theirs = sum(w * one[layer][i] for w, one in zip(shares, single, strict=True))
                    self.assertAllClose(target.moments[i][0], theirs, rtol=1e-4, atol=1e-5)
                self.assertIsNone(target.weights)
        self.assertEqual(list(goal.content), ["block2_conv1"])
        self.assertAllClose(goal.content["block2_conv1"], self._taps(content)["block2_conv1"])

    def test_regions_have_guided_targets_and_weights_of_mean_one(self):
        content, styles = (
            nets.oblong(20, 24),
            [nets.oblong(12, 28, seed=1), nets.oblong(16, 16, seed=2)],
        )
        where = np.arange(24)[None] + np.arange(20)[:, None] < 17
        part = np.tile(np.arange(28) < 9, (12, 1))
        regions = [targets.Region(where, 0, part), targets.Region(~where, 1, None)]
        goal = self._goal(content, styles, regions=regions)
        for layer, stride in zip(LAYERS, (1, 2), strict=True):

            def squared(mask, stride=stride):
                """The share of a place's area that is in the mask, squared, of mean 1."""
                height, width = (n // stride for n in mask.shape)
                guide = np.zeros((height, width))
                for row, column in np.ndindex(height, width):
                    area = mask[row * stride :, column * stride :][:stride, :stride]
                    guide[row, column] = area.mean()
                return guide**2 / np.mean(guide**2)

            target = goal.style[layer]
            theirs = np.stack([squared(where), squared(~where)])
            self.assertAllClose(target.weights, theirs, rtol=1e-5)
            self.assertAllClose(target.weights.mean((1, 2)), [1, 1], rtol=1e-5)
            first, second = (self._taps(style)[layer][0] for style in styles)
            pairs = [_moments64(first, squared(part)[None]), _moments64(second)]
            for i in range(2):
                theirs = np.concatenate([pair[i] for pair in pairs])
                self.assertAllClose(target.moments[i][0], theirs, rtol=1e-4, atol=1e-5)

    def test_masks_are_fitted_to_their_pictures(self):
        halves = np.arange(48)[None] < np.full((40, 1), 24)
        regions = [targets.Region(halves, 0, halves[::2]), targets.Region(~halves, 0, None)]
        goal = self._goal(nets.oblong(20, 24), [nets.oblong(14, 16, seed=1)], regions=regions)
        theirs = self._goal(
            nets.oblong(20, 24),
            [nets.oblong(14, 16, seed=1)],
            regions=[
                targets.Region(halves[::2, ::2], 0, np.arange(16)[None] < np.full((14, 1), 8)),
                targets.Region(~halves[::2, ::2], 0, None),
            ],
        )
        for layer in LAYERS:
            self.assertAllEqual(goal.style[layer].weights, theirs.style[layer].weights)
            for i in range(2):
                self.assertAllClose(goal.style[layer].moments[i], theirs.style[layer].moments[i])

    def test_what_nothing_is_left_of_is_skipped(self):
        content, styles = nets.oblong(20, 24), [nets.oblong(12, 28, seed=1)]
        where = np.tile(np.arange(24) < 12, (20, 1))
        empty = np.zeros((12, 28), bool)
        rest = targets.Region(~where, 0, None)
        alone = self._goal(content, styles, regions=[rest])
        for region in (
            targets.Region(where, 0, empty),
            targets.Region(np.zeros_like(where), 0, None),
        ):
            goal = self._goal(content, styles, regions=[region, rest])
            for layer in LAYERS:
                self.assertAllEqual(goal.style[layer].weights, alone.style[layer].weights)
                for i in range(2):
                    self.assertAllClose(goal.style[layer].moments[i], alone.style[layer].moments[i])
        # Five columns hold what a unit of the first layer sees, and none of the second's.
        narrow = targets.Region(np.tile(np.arange(24) < 5, (20, 1)), 0, None)
        goal = self._goal(content, styles, regions=[narrow, rest], guide="inside")
        self.assertLen(goal.style["block1_conv1"].weights, 2)
        thin = targets.Region(np.tile(np.abs(np.arange(24) - 9) < 2, (20, 1)), 0, None)
        goal = self._goal(content, styles, regions=[thin, rest], guide="inside")
        self.assertLen(goal.style["block1_conv1"].weights, 2)
        self.assertLen(goal.style["block2_conv1"].weights, 1)
        with self.assertRaisesRegex(InputError, "no region is large enough"):
            self._goal(content, styles, regions=[targets.Region(where, 0, empty)])

    def test_reconstructions_and_textures(self):
        goal = self._goal(nets.oblong(20, 24), [])
        self.assertEqual(goal.layers, ("block2_conv1",))
        goal = self._goal(None, [nets.oblong(12, 28)], shape=(20, 24))
        self.assertEmpty(goal.content)
        self.assertEqual(goal.layers, LAYERS)
        where = np.tile(np.arange(24) < 12, (20, 1))
        regions = [targets.Region(where, 0, None)]
        goal = self._goal(None, [nets.oblong(12, 28)], shape=(20, 24), regions=regions)
        self.assertEqual(goal.style["block2_conv1"].weights.shape, (1, 10, 12))

    def test_what_cannot_be_is_refused(self):
        whole = nets.oblong(20, 24)
        for content, styles, layer in (
            (whole, [nets.oblong(3, 3)], "block2_pool"),
            (nets.oblong(3, 3), [whole], "block2_pool"),
            (whole, [whole], "gap"),
        ):
            with self.assertRaisesRegex(InputError, f"{layer} of small has no map"):
                targets.goal(_network(), content, styles, [layer], [layer])
        with self.assertRaisesRegex(InputError, "no layer 'block9'"):
            targets.goal(_network(), whole, [whole], ["block2_conv1"], ["block9"])
