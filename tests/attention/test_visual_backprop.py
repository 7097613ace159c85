"""VisualBackProp: against scattered ones and Keras' own derivatives; what a mask is."""

import keras
import numpy as np
import tensorflow as tf
from absl.testing import parameterized

from tests import nets
from tests.chains import CHAINS, chain, wrap
from tfvis.attention import multiplied_maps, visual_backprop
from tfvis.errors import InputError
from tfvis.networks import network

layers = keras.layers
Attend = visual_backprop.VisualBackProp


def _scattered(mask: np.ndarray, size, kernel, stride, dilation, padding) -> np.ndarray:
    """The deconvolution with ones, as the word says: each unit adds itself to its window."""
    before = [0, 0]
    if padding == "same":
        # TensorFlow's rule: as many as are missing, the odd one behind.
        for k in range(2):
            missing = (mask.shape[k] - 1) * stride + (kernel - 1) * dilation + 1 - size[k]
            before[k] = max(missing, 0) // 2
    result = np.zeros(size)
    for (row, column), value in np.ndenumerate(mask):
        for i in range(kernel):
            for j in range(kernel):
                y = row * stride - before[0] + i * dilation
                x = column * stride - before[1] + j * dilation
                if 0 <= y < size[0] and 0 <= x < size[1]:
                    result[y, x] += value
    return result


def _stretched(x: np.ndarray) -> np.ndarray:
    return (x - x.min()) / (x.max() - x.min())


def _noise(*shape, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).uniform(0, 255, shape).astype(np.float32)


def _averages(net: network.Network, names, image: np.ndarray) -> list[np.ndarray]:
    """Means over channels of a network's maps, of the graph as it is."""
    model = keras.Model(net.graph.inputs, {name: net.graph.tensors[name] for name in names})
    maps = model(image[None])
    return [np.maximum(maps[name].numpy()[0], 0).mean(-1).astype(np.float64) for name in names]


class ChainTest(tf.test.TestCase, parameterized.TestCase):
    @parameterized.product(name=list(CHAINS), per_layer=[False, True])
    def test_as_published(self, name, per_layer):
        steps, size = CHAINS[name]
        net = wrap(chain(steps))
        image = _noise(*size, 3)
        found = Attend(net, per_layer=per_layer).attend(image[None])
        names = [str(k) for k in range(len(steps))]
        averages = _averages(net, names, image)
        if per_layer:
            averages = [_stretched(average) for average in averages]
        self.assertEqual(list(found.steps), names[::-1])
        mask = 1.0
        for k in reversed(range(len(steps))):
            mask = mask * averages[k]
            self.assertAllClose(found.steps[names[k]][0], mask / mask.max(), atol=1e-5)
            mask = _scattered(mask, averages[k - 1].shape if k else size, *steps[k][1:])
        self.assertAllClose(found.mask[0], _stretched(mask), atol=1e-5)

    def test_the_formula_without_borders(self):
        # Sizes that leave no pixel over: the paper's case, and TensorFlow's own operation.
        net = wrap(chain([("conv", 5, 2, 1, "valid"), ("conv", 3, 2, 1, "valid")]))
        image = _noise(31, 31, 3)
        first, second = (
            a[None, :, :, None].astype(np.float32) for a in _averages(net, "01", image)
        )

        def up(x, kernel, size):
            ones = tf.ones((kernel, kernel, 1, 1))
            return tf.nn.conv2d_transpose(x, ones, (1, size, size, 1), 2, "VALID")

        expected = up(first * up(second, 3, 14)[:, :14, :14], 5, 31)
        self.assertAllClose(
            Attend(net).attend(image[None]).mask[0],
            _stretched(expected.numpy()[0, ..., 0]),
            atol=1e-5,
        )

    def test_paddings_are_geometry(self):
        def build(x):
            x = layers.ZeroPadding2D(((2, 1), (0, 3)))(x)
            x = layers.Conv2D(4, 3, 2, name="conv")(x)
            return layers.ReLU(name="relu")(layers.BatchNormalization()(x))

        net = wrap(build)
        image = _noise(18, 20, 3)
        attend = Attend(net)
        self.assertEqual(attend.layers, ("relu",))
        (average,) = _averages(net, ["relu"], image)
        padded = _scattered(average, (21, 23), 3, 2, 1, "valid")
        self.assertAllClose(
            attend.attend(image[None]).mask[0], _stretched(padded[2:20, :20]), atol=1e-5
        )


def _residual(x):
    """A strided block with a strided shortcut; together its units see 5 x 5."""
    stem = layers.Conv2D(4, 3, padding="same", activation="relu", name="stem")(x)
    y = layers.Conv2D(4, 3, 2, padding="same", activation="relu")(stem)
    y = layers.Conv2D(4, 3, padding="same")(y)
    return layers.ReLU(name="out")(layers.Add()([y, layers.Conv2D(4, 1, 2)(stem)]))


def _inception(x):
    stem = layers.Conv2D(4, 3, activation="relu", name="stem")(x)
    a = layers.Conv2D(4, 5, padding="same", activation="relu")(stem)
    b = layers.Conv2D(4, 1, activation="relu")(layers.AveragePooling2D(3, 1, "same")(stem))
    c = layers.Conv2D(4, (1, 3), padding="same")(layers.Conv2D(4, (3, 1), padding="same")(stem))
    return layers.Concatenate(name="out")([a, b, c])


def _operations(x):
    stem = layers.Conv2D(4, 3, 2, padding="same", activation="relu", name="stem")(x / 255.0)
    y = layers.DepthwiseConv2D(3, padding="same", dilation_rate=2)(stem) * 2.0
    return keras.ops.relu(stem + y)


class GraphTest(tf.test.TestCase, parameterized.TestCase):
    @parameterized.parameters(
        # How the stem slides, and the image's size.
        (_residual, 1, "same", (19, 16)),
        (_inception, 1, "valid", (17, 20)),
        (_operations, 2, "same", (16, 21)),
    )
    def test_a_block_has_all_that_its_units_see(self, build, stride, padding, size):
        net = wrap(build)
        attend = Attend(net)
        self.assertLen(attend.layers, 2)
        image = _noise(*size, 3)
        stem, out = _averages(net, attend.layers, image)
        found = attend.attend(image[None]).mask[0].numpy()
        # What a unit sees is where a derivative is not 0, be it of a linear block.
        for layer in net.graph.layers.values():
            if isinstance(layer, layers.Conv2D | layers.DepthwiseConv2D):
                layer.set_weights([np.ones_like(w) for w in layer.get_weights()])
        start, end = (net.graph.tensors[name] for name in attend.layers)
        block = keras.Model(start, end)
        given = tf.ones((1, *stem.shape, 4))
        with tf.GradientTape() as tape:
            tape.watch(given)
            summed = tf.reduce_sum(block(given)[0], -1)
        seen = tape.jacobian(summed, given).numpy()[:, :, 0].sum(-1) > 0
        mask = stem * np.einsum("uvyx,uv->yx", seen, out)
        expected = _scattered(mask, size, 3, stride, 1, padding)
        self.assertAllClose(found, _stretched(expected), atol=1e-5)

    def test_of_a_map_below_zero_the_positive_part_counts(self):
        net = wrap(lambda x: layers.Conv2D(4, 3, name="conv")(x))
        image = _noise(12, 13, 3)
        (average,) = _averages(net, ["conv"], image)
        expected = _scattered(average, (12, 13), 3, 1, 1, "valid")
        self.assertAllClose(
            Attend(net).attend(image[None]).mask[0], _stretched(expected), atol=1e-5
        )

    def test_chosen_layers_in_any_order(self):
        net = nets.wrapped()
        image = nets.picture(24)[None]
        one = Attend(net, ("block2_conv1", "block1_conv1"))
        two = Attend(net, ("block1_conv1", "block2_conv1", "block1_conv1"))
        self.assertEqual(one.layers, ("block1_conv1", "block2_conv1"))
        self.assertAllEqual(one.attend(image).mask, two.attend(image).mask)
        self.assertNotAllClose(one.attend(image).mask, Attend(net).attend(image).mask)

    def test_wrong_input(self):
        net, residual = nets.wrapped(), wrap(_residual)
        dense = wrap(lambda x: layers.Dense(3)(layers.Flatten()(x)), size=4)
        inner = next(p for p in residual.paths if p.startswith("conv2d"))
        image = nets.picture(16)[None]
        cases = {
            "no spatial layers": lambda: Attend(dense),
            f"not every path to out of .* passes {inner}": lambda: Attend(residual, [inner, "out"]),
            "gap of small is not a map": lambda: Attend(net, ["block1_conv1", "gap"]),
            "has no layer 'block9'": lambda: Attend(net, ["block9"]),
            "has no layer 'nothing'": lambda: Attend(net, extra=["nothing"]),
            "no layers were named": lambda: Attend(net, []),
            "3 x 16 pixels up to block2_pool": lambda: Attend(net).attend(image[:, :3]),
            "takes images of": lambda: Attend(net).attend(image[0]),
            "small takes images of .* 3]": lambda: Attend(net).attend(image[..., :1]),
        }
        for words, call in cases.items():
            with self.subTest(words), self.assertRaisesRegex(InputError, words) as caught:
                call()
            self.assertNotIn("\n", str(caught.exception))


class RectifiedTest(tf.test.TestCase):
    def test_poolings_and_what_is_not_rectified_are_left_out(self):
        def build(x):
            x = layers.Conv2D(4, 3, activation="relu", name="a")(x)
            x = layers.MaxPooling2D(2, name="b")(x)
            x = layers.Conv2D(4, 3, name="c")(x)
            x = layers.BatchNormalization(name="normal")(x)
            x = layers.ReLU(name="d")(x)
            return layers.Conv2D(4, 3, name="e")(x)

        net = wrap(build)
        self.assertEqual(multiplied_maps.maps(net), ("a", "b", "d", "e"))
        self.assertEqual(Attend(net, ("relu",)).layers, ("a", "d"))
        with self.assertRaisesRegex(InputError, "layers=relu: no map"):
            Attend(wrap(lambda x: layers.Conv2D(4, 3)(x)), ("relu",))


class MaskTest(tf.test.TestCase, parameterized.TestCase):
    def test_a_batch_is_images_alone(self):
        net = nets.wrapped()
        attend = Attend(net)
        images = np.stack([nets.picture(24, seed=k) * (0.2 + 0.4 * k) for k in range(3)])
        found = attend.attend(images).mask.numpy()
        self.assertAllEqual(found.min((1, 2)), np.zeros(3))
        self.assertAllEqual(found.max((1, 2)), np.ones(3))
        for k in range(3):
            self.assertAllClose(attend.attend(images[k : k + 1]).mask[0], found[k], atol=1e-5)

    def test_large_images_of_a_batch(self):
        # From some size on, taps take a batch image by image.
        net = nets.wrapped()
        attend = Attend(net)
        images = np.stack([nets.picture(104, seed=k) for k in range(2)])
        self.assertAllClose(
            attend.attend(images).mask[1], attend.attend(images[1:]).mask[0], atol=1e-5
        )

    def test_nothing_and_everything_alike_are_zero(self):
        silent = wrap(lambda x: layers.Conv2D(2, 3, activation="relu", name="conv")(-x))
        # Of one weight above zero each, so that it answers; of 1 x 1, so that no border shows.
        alike = wrap(
            lambda x: layers.Conv2D(
                7, 1, activation="relu", kernel_initializer=keras.initializers.RandomUniform(0.1, 1)
            )(x)
        )
        for weights in silent.graph.layers["conv"].weights:
            weights.assign(tf.abs(weights))
        for net in (silent, alike):
            for per_layer in (False, True):
                found = Attend(net, per_layer=per_layer).attend(
                    np.full((1, 9, 11, 3), 77.3, np.float32)
                )
                self.assertAllEqual(found.mask, np.zeros((1, 9, 11)))

    def test_rounding_is_no_shape(self):
        # Sums of a thousand equal terms, which differ in the last digits only.
        even = (1000 + np.arange(12).reshape(1, 3, 4) % 3 * 1e-4).astype(np.float32)
        self.assertGreater(np.ptp(even), 0)
        self.assertAllEqual(visual_backprop._stretched(even, 0.0), np.zeros((1, 3, 4)))
        self.assertAllEqual(visual_backprop._stretched(even, 1.0), np.ones((1, 3, 4)))

    def test_a_map_of_one_place_does_not_extinguish_a_mask(self):
        # The last pooling leaves one place, which has nothing to be stretched.
        net, image = nets.wrapped(), nets.picture(4)[None]
        with_it = Attend(net, per_layer=True).attend(image).mask
        without = Attend(net, net.paths[:3], per_layer=True).attend(image).mask
        self.assertEqual(float(tf.reduce_max(with_it)), 1.0)
        self.assertAllClose(with_it, without, atol=1e-5)

    def test_extra_taps_are_those_of_the_network(self):
        net, images = nets.wrapped(), np.stack([nets.picture(24, seed=k) for k in range(2)])
        extra = ("block2_pool", "logits")
        found = Attend(net, extra=extra).attend(images)
        expected = net.taps(extra)(tf.constant(images))
        self.assertEqual(tuple(found.taps), extra)
        for layer in extra:
            self.assertAllClose(found.taps[layer], expected[layer], rtol=1e-5, atol=1e-6)

    def test_a_network_of_fixed_size_takes_any(self):
        fixed, free = nets.wrapped(size=32), nets.wrapped()
        image = nets.picture(32)[None]
        self.assertAllClose(
            Attend(fixed).attend(image).mask,
            Attend(free).attend(image).mask,
            atol=1e-5,
        )
        found = Attend(fixed).attend(nets.oblong(48, 71)[None]).mask
        self.assertEqual(found.shape, (1, 48, 71))
        self.assertEqual((float(tf.reduce_min(found)), float(tf.reduce_max(found))), (0.0, 1.0))

    def test_one_trace_for_a_shape(self):
        attend = Attend(nets.wrapped())
        for size, seed in ((16, 0), (16, 1), (24, 0), (16, 2)):
            attend.attend(nets.picture(size, seed=seed)[None])
        self.assertEqual(attend._run.experimental_get_tracing_count(), 2)

    def test_bfloat16_is_near(self):
        net, image = nets.wrapped(), nets.picture(32)[None]
        full, half = (Attend(net, precision=p).attend(image).mask for p in ("float32", "bfloat16"))
        # Five maps, each of 8 bits.
        self.assertAllClose(full, half, atol=0.05)

    def test_the_network_stays_as_it_was(self):
        net = nets.wrapped()
        paths = net.paths
        Attend(net)
        self.assertEqual(net.paths, paths)


if __name__ == "__main__":
    tf.test.main()
