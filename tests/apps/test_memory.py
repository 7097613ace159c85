"""How much memory a picture is given, and what is chosen to keep to it."""

import collections
import pathlib
import types
from unittest import mock

import tensorflow as tf
from absl.testing import parameterized

from apps.flags import style as style_flags
from tests import nets
from tfvis import hardware
from tfvis.errors import InputError
from tfvis.style import arguments, memory, transfer

LAYER = "block1_conv1"


class LayersTest(tf.test.TestCase):
    def test_messages_name_the_argument_that_was_given(self):
        net = nets.wrapped(size=16)
        for layer in ("nowhere", "logits"):
            with self.assertRaisesRegex(InputError, "^style_layers: "):
                arguments.maps(net, [layer], "style_layers")


class LimitTest(tf.test.TestCase, parameterized.TestCase):
    @parameterized.parameters(
        ("2GiB", 2 * 2**30),
        ("800MiB", 800 * 2**20),
        ("1.5g", 1.5 * 2**30),
        (" 3 GB ", 3 * 2**30),
        ("4096", 4096),
    )
    def test_amounts(self, word, expected):
        self.assertEqual(style_flags.limit(types.SimpleNamespace(value=word)), expected)

    @parameterized.parameters("abc", "", "GiB", "-2g", "0", "2 apples", "1e9", "nan", "9" * 400)
    def test_no_amounts(self, word):
        with self.assertRaisesRegex(InputError, "--memory=.*2GiB"):
            style_flags.limit(types.SimpleNamespace(value=word))

    def test_left_out_it_is_left_to_the_run(self):
        self.assertIsNone(style_flags.limit(types.SimpleNamespace(value=None)))


class GroupTest(tf.test.TestCase):
    def _limits(self, **contents):
        root = pathlib.Path(self.create_tempdir().full_path)
        for path, text in contents.items():
            (root / path).parent.mkdir(parents=True, exist_ok=True)
            (root / path).write_text(text)
        return hardware._group_limits(root)

    def test_limits_of_all_groups_around_count(self):
        here = {"proc/self/cgroup": "0::/user/job\n"}
        self.assertEqual(self._limits(**here), [])
        limits = {
            "sys/fs/cgroup/user/job/memory.max": "max\n",
            "sys/fs/cgroup/user/memory.max": "3000\n",
            "sys/fs/cgroup/memory.max": "9000\n",
        }
        self.assertEqual(self._limits(**here, **limits), [3000, 9000])

    def test_first_version_and_containers(self):
        here = {"proc/self/cgroup": "5:cpu,cpuacct:/x\n4:memory:/docker/abc\n0::/\n"}
        limits = {"sys/fs/cgroup/memory/memory.limit_in_bytes": "5000\n"}
        self.assertEqual(self._limits(**here, **limits), [5000])

    def test_none_where_there_are_no_groups(self):
        self.assertEqual(self._limits(), [])
        with mock.patch.object(hardware, "_group_limits", lambda root: [2**20]):
            self.assertEqual(hardware.memory(), 2**20)


class PlanTest(tf.test.TestCase):
    def setUp(self):
        super().setUp()
        self.network = nets.wrapped()

    def _plan(self, limit, side=700, **more):
        layers = {"content_layers": (LAYER,), "style_layers": (LAYER, "block2_conv1")}
        settings = transfer.resolved(transfer.Transfer(**layers, **more))
        levels = transfer.schedule((side, side), settings)
        return memory.plan(self.network, (side, side), settings, limit, levels)

    def _all(self, **more) -> list[memory.Plan]:
        """All plans from the one without a limit to the last that takes anything less."""
        found = [self._plan(2**50, **more)]
        while True:
            try:
                found.append(self._plan(found[-1].bytes - 1, **more))
            except InputError as error:
                self.assertRegex(str(error), "limit: .* at least .*size or more memory")
                return found
            self.assertLess(found[-1].bytes, found[-2].bytes)

    def test_less_memory_takes_tiles_then_history_then_adam(self):
        plans = self._all()
        kinds = [(p.settings.optimizer, p.settings.history) for p in plans]
        # Each way in turn, never back to an earlier one.
        ways = list(dict.fromkeys(kinds))
        self.assertEqual(ways[:4], [("lbfgs", history) for history in (20, 10, 5, 3)])
        self.assertEqual([way[0] for way in ways], ["lbfgs"] * 4 + ["adam"])
        self.assertEqual(kinds, sorted(kinds, key=ways.index))
        self.assertIsNone(plans[0].settings.tile)
        tiles = collections.defaultdict(list)
        for kind, found in zip(kinds, plans, strict=True):
            tiles[kind].append(found.settings.tile or 10_000)
        # Before the history suffers, every tile is tried, the largest first.
        self.assertEqual(tiles["lbfgs", 20][-1], 64)
        self.assertGreater(len(tiles["lbfgs", 20]), 3)
        for found in tiles.values():
            self.assertEqual(found, sorted(found, reverse=True))
        # Halos are work; and each optimizer gets its own first step.
        of_20 = [p.work for p, kind in zip(plans, kinds, strict=True) if kind == ("lbfgs", 20)]
        self.assertEqual(of_20[0], min(of_20))
        self.assertGreater(of_20[-1], 1.4 * of_20[0])
        for found in plans:
            self.assertEqual(found.replaced, found.settings.optimizer == "adam")
            self.assertAllClose(found.settings.rate, 5.1 if found.replaced else 16)

    def test_what_was_asked_for_is_kept(self):
        for found in self._all(optimizer="adam", rate=3.0, side=300):
            self.assertEqual((found.settings.optimizer, found.settings.rate), ("adam", 3.0))
            self.assertFalse(found.replaced)
        self.assertTrue(all(p.settings.history <= 7 for p in self._all(history=7, side=300)))

    def test_no_tile_is_as_large_as_the_picture(self):
        for found in self._all(side=96)[1:]:
            self.assertIn(found.settings.tile, (None, 64))
