"""One protocol: every explainer takes a picture or a batch, and classes by name or number."""

import dataclasses

import numpy as np
import tensorflow as tf
from absl.testing import parameterized

import tfvis
from tests import nets
from tfvis.attention import saliency
from tfvis.errors import InputError

_OF_CLASSES = (
    "GradCam", "ClassVisualBackProp", "Saliency", "SmoothGrad", "GuidedBackprop", "Deconvnet",
    "Product",
)  # fmt: skip


class ExplainerTest(tf.test.TestCase, parameterized.TestCase):
    def setUp(self):
        super().setUp()
        self.net = dataclasses.replace(nets.wrapped(), classes=("a", "b", "c", "d", "e"))
        self.images = np.stack([nets.picture(16, seed=k) for k in range(2)])

    @parameterized.parameters("VisualBackProp", *_OF_CLASSES)
    def test_pictures_and_batches(self, name):
        explain = getattr(tfvis, name)(self.net)
        found = explain(self.images, "c")
        self.assertEqual(found.shape, (2, 16, 16))
        self.assertEqual(found.dtype, tf.float32)
        self.assertGreaterEqual(float(tf.reduce_min(found)), 0)
        self.assertAllClose(explain(self.images[0], "c")[0], found[0], rtol=1e-3, atol=1e-6)
        self.assertAllEqual(explain(self.images, 2), found)
        if name != "VisualBackProp":
            self.assertAllEqual(explain(self.images, ["c", 2]), found)

    @parameterized.parameters("VisualBackProp", *_OF_CLASSES)
    def test_pictures_that_are_none(self, name):
        explain = getattr(tfvis, name)(self.net)
        beyond, unknown = self.images.copy(), self.images.copy()
        beyond[0, 0, 0], unknown[1, 2, 3, 0] = 300, np.nan
        for pixels, words in (
            (beyond, "0 to 255.*to 300"), (unknown, "0 to 255.*nan"), ("a.png", "tfvis.load reads"),
            (self.images / 255, "multiply by 255"), (self.images[0, 0], r"expected an array .*"),
        ):  # fmt: skip
            with self.assertRaisesRegex(InputError, f"^images.*{words}"):
                explain(pixels)

    def test_a_network_is_shown_on_one_line(self):
        self.assertRegex(repr(self.net), r"^<Network small: \d+ layers, 5 classes>$")

    def test_the_likeliest_class_where_none_is_named(self):
        scores = self.net.taps(["logits"])(tf.constant(self.images))["logits"].numpy()
        best = scores.argmax(-1)
        self.assertAllEqual(
            tfvis.Saliency(self.net)(self.images), saliency.saliency(self.net, self.images, best)
        )

    @parameterized.parameters(*_OF_CLASSES)
    def test_what_cannot_be_asked(self, name):
        explain = getattr(tfvis, name)(self.net)
        for words, target in (("target=x: no class", "x"), ("one for each", ["a"] * 3)):
            with self.assertRaisesRegex(InputError, words):
                explain(self.images, target)
        bare = dataclasses.replace(self.net, classifier=None)
        with self.assertRaisesRegex(InputError, "no classifier"):
            getattr(tfvis, name)(bare)


if __name__ == "__main__":
    tf.test.main()
