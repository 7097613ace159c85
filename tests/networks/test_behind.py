"""Which layers behind a map look at places, and which are a head."""

import keras
import tensorflow as tf
from keras import layers

from tfvis.networks import network as networks
from tfvis.networks.behind import behind


def _found(ending, layer: str = "patches") -> tuple[str, ...]:
    inputs = keras.Input((16, 16, 3))
    x = layers.Conv2D(4, 2, strides=2, name="first")(inputs)
    x = layers.Conv2D(4, 2, strides=2, name="patches")(x)
    return behind(networks.wrap(keras.Model(inputs, ending(x), name="it")), layer)


def _attention(x):
    x = layers.LayerNormalization(name="norm")(layers.Reshape((16, 4))(x))
    x = layers.MultiHeadAttention(1, 4, name="attention")(x, x)
    return layers.Dense(3)(layers.GlobalAveragePooling1D()(x))


class BehindTest(tf.test.TestCase):
    def test_attention_and_convolutions_are_found_in_order(self):
        self.assertEqual(_found(_attention), ("attention",))
        self.assertEqual(_found(_attention, "first"), ("patches", "attention"))
        self.assertEqual(_found(_attention, "attention"), ())

    def test_heads_are_not(self):
        heads = (
            lambda x: layers.Dense(3)(layers.Dense(5)(layers.Flatten()(x))),
            # VGG's fc6 as a convolution, and what follows it: one place.
            lambda x: layers.Conv2D(3, 1)(layers.Conv2D(5, 4)(x)),
            lambda x: layers.Dense(3)(layers.LSTM(4)(layers.Reshape((16, 4))(x))),
            lambda x: layers.PReLU(shared_axes=[1, 2])(layers.BatchNormalization()(x)),
        )
        for head in heads:
            self.assertEqual(_found(head), ())

    def test_of_branches_only_what_hangs_on_the_layer(self):
        def branches(x):
            one, other = (layers.Conv2D(4, 1, name=name)(x) for name in ("one", "other"))
            return layers.Flatten()(layers.Add()([layers.Conv2D(4, 1, name="more")(one), other]))

        self.assertEqual(_found(branches, "one"), ("more",))
        self.assertEqual(_found(branches, "other"), ())
