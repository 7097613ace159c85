"""Tiles against the whole picture: values, gradients and maps must be the same."""

import functools

import keras
import numpy as np
import tensorflow as tf
from absl.testing import parameterized

from tests import nets
from tfvis.errors import InputError
from tfvis.networks import network, padding
from tfvis.networks.preprocessing import contracts
from tfvis.style import losses, targets, tiling

# Odd, so that every pooling drops a row or a column; three times three tiles at least.
HEIGHT, WIDTH, CORE = 101, 83, 16


def _deep(kind: str = "max") -> keras.Model:
    """Four blocks of one, two, two and one convolutions, three poolings between them.

    Args:
        kind: "max", "avg"; "same" is a stride, a dilation and poolings that pad; "valid" is
            convolutions and a padding that make the maps smaller and larger than the image.
    """
    keras.utils.set_random_seed(0)
    layers = keras.layers
    x = inputs = keras.Input((None, None, 3))
    # Pads by two, of which the next convolution takes one: a map larger than the image.
    x = layers.ZeroPadding2D(2, name="wider")(x) if kind == "valid" else x
    for block in range(1, 5):
        border = "valid" if kind == "valid" else "same"
        for k in (1, 2) if block in (2, 3) else (1,):
            wide = {"dilation_rate": 2} if kind == "same" and (block, k) == (2, 2) else {}
            x = layers.Conv2D(
                6, 3, padding=border, activation="relu", name=f"block{block}_conv{k}", **wide
            )(x)
        if kind == "same" and block < 4:
            x = layers.MaxPooling2D(3, 2, padding="same", name=f"block{block}_pool")(x)
        elif block < 4:
            kinds = {"avg": layers.AveragePooling2D}
            x = kinds.get(kind, layers.MaxPooling2D)(2, name=f"block{block}_pool")(x)
    outputs = layers.GlobalAveragePooling2D(name="gap")(x)
    return keras.Model(inputs, outputs, name=f"deep_{kind}")


@functools.cache
def _network(kind: str) -> network.Network:
    if kind == "small":
        return nets.wrapped()
    if kind == "replicate":
        return padding.padded(_network("max"), "replicate")
    return network.wrap(_deep(kind), preprocessing=contracts.named("tf"))


def _noise(height: int, width: int, batch: int = 1, seed: int = 0) -> np.ndarray:
    shape = (batch, height, width, 3)
    return np.random.default_rng(seed).uniform(0, 255, shape).astype(np.float32)


def _layers(kind: str) -> tuple[list[str], list[str]]:
    """Content and style layers; the latter cut their maps by different strides."""
    if kind == "small":
        return ["block2_conv1"], ["block1_conv1", "block2_conv1"]
    if kind in ("same", "valid"):
        # Their fourth block sees more than the image leaves for three tiles.
        return ["block3_conv1"], [f"block{k}_conv1" for k in range(1, 4)]
    return ["block3_conv2"], [f"block{k}_conv1" for k in range(1, 5)]


def _energy(kind: str, height: int, width: int, core, regions=()):
    """Returns (terms, gradient, goal, plan) of a noise picture of two, another as content."""
    net, (content, style) = _network(kind), _layers(kind)
    goal = targets.goal(
        net, _noise(height, width)[0], [_noise(60, 77, seed=1)[0]], content, style,
        regions=regions, tile=core,
    )  # fmt: skip
    taps = net.taps(goal.layers)
    plan = tiling.plan(net, goal.layers, height, width, core)
    found = tiling.summed(lambda crop, window: targets.sums(taps(crop), goal, window), plan)

    @tf.function
    def differentiated(x):
        with tf.GradientTape() as tape:
            tape.watch(x)
            terms = losses.unit(found(x), goal)
            # Of the same order, so that no term hides another.
            total = tf.add_n([term / tf.stop_gradient(term) for term in terms.values()])
        return terms, tape.gradient(total, x)

    terms, gradient = differentiated(tf.constant(_noise(height, width, 2, seed=2)))
    return terms, gradient.numpy(), goal, plan


class EnergyTest(tf.test.TestCase, parameterized.TestCase):
    def _check(self, kind, height, width, core, regions=()):
        terms, gradient, goal, none = _energy(kind, height, width, None, regions)
        self.assertIsNone(none)
        by_tiles, gradient_by_tiles, goal_by_tiles, plan = _energy(
            kind, height, width, core, regions
        )
        rows, columns = (len(set(plan.starts[:, axis])) for axis in (0, 1))
        self.assertGreaterEqual(min(rows, columns), 3)
        for name, term in terms.items():
            self.assertAllClose(by_tiles[name], term, rtol=1e-4, atol=0, msg=name)
        largest = np.abs(gradient).max()
        self.assertAllClose(gradient_by_tiles / largest, gradient / largest, rtol=0, atol=1e-4)
        # What tiles add up to in float32, relative to the largest.
        for layer, features in goal.content.items():
            self.assertAllClose(goal_by_tiles.content[layer], features, rtol=1e-5, atol=1e-5)
        for layer, target in goal.style.items():
            for ours, theirs in zip(
                goal_by_tiles.style[layer].moments, target.moments, strict=True
            ):
                self.assertAllClose(ours, theirs, rtol=1e-4, atol=1e-4 * np.abs(theirs).max())

    @parameterized.parameters("max", "avg", "same", "valid", "replicate")
    def test_energies_and_gradients_are_those_of_the_whole(self, kind):
        self._check(kind, HEIGHT, WIDTH, CORE)

    def test_a_shallow_network_in_many_tiles(self):
        # Not a multiple of the stride: rounded up to 6.
        self._check("small", 61, 53, 5)

    @parameterized.parameters("max", "replicate")
    def test_regions_are_cut_with_the_picture(self, kind):
        where = np.hypot(*(np.mgrid[:HEIGHT, :WIDTH] - 40)) < 35
        part = np.arange(77)[None] > np.arange(60)[:, None]
        regions = [targets.Region(where, 0, part), targets.Region(~where, 0, None)]
        self._check(kind, HEIGHT, WIDTH, CORE, regions)


class PlanTest(tf.test.TestCase, parameterized.TestCase):
    @parameterized.parameters("max", "same", "valid")
    def test_cores_hold_each_place_once_and_crops_have_one_size(self, kind):
        net, layers = _network(kind), _layers(kind)[1]
        for height, width in ((101, 83), (96, 128), (250, 97)):
            plan = tiling.plan(net, layers, height, width, CORE)
            self.assertAllGreaterEqual(plan.starts, 0)
            self.assertAllGreaterEqual(np.subtract((height, width), plan.starts + plan.crop), 0)
            for layer in layers:
                self.assertEqual(plan.shapes[layer], net.shape(layer, height, width)[:2])
                self.assertEqual(plan.sizes[layer], net.shape(layer, *plan.crop)[:2])
                counts = np.zeros(plan.shapes[layer], int)
                for (top, low, high), (left, near, far) in plan.cells[layer]:
                    counts[top + low : top + high, left + near : left + far] += 1
                self.assertAllEqual(counts, np.ones_like(counts))

    def test_a_picture_that_one_tile_holds_is_done_at_once(self):
        layers = _layers("max")[1]
        self.assertIsNone(tiling.plan(_network("max"), layers, HEIGHT, WIDTH, None))
        self.assertIsNone(tiling.plan(_network("max"), layers, HEIGHT, WIDTH, 96))
        # Along one axis alone, too.
        plan = tiling.plan(_network("max"), layers, 40, 400, CORE)
        self.assertEqual(plan.crop[0], 40)
        self.assertAllEqual(plan.starts[:, 0], np.zeros(len(plan.starts)))

    def test_layers_that_see_the_whole_image_are_refused(self):
        cases = (
            (_network("max"), "gap"),
            (padding.padded(_network("max"), "circular"), "block2_conv1"),
            (nets.wrapped(size=64), "block1_conv1"),
        )
        for net, layer in cases:
            with self.assertRaisesRegex(InputError, "tile: .* in tiles"):
                tiling.plan(net, ["block1_conv1", layer], 64, 64, 8)

    def test_layers_that_enlarge_their_map_are_refused(self):
        x = inputs = keras.Input((None, None, 3))
        x = keras.layers.UpSampling2D(2, name="larger")(x)
        net = network.wrap(keras.Model(inputs, x))
        with self.assertRaisesRegex(InputError, "enlarges"):
            tiling.plan(net, ["larger"], 64, 64, 8)


class SummedTest(tf.test.TestCase):
    def test_one_trace_whatever_the_number_of_tiles(self):
        calls = []
        taps = _network("small").taps(["block2_conv1"])

        def function(crop, window):
            calls.append(crop.shape)
            features = taps(crop)["block2_conv1"] * window.mask("block2_conv1")[..., None]
            return tf.reduce_sum(tf.square(features), [1, 2, 3])

        for side in (40, 80):
            calls.clear()
            plan = tiling.plan(_network("small"), ["block2_conv1"], side, side, 8)
            found = tiling.summed(function, plan)

            @tf.function
            def differentiated(x, found=found):
                with tf.GradientTape() as tape:
                    tape.watch(x)
                    total = found(x)
                return tape.gradient(total, x)

            for seed in range(3):
                differentiated(tf.constant(_noise(side, side, seed=seed)))
            self.assertGreaterEqual(len(plan.starts), 25)
            # For the shapes of what it returns, on the way there, on the way back.
            self.assertEqual(calls, 3 * [(1, *plan.crop, 3)])

    def test_compiles_with_xla(self):
        plan = tiling.plan(_network("small"), ["block1_conv1"], 20, 24, 8)
        taps = _network("small").taps(["block1_conv1"], packed=False)

        def function(crop, window):
            return tf.reduce_sum(
                tf.square(taps(crop)["block1_conv1"]) * window.mask("block1_conv1")[..., None],
                [1, 2, 3],
            )

        def differentiated(x):
            with tf.GradientTape() as tape:
                tape.watch(x)
                total = tiling.summed(function, plan)(x)
            return total, tape.gradient(total, x)

        x = tf.constant(_noise(20, 24))
        plain, compiled = (tf.function(differentiated, jit_compile=jit)(x) for jit in (False, True))
        for ours, theirs in zip(compiled, plain, strict=True):
            self.assertAllClose(ours, theirs, rtol=1e-4, atol=1e-6)
