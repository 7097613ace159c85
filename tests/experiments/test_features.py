"""Vectors of a layer, of folders of pictures, as the library writes them."""

import json
import pathlib

import numpy as np
import pyarrow.parquet as pq
import tensorflow as tf

from tests import nets
from tfvis import images
from tfvis.errors import InputError
from tfvis.experiments import features, networks
from tfvis.experiments.features_settings import Features


class FeaturesTest(tf.test.TestCase):
    def setUp(self):
        super().setUp()
        self.folder = pathlib.Path(self.create_tempdir().full_path)
        self.model = self.folder / "small.keras"
        nets.small().save(self.model)
        for k in range(3):
            images.save_png(self.folder / f"photos/{k % 2}/{k}.png", nets.oblong(40, 48 + k))
        (self.folder / "photos/1/bad.png").write_bytes(b"no picture")
        self.wanted = networks.Wanted(network=str(self.model), preprocessing="tf")

    def _run(self, workdir: str = "out", **settings) -> dict:
        """Runs in float32 on 40 px, and returns {path: vector}."""
        settings = Features(**{"layer": "block2_conv1", "size": 40} | settings)
        workdir = self.folder / workdir
        features.run(self.wanted, self.folder / "photos", settings, workdir=workdir)
        table = pq.read_table(workdir / "parts")
        return dict(zip(table["path"].to_pylist(), table["vector"].to_pylist(), strict=True))

    def test_vectors_are_those_of_the_layer(self):
        found = {pool: self._run(pool, pool=pool) for pool in ("mean", "max", "none")}
        model = nets.small()
        part = tf.keras.Model(model.inputs, model.get_layer("block2_conv1").output)
        for path in ("0/0.png", "0/2.png", "1/1.png"):
            pixels = images.resize(
                images.crop(images.read(self.folder / "photos" / path).pixels), 40, 40
            )
            expected = part((pixels[None] - 127.5) / 127.5).numpy()[0]
            # Convolutions of other kernels round otherwise: some units of the last place.
            for pool, vector in (
                ("mean", expected.mean((0, 1))),
                ("max", expected.max((0, 1))),
                ("none", expected.reshape(-1)),
            ):
                self.assertAllClose(found[pool][path], vector, atol=1e-5, rtol=1e-5)
        self.assertLen(found["mean"], 3)
        errors = pq.read_table(self.folder / "mean/errors").to_pylist()
        self.assertEqual([row["path"] for row in errors], ["1/bad.png"])
        manifest = json.loads((self.folder / "mean/manifest.json").read_text())
        self.assertEqual((manifest["rows"], manifest["errors"]), (3, 1))

    def test_its_readme_reads_it(self):
        found = self._run()
        text = (self.folder / "out/README.md").read_text()
        lines = [line.strip() for line in text.split("With pyarrow")[1].splitlines()]
        (read, shaped) = (line for line in lines if line.startswith(("table =", "vectors =")))
        read = read.replace('"parts"', repr(str(self.folder / "out/parts")))
        names = {"pyarrow": __import__("pyarrow.parquet")}
        exec(f"{read}\n{shaped}", names)
        self.assertAllEqual(names["vectors"], np.array(list(found.values()), np.float32))

    def test_what_was_begun_otherwise_is_refused(self):
        self._run()
        with self.assertRaisesRegex(
            InputError, "layer was block2_conv1, is block1_conv1. Give what it was begun with"
        ):
            self._run(layer="block1_conv1")
        with self.assertRaisesRegex(InputError, "layer: .* has no layer 'conv9'"):
            self._run("other", layer="conv9")
        self.assertFalse((self.folder / "other").exists())

    def test_says_which_layer_was_taken_and_what_lies_behind_it(self):
        layers = tf.keras.layers
        inputs = tf.keras.Input((32, 32, 3))
        x = layers.Conv2D(4, 8, strides=8, name="patches")(inputs)
        x = layers.Reshape((16, 4), name="tokens")(x)
        x = layers.MultiHeadAttention(1, 4, name="attention")(x, x)
        tf.keras.Model(inputs, layers.Dense(3)(layers.GlobalAveragePooling1D()(x))).save(self.model)
        for layer, noted in ((None, True), ("patches", False), ("attention", False)):
            workdir = self.folder / f"of_{layer}"
            with self.assertLogs("tfvis") as said:
                done = features.run(
                    self.wanted, self.folder / "photos", Features(layer=layer), workdir=workdir
                )
            self.assertIn(f"4 numbers a picture, of {layer or 'patches'};", done.lines[-1])
            notes = [line for line in said.output if "has learnt more (attention" in line]
            self.assertLen(notes, int(noted))

    def test_a_network_of_another_shape_than_a_square_sees_no_picture_squeezed(self):
        inputs = tf.keras.Input((20, 60, 3))
        outputs = tf.keras.layers.AveragePooling2D(1, name="all")(inputs)
        tf.keras.Model(inputs, outputs).save(self.model)
        found = self._run(layer="all", size=None, pool="none")
        # 40 x 48 px, of which the middle 16 rows have the shape of the network's input.
        pixels = images.read(self.folder / "photos/0/0.png").pixels[12:28]
        expected = (images.resize(pixels, 20, 60) - 127.5) / 127.5
        self.assertAllClose(found["0/0.png"], expected.reshape(-1), atol=1e-5)

    def test_nothing_but_damage_is_refused_and_leaves_nothing(self):
        for path in (self.folder / "photos").rglob("?.png"):
            path.unlink()
        with self.assertRaisesRegex(
            InputError, "none of 1 files can be read; the first: .*bad.png"
        ):
            self._run()
        self.assertFalse((self.folder / "out").exists())


if __name__ == "__main__":
    tf.test.main()
