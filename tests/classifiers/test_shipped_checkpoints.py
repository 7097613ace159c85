"""The classifiers that come along are whole, small, and described."""

import re

import tensorflow as tf

from tfvis.classifiers import backbone
from tfvis.networks import classifier_head, network, registry, weights
from tfvis.networks.files import checkpoint_files, weight_files

_NAMES = (
    "drawings_vgg16", "instruments_vgg16", "pacs_none_vgg16", "pacs_vgg16", "photos_vgg16",
)  # fmt: skip
# Whole networks, of which nothing is published.
_FROM_NOTHING = ("drawings_small", "photos_small")
# Of a folder in the repository, card and all.
_MOST_BYTES = 32 * 2**20


class ShippedTest(tf.test.TestCase):
    def test_each_fits_its_network_and_is_described(self):
        bases = {name: network.build(name, "random") for name in ("vgg16", "vgg_small")}
        for name in (*_NAMES, *_FROM_NOTHING):
            with self.subTest(name):
                folder = registry.find_checkpoint(name)
                self.assertIn(name, registry.checkpoints())
                said = checkpoint_files.description(folder, name)
                base = bases[said["network"]]
                backbone.split(base, said["cut"], said["last"])  # Cuts there, if asked to.
                arrays, differences = weight_files.read_npz(folder / "weights.npz"), None
                if said["format"] == checkpoint_files.OF_DIFFERENCES:
                    differences = weight_files.read_npz(folder / "differences.npz")
                    self.assertLess(sum(f.stat().st_size for f in folder.iterdir()), 16 * 2**20)
                model = classifier_head.classifier(
                    base.graph, said["cut"], said["last"], arrays, name, differences
                )
                whole = network.wrap(model, name, base.preprocessing)
                output = whole.graph.output
                answers = whole.taps([output])(tf.zeros([1, 64, 64, 3]))[output]
                self.assertEqual(answers.shape, (1, len(said["classes"])))
                self.assertAllClose(tf.reduce_sum(answers, -1), [1.0], atol=1e-5)
                size = sum(file.stat().st_size for file in folder.iterdir())
                self.assertLess(size, _MOST_BYTES)
                card = (folder / "README.md").read_text()
                words = ("Data:", "to test", "Made in", "## Failures", "## Licence")
                for word in (*words, *said["classes"]):
                    self.assertIn(word, card)
                # What the card says is what was measured.
                shown = re.search(r"test pictures: ([0-9.]+)%", card)[1]
                self.assertEqual(shown, f"{100 * said['about']['test']['accuracy']:.1f}")

    def test_they_stand_on_the_published_trunk(self):
        # The fingerprint they ask for is that of the published convolutions up to the cut, so
        # another network of the same shape is refused.
        base = network.build("vgg16", "random")
        for name in _NAMES:
            said = checkpoint_files.description(registry.find_checkpoint(name), name)
            parts = backbone.split(base, said["cut"], said["last"])
            tail = said["format"] == checkpoint_files.OF_DIFFERENCES
            self.assertNotEqual(parts.trunk_fingerprint(tail), said["trunk"])
            self.assertLen(said["trunk"], len(weights.PUBLISHED["vgg16"]))

    def test_what_began_with_nothing_needs_nothing(self):
        for name in _FROM_NOTHING:
            said = checkpoint_files.description(registry.find_checkpoint(name), name)
            self.assertEqual((said["network"], said["size"]), ("vgg_small", 96))
            self.assertGreaterEqual(said["about"]["test"]["accuracy"], 0.6)
            found = network.build(name)
            self.assertEqual((found.side, found.classes), (96, tuple(said["classes"])))
