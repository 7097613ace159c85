"""Units as people write them, and what is said of those that are not there."""

import dataclasses
import pathlib
from unittest import mock

import numpy as np
import tensorflow as tf

from tests import nets
from tfvis import activation_statistics, images
from tfvis.errors import InputError
from tfvis.experiments import folders, units
from tfvis.networks import network
from tfvis.objectives import parsing


class ParseTest(tf.test.TestCase):
    def setUp(self):
        super().setUp()
        self.net = nets.wrapped()
        self.folder = pathlib.Path(self.create_tempdir().full_path)

    def test_every_way_to_name_a_unit(self):
        vector = np.linspace(-1, 1, 12)
        np.save(self.folder / "toward.npy", vector)
        text = f"block2_conv1:3-4,7,5@1x2,logit:2,block2_conv1:{self.folder}/toward.npy,gap,gap:0"
        found = parsing.parse(text, self.net, None)
        self.assertEqual(
            [(u.layer, u.channel, u.position, u.name, u.kind) for u in found],
            [
                ("block2_conv1", 3, None, "3", "channel"),
                ("block2_conv1", 4, None, "4", "channel"),
                ("block2_conv1", 7, None, "7", "channel"),
                ("block2_conv1", 5, (1, 2), "5@1x2", "channel"),
                ("logits", 2, None, "2", "channel"),
                ("block2_conv1", None, None, "direction toward", "direction"),
                ("gap", None, None, "layer", "layer"),
                ("gap", 0, None, "0", "channel"),
            ],
        )
        self.assertAllClose(found[5].vector, vector)
        self.assertLen(parsing.parse("gap:1,gap:1,1", self.net, None), 1)

    def test_without_a_word_some_channels_at_several_depths(self):
        found = units.chosen({"small": self.net}, None, None, each=2)["small"]
        self.assertEqual(
            [(u.layer, u.channel) for u in found], [("block2_conv1", 0), ("block2_conv1", 1)]
        )

    def test_classes_by_name(self):
        labels = self.folder / "labels.txt"
        labels.write_text("cat\ndog\nacoustic guitar\nelectric_guitar\nhouse\n")
        for word, expected in {
            "Guitar": [2, 3],
            "electric guitar": [3],
            "dog": [1],
            "4": [4],
        }.items():
            found = parsing.parse(f"logit:{word}", self.net, str(labels))
            self.assertEqual([unit.channel for unit in found], expected)
        with self.assertRaisesRegex(InputError, "no class of this name.*house"):
            parsing.parse("logit:hause", self.net, str(labels))
        labels.write_text("cat\ndog\n")
        with self.assertRaisesRegex(InputError, "2 names for 5 classes"):
            parsing.parse("logit:cat", self.net, str(labels))
        labels.write_bytes(b"\xff\xfe\x00")
        with self.assertRaisesRegex(InputError, "cannot be read as text"):
            parsing.parse("logit:cat", self.net, str(labels))

    def test_refusals(self):
        np.save(self.folder / "short.npy", np.ones(3))
        with open(self.folder / "archive.npy", "wb") as file:
            np.savez(file, a=np.ones(12))
        for k, name in enumerate("ab"):
            (self.folder / name).mkdir()
            np.save(self.folder / name / "v.npy", np.full(12, k + 1.0))
        np.save(self.folder / "nan.npy", np.full(12, np.nan))
        np.save(self.folder / "object.npy", np.array([{"a": 1}] * 12), allow_pickle=True)
        for text, words in {
            "": "at least one",
            "7": "no layer '7'",
            "block2_conv1:12": "12 channels .0 to 11",
            "block2_conv1:3-1": "not a range",
            "block9_conv1:3": "block9_conv1.*block",
            "block2_conv1:cat": "expected a channel",
            "block2_conv1:-1": "expected a channel",
            "predictions:3": "^units.*softmax.*logit",
            "predictions": "softmax.*logit",
            "logit:cat": "names of the classes",
            "logit:5": "5 channels .0 to 4",
            f"block2_conv1:{self.folder}/short.npy": "expected 12 numbers",
            f"block2_conv1:{self.folder}/nan.npy": "expected finite numbers",
            f"block2_conv1:{self.folder}/object.npy": "cannot be read",
            f"block2_conv1:{self.folder}/absent.npy": "no such file",
            f"block2_conv1:{self.folder}/archive.npy": "archive",
            f"gap:{self.folder}/a/v.npy,gap:{self.folder}/b/v.npy": "two different vectors",
        }.items():
            with self.subTest(text), self.assertRaisesRegex(InputError, words):
                parsing.parse(text, self.net, None)
        bare = network.wrap(_headless())
        with self.assertRaisesRegex(InputError, "no classifier"):
            parsing.parse("logit:1", bare, None)
        for word, net, words in (
            ("99", self.net, "^target=99: .*5 channels"), ("cat", self.net, "^target=cat: "),
            ("cat", bare, "^target=cat: .* no classifier"),
        ):  # fmt: skip
            with self.assertRaisesRegex(InputError, words):
                parsing.classes(word, net, "target")


class StatisticsTest(tf.test.TestCase):
    def setUp(self):
        super().setUp()
        self.net = nets.wrapped()
        self.pictures = [nets.picture(16, seed=k) for k in range(3)]

    def test_largest_over_places_and_pictures(self):
        taps = self.net.taps(["block2_conv1", "gap"])(tf.constant(np.stack(self.pictures)))
        found = activation_statistics.measured(
            self.net, ["block2_conv1", "gap"], enumerate(self.pictures)
        )
        self.assertAllClose(found["gap"].largest, taps["gap"].numpy().max(0), rtol=1e-4)
        maps, of_map = taps["block2_conv1"].numpy(), found["block2_conv1"]
        self.assertAllClose(of_map.largest, maps.max((0, 1, 2)), rtol=1e-4)
        self.assertAllClose(of_map.largest_mean, maps.mean((1, 2)).max(0), rtol=1e-4)
        self.assertEqual(of_map.photographs, 3)
        # The strongest photographs of each channel, the strongest first, and where: of what sees
        # no border (each sees 10 px, two apart, the first from -4 on).
        inside = np.zeros((1, 8, 8, 1), bool)
        inside[:, 2:6, 2:6] = True
        maps = np.where(inside, maps, -np.inf)
        order = np.argsort(-maps.max((1, 2)), 0, kind="stable").T
        self.assertAllEqual(of_map.images[:, :3], order)
        self.assertAllEqual(of_map.images[:, 3:], np.full((12, 6), -1))
        for channel in range(12):
            for k, image in enumerate(order[channel]):
                value = maps[image, of_map.rows[channel, k], of_map.columns[channel, k], channel]
                self.assertAllClose(of_map.values[channel, k], value, rtol=1e-4)

    def test_only_the_strongest_are_kept(self):
        found = activation_statistics.Statistics.of_none(1)
        values = np.random.default_rng(0).permutation(20).astype(np.float32)
        place = np.zeros(1, np.int32)
        for number, value in enumerate(values):
            one = np.array([value])
            found.add(number, activation_statistics.Answers(one, one, one, place, place))
        self.assertAllEqual(found.values[0], np.arange(19, 10, -1))
        self.assertAllEqual(found.images[0], np.argsort(-values)[:9])

    def test_kept_for_the_same_network_and_pictures_only(self):
        def pictures(first):
            looked.append(first)
            return list(enumerate(self.pictures))[first:]

        def kept(net, layers, name):
            return activation_statistics.kept(net, layers, name, pictures)

        looked = []
        first = kept(self.net, ["gap"], "three")
        again = kept(self.net, ["gap"], "three")
        self.assertAllEqual(first["gap"].largest, again["gap"].largest)
        self.assertLen(looked, 1)
        kept(self.net, ["gap"], "others")
        kept(network.wrap(nets.small(seed=1)), ["gap"], "three")
        kept(self.net, ["gap", "block1_pool"], "three")
        self.assertEqual(looked, [0] * 4)

    def test_a_pass_that_is_stopped_goes_on(self):
        def stopping(first):
            looked.append(first)
            for number, picture in list(enumerate(self.pictures))[first:]:
                if number == 2 and not first:
                    raise KeyboardInterrupt
                yield number, picture

        looked, layers = [], ["block2_conv1"]
        whole = activation_statistics.measured(self.net, layers, enumerate(self.pictures))
        with mock.patch.object(activation_statistics, "_SAVE_EVERY_S", 0):
            with self.assertRaises(KeyboardInterrupt):
                activation_statistics.kept(self.net, layers, "stopped", stopping)
            found = activation_statistics.kept(self.net, layers, "stopped", stopping)
        self.assertEqual(looked, [0, 2])
        for field in dataclasses.fields(whole[layers[0]]):
            one, other = (getattr(x[layers[0]], field.name) for x in (whole, found))
            self.assertAllEqual(one, other, field.name)

    def test_cold_units_have_half_the_median(self):
        floored = activation_statistics.floored(np.array([0.0, 4, 1, -3, 8], np.float32), "a")
        self.assertAllClose(floored, [2, 4, 2, 2, 8])
        with self.assertRaisesRegex(InputError, "a: nothing in it answers"):
            activation_statistics.floored(np.zeros(3, np.float32), "a")


class FoldersTest(tf.test.TestCase):
    def test_broken_files_are_left_out_and_named(self):
        folder = pathlib.Path(self.create_tempdir().full_path)
        (folder / "inner").mkdir()
        images.save_png(folder / "inner" / "b.png", nets.picture(8))
        images.save_png(folder / "a.png", nets.picture(8, seed=1))
        (folder / "c.jpg").write_text("no image")
        (folder / "notes.txt").write_text("nothing to look at")
        (folder / ".hidden.png").write_text("")
        found = folders.find(str(folder), "images")
        names = [path.name for path, _ in folders.pictures(found)]
        self.assertEqual(names, ["a.png", "b.png"])
        self.assertEqual([path.name for path in found.broken], ["c.jpg"])
        one = folders.find(str(folder / "a.png"), "images")
        self.assertLen(list(folders.squares(one, 4, 4, 1)), 1)
        for place, words in {"absent": "no such", "empty": "no images"}.items():
            (folder / "empty").mkdir(exist_ok=True)
            with self.assertRaisesRegex(InputError, f"images=.*{words}"):
                folders.find(str(folder / place), "images")
        with self.assertRaisesRegex(InputError, "none of 1 files"):
            list(folders.pictures(folders.find(str(folder / "c.jpg"), "images")))


def _headless():
    model = nets.small()
    return type(model)(model.inputs, model.get_layer("block2_pool").output)
