"""Classify with any network: its classes by name, its pictures by its recipe."""

import csv
import json
import pathlib
import time
from unittest import mock

import keras
import numpy as np
import PIL.Image
import tensorflow as tf

from tests import nets
from tests.processes import AppTest
from tfvis import images
from tfvis.errors import InputError
from tfvis.experiments import classification, classifying_networks, predictions
from tfvis.experiments.networks import Wanted
from tfvis.networks import network
from tfvis.networks.preprocessing import published_recipes

_LAYERS = keras.layers


class ClassifyNetworkTest(AppTest):
    def setUp(self):
        super().setUp()
        self.labels = self.folder / "labels.txt"
        self.labels.write_text("cat\ndog\ncrane\nhouse\ncrane\n")
        self.out = self.folder / "out"

    def test_table_names_and_files(self):
        wide = self.folder / "pictures" / "wide.png"
        pixels = nets.oblong(300, 420)
        # What is cut off would be heard, were it looked at.
        pixels[:, :60], pixels[:, -60:] = (255, 0, 0), (0, 255, 255)
        images.save_png(wide, pixels)
        (wide.parent / "broken.png").write_bytes(wide.read_bytes()[:300])
        done = self._run(
            "classify", f"--network={self.model}", "--preprocessing=tf", "--precision=float32",
            f"--labels={self.labels}", f"--image={wide.parent}", "--top=5", f"--workdir={self.out}",
        )  # fmt: skip
        self.assertRegex(done.stderr, r"left out 1 of 2 files: .*broken\.png: truncated")
        # The same by other means: Pillow resizes and cuts, Keras answers.
        with PIL.Image.open(wide) as picture:
            small = picture.resize((358, 256), PIL.Image.Resampling.BILINEAR)
        seen = np.asarray(small.crop((67, 16, 291, 240)), np.float32)
        answers = nets.small().predict((seen[None] - 127.5) / 127.5, verbose=0)[0]
        with open(self.out / "predictions.csv", encoding="utf-8") as file:
            rows = list(csv.DictReader(file))
        self.assertEqual({row["path"] for row in rows}, {str(wide)})
        names = ["cat", "dog", "crane (2)", "house", "crane (4)"]
        order = np.argsort(-answers)
        self.assertEqual([row["label"] for row in rows], [names[k] for k in order])
        # Pillow rounds pixels to whole levels; the squeezed whole is off by 100 times as much.
        found = [float(row["probability"]) for row in rows]
        self.assertAllClose(found, answers[order], atol=2e-4, rtol=0)
        first = f"{float(rows[0]['probability']):.1%}"
        self.assertRegex(done.stdout, rf"wide\.png +{names[order[0]][:5]}.* {first}\n")
        manifest = json.loads((self.out / "manifest.json").read_text())
        self.assertEqual(manifest["classes"], names)
        self.assertAllClose(sum(manifest["results"][0]["probabilities"].values()), 1, atol=1e-5)
        self.assertIn("small.keras", manifest["network"]["weights"]["source"])
        with PIL.Image.open(self.out / "sheet.png") as sheet:
            self.assertGreater(min(sheet.size), 224)

    def test_workers_say_what_one_process_says(self):
        photos = self.folder / "photos"
        for k in range(9):
            images.save_png(photos / f"{k}.png", nets.oblong(230, 260, seed=k))
        (photos / "broken.png").write_bytes(b"no picture")
        flags = (
            f"--network={self.model}", "--preprocessing=tf", "--precision=float32",
            f"--labels={self.labels}", f"--image={photos}", "--top=2",
        )  # fmt: skip
        self._run("classify", *flags, f"--workdir={self.out}")
        shared = self.folder / "shared"
        done = self._run("classify", *flags, f"--workdir={shared}", "--workers=1")
        self.assertIn("9 of 10 items in 2 shards, verified", done.stdout)
        self.assertRegex(done.stderr, r"left out 1 of 10 files: .*broken\.png")
        table = (self.out / "predictions.csv").read_text()
        self.assertEqual((shared / "predictions.csv").read_text(), table)
        self._refused("top was 2, is 3", *flags, "--top=3", "--workers=0", f"--workdir={shared}",
                      app="classify")  # fmt: skip

    def test_refused_at_once(self):
        began = time.monotonic()
        network = f"--network={self.model}"
        for words, *flags in (
            ("--checkpoint and --network: one of them", network, "--checkpoint=pacs_vgg16"),
            ("--labels=.*pacs_none_vgg16 is a checkpoint", f"--labels={self.labels}"),
            ("--weights=random: pacs_none_vgg16 is a checkpoint", "--weights=random"),
            (
                "--preprocessing=tf: .* is a checkpoint",
                "--network=pacs_vgg16",
                "--preprocessing=tf",
            ),
            ("--image=absent: no such file", network, "--image=absent"),
        ):
            self._refused(words, *flags, app="classify")
        # TensorFlow alone would take five seconds each.
        self.assertLess(time.monotonic() - began, 20)

    def test_refused_as_a_process(self):
        self.labels.write_text("cat\ndog\n")
        self._refused(
            "--labels=.*: 2 names for 5 classes",
            f"--network={self.model}", f"--labels={self.labels}", app="classify",
        )  # fmt: skip


class NamerTest(tf.test.TestCase):
    """In this process, which costs less."""

    def _classifier(self, model, labels=None):
        path = f"{self.create_tempdir().full_path}/net.keras"
        model.save(path)
        return self._named(path, labels)

    def _named(self, name, labels=None, **flags):
        values = {
            "network": name, "weights": None, "pooling": "max", "activation": "post",
            "preprocessing": "none",
        } | flags  # fmt: skip
        return classifying_networks.of_network(Wanted(**values), labels, "float32", False)

    def test_numbers_that_nothing_calls_classes_are_shown_as_they_are(self):
        inputs, trunk = _trunk()
        model = keras.Model(inputs, _LAYERS.Dense(2)(_LAYERS.GlobalAveragePooling2D()(trunk)))
        with mock.patch("tfvis.experiments.messages.note") as said:
            classifier = self._classifier(model)
        self.assertIn("2 numbers, and nothing says that they are scores", str(said.mock_calls))
        self.assertFalse(classifier.probable)
        picture = nets.picture(224)[None]
        self.assertAllClose(
            classifier.answer(tf.constant(picture))[0],
            model.predict(picture, verbose=0)[0],
            rtol=1e-3,
        )
        line = classification._lines("a.png", [("class 0", 12.3456), ("class 1", -3.0)], False)
        self.assertRegex(line[0], r"a\.png +class 0 +12\.35$")
        table = pathlib.Path(self.create_tempdir().full_path) / "predictions.csv"
        predictions.write(table, ["a.png"], [np.array([12.5, -3])], classifier.classes, 1, False)
        self.assertEqual(
            table.read_text().split(), ["path,rank,label,score", "a.png,1,class", "0,12.500000"]
        )
        # A network that says itself that they are classes has no need of names.
        x = _LAYERS.Dense(2, activation="softmax")(_LAYERS.GlobalAveragePooling2D()(trunk))
        self.assertTrue(self._classifier(keras.Model(inputs, x)).probable)
        x = _LAYERS.Dense(1000)(_LAYERS.GlobalAveragePooling2D()(trunk))
        self.assertTrue(self._classifier(keras.Model(inputs, x)).probable)

    def test_logits_are_made_probabilities(self):
        inputs, trunk = _trunk()
        model = keras.Model(inputs, _LAYERS.Dense(4)(_LAYERS.GlobalAveragePooling2D()(trunk)))
        names = pathlib.Path(self.create_tempdir().full_path) / "names.txt"
        names.write_text("class 0\nclass 1\nclass 2\nclass 3\n")
        classifier = self._classifier(model, str(names))
        picture = nets.picture(224)[None]
        scores = model.predict(picture, verbose=0)[0]
        powers = np.exp(scores - scores.max())
        self.assertAllClose(
            classifier.answer(tf.constant(picture))[0], powers / powers.sum(), rtol=1e-3
        )
        self.assertEqual(classifier.classes, ("class 0", "class 1", "class 2", "class 3"))

    def test_softmax_of_a_map_of_one_pixel(self):
        inputs, trunk = _trunk()
        scores = _LAYERS.GlobalAveragePooling2D(keepdims=True)(_LAYERS.Conv2D(1000, 1)(trunk))
        model = keras.Model(inputs, _LAYERS.Softmax()(scores))
        # That these are ImageNet's is a guess, and said.
        with self.assertLogs("tfvis", "WARNING") as said:
            classifier = self._classifier(model)
        self.assertIn("names its 1000 classes; they are called as ImageNet's", said.output[-1])
        self.assertEqual(classifier.classes[207], "golden retriever")
        picture = nets.picture(224)[None]
        expected = model.predict(picture, verbose=0).reshape(1, 1000)
        self.assertAllClose(classifier.answer(tf.constant(picture)), expected, rtol=1e-3)

    def test_grey_network_of_a_size_of_its_own(self):
        classifier = self._classifier(nets.small(channels=1, size=32))
        path = f"{self.create_tempdir().full_path}/wide.png"
        images.save_png(path, nets.oblong(60, 90))
        ((number, read),) = classifier.reads([path])
        self.assertEqual((number, read.shape), (0, (32, 32, 3)))
        self.assertAllClose(np.sum(classifier.answer(tf.constant(read[None]))), 1)

    def test_what_prepares_pictures_itself_is_given_them_whole(self):
        net = network.wrap(nets.small(size=32), "small")
        recipe = published_recipes.Recipe(40, 32, net.preprocessing)
        model = net.end_to_end(recipe)
        classifier = self._classifier(model)
        for sides in ((60, 90), (70, 50)):
            path = f"{self.create_tempdir().full_path}/picture.png"
            images.save_png(path, nets.oblong(*sides))
            ((_, read),) = classifier.reads([path])
            whole = images.read(path).pixels
            self.assertAllEqual(read, whole)
            answers = classifier.answer(tf.constant(read[None]))
            self.assertAllClose(answers, model(whole[None]), rtol=1e-4)
            self.assertEqual(classifier.seen(path).shape, (224, 224, 3))

    def test_what_is_no_classifier_is_refused(self):
        inputs, trunk = _trunk()
        pooled = _LAYERS.GlobalAveragePooling2D(name="features")(trunk)
        for output, words in (
            (trunk, r"ends in trunk \(Conv2D\)"),
            (pooled, r"ends in features \(GlobalAveragePooling2D\)"),
            (_LAYERS.Dense(5, "relu", name="last")(pooled), r"ends in last \(\w+\)"),
            (_LAYERS.Dense(5, "tanh", name="tags")(pooled), "tags puts out numbers"),
            (_LAYERS.Dense(1, name="score")(pooled), r"ends in score \(Dense\)"),
            (_LAYERS.Softmax(name="map")(trunk), r"ends in map \(Softmax\)"),
        ):
            with self.assertRaisesRegex(InputError, f"network=.*no classifier here: {words}"):
                self._classifier(keras.Model(inputs, output))


def _trunk():
    keras.utils.set_random_seed(0)
    inputs = keras.Input((None, None, 3))
    scaled = _LAYERS.Rescaling(1 / 255)(inputs)
    return inputs, _LAYERS.Conv2D(6, 5, strides=4, activation="relu", name="trunk")(scaled)


if __name__ == "__main__":
    tf.test.main()
