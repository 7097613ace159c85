"""Grids of sweeps, ends of runs, what is best, and the app from its command line."""

import csv
import itertools
import json
import pathlib

import numpy as np
import PIL.Image
import tensorflow as tf
from absl.testing import parameterized
from tensorboard.backend.event_processing import event_accumulator
from tensorboard.plugins.hparams import plugin_data_pb2

from tests import nets
from tests.processes import AppTest
from tfvis import images
from tfvis.errors import InputError
from tfvis.experiments import sweep, sweep_cells, sweep_grid, sweep_reports
from tfvis.experiments.networks import Wanted
from tfvis.networks import network
from tfvis.networks.preprocessing import contracts
from tfvis.optimize import loop, optimizers
from tfvis.style import transfer

LAYERS = ("block1_conv1", "block2_conv1")
PARSERS = {"evaluations": int, "ratio": float, "tv_weight": float, "style_scale": float}


class GridTest(tf.test.TestCase, parameterized.TestCase):
    def test_every_combination_the_last_flag_first(self):
        axes = sweep_grid.parse(
            "ratio,style_layers, evaluations", "1e3 | 10|1000;a , b|b;5", PARSERS
        )
        grid = sweep_grid.grid(axes, ())
        self.assertEqual(
            [tuple(cell.values()) for cell in grid.cells],
            [
                (1000.0, ("a", "b"), 5),
                (1000.0, ("b",), 5),
                (10.0, ("a", "b"), 5),
                (10.0, ("b",), 5),
            ],
        )
        self.assertEqual(list(grid.cells[0]), ["ratio", "style_layers", "evaluations"])

    @parameterized.parameters(None, "", " ", ";;")
    def test_lists_left_out_are_the_usual_values(self, values):
        axes = sweep_grid.parse("style_layers,content_layers,evaluations", values, PARSERS)
        found = sweep_grid.grid(axes, ("x", "y", "z")).axes
        self.assertEqual(found["style_layers"], (("x",), ("x", "y"), ("x", "y", "z")))
        self.assertEqual(found["content_layers"], (("x",), ("y",), ("z",)))
        self.assertEqual(found["evaluations"], (50, 100, 200, 500))

    def test_everything_has_usual_values_and_a_title(self):
        for flag in sweep_grid.DEFAULTS:
            (found,) = sweep_grid.grid(sweep_grid.parse(flag, None, PARSERS), LAYERS).axes.values()
            self.assertLen({sweep_grid.title(flag, value) for value in found}, len(found))
            self.assertGreater(len(found), 1)

    @parameterized.parameters(
        ("ratios", None, "vary=ratios: ratios cannot vary. Nearest: ratio"),
        ("ratio,", None, "vary=ratio,: an empty word"),
        ("ratio,ratio", None, "vary.*twice"),
        ("ratio", "1;2", "values: expected lists.* 1 for .*Received: 2"),
        ("ratio,init", "1|2", "values: expected lists.* 2 for .*Received: 1"),
        ("ratio", "1|many", "values: many is no ratio"),
        ("ratio", "1||2", "values=1||2: an empty value of ratio"),
        ("ratio", "nan", "values: nan is no ratio"),
        ("evaluations", "1.5", "values: 1.5 is no evaluations"),
        ("style_layers", "a|,", "values: expected at least one name"),
        ("style_layer_weights", "1,x", "values=1,x: expected numbers"),
        ("network", "vgg16,vgg19", "values: networks are separated by '|'"),
        ("evaluations", "|".join(map(str, range(1, 402))), "values: 401 evaluations.*400"),
    )
    def test_refusals(self, vary, values, words):
        with self.assertRaisesRegex(InputError, words.replace("||", r"\|\|")) as raised:
            sweep_grid.parse(vary, values, PARSERS)
        self.assertNotIn("\n", str(raised.exception))

    def test_too_many_with_the_layers_of_the_network(self):
        axes = sweep_grid.parse(
            "style_layers,evaluations", ";" + "|".join(map(str, range(1, 202))), PARSERS
        )
        self.assertLen(sweep_grid.grid(axes, ("x",)).cells, 201)
        with self.assertRaisesRegex(InputError, "values: 2 style_layers x 201.*402 pictures"):
            sweep_grid.grid(axes, ("x", "y"))

    def test_names_are_files_and_differ(self):
        cells = [
            {"network": "a/b.keras", "ratio": 10.0},
            {"network": "c/b.keras", "ratio": 10.0},
            {"network": "vgg16", "ratio": 10.0},
            {"style_layers": ("in/conv", "x/conv")},
            {"style_layers": ("in/conv", "y/conv")},
            {"style_layers": tuple(f"{'l' * 60}{k}" for k in range(5))},
            {"style_layers": tuple(f"{'l' * 60}{k}" for k in range(4))},
            {},
        ]
        found = sweep_grid.names(cells)
        self.assertLen(set(found), len(cells))
        self.assertEqual(found[2], "vgg16_ratio-10")
        self.assertEqual(sweep_grid.names([cells[2], cells[2]]), [found[2]] * 2)
        for name in found:
            self.assertEqual(pathlib.PurePath(name).name, name)
            self.assertLess(len(name), 200)


class ParetoTest(tf.test.TestCase):
    def test_is_what_comparing_all_pairs_says(self):
        generator = np.random.default_rng(0)
        for count in (1, 2, 7, 40):
            # Few values, so that there are ties; some that are no numbers.
            points = generator.integers(0, 6, (count, 2)).astype(float)
            points[generator.uniform(size=(count, 2)) < 0.05] = np.nan
            expected = []
            for x, y in points:
                better = [
                    (a <= x and b < y) or (a < x and b <= y)
                    for a, b in points
                    if not np.isnan(a + b)
                ]
                expected.append(not np.isnan(x + y) and not any(better))
            self.assertAllEqual(sweep_reports.pareto(points), expected)

    def test_a_line_and_a_point_behind_it(self):
        found = sweep_reports.pareto([(1, 3), (2, 2), (3, 1), (2.5, 2.5), (1, 3)])
        self.assertAllEqual(found, [True, True, True, False, True])


class EndsTest(tf.test.TestCase):
    def test_a_long_run_passes_the_ends_of_short_ones(self):
        net = network.wrap(nets.coarse(), preprocessing=contracts.named("tf"))
        scene = transfer.Scene(nets.oblong(40, 48), (nets.oblong(44, 40, seed=1),))

        def way(evaluations, marks=()):
            settings = transfer.Transfer(
                recipe="gatys",
                content_layers=LAYERS[1:],
                style_layers=LAYERS,
                evaluations=evaluations,
                ratio=1e6,
            )
            return list(transfer.iterate(net, scene, settings=settings, marks=marks))

        marks = (1, 4, 20, 27, 33)
        passed = {p.snapshot.done: p for p in way(45, marks)}
        for mark in marks:
            self.assertAllEqual(sweep.ended(passed[mark].snapshot), way(mark)[-1].kept)

    def test_the_end_of_a_run_is_its_best_chunk(self):
        # Of an energy that leaps up on its way, so that the best is not always the last.
        def energy(x, step):
            factor = tf.where(step < 12, 1.0, 99.0)
            return {"apart": factor * tf.reduce_sum(tf.square(x - 1), [1, 2, 3])}

        descent = loop.Loop(energy, optimizers.adam(), lambda x: x)

        def way(steps, marks=()):
            start = nets.picture(4)[None] / 99
            return list(descent.run([loop.Stage(steps, 0.1)], start, marks=marks))

        marks = (3, 10, 14, 20, 25, 33)
        passed = {snapshot.done: snapshot for snapshot in way(40, marks)}
        for mark in marks:
            self.assertAllEqual(sweep.ended(passed[mark]), way(mark)[-1].state.kept)
        last = [np.array_equal(sweep.ended(passed[mark]), passed[mark].canvas) for mark in marks]
        self.assertEqual(set(last), {True, False})


class NetworksTest(tf.test.TestCase):
    def test_what_cannot_be_built_or_told_apart(self):
        wanted = Wanted("vgg16,vgg19", "random")
        with self.assertRaisesRegex(InputError, "network: one at a time, or vary=network"):
            sweep_cells.built(wanted, {"ratio": (1.0,)})
        with self.assertRaisesRegex(InputError, "values: .*vgg15.*vgg16"):
            sweep_cells.built(wanted, {"network": ("vgg15",)})


def _hparams(events, tag: str) -> plugin_data_pb2.HParamsPluginData:
    content = events.SummaryMetadata(f"_hparams_/{tag}").plugin_data.content
    return plugin_data_pb2.HParamsPluginData.FromString(content)


class AppsTest(AppTest):
    def setUp(self):
        super().setUp()
        nets.coarse().save(self.model)
        self.style = self.folder / "style.png"
        images.save_png(self.style, nets.picture(40, seed=1))

    def _flags(self, *flags):
        return [
            f"--content={self.image}",
            f"--style={self.style}",
            f"--network={self.model}",
            "--preprocessing=tf",
            "--size=40",
            *flags,
        ]

    def test_a_grid_from_the_command_line(self):
        out = self.folder / "out"
        flags = self._flags(
            "--vary=style_layers,pooling,ratio,evaluations",
            "--values=block1_conv1;max;1e5|1e6;3|6",
            f"--workdir={out}",
        )
        done = self._run("sweep", *flags)
        self.assertIn("4 pictures by 2 runs", done.stderr)
        with open(out / "results.csv", newline="") as file:
            rows = list(csv.DictReader(file))
        cells = [
            tuple(row[k] for k in ("style_layers", "pooling", "ratio", "evaluations"))
            for row in rows
        ]
        order = itertools.product(["block1_conv1"], ["max"], ["100000", "1000000"], ["3", "6"])
        self.assertEqual(cells, list(order))
        for row in rows:
            self.assertEqual(PIL.Image.open(out / row["file"]).size, (40, 40))
            self.assertIn(row["file"], done.stdout)
        manifest = json.loads((out / "manifest.json").read_text())
        self.assertEqual(manifest["arguments"]["recipe"], "gatys")
        self.assertEqual(manifest["arguments"]["style"], str(self.style))
        self.assertEqual(manifest["varied"]["evaluations"], ["3", "6"])
        self.assertEqual(manifest["results"][0]["settings"]["precision"], "float32")
        for name in ("sheet.png", "pareto.png"):
            self.assertGreater(np.asarray(PIL.Image.open(out / name)).std(), 1)
        self._trials(out / "tensorboard", rows)
        again = self._run("sweep", *flags)
        self.assertEqual(again.stdout, done.stdout)
        self.assertNotIn("pictures by", again.stderr)
        self._trials(out / "tensorboard", rows)

    def _trials(self, folder, rows):
        """One trial per picture with its values and measures, and what varies, once."""
        for row in rows:
            place = folder / pathlib.Path(row["file"]).with_suffix("")
            self.assertLen(list(place.iterdir()), 1)
            events = event_accumulator.EventAccumulator(str(place)).Reload()
            values = _hparams(events, "session_start_info").session_start_info.hparams
            for flag in ("ratio", "evaluations"):
                self.assertEqual(values[flag].number_value, float(row[flag]))
            self.assertEqual(values["style_layers"].string_value, row["style_layers"])
            (tensor,) = events.Tensors("local_pattern")
            value = tf.make_ndarray(tensor.tensor_proto)
            self.assertAllClose(value, float(row["local_pattern"]), rtol=1e-5)
        self.assertLen(list(folder.glob("*.hparams")), 1)
        events = event_accumulator.EventAccumulator(str(folder)).Reload()
        known = _hparams(events, "experiment").experiment.hparam_infos
        self.assertEqual(
            [info.name for info in known], ["style_layers", "pooling", "ratio", "evaluations"]
        )

    def test_refusals(self):
        for words, *flags in (
            ("--vary=ratios.*Nearest: ratio", "--vary=ratios"),
            ("--values: 0 is no ratio", "--vary=ratio", "--values=0|1"),
            ("--values: here is no init", "--vary=init", "--values=here"),
            ("--values: .*block9", "--vary=style_layers", "--values=block1_conv1|block9_conv1"),
        ):
            with self.subTest(words):
                self._refused(words, *self._flags(*flags), app="sweep")
