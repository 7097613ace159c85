"""What apps make of pictures in shards is what they make of them one by one."""

import io
import json
import pathlib
import tarfile
from unittest import mock

import pyarrow.parquet as pq
import tensorflow as tf

from tests import nets
from tests.apps import test_attention_apps, test_tag
from tests.style.fast import test_checkpoints
from tfvis import images
from tfvis.errors import InputError
from tfvis.experiments import (
    attention,
    attention_batches,
    deconvnet,
    fast_style,
    fast_style_batches,
    features,
    localization,
    localization_batches,
    networks,
    strongest_image_batches,
    tagging,
    tagging_batches,
)
from tfvis.experiments.batch import jobs, plans, worker
from tfvis.experiments.batch.engine import Engine
from tfvis.experiments.features_settings import Features
from tfvis.networks import network

# In shards, by this process.
_ALONE = Engine("local", 0)


def _archived(workdir: pathlib.Path) -> dict[str, bytes]:
    """Returns the files in the archives of a batch."""
    found = {}
    for path in sorted((workdir / "archives").iterdir()):
        with tarfile.open(path) as tar:
            found |= {one.name: tar.extractfile(one).read() for one in tar}
    return found


class PictureBatchesTest(tf.test.TestCase):
    def setUp(self):
        super().setUp()
        self.folder = pathlib.Path(self.create_tempdir().full_path)
        self.photos = self.folder / "photos"
        squares = test_attention_apps.squares
        for name, pixels in (
            ("a/one.png", squares(60, 90, (50, 10, 80, 40))),
            ("a/two.png", squares(40, 40, (4, 4, 20, 20))),
            ("dark.png", squares(40, 50)),
            *((f"more/{k}.png", nets.oblong(40, 48 + k, seed=k)) for k in range(8)),
        ):
            images.save_png(self.photos / name, pixels)
        (self.photos / "a/broken.jpg").write_text("no image")

    def _rows(self, workdir: pathlib.Path, maker) -> dict[str, dict]:
        """Returns the rows by path; another process would come to the same job."""
        plan = plans.read(workdir)
        worker.check(jobs.build(maker.MAKER, plan.settings), plan)
        self.assertEqual(
            [row["path"] for row in pq.read_table(workdir / "errors").to_pylist()], ["a/broken.jpg"]
        )
        return {row["path"]: row for row in pq.read_table(workdir / "parts").to_pylist()}

    def test_attention_and_localization(self):
        checkpoint = str(test_attention_apps.saved(self.folder / "b.keras", self.folder / "bright"))
        wanted, alike = networks.Wanted(network=checkpoint), {"precision": "float32"}
        for run, maker, more in (
            (attention.run, attention_batches, {"steps": True}),
            (localization.run, localization_batches, {"most": 2}),
        ):
            what = wanted if maker is attention_batches else checkpoint
            one = self.folder / maker.__name__ / "one"
            many = self.folder / maker.__name__ / "many"
            records = run(what, self.photos, workdir=one, **more, **alike).records
            run(what, self.photos, workdir=many, engine=_ALONE, **more, **alike)
            rows, found = self._rows(many, maker), _archived(many)
            self.assertLen(rows, 11)
            self.assertLen(records, 11)
            expected = {}
            for record in records:
                path = pathlib.Path(record["path"])
                row = rows[path.relative_to(self.photos).as_posix()]
                self.assertEqual(row["key"], f"{record['folder']}-png")
                for name in set(row) & set(record) - {"path", "top", "key"}:
                    self.assertEqual(row[name], record[name], name)
                labels = row.get("top", row.get("label"))
                self.assertEqual(labels, [label for label, _ in record["top"]])
                for name in record["files"]:
                    content = (one / record["folder"] / name).read_bytes()
                    expected[f"{row['key']}.{name}"] = content
            self.assertEqual(found, expected)
        boxes = [(self.folder / maker.__name__ / name / "boxes.csv").read_text()
                 for name in ("one", "many")]  # fmt: skip
        self.assertEqual(boxes[0], boxes[1])
        self.assertGreater(boxes[0].count("\n"), 2)
        with self.assertRaisesRegex(InputError, "ground_truth: boxes are not measured in shards"):
            localization.run(
                checkpoint, self.photos, workdir=many, engine=_ALONE,
                ground_truth=str(self.folder / "none.csv"),
            )  # fmt: skip

    def test_strongest_images(self):
        model = self.folder / "small.keras"
        nets.small().save(model)
        wanted = networks.Wanted(network=str(model), preprocessing="tf")
        named, alike = "block2_conv1:0-3,block1_conv1:1", {"size": 40, "top": 3}
        one, many = self.folder / "one", self.folder / "many"
        expected = deconvnet.run(wanted, named, self.photos, workdir=one, **alike).records
        found = deconvnet.run(wanted, named, self.photos, workdir=many, engine=_ALONE, **alike)
        # Also the digests of all pictures.
        self.assertEqual(found.records, expected)
        rows = self._rows(many / "strongest_images", strongest_image_batches)
        # Two shards of 8 and 3, each with the three strongest of its own of five units.
        self.assertLen(rows, 11)
        self.assertEqual(sum(len(row["unit"]) for row in rows.values()), 2 * 3 * 5)
        said = json.loads((many / "manifest.json").read_text())
        self.assertIn(str(self.photos / "a/broken.jpg"), said["broken"])
        with self.assertRaisesRegex(InputError, "images: name the folder that workers"):
            deconvnet.run(wanted, named, workdir=many, engine=_ALONE)

    def test_painting_in_one_pass(self):
        checkpoint = str(test_checkpoints.saved(self.folder / "two"))
        one, many, alike = self.folder / "one", self.folder / "many", {"size": 48}
        records = fast_style.run(self.photos, checkpoint, workdir=one, **alike).records
        fast_style.run(self.photos, checkpoint, workdir=many, engine=_ALONE, **alike)
        rows, found = self._rows(many, fast_style_batches), _archived(many)
        self.assertLen(found, 11)
        for record in records:
            row = rows[pathlib.Path(record["path"]).relative_to(self.photos).as_posix()]
            self.assertEqual([row["height"], row["width"]], record["size"])
            self.assertEqual(found[f"{row['key']}.png"], (one / record["file"]).read_bytes())

    def test_tags(self):
        tags = self.folder / "tag_list.json"
        tags.write_text(json.dumps(test_tag._NAMES))
        one, many = self.folder / "one", self.folder / "many"
        settings = tagging.Tagging(tags=str(tags))
        net = test_tag._stand_in(features=False)
        with mock.patch.object(network, "build", return_value=net):
            for workdir, engine in ((one, None), (many, _ALONE)):
                tagging.tag(
                    "random", self.photos, settings, workdir=workdir, precision="float32",
                    engine=engine,
                )  # fmt: skip
            rows = self._rows(many, tagging_batches)
        self.assertLen(rows, 11)
        tables = [(workdir / "tags.csv").read_text() for workdir in (one, many)]
        self.assertEqual(tables[0], tables[1])
        self.assertGreater(tables[0].count("\n"), 22)

    def test_one_broken_file_in_a_hundred_is_among_the_errors(self):
        model, many = self.folder / "small.keras", self.folder / "hundreds"
        nets.small().save(model)
        written = io.BytesIO()
        images.pil(nets.oblong(40, 48)).save(written, format="JPEG")
        sound = written.getvalue()
        png = images.png(nets.oblong(40, 48))
        broken = {
            "cut.jpg": sound[: len(sound) // 2], "empty.jpg": b"", "words.jpg": b"no picture",
            "cut.png": png[: len(png) // 2],
        }  # fmt: skip
        many.mkdir()
        for k in range(396):
            (many / f"{k:03d}.jpg").write_bytes(sound)
        for name, content in broken.items():
            (many / name).write_bytes(content)
        settings = Features(layer="block1_conv1", size=16)
        wanted = networks.Wanted(network=str(model), preprocessing="tf")
        features.run(wanted, many, settings, workdir=self.folder / "out")
        errors = pq.read_table(self.folder / "out/errors").to_pylist()
        self.assertEqual(sorted(row["path"] for row in errors), sorted(broken))
        for row in errors:
            self.assertIn(row["path"], row["detail"])
        self.assertLen(pq.read_table(self.folder / "out/parts"), 396)


if __name__ == "__main__":
    tf.test.main()
