"""Deconvnets in folders: a run that was stopped goes on, and looks at no image twice."""

import json
import os
import pathlib
from unittest import mock

import keras
import tensorflow as tf

from tests import nets
from tfvis import images
from tfvis.attention import deconvnet as method
from tfvis.errors import InputError
from tfvis.experiments import deconvnet, folders, strongest_images
from tfvis.networks import network


class ResumeTest(tf.test.TestCase):
    def setUp(self):
        super().setUp()
        self.folder = pathlib.Path(self.create_tempdir())
        self.photos = self.folder / "photos"
        self.photos.mkdir()
        for k in range(3):
            images.save_png(self.photos / f"{k}.png", nets.picture(24, seed=k))
        (self.photos / "broken.jpg").write_text("no image")
        self.network = nets.wrapped()
        # Every image is written down as it was looked at, not some together every few seconds.
        for name, value in (("_TOGETHER", 1), ("_SAVE_EVERY_S", 0.0)):
            self.enter_context(mock.patch.object(strongest_images, name, value))
        self.enter_context(mock.patch.object(deconvnet, "_SAVE_EVERY_S", 0.0))
        self.looked = []
        strongest = method.strongest

        def looking(network, layer, channels, pictures, *more):
            if len(self.looked) == self.most:
                raise KeyboardInterrupt
            self.looked.append(layer)
            return strongest(network, layer, channels, pictures, *more)

        self.most = 99
        self.enter_context(mock.patch.object(method, "strongest", looking))

    def _run(self, name: str = "out", top: int = 2):
        """Returns the pictures of a run, and what it says of each unit and image."""
        out = self.folder / name
        done = deconvnet.run(
            self.network,
            "block1_pool:0-1,block2_conv1:3",
            self.photos,
            workdir=out,
            size=16,
            top=top,
        )
        self.assertEmpty(list(out.rglob(".*")))
        said = json.loads((out / "manifest.json").read_text())
        self.assertEqual(list(said["left_out"].values()), [1])
        found = {path.relative_to(out): path.read_bytes() for path in out.rglob("*.png")}
        return found, [{**record, "key": 0} for record in done.records]

    def test_goes_on_where_it_was_stopped(self):
        whole = self._run("whole")
        self.assertEqual(self.looked, 3 * ["block1_pool"] + 3 * ["block2_conv1"])
        project, self.looked[:], projected = deconvnet._project, [], []

        def projecting(one, *more):
            if len(projected) == 2:
                raise KeyboardInterrupt
            projected.append(one.unit.name)
            return project(one, *more)

        self.most = 2
        with self.assertRaises(KeyboardInterrupt):  # At the third image of the first layer.
            self._run()
        self.most = 99
        with (
            mock.patch.object(deconvnet, "_project", projecting),
            self.assertRaises(KeyboardInterrupt),  # At the third unit.
        ):
            self._run()
        self.assertEqual(self.looked, 3 * ["block1_pool"] + 3 * ["block2_conv1"])
        del projected[:]
        with mock.patch.object(deconvnet, "_project", projecting):
            found = self._run()
        self.assertEqual(projected, ["3"])
        self.assertEqual(found, whole)
        del projected[:]
        with mock.patch.object(deconvnet, "_project", projecting):
            self.assertEqual(self._run(), whole)
        self.assertEmpty(projected)
        self.assertLen(self.looked, 6)

    def test_what_another_network_of_the_same_weights_found_is_not_taken_over(self):
        model = nets.small()
        model.get_layer("block1_conv1").activation = keras.activations.linear
        other = network.wrap(model, preprocessing=self.network.preprocessing)
        self.assertEqual(other.record.fingerprint, self.network.record.fingerprint)
        looked = strongest_images.Images(folders.find(self.photos, "images"), 16, "center")
        for count, one in ((3, self.network), (3, self.network), (6, other)):
            strongest_images.strongest(
                one, "block1_pool", [0], looked, 2, self.folder / "found.json", lambda images: None
            )
            self.assertLen(self.looked, count)

    def test_what_changed_is_made_again(self):
        self._run()
        self.assertLen(self.looked, 6)
        (self.folder / "out" / "block1_pool" / "1" / "0_patch.png").unlink()
        self._run()
        self.assertEqual(self.looked[6:], 3 * ["block1_pool"])
        images.save_png(self.photos / "0.png", nets.picture(24, seed=9))
        os.utime(self.photos / "0.png", (1, 1))
        self._run()
        self.assertLen(self.looked, 9 + 6)
        self.assertLen(self._run(top=3)[1], 9)
        self.assertLen(self.looked, 15 + 6)


class LeftOutTest(tf.test.TestCase):
    def test_layers_behind_other_nonlinearities_are_left_out_unless_they_are_named(self):
        folder = pathlib.Path(self.create_tempdir())
        images.save_png(folder / "photos/0.png", nets.picture(24))
        inputs = x = keras.Input((24, 24, 3))
        for name, activation in (("edges", "relu"), ("first", "relu"), ("mask", "sigmoid")):
            x = keras.layers.Conv2D(3, 3, activation=activation, name=name)(x)
        net = network.wrap(keras.Model(inputs, x))

        def run(named, way="deconvnet"):
            out = folder / f"{named}_{way}"
            done = deconvnet.run(net, named, folder / "photos", workdir=out, method=way, top=1)
            return {record["layer"] for record in done.records}

        with self.assertLogs("tfvis") as said:
            self.assertEqual(run(None), {"first"})
        self.assertIn("left out mask: method=deconvnet", said.output[-1])
        self.assertIn("has sigmoid at mask", said.output[-1])
        self.assertEqual(run(None, "gradient"), {"first", "mask"})
        with self.assertRaisesRegex(InputError, "on the way to mask, .* has sigmoid at mask"):
            run("mask:0")


if __name__ == "__main__":
    tf.test.main()
