"""The apps about units and what layers see, as a person runs them."""

import json
import pathlib
from unittest import mock

import numpy as np
import PIL.Image
import tensorflow as tf

from tests import nets
from tests.processes import AppTest
from tfvis import images
from tfvis.errors import InputError
from tfvis.experiments import unit_answers
from tfvis.networks import network
from tfvis.preimages import features


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
        self.assertIn("left out 1 of 4 files", done.stderr)
        self.assertIn("broken.jpg", done.stderr)
        out = self.folder / "out"
        results = json.loads((out / "manifest.json").read_text())["results"]
        names = [(r["layer"], r["unit"]) for r in results]
        self.assertEqual(
            names,
            [
                *(("block2_conv1", unit) for unit in ("0", "1", "2", "5", "3@1x2")),
                ("block2_conv1", "direction toward"),
                ("logits", "2 acoustic guitar"),
                ("logits", "3 electric_guitar"),
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
        photos = np.stack([images.load(folder / f"{k}.png", 224, "center") for k in range(3)])
        largest = features(net, "block2_conv1", photos).numpy().max((0, 1, 2))
        self.assertAllClose(results[4]["largest_in_photographs"], largest[3], rtol=1e-3)
        self.assertEqual({result["photographs"] for result in results}, {3})
        self.assertIn("of 3 photographs", done.stdout)
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
        self._run("maximize", *flags, "--parameterization=fourier", "--transparency")
        out = self.folder / "out"
        transparent = PIL.Image.open(out / "grey/block2_conv1/0_transparent.png")
        self.assertEqual(transparent.mode, "RGBA")
        results = json.loads((out / "manifest.json").read_text())["results"]
        places = [(r["network"], r["file"]) for r in results]
        self.assertEqual(
            places,
            [(n, f"{n}/block2_conv1/{k}.png") for n in ("small", "grey") for k in (0, 1)],
        )
        self.assertEqual(PIL.Image.open(out / "grey/block2_conv1/0.png").mode, "L")
        # Before its ReLU no unit is silent, which L-BFGS would refuse.
        flags = self._flags("--units=block2_conv1:0", "--no-growth", "--activation=pre")
        self._run("maximize", *flags, "--optimizer=lbfgs")
        self.assertEqual(PIL.Image.open(out / "block2_conv1/0.png").mode, "RGB")

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
        flags = [one, "--diversity=nan"]
        self._refused("--diversity=nan: expected a whole number", *flags, app="maximize", code=2)


class AnswersTest(tf.test.TestCase):
    """What is said of a unit that rose, of one that did not, and of one that is still silent."""

    def test_every_unit_that_does_not_answer_is_said(self):
        common_ = {
            "layer": "conv", "network": "net", "photographs": 1348, "picture": 2,
            "settings": {"diversity": 1},
        }  # fmt: skip
        records = [
            common_ | {"unit": str(k), "raised": raised, "rose": rose, "times_largest": times}
            for k, (raised, rose, times) in enumerate(
                (
                    (True, True, 3.0),
                    (False, True, None),
                    (False, False, None),
                    (True, True, 0.03),
                    (True, True, None),
                )
            )
        ]
        self.assertEqual(
            [unit_answers.answer(record) for record in records],
            [
                "3.0 x the largest of 1,348 photographs",
                "not above 0 yet",
                "nothing raised it",
                "below 0.1 x the largest of 1,348 photographs",
                "none of 1,348 photographs excites it",
            ],
        )
        out = pathlib.Path("out")
        with mock.patch("tfvis.experiments.messages.say") as said:
            unit_answers.tell_of_silent(records, out)
        lines = [call.args[0] for call in said.mock_calls]
        self.assertEqual(len(lines), 2)
        self.assertRegex(lines[0], "^Nothing raised conv:2;")
        self.assertRegex(lines[1], "^Not raised above 0: conv:1; .*steps")
        with self.assertRaisesRegex(InputError, "^Nothing raised conv:2: .*steps"):
            unit_answers.tell_of_silent([records[2]], out)
        several = records[2] | {"settings": {"diversity": 3}}
        self.assertEqual(unit_answers.names([several]), ["conv:2, 2 of 3"])


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
        target = images.load(self.image, 24, "center")
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
        self.assertIn("left out 1 of 5 files", done.stderr)
        results = json.loads((out / "manifest.json").read_text())["results"]
        self.assertLen(results, 9)
        net = network.build(str(self.model), preprocessing="tf")
        targets = np.stack([images.load(folder / f"{k}.png", 32, "center") for k in range(4)])
        phi = features(net, "block2_conv1", targets).numpy()[..., 1].max((1, 2))
        best = np.argsort(-phi)[:3]
        ours = [r for r in results if (r["layer"], r["unit"]) == ("block2_conv1", "1")]
        self.assertEqual([pathlib.Path(r["image"]).name for r in ours], [f"{k}.png" for k in best])
        self.assertAllClose([r["activation"] for r in ours], phi[best], rtol=1e-3)
        # In pixels of the picture, which is 40 px wide and was shown at 32.
        left, top, right, bottom = (round(edge * 32 / 40) for edge in ours[0]["box"])
        self.assertBetween(max(ours[0]["box"]), 0, 40)
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
