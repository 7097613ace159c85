"""Sweeps: one run for many cells, what is measured of them, resuming, the sheet."""

import contextlib
import csv
import dataclasses
import functools
import itertools
import json
import pathlib
from unittest import mock

import numpy as np
import PIL.Image
import tensorflow as tf

from tests import nets
from tfvis import images
from tfvis.experiments import optimization_tasks, sweep, sweep_cells, sweep_reports
from tfvis.networks import network
from tfvis.networks.pooling import averaged
from tfvis.networks.preprocessing import contracts
from tfvis.style import color, metrics, transfer

LAYERS = ("block1_conv1", "block2_conv1")
_CONTENT, _STYLE = nets.oblong(40, 48), nets.oblong(44, 40, seed=1)


@functools.cache
def _network() -> network.Network:
    return network.wrap(nets.coarse(), preprocessing=contracts.named("tf"))


class SweepTest(tf.test.TestCase):
    def setUp(self):
        super().setUp()
        self.folder = pathlib.Path(self.create_tempdir().full_path)

    def _sweep(self, name, axes, constants=None, **more):
        # So that the random network's features, which are small, change the picture.
        given = {"recipe": "gatys", "ratio": 1e6, "evaluations": 30} | (constants or {})
        painted = {"content": _CONTENT, "styles": (_STYLE,), "precision": "float32"}
        painted |= {"content_layers": LAYERS[1:], "style_layers": LAYERS}
        return sweep.run(
            _network(), axes, workdir=self.folder / name, settings=transfer.Transfer(**given),
            size=40, **painted | more,
        ).records  # fmt: skip

    @contextlib.contextmanager
    def _counted(self):
        """Yields a list that gets the evaluations of every transfer that is begun."""
        calls, kept = [], transfer.iterate

        def iterate(*args, settings, **kwargs):
            calls.append(settings.evaluations)
            return kept(*args, settings=settings, **kwargs)

        with mock.patch.object(transfer, "iterate", iterate):
            yield calls

    def _rows(self, name):
        with open(self.folder / name / "results.csv", newline="") as file:
            return list(csv.DictReader(file))

    def _pictures(self, name):
        folder = self.folder / name
        return {p.relative_to(folder): p.read_bytes() for p in folder.rglob("cells/**/*.png")}

    def test_one_run_serves_all_smaller_counts_with_the_same_bits(self):
        axes = {"init": ("content", "noise"), "evaluations": (25, 7, 20)}
        with self._counted() as calls:
            rows = self._sweep("all", axes)
        self.assertEqual(calls, [25, 25])
        pictures = self._pictures("all")
        self.assertLen(pictures, 6)
        self.assertLen(set(pictures.values()), 6)
        for evaluations in (7, 20):
            name = str(evaluations)
            self._sweep(name, {"init": ("content", "noise"), "evaluations": (evaluations,)})
            for path, found in self._pictures(name).items():
                self.assertEqual(pictures[path], found, path)
        cells = [(row["init"], row["evaluations"]) for row in rows]
        order = itertools.product(["content", "noise"], ["25", "7", "20"])
        self.assertEqual(cells, list(order))

    def test_other_ways_are_runs_of_their_own(self):
        # The rates of Adam, the scales of quality and bfloat16's end depend on the length.
        for name, constants in {
            "quality": {"recipe": "quality"},
            "adam": {"optimizer": "adam"},
            "bfloat16": {},
        }.items():
            precision = {"precision": "bfloat16"} if name == "bfloat16" else {}
            with (
                mock.patch.object(sweep, "_runs", wraps=sweep._runs) as planned,
                mock.patch.object(sweep, "_task", side_effect=KeyboardInterrupt),
                self.assertRaises(KeyboardInterrupt),
            ):
                self._sweep(name, {"evaluations": (3, 5)}, constants, **precision)
            cells = planned.call_args.args[0]
            made = [one for one, _ in sweep._runs(*planned.call_args.args)]
            self.assertEqual([one.piece.settings.evaluations for one in made], [3, 5], name)
            self.assertEqual([one.piece.path for one in made], [one.path for one in cells])

    def test_weights_of_layers_vary(self):
        rows = self._sweep("weights", {"style_layer_weights": None}, {"evaluations": 10})
        self.assertEqual([row["style_layer_weights"] for row in rows], ["1,1", "10,1", "1,10"])
        pictures = [images.read(self.folder / "weights" / row["file"]).pixels for row in rows]
        for k in (1, 2):
            self.assertGreater(np.abs(pictures[k] - pictures[0]).max(), 2)

    def test_rows_are_what_the_files_measure(self):
        axes = {"style_layers": (LAYERS[:1], LAYERS), "evaluations": (10, 40)}
        rows = self._sweep("rows", axes)
        self.assertLen(rows, 4)
        # The usual ones, and what the settings above keep of the content.
        judged = dataclasses.replace(metrics.layers_for(_network()), content=LAYERS, style=LAYERS)
        for row in rows:
            pixels = np.asarray(PIL.Image.open(self.folder / "rows" / row["file"]), np.float32)
            found = metrics.measure(
                _network(),
                pixels,
                metrics.resized(_CONTENT, 40),
                metrics.resized(_STYLE, 40),
                layers=judged,
            )
            for name, value in found.items():
                self.assertAllClose(row[name], value, rtol=1e-5)
            # All layers of all cells, whichever of them a cell looked at.
            for layer in LAYERS:
                self.assertIn(f"unit style {layer}", row)
            total = sum(row[f"unit style {layer}"] for layer in LAYERS)
            self.assertAllClose(row["unit style"], total)
            trace = self.folder / "rows" / pathlib.Path(row["file"]).with_name("00040.csv")
            with open(trace, newline="") as file:
                terms = [one for one in csv.DictReader(file) if one["step"] == row["evaluations"]]
            for name, value in terms[0].items():
                if name.startswith(("content ", "style ")):
                    # But for the rounding to 8 bits: half a percent of the features here.
                    self.assertAllClose(row[f"unit {name}"], float(value), rtol=0.05, atol=1e-5)
        # The CSV says the same in six digits.
        for row, line in zip(rows, self._rows("rows"), strict=True):
            self.assertEqual(set(row), set(line))
            for name, value in row.items():
                if isinstance(value, float):
                    self.assertAllClose(float(line[name]), value, rtol=1e-5)
                else:
                    self.assertEqual(line[name], str(value))

    def test_a_picture_recoloured_afterwards_is_judged_by_its_brightness(self):
        (row,) = self._sweep("grey", {"evaluations": (5,)}, color="luminance")
        content = color.luminance(metrics.resized(_CONTENT, 40))
        pixels = images.read(self.folder / "grey" / row["file"]).pixels
        first, other = (
            _network().taps([LAYERS[1]])(tf.constant(x[None]))[LAYERS[1]].numpy()
            for x in (color.luminance(pixels), content)
        )
        apart = np.mean((first.astype(np.float64) - other) ** 2)
        self.assertAllClose(row[f"unit content {LAYERS[1]}"], apart, rtol=1e-4)

    def test_stopped_anywhere_it_ends_the_same(self):
        axes = {"ratio": (1e5, 1e6), "evaluations": (7, 20, 40)}
        whole = self._sweep("whole", axes)
        kept, stops, seen = optimization_tasks._log, [20, 30], []

        def stopping(task, writer, progress, before):
            kept(task, writer, progress, before)
            seen.append(progress.snapshot.done)
            if task.name.startswith("ratio-1000000") and progress.snapshot.done == stops[0]:
                raise KeyboardInterrupt

        with mock.patch.multiple(optimization_tasks, SAVE_EVERY_S=0.0, _SAVING_SHARE=0):
            while stops:
                with (
                    mock.patch.object(optimization_tasks, "_log", stopping),
                    self.assertRaises(KeyboardInterrupt),
                ):
                    self._sweep("cut", axes)
                # What is finished is in the table already.
                self.assertLen(self._rows("cut"), 3)
                stops.pop(0)
                seen.append("again")
        with self._counted() as calls:
            rows = self._sweep("cut", axes)
        self.assertEqual(calls, [40])
        # The second time it went on behind step 10, which was saved before step 20.
        self.assertGreaterEqual(min(seen[seen.index("again") + 1 : -1]), 20)
        self.assertEqual(self._pictures("cut"), self._pictures("whole"))
        self.assertFalse(list((self.folder / "cut").rglob(".*")))
        for row, expected in zip(rows, whole, strict=True):
            self.assertEqual(row | {"seconds": 0}, expected | {"seconds": 0})
        self.assertLen(self._rows("cut"), 6)

    def test_a_damaged_still_is_made_again_and_nothing_else(self):
        axes = {"ratio": (1e5, 1e6), "evaluations": (7, 15)}
        rows = self._sweep("out", axes)
        before = self._pictures("out")
        still = self.folder / "out" / rows[0]["file"]
        written, write = [], sweep_reports.write_csv

        def writing(path, rows):
            written.append(len(rows))
            write(path, rows)

        for damage in (still.unlink, lambda: images.save_png(still, nets.picture(40))):
            damage()
            with self._counted() as calls, mock.patch.object(sweep_reports, "write_csv", writing):
                self._sweep("out", axes)
            self.assertEqual(calls, [15])
            self.assertEqual(self._pictures("out"), before)
            # The other run's rows are never lost, though its turn comes later.
            self.assertEqual(set(written), {4})
        cell = sweep_cells.Cell({}, _network(), transfer.Transfer(), pathlib.PurePosixPath("x.png"))
        for text in ('{"cells": 1}', '{"cells": [1]}', '{"cells": [{"evaluations": []}]}'):
            one = sweep._Run((cell,), None)
            self.assertFalse(sweep._whole(self.folder, one, json.loads(text)))
        with self._counted() as calls:
            self._sweep("out", axes)
        self.assertEqual(calls, [])

    def test_networks_are_judged_by_the_first(self):
        axes = {"pooling": ("max", "avg"), "evaluations": (3,)}
        rows = self._sweep("pooling", axes)
        layers = dataclasses.replace(metrics.layers_for(_network()), content=LAYERS)
        name = f"content {LAYERS[1]}"
        for row in rows:
            pixels = images.read(self.folder / "pooling" / row["file"]).pixels
            content = metrics.resized(nets.oblong(40, 48), 40)
            by_max, by_avg = (
                metrics.measure(network, pixels, content, None, layers=layers)[name]
                for network in (_network(), averaged(_network()))
            )
            self.assertNotAllClose(by_max, by_avg, rtol=1e-3)
            self.assertAllClose(row[name], by_max, rtol=1e-5)
        manifest = json.loads((self.folder / "pooling" / "manifest.json").read_text())
        self.assertEqual(manifest["judge"]["pooling"], "max")
        self.assertLen(manifest["networks"], 2)

    def test_the_sheet_has_the_last_flag_across(self):
        axes = {"init": ("content", "noise"), "evaluations": (3, 9, 30)}
        rows = self._sweep("sheet", axes)
        page = np.asarray(PIL.Image.open(self.folder / "sheet" / "sheet.png"))

        def place(pixels):
            height, width = pixels.shape[:2]
            views = np.lib.stride_tricks.sliding_window_view(page[..., 1], (height, width))
            (found,) = np.argwhere((views == pixels[..., 1]).all((2, 3)))
            return found

        content = images.quantize(metrics.resized(_CONTENT, 40))
        top = place(content)
        found = np.array(
            [place(np.asarray(PIL.Image.open(self.folder / "sheet" / r["file"]))) for r in rows]
        ).reshape(2, 3, 2)
        self.assertAllEqual(found[0, 0, 1], top[1])
        self.assertAllGreater(found[..., 0], top[0])
        self.assertAllEqual(found[:, :, 0], found[:, :1, 0].repeat(3, 1))
        self.assertAllEqual(found[..., 1], found[:1, :, 1].repeat(2, 0))
        self.assertAllGreater(np.diff(found[0, :, 1]), 40)
