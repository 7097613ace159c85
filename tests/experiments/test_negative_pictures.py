"""What lies beside objects: the largest rectangle, and the tables that are learnt from."""

import csv
import itertools
import json

import numpy as np
import tensorflow as tf

from tests import stripes
from tests.processes import AppTest
from tfvis import images
from tfvis.experiments import negative_pictures


class EmptiestTest(tf.test.TestCase):
    def test_is_the_largest_of_all_rectangles(self):
        generator = np.random.default_rng(0)
        for share in (0.02, 0.1, 0.3):
            for _ in range(5):
                marked = generator.random((9, 10)) < share
                found = negative_pictures.emptiest(marked)
                areas = [
                    (y1 - y0) * (x1 - x0)
                    for y0, x0 in itertools.product(range(9), range(10))
                    for y1, x1 in itertools.product(range(y0 + 3, 10), range(x0 + 3, 11))
                    if max(y1 - y0, x1 - x0) <= 2 * min(y1 - y0, x1 - x0)
                    and not marked[y0:y1, x0:x1].any()
                ]
                if not areas:
                    self.assertIsNone(found)
                    continue
                x0, y0, x1, y1 = found
                self.assertFalse(marked[y0:y1, x0:x1].any())
                self.assertEqual((x1 - x0) * (y1 - y0), max(areas))


class NegativesTest(AppTest):
    def test_backgrounds_are_made_and_learnt_from(self):
        data = self.folder / "data"
        generator = np.random.default_rng(0)
        for kind, k in itertools.product(("dog", "horse"), range(16)):
            # Stripes in a corner, noise elsewhere: there is something beside.
            picture = stripes.picture("none", generator, 96)
            picture[:40, :40] = stripes.picture("across", generator, 40)
            picture = np.clip(picture + generator.normal(0, 12, picture.shape), 0, 255)
            images.save_png(data / kind / f"{k}.png", picture.astype(np.float32))
        tables = self.folder / "tables"
        done = self._run(
            "negatives", f"--data={data}", "--checkpoint=drawings_small", f"--workdir={tables}"
        )
        with open(tables / "data.csv", encoding="utf-8") as file:
            rows = list(csv.DictReader(file))
        negative = [row for row in rows if row["label"] == "none"]
        self.assertLen(rows, 32 + len(negative))
        self.assertRegex(done.stdout, rf"{len(negative)} backgrounds of 32 pictures")
        # Three at least, one for each part; half of the pictures have some.
        self.assertGreater(len(negative), 5)
        for row in negative:
            x0, y0, x1, y1 = (int(row[name]) for name in ("x0", "y0", "x1", "y1"))
            self.assertGreaterEqual(min(x1 - x0, y1 - y0), 0.3 * 96)
        # All are on the sheet, each with its line of the table.
        height, width = images.read(tables / "sheet.png").pixels.shape[:2]
        self.assertGreater(height * width, len(negative) * 128**2)
        self.assertIn("names the line to delete", done.stderr)
        # The tables are what train takes, and the negative class has its threshold.
        trained = self.folder / "trained"
        done = self._run(
            "train", f"--data={tables / 'data.csv'}", f"--network={self.model}",
            "--preprocessing=tf", "--size=32", "--views=1", "--batch=8", "--epochs=1",
            f"--cache={self.folder / 'cache'}", f"--workdir={trained}",
        )  # fmt: skip
        said = json.loads((trained / "manifest.json").read_text())
        self.assertEqual(said["classes"], ["dog", "horse", "none"])
        found = said["test"]["negatives"]
        self.assertBetween(found["auroc"], 0, 1)
        self.assertIn(f"open-set AUROC {found['auroc']:.3f}", done.stdout)
        self.assertIn("negative_threshold", said)
        self._refused(
            "labels unknown to the checkpoint: none",
            f"--data={tables / 'data.csv'}", "--checkpoint=drawings_small", app="negatives",
        )  # fmt: skip


if __name__ == "__main__":
    tf.test.main()
