"""Tables over photographs: what they print, and that they go on where they were."""

import contextlib
import csv
import dataclasses
import io
import pathlib
from unittest import mock

import numpy as np
import tensorflow as tf

from apps.benchmarks import surveys
from tests import nets
from tfvis import images, objectives, preimages
from tfvis.errors import InputError
from tfvis.experiments import folders
from tfvis.preimages import inversion

_iterate = inversion.iterate


def _shortly(net, target, layer, settings=preimages.Inversion()):
    """An inversion of fewer steps than were asked for."""
    settings = dataclasses.replace(settings, steps=20, fine_steps=0)
    return _iterate(net, target, layer, settings=settings)


class SurveysTest(tf.test.TestCase):
    def setUp(self):
        super().setUp()
        self.folder = pathlib.Path(self.create_tempdir().full_path)
        for k in range(5):
            images.save_png(self.folder / "photos" / f"{k}.png", nets.picture(40, seed=k))
        self.found = folders.find(str(self.folder / "photos"), "images")

    def _printed(self, function, *arguments):
        with contextlib.redirect_stdout(io.StringIO()) as out:
            function(*arguments)
        return out.getvalue()

    def test_photographs_are_spread_over_the_folder(self):
        self.assertEqual([p.name for p in surveys.chosen(self.found, 2).paths], ["0.png", "2.png"])
        with self.assertRaisesRegex(InputError, "5 images, but 6"):
            surveys.chosen(self.found, 6)
        with self.assertRaisesRegex(InputError, "images"):
            surveys.chosen(None, 2)

    def test_layers(self):
        net, out = nets.wrapped(), self.folder / "out"
        out.mkdir()
        short = mock.patch.object(inversion, "iterate", wraps=_shortly)
        with short:
            table = self._printed(surveys.table_layers, net, self.found, 2, 16, out)
        (path,) = out.glob("layers-*.csv")
        with open(path, newline="") as file:
            rows = list(csv.reader(file))
        self.assertEqual(rows[0], ["photograph", "layer", "relative_error"])
        self.assertLen(rows, 1 + 2 * 4)
        errors = [float(row[2]) for row in rows[1:] if row[1] == "block2_pool"]
        self.assertIn(f"block2_pool       {np.mean(errors):.4f}", table)
        self.assertIn(f"{np.std(errors, ddof=1) / np.sqrt(2):.4f}", table)
        self.assertTrue((out / "layers.png").exists())
        # A row that was cut short is worked out again, the others are not.
        lines = [",".join(row) for row in rows]
        path.write_text("\r\n".join(lines)[: -len(lines[-1]) // 2])
        with short as inverted:
            self.assertEqual(
                self._printed(surveys.table_layers, net, self.found, 2, 16, out), table
            )
        self.assertEqual(inverted.call_count, 1)

    def test_shallow(self):
        out = self.folder / "out"
        with mock.patch.object(inversion, "iterate", _shortly):
            out.mkdir()
            table = self._printed(surveys.table_shallow, self.found, 2, 48, out)
        for words in ("hoggle", "66.2", "28.10", "10.67", "10.89"):
            self.assertIn(words, table)
        rows = surveys.Rows(out / "shallow.csv", ("", "", "", ""), size=48)
        names = [str(path) for path in surveys.chosen(self.found, 2).paths]
        relative = [rows.values[name, "hogb", "relative_error"] for name in names]
        self.assertIn(f"{np.mean(relative):.4f}", table)

    def test_the_normaliser_is_the_mean_over_all_pairs(self):
        features = np.random.default_rng(0).normal(size=(6, 9))
        pairs = np.square(features[:, None] - features[None]).sum(-1)
        self.assertAllClose(surveys._mean_squared_distance(features), pairs.mean(), rtol=1e-10)

    def test_relative_error_is_that_of_what_is_saved(self):
        net, target = nets.wrapped(), nets.picture(16)
        picture = target + 30.4
        phi, phi0 = (
            preimages.features(net, "block1_conv1", x[None])
            for x in (np.clip(picture, 0, 255).round(), target)
        )
        expected = objectives.relative_error(phi, phi0)[0]
        ours = surveys._error(net, "block1_conv1", target, picture)
        self.assertAllClose(ours, expected, rtol=1e-6)
