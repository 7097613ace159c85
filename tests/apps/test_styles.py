"""The app of styles as a person runs it."""

import csv
import json
import shutil

import numpy as np

from tests.processes import AppTest
from tfvis import images


class StylesTest(AppTest):
    def setUp(self):
        super().setUp()
        self.pictures = self.folder / "pictures"
        generator = np.random.default_rng(0)
        for k in range(14):
            axis, color = k % 2, ((200, 60, 40), (40, 90, 220))[k % 2]
            lines = (np.arange(36) // (2 + 3 * axis) % 2)[:, None, None] * np.float32(color)
            picture = np.broadcast_to(lines, (36, 36, 3)) + generator.normal(0, 8, (36, 36, 3))
            path = self.pictures / ("across", "broad")[axis] / f"{k}.png"
            path.parent.mkdir(parents=True, exist_ok=True)
            images.save_png(path, picture)
        self.flags = (f"--network={self.model}", "--preprocessing=tf", "--size=40")

    def test_finds_styles_and_goes_on_from_what_is_there(self):
        out = self.folder / "out"
        flags = (f"--images={self.pictures}", f"--workdir={out}", *self.flags)
        (self.pictures / "damaged.png").write_text("no picture")
        done = self._run("styles", *flags)
        self.assertIn("14 pictures, 2 styles by HDBSCAN, 0 outliers", done.stdout)
        self.assertIn("left out 1 of 15 files", done.stderr)
        self.assertIn(f"All in one picture: {out / 'sheet.png'}", done.stdout)
        with (out / "styles.csv").open() as file:
            rows = list(csv.DictReader(file))
        for row in rows:
            others = [
                r["cluster"] for r in rows if ("across" in r["path"]) == ("across" in row["path"])
            ]
            self.assertEqual(set(others), {row["cluster"]})
        self.assertLen([row for row in rows if row["medoid"] == "1"], 2)
        self.assertLen(list((out / "medoids").iterdir()), 2)
        again = self._run("styles", *flags, "--method=dbscan", "--eps=0.3", "--layers=block1_conv1")
        self.assertIn("by DBSCAN", again.stdout)
        manifest = json.loads((out / "manifest.json").read_text())
        self.assertEqual(manifest["arguments"]["eps"], 0.3)
        self.assertEqual(manifest["layers"], ["block1_conv1"])

    def test_refusals(self):
        few = self.folder / "few"
        few.mkdir()
        shutil.copy(self.image, few / "a.png")
        given = (f"--images={self.pictures}", *self.flags)
        for words, flags in (
            (r"--images=/nowhere: no such file or folder", ("--images=/nowhere",)),
            (
                r"--min_samples=3: expected more pictures than that, and there is 1",
                (f"--images={few}",),
            ),
            (r"--min_samples=14: expected more pictures", (*given, "--min_samples=14")),
            (r"--eps=1: is dbscan's; leave it out, or choose --method=dbscan", (*given, "--eps=1")),
            (r"--layer_weights=a: expected numbers", (*given, "--layer_weights=a")),
            (r"--layer_weights=1: expected 2 numbers", (*given, "--layer_weights=1")),
            (r"--layer_weights=0,0: .* not all 0", (*given, "--layer_weights=0,0")),
            (r"--layers: .*small.keras has no layer", (*given, "--layers=conv9")),
            (r"--layers: predictions is no map", (*given, "--layers=predictions")),
        ):
            with self.subTest(words):
                self._refused(words, *flags, app="styles")
        for words, flags in (
            (r"--images: must be given", ()),
            (r"--method", (*given, "--method=kmeans")),
            (r"--scaling", (*given, "--scaling=log")),
            (r"--min_samples", (*given, "--min_samples=1")),
        ):
            with self.subTest(words):
                self._refused(words, *flags, app="styles", code=2)


if __name__ == "__main__":
    import tensorflow as tf

    tf.test.main()
