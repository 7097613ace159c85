"""What the experiments of style share: keys, the estimate, and what --jit=auto measures."""

import dataclasses
import pathlib
from unittest import mock

import numpy as np
import tensorflow as tf

from tests import nets
from tests.transfers import settings_of, small_network, small_scene
from tfvis import images
from tfvis.errors import InputError
from tfvis.experiments import (
    devices,
    optimization_tasks,
    reconstruction,
    style_runs,
    style_transfer,
    texture,
)
from tfvis.report import manifest
from tfvis.style.transfer import Transfer


class _Test(tf.test.TestCase):
    def setUp(self):
        super().setUp()
        self.folder = pathlib.Path(self.create_tempdir().full_path)

    def _piece(self, **changes) -> style_runs.Piece:
        given = {
            "name": "one",
            "path": pathlib.PurePosixPath("one.png"),
            "network": small_network(),
            "scene": small_scene(40, 40),
            "settings": settings_of("gatys", evaluations=2),
        }
        return style_runs.Piece(**(given | changes))


class KeyTest(_Test):
    def test_colours_that_are_put_back_count(self):
        def key(content, color):
            judged = (content, ())
            piece = self._piece(judged=judged, about={"color": color})
            return style_runs.task(piece, self.folder, 0).keys[0]

        # Of the same brightness, which is all that the scene holds of them.
        red, blue = (np.broadcast_to(np.float32(c), (40, 40, 3)) for c in ([90, 0, 0], [0, 0, 90]))
        self.assertNotEqual(key(red, "luminance"), key(blue, "luminance"))
        self.assertEqual(key(red, "none"), key(blue, "none"))


class FixedSizeTest(_Test):
    """A network of one size sees a resize of others, in which fine noise is hidden."""

    def _made(self, experiment, **changes):
        given = {"settings": Transfer(evaluations=2)} | changes
        self.workdir = self.folder / experiment.__name__
        picture = nets.oblong(48, 60)
        return experiment.run(nets.wrapped(size=40), picture, workdir=self.workdir, **given)

    def test_what_begins_with_noise_has_the_size_of_the_network(self):
        for experiment in (texture, reconstruction):
            with self.subTest(experiment.__name__):
                made = self._made(experiment).records
                self.assertEqual([one["size"] for one in made], [[40, 40]] * len(made))
                for one in made:
                    picture = images.read(self.workdir / one["file"]).pixels
                    self.assertEqual(picture.shape, (40, 40, 3))
                with self.assertRaisesRegex(InputError, "^size=64: .* 40 x 40 px only"):
                    self._made(experiment, size=64)
        for changes in ({"shape": (64, 40)}, {"tileable": True}):
            with self.assertRaisesRegex(InputError, "^size: .* Make one of 40 x 40 px"):
                self._made(texture, **changes)

    def test_what_begins_with_a_picture_is_made_with_a_note(self):
        with self.assertLogs("tfvis", "WARNING") as logs:
            self._made(style_transfer, styles=[nets.picture(48, seed=3)], size=48)
        self.assertRegex("\n".join(logs.output), "looks at 40 x 40 px only")


class EstimateTest(_Test):
    def test_nothing_is_timed_for_what_is_finished(self):
        piece = self._piece()
        task = style_runs.task(piece, self.folder, 0)
        _, plan = style_runs.planned(piece, None)
        ahead = style_runs.ahead([task], [plan], self.folder, style_runs.FIELDS)
        self.assertEqual(ahead, [plan])
        header = style_runs.header([piece], {})
        optimization_tasks.run([task], self.folder, header, style_runs.FIELDS)
        ahead = style_runs.ahead([task], [plan], self.folder, style_runs.FIELDS)
        self.assertEmpty(ahead)
        with mock.patch.object(style_runs, "rate") as rate:
            style_runs.announce(ahead, piece.network)
        rate.assert_not_called()
        # Another number of evaluations is another picture.
        other = style_runs.task(
            self._piece(settings=settings_of("gatys", evaluations=3)), self.folder, 0
        )
        self.assertLen(style_runs.ahead([other], [plan], self.folder, style_runs.FIELDS), 1)


class JitTest(_Test):
    def setUp(self):
        super().setUp()
        gpu = mock.patch.object(tf.config, "list_physical_devices", lambda kind=None: ["a GPU"])
        self.enter_context(gpu)
        self.enter_context(mock.patch.dict(devices._measured, clear=True))

    def _jit(self, net, with_xla: float, without: float = 2.0) -> bool:
        seconds = lambda network, target, layer, on: with_xla if on else without  # noqa: E731
        with mock.patch.object(devices, "seconds_per_step", seconds):
            return devices.jit("auto", self.folder, net, None, "block1_conv1")

    def test_each_network_is_measured_and_kept(self):
        first = nets.wrapped()
        second = dataclasses.replace(first, name="another")
        self.assertTrue(self._jit(first, 1.0))
        self.assertFalse(self._jit(second, 3.0))
        # Again in this process, whatever a clock says now.
        self.assertTrue(self._jit(first, 3.0))
        said = devices.decided({"a": first, "b": second}, {"a": True, "b": False})
        manifest.write(self.folder / "manifest.json", {"jit": said})
        devices._measured.clear()
        self.assertTrue(self._jit(first, 3.0))
        self.assertFalse(self._jit(second, 1.0))

    def test_the_manifest_of_style_says_it(self):
        piece = self._piece(settings=settings_of("gatys", jit=True))
        self.assertEqual(style_runs.header([piece], {})["jit"], {piece.network.name: True})


class SheetTest(_Test):
    def test_masks_are_as_large_as_the_content(self):
        content = nets.oblong(60, 80)
        styles = (nets.oblong(60, 70, seed=1), nets.oblong(70, 60, seed=2))
        painting = style_transfer.Painting(content, styles, mask=nets.oblong(600, 800))
        piece = self._piece(scene=small_scene(55, 74))
        page = style_transfer.sheet(painting, piece, nets.oblong(55, 74), nets.oblong(55, 74))
        # Content, regions and a style in a row, at most as wide as three of the widest.
        self.assertLess(page.shape[1], 3 * 120)


class SummaryTest(tf.test.TestCase):
    def test_small_distances_are_no_zeros(self):
        small = {"content a": 0.002, "content b": 0.0001, "style": 3.14159, "content_fidelity": 1.0}
        said = style_runs.summary({"measures": small})
        self.assertStartsWith(said, "content 0.0021, style 3.14, fidelity 1.00")
        large = style_runs.summary({"measures": {"content a": 123456.7, "style": 987.6}})
        self.assertStartsWith(large, "content 123457, style 988 ")


class StuckTest(tf.test.TestCase):
    def test_a_descent_that_came_nowhere_is_told(self):
        def terms(*energies):
            return [{"step": 9 * k, "energy": value} for k, value in enumerate(energies, 1)]

        self.assertTrue(style_runs.stuck(terms(2.8133e6, 2.8132e6, 2.8132e6, 2.8132e6)))
        self.assertFalse(style_runs.stuck(terms(579, 300, 120, 97)))
        # Too short to tell.
        self.assertFalse(style_runs.stuck(terms(5.0)))
        self.assertFalse(style_runs.stuck(terms(5.0, 4.99)))
        records = [{"name": f"content {k}", "terms": terms(*(5,) * k)} for k in (1, 9)]
        with self.assertLogs("tfvis", "WARNING") as said:
            style_runs.note_stuck(records, "tiny", "content_layers", "style_layers")
            style_runs.note_stuck(records[:1], "tiny", "layers")
        self.assertLen(said.output, 1)
        self.assertIn("content 9 stayed what it began as: tiny finds", said.output[0])


if __name__ == "__main__":
    tf.test.main()
