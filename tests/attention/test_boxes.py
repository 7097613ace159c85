import itertools

import numpy as np
import tensorflow as tf

from tfvis.attention import boxes
from tfvis.attention.boxes import Box
from tfvis.errors import InputError


def corners(box: Box) -> tuple:
    return (box.x0, box.y0, box.x1, box.y1)


def pixels(box: Box) -> set:
    return set(itertools.product(range(int(box.x0), int(box.x1)), range(int(box.y0), int(box.y1))))


def drawn(generator, size: int = 20) -> Box:
    x, y = (np.sort(generator.choice(size + 1, 2, replace=False)).tolist() for _ in range(2))
    return Box(x[0], y[0], x[1], y[1], float(generator.uniform()))


class BoxesTest(tf.test.TestCase):
    def test_tight_boxes_of_the_largest_parts(self):
        mask = np.zeros((20, 30))
        mask[2:5, 3:9] = 0.6  # 18 pixels
        mask[10:18, 20:25] = 0.3  # 40 pixels
        mask[1, 28] = 1.0
        found = boxes.boxes(mask, most=None)
        self.assertEqual(
            [corners(box) for box in found], [(20, 10, 25, 18), (3, 2, 9, 5), (28, 1, 29, 2)]
        )
        self.assertAllClose([box.score for box in found], [0.3, 0.6, 1.0])
        self.assertEqual(boxes.boxes(mask), found[:1])
        # 18 of 600 pixels are 3 %.
        self.assertEqual(boxes.boxes(mask, most=None, least_area=0.03), found[:2])
        self.assertEqual(boxes.boxes(mask, most=None, least_area=0.031), found[:1])
        self.assertEqual(boxes.boxes(mask, threshold=0.5), found[1:2])

    def test_area_is_of_the_pixels_not_of_the_box(self):
        mask = np.zeros((20, 20))
        np.fill_diagonal(mask[:10, :10], 1)  # Connected at corners: 10 pixels in a box of 100.
        mask[15:19, 2:6] = 1  # 16 pixels
        first, second = boxes.boxes(mask, most=None)
        self.assertEqual(corners(first), (2, 15, 6, 19))
        self.assertEqual(corners(second), (0, 0, 10, 10))

    def test_what_is_not_above_the_threshold_is_out(self):
        mask = np.array([[0, 1, 2, 5.0]])
        self.assertEqual(corners(boxes.boxes(mask, threshold=0.2)[0]), (2, 0, 4, 1))

    def test_a_mask_that_is_the_same_everywhere_has_no_box(self):
        for value in (0, 0.5):
            self.assertEqual(boxes.boxes(np.full((4, 5), value)), [])

    def test_the_scale_of_a_mask_does_not_matter(self):
        mask = np.random.default_rng(0).uniform(size=(30, 30)) ** 4
        found, large = (boxes.boxes(by * mask, most=None) for by in (1, 1024))
        self.assertEqual([corners(box) for box in found], [corners(box) for box in large])
        self.assertGreater(len(found), 3)

    def test_iou_is_that_of_sets_of_pixels(self):
        generator = np.random.default_rng(0)
        first = [drawn(generator) for _ in range(30)]
        second = [drawn(generator) for _ in range(20)]
        got = boxes.ious(boxes.as_array(first), boxes.as_array(second))
        sets = [[pixels(box) for box in of] for of in (first, second)]
        want = [[len(a & b) / len(a | b) for b in sets[1]] for a in sets[0]]
        self.assertGreater(np.count_nonzero(got), 50)
        self.assertGreater(np.count_nonzero(got == 0), 20)
        # Quotients of the same whole numbers: equal to the bit.
        self.assertAllEqual(got, want)
        self.assertEqual(boxes.ious(np.zeros((0, 4)), boxes.as_array(second)).shape, (0, 20))

    def test_inclusive_ends_with_one_added_agree(self):
        # As wsolevaluation works it out, from ends that are inside.
        a, b = (2, 3, 7, 9), (5, 1, 11, 6)
        shared = (7 - 5 + 1) * (6 - 3 + 1)
        want = shared / (6 * 7 + 7 * 6 - shared)
        half_open = [Box(x0, y0, x1 + 1, y1 + 1) for x0, y0, x1, y1 in (a, b)]
        got = boxes.ious(*(boxes.as_array([box]) for box in half_open))
        self.assertEqual(got[0, 0], want)

    def test_boxes_of_a_resized_crop_go_back(self):
        # A picture of 100 x 60, its square from 20 on resized to 30.
        box = boxes.shifted(boxes.scaled(Box(3, 6, 15, 30, 0.7), (30, 30), (60, 60)), 20, 0)
        self.assertEqual(box, Box(26, 12, 50, 60, 0.7))
        self.assertEqual(corners(boxes.scaled(box, (60, 100), (30, 200))), (52, 6, 100, 30))

    def test_wrong_input_is_named(self):
        mask = np.eye(4)
        for call, word in (
            (lambda: boxes.boxes(mask[None]), "mask"),
            (lambda: boxes.boxes(-mask), "0 or more"),
            (lambda: boxes.boxes(mask * np.nan), "0 or more"),
            (lambda: boxes.boxes(np.zeros((0, 3))), "mask"),
            (lambda: boxes.boxes(mask, threshold=1), "threshold"),
            (lambda: boxes.boxes(mask, most=0), "most"),
            (lambda: boxes.boxes(mask, least_area=2), "least_area"),
            (lambda: boxes.scaled(Box(0, 0, 1, 1), (0, 1), (1, 1)), "sizes"),
            (lambda: Box(3, 0, 3, 1), "x0 < x1"),
            (lambda: Box(0, 0, 3, float("nan")), "y0 < y1"),
            (lambda: Box(0, 0, float("inf"), 1), "x0 < x1"),
            (lambda: Box(0, 0, 1, 1, float("nan")), "score"),
        ):
            with self.assertRaisesRegex(InputError, word):
                call()


class WindowsTest(tf.test.TestCase):
    def test_windows_cover_the_picture_and_overlap(self):
        for height, width, scale, overlap in itertools.product(
            (31, 64), (47, 200), (1.0, 0.5, 0.21), (0, 0.25, 0.6)
        ):
            found = boxes.windows(height, width, [scale], overlap)
            side = round(scale * min(height, width))
            covered = np.zeros((height, width), int)
            for w in found:
                covered[w.y0 : w.y1, w.x0 : w.x1] += 1
                self.assertEqual((w.x1 - w.x0, w.y1 - w.y0), (side, side))
                self.assertTrue(min(w.x0, w.y0) >= 0 and w.x1 <= width and w.y1 <= height)
            self.assertGreater(covered.min(), 0)
            for starts in (sorted({w.x0 for w in found}), sorted({w.y0 for w in found})):
                for a, b in itertools.pairwise(starts):
                    self.assertGreaterEqual(side - (b - a), overlap * side)
            self.assertLen(set(found), len(found))

    def test_several_scales_and_their_number(self):
        found = boxes.windows(100, 100, [1, 0.5, 0.25], 0.5)
        sides = [box.x1 - box.x0 for box in found]
        # Starts at 0; at 0, 25, 50; and 88 px further on, in steps of at most 12, with 7 between.
        self.assertEqual([sides.count(s) for s in (100, 50, 25)], [1, 9, 49 + 15])
        self.assertEqual(sides, sorted(sides, reverse=True))

    def test_maps_cut_from_one_come_together_again(self):
        generator = np.random.default_rng(0)
        whole = generator.uniform(size=(40, 70)).astype(np.float32)
        places = boxes.windows(40, 70, [1, 0.5, 0.3])
        cut = [whole[w.y0 : w.y1, w.x0 : w.x1] for w in places]
        # A few roundings of float32.
        self.assertAllClose(boxes.merged(iter(cut), places, 40, 70), whole, atol=1e-6)

    def test_a_small_object_that_one_scale_sees(self):
        places = [
            Box(0, 0, 8, 8),
            Box(0, 0, 4, 4),
            Box(4, 0, 8, 4),
            Box(0, 4, 4, 8),
            Box(4, 4, 8, 8),
        ]
        maps = [np.zeros((2, 2)), np.zeros((4, 4)), np.full((1, 1), 0.8), *np.zeros((2, 4, 4))]
        most = boxes.merged(maps, places, 8, 8)
        want = np.zeros((8, 8))
        want[:4, 4:] = 0.8
        self.assertAllClose(most, want)

    def test_windows_of_a_size_fade_into_each_other(self):
        places = [Box(0, 0, 8, 8), Box(4, 0, 12, 8)]
        merged = boxes.merged([np.zeros((8, 8)), np.ones((8, 8))], places, 8, 12)
        # Tents 3.5, 2.5, 1.5, 0.5 against 0.5, 1.5, 2.5, 3.5.
        want = [0] * 4 + [0.125, 0.375, 0.625, 0.875] + [1] * 4
        self.assertAllClose(merged, np.tile(want, (8, 1)))

    def test_where_no_window_lies_there_is_nothing(self):
        merged = boxes.merged([np.ones((2, 2))], [Box(1, 0, 3, 2)], 2, 4)
        self.assertAllEqual(merged, [[0, 1, 1, 0]] * 2)

    def test_a_negative_map_is_not_lifted(self):
        merged = boxes.merged([np.full((2, 2), -1)], [Box(0, 0, 2, 2)], 2, 2)
        self.assertAllEqual(merged, [[-1, -1]] * 2)

    def test_wrong_input_is_named(self):
        place = [Box(0, 0, 2, 2)]
        for call, word in (
            (lambda: boxes.windows(10, 10, [0]), "scales"),
            (lambda: boxes.windows(10, 10, [1.5]), "scales"),
            (lambda: boxes.windows(10, 10, [0.01]), "scales"),
            (lambda: boxes.windows(10, 10, overlap=1), "overlap"),
            (lambda: boxes.merged([], place, 4, 4), "one map"),
            (lambda: boxes.merged([np.ones((2, 2))] * 2, place, 4, 4), "one map"),
            (lambda: boxes.merged([np.ones((2, 2))], place, 1, 4), "inside"),
        ):
            with self.assertRaisesRegex(InputError, word):
                call()
