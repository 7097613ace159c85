"""The apps of fast style as a person runs them: a training, styles added, pictures painted."""

import json
import shutil

import numpy as np

from tests import nets
from tests.processes import AppTest
from tfvis import images


class TrainStyleTest(AppTest):
    def test_a_network_is_trained_extended_and_paints(self):
        folder = self.folder
        for k in range(4):
            images.save_png(folder / f"photos/{k}.png", nets.oblong(40, 52, seed=k))
        for k, name in enumerate(("warm", "cold")):
            images.save_png(folder / f"{name}.png", nets.oblong(36, 36, seed=10 + k))
        (folder / "photos/damaged.png").write_text("no picture")
        flags = (
            f"--content={folder / 'photos'}", f"--network={self.model}", "--preprocessing=tf",
            "--content_layers=block2_conv1", "--style_layers=block1_conv1,block2_conv1",
            "--size=32", "--batch=1", "--style_size=32", "--steps=2", "--fine_steps=0",
        )  # fmt: skip
        out = folder / "out"
        done = self._run(
            "train_style", f"--styles={folder / 'warm.png'}", f"--workdir={out}", "--width=4",
            "--blocks=1", *flags,
        )  # fmt: skip
        self.assertIn("left out 1 of 5 files", done.stderr)
        self.assertRegex(done.stderr, r"Estimate: \d+ s \(2 steps of 32 px at [\d.]+/s\)")
        self.assertIn(f"stylize --fast={out}", done.stdout)
        self.assertIn("Paints a picture in one pass", (out / "README.md").read_text())
        self.assertLen((out / "training.csv").read_text().splitlines(), 2)
        two = folder / "two"
        self._run(
            "train_style", f"--styles={folder / 'cold.png'}", f"--init={out}",
            f"--workdir={two}", *flags,
        )  # fmt: skip
        self.assertEqual(
            json.loads((two / "fast_style.json").read_text())["styles"], ["warm", "cold"]
        )

        tuned = folder / "tuned"
        done = self._run(
            "train_style", f"--init={two}", "--fine_tune", f"--workdir={tuned}",
            *flags, "--fine_steps=1", "--steps=1", "--style_size=40",
        )  # fmt: skip
        self.assertIn("--style_size: two was trained with 32, and goes on with 40", done.stderr)
        self.assertEqual(done.stderr.count("was trained with"), 1)
        self.assertEqual(
            json.loads((tuned / "fast_style.json").read_text())["styles"], ["warm", "cold"]
        )
        self.assertIn("together with the whole network of two", (tuned / "README.md").read_text())
        header, *rows = (tuned / "training.csv").read_text().splitlines()
        self.assertEqual(header.split(",")[-1], "stability")
        self.assertEqual([row.endswith(",") for row in rows], [True, False])

        def paint(*given, workdir="one"):
            return self._run("stylize", "--size=32", f"--workdir={folder / workdir}", *given)

        made = []
        for checkpoint in (out, two):
            paint(f"--fast={checkpoint}", f"--content={self.image}", "--style=warm")
            made.append(images.read(folder / "one/stylized.png").pixels)
        # The network stayed as it was.
        self.assertAllEqual(*made)
        frames = (f"--content={folder / 'photos'}", f"--fast={two}", "--style_mix=0.5,0.5")
        done = paint(*frames, workdir="film")
        self.assertIn("4 in", done.stdout)
        self.assertIn("50% warm, 50% cold", done.stdout)
        written = sorted((folder / "film/stylized").iterdir())
        self.assertEqual([path.name for path in written], [f"{k}.png" for k in range(4)])
        times = [path.stat().st_mtime_ns for path in written[1:]]
        written[0].unlink()
        paint(*frames, workdir="film")
        self.assertEqual(times, [path.stat().st_mtime_ns for path in written[1:]])
        self.assertTrue(written[0].exists())
        for words, given in (
            ("--fast=/nowhere: no folder with a fast_style.json", ("--fast=/nowhere",)),
            ("--style=hot: no style of .*Known: warm, cold", (f"--fast={two}", "--style=hot")),
            ("--style_mix=1: expected 2 numbers", (f"--fast={two}", "--style_mix=1")),
            ("--ratio: is of the optimiser", (f"--fast={two}", "--ratio=5")),
            ("--style_mix: is of --fast", ("--style_mix=1",)),
            ("--workers and --engine: share out a folder", ("--workers=2",)),
            ("--content=/nowhere: no such", (f"--fast={two}", "--content=/nowhere")),
        ):
            with self.subTest(words):
                self._refused(words, *given, app="stylize")
        shutil.copy(folder / "cold.png", folder / "warm2.png")
        for words, given in (
            ("--styles: .* has a style 'warm'", (f"--styles={folder / 'warm.png'}",
                                                 f"--init={out}")),
            ("--width: --init brings its own network", (
                f"--styles={folder / 'cold.png'}", f"--init={out}", "--width=8")),
            ("--styles=/nowhere.png: no such file", ("--styles=/nowhere.png",)),
            ("--init=/nowhere: no folder", (f"--styles={self.image}", "--init=/nowhere")),
            ("--styles: expected at least one", ()),
            ("--fine_tune: name the checkpoint to go on with by --init", ("--fine_tune",)),
        ):  # fmt: skip
            with self.subTest(words):
                self._refused(words, *flags, *given, app="train_style")
        self.assertBetween(float(np.ptp(made[0])), 1, 255)
