"""Boxes measured as a person does it, on a classifier that knows bright squares."""

import csv
import json
import pathlib
from unittest import mock

import numpy as np
import PIL.Image
import tensorflow as tf

from tests.apps.test_attention_apps import saved, squares
from tests.processes import AppTest
from tfvis import files, images
from tfvis.errors import InputError
from tfvis.experiments import box_evaluation, box_measures, localization_pictures

HEADER = "path,label,x0,y0,x1,y1"


class EvaluateBoxesTest(AppTest):
    def setUp(self):
        super().setUp()
        self.out, self.photos = self.folder / "out", self.folder / "photos"
        self.checkpoint = saved(self.folder / "bright.keras", self.folder / "bright")
        self.table = self.folder / "true.csv"

    def _picture(self, name: str, pixels: np.ndarray) -> str:
        images.save_png(self.photos / name, pixels)
        return name

    def _two_in_each_half(self) -> list[str]:
        """Returns rows of squares, two of each half of the hashes."""
        rows, left = [], [2, 2]
        for k in range(40):
            corners = (10 + k, 12, 50 + k, 60)
            name = self._picture(f"{k}.png", squares(80, 120, corners))
            part = box_measures.half(files.sha256_of(self.photos / name))
            if left[part]:
                left[part] -= 1
                rows.append(f"{name},square,{','.join(map(str, corners))}")
        self.assertEqual(left, [0, 0])
        return rows

    def _csv(self, name: str) -> list[dict]:
        return list(csv.DictReader((self.out / name).read_text().splitlines()))

    def test_boxes_of_squares(self):
        rows = self._two_in_each_half()
        # One that nobody finds; one without anything, and one that is taken for something.
        rows.append(f"{self._picture('wrong.png', squares(80, 120, (9, 9, 50, 60)))},square,"
                    "80,60,110,75")  # fmt: skip
        rows.append(f"{self._picture('dark.png', squares(60, 60, (3, 3, 6, 6)))},none,,,,")
        rows.append(f"{self._picture('false.png', squares(60, 60, (9, 9, 50, 50)))},,,,,")
        rows += ["missing.png,square,0,0,9,9"]
        self.table.write_text("\n".join([HEADER, *rows]))
        flags = [
            f"--checkpoint={self.checkpoint}", f"--boxes={self.table}", f"--data={self.photos}",
            "--maps=gradcam,vbp", f"--workdir={self.out}", "--precision=float32",
        ]  # fmt: skip
        done = self._run("evaluate", *flags)
        self.assertIn("missing.png", done.stderr)
        self.assertIn("7 pictures, 5 boxes of 1 classes, 2 pictures without objects", done.stdout)
        self.assertIn("False positives: 0.50 boxes a picture on 2 pictures", done.stdout)
        measures = json.loads((self.out / "manifest.json").read_text())["measures"]
        for kind in ("gradcam", "vbp"):
            found = measures[kind]
            for name in ("GT-known 0.5", "mean CorLoc 0.5", "MaxBoxAcc 0.5"):
                self.assertAllClose(found[name], 4 / 5, msg=name)
            self.assertEqual(found["false positives a picture"], 0.5)
            # All are as bright, and two of six are wrong: 4 of 5 are found, in any order.
            self.assertBetween(found["mAP all-point (VOC 2010) 0.5"], 0.3, 0.8)
            self.assertBetween(found["cuts"][0], 0, 0.99)
        table = {(row["map"], row["measure"], row["class"], row["iou"]): row["value"]
                 for row in self._csv("measures.csv")}  # fmt: skip
        self.assertEqual(table["vbp", "CorLoc", "square", "0.5"], "0.800000")
        by_name = {pathlib.Path(r["path"]).name: r for r in self._csv("pictures.csv")}
        self.assertEqual((by_name["wrong.png"]["class"], by_name["wrong.png"]["iou"]),
                         ("square", "0.0000"))  # fmt: skip
        self.assertEqual((by_name["dark.png"]["called"], by_name["dark.png"]["iou"]), ("none", ""))
        self.assertEqual((by_name["false.png"]["called"], by_name["false.png"]["iou"]),
                         ("square", "0.0000"))  # fmt: skip
        ranked = self._csv("boxes-vbp.csv")
        self.assertGreaterEqual(len(ranked), 6)
        self.assertTrue(PIL.Image.open(self.out / "sheet.png").width)
        # Finished pictures are not looked at again; a given cut is taken for both halves.
        with mock.patch.object(box_evaluation, "_one", side_effect=AssertionError):
            again = box_evaluation.run(
                str(self.checkpoint), self.table, workdir=self.out, pictures=self.photos,
                maps=("gradcam", "vbp"), threshold=0.5, precision="float32",
            )  # fmt: skip
        self.assertIn("gradcam: maps cut at 0.5 and 0.5", "\n".join(again.lines))

    def test_the_cut_is_of_the_other_half(self):
        """Maps of one half are right at a low cut only, those of the other at a high one."""
        low, high = np.zeros((20, 20), np.float32), np.full((20, 20), 0.6, np.float32)
        low[5:15, 5:15], low[9:11, 9:11] = 0.2, 1
        high[5:15, 5:15] = 1
        true = {"square": [[5, 5, 15, 15]]}
        records = [
            {"folder": f"{digit}{k}", "sha256": digit, "true": true, "difficult": {}, "likely": [],
             "label": "square", "none": False, "empty": False, "frame": [0, 0, 20, 20],
             "canvas": [20, 20], "maps": {"vbp": {"square": "m.png"}}}
            for digit in "01" for k in range(2)
        ]  # fmt: skip

        def read(workdir, record, kind, label):
            return low if record["sha256"] == "0" else high

        def boxes_of(record, label, cut):
            return localization_pictures.cut_boxes(
                read(None, record, "vbp", label), cut, 1, 1.0, box_evaluation.Box(0, 0, 20, 20)
            )

        with mock.patch.object(box_measures, "read_map", read):
            found = box_measures.measured("vbp", records, self.folder, boxes_of, 0.08)
            given = box_measures.measured("vbp", records, self.folder, boxes_of, 0.08, 0.1)
        self.assertTrue(found.chosen)
        # The first half's is chosen on the second, where only 0.6 and more is right.
        self.assertBetween(found.cuts[0], 0.6, 0.99)
        self.assertBetween(found.cuts[1], 0, 0.2)
        self.assertEqual(found.gt_known[0.5], 0)
        self.assertEqual(found.over.max_box_acc(), 0.5)
        self.assertEqual((given.cuts, given.gt_known[0.5]), ((0.1, 0.1), 0.5))

    def test_refused(self):
        name = self._picture("a.png", squares(40, 40, (5, 5, 30, 30)))
        self.table.write_text(f"{HEADER}\n{name},cat,0,0,9,9\n")
        flags = [f"--checkpoint={self.checkpoint}", f"--boxes={self.table}"]
        self._refused("--part", *flags, "--part=test", app="evaluate")

        def refused(words: str, **more) -> None:
            with self.assertRaisesRegex(InputError, words):
                box_evaluation.run(
                    str(self.checkpoint), self.table, workdir=self.out, precision="float32",
                    **({"pictures": self.photos} | more),
                )  # fmt: skip

        refused("'cat' is no class of bright")
        refused("none of its 1 pictures.*folder they are in with pictures", pictures=self.folder)
        refused("maps=heat: expected some of vbp", maps=("heat",))
        # A published table has classes of its own.
        self.table.write_text(f'image filename,coordinates,term\n{name},"0,0,9,9",Harp (1)\n')
        refused("none of its 1 classes, such as Harp, is one of bright: disc, square")
        self.table.write_text(
            f'image filename,coordinates,term\n{name},"5,5,50,30",Square (1)\n'
            f'{name},"0,0,9,9",Harp (2)\n'
        )
        outcome = box_evaluation.run(
            str(self.checkpoint), self.table, workdir=self.out, pictures=self.photos,
            precision="float32",
        )  # fmt: skip
        self.assertEqual(outcome.records[0]["true"], {"square": [[5, 5, 40, 30]]})
        # One half has no true boxes: nothing to choose by.
        self.assertIn("vbp: maps cut at 0.08 and 0.08", outcome.lines[1])


if __name__ == "__main__":
    tf.test.main()
