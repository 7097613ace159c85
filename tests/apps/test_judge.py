"""The app judge as a person runs it, on a classifier that knows colours."""

import csv
import json
import pathlib

import keras
import numpy as np
import tensorflow as tf

from tests.processes import AppTest
from tfvis import images
from tfvis.attention import explainers
from tfvis.classifiers import backbone, checkpoints
from tfvis.networks import network as networks

CLASSES = ("blue", "green", "red", "white")
_INK = {"red": (255, 0, 0), "green": (0, 255, 0), "blue": (0, 0, 255), "white": (255, 255, 255)}


def colours(folder: pathlib.Path, size: int = 32) -> pathlib.Path:
    """Writes a checkpoint whose classes are the colours of places, by the sum of each."""
    inputs = keras.Input((None, None, 3))
    conv = keras.layers.Conv2D(4, 1, activation="relu", name="block1_conv1")
    x = keras.layers.MaxPooling2D(2, name="block1_pool")(conv(inputs))
    around = keras.layers.Conv2D(4, 3, padding="same", activation="relu", name="block2_conv1")
    x = around(x)
    # Blue, green and red less the others; white where all are.
    own = np.array([[-1, -1, 2], [-1, 2, -1], [2, -1, -1]]).T / 2
    bias = np.float32([0, 0, 0, -2])
    conv.set_weights([np.concatenate([own, np.ones((3, 1))], 1)[None, None], bias])
    kernel = np.zeros((3, 3, 4, 4))
    kernel[:] = np.eye(4) / 9
    around.set_weights([kernel, np.zeros(4)])
    folder.mkdir(parents=True)
    keras.Model(inputs, x, name="colours").save(folder / "trunk.keras")
    parts = backbone.split(networks.build(str(folder / "trunk.keras"), preprocessing="unit"))
    learnt = backbone.learnt(backbone.learner(parts, len(CLASSES)))
    learnt[backbone.CLASSES] = [np.float32(60 * np.eye(4)), np.zeros(4, np.float32)]
    checkpoints.save(folder, parts, learnt, CLASSES, size, {})
    return folder


class JudgeTest(AppTest):
    def setUp(self):
        super().setUp()
        self.out, self.data = self.folder / "out", self.folder / "data"
        self.checkpoint = colours(self.folder / "colours")
        rows = ["path,label,x0,y0,x1,y1"]
        for k, name in enumerate(CLASSES):
            picture = np.zeros((40, 48, 3), np.float32)
            x0, y0 = 4 + 6 * k, 8
            picture[y0 : y0 + 16, x0 : x0 + 16] = _INK[name]
            images.save_png(self.data / f"{name}.png", picture)
            rows.append(f"{name}.png,{name},{x0},{y0},{x0 + 16},{y0 + 16}")
        (self.data / "true.csv").write_text("\n".join(rows))

    def _flags(self, *more: str) -> list[str]:
        data = f"--data={self.data / 'true.csv'}"
        return [f"--checkpoint={self.checkpoint}", data, f"--workdir={self.out}", *more]

    def test_what_is_right_gets_good_marks_and_a_run_goes_on(self):
        some = ("vbp", "class_vbp", "gradcam", "deconvnet")
        flags = self._flags(
            f"--explainers={','.join(some)}", "--steps=8", "--stages=2", "--count=4"
        )
        done = self._run("judge", *flags)
        self.assertIn("4 pictures, of which the network names 4", done.stdout)
        # What is known of a method stands beside its numbers.
        self.assertRegex(done.stderr, "deconvnet ignores the parameters of later layers")
        with open(self.out / "summary.csv", encoding="utf-8") as file:
            rows = list(csv.DictReader(file))
        told = {(row["explainer"], row["measure"]): float(row["mean"]) for row in rows}
        for name in ("class_vbp", "gradcam"):
            # The thing is a fifth of the picture: with it, the colour goes at once.
            self.assertLess(told[name, "deletion_color"], 0.5)
            self.assertGreater(told[name, "grid_pointing"], 0.95)
            self.assertEqual(told[name, "pointing_game"], 1)
            self.assertGreater(told[name, "road"], 0)
        self.assertGreater(told["class_vbp", "energy"], 0.9)
        self.assertGreater(told["class_vbp", "max_box_acc"], 0.9)
        # It has no class in its formula.
        self.assertAllClose(told["vbp", "class_spearman"], 1, atol=1e-6)
        self.assertBetween(told["vbp", "grid_pointing"], 0.1, 0.6)
        content = json.loads((self.out / "manifest.json").read_text())
        self.assertIn("later layers", content["warnings"]["deconvnet"])
        for name in ("results.csv", "sheet.png", "deletion_blur.png", "insertion_color.png"):
            self.assertTrue((self.out / name).exists(), name)
        # Every two explainers in every measure with a better end, picture by picture.
        with open(self.out / "pairs.csv", encoding="utf-8") as file:
            pairs = {(r["measure"], r["one"], r["other"]): r for r in csv.DictReader(file)}
        for measure in ("deletion_blur", "road_most_first", "grid_pointing", "energy"):
            apart = pairs[measure, "class_vbp", "gradcam"]
            self.assertAllClose(
                float(apart["difference"]),
                told["class_vbp", measure] - told["gradcam", measure],
                atol=3e-6,
            )
        # Four pictures can show no difference by ranks.
        self.assertEqual({row["differ"] for row in pairs.values()}, {"False"})
        self.assertNotIn("class_spearman", {measure for measure, *_ in pairs})
        self.assertRegex(
            done.stdout, r"energy: \w+ before \w+ by 0\.\d+ \(95%: .* 4 pictures\): no "
        )
        before = (self.out / "red/maps.png").stat().st_mtime_ns
        self._run("judge", *flags)
        self.assertEqual((self.out / "red/maps.png").stat().st_mtime_ns, before)
        self.assertEqual(json.loads((self.out / "manifest.json").read_text()), content)

    def test_refused(self):
        for words, flag in (
            ("--explainers=cam: expected some of vbp", "--explainers=cam"),
            ("--metrics=auc: expected some of deletion", "--metrics=auc"),
            ("--percentages=10,x: expected numbers above 0", "--percentages=10,x"),
            ("--percentages=0,50: expected numbers above 0", "--percentages=0,50"),
        ):
            self._refused(words, *self._flags(flag)[:2], flag, app="judge")
        for k, name in enumerate(CLASSES):
            grey = np.full((40, 48, 3), 9 * k, np.float32)
            images.save_png(self.folder / f"bare/{name}/a.png", grey)
        flags = [f"--checkpoint={self.checkpoint}", f"--data={self.folder / 'bare'}"]
        self._refused("--metrics=boxes: no true boxes in --data", *flags, "--metrics=boxes",
                      app="judge")  # fmt: skip
        # Every name that the help lists is one.
        help_ = self._run("judge", "--helpshort").stdout
        for name in explainers.KINDS:
            self.assertIn(name, help_)


if __name__ == "__main__":
    tf.test.main()
