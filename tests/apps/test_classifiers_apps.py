"""Train, evaluate, classify, as a person runs them: processes, files, words, exit codes."""

import csv
import hashlib
import json
import pathlib
import re
import signal
from unittest import mock

import numpy as np
import PIL.Image
import tensorflow as tf

from tests import stripes
from tests.processes import AppTest
from tfvis import images


class ArtTest(AppTest):
    def setUp(self):
        super().setUp()
        self.data = [stripes.folder(self.folder / name, 40, seed=k) for k, name in enumerate("ab")]
        self.out = self.folder / "out"

    def _train(self, *flags):
        return [
            f"--data={','.join(map(str, self.data))}",
            f"--network={self.model}",
            "--preprocessing=tf",
            "--size=32",
            "--views=2",
            "--batch=8",
            "--rate=0.01",
            "--epochs=12",
            "--patience=12",
            "--precision=float32",
            f"--cache={self.folder / 'cache'}",
            f"--workdir={self.out}",
            *flags,
        ]

    def test_train_evaluate_classify(self):
        broken = self.data[1] / "down" / "3.png"
        broken.write_bytes(broken.read_bytes()[:400])
        done = self._run("train", *self._train())
        self.assertRegex(done.stderr, r"Note: left out 1 of 160 files: .*b/down/3\.png: truncated")
        # Nothing else is said: no warnings of libraries.
        lines = done.stderr.replace("\r", "\n").splitlines()
        self.assertEqual(
            [
                x
                for x in lines
                if x and not re.match("Starting|Preprocessing: tf|Note: left|Looking|Learn", x)
            ],
            [],
        )
        said = json.loads((self.out / "manifest.json").read_text())
        self.assertGreater(said["test"]["accuracy"], 0.9)
        self.assertEqual(sum(said["pictures"]), 159)
        self.assertEqual(said["left_out"], {"truncated or damaged": 1})
        self.assertEqual(set(said["test"]["domains"]), {"a", "b"})
        self.assertIn(f"{said['test']['accuracy']:.1%}", done.stdout)
        self.assertIn(f"--checkpoint={self.out}", done.stdout)
        names = {path.name for path in self.out.iterdir()}
        self.assertContainsSubset(
            {"classifier.json", "weights.npz", "README.md", "confusion.png", "tensorboard"}, names
        )
        self.assertIn(f"{said['test']['accuracy']:.1%}", (self.out / "README.md").read_text())
        about = json.loads((self.out / "classifier.json").read_text(), parse_constant=self.fail)[
            "about"
        ]  # No NaN, which JSON lacks.

        # The whole network on the files, in place of the tail on the maps.
        tried = self.folder / "tried"
        sources = f"--data={','.join(map(str, self.data))}"
        done = self._run(
            "evaluate", f"--checkpoint={self.out}", sources, "--part=test", f"--workdir={tried}"
        )
        measures = json.loads((tried / "manifest.json").read_text())["measures"]
        self.assertEqual(measures["pictures"], said["pictures"][2])
        self.assertEqual(measures["accuracy"], said["test"]["accuracy"])
        with open(tried / "predictions.csv", encoding="utf-8") as file:
            rows = list(csv.DictReader(file))
        self.assertLen(rows, 2 * measures["pictures"])
        first = [row for row in rows if row["rank"] == "1"]
        # What it has learnt from is told by the bytes; no picture of the test is among them.
        digests = {
            path: hashlib.sha256(path.read_bytes()).hexdigest()[:12]
            for folder in self.data
            for path in folder.glob("*/*.png")
        }
        tested = {digests[pathlib.Path(row["path"])] for row in first}
        self.assertEqual(set(about["learnt_from"]), set(digests.values()) - tested)
        right = [row["path"].split("/")[-2] == row["label"] for row in first]
        self.assertAllClose(np.mean(right), measures["accuracy"])
        shares = np.reshape([float(row["probability"]) for row in rows], (-1, 2))
        self.assertAllClose(shares.sum(1), np.ones(len(shares)), atol=2e-6)

        named = self.folder / "named"
        picture = self.data[0] / "down" / "1.png"
        done = self._run(
            "classify", f"--checkpoint={self.out}", f"--image={picture}", f"--workdir={named}"
        )
        self.assertRegex(done.stdout, r"1\.png +down +\d+\.\d%\n +across +\d+\.\d%")
        result = json.loads((named / "manifest.json").read_text())["results"][0]
        self.assertAllClose(sum(result["probabilities"].values()), 1, atol=1e-5)
        with PIL.Image.open(named / "sheet.png") as sheet:
            self.assertGreater(min(sheet.size), 200)

        # A trunk that is gone.
        self.model.rename(self.folder / "elsewhere.keras")
        self._refused(
            r"--checkpoint=.*small\.keras: no such file",
            f"--checkpoint={self.out}", f"--image={picture}", app="classify",
        )  # fmt: skip

    def test_interrupted_and_gone_on_with(self):
        flags = self._train("--epochs=25", "--patience=25")
        state = self.out / "state" / "state.json"

        def epochs():
            try:
                return len(json.loads(state.read_text())["history"]) - 1
            except (OSError, ValueError):
                return -1

        process = self._stopped(signal.SIGINT, lambda: epochs() >= 1, "train", *flags)
        self.assertEqual(process.returncode, 130, process.stderr)
        self.assertIn("the same command goes on", process.stderr)
        self.assertFalse((self.out / "classifier.json").exists())
        before = json.loads(state.read_text())["history"]
        self.assertBetween(len(before) - 1, 1, 24)
        self._run("train", *flags)
        history = json.loads((self.out / "manifest.json").read_text())["history"]
        self.assertEqual(history[: len(before)], before)
        self.assertGreater(len(history), len(before))

    def test_residual_network_adapts_to_unlabelled_pictures(self):
        stripes.residual().save(self.model)
        target = self.folder / "target"
        generator = np.random.default_rng(9)
        for k in range(20):
            images.save_png(target / f"{k}.png", 255 - stripes.picture("down", generator))
        self._run(
            "train", *self._train("--epochs=2", "--views=1", f"--adapt_to={target}"),
            "--per_class=60", "--differences",
        )  # fmt: skip
        said = json.loads((self.out / "manifest.json").read_text())
        self.assertEqual(sum(said["pictures"]), 120)
        self.assertTrue((self.out / "differences.npz").is_file())
        self.assertIn("domain_loss", said["history"][-1])
        self.assertEqual(said["network"]["last"], "block2")
        # What was adapted to has been seen, too.
        about = json.loads((self.out / "classifier.json").read_text())["about"]
        shown = {hashlib.sha256(p.read_bytes()).hexdigest()[:12] for p in target.iterdir()}
        self.assertContainsSubset(shown, set(about["learnt_from"]))
        self.assertLen(about["learnt_from"], sum(said["pictures"][:2]) + 20)
        self._unknown_labels_and_a_beginning()

    def _unknown_labels_and_a_beginning(self):
        """In this process, which costs less."""
        from tfvis.classifiers import datasets, training
        from tfvis.errors import InputError
        from tfvis.experiments import evaluation, labelled_pictures
        from tfvis.experiments import training as trainings
        from tfvis.networks.files import weight_files

        def evaluate(data):
            dataset = labelled_pictures.of_checkpoint(str(self.out), [str(data)])
            return evaluation.run(str(self.out), dataset, workdir=self.folder / "tried").records

        with self.assertRaisesRegex(InputError, "labels unknown to the checkpoint: none"):
            evaluate(stripes.folder(self.folder / "unknown", 1, stripes.KINDS))
        self.assertFalse((self.folder / "tried").exists())
        self.assertEqual(evaluate(self.data[0])[0]["pictures"], 80)
        # Begun with it, on other pictures: the head is carried over if the classes are the same.
        for name, kinds, carried in (("c", stripes.KINDS[:2], True), ("d", stripes.KINDS, False)):
            data = datasets.read([stripes.folder(self.folder / name, 12, kinds, seed=5)])
            workdir = self.folder / f"from_{name}"
            with mock.patch.object(training, "_head", wraps=training._head) as head:
                trainings.run(
                    data, init=str(self.out), views=1, shares=(0.6, 0.2, 0.2),
                    cache=str(self.folder / "cache"), settings=training.Training(epochs=0),
                    workdir=workdir,
                )  # fmt: skip
            self.assertEqual(head.called, not carried)
            said = json.loads((workdir / "classifier.json").read_text())
            self.assertEqual((said["size"], said["classes"]), (32, list(data.classes)))
            # What it was begun with has learnt from pictures before, which its network is not.
            first = json.loads((self.out / "classifier.json").read_text())["about"]
            self.assertContainsSubset(first["learnt_from"], said["about"]["learnt_from"])
            own = sum(said["about"]["pictures"][:2])
            self.assertLen(said["about"]["learnt_from"], len(first["learnt_from"]) + own)
            self.assertNotIn("learnt_from_complete", said["about"])
        # Of two that have learnt the same, the mean is the same; with no epochs it is the result.
        both, mean = [self.out, self.folder / "from_c"], self.folder / "mean"
        trainings.run(
            datasets.read([str(self.folder / "c")]), init=[str(one) for one in both], views=1,
            cache=str(self.folder / "cache"), settings=training.Training(epochs=0), workdir=mean,
        )  # fmt: skip
        kept, expected = (weight_files.read_npz(one / "weights.npz") for one in (mean, both[1]))
        for found in (kept, expected):
            found.pop("class_scores")  # Cooled anew.
        for layer, arrays in expected.items():
            for ours, theirs in zip(kept.pop(layer), arrays, strict=True):
                self.assertAllEqual(ours, theirs)
        self.assertEmpty(kept)

    def test_from_nothing(self):
        """All of a network learns, and the checkpoint alone brings it back."""
        from tfvis.classifiers import datasets, training
        from tfvis.errors import InputError
        from tfvis.experiments import training as trainings
        from tfvis.experiments.networks import Wanted
        from tfvis.networks import network
        from tfvis.networks.files import weight_files

        data = datasets.read([str(self.data[0])])
        common = {"size": 32, "views": 1, "cache": str(self.folder / "cache")}
        with self.assertRaisesRegex(InputError, "network=vgg_small: has learnt nothing"):
            trainings.run(data, Wanted("vgg_small"), workdir=self.out, **common)
        with mock.patch.object(training, "_head", side_effect=AssertionError):
            trainings.run(
                data, Wanted("vgg_small", "random"), workdir=self.out,
                settings=training.Training(epochs=12, batch=8, mixing=True), **common,
            )  # fmt: skip
        said = json.loads((self.out / "manifest.json").read_text())
        self.assertLen(said["history"], 13)  # No patience ends it.
        self.assertGreater(said["test"]["accuracy"], 0.8)
        self.assertEqual(said["network"]["cut"], "scaled")
        card = (self.out / "README.md").read_text()
        self.assertIn("vgg_small, all of its layers trained, up to block5", card)
        kept = weight_files.read_npz(self.out / "weights.npz")
        self.assertLen(kept, 2 * 9 + 1)
        built = network.build(str(self.out))
        self.assertEqual((built.base, built.side), ("vgg_small", 32))
        for layer, arrays in kept.items():
            for ours, theirs in zip(built.graph.layers[layer].get_weights(), arrays, strict=True):
                self.assertAllEqual(ours, np.asarray(theirs, np.float32))

    def test_bad_data(self):
        one = stripes.folder(self.folder / "one", 3, ("down",))
        empty = stripes.folder(self.folder / "empty", 3)
        for path in (empty / "down").iterdir():
            path.write_text("no picture")
        few = stripes.folder(self.folder / "few", 1)
        common = [f"--network={self.model}", f"--cache={self.folder / 'cache'}", "--size=32"]
        self._refused("1 class .*at least two", f"--data={one}", *common, app="train")
        self._refused(
            "no readable picture of the class down", f"--data={empty}", *common, app="train"
        )
        self._refused(
            "no such file or folder", f"--data={self.folder / 'nowhere'}", *common, app="train"
        )
        self._refused("too few to validate", f"--data={few}", *common, app="train")
        data = f"--data={self.data[0]}"
        self._refused("--shares=1,2: expected", data, "--shares=1,2", *common, app="train")
        self._refused("--cut=gap: not a layer", data, "--cut=gap", *common, app="train")
        self._refused("no folder with a classifier", data, "--checkpoint=x", app="evaluate")
        self._refused("--batch", data, "--batch=1", *common, app="train", code=2)


if __name__ == "__main__":
    tf.test.main()
