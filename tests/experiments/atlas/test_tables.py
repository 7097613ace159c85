"""What an atlas says of units, from made-up answers: no network looks at anything."""

import pathlib

import keras
import numpy as np
import PIL.Image
import tensorflow as tf

from tests import nets
from tfvis import images
from tfvis.activation_statistics import Answers, Statistics
from tfvis.comparison.unit_matching import Matches
from tfvis.experiments.atlas import (
    activation_grid,
    answers,
    groups,
    layer_tables,
    partners,
    site,
)
from tfvis.experiments.atlas.answers import PLACES, Answered
from tfvis.networks import network
from tfvis.report import atlas_page, sprites


def answered(pictures: int = 20, channels: int = 6, seed: int = 0, domains: str = "ab") -> Answered:
    """Answers by chance, of which none is another's equal."""
    generator = np.random.default_rng(seed)
    largest, means, inside = generator.uniform(size=(3, pictures, channels)).astype(np.float32)
    rows, columns = generator.integers(0, 9, (2, pictures, channels)).astype(np.int16)
    samples = generator.uniform(size=(pictures, PLACES, channels)).astype(np.float32)
    names = tuple(f"{domains[k % len(domains)]}/{k}.png" for k in range(pictures))
    return Answered(names, largest, means, inside, rows, columns, samples)


class TablesTest(tf.test.TestCase):
    def test_statistics_are_those_of_one_picture_after_another(self):
        for pictures in (20, 4):
            found, expected = answered(pictures), Statistics.of_none(6)
            for k in range(pictures):
                one = (found.largest, found.means, found.inside, found.rows, found.columns)
                expected.add(k, Answers(*(array[k] for array in one)))
            for name in ("photographs", "next", "largest", "largest_mean", "values", "images",
                         "rows", "columns"):  # fmt: skip
                self.assertAllEqual(getattr(found.statistics, name), getattr(expected, name))

    def test_groups_are_the_folders(self):
        two = groups.of_names(["photo/dog/1", "drawn/dog/2", "drawn/cat/3"])
        self.assertEqual((two.classes, two.domains), (("cat", "dog"), ("drawn", "photo")))
        self.assertAllEqual(two.of_class, [1, 1, 0])
        one = groups.of_names(["dog/1", "cat/2"])
        self.assertEqual((one.classes, one.domains), (("cat", "dog"), ("cat", "dog")))
        none = groups.of_names(["1", "2"])
        self.assertEqual((none.classes, none.domains), ((), ("",)))
        many = groups.of_names([f"{k}/{k}" for k in range(20)])
        self.assertEqual((len(many.classes), many.domains), (20, ("",)))

    def test_histograms_count_every_picture_once(self):
        found = answered()
        grouped = groups.of_names(found.names)
        counts = groups.histograms(found.largest, grouped)
        self.assertEqual(counts.shape, (6, 2, groups.BINS))
        self.assertAllEqual(counts.sum(2), np.full((6, 2), 10))
        # The largest of all is in the last bin.
        last = grouped.of_domain[found.largest.argmax(0)]
        self.assertTrue((counts[np.arange(6), last, -1] > 0).all())

    def test_the_class_that_is_answered_most(self):
        grouped = groups.of_names(["a/1", "a/2", "b/3"])
        means = np.array([[1, 0, 0], [3, 0, 0], [0, 2, 0]], np.float32)
        which, how = groups.preferred(means, grouped)
        self.assertAllEqual(which[:2], [0, 1])
        self.assertAllClose(how, [1, 1, np.nan])
        self.assertIsNone(groups.preferred(means - 1, grouped))
        self.assertIsNone(groups.preferred(means, groups.of_names(["1", "2", "3"])))

    def test_partners_over_the_pictures_that_both_saw(self):
        own = answered()
        order = np.array([3, 0, 5, 1, 2, 4])
        other = answered(18)
        # The same units in another order, of pictures in another order, two of them missing.
        keep = np.random.default_rng(1).permutation(20)[:18]
        other = Answered(
            tuple(own.names[k] for k in keep), other.largest, other.means, other.inside, other.rows,
            other.columns, own.samples[keep][..., order],
        )  # fmt: skip
        found = partners.best(own, other)
        self.assertAllEqual(order[found.partner], np.arange(6))
        self.assertAllClose(found.r, np.ones(6))

    def test_a_map_keeps_what_is_alike_together(self):
        found = answered(40)
        kinds = np.repeat([0, 3], 20)
        found.samples[:] = 0.05 * found.samples
        for k, kind in enumerate(kinds):
            found.samples[k, :, kind : kind + 2] += 1
        grid = activation_grid.laid_out(found, 4, seed=0)
        of = kinds[grid.points // PLACES]
        for cell in np.unique(grid.cells):
            self.assertLen(set(of[grid.cells == cell]), 1)
        means = activation_grid.averages(grid, found)
        ways = activation_grid.whitened(means, found)
        self.assertAllClose(np.linalg.norm(ways, axis=1), np.ones(len(ways)), rtol=1e-5)
        first = [of[grid.cells == cell][0] for cell in grid.filled]
        self.assertAllEqual(np.isin(ways.argmax(1), [3, 4]), np.equal(first, 3))
        self.assertIsNone(activation_grid.laid_out(answered(2), 4, seed=0))
        self.assertIsNone(activation_grid.laid_out(found, 0, seed=0))

    def test_places_are_of_the_name_and_inside(self):
        places = [answers.place("a/b.png", k, (7, 5)) for k in range(PLACES)]
        self.assertEqual(places, [answers.place("c/b.png", k, (7, 5)) for k in range(PLACES)])
        self.assertNotEqual(places, [answers.place("b/c.png", k, (7, 5)) for k in range(PLACES)])
        self.assertTrue(all(0 <= row < 7 and 0 <= column < 5 for row, column in places))

    def test_a_unit_takes_few_bytes(self):
        """Of 4,224 units, those of VGG16, and 60 MB: less than 15 MB are photographs and maps."""
        folder, channels = pathlib.Path(self.create_tempdir().full_path), tuple(range(12))
        row = {"activation": 1234.5678, "raised": True, "similarity": 0.123456,
               "contributions": 1.23456, "other_path": False}  # fmt: skip
        matches = Matches(np.arange(12), np.full(12, 0.123456))
        looked = answered(400, 12, domains="abcdefgh")  # As many histograms as there may be.
        layer = layer_tables.Layer(
            nets.wrapped(), "block2_conv1", channels, looked, dict.fromkeys(channels, row), None,
            {}, matches,
        )  # fmt: skip
        atlas_page.write_data(folder / "0-0.js", "0-0", layer_tables.table(layer, {}))
        # As fine as what is found from noise, and of all colours.
        generator = np.random.default_rng(0)
        pictures = [
            images.resize(generator.uniform(0, 255, (24, 24, 3)).astype(np.float32), 96, 96)
            for _ in channels
        ]
        sprites.write(folder / "0-0.webp", pictures, (96, 96))
        of_each = sum(path.stat().st_size for path in folder.iterdir()) / len(channels)
        self.assertLess(of_each, (60e6 - 15e6) / 4224)

    def test_a_spot_is_where_the_unit_saw_it_whatever_the_shape_of_the_input(self):
        folder = pathlib.Path(self.create_tempdir().full_path)
        picture = np.zeros((120, 150, 3), np.float32)
        picture[50:60, 130:142] = 255
        images.save_png(folder / "lit.png", picture)
        photographs, told = {}, []
        for height, width in ((16, 48), (40, 40), (20, 20)):
            inputs = keras.Input((height, width, 3))
            outputs = keras.layers.AveragePooling2D(1, name="all")(inputs)
            net = network.wrap(keras.Model(inputs, outputs), preprocessing="none")
            seen = answers.square(picture, net)[..., 0]
            place = np.unravel_index(seen.argmax(), seen.shape)
            row, column = (np.full((1, 3), one, np.int16) for one in place)
            ones = np.ones((1, 3), np.float32)
            looked = Answered(
                ("lit.png",), ones, ones, ones, row, column,
                np.ones((1, PLACES, 3), np.float32),
            )  # fmt: skip
            layer = layer_tables.Layer(net, "all", (0,), looked, {}, None, {}, None)
            told.append(layer_tables.table(layer, photographs)["top"][0][0])
        # Squares of any size are one file.
        self.assertEqual([number for number, *_ in told], [0, 1, 1])
        written = list(site._photographs(folder, folder, photographs))
        self.assertLen(written, 2)
        for number, *box, _ in told:
            with PIL.Image.open(folder / written[number]) as file:
                shown = np.asarray(file.convert("L"), np.float32)
            top, left, bottom, right = (round(224 * edge / 1000) for edge in box)
            self.assertGreater(shown[top:bottom, left:right].mean(), 150)
            self.assertLess(shown.mean(), 30)


if __name__ == "__main__":
    tf.test.main()
