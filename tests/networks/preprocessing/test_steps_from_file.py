"""From a file's picture to a network's input: against Pillow, NumPy, and one by one."""

import dataclasses

import numpy as np
import PIL.Image
import tensorflow as tf
from absl.testing import parameterized

from tests import nets
from tfvis.errors import InputError
from tfvis.networks.preprocessing import contracts, published_recipes, steps_from_file
from tfvis.report import manifest

CAFFE_MEAN = (123.68, 116.779, 103.939)
# Wide, tall, smaller than the crop, sides that leave odd margins, and nearly lines.
SIZES = ((300, 431), (431, 300), (37, 50), (256, 256), (513, 257), (3, 40), (3, 42))


def _photograph(height: int, width: int, seed: int = 0) -> np.ndarray:
    """uint8 [height, width, 3] with the contrast and grain of one."""
    noise = np.random.default_rng(seed).normal(0, 12, (height, width, 3))
    return np.clip(nets.oblong(height, width, seed) + noise, 0, 255).astype(np.uint8)


def _pillow(picture: np.ndarray, resize: int, crop: int, mean) -> np.ndarray:
    """All of it by Pillow and NumPy, on whole grey levels: [crop, crop, 3], BGR."""
    height, width = picture.shape[:2]
    shortest = min(height, width)
    size = (width * resize // shortest, height * resize // shortest)
    image = PIL.Image.fromarray(picture).resize(size, PIL.Image.Resampling.BILINEAR)
    left, top = ((side - crop) // 2 for side in size)
    image = image.crop((left, top, left + crop, top + crop))
    return (np.asarray(image, np.float64) - mean)[:, :, [2, 1, 0]]


def _sampled(picture: np.ndarray, rows: int, columns: int) -> np.ndarray:
    """Bilinear without antialiasing: each pixel from its nearest two, then two."""
    for axis, size in enumerate((rows, columns)):
        places = (np.arange(size) + 0.5) * picture.shape[axis] / size - 0.5
        known = np.arange(picture.shape[axis])
        lines = np.moveaxis(picture, axis, 0).reshape(len(known), -1).T
        lines = np.stack([np.interp(places, known, line) for line in lines], axis=-1)
        shape = list(np.moveaxis(picture, axis, 0).shape)
        picture = np.moveaxis(lines.reshape(size, *shape[1:]), 0, axis)
    return picture


class StepsTest(tf.test.TestCase, parameterized.TestCase):
    @parameterized.parameters(*SIZES)
    def test_all_steps_are_pillow_s_to_one_grey_level(self, height, width):
        picture = _photograph(height, width)
        expected = _pillow(picture, 256, 224, CAFFE_MEAN)
        x = steps_from_file.to_255(picture[None] / 255)
        x = steps_from_file.cropped(steps_from_file.resized(x, 256), 224)
        x = steps_from_file.to_bgr(steps_from_file.minus_mean(x, CAFFE_MEAN))
        # Pillow rounds to whole levels, once along each side.
        self.assertAllClose(x[0], expected, rtol=0, atol=1)
        self.assertAllClose(
            published_recipes.named("vgg_cnn")(picture[None])[0], expected, rtol=0, atol=1
        )

    def test_squeezed_without_antialiasing(self):
        for height, width in ((300, 431), (100, 61)):
            picture = _photograph(height, width)
            x = published_recipes.named("illustration2vec")(picture[None])[0]
            mean = (164.76139251, 167.47864617, 181.13838569)
            expected = _sampled(picture.astype(np.float64), 224, 224)[..., ::-1] - mean
            # Places are float32: off by 1e-5 of a pixel, between pixels 100 levels apart.
            self.assertAllClose(x, expected, rtol=0, atol=0.01)
            smooth = dataclasses.replace(
                published_recipes.named("illustration2vec"), antialias=True
            )
            if height == 300:
                self.assertGreater(np.abs(smooth(picture[None])[0] - x).max(), 5)

    def test_caffenet_squeezes_and_cuts_227(self):
        picture = _photograph(300, 431)
        squeezed = PIL.Image.fromarray(picture).resize((256, 256), PIL.Image.Resampling.BILINEAR)
        expected = np.asarray(squeezed, np.float64)[14:241, 14:241] - (122.679, 116.669, 104.007)
        x = published_recipes.named("caffenet")(picture[None])[0]
        self.assertAllClose(x, expected[..., ::-1], rtol=0, atol=1)

    def test_sizes_unknown_to_the_graph(self):
        spec = tf.TensorSpec((None, None, None, 3), tf.uint8)
        for recipe in (
            published_recipes.Recipe(48, 40),
            published_recipes.Recipe(48, (31, 40), aspect=False),
        ):
            run = tf.function(recipe, input_signature=[spec])
            self.assertEqual(
                run.get_concrete_function().structured_outputs.shape[1:],
                (*steps_from_file.pair(recipe.crop), 3),
            )
            for height, width in SIZES:
                picture = _photograph(height, width)[None]
                # Sizes are divided in the graph, or before: the last bit of a place.
                self.assertAllClose(run(picture), recipe(picture), rtol=0, atol=0.01)

    def test_a_part_is_computed_as_of_the_whole(self):
        picture = _photograph(20, 90)[None]
        whole = steps_from_file.resized(picture, 64)
        self.assertEqual(whole.shape[1:3], (64, 288))
        part = steps_from_file.resized(picture, 64, keep=(100, 101))
        self.assertEqual(part.shape[1:3], (64, 101))
        self.assertAllClose(part, whole[:, :, 93:194], rtol=0, atol=0.01)

    def test_a_line_takes_no_memory(self):
        """Whole, this one would be 224 x 3.6 million pixels: ten gigabytes."""
        line = np.full((1, 1, 16_000, 3), 50, np.uint8)
        ready = published_recipes.Recipe(224, 224, contracts.named("none"))(line)
        self.assertAllClose(ready, np.full((1, 224, 224, 3), 50.0))

    def test_the_centre_leaves_the_smaller_half_above(self):
        rows = tf.range(9.0)[None, :, None, None] * tf.ones((1, 9, 5, 3))
        self.assertAllEqual(steps_from_file.cropped(rows, (4, 5))[0, :, 0, 0], [2, 3, 4, 5])

    def test_gradients_reach_the_picture(self):
        x = tf.constant(_photograph(30, 50)[None], tf.float32)
        with tf.GradientTape() as tape:
            tape.watch(x)
            total = tf.reduce_sum(published_recipes.Recipe(24, 20)(x))
        gradient = tape.gradient(total, x)
        self.assertGreater(np.abs(gradient[0, 15, 25]).min(), 0)
        self.assertAllEqual(gradient[0, :, 0], np.zeros((30, 3)))

    def test_bad_pictures_and_recipes(self):
        for bad in (np.zeros((4, 4, 3)), np.zeros((1, 0, 4, 3))):
            with self.assertRaisesRegex(InputError, "pictures"):
                steps_from_file.resized(bad, 8)
        with self.assertRaisesRegex(InputError, "no centre of 6x6"):
            steps_from_file.cropped(np.zeros((1, 5, 8, 3)), 6)
        for resize, crop in ((224, 256), ((224, 300), (225, 300)), (8, 0)):
            with self.assertRaisesRegex(InputError, "crop of at least 1 px"):
                published_recipes.Recipe(resize, crop)
        with self.assertRaisesRegex(InputError, "caffenet"):
            published_recipes.named("cafenet")
        with self.assertRaisesRegex(InputError, "Received an image of 4"):
            published_recipes.Recipe(8, 8)(np.zeros((1, 8, 8, 4)))

    def test_networks_find_their_recipes(self):
        none, drawings = contracts.named("none"), contracts.named("illustration2vec")
        for name, contract, fixed, resize, crop, aspect in (
            ("vgg_cnn_s", none, None, 256, 224, True),
            ("vgg16", none, (224, 224), 256, 224, True),
            ("/models/CaffeNet.keras", none, (227, 227), 256, 227, False),
            ("illustration2vec_features", drawings, (224, 224), 224, 224, False),
            ("model.keras", drawings, None, 224, 224, False),
            ("resnet50", none, None, 256, 224, True),
            ("inceptionv3", none, (299, 299), (342, 342), (299, 299), True),
            ("flat.keras", none, (28, 56), (32, 64), (28, 56), True),
        ):
            recipe = published_recipes.fitting(name, contract, fixed)
            found = (recipe.resize, recipe.crop, recipe.aspect, recipe.preprocessing)
            self.assertEqual(found, (resize, crop, aspect, contract), name)


class MeanImageTest(tf.test.TestCase):
    def setUp(self):
        super().setUp()
        self.image = _photograph(12, 14, seed=1).astype(np.float32)
        self.contract = contracts.with_mean_image(contracts.named("caffe"), self.image)

    def test_subtracted_where_it_fits_else_its_pixel(self):
        for height, width in ((12, 14), (14, 12), (20, 20)):
            picture = _photograph(height, width).astype(np.float32)
            mean = self.image if (height, width) == (12, 14) else self.image.mean((0, 1))
            expected = (picture - mean)[..., [2, 1, 0]]
            self.assertAllClose(self.contract(picture[None], 3)[0], expected, atol=1e-4)
            spec = tf.TensorSpec((None, None, None, 3), tf.float32)
            unknown = tf.function(lambda x: self.contract(x, 3), input_signature=[spec])
            self.assertAllClose(unknown(picture[None])[0], expected, atol=1e-4)

    def test_a_grey_network_is_given_the_average(self):
        picture = _photograph(12, 14)[..., :1].astype(np.float32)
        expected = picture - self.image.mean(-1, keepdims=True)
        self.assertAllClose(self.contract(picture[None], 1)[0], expected, atol=1e-4)

    def test_a_larger_image_gives_a_recipe_its_centre(self):
        recipe = published_recipes.Recipe(12, 8, self.contract)
        picture = _photograph(12, 14)
        expected = (picture.astype(np.float64) - self.image)[2:10, 3:11, ::-1]
        self.assertAllClose(recipe(picture[None])[0], expected, atol=1e-4)
        small = published_recipes.Recipe(24, 20, self.contract)
        self.assertIs(small.contract, self.contract)

    def test_equal_by_the_image_and_short_on_paper(self):
        same = contracts.with_mean_image(contracts.named("caffe"), self.image.copy())
        other = contracts.with_mean_image(contracts.named("caffe"), self.image[::-1])
        self.assertEqual({self.contract: 1}[same], 1)
        # Turned upside down it has the same pixel.
        self.assertAllClose(other.mean, same.mean)
        self.assertNotEqual(self.contract, other)
        self.assertNotEqual(self.contract, contracts.named("caffe"))
        self.assertEqual(repr(self.contract), repr(same))
        self.assertNotEqual(repr(self.contract), repr(other))
        self.assertLess(len(repr(self.contract)), 300)
        keys = [manifest.key(preprocessing=c) for c in (self.contract, same, other)]
        self.assertEqual(keys[0], keys[1])
        self.assertNotEqual(keys[0], keys[2])
        self.assertNotIn(other.name, contracts.CONTRACTS)

    def test_it_is_nobody_else_s_to_change(self):
        self.image[:] = 0
        self.assertGreater(self.contract.image.min(), 0)
        with self.assertRaises(ValueError):
            self.contract.image[0] = 0

    def test_center_is_the_mean_pixel(self):
        self.assertAllClose(self.contract.center(3), self.image.mean((0, 1)))

    def test_bad_images(self):
        caffe = contracts.named("caffe")
        for bad in (np.zeros((4, 4)), np.zeros((4, 4, 1)), np.zeros((0, 4, 3))):
            with self.assertRaisesRegex(InputError, r"height, width, 3"):
                contracts.with_mean_image(caffe, bad)
        with self.assertRaisesRegex(InputError, "NaN"):
            contracts.with_mean_image(caffe, np.full((2, 2, 3), np.nan))

    def test_named_means_are_in_red_green_blue(self):
        """A reddish mean for drawings and photographs alike; the files list blue first."""
        black = np.zeros((1, 1, 1, 3), np.float32)
        for name, mean in (
            ("ilsvrc", (104.007, 116.669, 122.679)),
            ("illustration2vec", (164.76139251, 167.47864617, 181.13838569)),
        ):
            out = contracts.named(name)(tf.constant(black), 3)
            self.assertAllClose(out[0, 0, 0], [-value for value in mean])
