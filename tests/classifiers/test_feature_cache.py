"""Maps of the trunk on disk, and the views they are of."""

import json
import os
import pathlib
import shutil
from unittest import mock

import numpy as np
import tensorflow as tf

from tests import nets, stripes
from tfvis.classifiers import (
    augmentation,
    backbone,
    batches,
    datasets,
    example_images,
    feature_cache,
)
from tfvis.errors import InputError


class AugmentationTest(tf.test.TestCase):
    def _pictures(self, count=3):
        return np.stack([nets.picture(24, seed=k) for k in range(count)])

    def test_views(self):
        plain, views = self._pictures(), augmentation.Views(0)
        self.assertIs(views(plain, 0, 0), plain)
        found = [views(plain, view, 0) for view in (1, 2, 3)]
        for one in found:
            self.assertEqual((one.shape, one.dtype), (plain.shape, np.float32))
            self.assertBetween(one.min(), 0, 255)
            self.assertBetween(one.max(), 0, 255)
            self.assertGreater(np.abs(one - plain).mean(), 1)
        for one, other in ((0, 1), (0, 2), (1, 2)):
            self.assertGreater(np.abs(found[one] - found[other]).mean(), 1)

    def test_a_view_depends_on_seed_view_and_place_alone(self):
        plain = self._pictures()
        one = augmentation.Views(7)
        expected = {(v, f): one(plain, v, f) for v in (1, 2) for f in (0, 64)}
        # In another order, by another object, after other work.
        other = augmentation.Views(7)
        other(self._pictures(2), 5, 0)
        for key in reversed(expected):
            self.assertAllEqual(other(plain, *key), expected[key])
        self.assertNotAllClose(expected[1, 0], expected[1, 64])
        self.assertNotAllClose(augmentation.Views(8)(plain, 1, 0), expected[1, 0])

    def test_about_half_are_flipped(self):
        # One half bright: the flip shows in the means of the halves.
        plain = np.zeros((200, 16, 16, 3), np.float32)
        plain[:, :, 8:] = 200
        found = augmentation.Views(0)(plain, 1, 0)
        flipped = found[:, :, :8].mean((1, 2, 3)) > found[:, :, 8:].mean((1, 2, 3))
        # Four deviations of a fair coin thrown 200 times.
        self.assertBetween(flipped.mean(), 0.5 - 0.15, 0.5 + 0.15)


class LinesTest(tf.test.TestCase):
    def test_the_dark_side_of_an_edge_becomes_a_line(self):
        picture = np.full((40, 40, 3), 220, np.float32)
        picture[:, 20:] = 60
        drawn = augmentation.lines(picture, 1.0, 0.03)
        self.assertAllEqual(drawn[..., 0], drawn[..., 1])
        dark = np.flatnonzero(drawn[20, :, 0] < 128)
        # About twice the pen's deviation wide, just behind the edge, and nothing elsewhere.
        self.assertEqual(dark[0], 20)
        self.assertBetween(len(dark), 2, 4)
        self.assertAllGreater(drawn[:, :15], 254.0)
        self.assertAllGreater(drawn[:, 28:], 254.0)
        self.assertAllEqual(
            augmentation.lines(np.full_like(picture, 90), 1.0, 0.03), picture * 0 + 255
        )

    def test_drawn_views_have_pens_of_their_own_and_no_colour(self):
        picture = nets.picture(32, seed=3)
        same = np.repeat(picture[None], 3, 0)
        found = augmentation.Views(0)(same, 0, 0, drawn=True)
        self.assertAllEqual(found, augmentation.Views(0)(same, 0, 0, drawn=True))
        self.assertAllEqual(found[..., 0], found[..., 2])
        self.assertGreater(np.abs(found[0] - found[1]).max(), 1.0)
        moved = augmentation.Views(0)(same, 1, 0, drawn=True)
        self.assertGreater(np.abs(moved - found).max(), 10.0)


class FeaturesTest(tf.test.TestCase):
    def setUp(self):
        super().setUp()
        self.folder = pathlib.Path(self.create_tempdir().full_path)
        self.cache = self.folder / "cache"
        self.data = [stripes.folder(self.folder / f"source{k}", 5, seed=k) for k in range(2)]
        self.parts = backbone.split(nets.wrapped())
        self.recipe = feature_cache.Recipe(size=24, views=2)
        # Small chunks, so that a few pictures are several.
        self.enter_context(mock.patch.object(feature_cache, "_CHUNK", 4))

    def _features(self, recipe=None, **kwargs):
        dataset = datasets.read(self.data)
        return dataset, feature_cache.features(
            self.parts, dataset, recipe or self.recipe, self.cache, **kwargs
        )

    def test_they_are_the_networks_own(self):
        dataset, found = self._features()
        self.assertEqual((len(found.arrays), found.views, found.broken), (2, 2, {}))
        for number in (0, 7, 13, 19):
            pixels = example_images.load(dataset.examples[number], 24)
            expected = self.parts.network.taps([self.parts.cut])(tf.constant(pixels[None]))
            ours = found.gather(np.array([number]), np.array([0]))
            self.assertEqual(ours.dtype, np.float16)
            # Half precision: 11 bits.
            self.assertAllClose(ours, expected[self.parts.cut], rtol=1e-3, atol=1e-3)
            other = found.gather(np.array([number]), np.array([1]))
            self.assertNotAllClose(ours, other, rtol=0.05)

    def test_found_again_without_reading_a_picture(self):
        _, first = self._features()
        with mock.patch.object(example_images, "load", side_effect=AssertionError):
            calls = []
            _, again = self._features(progress=lambda done, total: calls.append((done, total)))
            # Another mixture of the same sources.
            self.data = self.data[1:]
            _, one = self._features()
        self.assertEqual(calls[-1], (40, 40))
        for ours, theirs in zip(first.arrays, again.arrays, strict=True):
            self.assertAllEqual(ours, theirs)
        self.assertAllEqual(one.arrays[0], first.arrays[1])
        self.assertEqual(first.digest, again.digest)
        self.assertEqual(one.digest, first.digest.split(" ")[1])

    def test_stopped_anywhere_it_goes_on_alike(self):
        _, whole = self._features()
        shutil.rmtree(self.cache)
        plain, read = example_images.load, []
        for stop in (3, 9, 21, 33):

            def load(example, *args, stop=stop):
                read.append(example.path)
                if len(read) > stop:
                    raise KeyboardInterrupt
                return plain(example, *args)

            with (
                mock.patch.object(example_images, "load", load),
                self.assertRaises(KeyboardInterrupt),
            ):
                self._features()
            del read[stop:]
        _, again = self._features()
        for ours, theirs in zip(whole.arrays, again.arrays, strict=True):
            self.assertAllEqual(ours, theirs)

    def test_another_digest_for_whatever_changes_the_maps(self):
        _, first = self._features()
        seen = {first.digest}

        def differs():
            digest = self._features()[1].digest
            self.assertNotIn(digest, seen)
            seen.add(digest)

        for change in ({"size": 32}, {"seed": 1}, {"crop_borders": True}):
            self.recipe = feature_cache.Recipe(**({"size": 24, "views": 2} | change))
            differs()
        self.recipe = feature_cache.Recipe(size=24, views=2)
        self.parts = backbone.split(nets.wrapped(), "block1_conv1")
        differs()
        self.parts = backbone.split(nets.wrapped())
        # The same name and size, another time.
        path = self.data[0] / "down" / "2.png"
        os.utime(path, ns=(1, 1))
        differs()
        path.unlink()
        differs()
        # More views are no other maps.
        self.recipe = feature_cache.Recipe(size=24, views=3, drawn=1)
        found = self._features()[1]
        self.assertIn(found.digest, seen)
        self.assertEqual(found.views, 4)
        drawn, plain = (found.gather(np.arange(4), np.full(4, view)) for view in (3, 0))
        self.assertNotAllClose(drawn, plain)

    def test_broken_files_are_named_and_never_used(self):
        path = self.data[1] / "across" / "3.png"
        data = path.read_bytes()
        path.write_bytes(data[: len(data) // 2])
        for _ in range(2):  # Computed, and found again.
            dataset, found = self._features()
            ((number, why),) = found.broken.items()
            self.assertEqual(dataset.examples[number].path, str(path))
            self.assertRegex(why, r"3\.png: truncated")
            chosen = batches.numbers(dataset, found, dataset)
            self.assertEqual(set(range(20)) - set(chosen.tolist()), {number})

    def test_nothing_readable(self):
        for source in self.data:
            for path in source.rglob("*.png"):
                path.write_bytes(path.read_bytes()[:200])
        with self.assertRaisesRegex(InputError, r"None of 20 .*0\.png: truncated"):
            self._features()

    def test_damaged_notes_and_arrays_are_made_again(self):
        _, first = self._features()
        expected = np.array(first.arrays[0][1])
        folder = self.cache / first.digest.split(" ")[0]
        note = folder / "view1.json"
        for damage in ("", "[]", "{}", '{"done": 10, "broken": {"x": 1}}', '{"done": 99}'):
            note.write_text(damage)
            self.assertAllEqual(self._features()[1].arrays[0][1], expected)
            self.assertEqual(json.loads(note.read_text()), {"done": 10, "broken": {}})
        for damage in (b"", (folder / "view1.npy").read_bytes()[:300]):
            (folder / "view1.npy").write_bytes(damage)
            self.assertAllEqual(self._features()[1].arrays[0][1], expected)

    def test_no_room(self):
        # 10 pictures, 2 sources, 2 views, 12 x 12 x 8 halves each.
        needed = 20 * 2 * 12 * 12 * 8 * 2
        usage = mock.Mock(free=needed)
        with mock.patch.object(shutil, "disk_usage", return_value=usage):
            with self.assertRaisesRegex(InputError, "iB free. Name another cache"):
                self._features()
            self.assertEqual([path for path in self.cache.rglob("*") if path.is_file()], [])
            usage.free = int(needed / 0.9) + 10
            self._features()
            # What is there already takes no room.
            usage.free = 0
            self._features()

    def test_a_cache_that_cannot_be_written_or_a_size_too_small(self):
        self.cache.write_text("a file")
        with self.assertRaisesRegex(InputError, "cache=.*cannot write"):
            self._features()
        with self.assertRaisesRegex(InputError, "size=1: nothing is left"):
            self._features(feature_cache.Recipe(size=1))

    def test_values_beyond_half_precision_are_clipped(self):
        model = nets.small()
        kernel, bias = model.get_layer("block1_conv1").get_weights()
        model.get_layer("block1_conv1").set_weights([kernel * 1e6, bias])
        from tfvis.networks import network

        self.parts = backbone.split(network.wrap(model))
        _, found = self._features()
        self.assertAllInRange(found.arrays[0][0], 0, np.finfo(np.float16).max)


if __name__ == "__main__":
    tf.test.main()
