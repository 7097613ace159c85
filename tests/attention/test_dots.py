"""Dots in a picture, which VisualBackProp marks where they are, whatever lies on their way."""

import functools

import keras
import numpy as np
import tensorflow as tf
from absl.testing import parameterized

from tests import nets
from tests.chains import CHAINS, chain, wrap
from tfvis.attention import visual_backprop
from tfvis.errors import InputError
from tfvis.networks import network

layers = keras.layers
Attend = visual_backprop.VisualBackProp


def _bright(net: network.Network, size, place, ground: float) -> np.ndarray:
    """The mask of an even picture with one white pixel."""
    image = np.full((1, *size, 3), ground, np.float32)
    image[0, place[0], place[1]] = 255
    return _attend(net).attend(image).mask[0].numpy()


@functools.cache
def _attend(net: network.Network) -> visual_backprop.VisualBackProp:
    return Attend(net)


_WAYS = {
    "normalised": lambda x: layers.GroupNormalization(1, scale=False)(x),
    "flipped": lambda x: keras.ops.flip(x, axis=2),
    "transposed": lambda x: layers.Permute((2, 1, 3))(x),
    "rolled": lambda x: keras.ops.roll(x, 5, axis=1),
    "padded": lambda x: keras.ops.pad(x, ((0, 0), (4, 0), (0, 6), (0, 0)), "reflect"),
    "cut": lambda x: x[:, 3:, 2:-2],
    "tokens": lambda x: layers.Reshape(x.shape[1:])(layers.Reshape((-1, x.shape[-1]))(x)),
}


class AnyOperationTest(tf.test.TestCase, parameterized.TestCase):
    @parameterized.parameters(*_WAYS)
    def test_a_dot_stays_where_it_is(self, name):
        inputs = keras.Input((24, 32, 3))
        x = layers.Conv2D(4, 1, activation="relu", name="first")(inputs)
        for number in range(2):
            x = layers.Conv2D(4, 3, activation="relu", name=f"deep{number}")(
                _WAYS[name](x) if number == 0 else x
            )
        net = network.wrap(keras.Model(inputs, x))
        for layer in net.graph.layers.values():
            if isinstance(layer, layers.Conv2D):
                layer.set_weights([np.full_like(w, w.ndim > 1) for w in layer.get_weights()])
        self.assertEqual(_attend(net).layers[-2:], ("deep0", "deep1"))
        for place in ((7, 9), (14, 20)):
            mask = _bright(net, (24, 32), place, 0.0)
            found = np.unravel_index(mask.argmax(), mask.shape)
            self.assertAllEqual(found, place)
            self.assertLess(np.count_nonzero(mask), 0.2 * mask.size)

    def test_channels_first_within(self):
        def build(x, first):
            fmt = {"data_format": "channels_first" if first else "channels_last"}
            x = layers.Permute((3, 1, 2))(x) if first else x
            x = layers.AveragePooling2D(2, name="one", **fmt)(layers.ReLU()(x))
            return layers.MaxPooling2D(3, 1, name="two", **fmt)(x)

        found = []
        for first in (False, True):
            attend = Attend(wrap(lambda x, first=first: build(x - 100.0, first), size=16))
            self.assertEqual(attend.layers, ("one", "two"))
            found.append(attend.attend(nets.picture(16)[None]).mask)
        self.assertGreater(tf.reduce_max(found[0]), 0)
        # TensorFlow computes both in the one order a CPU has.
        self.assertAllClose(*found, atol=1e-5)

    def test_refused(self):
        def attention(x):
            x = layers.Reshape((-1, 4))(layers.Conv2D(4, 4, 4)(x))
            return x + layers.MultiHeadAttention(1, 2)(x, x)

        def crops(x):
            return layers.Add(name="sum")(
                [layers.Conv2D(2, 3)(x[:, :8]), layers.Conv2D(2, 3)(x[:, 8:])]
            )

        def random(x):
            x = layers.Conv2D(2, 3, name="early")(x)
            x = layers.Lambda(lambda y: y + keras.random.normal((1, 14, 14, 2)), name="noise")(x)
            return layers.Conv2D(2, 3)(x)

        cases = {
            "go on as tokens": attention,
            "noise gives another answer each time, .* layers .*, up to early": random,
        }
        for words, build in cases.items():
            with self.subTest(words), self.assertRaisesRegex(InputError, words):
                Attend(wrap(build, size=16))
        # Of crops, the sum is on every path.
        self.assertEqual(Attend(wrap(crops, size=16)).layers, ("sum",))
        apart = wrap(lambda x: layers.GlobalMaxPooling2D()(layers.Conv2D(2, 3)(x))
                      + layers.GlobalMaxPooling2D()(layers.Conv2D(2, 5)(x)))  # fmt: skip
        with self.assertRaisesRegex(InputError, "no spatial layer of it is on every path"):
            Attend(apart)


class DotTest(tf.test.TestCase, parameterized.TestCase):
    """A mask's pixel is its picture's pixel, anywhere."""

    @parameterized.parameters(
        # A chain, its strides together, the image's size.
        ([("conv", 3, 1, 1, "same")] * 3, 1, (17, 24)),
        ([("conv", 3, 1, 1, "valid")] * 3, 1, (17, 24)),
        ([("conv", 3, 2, 1, "same"), ("conv", 3, 1, 1, "same")], 2, (21, 30)),
        ([("conv", 5, 2, 1, "valid"), ("conv", 3, 2, 1, "valid")], 4, (29, 37)),
        (CHAINS["vgg"][0], 4, (28, 36)),
        (CHAINS["overlapping_pools"][0], 8, (51, 51)),
    )
    def test_chains(self, steps, stride, size):
        net = wrap(chain(steps))
        for layer in net.graph.layers.values():
            if isinstance(layer, layers.Conv2D):
                layer.set_weights([np.full_like(w, w.ndim > 1) for w in layer.get_weights()])
        for row in (2, size[0] // 2, size[0] // 2 + 1, size[0] - 4):
            for column in (3, size[1] // 2, size[1] - 5):
                mask = _bright(net, size, (row, column), 0.0)
                # Within a stride nothing can tell places apart.
                centre = [float((mask * axis).sum() / mask.sum()) for axis in np.indices(size)]
                self.assertAllClose(centre, (row, column), atol=max(stride, 0.75))
                self.assertGreater(mask[row, column], 0.5)

    @parameterized.parameters(
        # The layers' number, the first two and the last, a size, the stem's stride.
        ("vgg16", 18, ("block1_conv1", "block1_conv2", "block5_pool"), 67, 1),
        ("vgg19", 21, ("block1_conv1", "block1_conv2", "block5_pool"), 64, 1),
        ("resnet50", 18, ("conv1_relu", "pool1_pool", "conv5_block3_out"), 67, 2),
        ("inceptionv3", 18, ("activation", "activation_1", "mixed10"), 96, 2),
        ("densenet121", 66, ("conv1_relu", "pool1", "relu"), 64, 2),
        ("mobilenetv2", 32, ("Conv1_relu", "expanded_conv_depthwise_relu", "out_relu"), 67, 2),
    )
    def test_architectures(self, name, count, ends, size, stride):
        net = network.build(name, "random")
        attend = _attend(net)
        self.assertLen(attend.layers, count)
        self.assertEqual((*attend.layers[:2], attend.layers[-1]), ends)
        self.assertFalse([layer for layer in attend.layers if layer.endswith(("_pad", "_bn"))])
        if name == "resnet50":
            self.assertLen([x for x in attend.layers if x.endswith("_out")], 16)
        if name == "inceptionv3":
            # The last blocks have concatenations within, which paths go around.
            self.assertEqual(attend.layers[-11:], tuple(f"mixed{k}" for k in range(11)))
        if name == "densenet121":
            self.assertLen([x for x in attend.layers if x.endswith("_concat")], 54)
        # The two differ in depth only; and each takes a while.
        for place in ((30, 21), (45, 50)) if name != "vgg19" else ():
            # Grey is nearly 0 to all of them, so that their borders do not glow.
            mask = _bright(net, (size, size), place, 120.0)
            found = np.unravel_index(mask.argmax(), mask.shape)
            self.assertAllClose(found, place, atol=stride)


if __name__ == "__main__":
    tf.test.main()
