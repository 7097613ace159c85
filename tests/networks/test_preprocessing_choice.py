"""Tests of which contract a model of one's own is found to want, and why."""

import pathlib
from unittest import mock

import keras
import numpy as np
import tensorflow as tf
from absl.testing import parameterized
from keras import layers, ops

from tests import nets
from tfvis import images
from tfvis.experiments import messages, networks, runner
from tfvis.networks import network, preprocessing_choice, rewiring
from tfvis.networks.preprocessing import batch_statistics, contracts, model_front


def _model(front, name: str = "vgg16", channels: int = 3, size: int | None = 32) -> keras.Model:
    """A network of one convolution behind `front`, of a name that is not its own."""
    inputs = keras.Input((size, size, channels))
    x = layers.Conv2D(4, 3, padding="same", name="block1_conv1")(front(inputs))
    return keras.Model(inputs, layers.GlobalAveragePooling2D()(x), name=name)


def _twice(x):
    return layers.Average()([layers.Rescaling(2.0)(x), layers.Rescaling(4.0)(x)])


def _nested(x):
    inner = keras.Input(x.shape[1:])
    return keras.Sequential([keras.Model(inner, inner / 255.0, name="to_unit")], name="inner")(x)


def _split(x):
    red, green, blue = ops.split(x, 3, axis=-1)
    return ops.concatenate([blue, green, red], axis=-1)


def _several_outputs(x):
    inner = keras.Input(x.shape[1:])
    y = layers.Conv2D(3, 1)(inner / 255.0)
    return keras.Model(inner, [y, layers.Conv2D(3, 1)(y)], name="pyramid")(x)[0]


def _standardised(x):
    mean, variance = ops.moments(x, axes=[1, 2], keepdims=True)
    return (x - mean) / ops.sqrt(variance + 1.0)


PREPARING = {
    "rescaling": layers.Rescaling(1 / 255),
    "normalization": lambda x: layers.Normalization(mean=[1.0] * 3, variance=[4.0] * 3)(x),
    "arithmetic": lambda x: x / 127.5 - 1.0,
    "operations": lambda x: ops.subtract(ops.multiply(x, 0.5), 3.0),
    "reversed": lambda x: x[..., ::-1],
    "flipped": lambda x: ops.flip(x, axis=-1),
    "taken": lambda x: ops.take(x, [2, 1, 0], axis=-1),
    "split": _split,
    "nested": _nested,
    "branches": _twice,
    "behind_augmentation": lambda x: layers.Rescaling(0.5)(layers.RandomFlip()(x)),
    "behind_resizing": lambda x: layers.Rescaling(0.5)(layers.Resizing(16, 16)(x)),
    "cast": lambda x: ops.cast(x, "float32") / 255.0,
    "clipped": lambda x: ops.clip(x, 0.0, 1.0),
    "square_root": lambda x: ops.sqrt(x),
    "standardised": _standardised,
    "model_of_two_outputs": _several_outputs,
    "keras_caffe": keras.applications.vgg16.preprocess_input,
    "keras_tf": keras.applications.mobilenet_v2.preprocess_input,
}
LEAVING = {
    "nothing": lambda x: x,
    "augmentation": lambda x: layers.RandomContrast(0.3)(layers.RandomRotation(0.2)(x)),
    "noise": lambda x: layers.Dropout(0.5)(layers.GaussianNoise(0.9)(x)),
    "padding": layers.ZeroPadding2D(3),
    "padded": lambda x: ops.pad(x, [[0, 0], [2, 2], [2, 2], [0, 0]], mode="reflect"),
    "crop": lambda x: layers.CenterCrop(20, 20)(x),
    "resizing": lambda x: layers.Resizing(24, 24, interpolation="bicubic")(x),
    "pooling": lambda x: layers.AveragePooling2D(2)(x),
    "cast": lambda x: ops.cast(ops.cast(x, "float16"), "float32"),
    "there_and_back": lambda x: (x / 255.0) * 255.0,
    "reversed_twice": lambda x: x[..., ::-1][..., ::-1],
    "identity": layers.Identity(),
    "clipped_to_levels": lambda x: ops.clip(x, 0.0, 255.0),
    "unadapted": lambda x: layers.Normalization(mean=[0.0] * 3, variance=[1.0] * 3)(x),
}


class FrontTest(parameterized.TestCase, tf.test.TestCase):
    @parameterized.named_parameters(PREPARING.items())
    def test_prepares(self, front):
        for size in (32, None):
            model = _model(front, size=size) if size or front is not _nested else _model(front)
            self.assertTrue(model_front.of(model).changes)
        found = preprocessing_choice.choice(model)
        self.assertEqual(found.contract.name, "none")
        self.assertStartsWith(found.why, "the model ")

    @parameterized.named_parameters(LEAVING.items())
    def test_leaves_pixels(self, front):
        model = _model(front)
        found = model_front.of(model)
        self.assertFalse(found.changes, found.said)
        self.assertEqual(next(iter(found.layers)), "block1_conv1")
        # The name is not what its layers are.
        self.assertEqual(preprocessing_choice.choice(model).contract.name, "none")
        self.assertIn("nothing tells", preprocessing_choice.choice(model).why)

    def test_what_is_said(self):
        for front, words in (
            (layers.Rescaling(1 / 127.5, offset=-1, name="ends"), "to -1 and 1 itself (ends)"),
            (lambda x: x[..., ::-1], "exchanges red and blue itself"),
            (lambda x: x[..., ::-1] / 255.0, "to 0 and 1 itself and exchanges red and blue"),
        ):
            self.assertIn(words, model_front.of(_model(front)).said)

    def test_other_inputs(self):
        grey = _model(lambda x: ops.concatenate([x, x, x], axis=-1), channels=1)
        self.assertFalse(model_front.of(grey).changes)
        flat = keras.Sequential([keras.Input((8, 8, 3)), layers.Flatten(), layers.Dense(2)])
        self.assertFalse(model_front.of(flat).changes)
        patches = keras.Sequential(
            [keras.Input((8, 8, 3)), layers.Reshape((16, 12)), layers.Dense(2)]
        )
        self.assertFalse(model_front.of(patches).changes)
        first = _model(layers.Permute((3, 1, 2)))
        self.assertFalse(model_front.of(first).changes)


# Constructor, arguments, contract of a picture-sized network of chance weights.
NAMED = (
    ("VGG16", {}, "caffe"),
    ("ResNet50", {}, "caffe"),
    ("ResNet50V2", {}, "tf"),
    ("MobileNetV2", {"alpha": 0.35}, "tf"),
    ("DenseNet121", {}, "torch"),
    ("InceptionV3", {}, "tf"),
    ("MobileNetV3Small", {}, "none"),
    ("MobileNetV3Small", {"include_preprocessing": False}, "tf"),
    ("EfficientNetB0", {}, "none"),
    ("ConvNeXtTiny", {}, "none"),
)


class NamedTest(parameterized.TestCase, tf.test.TestCase):
    @parameterized.parameters(*NAMED)
    def test_network_of_keras(self, kind, arguments, contract):
        build = getattr(keras.applications, kind)
        base = build(weights=None, include_top=False, input_shape=(96, 96, 3), **arguments)
        self.assertEqual(preprocessing_choice.choice(base).contract.name, contract)
        # As a backbone, the way Keras' guide to transfer learning has it.
        inputs = keras.Input((96, 96, 3))
        x = layers.GlobalAveragePooling2D()(base(layers.RandomFlip()(inputs), training=False))
        whole = keras.Model(inputs, layers.Dense(2)(x), name="mine")
        self.assertEqual(preprocessing_choice.choice(whole).contract.name, contract)
        stacked = keras.Sequential(
            [keras.Input((96, 96, 3)), layers.Rescaling(1 / 255), base, layers.Flatten()],
            name="vgg16",
        )
        self.assertEqual(preprocessing_choice.choice(stacked).contract.name, "none")

    def test_cut_off(self):
        base = keras.applications.VGG16(weights=None, include_top=False)
        cut = keras.Model(base.input, base.get_layer("block2_pool").output, name="features")
        self.assertEqual(preprocessing_choice.choice(cut).contract.name, "caffe")

    def test_alike_is_not_it(self):
        inputs = keras.Input((32, 32, 3))
        x = inputs
        for k, width in enumerate((64, 64, 128, 128)):
            x = layers.Conv2D(width, 3, padding="same", activation="relu", name=f"c{k}")(x)
        found = preprocessing_choice.choice(keras.Model(inputs, x, name="vgg16"))
        self.assertEqual(found.contract.name, "none")
        self.assertIn("preprocessing", found.why)


def _learnt(contract: str, order: int = 1) -> keras.Model:
    """A network of chance weights whose normalisations know the photographs, shifted in place."""
    keras.utils.set_random_seed(3)
    inputs = keras.Input((64, 64, 3))
    x = layers.Conv2D(16, 5, strides=2, name="one")(inputs)
    x = layers.ReLU()(layers.BatchNormalization(momentum=0.0, name="first")(x))
    x = layers.BatchNormalization(momentum=0.0, name="second")(layers.Conv2D(16, 3)(x))
    model = keras.Model(inputs, x)
    # Other parts of them than are measured, of other sizes: a training's pictures are others.
    seen = [
        images.resize(picture[top : top + 200, left : left + 200], 64, 64)
        for picture in images.demo_set()
        for top in (0, 220)
        for left in (0, 200, 430)
    ]
    x = contracts.named(contract)(tf.constant(np.stack(seen)[..., ::order]), 3)
    model(x, training=True)
    return model


class MeasuredTest(parameterized.TestCase, tf.test.TestCase):
    @parameterized.parameters("none", "unit", "tf", "torch", "caffe")
    def test_right_or_nothing(self, contract):
        name, found = batch_statistics.measured(rewiring.rewire(_learnt(contract)))
        self.assertIn(name, (contract, ""), found)

    @parameterized.parameters("none", "unit")
    def test_clear(self, contract):
        found = preprocessing_choice.choice(_learnt(contract))
        self.assertEqual(found.contract.name, contract)
        self.assertStartsWith(found.why, "measured")

    def test_nothing_learnt(self):
        self.assertEmpty(batch_statistics.unlikeness(rewiring.rewire(nets.small())))
        model = _model(lambda x: layers.BatchNormalization()(x))
        self.assertEmpty(batch_statistics.unlikeness(rewiring.rewire(model)))


class OpenedTest(tf.test.TestCase):
    def setUp(self):
        super().setUp()
        self.path = pathlib.Path(self.create_tempdir().full_path) / "net.keras"

    def test_the_network_says_why(self):
        _model(layers.Rescaling(1 / 255, name="to_unit")).save(self.path)
        found = network.build(str(self.path))
        self.assertEqual(found.preprocessing.name, "none")
        self.assertIn("to_unit", found.preprocessing_reason)

    def test_overridden(self):
        _model(layers.Rescaling(1 / 255, name="to_unit")).save(self.path)
        found = network.build(str(self.path), preprocessing="tf")
        self.assertEqual(found.preprocessing.name, "tf")
        self.assertStartsWith(found.preprocessing_reason, "as preprocessing says")
        self.assertIn("to_unit", found.preprocessing_reason)

    def test_an_app_says_it_in_a_line(self):
        _model(layers.Rescaling(1 / 255, name="to_unit")).save(self.path)
        found = network.build(str(self.path))
        with mock.patch.object(messages, "say") as said:
            networks.say_notes(found)
        (line,) = said.call_args.args
        self.assertStartsWith(line, "Preprocessing: none (RGB, 0 to 255): the model brings")
        self.assertEqual(
            runner.described(found)["preprocessing_reason"], found.preprocessing_reason
        )

    def test_red_stays_red(self):
        inputs = keras.Input((16, 16, 3))
        first = layers.Conv2D(3, 1, name="colours", use_bias=False)
        x = first(layers.Rescaling(1 / 255)(inputs))
        first.set_weights([np.eye(3, dtype=np.float32)[None, None]])
        keras.Model(inputs, x, name="vgg16").save(self.path)
        found = network.build(str(self.path))
        red = tf.constant(np.full((1, 16, 16, 3), (255, 0, 0), np.float32))
        self.assertAllClose(found.taps(["colours"])(red)["colours"][0, 8, 8], (1, 0, 0))


if __name__ == "__main__":
    tf.test.main()
