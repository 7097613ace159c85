"""Models whose input is a dictionary of one picture."""

import warnings

import keras
import tensorflow as tf

from tests import nets
from tfvis.networks import network


class DictInputsTest(tf.test.TestCase):
    def test_they_are_looked_into_without_a_warning(self):
        model = nets.small(size=16)
        image = keras.Input((16, 16, 3), name="image")
        called = keras.Model({"image": image}, model(image))
        shown = nets.picture(16)[None]
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            net = network.wrap(called)
            (layer,) = [path for path in net.paths if path.endswith("block2_conv1")]
            found = net.taps([layer])(tf.constant(shown))[layer]
        plain = network.wrap(model).taps(["block2_conv1"])(tf.constant(shown))["block2_conv1"]
        self.assertAllClose(found, plain, rtol=1e-5)


if __name__ == "__main__":
    tf.test.main()
