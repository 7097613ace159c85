"""Layers that cannot be inverted or caricatured are left out; the others are made."""

import pathlib

import keras
import numpy as np
import tensorflow as tf

from tests import nets
from tfvis import images, preimages
from tfvis.errors import InputError, PartError
from tfvis.experiments import (
    caricature,
    inversion,
    layer_targets,
    messages,
    optimization_tasks,
)
from tfvis.networks import network
from tfvis.report import manifest

_SETTINGS = {
    inversion: preimages.Inversion(steps=20, fine_steps=0),
    caricature: preimages.Caricature(steps=20),
}


def _scene() -> np.ndarray:
    picture = np.full((24, 24, 3), 128, np.float32)
    picture[8:16, 8:16] = (240, 20, 20)
    return picture


class LeftOutTest(tf.test.TestCase):
    def setUp(self):
        super().setUp()
        self.out = pathlib.Path(self.create_tempdir().full_path) / "out"
        self.net = network.wrap(nets.red())

    def _run(self, layers, wanted=None, experiment=inversion, **more):
        with self.assertLogs("tfvis") as self.said:
            messages.say("A log without any line fails.")
            return experiment.run(
                wanted or self.net, _scene(), layers, workdir=self.out,
                settings=_SETTINGS[experiment], precision="float32", **more,
            )  # fmt: skip

    def test_the_other_layers_are_made(self):
        for experiment, why in (
            (inversion, "dead answers this image with zeros only: "),
            (caricature, "dead answers this image nowhere above zero: "),
        ):
            done = self._run(["all"], experiment=experiment)
            with self.subTest(why):
                self.assertEqual([record["layer"] for record in done.records], ["red"])
                self.assertLen(done.lines, 1)
                said = [line for line in self.said.output if "left out" in line]
                self.assertLen(said, 1)
                self.assertIn(f"Note: left out 1 of 2: {why}", said[0])
                kept = manifest.read(self.out / "manifest.json")
                self.assertEqual(kept["results"], done.records)
                self.assertStartsWith(kept["left_out"]["dead"], why)
                self.assertIn(f"Left out: {why}", (self.out / "index.html").read_text())
                self.assertEqual(images.read(done.sheet).pixels.ndim, 3)
                # Taken over, and said again.
                before = (self.out / done.records[0]["file"]).stat().st_mtime_ns
                again = self._run(["all"], experiment=experiment)
                self.assertEqual(again.records, done.records)
                self.assertEqual((self.out / done.records[0]["file"]).stat().st_mtime_ns, before)
                self.assertTrue(any("left out" in line for line in self.said.output))
        # What is not asked for any more is not said to be left out.
        self._run(["red"], experiment=caricature)
        self.assertNotIn("left_out", manifest.read(self.out / "manifest.json"))

    def test_what_begins_silent_is_inverted(self):
        done = self._run(["all"], restarts=2)
        for record in done.records:
            self.assertLess(record["relative_error"], 0.2)
        self.assertLen(done.lines, 2 + 2)

    def test_where_nothing_is_left_it_is_an_error(self):
        with self.assertRaisesRegex(InputError, "^dead answers this image with zeros only"):
            inversion.run(self.net, _scene(), ["dead"], workdir=self.out)
        with self.assertRaisesRegex(InputError, r"^none of 2 can be done \(dead, red\); the first"):
            inversion.run(self.net, 0 * _scene(), ["all"], workdir=self.out)
        self.assertFalse((self.out / "manifest.json").exists())

    def test_beside_another_network_its_place_stays_empty(self):
        inputs = keras.Input((24, 24, 3))
        ones = {"kernel_size": 3, "padding": "same", "kernel_initializer": "ones"}
        x = keras.layers.Conv2D(1, name="red", **ones)(inputs)
        other = network.wrap(keras.Model(inputs, keras.layers.Conv2D(1, name="dead", **ones)(x)))
        for experiment in (inversion, caricature):
            whole = {"one": self.net, "two": other}
            done = self._run(["red", "dead"], whole, experiment)
            made = [(record["network"], record["layer"]) for record in done.records]
            self.assertEqual(made, [("one", "red"), ("two", "red"), ("two", "dead")])
            self.assertTrue(any(": one/dead: dead answers" in line for line in self.said.output))
            both = images.read(done.sheet).pixels
            upper = images.read(self._run(["red"], whole, experiment).sheet).pixels
            # The columns of the row above: a start, then one or two of each network.
            self.assertGreater(both.shape[0], upper.shape[0])
            self.assertAllEqual(both[12:36, :500], upper[12:36, :500])

    def test_without_leave_the_first_ends_the_run(self):
        found = layer_targets.chosen(
            self.net, _scene(), ["dead", "red"], _SETTINGS[inversion],
            lambda *of: of[-1], workdir=self.out, size=None, crop="center", precision="float32",
            jit="off",
        )  # fmt: skip
        tasks = [inversion._task(one, (0,), "off") for one in found]
        self.out.mkdir()
        with self.assertRaises(PartError):
            optimization_tasks.run(tasks, self.out, {}, {})


if __name__ == "__main__":
    tf.test.main()
