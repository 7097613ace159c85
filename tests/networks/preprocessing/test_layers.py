"""Preprocessing inside the model: the same numbers as step by step, also from a file."""

import dataclasses
import pathlib

import keras
import numpy as np
import PIL.Image
import tensorflow as tf
from absl.testing import parameterized

from tests import nets
from tfvis.errors import InputError
from tfvis.networks import network
from tfvis.networks.preprocessing import contracts, published_recipes, steps_from_file

# Small, so that one takes milliseconds; of the shape of the real ones.
RECIPE = published_recipes.Recipe(32, 28)


def _identity(size: int | None = None, channels: int = 3, contract: str = "caffe"):
    """A network that puts out its input, to see what it is given."""
    inputs = keras.Input((size, size, channels))
    same = keras.layers.DepthwiseConv2D(1, depthwise_initializer="ones", name="same")
    model = keras.Model(inputs, same(inputs), name="identity")
    return network.wrap(model, preprocessing=contracts.named(contract))


def _pictures(height: int, width: int) -> np.ndarray:
    """uint8 [2, height, width, 3]."""
    return np.stack([nets.oblong(height, width, seed) for seed in (0, 1)]).astype(np.uint8)


class EmbeddedTest(tf.test.TestCase, parameterized.TestCase):
    def _again(self, model: keras.Model) -> keras.Model:
        path = pathlib.Path(self.create_tempdir().full_path) / "model.keras"
        model.save(path)
        return keras.saving.load_model(path, safe_mode=True)

    @parameterized.parameters("caffe", "ilsvrc", "illustration2vec", "tf", "torch", "unit", "none")
    def test_embedded_stepwise_and_reopened_agree(self, contract):
        net = _identity(contract=contract)
        for recipe in (RECIPE, published_recipes.Recipe(28, 28, aspect=False, antialias=False)):
            recipe = dataclasses.replace(recipe, preprocessing=net.preprocessing)
            model = net.end_to_end(recipe)
            again = self._again(model)
            for height, width in ((40, 61), (61, 40), (5, 7), (2, 400), (1, 1)):
                pictures = _pictures(height, width)
                expected = recipe(pictures)
                self.assertAllClose(model(pictures), expected, rtol=1e-6, atol=1e-4)
                self.assertAllEqual(again(pictures), model(pictures.astype(np.float32)))
            self.assertAllClose(again.predict(pictures, verbose=0), expected, atol=1e-4)

    def test_pillow_agrees_to_one_grey_level(self):
        picture = _pictures(300, 451)[0]
        image = PIL.Image.fromarray(picture).resize((384, 256), PIL.Image.Resampling.BILINEAR)
        expected = np.asarray(image, np.float64)[16:240, 80:304] - (123.68, 116.779, 103.939)
        given = self.evaluate(_identity().end_to_end()(picture[None]))[0]
        self.assertEqual(given.shape, (224, 224, 3))
        self.assertAllClose(given, expected[..., ::-1], rtol=0, atol=1)

    def test_the_layers_are_those_of_the_report(self):
        model = _identity().end_to_end(dataclasses.replace(RECIPE, unit=True))
        names = [layer.name for layer in model.layers]
        self.assertEqual(names[:4], ["picture", "scale", "resize", "crop"])
        self.assertCountEqual(names[4:], ["split", "red", "green", "blue", "join", "same"])
        self.assertLess(names.index("blue"), names.index("join"))

    def test_pictures_of_0_to_1(self):
        pictures = _pictures(40, 61)
        net = _identity()
        unit = net.end_to_end(dataclasses.replace(RECIPE, unit=True))
        self.assertAllClose(unit(pictures / 255), net.end_to_end(RECIPE)(pictures), atol=1e-3)

    def test_a_grey_network(self):
        for contract in ("tf", "none"):
            net = _identity(channels=1, contract=contract)
            recipe = dataclasses.replace(RECIPE, preprocessing=net.preprocessing)
            model = self._again(net.end_to_end(recipe))
            pictures = _pictures(40, 61)
            self.assertEqual(model.output_shape, (None, 28, 28, 1))
            self.assertAllClose(model(pictures), recipe(pictures, 1), atol=1e-4)

    def test_a_mean_image_travels_in_the_file(self):
        mean = _pictures(28, 28)[1].astype(np.float32)
        contract = contracts.with_mean_image(contracts.named("caffe"), mean)
        net = dataclasses.replace(_identity(), preprocessing=contract)
        pictures = _pictures(32, 32)[:1]
        expected = (pictures[:, 2:30, 2:30].astype(np.float64) - mean)[..., ::-1]
        recipe = dataclasses.replace(RECIPE, preprocessing=contract)
        again = self._again(net.end_to_end(recipe))
        self.assertAllClose(again(pictures), expected, atol=1e-4)
        self.assertAllClose(recipe(pictures), expected, atol=1e-4)
        other = dataclasses.replace(recipe, resize=40, crop=36)
        self.assertAllClose(net.end_to_end(other)(pictures), other(pictures), atol=1e-4)
        self.assertNotIn("blue/plane", [w.path for w in net.end_to_end(other).weights])

    def test_a_classifier_of_fixed_size(self):
        net = nets.wrapped(size=28)
        model = net.end_to_end()
        pictures = _pictures(40, 61)
        ready = published_recipes.Recipe(32, 28, contracts.named("tf"))(pictures)
        self.assertAllClose(model(pictures), nets.small(size=28)(ready), atol=1e-5)
        self.assertAllClose(self._again(model)(pictures), model(pictures), rtol=1e-6)
        # What it was made of stays as it was.
        self.assertIn("logits", net.taps(["logits"])(tf.constant(pictures, tf.float32)))

    def test_networks_with_operations_nesting_and_shared_layers(self):
        inner = nets.small()
        trunk = keras.Model(inner.inputs, inner.get_layer("block2_pool").output, name="trunk")
        twice = keras.layers.Conv2D(3, 3, padding="same", name="resize")
        inputs = keras.Input((28, 28, 3))
        x = trunk(twice(twice(inputs / 255.0)) + inputs)
        model = keras.Model(inputs, keras.layers.GlobalAveragePooling2D(name="red")(x))
        net = network.wrap(model, "some/folder/of.mine.keras")
        whole = net.end_to_end()
        pictures = _pictures(40, 61)
        ready = published_recipes.Recipe(32, 28, contracts.named("none"))(pictures)
        self.assertAllClose(whole(pictures), model(ready), rtol=1e-5)
        self.assertAllClose(self._again(whole)(pictures), whole(pictures), rtol=1e-6)
        self.assertEqual(whole.name, "end_to_end_of.mine.keras")

    def test_variants_of_a_network(self):
        net = network.wrap(nets.small(), "vgg16", variant=("avg", "pre"))
        recipe = dataclasses.replace(RECIPE, preprocessing=net.preprocessing)
        pictures = _pictures(40, 61)
        graph = net.graph
        expected = graph.truncated([graph.output])(recipe(pictures))[graph.output]
        self.assertAllClose(self._again(net.end_to_end(recipe))(pictures), expected, rtol=1e-5)

    def test_the_file_is_a_network_that_takes_pictures(self):
        folder = pathlib.Path(self.create_tempdir().full_path)
        net = nets.wrapped(size=28)
        # By the name of a known network, its preprocessing would be done twice.
        for name in ("illust2vec_tag.keras", "caffenet", "vgg16"):
            renamed = dataclasses.replace(net, name=name)
            renamed.end_to_end(
                published_recipes.fitting("", net.preprocessing, net.fixed_size)
            ).save(folder / "whole.keras")
            whole = network.build(str(folder / "whole.keras"))
            self.assertEqual(whole.preprocessing.name, "none")
        self.assertIsNone(whole.fixed_size)
        pictures = _pictures(40, 61)
        scores = whole.taps(["logits"])(tf.constant(pictures, tf.float32))["logits"]
        self.assertAllClose(tf.nn.softmax(scores), net.end_to_end()(pictures), atol=1e-5)
        self.assertEqual(whole.shape("block1_conv1", 40, 61), (28, 28, 8))
        self.assertEqual(whole.shape("resize", 40, 61), (32, 48, 3))

    def test_gradients_reach_the_picture(self):
        model = nets.wrapped(size=28).end_to_end()
        x = tf.constant(_pictures(40, 61), tf.float32)
        with tf.GradientTape() as tape:
            tape.watch(x)
            scores = model(x)[:, 0]
        self.assertGreater(float(tf.norm(tape.gradient(scores, x))), 0)

    def test_what_does_not_fit_is_said(self):
        with self.assertRaisesRegex(InputError, "takes 28x28 px"):
            nets.wrapped(size=28).end_to_end(published_recipes.Recipe(40, 36))
        with self.assertRaisesRegex(InputError, "4 channels"):
            _identity(channels=4).end_to_end(RECIPE)

    def test_defaults(self):
        layers = {layer.name: layer for layer in _identity(contract="ilsvrc").end_to_end().layers}
        self.assertEqual(steps_from_file.pair(layers["crop"].size), (227, 227))
        self.assertFalse(layers["resize"].aspect)
