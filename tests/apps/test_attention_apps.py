"""The apps of attention as a person runs them, on a classifier that knows bright squares."""

import csv
import json
import pathlib

import keras
import numpy as np
import PIL.Image
import tensorflow as tf

from tests import nets
from tests.processes import AppTest
from tfvis import images
from tfvis.attention.boxes import Box
from tfvis.classifiers import backbone, checkpoints
from tfvis.errors import InputError
from tfvis.experiments import (
    attention_models,
    folders,
    localization,
    localization_metrics,
    localization_pictures,
    picture_tasks,
)
from tfvis.experiments.networks import Wanted
from tfvis.networks import network as networks

CLASSES = ("disc", "square", "none")


def saved(model: pathlib.Path, folder: pathlib.Path, size: int = 48) -> pathlib.Path:
    """Writes a checkpoint that answers brightness with "square", darkness with "none"."""
    keras_model = nets.small()
    for layer in keras_model.layers:
        if isinstance(layer, keras.layers.Conv2D):
            kernel, bias = layer.get_weights()
            layer.set_weights([np.ones_like(kernel) / kernel[..., 0].size, 0 * bias])
    keras_model.save(model)
    parts = backbone.split(networks.build(str(model), preprocessing="unit"))
    learnt = backbone.learnt(backbone.learner(parts, len(CLASSES)))
    kernel, bias = learnt[backbone.CLASSES]
    kernel = np.zeros_like(kernel)
    kernel[:, CLASSES.index("square")] = 100 / len(kernel)
    learnt[backbone.CLASSES] = [kernel, np.array([-9, 0, 1], np.float32)]
    checkpoints.save(folder, parts, learnt, CLASSES, size, {})
    return folder


def squares(height: int, width: int, *corners) -> np.ndarray:
    """White boxes (x0, y0, x1, y1) on black."""
    picture = np.zeros((height, width, 3), np.float32)
    for x0, y0, x1, y1 in corners:
        picture[y0:y1, x0:x1] = 255
    return picture


def overlap(a, b) -> float:
    """Intersection over union, by counting pixels."""
    grids = np.zeros((2, 200, 200), bool)
    for grid, (x0, y0, x1, y1) in zip(grids, (a, b), strict=True):
        grid[round(y0) : round(y1), round(x0) : round(x1)] = True
    return (grids[0] & grids[1]).sum() / (grids[0] | grids[1]).sum()


class AttentionTest(AppTest):
    def setUp(self):
        super().setUp()
        self.out, self.photos = self.folder / "out", self.folder / "photos"
        self.checkpoint = saved(self.folder / "bright.keras", self.folder / "bright")

    def _picture(self, name: str, pixels: np.ndarray) -> pathlib.Path:
        images.save_png(self.photos / name, pixels)
        return self.photos / name

    def _manifest(self) -> dict:
        return json.loads((self.out / "manifest.json").read_text())


class AttendTest(AttentionTest):
    def test_masks_line_up_and_runs_go_on(self):
        first = squares(60, 90, (50, 10, 80, 40))
        self._picture("a/one.png", first)
        self._picture("b/one.png", squares(40, 40, (4, 4, 20, 20)))
        (self.photos / "a" / "broken.jpg").write_text("no image")
        flags = [
            f"--image={self.photos}", f"--network={self.checkpoint}", f"--workdir={self.out}",
            "--precision=float32", "--steps",
        ]  # fmt: skip
        done = self._run("attend", *flags)
        self.assertIn("left out 1 of 3 files", done.stderr)
        self.assertIn("broken.jpg", done.stderr)
        results = self._manifest()["results"]
        self.assertEqual([r["folder"] for r in results], ["a/one", "b/one"])
        mask = np.asarray(PIL.Image.open(self.out / "a/one/mask.png"))
        self.assertEqual((mask.shape, mask.dtype, mask.max()), ((60, 90), np.uint16, 65535))
        # Brightness is all it reacts to: nothing away from the square, its middle most. The
        # kernels reach 8 px around it, at 90/48 px each.
        self.assertGreater(mask[20:30, 60:70].min(), 30_000)
        self.assertEqual(mask[:, :30].max(), 0)
        net = checkpoints.load(str(self.checkpoint))
        expected = net.probabilities(tf.constant(images.resize(first, 48, 48)[None]))[0].numpy()
        self.assertEqual([name for name, _ in results[0]["top"]], ["square", "none", "disc"])
        ordered = sorted(expected, reverse=True)
        self.assertAllClose([p for _, p in results[0]["top"]], ordered, atol=2e-6)
        # Nowhere does a map show the class less than elsewhere and be brighter.
        heat = np.asarray(PIL.Image.open(self.out / "a/one/gradcam.png"), np.float32)
        self.assertGreater(heat[25, 65, 0], heat[25, 10, 0])
        overlay = np.asarray(PIL.Image.open(self.out / "a/one/overlay.png"), np.float32)
        # Shown to the power 1/4; the 16 bits are the mask itself.
        shift = np.float32([1, -1, -1]) * (255 * (mask / 65535) ** 0.25)[..., None]
        # Half a step of 16 bits, next to nothing, is 14 levels to that power.
        self.assertAllClose(overlay, np.clip(first + shift, 0, 255), atol=15)
        self.assertIn("class_vbp.png", results[0]["files"])
        self.assertTrue((self.out / "sheet.png").exists() and (self.out / "tensorboard").exists())
        for result in results:
            self.assertIn(result["folder"], done.stdout)
            self.assertLen(result["files"], 6)
        # The same again makes only what is missing.
        (self.out / "b/one/product.png").unlink()
        times = {p: p.stat().st_mtime_ns for p in self.out.glob("?/one/*.png")}
        self._run("attend", *flags)
        self.assertEqual(self._manifest()["results"], results)
        for path, time in times.items():
            same = path.stat().st_mtime_ns == time
            self.assertEqual(same, path.parts[-3] == "a", path)
        self.assertTrue((self.out / "b/one/product.png").exists())

    def test_without_a_classifier(self):
        model = self.folder / "coarse.keras"
        nets.coarse().save(model)
        wide = self._picture("wide.png", nets.oblong(64, 150))
        flags = [f"--image={wide}", f"--network={model}", "--size=32", f"--workdir={self.out}"]
        done = self._run("attend", *flags, "--preprocessing=tf")
        self.assertRegex(done.stderr, "no classifier: it ends in .*; no class maps")
        (result,) = self._manifest()["results"]
        self.assertEqual(result["seen_at"], [32, 72])
        # Its strides do not divide all of its kernels.
        self.assertEqual(set(result["files"]), {"mask.png", "mask_shown.png", "overlay.png"})
        self.assertEqual(PIL.Image.open(self.out / "wide/mask.png").size, (150, 64))

    def test_a_grid_of_dots_stays_in_the_file_and_is_not_shown(self):
        keras.utils.set_random_seed(0)
        inputs = keras.Input((None, None, 3))
        conv = keras.layers.Conv2D(4, 5, 3, activation="relu")
        model = keras.Model(inputs, conv(inputs))
        conv.set_weights([np.abs(one) for one in conv.get_weights()])
        model.save(self.folder / "strided.keras")
        picture = self._picture("a.png", nets.oblong(62, 62))
        flags = [f"--network={self.folder / 'strided.keras'}", "--preprocessing=unit", "--size=62"]
        self._run("attend", f"--image={picture}", *flags, f"--workdir={self.out}")
        mask, shown = (
            np.asarray(PIL.Image.open(self.out / f"a/{name}.png"), np.float64)[6:-6, 6:-6] / 65535
            for name in ("mask", "mask_shown")
        )
        # Of three rows two units see two and one sees one, which repeats all 3 px.
        period = [abs(np.fft.rfft(one.mean(1)[:48])[16]) for one in (mask, shown)]
        self.assertGreater(period[0], 10 * period[1])
        overlay = np.asarray(PIL.Image.open(self.out / "a/overlay.png"), np.float32)[6:-6, 6:-6]
        red = images.read(picture).pixels[6:-6, 6:-6] + 255 * shown[..., None] ** 0.25 * [1, -1, -1]
        self.assertAllClose(overlay, np.clip(red, 0, 255), atol=1)

    def test_refused(self):
        flags = [f"--network={self.checkpoint}", f"--image={self.image}"]
        self._refused("--class=sqare: .*Nearest: square", *flags, "--class=sqare", app="attend")
        dense = keras.Sequential([keras.Input((8, 8, 3)), keras.layers.Flatten()])
        dense.save(self.folder / "dense.keras")
        nets.small(size=24).save(self.folder / "fixed.keras")
        for name, change, words in (
            ("bright", {"pooling": "avg"}, "pooling=avg: .* is a checkpoint"),
            ("photos", {}, "a folder without a classifier.json"),
            ("dense.keras", {}, "no spatial layers"),
            ("fixed.keras", {"size": 32}, "takes 24 x 24 px only"),
            (
                "fixed.keras",
                {"layers": ("block2_conv1", "block9")},
                "^layers=.*block9'. Nearest: block2",
            ),
            (
                "fixed.keras",
                {"layers": ("gap",)},
                "^layers=gap: .* not a map: gap joins all places",
            ),
            ("fixed.keras", {"layers": ()}, "^layers=: no layers were named"),
            ("fixed.keras", {"cam_layer": "gap"}, "^cam_layer=gap: .*last .*: block2_pool"),
            ("fixed.keras", {"cam_layer": "up"}, "^cam_layer=up: .*no layer 'up'"),
            ("small.keras", {"size": 8}, None),
        ):
            asked = {key: change.pop(key, None) for key in ("size", "layers", "cam_layer")}
            self.photos.mkdir(exist_ok=True)
            given = {"network": str(self.folder / name), "weights": None, "pooling": "max"}
            given |= {"activation": "post", "preprocessing": "none"}
            asked_for = Wanted(**given | change)
            with self.subTest(name):
                if words is None:
                    model = attention_models.of_wanted(asked_for, "float32", False, **asked)
                    self.assertEqual(attention_models.class_index(model, "3"), (3, "class 3"))
                    with self.assertRaisesRegex(InputError, "of_class=.*9: .*5 channels"):
                        attention_models.class_index(model, "9")
                    continue
                with self.assertRaisesRegex(InputError, words):
                    attention_models.of_wanted(asked_for, "float32", False, **asked)

    def test_no_two_pictures_share_a_folder(self):
        names = ["a.png", "a.jpg", "A.PNG", "a-jpg.png", "sheet.png.jpg", "tensorboard.jpg"]
        names += ["in/a.png", "manifest.json.png", "a/mask.png.jpg", "a/mask.jpg", "two\nlines.png"]
        self.photos.mkdir()
        found = folders.Found([self.photos / name for name in names], "image", self.photos)
        inputs = picture_tasks.input_pictures(folders.listed(found, self.out))
        taken = [path.as_posix().casefold() for path in inputs.names.values()]
        self.assertLen(set(taken), len(names))
        self.assertEqual(inputs.names[self.photos / "in/a.png"].as_posix(), "in/a")
        own = {"sheet.png", "tensorboard", "manifest.json"}
        own |= {f"{name}/mask.png" for name in taken}
        self.assertEqual(own & set(taken), set())
        self.assertEqual(list(found.broken), [self.photos / "two\nlines.png"])


class LocalizeTest(AttentionTest):
    def _flags(self, *more: str) -> list[str]:
        return [
            f"--image={self.photos}", f"--checkpoint={self.checkpoint}", f"--workdir={self.out}",
            "--precision=float32", *more,
        ]  # fmt: skip

    def _boxes(self) -> list[dict]:
        return list(csv.DictReader((self.out / "boxes.csv").read_text().splitlines()))

    def test_boxes_of_squares_are_found_and_measured(self):
        true = {"in/left.png": (10, 20, 50, 60), "right.png": (70, 8, 116, 40)}
        for name, box in true.items():
            self._picture(name, squares(80, 120, box))
        self._picture("dark.png", squares(60, 60, (3, 3, 6, 6)))
        table = self.folder / "true.csv"
        rows = [f"{name},square,{','.join(map(str, box))}" for name, box in true.items()]
        # One that is wrong, so that no measure is all or nothing.
        self._picture("wrong.png", squares(80, 120, (10, 20, 50, 60)))
        rows += ["wrong.png,square,80,60,110,75", "missing.png,square,0,0,9,9"]
        table.write_text("\n".join(["path,label,x0,y0,x1,y1", *rows]))
        flags = self._flags("--map=gradcam", "--threshold=0.5", f"--ground_truth={table}")
        done = self._run("localize", *flags)
        self.assertIn("missing.png", done.stderr)
        boxes = {pathlib.Path(row["path"]).name: row for row in self._boxes()}
        self.assertEqual(set(boxes), {"left.png", "right.png", "wrong.png"})
        for name, box in true.items():
            row = boxes[pathlib.Path(name).name]
            self.assertEqual(row["label"], "square")
            found = [float(row[corner]) for corner in ("x0", "y0", "x1", "y1")]
            # Its map has a place for every 2 px of 48, so 5 x 3.3 px of the picture.
            self.assertGreater(overlap(found, box), 0.7)
        records = {r["folder"]: r for r in self._manifest()["results"]}
        self.assertEqual(records["dark"]["label"], "none")
        for name in ("in/left", "right"):
            score = records[name]["boxes"][0][4]
            # The mean of the marked part lies between the threshold and the maximum.
            self.assertBetween(score / records[name]["probability"], 0.5, 1)
            drawn = np.asarray(PIL.Image.open(self.out / name / "boxes.png"))
            self.assertEqual(drawn.shape, (80, 120, 3))
        measures = self._manifest()["measures"]
        self.assertEqual((measures["pairs"], measures["pictures"]), (3, 3))
        for name in ("gt_known", "corloc", "top_1_localization", "max_box_acc_0.5"):
            self.assertAllClose(measures[name], 2 / 3)
        self.assertIn("GT-known 66.7%", done.stdout)

    def test_a_picture_called_none_has_no_boxes(self):
        """Not in windows, and not where a class is asked for."""
        self._picture("dark.png", squares(60, 60, (3, 3, 6, 6)))
        self._picture("bright.png", squares(60, 60, (3, 3, 56, 56)))
        for more in ({}, {"of_class": "square"}, {"of_class": "square", "scales": (1, 0.8)}):
            records = localization.run(
                str(self.checkpoint), self.photos, workdir=self.out, precision="float32", **more
            ).records
            found = {record["folder"]: record["boxes"] for record in records}
            self.assertEqual(found["dark"], [], more)
            self.assertLen(found["bright"], 1)

    def test_windows_find_what_is_small(self):
        small = (120, 20, 128, 28)
        self._picture("small.png", squares(100, 160, small))
        done = self._run("localize", *self._flags("--map=product", "--threshold=0.5"))
        self.assertIn("none", done.stdout)
        self.assertEqual(self._boxes(), [])
        flags = self._flags("--threshold=0.5", "--scales=1,0.25", "--boxes=3")
        self._run("localize", *flags)
        (row,) = self._boxes()
        x0, y0, x1, y1 = (float(row[corner]) for corner in ("x0", "y0", "x1", "y1"))
        self.assertBetween(x0, 112, 120)
        self.assertBetween(x1, 128, 136)
        self.assertBetween(y0, 12, 20)
        self.assertBetween(y1, 28, 36)

    def test_refused(self):
        flags = [f"--checkpoint={self.checkpoint}", f"--image={self.image}"]
        self._refused("--scales=0.01", *flags, "--scales=0.01", app="localize")
        model = attention_models.of_classifier(checkpoints.load(str(self.checkpoint)), "float32")
        for word, words in (("none", "nothing is there"), ("disk", "Nearest: disc")):
            with self.assertRaisesRegex(InputError, words):
                localization_pictures.chosen(model, word)
        inputs = picture_tasks.input_pictures(folders.find(self.image, "image"))
        for path, label, words in (
            ("picture.png", "cat", "'cat' is no class of bright"),
            ("picture.png", "none", "'none' is no class of bright that has boxes"),
            ("other.png", "disc", "none of its paths"),
        ):
            row = localization_metrics.Row(path, label, Box(0, 0, 9, 9))
            with self.assertRaisesRegex(InputError, words):
                localization_metrics.matched([row], inputs, "true.csv", model)
