"""Keras' own settings file: one that cannot be used is refused before Keras meets it."""

import os
import pathlib
from unittest import mock

import keras
import tensorflow as tf

from tests import nets
from tfvis.errors import InputError
from tfvis.networks import keras_settings, network


class KerasSettingsTest(tf.test.TestCase):
    def test_file(self):
        folder = pathlib.Path(self.create_tempdir().full_path)
        for text, words in (
            ('{"epsilon": 1}', "epsilon is not a number such as"),
            ('{"epsilon": "x"}', "epsilon"),
            ('{"floatx": "float8"}', "floatx is not float16 or float32 or float64"),
            ('{"floatx": []}', "floatx"),
            ('{"image_data_format": 5}', "image_data_format is not channels_first or"),
            ("[]", "it is not an object"),
            ('{"image_data_format": "channels_first", "backend": "jax"}', None),
            ("{not json", None),
            ("\xff", None),
            ("[" * 10**5, None),
        ):
            (folder / "keras.json").write_bytes(text.encode("latin-1"))
            with mock.patch.dict(os.environ, KERAS_HOME=str(folder)):
                if words is None:
                    keras_settings.check_file()
                    continue
                with self.assertRaisesRegex(InputError, f"keras.json: .*{words}") as caught:
                    keras_settings.check_file()
                self.assertNotIn("\n", str(caught.exception))

    def test_a_process_set_up_otherwise(self):
        self.addCleanup(keras_settings.set_up)
        model = nets.small()
        keras.config.set_image_data_format("channels_first")
        with self.assertRaisesRegex(InputError, "image_data_format to be channels_last.*set_image"):
            network.wrap(model)
        keras_settings.set_up()
        self.assertEqual(keras.config.image_data_format(), "channels_last")
        keras.config.set_floatx("float64")
        with self.assertRaisesRegex(InputError, "floatx to be float32"):
            network.build("vgg16", "random")


if __name__ == "__main__":
    tf.test.main()
