"""Every app as a person runs it: a process, its files, its words, its exit code."""

import json
import os
import pathlib
import re
import signal
import subprocess
import sys
import time

import numpy as np
import PIL.Image
import tensorflow as tf

from tests import nets
from tfvis import images
from tfvis.networks import network
from tfvis.preimages import features

ROOT = pathlib.Path(__file__).resolve().parent.parent


class AppTest(tf.test.TestCase):
    def setUp(self):
        super().setUp()
        self.folder = pathlib.Path(self.create_tempdir().full_path)
        self.model = self.folder / "small.keras"
        nets.small().save(self.model)
        self.image = self.folder / "picture.png"
        images.save_png(self.image, nets.picture(40))

    def _command(self, app: str, *flags: str) -> list[str]:
        return [sys.executable, "-m", f"apps.{app}", *flags]

    def _run(self, app: str, *flags: str, code: int = 0) -> subprocess.CompletedProcess:
        done = subprocess.run(
            self._command(app, *flags), cwd=ROOT, capture_output=True, text=True, timeout=300
        )
        self.assertEqual(done.returncode, code, done.stderr)
        return done

    def _refused(self, words: str, *flags: str, app: str = "invert", code: int = 1) -> None:
        """One line on stderr with `words` in it, and no picture or manifest anywhere."""
        out = self.folder / "refused"
        done = self._run(app, f"--workdir={out}", *flags, code=code)
        lines = [line for line in done.stderr.splitlines() if line != "Starting TensorFlow ..."]
        self.assertLen(lines, 1, done.stderr)
        self.assertRegex(lines[0], words)
        self.assertEqual(done.stdout, "")
        left = [path for path in out.rglob("*") if path.is_file()] if out.exists() else []
        self.assertEqual(left, [])


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
        target = images.load(self.image, 24)
        for result in results:
            # The error of the file on disk, worked out again from nothing else.
            stored = np.asarray(PIL.Image.open(out / result["file"]), np.float32)
            phi, phi0 = (features(net, result["layer"], x[None]).numpy() for x in (stored, target))
            error = np.linalg.norm(phi - phi0) / np.linalg.norm(phi0)
            self.assertAllClose(result["relative_error"], error, rtol=1e-4)
            self.assertLess(error, 0.3)
            self.assertEqual(set(result["energy"]), {"objective", "alpha", "tv"})
            self.assertIn(result["file"], done.stdout)
        sheet = np.asarray(PIL.Image.open(out / "sheet.png"))
        windows = np.lib.stride_tricks.sliding_window_view(sheet, (24, 24, 3))[:, :, 0]
        # With restarts, each row ends with their mean and their deviation.
        pair = [
            np.asarray(PIL.Image.open(out / f"block2_pool/preimage_{k}.png"), np.float32)
            for k in range(2)
        ]
        for picture in (*pair, np.mean(pair, 0).round(), (4 * np.std(pair, 0)).round()):
            away = np.abs(windows - picture.astype(np.float32)).max((2, 3, 4))
            # A mean of a half may be rounded either way.
            self.assertEqual((away <= 1).sum(), 1)
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
        flags = self._small("--layers=block1_conv1,block2_conv1", "--steps=3000", "--size=64")
        whole = self.folder / "whole"
        self._run("invert", *flags, f"--workdir={whole}")
        killed = 0
        for stop in (signal.SIGINT, signal.SIGKILL):
            # At its first step, at a random moment after it.
            process = subprocess.Popen(
                self._command("invert", *flags), cwd=ROOT, stderr=subprocess.PIPE, text=True
            )
            time.sleep(4 + 3 * killed)
            process.send_signal(stop)
            _, words = process.communicate(timeout=60)
            if process.returncode:
                killed += 1
            if stop == signal.SIGINT and process.returncode:
                self.assertEqual(process.returncode, 130)
                self.assertIn("goes on", words)
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
        done = self._run("invert", *self._small("--layers=block1_pool", "--no-prior", "--steps=9"))
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

    def test_help_answers_at_once_without_tensorflow(self):
        for app in ("invert", "maximize", "caricature", "deconv", "demo", "benchmark"):
            began = time.perf_counter()
            done = self._run(app, "--help")
            # Under a second is promised and benchmarked; here, that no TensorFlow
            # (five seconds) is started, on a machine that may be busy.
            self.assertLess(time.perf_counter() - began, 3)
            self.assertIn(f"python -m apps.{app}", done.stdout)
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
        self.assertRegex(done.stderr, "--workdir=.*cannot write")
        done = self._run("invert", *flags, "--workdir=/proc/tfvis", code=1)
        self.assertRegex(done.stderr, "--workdir=.*cannot write")
        if os.geteuid():
            read_only = self.folder / "read_only"
            read_only.mkdir(mode=0o500)
            done = self._run("invert", *flags, f"--workdir={read_only}", code=1)
            self.assertRegex(done.stderr, "--workdir=.*cannot write")

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
        flags = self._small("--layers=block2_conv1", "--noprior", "--optimizer=adam", "--rate=1e30")
        done = self._run("invert", *flags, code=1)
        self.assertRegex(done.stderr, r"block2_conv1: the energy is not finite at step \d+")
        kept = self.folder / "out/block2_conv1/preimage_0.png"
        self.assertIn(str(kept), done.stderr)
        self.assertEqual(PIL.Image.open(kept).size, (24, 24))


class MaximizeTest(AppTest):
    def _flags(self, *more: str) -> list[str]:
        return [
            f"--network={self.model}",
            "--preprocessing=tf",
            "--precision=float32",
            "--steps=20",
            f"--workdir={self.folder / 'out'}",
            *more,
        ]

    def test_units_of_every_kind(self):
        vector = self.folder / "toward.npy"
        np.save(vector, np.linspace(-1, 1, 12))
        labels = self.folder / "labels.txt"
        labels.write_text("cat\ndog\nacoustic guitar\nelectric_guitar\nhouse\n")
        folder = self.folder / "photos"
        folder.mkdir()
        for k in range(3):
            images.save_png(folder / f"{k}.png", nets.picture(40, seed=k))
        (folder / "broken.jpg").write_text("no image")
        units = f"block2_conv1:0-2,5,block2_conv1:3@1x2,logit:guitar,block2_conv1:{vector},gap:4"
        done = self._run(
            "maximize",
            *self._flags(f"--units={units},block1_conv1", f"--labels={labels}", "--size=16"),
            f"--reference_images={folder}",
        )
        self.assertIn("1 of 4 files could not be read", done.stderr)
        self.assertIn("broken.jpg", done.stderr)
        out = self.folder / "out"
        results = json.loads((out / "manifest.json").read_text())["results"]
        names = [(r["layer"], r["unit"]) for r in results]
        self.assertEqual(
            names,
            [
                *(("block2_conv1", unit) for unit in ("0", "1", "2", "5", "3@1x2")),
                ("logits", "2 acoustic guitar"),
                ("logits", "3 electric_guitar"),
                ("block2_conv1", "toward"),
                ("gap", "4"),
                ("block1_conv1", "layer"),
            ],
        )
        net = network.build(str(self.model), preprocessing="tf")
        # What a record says of a file is what the network says of it.
        stored = np.asarray(PIL.Image.open(out / "block2_conv1/3@1x2.png"), np.float32)
        activation = features(net, "block2_conv1", stored[None]).numpy()[0, 1, 2, 3]
        self.assertAllClose(results[4]["activation"], activation, rtol=1e-4)
        # M, over the three photographs that can be read.
        photos = np.stack([images.load(folder / f"{k}.png", 224) for k in range(3)])
        largest = features(net, "block2_conv1", photos).numpy().max((0, 1, 2))
        self.assertAllClose(results[4]["largest_in_photographs"], largest[3], rtol=1e-3)
        for result in results:
            stem = out / result["file"]
            self.assertIn(result["file"], done.stdout)
            for suffix in (".png", "_growth.png", "_growth.gif"):
                self.assertTrue(stem.with_name(stem.stem + suffix).exists(), stem)
        for layer in ("block2_conv1", "logits", "gap", "block1_conv1", "."):
            self.assertTrue((out / layer / "sheet.png").exists())
        self.assertFalse(list(out.rglob(".*")))

    def test_two_networks_side_by_side_with_one_channel(self):
        other = self.folder / "grey.keras"
        nets.small(channels=1, seed=1).save(other)
        flags = self._flags("--units=block2_conv1:0-1", f"--network={self.model},{other}")
        self._run("maximize", *flags, "--parameterization=fourier")
        self._run("maximize", *flags, "--optimizer=lbfgs", "--no-growth")
        out = self.folder / "out"
        results = json.loads((out / "manifest.json").read_text())["results"]
        places = [(r["network"], r["file"]) for r in results]
        self.assertEqual(
            places,
            [(n, f"{n}/block2_conv1/{k}.png") for n in ("small", "grey") for k in (0, 1)],
        )
        self.assertEqual(PIL.Image.open(out / "grey/block2_conv1/0.png").mode, "L")

    def test_refusals(self):
        (self.folder / "empty").mkdir()
        (self.folder / "broken").mkdir()
        (self.folder / "broken" / "a.png").write_text("no image")
        model = f"--network={self.model}"
        one = "--units=block2_conv1:1"
        for flags, words in (
            (["--units=block2_conv1:12"], "12 channels .0 to 11"),
            (["--units=block2_conv1:3@9x9", "--size=16"], "outside the map"),
            ([one, "--optimizer=lbfgs", "--parameterization=fourier"], "by adam"),
            ([one, f"--reference_images={self.folder / 'empty'}"], "--reference_images.*no images"),
            ([one, f"--reference_images={self.folder / 'broken'}"], "none of 1 files"),
        ):
            with self.subTest(words):
                self._refused(words, model, *flags, app="maximize")


class CaricatureTest(AppTest):
    def test_a_row_per_layer(self):
        out = self.folder / "out"
        done = self._run(
            "caricature",
            f"--image={self.image}",
            f"--network={self.model}",
            "--preprocessing=tf",
            "--layers=block1_conv1,block2_pool",
            "--size=24",
            "--steps=60",
            f"--workdir={out}",
        )
        results = json.loads((out / "manifest.json").read_text())["results"]
        self.assertEqual([r["layer"] for r in results], ["block1_conv1", "block2_pool"])
        net = network.build(str(self.model), preprocessing="tf")
        target = images.load(self.image, 24)
        for result in results:
            stored = np.asarray(PIL.Image.open(out / result["file"]), np.float32)
            phi0, phi = (features(net, result["layer"], x[None]).numpy() for x in (target, stored))
            rectified = np.maximum(phi0, 0)
            expected = (rectified * phi).sum() / (rectified * phi0).sum()
            self.assertAllClose(result["exaggeration"], expected, rtol=1e-3)
            self.assertGreater(result["exaggeration"], 1.2)
            self.assertIn(result["file"], done.stdout)
        self.assertTrue((out / "sheet.png").exists())


class DeconvTest(AppTest):
    def test_strongest_images_and_projections(self):
        folder = self.folder / "photos"
        folder.mkdir()
        for k in range(4):
            images.save_png(folder / f"{k}.png", nets.picture(40, seed=k))
        (folder / "broken.jpg").write_text("no image")
        out = self.folder / "out"
        flags = [f"--network={self.model}", "--preprocessing=tf", "--size=32", f"--workdir={out}"]
        flags += [f"--images={folder}", "--units=block2_conv1:0-1,logit:2", "--top=3"]
        done = self._run("deconv", *flags)
        self.assertIn("1 of 5 files could not be read", done.stderr)
        results = json.loads((out / "manifest.json").read_text())["results"]
        self.assertLen(results, 9)
        net = network.build(str(self.model), preprocessing="tf")
        targets = np.stack([images.load(folder / f"{k}.png", 32) for k in range(4)])
        phi = features(net, "block2_conv1", targets).numpy()[..., 1].max((1, 2))
        best = np.argsort(-phi)[:3]
        ours = [r for r in results if (r["layer"], r["unit"]) == ("block2_conv1", "1")]
        self.assertEqual([pathlib.Path(r["image"]).name for r in ours], [f"{k}.png" for k in best])
        self.assertAllClose([r["activation"] for r in ours], phi[best], rtol=1e-3)
        top, left, bottom, right = ours[0]["box"]
        patch = np.asarray(PIL.Image.open(out / "block2_conv1/1/0_patch.png"), np.float32)
        self.assertTrue((out / ours[0]["file"]).exists())
        if bottom - top == patch.shape[0] and right - left == patch.shape[1]:
            self.assertAllClose(patch, targets[best[0]][top:bottom, left:right].round(), atol=1)
        for name in ("sheet.png", "block2_conv1/0.png", "logits/2.png"):
            self.assertTrue((out / name).exists(), name)
        self._run("deconv", *flags, "--method=smoothgrad", "--units=logit:1", "--top=1")

    def test_refusals(self):
        (self.folder / "empty").mkdir()
        model = f"--network={self.model}"
        for flags, words in (
            ([f"--images={self.folder / 'empty'}"], "--images.*no images"),
            ([model, "--units=block2_conv1"], "only channels and classes"),
        ):
            with self.subTest(words):
                self._refused(words, *flags, app="deconv")


class DemoTest(AppTest):
    def test_a_page_that_opens_from_disk(self):
        out = self.folder / "out"
        done = self._run(
            "demo",
            f"--network={self.model}",
            "--layers=block1_conv1,block2_pool",
            "--size=32",
            "--steps=10",
            f"--workdir={out}",
        )
        text = (out / "index.html").read_text()
        # The photograph, two layers, a plot; two units; the photograph, two caricatures.
        self.assertLen(re.findall("data:image/png;base64,", text), 9)
        self.assertIn("block2_pool", text)
        self.assertIn(str(out / "index.html"), done.stdout)
        self.assertIn("--samples_per_plugin=images=500", done.stdout)


class BenchmarkTest(AppTest):
    def test_tables(self):
        model = [f"--network={self.model}", "--layers=block2_conv1", "--size=32", "--rounds=1"]
        out = f"--workdir={self.folder / 'out'}"
        for table, words in {"steps": "bfloat16 is", "precision": "%"}.items():
            done = self._run("benchmark", f"--table={table}", out, *model)
            self.assertRegex(done.stdout, rf"\[{table}\](.|\n)*block2_conv1(.|\n)*{words}")
