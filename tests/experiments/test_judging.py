"""What `judge` asks of a network, in short."""

import keras
import tensorflow as tf

from tests import nets
from tfvis.attention import explainers
from tfvis.experiments import judging
from tfvis.networks import network

layers = keras.layers


class FitTest(tf.test.TestCase):
    def test_a_network_without_relus_has_all_but_the_maps_of_relus(self):
        inputs = keras.Input((16, 16, 3))
        x = layers.Conv2D(4, 3, activation="gelu")(inputs)
        x = layers.GlobalAveragePooling2D()(layers.Conv2D(4, 3, activation="gelu")(x))
        smooth = network.wrap(keras.Model(inputs, layers.Dense(3, name="scores")(x)))
        with self.assertLogs("tfvis", "WARNING") as said:
            found = judging._fit(smooth)
        self.assertIn("VisualBackProp of ReLUs is left out: ", "\n".join(said.output))
        self.assertNotIn("vbp_relu", found)
        self.assertContainsSubset(("vbp", "gradcam", "saliency", "smoothgrad"), found)
        self.assertEqual(judging._fit(nets.wrapped()), tuple(explainers.KINDS))


if __name__ == "__main__":
    tf.test.main()
