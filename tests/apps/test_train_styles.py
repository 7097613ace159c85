"""Train with pictures in other styles, as a person runs it."""

import json
import pathlib
import shutil
from unittest import mock

import numpy as np
import PIL.Image
import tensorflow as tf

from tests import nets, stripes
from tests.processes import AppTest
from tests.style.fast.test_checkpoints import saved
from tfvis import images
from tfvis.classifiers import datasets, splits, training
from tfvis.errors import InputError
from tfvis.experiments import messages, networks
from tfvis.experiments import training as trainings

_SHARES = (0.6, 0.2, 0.2)


class TrainStylesTest(AppTest):
    def setUp(self):
        super().setUp()
        self.data = [
            str(stripes.folder(self.folder / name, 10, seed=k)) for k, name in enumerate("ab")
        ]
        self.out = self.folder / "out"
        self.parted = splits.split(datasets.read(self.data), shares=_SHARES)
        self.styles = self.folder / "styles"
        for k in range(3):
            images.save_png(self.styles / f"{k}.png", nets.picture(48, seed=k))
        self.flags = [
            f"--data={','.join(self.data)}", f"--network={self.model}", "--preprocessing=tf",
            "--size=32", "--views=1", "--batch=8", "--epochs=1", "--precision=float32",
            f"--shares={','.join(map(str, _SHARES))}", f"--cache={self.folder / 'cache'}",
        ]  # fmt: skip

    def _run_here(self, name: str, **changes) -> dict:
        """Trains in this process, which costs less; returns what the checkpoint says."""
        given = {"size": 32, "views": 1, "shares": _SHARES, "cache": str(self.folder / "cache")}
        trainings.run(
            self.data, networks.Wanted(str(self.model), preprocessing="tf"),
            settings=training.Training(epochs=1, head_epochs=1, batch=8),
            workdir=self.folder / name, **(given | changes),
        )  # fmt: skip
        return json.loads((self.folder / name / "classifier.json").read_text())["about"]

    def test_sources_lend_each_other_their_styles(self):
        self._run(
            "train", *self.flags, "--style_augment=sources", "--stylised=2",
            f"--workdir={self.out}",
        )  # fmt: skip
        about = json.loads((self.out / "manifest.json").read_text())["style_augment"]
        train = self.parted[0]
        self.assertEqual(
            {key: about[key] for key in ("styles", "pictures", "copies", "layer", "strength")},
            {"styles": "sources", "pictures": len(train.examples), "copies": 2,
             "layer": "block1_pool", "strength": [0.5, 1.0]},
        )  # fmt: skip
        self.assertGreater(about["moved"], 0)
        card = " ".join((self.out / "README.md").read_text().split())
        self.assertIn(
            f"2 copies of each picture to learn from in the manner of {about['pictures']} training "
            "pictures of other sources, none of which it was chosen by or tested on",
            card,
        )
        self.assertIn(about["digest"], card)
        with PIL.Image.open(self.out / "styles.png") as sheet:
            self.assertGreater(min(sheet.size), 3 * 128)
        # What lends a style has been learnt from anyway, and no picture of the test has.
        said = json.loads((self.out / "classifier.json").read_text())["about"]
        self.assertEqual(said["learnt_from"], splits.digests(*self.parted[:2]))
        # There are stylised maps of as many pictures as are learnt from.
        rows = {path: len(np.load(path)) for path in (self.folder / "cache").rglob("styled*.npy")}
        self.assertLen(rows, 2 * 2)
        self.assertEqual(sum(rows.values()), 2 * len(train.examples))

    def test_styles_of_a_folder(self):
        plain = self._run_here("plain")
        self.assertNotIn("style_augment", plain)
        about = self._run_here("styled", style_augment=str(self.styles))
        self.assertEqual(about["style_augment"]["pictures"], 3)
        self.assertEqual(about["style_augment"]["copies"], 1)
        lent = {splits.digest(str(path)) for path in self.styles.iterdir()}
        self.assertEqual(set(about["learnt_from"]), {*plain["learnt_from"], *lent})
        # Other styles, or the same workdir without: another training each.
        weights = (self.folder / "styled" / "weights.npz").read_bytes()
        images.save_png(self.styles / "3.png", nets.picture(48, seed=7))
        other = self._run_here("styled", style_augment=str(self.styles))
        self.assertNotEqual(other["style_augment"]["digest"], about["style_augment"]["digest"])
        self.assertNotEqual((self.folder / "styled" / "weights.npz").read_bytes(), weights)
        self._run_here("styled")
        self.assertFalse((self.folder / "styled" / "styles.png").exists())
        self.assertEqual(
            (self.folder / "styled" / "weights.npz").read_bytes(),
            (self.folder / "plain" / "weights.npz").read_bytes(),
        )
        # A picture of what it will be tried on is no style; of what it learns from it may be.
        held = stripes.folder(self.folder / "c", 3, seed=9)
        shutil.copy(held / "down" / "1.png", self.styles / "4.png")
        said = r"styles/4.png is the same picture as .*c/down/1.png, which is held out"
        with self.assertRaisesRegex(InputError, said):
            self._run_here("held", style_augment=str(self.styles), held_out=[str(held)])
        self.assertEqual(list((self.folder / "held").glob("*.*")), [])

    def test_painted_by_a_transform_network(self):
        painter = saved(self.folder / "painter")
        for name in ("warm", "cold"):
            shutil.copy(self.styles / "0.png", painter / f"style_{name}.png")
        about = self._run_here("painted", style_augment=str(painter))["style_augment"]
        self.assertEqual(
            {key: about[key] for key in ("pictures", "copies", "layer", "strength")},
            {"pictures": 2, "copies": 1, "layer": None, "strength": [0.5, 1.0]},
        )
        card = " ".join((self.folder / "painted" / "README.md").read_text().split())
        self.assertIn("painted in mixes of two, one of which has 0.5 to 1, which moves maps", card)
        with self.assertRaisesRegex(InputError, "style_layer: .* before any layer sees them"):
            self._run_here("refused", style_augment=str(painter), style_layer="block1_pool")
        # What it learnt to paint from is told, where it is tested on.
        said = json.loads((painter / "fast_style.json").read_text())
        said["about"]["learnt_from"] = splits.digests(self.parted[2])
        (painter / "fast_style.json").write_text(json.dumps(said))
        with mock.patch.object(messages, "note") as told:
            self._run_here("told", style_augment=str(painter))
        count = len(self.parted[2].examples)
        told.assert_called_once_with(
            f"{painter} learnt to paint from {count} of the {count} pictures to be tested on; of "
            "what they show it knows nothing."
        )

    def test_a_test_picture_is_no_style(self):
        tested = self.parted[2].examples[0].path
        PIL.Image.open(tested).resize((50, 40)).save(self.styles / "copy.jpg", quality=80)
        more = [*self.flags, f"--style_augment={self.styles}"]
        self._refused(
            rf"--style_augment: \S+/copy.jpg is a near duplicate of {tested}, which is to be "
            r"tested on: no style may come from it",
            *more, app="train",
        )  # fmt: skip

    def test_flags_of_no_styles_are_refused(self):
        for flag, value in (("stylised", 2), ("style_layer", "block1_pool"), ("held_out", ["x"])):
            with self.assertRaisesRegex(InputError, f"{flag}: is about styles"):
                self._run_here("refused", **{flag: value})
        self.data = self.data[:1]
        with self.assertRaisesRegex(InputError, "style_augment=sources: styles are lent"):
            self._run_here("refused", style_augment="sources")
        with self.assertRaisesRegex(InputError, "no such file or folder"):
            self._run_here("refused", style_augment=str(pathlib.Path("nowhere")))


if __name__ == "__main__":
    tf.test.main()
