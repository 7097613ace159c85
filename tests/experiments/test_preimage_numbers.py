"""Numbers under pre-images: random pairs of photographs, a second network, both kept."""

import csv
import dataclasses
import pathlib
from unittest import mock

import numpy as np
import tensorflow as tf

from tests import nets
from tfvis import images, preimages
from tfvis.errors import InputError
from tfvis.experiments import inversion, second_network
from tfvis.preimages import null_distribution
from tfvis.report import manifest


class PreimageNumbersTest(tf.test.TestCase):
    def setUp(self):
        super().setUp()
        self.folder = pathlib.Path(self.create_tempdir().full_path)
        self.net = nets.wrapped()
        self.image = nets.picture(24)
        self.second = nets.checkpoint(self.folder / "second", size=16)

    def _run(self, **more):
        settings = preimages.Inversion(steps=60, fine_steps=0, jitter=1)
        return inversion.run(
            self.net, self.image, ["block1_conv1"], workdir=self.folder / "out", settings=settings,
            size=16, precision="float32", **more,
        )  # fmt: skip

    def test_measured_once_and_said(self):
        done = self._run(second_network=str(self.second))
        (record,) = done.records
        pairs, answer = record["random_pairs"], record["second_network"]
        null = null_distribution.null_distribution(
            self.net, "block1_conv1", 16,
            null_distribution.pieces(self.net, (16, 16)).__getitem__,
        )  # fmt: skip
        self.assertAllClose(pairs["relative_errors"], null.errors, atol=1e-6)
        self.assertEqual(pairs["nearer_than"], null.nearer(record["relative_error"]))
        self.assertEqual((pairs["pairs"], pairs["of"]), (100, "pieces of two photographs"))
        # What it says of the picture is what the classifier says of it.
        asked = second_network.opened(str(self.second))
        square = images.resize(self.image, 16, 16)
        scores = asked.network.taps(["logits"])(tf.constant(square[None]))["logits"]
        probabilities = tf.nn.softmax(scores).numpy()[0]
        self.assertEqual(answer["picture"]["class"], asked.classes[np.argmax(probabilities)])
        self.assertAllClose(answer["picture"]["probability"], probabilities.max(), rtol=1e-4)
        self.assertAllClose(pairs["p"], null.p_value(record["relative_error"]), atol=1e-6)
        words = rf"nearer than .*100 random pairs \(p = {pairs['p']:.2g}\).*second: "
        self.assertRegex(done.lines[0], words)
        self.assertEqual(manifest.read(self.folder / "out/manifest.json")["results"], done.records)
        with open(self.folder / "out/numbers.csv", newline="") as file:
            (row,) = csv.DictReader(file)
        self.assertEqual(row["nearer_than"], str(pairs["nearer_than"]))
        self.assertEqual(row["class_of_preimage"], answer["preimage"]["class"])
        with mock.patch.object(null_distribution, "null_distribution", side_effect=AssertionError):
            again = self._run(second_network=str(self.second))
        self.assertEqual(again.records, done.records)

    def test_a_picture_of_another_shape_is_shown_as_the_network_learnt(self):
        tall = nets.oblong(24, 16, seed=3)
        net = dataclasses.replace(nets.wrapped(size=16), classes=tuple("abcde"))
        asked = second_network.SecondNetwork(net, net.classes)
        self.assertEqual(asked.says(tall), asked.says(tall[4:20]))
        self.assertNotEqual(asked.says(tall), asked.says(images.resize(tall, 16, 16)))
        # One that learnt whole pictures, squeezed.
        asked = second_network.opened(str(self.second))
        self.assertEqual(asked.says(tall), asked.says(images.resize(tall, 16, 16)))

    def test_what_means_nothing_is_not_said(self):
        few = self.folder / "few"
        few.mkdir()
        for k in range(14):
            images.save_png(few / f"{k}.png", nets.picture(20, seed=k))
        with self.assertRaisesRegex(InputError, "^references: expected 15 .*Received: 14"):
            self._run(references=few)
        (few / "broken.png").write_bytes(b"none")
        with mock.patch("tfvis.experiments.messages.note") as said:
            (record,) = self._run(references=few).records
        self.assertIsNone(record["random_pairs"])
        self.assertIsNone(record["second_network"])
        self.assertIn("too few pictures could be read for 100 random pairs", str(said.mock_calls))
        for name, words in (("hog", "^second_network=hog: is no classifier"), ("x", "^second_net")):
            with self.assertRaisesRegex(InputError, words):
                self._run(second_network=name)
