"""Tagging as a person runs it, and what it makes of a stand-in for the large networks."""

import csv
import json
import time
from unittest import mock

import keras
import numpy as np
import PIL.Image

from tests.caffe_nets import numbers
from tests.processes import AppTest
from tfvis import images
from tfvis.errors import InputError
from tfvis.experiments import folders, tagging
from tfvis.networks import network
from tfvis.networks.caffe import schema
from tfvis.networks.preprocessing import contracts

_NAMES = [f"tag {k}" for k in range(1536)] + ["safe", "questionable", "explicit"]
# Of the released code, in the order of red, green, blue.
_MEAN = (181.13838569, 167.47864617, 164.76139251)


def _stand_in(features: bool) -> network.Network:
    """Linear up to the sigmoid, so that the mean colour of a picture decides all."""
    keras.utils.set_random_seed(0)
    inputs = keras.Input((None, None, 3))
    # In two steps: a sum of 50,000 float32 is off by a thousandth.
    coarse = keras.layers.AveragePooling2D(16)(inputs)
    pooled = keras.layers.GlobalAveragePooling2D(keepdims=not features)(coarse)
    if features:
        vector = keras.layers.Dense(4096, name="encode1")(pooled)
        neurons = keras.layers.Activation("sigmoid", name="encode1neuron")(vector)
        outputs = keras.layers.Dense(1539, name="encode2")(neurons)
    else:
        scores = keras.layers.Conv2D(1539, 1, name="pool6")(pooled)
        outputs = keras.layers.Activation("sigmoid", name="prob")(scores)
    model = keras.Model(inputs, outputs)
    return network.wrap(model, "stand-in", contracts.named("illustration2vec"))


class TagTest(AppTest):
    def setUp(self):
        super().setUp()
        self.tags = self.folder / "tag_list.json"
        self.tags.write_text(json.dumps(_NAMES))
        self.out = self.folder / "out"
        self.out.mkdir()

    def _tag(self, image, weights="stand-in", **rest):
        found = folders.find(str(image), "image")
        settings = tagging.Tagging(tags=str(self.tags), **rest)
        # Chances are compared with NumPy's: where a CPU has bfloat16, that is the default.
        return tagging.tag(weights, found, settings, workdir=self.out, precision="float32").lines

    def _describe(self, image, weights="stand-in"):
        found = folders.find(str(image), "image")
        return tagging.describe(weights, found, workdir=self.out)

    def _pictures(self):
        """Two pictures of one colour on the left, another on the right; one file that is none."""
        folder = self.folder / "drawings"
        halves = {"a": ((250, 20, 30), (10, 60, 40)), "b": ((0, 0, 255), (0, 255, 0))}
        for name, colours in halves.items():
            pixels = np.zeros((90, 448, 3), np.float32)
            pixels[:, :224], pixels[:, 224:] = colours
            images.save_png(folder / f"{name}.png", pixels)
        (folder / "c.png").write_text("nothing of the kind")
        return folder, {
            str(folder / f"{name}.png"): (np.mean(colours, 0) - _MEAN)[::-1]
            for name, colours in halves.items()
        }

    def test_tags_of_a_folder(self):
        folder, colours = self._pictures()
        net = _stand_in(features=False)
        kernel, bias = net.graph.layers["pool6"].get_weights()
        with mock.patch.object(network, "build", return_value=net) as build:
            lines = self._tag(folder, threshold=0.6, top=4)
        build.assert_called_once_with("illustration2vec", weights="stand-in", top=True)
        with open(self.out / "tags.csv", encoding="utf-8") as file:
            rows = list(csv.DictReader(file))
        self.assertEqual({row["path"] for row in rows}, set(colours))
        results = json.loads((self.out / "manifest.json").read_text())["results"]
        for path, colour in colours.items():
            sure = 1 / (1 + np.exp(-(colour @ kernel[0, 0] + bias)))
            for kind, first, last in (
                ("general", 0, 512), ("character", 512, 1024), ("copyright", 1024, 1536),
                ("rating", 1536, 1539),
            ):  # fmt: skip
                order = sorted(range(first, last), key=lambda k: -sure[k])
                if kind != "rating":
                    order = [k for k in order if sure[k] > 0.6][:4]
                mine = [row for row in rows if row["path"] == path and row["kind"] == kind]
                # Tags this close may change places.
                self.assertAllClose([float(r["confidence"]) for r in mine], sure[order], atol=1e-5)
                self.assertAllClose(
                    [sure[_NAMES.index(row["tag"])] for row in mine], sure[order], atol=1e-5
                )
                self.assertEqual([row["rank"] for row in mine], ["1", "2", "3", "4"][: len(order)])
                said = next(result for result in results if result["path"] == path)
                self.assertEqual(list(said[kind]), [row["tag"] for row in mine])
        text = "\n".join(lines)
        for row in rows:
            self.assertRegex(text, rf"\b{row['tag']} +{float(row['confidence']):.1%}")
        with PIL.Image.open(self.out / "sheet.png") as sheet:
            self.assertGreater(sheet.width, 2 * 288)

    def test_thresholds_of_a_rule(self):
        _, colours = self._pictures()
        path, colour = next(iter(colours.items()))
        net = _stand_in(features=False)
        kernel, bias = net.graph.layers["pool6"].get_weights()
        sure = 1 / (1 + np.exp(-(colour @ kernel[0, 0] + bias)))
        # Of every second tag just below what it has, of the others above.
        bars = np.clip(np.where(np.arange(1539) % 2, sure - 1e-3, sure + 1e-3), 0, 1)
        file = self.folder / "thresholds.npz"
        np.savez(file, threshold=np.stack([bars * 0 + 1, bars * 0 + 1, bars], 1))
        with mock.patch.object(network, "build", return_value=net):
            self._tag(path, thresholds=str(file), rule="f2", top=512)
        with open(self.out / "tags.csv", encoding="utf-8") as table:
            found = {row["tag"] for row in csv.DictReader(table) if row["kind"] != "rating"}
        odd = {f"tag {k}" for k in range(1, 1536, 2) if sure[k] > 2e-3}
        self.assertContainsSubset(odd, found)
        self.assertEqual({tag for tag in found if int(tag[4:]) % 2 == 0}, set())

    def test_vectors_of_a_folder(self):
        folder, colours = self._pictures()
        net = _stand_in(features=True)
        kernel, bias = net.graph.layers["encode1"].get_weights()
        with mock.patch.object(network, "build", return_value=net) as build:
            self._describe(folder)
        build.assert_called_once_with("illustration2vec_features", weights="stand-in", top=True)
        vectors, bits = (np.load(self.out / f"{name}.npy") for name in ("features", "binary"))
        self.assertEqual((vectors.shape, vectors.dtype), ((2, 4096), np.float32))
        self.assertEqual((bits.shape, bits.dtype), ((2, 512), np.uint8))
        with open(self.out / "features.csv", encoding="utf-8") as file:
            rows = list(csv.DictReader(file))
        self.assertEqual(
            [(row["row"], row["path"]) for row in rows], list(zip("01", colours, strict=True))
        )
        expected = np.stack(list(colours.values())) @ kernel + bias
        # Colours of hundreds in float32.
        self.assertAllClose(vectors, expected, atol=1e-3)
        clear = np.abs(expected) > 1e-2
        unpacked = ((bits[:, :, None] >> np.arange(7, -1, -1)) & 1).reshape(2, 4096)
        self.assertAllEqual(unpacked[clear], (expected > 0)[clear])

    def test_weights_of_another_network_and_pictures_that_are_none(self):
        net = schema.NetParameter()
        for name, arrays in numbers(conv1_1=[(64, 3, 3, 3), (64,)]).items():
            part = net.layer.add(name=name, type="Convolution")
            for array in arrays:
                blob = part.blobs.add(data=array.ravel().tolist())
                blob.shape.dim.extend(array.shape)
        weights = self.folder / "net.caffemodel"
        weights.write_bytes(net.SerializeToString())
        with self.assertRaisesRegex(InputError, "net.caffemodel: has no weights for layer conv2_1"):
            self._tag(self.image, str(weights))
        missing = InputError("x.caffemodel: has no weights for layer encode1.")
        with mock.patch.object(network, "build", side_effect=missing):
            with self.assertRaisesRegex(InputError, "layer encode1. features takes the vectors'"):
                self._describe(self.image)
        own = InputError("own.keras: holds no weights for layer conv1_1.")
        with mock.patch.object(network, "build", side_effect=own):
            for look in (self._tag, self._describe):
                words = "conv1_1. Expected weights of Illustration2Vec; of another"
                with self.assertRaisesRegex(InputError, words):
                    look(self.image, "own.keras")
        folder, _ = self._pictures()
        with mock.patch.object(network, "build", return_value=_stand_in(features=False)):
            with self.assertRaisesRegex(InputError, "none of 1 files can be read"):
                self._tag(folder / "c.png")
        self.assertEqual(list(self.out.iterdir()), [])

    def test_runs_on_the_network_itself_by_chance(self):
        done = self._run(
            "tag", "--weights=random", f"--tags={self.tags}", f"--image={self.image}", "--top=2",
            f"--workdir={self.out}",
        )  # fmt: skip
        self.assertIn("random weights", done.stderr)
        self.assertRegex(done.stdout, r"picture\.png\n  general +tag \d+ +\d\d\.\d%\n")
        names = {path.name for path in self.out.iterdir()}
        self.assertEqual(names, {"tags.csv", "sheet.png", "manifest.json", "index.html", "page"})
        with open(self.out / "tags.csv", encoding="utf-8") as file:
            kinds = [row["kind"] for row in csv.DictReader(file)]
        self.assertEqual(kinds.count("rating"), 3)
        self.assertLessEqual(kinds.count("general"), 2)

    def test_refused_at_once(self):
        began = time.monotonic()
        tags, random = f"--tags={self.tags}", "--weights=random"
        for words, *flags in (
            ("--tags: name the list", random),
            ("--tags: --features writes no tags", random, tags, "--features"),
            ("--features: writes whole arrays", random, "--features", "--workers=1"),
            ("--rule=f2: chooses among --thresholds", random, tags, "--rule=f2"),
            (
                "--threshold: --thresholds has one",
                random,
                tags,
                "--threshold=.3",
                f"--thresholds={self.tags}",
            ),
            ("--image=absent: no such file", random, tags, "--image=absent"),
        ):
            self._refused(words, *flags, app="tag")
        self._refused("--weights", tags, app="tag", code=2)
        self._refused("--threshold", random, tags, "--threshold=1.5", app="tag", code=2)
        done = self._run("tag", "--help")
        self.assertIn("--tags=tag_list.json \\\n", done.stdout)
        # TensorFlow alone would take five seconds each.
        self.assertLess(time.monotonic() - began, 32)

    def test_refused_as_a_process(self):
        self.tags.write_text(json.dumps(_NAMES[1:]))
        self._refused(
            "--tags=.*: 1538 tags; Illustration2Vec has 1,539",
            "--weights=random", f"--tags={self.tags}", app="tag",
        )  # fmt: skip
