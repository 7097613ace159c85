import io
import json
import os
import pathlib
import re

import numpy as np
import PIL.Image
import tensorflow as tf
from tensorboard.backend.event_processing import event_accumulator

from tests import nets
from tfvis import hardware
from tfvis.errors import InputError
from tfvis.report import (
    gradient_images,
    html_page,
    manifest,
    page_pictures,
    patches,
    plots,
    sheets,
    tensorboard,
)


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
        sections = [html_page.Section("heading", "text", (figure,))]
        html_page.write(path, html_page.Page("a < b", sections))
        text = path.read_text()
        self.assertIn("&lt;layer&gt; &amp; co", text)
        self.assertNotRegex(text, r'(src|href)="(?!data:)')
        self.assertLen(re.findall("<figure", text), 1)
        self.assertNotIn("<nav>", text)

    def test_a_page_names_its_sections_and_shows_the_beginning_of_tables(self):
        table = html_page.Table(
            ("a<b", "r"), [("=x & y", 0.123456), (None, 4e-7), ("", 12)], "a table.csv", 1200
        )
        linked = html_page.Linked("figures/a b.jpg", 30, 40, "linked")
        sections = [
            html_page.Section("What they name?", "text", (linked,), table),
            html_page.Section("What they name!", "text", ()),
            html_page.Section("???", "text", ()),
        ]
        path = self.folder / "index.html"
        html_page.write(path, html_page.Page("title", sections, ["first < second"]))
        text = path.read_text()
        self.assertIn("<p>first &lt; second</p>", text)
        places = re.findall('<section id="(.*)">', text)
        self.assertEqual(places, ["what-they-name", "what-they-name-2", "section"])
        self.assertEqual(re.findall('<li><a href="#(.*)">', text), places)
        self.assertIn('width="40" height="30" src="figures/a%20b.jpg"', text)
        self.assertIn('3 rows here, 1,200 in <a href="a%20table.csv">a table.csv</a>', text)
        self.assertIn("<th scope=col>a&lt;b</th>", text)
        cells = re.findall("<td.*?>(.*?)</td>", text)
        self.assertEqual(cells, ["=x &amp; y", "0.123", "", "4e-07", "", "12"])
        # Nothing is asked of any other place.
        self.assertNotRegex(text, "https?:|//[a-z]+[.]")

    def test_photographs_are_small_and_plots_exact(self):
        noise = nets.picture(200) + np.random.default_rng(0).normal(0, 6, (200, 200, 3))
        content, suffix = page_pictures.encoded(noise)
        self.assertEqual(suffix, "jpg")
        self.assertLess(len(content), 200 * 200 * 3 / 4)
        shown = np.asarray(PIL.Image.open(io.BytesIO(content)), np.float32)
        # Quality 88 quantises what 6 grey levels of noise are by less than twice those.
        self.assertLess(np.sqrt(np.square(shown - np.clip(noise, 0, 255)).mean()), 6)
        plot = plots.lines({"a": (["x", "y"], [0.1, 0.2])}, "l", "e")
        content, suffix = page_pictures.encoded(plot)
        self.assertEqual(suffix, "png")
        shown = np.asarray(PIL.Image.open(io.BytesIO(content)))
        self.assertAllEqual(shown, plot)

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
