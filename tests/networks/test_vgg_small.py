"""The small network that is taught from nothing: known by its name, alike at each start."""

import itertools

import tensorflow as tf

from tests import nets
from tfvis.errors import InputError
from tfvis.experiments import networks
from tfvis.networks import known_names, network, registry


class VggSmallTest(tf.test.TestCase):
    def test_it_is_what_is_known_of_it(self):
        built, found = network.build("VGG_small", "random"), known_names.known("vgg_small")
        self.assertIn("vgg_small", registry.fixed())
        self.assertEqual(built.paths, found.paths)
        for path in built.paths:
            self.assertEqual(built.channels_of(path), found.channels_of(path), path)
        self.assertEqual((built.logits, found.logits, built.side), ("", "", 96))
        self.assertEqual(
            networks.target(nets.oblong(120, 200), built, None, "center").shape, (96, 96, 3)
        )
        # 3 x 3 convolutions of these widths, and four numbers for each channel that is normalised.
        widths = (3, 16, 32, 32, 64, 64, 128, 128, 256, 256)
        count = sum((9 * a + 4) * b for a, b in itertools.pairwise(widths))
        model = built.graph.truncated([built.paths[-1]])
        self.assertEqual(model.count_params(), count)
        self.assertLess(count, 1.5e6)
        # Four poolings.
        self.assertEqual(built.shape("block5_relu2", 96, 96), (6, 6, 256))
        self.assertEqual(built.stride("block5_relu2"), 16)

    def test_black_to_white_is_minus_one_to_one(self):
        built = network.build("vgg_small", "random")
        ends = tf.constant([0.0, 127.5, 255.0])[:, None, None, None] * tf.ones((3, 16, 16, 3))
        scaled = built.taps(["scaled"])(ends)["scaled"][:, 0, 0, 0]
        self.assertAllClose(scaled, [-1, 0, 1], atol=1e-6)

    def test_every_start_is_the_same(self):
        one, other = (network.build("vgg_small", "random").record.fingerprint for _ in range(2))
        self.assertEqual(one, other)

    def test_alone_it_is_refused(self):
        with self.assertRaisesRegex(InputError, "vgg_small: has learnt nothing .*weights=random"):
            network.build("vgg_small")


if __name__ == "__main__":
    tf.test.main()
