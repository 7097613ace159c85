"""A checkpoint wherever a network is named: as it was trained, or refused in one line."""

import contextlib
import json
import pathlib
import zipfile

import numpy as np
import tensorflow as tf

import tfvis
from tests import nets
from tfvis import images
from tfvis.classifiers import backbone, checkpoints
from tfvis.errors import InputError
from tfvis.experiments import classifying_networks, conversion, networks
from tfvis.networks import network, opening, registry
from tfvis.objectives import parsing


class NamedCheckpointsTest(tf.test.TestCase):
    def setUp(self):
        super().setUp()
        self.home = pathlib.Path(self.create_tempdir().full_path)
        self.folder = nets.checkpoint(self.home / "shapes")
        self.name = str(self.folder)
        self.images = tf.constant(np.stack([nets.picture(32, seed=k) for k in range(2)]))

    def test_as_it_was_trained(self):
        net = tfvis.build(self.name)
        classifier = checkpoints.load(self.name)
        output = net.graph.output
        answers = net.taps([output])(self.images)[output]
        # The same layers, in one order.
        self.assertAllClose(answers, classifier.probabilities(self.images), rtol=1e-5)
        self.assertEqual(net.preprocessing.name, "tf")
        self.assertEqual((net.classes, net.side), (("circle", "square", "none"), 32))
        self.assertEqual(net.base, str(self.folder / "trunk.keras"))
        self.assertEqual(net.record.source, "checkpoint shapes")
        other = network.build(self.name, preprocessing="unit", pooling="avg")
        self.assertEqual(other.preprocessing.name, "unit")
        self.assertEqual(dict(other.variant)["pooling"], "avg")

    def test_variants_stay(self):
        net = network.build(str(self.folder / "trunk.keras"), preprocessing="tf", pooling="avg")
        parts = backbone.split(net)
        learner = backbone.learner(parts, 2)
        learnt = backbone.learnt(learner)
        checkpoints.save(self.home / "averaged", parts, learnt, ("a", "b"), 24, {})
        found = network.build(str(self.home / "averaged"))
        self.assertEqual(dict(found.variant)["pooling"], "avg")
        maps = net.taps([parts.cut])(self.images)[parts.cut]
        answers = found.taps([found.graph.output])(self.images)[found.graph.output]
        # Kernels are kept in float16.
        self.assertAllClose(answers, learner(maps), rtol=5e-3)

    def test_in_the_apps(self):
        built = networks.networks(networks.Wanted(self.name))
        self.assertEqual(list(built), ["shapes"])
        net = built["shapes"]
        (unit,) = parsing.parse("logit:square", net, None)
        self.assertEqual((unit.layer, unit.channel, unit.name), ("logits", 1, "1 square"))
        with self.assertRaisesRegex(InputError, "logit:sqare: .*Nearest: square"):
            parsing.parse("logit:sqare", net, None)
        self.assertEqual(
            networks.target(nets.oblong(40, 60), net, None, "center").shape[:2], (32, 32)
        )
        classifier = classifying_networks.of_checkpoint(self.name, "float32", None, "network")
        self.assertEqual(classifier.classes, net.classes)
        networks.as_trained(self.name, networks.Wanted(self.name))
        with self.assertRaisesRegex(InputError, "pooling=avg: .* is a checkpoint"):
            networks.as_trained(self.name, networks.Wanted(self.name, pooling="avg"))
        with self.assertRaisesRegex(InputError, "weights=random: .* is a checkpoint"):
            network.build(self.name, "random")

    def test_end_to_end_squeezes_whole_pictures(self):
        net = network.build(self.name)
        model = net.end_to_end()
        picture = nets.oblong(40, 60)
        classifier = classifying_networks.of_checkpoint(self.name, "float32", None)
        path = self.home / "picture.png"
        images.save_png(path, picture)
        ((_, read),) = classifier.reads([str(path)])
        stored = images.read(path).pixels
        # Pillow rounds to whole grey levels where the layer does not.
        self.assertAllClose(
            model(stored[None]), classifier.answer(tf.constant(read[None])), rtol=0.02
        )

    def test_a_file_made_of_it_keeps_its_classes(self):
        picture, path = nets.oblong(40, 60), self.home / "picture.png"
        images.save_png(path, picture)
        classifier = classifying_networks.of_checkpoint(self.name, "float32", None)
        ((_, read),) = classifier.reads([str(path)])
        expected = classifier.answer(tf.constant(read[None]))
        for whole in (False, True):
            output = self.home / f"net{whole}.keras"
            conversion.run(self.name, str(output), end_to_end=whole)
            net = network.build(str(output))
            self.assertEqual(net.classes, ("circle", "square", "none"))
            self.assertEqual(net.side, None if whole else 32)
            wanted = networks.Wanted(str(output))
            other = classifying_networks.of_network(wanted, None, "float32", False)
            self.assertEqual(other.classes, net.classes)
            ((_, read),) = other.reads([str(path)])
            self.assertAllClose(other.answer(tf.constant(read[None])), expected, rtol=0.02)
        # And a file made of that file.
        conversion.run(str(self.home / "netFalse.keras"), str(self.home / "again.keras"))
        net = network.build(str(self.home / "again.keras"))
        self.assertEqual((net.classes, net.side), (("circle", "square", "none"), 32))
        for said, words in (
            ({"classes": ["a", "b"], "side": 32}, "names 2 classes and answers with 3"),
            ({"classes": ["a", "b", "b"], "side": 32}, "no two alike"),
            ({"classes": ["a", "b", "c\nd"], "side": 32}, "is no name"),
            ({"classes": ["a", "b", "c"], "side": 10**9}, "side is a number"),
            ({"classes": ["a", "b", 3], "side": None}, "names are words"),
            ([], "cannot be used"),
        ):
            changed = self.home / "changed.keras"
            with zipfile.ZipFile(self.home / "netFalse.keras") as old:
                with zipfile.ZipFile(changed, "w") as new:
                    for name in old.namelist():
                        own = name == "tfvis/classes.json"
                        new.writestr(name, json.dumps(said) if own else old.read(name))
            with self.assertRaisesRegex(InputError, f"^network=.*changed.keras: .*{words}"):
                network.build(str(changed))

    def test_a_checkpoint_on_a_checkpoint(self):
        parts = backbone.split(network.build(self.name))
        learner = backbone.learner(parts, 2)
        folder = self.home / "second"
        checkpoints.save(folder, parts, backbone.learnt(learner), ("a", "b"), 24, {})
        found = checkpoints.load(str(folder))
        self.assertEqual(found.network.base, str(self.folder / "trunk.keras"))
        maps = parts.network.taps([parts.cut])(self.images)[parts.cut]
        self.assertAllClose(found.probabilities(self.images), learner(maps), rtol=5e-3)
        # One that stands on itself has no end.
        path = folder / "classifier.json"
        path.write_text(json.dumps(json.loads(path.read_text()) | {"network": str(folder)}))
        with self.assertRaisesRegex(InputError, "more than 8 checkpoints stand on each other"):
            opening.opened(str(folder))

    def test_a_checkpoint_of_another_kind_is_told_what_it_is(self):
        painter = self.home / "painter"
        painter.mkdir()
        (painter / registry.PAINTING).write_text("{}")
        for ask in (registry.check, lambda name: registry.found_checkpoint(name, "network")):
            with self.assertRaisesRegex(InputError, "^network=.*a network that paints; stylize"):
                ask(str(painter))
        with self.assertRaisesRegex(InputError, "^fast=.*is a checkpoint of a classifier"):
            registry.found_checkpoint(self.name, "fast", registry.PAINTING)

    def test_a_known_name_is_no_folder(self):
        self.assertEqual(registry.checkpoint(self.name), self.folder)
        self.assertIsNone(registry.checkpoint("vgg16"))
        (self.home / "vgg16").symlink_to(self.folder)
        with contextlib.chdir(self.home):
            self.assertIsNone(registry.checkpoint("vgg16"))
            self.assertIsNotNone(registry.checkpoint("./vgg16"))
            self.assertEqual(registry.label("./vgg16"), "shapes")
            self.assertEqual(registry.absolute("shapes"), self.name)
        self.assertEqual(registry.absolute("pacs_vgg16"), "pacs_vgg16")


if __name__ == "__main__":
    tf.test.main()
