"""Styles of a folder: planted ones are found, what is finished is taken over."""

import functools
import json
import os
import pathlib
import unittest.mock

import numpy as np
import tensorflow as tf

from tests import nets
from tfvis import images
from tfvis.errors import InputError
from tfvis.experiments import folders, style_clusters
from tfvis.report import picture_map
from tfvis.style import descriptors
from tfvis.style.clustering_settings import Clustering

_STYLES = {"stripes": 8, "checks": 7, "dots": 6}


def _drawn(style: str, generator: np.random.Generator) -> np.ndarray:
    """Returns a pattern of its own kind and colours, its place and size by chance."""
    height, width = generator.integers(36, 60, 2)
    y, x = np.mgrid[:height, :width] + generator.integers(0, 8, 2)[:, None, None]
    share = {
        "stripes": (y // 2 % 2),
        "checks": (x // 5 + y // 5) % 2,
        "dots": (x % 6 < 2) & (y % 6 < 2),
    }[style]
    inks = {"stripes": [(220, 60, 30), (250, 230, 200)], "checks": [(0, 0, 0), (255, 255, 255)]}
    first, second = inks.get(style, [(30, 80, 200), (20, 30, 60)])
    picture = np.where(share[..., None], np.float32(first), np.float32(second))
    return picture + generator.normal(0, 6, picture.shape)


class StyleClustersTest(tf.test.TestCase):
    def setUp(self):
        super().setUp()
        self.folder = pathlib.Path(self.create_tempdir().full_path)
        self.pictures, self.out = self.folder / "pictures", self.folder / "out"
        generator = np.random.default_rng(0)
        for style, count in _STYLES.items():
            for k in range(count):
                path = self.pictures / style / f"{k}.png"
                path.parent.mkdir(parents=True, exist_ok=True)
                images.save_png(path, _drawn(style, generator))
        # Farther from all of these than they are from each other.
        y, x = np.mgrid[:40, :40]
        images.save_png(self.pictures / "odd.png", np.stack([6 * x, 0 * x, 255 - 6 * y], -1))
        self.net = nets.wrapped()
        # A map of a person's size takes a second to write.
        small = functools.partial(picture_map.picture_map, side=240, small=30)
        self.enter_context(unittest.mock.patch.object(picture_map, "picture_map", small))

    def _run(self, settings=Clustering(), **more):
        return style_clusters.run(
            self.net, self.pictures, settings, workdir=self.out, size=48, **more
        )

    def test_planted_styles_are_found_by_both_methods(self):
        for settings in (Clustering(), Clustering("dbscan", eps=0.2)):
            done = self._run(settings)
            found = {one["medoid"].partition("/")[0]: one["pictures"] for one in done.records}
            self.assertEqual(found, _STYLES)
            text = "\n".join(done.lines)
            self.assertIn("22 pictures, 3 styles by", text)
            self.assertIn("outliers: odd.png", text)
            # Of those in folders alone.
            self.assertRegex(text, r"style, 3 clusters, 1 outliers: ARI 1\.00 .* NMI .* 1\.00")
            self.assertIn("colour histograms, ", text)
        self.assertRegex(
            text, r"eps 0\.2 \(as given\); clusters at 0\.8, 1\.0, 1\.25 times it: 3 at"
        )
        rows = (self.out / "styles.csv").read_text().splitlines()
        self.assertEqual(rows[0], "path,cluster,distance_to_medoid,medoid")
        self.assertLen(rows, 23)
        self.assertEqual(sum(row.endswith(",1") for row in rows), 3)
        self.assertIn("odd.png,-1,", "\n".join(rows))
        names = sorted(path.name for path in (self.out / "medoids").iterdir())
        self.assertEqual(names, ["cluster_000.png", "cluster_001.png", "cluster_002.png"])
        medoid = images.read(self.pictures / done.records[0]["medoid"]).pixels
        self.assertAllEqual(images.read(self.out / "medoids" / names[0]).pixels, medoid)
        page = (self.out / "index.html").read_text()
        for words in ("Common styles", "Map", "cluster 2: 6", "outliers: 1", "Against the folders"):
            self.assertIn(words, page)
        for name in ("sheet", "map", "k_distances"):
            self.assertGreater(images.read(self.out / f"{name}.png").pixels.std(), 1)
        self.assertNotEmpty(list((self.out / "tensorboard").glob("events*")))
        manifest = json.loads((self.out / "manifest.json").read_text())
        self.assertEqual(manifest["eps"], 0.2)
        self.assertEqual(manifest["results"], done.records)

    def test_sketches_find_the_same(self):
        with (
            unittest.mock.patch.object(descriptors, "EXACT_BYTES", 0),
            unittest.mock.patch.object(descriptors, "SKETCHED", 60),
        ):
            done = self._run()
        self.assertIn("sketches", done.lines[0])
        self.assertEqual([one["pictures"] for one in done.records], [8, 7, 6])

    def test_what_was_described_is_not_looked_at_again(self):
        real, asked = descriptors.grams, []

        def stopping(network, layers, precision):
            look = real(network, layers, precision)

            def counted(pixels):
                asked.append(0)
                if len(asked) == 10:
                    raise KeyboardInterrupt
                return look(pixels)

            return counted

        (self.pictures / "dots" / "0.png").write_text("no picture")
        with unittest.mock.patch.object(descriptors, "grams", stopping):
            with self.assertRaises(KeyboardInterrupt):
                self._run()
            self.assertLen(asked, 10)
            done = self._run()
            self.assertLen(asked, 10 + 12)  # 21 that can be read, 9 of which were finished.
            # Another clustering needs no look at all.
            self._run(Clustering("dbscan", scaling="layers"))
            self.assertLen(asked, 22)
        self.assertEqual([one["pictures"] for one in done.records], [8, 7, 5])
        broken = json.loads((self.out / "manifest.json").read_text())["broken"]
        self.assertLen(broken, 1)
        whole = style_clusters.run(self.net, self.pictures, workdir=self.folder / "whole", size=48)
        self.assertEqual(whole.records, done.records)
        self._run()
        for name in ("styles.csv", "sheet.png", "map.png"):
            there = (self.folder / "whole" / name).read_bytes()
            self.assertEqual(there, (self.out / name).read_bytes())

    def test_medoids_of_an_earlier_run_go(self):
        self._run()
        done = self._run(Clustering(min_cluster_size=20))
        self.assertEqual(done.records, [])
        self.assertIn("No place is dense enough", "\n".join(done.lines))
        # Of no clusters only the nearest says something.
        self.assertNotIn("ARI", "\n".join(done.lines[:-1]))
        self.assertEmpty(list((self.out / "medoids").iterdir()))
        # Of other layers, pictures are described anew, and those of before stay.
        self._run(layers=["block1_conv1"])
        self.assertLen(list((self.out / "descriptors").iterdir()), 2)

    def test_pictures_in_one_folder_are_held_against_none(self):
        done = style_clusters.run(
            self.net, self.pictures / "stripes", workdir=self.out, size=48,
            settings=Clustering("dbscan"),
        )  # fmt: skip
        self.assertNotIn("folders", "\n".join(done.lines))
        self.assertFalse((self.out / "agreement.csv").exists())

    def test_what_cannot_be_compared_is_refused_and_leaves_nothing(self):
        copies = self.folder / "copies"
        copies.mkdir()
        for k in range(8):
            images.save_png(copies / f"{k}.png", nets.picture(40))
        with self.assertRaisesRegex(InputError, "eps: cannot be read off"):
            style_clusters.run(self.net, copies, Clustering("dbscan"), workdir=self.out, size=48)
        for path in copies.iterdir():
            path.write_text("no picture")
        with self.assertRaisesRegex(InputError, "none of 8 files can be read"):
            style_clusters.run(self.net, copies, workdir=self.folder / "none", size=48)
        self.assertFalse((self.folder / "none").exists())
        # Latin-1, as an old disk has it.
        odd = os.fsencode(copies) + b"/caf\xe9.png"
        with open(odd, "wb") as file:
            file.write(images.png(nets.picture(40)))
        for path in copies.glob("?.png"):
            path.unlink()
        self.assertLen(folders.digest(folders.find(copies, "images")), 64)
        with self.assertRaisesRegex(InputError, "none of 1 files can be read; .*Rename the file"):
            style_clusters.run(self.net, copies, workdir=self.folder / "none", size=48)
        with self.assertRaisesRegex(InputError, "layers: small has no layer 'block9'"):
            self._run(layers=["block9"])
        with self.assertRaisesRegex(InputError, "layer_weights=1: expected 2 numbers"):
            self._run(Clustering(layer_weights=(1.0,)), layers=["block1_conv1", "block2_conv1"])
        with unittest.mock.patch.object(style_clusters, "_SHARE", 1e-9):
            with self.assertRaisesRegex(InputError, "22 pictures take"):
                self._run()


if __name__ == "__main__":
    tf.test.main()
