"""Every app as a person runs it: a process, its files, its words, its exit code."""

import json
import os
import re
import signal
import subprocess
import sys

import numpy as np
import PIL.Image

from tests import nets, pages
from tests.processes import ROOT, AppTest, places
from tfvis import hardware, images
from tfvis.networks import network
from tfvis.preimages import features


class InvertTest(AppTest):
    def _small(self, *flags: str) -> list[str]:
        return [
            f"--image={self.image}",
            f"--network={self.model}",
            "--preprocessing=tf",
            "--size=24",
            "--precision=float32",
            f"--workdir={self.folder / 'out'}",
            *flags,
        ]

    def test_pictures_sheet_manifest_events(self):
        flags = self._small("--layers=block1_conv1,block2_pool", "--restarts=2", "--seed=3")
        done = self._run("invert", *flags)
        out = self.folder / "out"
        manifest = json.loads((out / "manifest.json").read_text())
        self.assertEqual(manifest["arguments"]["seed"], 3)
        self.assertIn("tensorflow", manifest["versions"])
        net = network.build(str(self.model), preprocessing="tf")
        weights = manifest["networks"]["small"]["weights"]
        self.assertEqual(weights["fingerprint"], net.record.fingerprint)
        self.assertIn("small.keras", weights["source"])

        results = manifest["results"]
        rows = [(r["layer"], r["restart"], r["seed"], r["steps"]) for r in results]
        self.assertEqual(
            rows,
            [
                ("block1_conv1", 0, 3, 350),
                ("block1_conv1", 1, 4, 350),
                ("block2_pool", 0, 3, 350),
                ("block2_pool", 1, 4, 350),
            ],
        )
        target = images.load(self.image, 24, "center")
        for result in results:
            # The error of the file on disk, worked out again from nothing else.
            stored = np.asarray(PIL.Image.open(out / result["file"]), np.float32)
            phi, phi0 = (features(net, result["layer"], x[None]).numpy() for x in (stored, target))
            error = np.linalg.norm(phi - phi0) / np.linalg.norm(phi0)
            self.assertAllClose(result["relative_error"], error, rtol=1e-4)
            self.assertLess(error, 0.3)
            self.assertEqual(set(result["energy"]), {"objective", "tv"})
            self.assertIn(result["file"], done.stdout)
        sheet = np.asarray(PIL.Image.open(out / "sheet.png"))
        # With restarts, each row ends with their mean and their deviation.
        pair = [
            np.asarray(PIL.Image.open(out / f"block2_pool/preimage_{k}.png"), np.float32)
            for k in range(2)
        ]
        for picture in (*pair, np.mean(pair, 0).round(), (4 * np.std(pair, 0)).round()):
            # A mean of a half may be rounded either way.
            self.assertEqual(places(sheet, picture), 1)
        self.assertRegex(done.stdout, r"block2_pool +pixels +[\d.]+ grey levels +features 0\.\d+")
        self.assertTrue(list((out / "tensorboard").glob("events*")))
        self.assertFalse(list(out.rglob("*.part")) + list(out.rglob(".*state*")))

        # The same command again computes nothing and changes no bit.
        before = {p: p.read_bytes() for p in out.rglob("*.png")}
        again = self._run("invert", *flags)
        self.assertEqual({p: p.read_bytes() for p in out.rglob("*.png")}, before)
        self.assertEqual(again.stdout, done.stdout)
        # A damaged picture is made again, to the same bits.
        damaged = out / "block1_conv1" / "preimage_1.png"
        damaged.write_bytes(b"")
        self._run("invert", *flags)
        self.assertEqual(damaged.read_bytes(), before[damaged])

    def test_killed_and_started_again_ends_with_the_same_bits(self):
        flags = self._small("--layers=block1_conv1,block2_conv1", "--steps=600", "--size=64")
        whole = self.folder / "whole"
        self._run("invert", *flags, f"--workdir={whole}")
        killed = 0
        for stop, layer in ((signal.SIGINT, "block1_conv1"), (signal.SIGKILL, "block2_conv1")):
            state = self.folder / "out" / layer / ".preimage_0.state.npz"
            process = self._stopped(stop, state.exists, "invert", *flags)
            if process.returncode:
                killed += 1
            if stop == signal.SIGINT and process.returncode:
                self.assertEqual(process.returncode, 130)
                self.assertIn("goes on", process.stderr)
        self._run("invert", *flags)
        for layer in ("block1_conv1", "block2_conv1"):
            name = f"{layer}/preimage_0.png"
            ours, theirs = (folder / name for folder in (self.folder / "out", whole))
            self.assertEqual(ours.read_bytes(), theirs.read_bytes())
        self.assertGreater(killed, 0)

    def test_all_layers_masks_and_the_ablation(self):
        self._run("invert", *self._small("--layers=all", "--steps=10", "--mask_channels=0-3"))
        layers = json.loads((self.folder / "out" / "manifest.json").read_text())["results"]
        self.assertEqual(
            [r["layer"] for r in layers],
            ["block1_conv1", "block1_pool", "block2_conv1", "block2_pool"],
        )
        done = self._run(
            "invert", *self._small("--layers=block1_pool", "--prior=none", "--steps=9")
        )
        self.assertIn("block1_pool", done.stdout)
        results = json.loads((self.folder / "out" / "manifest.json").read_text())["results"]
        self.assertEqual(results[0]["energy"]["tv"], 0)
        self.assertEqual(results[0]["settings"]["prior"]["bound"], "inf")

    def test_the_demo_photograph_and_a_random_named_network(self):
        done = self._run(
            "invert",
            "--weights=random",
            "--layers=block1_pool",
            "--size=32",
            "--steps=5",
            "--fine_steps=0",
            f"--workdir={self.folder / 'out'}",
        )
        self.assertIn("random weights", done.stderr)
        self.assertTrue((self.folder / "out/block1_pool/preimage_0.png").exists())

    def test_help_answers_without_tensorflow(self):
        # Python anew: what the other tests fork from has imported it.
        code = (
            "import runpy, sys; sys.modules['tensorflow'] = sys.modules['keras'] = None;"
            "runpy.run_module(sys.argv[1], run_name='__main__', alter_sys=True)"
        )
        apps = sorted(path.stem for path in (ROOT / "apps").glob("[!_]*.py"))
        self.assertContainsSubset(["invert", "stylize", "train_style"], apps)
        for app in apps:
            with self.subTest(app):
                done = subprocess.run(
                    [sys.executable, "-c", code, f"apps.{app}", "--help"],
                    cwd=ROOT, capture_output=True, text=True, timeout=120,
                )  # fmt: skip
                self.assertEqual(done.returncode, 0, done.stderr)
                self.assertIn(f"python -m apps.{app}", done.stdout)
                # convert writes a file, and a page has no folder of its own.
                if app not in ("convert", "studio"):
                    self.assertIn("--workdir", done.stdout)

    def test_refusals_before_anything_starts(self):
        (self.folder / "text.png").write_text("no image")
        whole = self.image.read_bytes()
        (self.folder / "cut.png").write_bytes(whole[: len(whole) // 2])
        (self.folder / "empty.png").write_bytes(b"")
        PIL.Image.new("1", (20_000, 20)).save(self.folder / "wide.png")
        PIL.Image.new("L", (1, 30)).save(self.folder / "thin.png")
        for name, words in {
            "absent.png": "--image=.*no such file",
            "text.png": "not an image",
            "cut.png": "truncated",
            "empty.png": "empty",
            "wide.png": "20000x20 px",
            "thin.png": "1x30 px",
            "": "is a folder",
        }.items():
            with self.subTest(name):
                self._refused(words, f"--image={self.folder / name}")
        for flag, words, code in (
            ("--steps=0", "--steps=0", 2),
            ("--steps=-3", "--steps=-3", 2),
            ("--steps=many", "--steps=many", 2),
            ("--stepz=3", "stepz", 2),
            ("--size=0", "--size=0", 2),
            ("--precision=half", "--precision=half", 2),
            ("photo.jpg", "photo.jpg", 2),
            ("--layers=", "--layers", 1),
            ("--mask_window=1,2", "--mask_window", 1),
            ("--mask_channels=a-b", "--mask_channels", 1),
        ):
            with self.subTest(flag):
                self._refused(words, flag, code=code)

    def test_workdirs_that_cannot_be_written(self):
        (self.folder / "file").write_text("")
        flags = [f"--image={self.image}"]
        done = self._run("invert", *flags, f"--workdir={self.folder / 'file'}", code=1)
        self.assertRegex(done.stderr, "--workdir=.*is no folder")
        done = self._run("invert", *flags, "--workdir=/proc/tfvis", code=1)
        self.assertRegex(done.stderr, "--workdir=.*cannot write")
        if os.geteuid():
            read_only = self.folder / "read_only"
            read_only.mkdir(mode=0o500)
            done = self._run("invert", *flags, f"--workdir={read_only}", code=1)
            self.assertRegex(done.stderr, "--workdir=.*cannot write|may not be written")

    def test_refusals_by_the_network(self):
        nan = nets.small()
        kernel, bias = nan.get_layer("block1_conv1").get_weights()
        nan.get_layer("block1_conv1").set_weights([kernel * np.nan, bias])
        nan.save(self.folder / "nan.keras")
        nets.small(channels=4).save(self.folder / "four.keras")
        nets.small(size=16).save(self.folder / "fixed.keras")
        model = f"--network={self.model}"
        for flags, words in (
            (["--network=vgg15"], "vgg15.*vgg1[69]"),
            ([f"--network={self.folder / 'absent.keras'}"], "no such file"),
            ([f"--network={self.folder / 'nan.keras'}"], "block1_conv1.*NaN"),
            ([model, "--layers=block1_conv9"], "block1_conv9.*block1_conv1"),
            ([model, "--layers=gap"], "nothing spatial"),
            ([model, "--layers=block1_conv1", "--strength=0"], "--strength=0"),
            ([model, "--layers=block1_conv1", "--mask_channels=99"], "99 is not a channel"),
            ([f"--network={self.folder / 'four.keras'}"], "takes 4 channels"),
            ([f"--network={self.folder / 'fixed.keras'}", "--size=24"], "takes 16 x 16 px only"),
            ([model, "--layers=block2_pool", "--size=3"], "too small"),
        ):
            with self.subTest(words):
                self._refused(words, f"--image={self.image}", *flags)

    def test_divergence_keeps_the_last_good_image(self):
        flags = self._small(
            "--layers=block2_conv1",
            "--prior=none",
            "--optimizer=adam",
            "--rate=1e30",
            "--recipe=published",
        )
        done = self._run("invert", *flags, code=1)
        self.assertRegex(done.stderr, r"block2_conv1: the energy is not finite at step \d+")
        kept = self.folder / "out/block2_conv1/preimage_0.png"
        self.assertIn(str(kept), done.stderr)
        self.assertEqual(PIL.Image.open(kept).size, (24, 24))


class DemoTest(AppTest):
    def test_a_page_that_opens_from_disk(self):
        out = self.folder / "out"
        done = self._run(
            "demo",
            f"--network={self.model}",
            "--layers=block1_conv1,block2_pool",
            "--size=32",
            "--steps=10",
            f"--classifier={nets.checkpoint(self.folder / 'named')}",
            f"--workdir={out}",
        )
        text = (out / "index.html").read_text()
        # Two layers over the photograph, a plot; two units; two caricatures over it; it as
        # painted over itself; a painting, and it in the style of that; both of these under
        # two maps each, one of them under a slider.
        self.assertLen(re.findall("data:image/(?:png|jpeg);base64,", text), 5 + 2 + 4 + 2 + 2 + 6)
        self.assertLen(pages.whole(out / "index.html").all("input"), 2 + 2 + 1 + 2)
        self.assertRegex(text, "(circle|square) [0-9]+%")
        self.assertIn("block2_pool", text)
        self.assertIn(str(out / "index.html"), done.stdout)
        self.assertIn("--samples_per_plugin=images=500", done.stdout)


class BenchmarkTest(AppTest):
    def test_tables(self):
        model = [f"--network={self.model}", "--layers=block2_conv1", "--size=32", "--rounds=1"]
        out = f"--workdir={self.folder / 'out'}"
        named = r"block2_conv1(.|\n)*"
        steps, precision = f"{named}bfloat16 is", f"{named}%"
        if not hardware.native_bfloat16():  # What it would be compared with is left out.
            steps, precision = f"{named}Keras' own pass", "bfloat16 is left out"
        for table, words in {"steps": steps, "precision": precision}.items():
            done = self._run("benchmark", f"--table={table}", out, *model)
            self.assertRegex(done.stdout, rf"\[{table}\](.|\n)*{words}")
