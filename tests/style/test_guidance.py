"""Masks of regions and what of them a layer sees, against probes of the network."""

import io

import keras
import numpy as np
import PIL.Image
import tensorflow as tf
from absl.testing import parameterized

from tests import nets
from tfvis.errors import InputError
from tfvis.networks import network
from tfvis.style import guidance

BLACK, WHITE, RED, BLUE = (0, 0, 0), (255, 255, 255), (255, 0, 0), (0, 0, 255)


def _labels(height: int, width: int) -> np.ndarray:
    """A disc, a band and what is around them: 1, 2, 0."""
    rows, columns = np.mgrid[:height, :width]
    labels = np.where(columns < width // 4, 2, 0)
    disc = (rows - height / 2) ** 2 + (columns - 0.65 * width) ** 2 < (height / 4) ** 2
    return np.where(disc, 1, labels)


def _painted(labels: np.ndarray, colors) -> np.ndarray:
    return np.float32(colors)[labels]


def _halves(left, right, size=(12, 20)) -> np.ndarray:
    return _painted((np.mgrid[: size[0], : size[1]][1] >= size[1] // 2).astype(int), [left, right])


def _through_jpeg(mask: np.ndarray, quality: int) -> np.ndarray:
    data = io.BytesIO()
    PIL.Image.fromarray(np.uint8(mask)).save(data, "JPEG", quality=quality)
    return np.asarray(PIL.Image.open(data), np.float32)


def _resized(mask: np.ndarray, height: int, width: int) -> np.ndarray:
    image = PIL.Image.fromarray(np.uint8(mask))
    return np.asarray(image.resize((width, height), PIL.Image.Resampling.BICUBIC), np.float32)


class RegionsTest(tf.test.TestCase, parameterized.TestCase):
    def test_flat_colors_are_found_exactly_from_dark_to_light(self):
        labels = _labels(40, 61)
        colors = [(255, 255, 0), (200, 0, 0), (10, 20, 30)]
        found = guidance.regions(_painted(labels, colors))
        self.assertEqual([color for color, _ in found], [colors[2], colors[1], colors[0]])
        for (_, where), label in zip(found, (2, 1, 0), strict=True):
            self.assertEqual(where.dtype, bool)
            self.assertAllEqual(where, labels == label)

    @parameterized.product(
        colors=[
            (BLACK, WHITE, RED),
            ((0, 160, 0), BLUE, (255, 0, 255)),
            (RED, (0, 255, 255), BLACK),
        ],
        change=["jpeg90", "jpeg50", "noise", "smaller", "larger", "larger_jpeg"],
    )
    def test_soft_and_noisy_masks_give_the_same_regions(self, colors, change):
        labels = _labels(120, 170)
        mask = _painted(labels, colors)
        if change.startswith("jpeg"):
            mask = _through_jpeg(mask, int(change[4:]))
        elif change == "noise":
            mask = (mask + np.random.default_rng(0).normal(0, 5, mask.shape)).clip(0, 255)
        elif change == "smaller":
            mask = _resized(_painted(_labels(480, 680), colors), 120, 170)
        else:
            mask = _resized(_painted(_labels(40, 57), colors), 120, 170)
            mask = _through_jpeg(mask, 75) if change == "larger_jpeg" else mask
        self.assertGreater(len(np.unique(mask.reshape(-1, 3), axis=0)), 20)
        found = guidance.regions(mask.astype(np.float32))
        self.assertLen(found, 3)
        total = np.zeros(labels.shape, int)
        for color, where in found:
            total += where
            gaps = np.abs(np.float32(colors) - color).max(1)
            # The mean of a noisy colour; clipping at 0 and 255 and chroma push it by some.
            self.assertLess(gaps.min(), 10)
            if change in ("noise", "smaller"):
                wrong = np.mean(where != (labels == gaps.argmin()))
                # Pixels on the edges: half of a line around the disc, one beside the band.
                self.assertLess(wrong, 0.01)
        # Each pixel belongs to one region.
        self.assertAllEqual(total, np.ones_like(total))

    def test_which_colors_are_main_ones(self):
        pixels = 100 * 100
        for side, count in ((7, 1), (8, 2)):
            # 49 and 64 pixels: under and over half a percent.
            self.assertEqual(side**2 >= 0.005 * pixels, count == 2)
            mask = np.zeros((100, 100, 3), np.float32)
            mask[20 : 20 + side, 30 : 30 + side] = 200
            self.assertLen(guidance.regions(mask), count)
        for level, count in ((31, 1), (32, 2)):
            for base in (0, 5, 100, 223):
                mask = _halves((base, 9, 9), (base + level, 9, 9))
                self.assertLen(guidance.regions(mask), count, (base, level))

    def test_shades_that_are_another_color_apart_only_are_none_together(self):
        """Both are 32 levels from grey, but are one colour, whose mean is 26 from it."""
        labels = np.zeros((60, 60), int)
        labels[:10, :10], labels[-10:, -10:] = 1, 2
        shades = [(100, 100, 100), (132, 120, 100), (120, 132, 100)]
        self.assertLen(guidance.regions(_painted(labels, shades)), 1)
        self.assertLen(guidance.regions(_painted(np.minimum(labels, 1), shades)), 2)

    def test_colors_of_lines_are_no_regions(self):
        lines = np.zeros((60, 60), int)
        lines[::4] = 1
        # A few pixels among their like make no region of a colour of lines.
        lines[10:14, 10:14] = 1
        ((color, _),) = guidance.regions(_painted(lines, [WHITE, RED]))
        self.assertEqual(color, WHITE)
        strip = np.zeros((60, 60), int)
        strip[:, 20:23] = 1
        self.assertLen(guidance.regions(_painted(strip, [WHITE, RED])), 2)

    def test_masks_of_a_few_pixels(self):
        checks = np.indices((5, 5)).sum(0) % 2
        found = guidance.regions(_painted(checks, [WHITE, BLACK]))
        self.assertEqual([color for color, _ in found], [BLACK, WHITE])
        self.assertAllEqual(found[0][1], checks == 1)
        ((color, where),) = guidance.regions(np.full((1, 1, 3), 7, np.float32))
        self.assertEqual((color, where.shape, bool(where.all())), ((7, 7, 7), (1, 1), True))

    def test_bands_of_a_large_mask_fit(self):
        labels = _labels(37, 50)
        mask = _painted(labels, [WHITE, RED, BLACK])
        whole = guidance.regions(mask)
        pixels = guidance._PIXELS
        try:
            guidance._PIXELS = 3 * 50
            parts = guidance.regions(mask)
        finally:
            guidance._PIXELS = pixels
        for one, other in zip(whole, parts, strict=True):
            self.assertEqual(one[0], other[0])
            self.assertAllEqual(one[1], other[1])

    def test_at_most_sixteen(self):
        def stripes(count):
            levels = np.indices((3, 3, 3)).reshape(3, -1).T[:count] * 100
            return np.repeat(np.tile(levels.astype(np.float32)[None], (8, 1, 1)), 5, axis=1)

        self.assertLen(guidance.regions(stripes(16)), 16)
        with self.assertRaisesRegex(InputError, "style_mask: has more than 16 main colours"):
            guidance.regions(stripes(17), "style_mask")
        noise = np.random.default_rng(0).uniform(0, 255, (64, 64, 3)).astype(np.float32)
        with self.assertRaisesRegex(InputError, "content_mask: has more .* main colours.*PNG"):
            guidance.regions(noise)
        # Here something is flat, only too little.
        noise[10:13, 10:13] = 0
        with self.assertRaisesRegex(InputError, "content_mask: has no main colours.*PNG"):
            guidance.regions(noise)


class PairedTest(tf.test.TestCase):
    def test_by_color(self):
        content = _halves(WHITE, RED)
        # One nearly the colour; one that the content has not.
        first = _halves((30, 200, 30), (245, 20, 10), (9, 8))
        second = _halves(WHITE, BLACK, (14, 6))
        pairs = guidance.paired(content, [first, second], 2)
        # Red is darker than white.
        self.assertEqual([index for _, index, _ in pairs], [0, 1])
        self.assertAllEqual(pairs[0][0], np.all(content == RED, -1))
        self.assertAllEqual(pairs[1][0], np.all(content == WHITE, -1))
        self.assertAllEqual(pairs[0][2], np.mgrid[:9, :8][1] >= 4)
        self.assertAllEqual(pairs[1][2], np.mgrid[:14, :6][1] < 3)

    def test_the_nearest_of_several(self):
        content = np.full((6, 6, 3), 100, np.float32)
        far, near = np.full((4, 4, 3), 125, np.float32), np.full((5, 5, 3), 90, np.float32)
        self.assertEqual(guidance.paired(content, [far, near], 2)[0][1], 1)
        self.assertEqual(guidance.paired(content, [near, far], 2)[0][1], 0)
        self.assertEqual(guidance.paired(content, [near, near], 2)[0][1], 0)

    def test_one_style_may_serve_two_regions(self):
        pairs = guidance.paired(_halves(BLACK, WHITE), [_halves(WHITE, BLACK)], 1)
        self.assertEqual([index for _, index, _ in pairs], [0, 0])
        self.assertAllEqual(pairs[0][0], ~pairs[1][0])
        self.assertAllEqual(pairs[0][2], ~pairs[0][0])

    def test_without_style_masks_styles_come_in_order(self):
        labels = _labels(24, 32)
        pairs = guidance.paired(_painted(labels, [WHITE, BLACK, (128, 128, 128)]), [], 3)
        self.assertEqual(
            [(index, part) for _, index, part in pairs], [(0, None), (1, None), (2, None)]
        )
        for (where, _, _), label in zip(pairs, (1, 2, 0), strict=True):
            self.assertAllEqual(where, labels == label)

    def test_what_does_not_fit(self):
        mask = _halves(BLACK, WHITE)
        with self.assertRaisesRegex(InputError, "^style_masks: .*each of the 1 styles.*: 2$"):
            guidance.paired(mask, [mask, mask], 1)
        with self.assertRaisesRegex(InputError, "^style_masks: .*each of the 3 styles.*: 2$"):
            guidance.paired(mask, [mask, mask], 3)
        with self.assertRaisesRegex(InputError, "^content_mask: has 2 colours.* 3 styles"):
            guidance.paired(mask, [], 3)
        message = r"^style_masks: none has .*rgb\(255, 255, 255\) of content_mask.*are.*\(0, 0, 0\)"
        with self.assertRaisesRegex(InputError, message):
            guidance.paired(mask, [_halves(BLACK, RED)], 1)
        # 33 levels away is another colour, 32 is the same.
        self.assertLen(guidance.paired(mask, [_halves(BLACK, (223, 255, 255))], 1), 2)
        with self.assertRaisesRegex(InputError, message):
            guidance.paired(mask, [_halves(BLACK, (222, 255, 255))], 1)


def _odd() -> network.Network:
    """Strides, poolings without padding and with, on sizes that leave something over."""
    keras.utils.set_random_seed(1)
    inputs = x = keras.Input((None, None, 3))
    x = keras.layers.Conv2D(8, 4, strides=2, padding="same", name="conv")(x)
    x = keras.layers.MaxPooling2D(3, 2, name="pool")(x)
    x = keras.layers.Conv2D(8, 2, padding="same", name="top")(x)
    return network.wrap(keras.Model(inputs, x, name="odd"))


def _changed_by_others(net, layer, mask) -> np.ndarray:
    """Tells units that change when the pixels outside the mask do, bool [h, w]."""
    generator = np.random.default_rng(0)
    shape = (24, *mask.shape, 3)
    start = generator.uniform(0, 255, shape)
    # Other pixels are pulled both ways: one could be hidden by a ReLU or a maximum.
    noise = generator.normal(0, 1e2, shape) + generator.choice([-1e3, 0, 1e3], (24, 1, 1, 1))
    other = start + noise * ~mask[..., None]
    taps = net.taps([layer])
    before, after = (taps(tf.constant(x, tf.float32))[layer].numpy() for x in (start, other))
    # Convolutions may round by what is beside their window.
    return np.abs(after - before).max((0, 3)) > 1e-3 * before.std()


class GuidesTest(tf.test.TestCase, parameterized.TestCase):
    @parameterized.product(
        mode=guidance.MODES,
        layer=["block1_conv1", "block1_pool", "block2_conv1", "block2_pool"],
        size=[(48, 64), (45, 63)],
    )
    def test_mean_square_is_one(self, mode, layer, size):
        net = nets.wrapped()
        mask = _labels(*size) == 1
        guide = guidance.guides(mask, net, layer, mode)
        self.assertEqual(guide.dtype, np.float32)
        self.assertAllClose(np.mean(np.square(guide, dtype=np.float64)), 1, rtol=1e-6)
        features = net.taps([layer])(tf.zeros((1, *size, 3)))[layer]
        self.assertEqual(guide.shape, tuple(features.shape[1:3]))
        self.assertAllGreaterEqual(guide, 0)

    @parameterized.parameters(
        ("small", "block1_conv1", (20, 24)),
        ("small", "block2_conv1", (19, 27)),
        ("small", "block2_pool", (29, 34)),
        ("odd", "conv", (19, 26)),
        ("odd", "pool", (26, 31)),
        ("odd", "top", (31, 26)),
    )
    def test_inside_agrees_with_a_probe(self, name, layer, size):
        net = _odd() if name == "odd" else nets.wrapped()
        labels = _labels(*size)
        seen = 0
        for mask in (labels == 2, labels != 1, labels == 0):
            guide = guidance.guides(mask, net, layer, "inside")
            changed = _changed_by_others(net, layer, mask)
            if guide is None:
                self.assertTrue(changed.all())
                continue
            self.assertAllEqual(guide > 0, ~changed)
            # One value inside, that of the normalisation.
            self.assertAllClose(
                guide[guide > 0], np.full((~changed).sum(), (~changed).mean() ** -0.5)
            )
            seen += 1
        self.assertGreaterEqual(seen, 2)

    def test_simple_is_the_mean_of_blocks_where_they_fit(self):
        net = nets.wrapped()
        mask = np.random.default_rng(0).uniform(size=(24, 36)) < 0.3
        for layer, side in (("block1_conv1", 1), ("block1_pool", 2), ("block2_pool", 4)):
            blocks = mask.reshape(24 // side, side, 36 // side, side).mean((1, 3))
            expected = blocks / np.sqrt(np.mean(blocks**2))
            guide = guidance.guides(mask, net, layer, "simple")
            self.assertAllClose(guide, expected, rtol=1e-5, atol=1e-6)

    def test_simple_is_the_mean_of_areas_where_they_do_not(self):
        net = nets.wrapped()
        mask = np.random.default_rng(0).uniform(size=(23, 30)) < 0.3
        height, width = net.shape("block2_pool", 23, 30)[:2]
        # Each pixel in 5 x 7 equal parts, which divide the places of the map.
        fine = np.kron(mask, np.ones((height, width)))
        areas = fine.reshape(height, 23, width, 30).mean((1, 3))
        expected = areas / np.sqrt(np.mean(areas**2))
        guide = guidance.guides(mask, net, "block2_pool", "simple")
        self.assertAllClose(guide, expected, rtol=1e-4, atol=1e-5)

    def test_a_network_of_fixed_size(self):
        net = nets.wrapped(size=16)
        mask = np.mgrid[:24, :40][1] < 20
        simple = guidance.guides(mask, net, "block1_pool", "simple")
        self.assertAllClose(simple, np.repeat(np.sqrt([[2, 0]]), 4, 1).repeat(8, 0))
        inside = guidance.guides(mask, net, "block1_pool", "inside")
        self.assertEqual(inside.shape, (8, 8))
        self.assertAllEqual(inside > 0, np.broadcast_to(np.arange(8) < 3, (8, 8)))

    def test_nothing_left_is_none(self):
        net = nets.wrapped()
        mask = np.zeros((32, 32), bool)
        for mode in guidance.MODES:
            self.assertIsNone(guidance.guides(mask, net, "block1_pool", mode))
        # Four pixels: block2_pool sees ten at once, but has their share of an area.
        mask[10:14, 10:14] = True
        self.assertIsNone(guidance.guides(mask, net, "block2_pool", "inside"))
        self.assertIsNotNone(guidance.guides(mask, net, "block2_pool", "simple"))
        mask[:] = True
        for mode in guidance.MODES:
            self.assertAllClose(guidance.guides(mask, net, "block2_pool", mode), np.ones((8, 8)))

    def test_units_that_see_everything(self):
        inputs = keras.Input((None, None, 3))
        x = keras.layers.GroupNormalization(1, name="norm")(inputs)
        net = network.wrap(keras.Model(inputs, x))
        mask = np.ones((6, 8), bool)
        self.assertAllClose(guidance.guides(mask, net, "norm", "inside"), np.ones((6, 8)))
        mask[0, 0] = False
        self.assertIsNone(guidance.guides(mask, net, "norm", "inside"))

    def test_units_that_see_padding_only_are_in_no_region(self):
        net = network.wrap(
            keras.Sequential(
                [keras.Input((None, None, 3)), keras.layers.ZeroPadding2D(2, name="pad")]
            )
        )
        guide = guidance.guides(np.ones((4, 6), bool), net, "pad", "inside")
        self.assertAllEqual(guide > 0, np.pad(np.ones((4, 6), bool), 2))

    def test_what_cannot_be_guided(self):
        net, mask = nets.wrapped(), np.ones((16, 16), bool)
        with self.assertRaisesRegex(InputError, "simple, inside. Received: all"):
            guidance.guides(mask, net, "block1_conv1", "all")
        with self.assertRaisesRegex(InputError, "no layer 'block9'"):
            guidance.guides(mask, net, "block9")
        for mode in guidance.MODES:
            with self.assertRaisesRegex(InputError, "style_layers: gap .*no map.*16 x 16"):
                guidance.guides(mask, net, "gap", mode)
            with self.assertRaisesRegex(InputError, "block2_pool .*no map.*2 x 2"):
                guidance.guides(mask[:2, :2], net, "block2_pool", mode)
