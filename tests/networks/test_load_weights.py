"""Weights of another network: refused, with what tells whose they are."""

import pathlib

import keras
import tensorflow as tf
from absl.testing import parameterized

from tests import nets
from tfvis.errors import InputError
from tfvis.networks import load_weights


class OtherNetworksTest(tf.test.TestCase, parameterized.TestCase):
    @parameterized.parameters((True, r"\. Known: colour\.$"), (False, ", nor for any other"))
    def test_the_layers_of_the_file_are_named(self, has_weights, words):
        path = pathlib.Path(self.create_tempdir().full_path) / "own.keras"
        inputs = x = keras.Input((8, 8, 3))
        x = keras.layers.Conv2D(2, 1, name="colour")(x) if has_weights else x
        keras.Model(inputs, keras.layers.Flatten(name="flat")(x)).save(path)
        model = nets.small()
        first = next(layer.name for layer in model.layers if layer.weights)
        lacking = f"weights=.*own.keras: holds no weights for layer {first} of {model.name}"
        with self.assertRaisesRegex(InputError, lacking + words):
            load_weights.load_into(model, path)

    def test_a_file_without_names_fits_or_not(self):
        path = pathlib.Path(self.create_tempdir().full_path) / "own.weights.h5"
        inputs = keras.Input((8, 8, 3))
        keras.Model(inputs, keras.layers.Conv2D(2, 1)(inputs)).save_weights(path)
        words = f"^weights=.*own.weights.h5: its weights do not fit {nets.small().name}, whose"
        with self.assertRaisesRegex(InputError, words):
            load_weights.load_into(nets.small(), path)
