"""Beside maximised pictures: the photographs that excite their units most, measured once."""

import pathlib
from unittest import mock

import numpy as np
import tensorflow as tf

from tests import nets
from tfvis import images, preimages
from tfvis.experiments import activation_maximization, unit_numbers
from tfvis.report import manifest


class UnitNumbersTest(tf.test.TestCase):
    def setUp(self):
        super().setUp()
        self.folder = pathlib.Path(self.create_tempdir().full_path)
        self.net = nets.wrapped()
        self.photos = self.folder / "photos"
        self.photos.mkdir()
        generator = np.random.default_rng(0)
        for k in range(12):  # Grain, so that there is something in every patch.
            grain = generator.uniform(0, 255, (112, 112, 3)).repeat(2, 0).repeat(2, 1)
            images.save_png(self.photos / f"{k:02}.png", grain)

    def _run(self):
        return activation_maximization.run(
            self.net, "block2_conv1:0-1,gap:2,block1_conv1:3", workdir=self.folder / "out", size=20,
            settings=preimages.Maximization(steps=20, parameterization="pixels"), growth=False,
            references=self.photos, precision="float32",
        )  # fmt: skip

    def test_the_strongest_photographs_stand_beside(self):
        done = self._run()
        photos = [images.load(path, 224, "center") for path in sorted(self.photos.iterdir())]
        maps = self.net.taps(["block2_conv1"])(tf.constant(np.stack(photos)))["block2_conv1"]
        # Of places that see no border: two of 4 px and two at each end.
        inside = maps.numpy()[:, 2:-2, 2:-2]
        for record in done.records[:2]:
            top = record["natural"]["top"]
            values = np.sort(inside[..., int(record["unit"])].max((1, 2)))[::-1][:9]
            self.assertAllClose([one["activation"] for one in top], values, rtol=1e-4)
            best = int(np.argmax(inside[..., int(record["unit"])].max((1, 2))))
            self.assertEqual(pathlib.Path(top[0]["image"]).name, f"{best:02}.png")
            grid = images.read(self.folder / "out" / record["natural"]["file"]).pixels
            self.assertEqual(grid.shape, (436, 436, 3))
            path = record["natural"]["path_similarity"]
            self.assertEqual(list(path["contributions"]["layers"]), ["block1_conv1"])
            self.assertGreaterEqual(path["photographs"], 3)
        self.assertIn("path similarity", done.lines[0])
        said = unit_numbers.best(done.records[0]["natural"])
        self.assertEqual(said, "the best 9 of 12 photographs, away from borders")
        # Of a vector the photograph as a whole; before a first layer there is no path.
        self.assertLen(done.records[2]["natural"]["top"], 9)
        self.assertIsNone(done.records[3]["natural"]["path_similarity"])
        self.assertEqual(manifest.read(self.folder / "out/manifest.json")["results"], done.records)
        with mock.patch.object(unit_numbers, "_measured", side_effect=AssertionError):
            self.assertEqual(self._run().records, done.records)

    def test_few_photographs(self):
        for path in sorted(self.photos.iterdir())[9:]:
            path.unlink()
        natural = self._run().records[0]["natural"]
        # All of them excite the unit most: none is left to be a photograph by chance.
        self.assertLen(natural["top"], 9)
        self.assertIsNone(natural["path_similarity"])
        paths = sorted(self.photos.iterdir())
        for count in (5, 2):
            for path in paths[count:]:
                path.unlink(missing_ok=True)
            done = self._run()
            natural = done.records[0]["natural"]
            values = [one["activation"] for one in natural["top"]]
            self.assertLen(values, count)
            self.assertEqual(values, sorted(values, reverse=True))
            notes = unit_numbers.notes(done.records[0])
            said = f"all {count} photographs, the best first, away from borders"
            self.assertEqual(notes, [f"beside it: {said}"])
            self.assertIn(said, (self.folder / "out/index.html").read_text())
            # Of a vector all places are one.
            self.assertNotIn("borders", unit_numbers.best(done.records[2]["natural"]))
        paths[1].unlink()
        with mock.patch("tfvis.experiments.messages.note") as note:
            done = self._run()
        self.assertIn("one photograph is no ranking", str(note.mock_calls))
        for record in done.records:
            self.assertNotIn("natural", record)
        self.assertRegex(done.lines[0], r"x the largest of 1 photograph  ")

    def test_what_leaves_a_unit_cold_does_not_stand_beside_it(self):
        paths = sorted(self.photos.iterdir())
        for path in paths[2:]:
            images.save_png(path, np.zeros((224, 224, 3), np.float32))
        conv = self.net.graph.layers["block1_conv1"]
        kernel, bias = conv.get_weights()
        conv.set_weights([np.abs(kernel), bias - 0.01])  # Black, here -1, is below 0.
        (record,) = activation_maximization.run(
            self.net, "block1_conv1:3", workdir=self.folder / "out", size=20,
            settings=preimages.Maximization(steps=5, parameterization="pixels"), growth=False,
            references=self.photos, precision="float32",
        ).records  # fmt: skip
        self.assertLen(record["natural"]["top"], 2)
        self.assertEqual(
            unit_numbers.best(record["natural"]),
            "the 2 that excite it of 12 photographs, away from borders",
        )
