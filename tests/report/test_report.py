import json
import os
import pathlib
import re

import numpy as np
import tensorflow as tf
from tensorboard.backend.event_processing import event_accumulator

from tests import nets
from tfvis import hardware
from tfvis.errors import InputError
from tfvis.report import gradient_images, html_page, manifest, patches, plots, sheets, tensorboard


class ReportTest(tf.test.TestCase):
    def setUp(self):
        super().setUp()
        self.folder = pathlib.Path(self.create_tempdir().full_path)

    def test_a_sheet_holds_every_picture_untouched(self):
        pictures = [np.round(nets.picture(20, seed=s)) for s in range(5)]
        cells = [
            sheets.Cell(p, f"a long title for picture {i}", "note") for i, p in enumerate(pictures)
        ]
        page = sheets.sheet(cells, columns=2, heading="all of them")
        self.assertEqual(page.dtype, np.uint8)
        windows = np.lib.stride_tricks.sliding_window_view(page, (20, 20, 3))[:, :, 0]
        for picture in pictures:
            found = (windows == picture.astype(np.uint8)).all((2, 3, 4)).sum()
            self.assertEqual(found, 1)

    def test_a_patch_that_is_no_square_keeps_its_shape(self):
        for height, width in ((10, 20), (300, 600)):  # One is enlarged, one made smaller.
            page = patches.grid([np.zeros((height, width, 3), np.float32)], side=100)
            self.assertEqual(page.shape, (100, 100, 3))
            self.assertAllEqual(np.flatnonzero((page == 0).all((1, 2))), np.arange(25, 75))

    def test_a_grey_picture_on_a_sheet(self):
        page = sheets.sheet([sheets.Cell(nets.picture(20, channels=1), "grey")])
        self.assertEqual(page.shape[2], 3)

    def test_manifest_is_strict_json_and_survives_damage(self):
        path = self.folder / "manifest.json"
        manifest.write(path, {"a": float("nan"), "b": np.float32(1.5), "c": (1, np.int64(2))})
        strict = json.loads(path.read_text(), parse_constant=lambda word: self.fail(word))
        machine = {"cpu": hardware.cpu(), "oneDNN": "on" if hardware.onednn() else "off"}
        self.assertEqual(strict, {"a": "nan", "b": 1.5, "c": [1, 2], "machine": machine})
        self.assertEqual(manifest.read(path), strict)
        path.write_text("{half")
        self.assertEqual(manifest.read(path), {})
        self.assertEqual(manifest.read(self.folder / "absent"), {})

    def test_keys_tell_inputs_apart(self):
        image = nets.picture(8)
        key = manifest.key(image=image, seed=1)
        self.assertEqual(key, manifest.key(seed=1, image=image.copy()))
        self.assertNotEqual(key, manifest.key(image=image, seed=2))
        self.assertNotEqual(key, manifest.key(image=image + 1e-3, seed=1))
        self.assertNotEqual(key, manifest.key(image=image.swapaxes(0, 1).copy(), seed=1))
        self.assertNotEqual(key, manifest.key(image=image.reshape(-1), seed=1))
        self.assertNotEqual(key, manifest.key(image=image.view(np.int32), seed=1))

    def test_tensorboard_reads_what_was_written(self):
        pixels = np.stack([nets.picture(9, seed=s) for s in range(4)])
        with tensorboard.Writer(self.folder) as writer:
            writer.images("a/preimage", pixels, 50)
            writer.scalars({"a/energy": 2.5}, 50)
        events = event_accumulator.EventAccumulator(str(self.folder), {"tensors": 0})
        events.Reload()
        tensor = tf.make_ndarray(events.Tensors("a/preimage")[0].tensor_proto)
        # Width, height, then one PNG per image.
        self.assertEqual(tensor.shape, (6,))
        levels = tf.io.decode_png(tensor[3])
        self.assertAllClose(levels, pixels[1], atol=0.5)
        scalar = tf.make_ndarray(events.Tensors("a/energy")[0].tensor_proto)
        self.assertEqual(scalar, 2.5)

    def test_events_that_a_full_disk_cut_off_are_noticed(self):
        with self.assertRaisesRegex(InputError, "Cannot write TensorBoard events"):
            with tensorboard.Writer(self.folder) as writer:
                writer.scalars({"a/energy": 2.5}, 50)
                writer.flush()
                # As TensorFlow leaves it where the disk is full, and says nothing.
                (events,) = self.folder.glob("events.*")
                os.truncate(events, events.stat().st_size - 3)

    def test_a_page_is_one_file_and_escapes_its_words(self):
        figure = html_page.Figure(nets.picture(8), "<layer> & co", "note")
        path = self.folder / "index.html"
        html_page.write(path, "a < b", [html_page.Section("heading", "text", (figure,))])
        text = path.read_text()
        self.assertIn("&lt;layer&gt; &amp; co", text)
        self.assertNotRegex(text, r'(src|href)="(?!data:)')
        self.assertLen(re.findall("<img ", text), 1)

    def test_a_plot_draws_its_line(self):
        plot = plots.lines({"a": (["x", "y"], [0.1, 0.2]), "b": (["x", "y"], [0.2, 0.1])}, "l", "e")
        self.assertEqual(plot.shape[2], 3)
        self.assertGreater(len(np.unique(plot.reshape(-1, 3), axis=0)), 10)


class SignedTest(tf.test.TestCase):
    def test_nothing_is_grey_where_it_could_be_negative_and_black_where_not(self):
        nothing = np.zeros((4, 5, 3))
        self.assertAllEqual(gradient_images.shown(nothing), np.full((4, 5, 3), 127.5))
        self.assertAllEqual(
            gradient_images.shown(nothing[..., 0], signed=False), np.zeros((4, 5, 1))
        )
        values = np.array([[-2.0, 0, 1, 2]])
        # The percentile of 1, 2, 2 is a little under 2.
        self.assertAllClose(gradient_images.shown(values)[0, :, 0], [0, 127.5, 191.25, 255], atol=1)
