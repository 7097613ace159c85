"""Several transparent pictures of a unit: their files, and what is taken over."""

import dataclasses
import json
import pathlib

import numpy as np
import PIL.Image
import tensorflow as tf

from tests import nets
from tfvis import preimages
from tfvis.experiments import activation_maximization


class PicturesTest(tf.test.TestCase):
    def test_several_pictures_of_a_unit_are_a_row(self):
        net, workdir = nets.wrapped(), pathlib.Path(self.get_temp_dir()) / "out"
        photos = workdir.with_name("photos")
        photos.mkdir()
        for k in range(2):
            pixels = nets.picture(40, seed=k).round().astype(np.uint8)
            PIL.Image.fromarray(pixels).save(photos / f"{k}.png")
        settings = preimages.Maximization(steps=10, parameterization="phase", diversity=3)

        def run(**kwargs):
            done = activation_maximization.run(
                net, "block2_conv1:0,4", workdir=workdir, settings=settings, size=16,
                growth=False, **kwargs,
            )  # fmt: skip
            return done.records

        records = run(references=photos)
        names = [(r["file"], r["picture"], r["seed"]) for r in records]
        expected = [
            (f"block2_conv1/{u}_{k + 1}.png", k + 1, k) for u in ("0", "4") for k in range(3)
        ]
        self.assertEqual(names, expected)
        path = workdir / "block2_conv1/4_3_transparent.png"
        transparent = np.asarray(PIL.Image.open(path))
        whole = np.asarray(PIL.Image.open(workdir / "block2_conv1/4_3.png"))
        self.assertAllEqual(transparent[..., :3], whole)
        self.assertEqual(transparent[..., 3].max(), 255)
        self.assertLess(transparent[..., 3].min(), 255)
        sheet = PIL.Image.open(workdir / "sheet.png")
        self.assertGreater(sheet.width, 1.2 * sheet.height)  # Two rows of three.
        manifest = json.loads((workdir / "manifest.json").read_text())
        self.assertEqual(manifest["results"][0]["settings"]["diversity"], 3)
        # What is whole is taken over; a transparent picture that is gone is made again.
        path.unlink()
        again = run(references=photos)
        self.assertEqual([r["sha256"] for r in again], [r["sha256"] for r in records])
        self.assertTrue(path.exists())
        # The spectrum decides the picture: 1 / f, where there are no photographs.
        other = run()
        self.assertNotEqual(other[0]["sha256"], records[0]["sha256"])
        # What an earlier run made transparent is not this one's.
        settings = dataclasses.replace(settings, transparency=False)
        self.assertNotIn("transparent_sha256", run()[0])
        self.assertFalse(path.exists())
