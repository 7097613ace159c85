import tensorflow as tf

from tfvis.attention.boxes import Box
from tfvis.attention.metrics.average_precision import precision_recall
from tfvis.errors import InputError

# Boxes drawn at random, true ones and found ones around them and elsewhere, judged by pycocotools
# 2.0.11 (IoU 0.1, 0.3, 0.5; 11 recalls, and 100,001 of them for the area) and by
# mean-average-precision 2024.1.5 (its VOC 2007 and all-point metrics): both agree to 3e-6.
TRUE = {
    0: [(227, 214, 285, 248), (23, 14, 81, 54), (110, 221, 148, 285)],
    2: [(102, 116, 157, 163)],
    3: [(216, 228, 251, 277), (13, 7, 44, 51)],
    4: [(17, 204, 66, 240), (222, 107, 271, 138), (205, 226, 268, 278)],
    5: [(110, 215, 158, 271), (23, 129, 58, 173), (228, 0, 278, 56)],
    7: [(226, 223, 281, 273), (17, 112, 80, 172)],
    8: [(24, 17, 57, 73), (218, 114, 254, 164), (213, 211, 253, 245)],
    9: [(3, 103, 56, 136), (100, 9, 149, 71)],
    10: [(117, 119, 156, 170), (223, 213, 276, 244)],
}
FOUND = [
    (0, 225, 216, 287, 248, 0.834), (0, 124, 231, 138, 295, 0.235),
    (0, 110, 221, 148, 285, 0.512), (0, 194, 93, 270, 177, 0.44),
    (1, 138, 176, 172, 246, 0.003), (1, 73, 123, 151, 189, 0.187),
    (2, 72, 128, 133, 155, 0.271), (2, 11, 119, 53, 154, 0.571),
    (3, 213, 242, 264, 269, 0.737), (4, 4, 200, 80, 237, 0.392),
    (4, 17, 204, 66, 240, 0.801), (4, 230, 108, 270, 133, 0.801),
    (4, 222, 107, 271, 138, 0.398), (4, 217, 215, 266, 292, 0.726),
    (5, 33, 127, 68, 182, 0.211), (5, 241, 0, 266, 63, 0.381), (5, 228, 0, 278, 56, 0.391),
    (7, 232, 235, 269, 260, 0.544), (7, 50, 157, 126, 224, 0.502),
    (7, 135, 26, 199, 110, 0.233), (8, 37, 9, 61, 70, 0.347), (8, 24, 17, 57, 73, 0.429),
    (8, 222, 120, 263, 175, 0.291), (8, 148, 175, 230, 231, 0.641), (8, 59, 9, 90, 31, 0.014),
    (9, 7, 112, 54, 141, 0.689), (9, 3, 103, 56, 136, 0.56), (9, 92, 18, 148, 84, 0.883),
    (9, 100, 9, 149, 71, 0.371), (9, 63, 30, 90, 71, 0.558), (9, 125, 60, 166, 126, 0.558),
    (10, 72, 65, 97, 135, 0.607),
]  # fmt: skip
ELEVEN = {0.1: 0.511255, 0.3: 0.506553, 0.5: 0.341126}
ALL = {0.1: 0.512482, 0.3: 0.486078, 0.5: 0.354951}


def box(*corners, score=1.0) -> Box:
    return Box(*corners, score=score)


class AveragePrecisionTest(tf.test.TestCase):
    def test_as_two_other_implementations_have_it(self):
        truths = {picture: [box(*one) for one in some] for picture, some in TRUE.items()}
        found = [(picture, box(*corners, score=score)) for picture, *corners, score in FOUND]
        for at in ELEVEN:
            measured = precision_recall(found, truths, at=at)
            self.assertEqual(measured.positives, 21)
            # Their recalls are 100,001, ours exact.
            self.assertAllClose(measured.ap_11_point(), ELEVEN[at], atol=1e-5)
            self.assertAllClose(measured.ap_all_point(), ALL[at], atol=1e-5)

    def test_worked_by_hand(self):
        true = {"a": [box(0, 0, 10, 10)], "b": [box(0, 0, 10, 10)]}
        found = [
            ("a", box(0, 0, 10, 10, score=0.9)),
            ("a", box(0, 0, 10, 9, score=0.8)),  # Found before: wrong.
            ("b", box(0, 0, 10, 5, score=0.7)),  # An IoU of exactly a half.
        ]
        measured = precision_recall(found, true)
        self.assertAllClose(measured.precision, [1, 1 / 2, 2 / 3])
        self.assertAllClose(measured.recall, [1 / 2, 1 / 2, 1])
        self.assertAllClose(measured.ap_all_point(), 1 / 2 * 1 + 1 / 2 * 2 / 3)
        # Recalls of 0 to 0.5 at precision 1, 0.6 to 1 at 2/3.
        self.assertAllClose(measured.ap_11_point(), (6 + 5 * 2 / 3) / 11)
        self.assertAllClose(precision_recall(found, true, at=0.51).ap_all_point(), 1 / 2)

    def test_a_recall_of_three_tenths_is_reached(self):
        true = {k: [box(0, 0, 1, 1)] for k in range(10)}
        found = [(k, box(0, 0, 1, 1, score=1 - k / 100)) for k in range(3)]
        self.assertAllClose(precision_recall(found, true).ap_11_point(), 4 / 11)

    def test_difficult_ones_need_not_be_found(self):
        true, hard = {"a": [box(0, 0, 10, 10)]}, {"a": [box(20, 0, 30, 10)], "b": [box(0, 0, 5, 5)]}
        found = [
            ("a", box(20, 0, 30, 10, score=0.9)),
            ("a", box(20, 0, 30, 9, score=0.85)),
            ("b", box(0, 0, 5, 5, score=0.8)),
            ("a", box(0, 0, 10, 10, score=0.7)),
        ]
        measured = precision_recall(found, true, hard)
        self.assertEqual(measured.positives, 1)
        self.assertAllClose(measured.precision, [1])
        # Not marked, three are wrong.
        self.assertAllClose(precision_recall(found, true).precision, [0, 0, 0, 1 / 4])

    def test_nothing_found(self):
        measured = precision_recall([], {"a": [box(0, 0, 1, 1)]})
        self.assertEqual((measured.ap_11_point(), measured.ap_all_point()), (0, 0))

    def test_refused(self):
        with self.assertRaisesRegex(InputError, "no true boxes"):
            precision_recall([("a", box(0, 0, 1, 1))], {"a": []})
        with self.assertRaisesRegex(InputError, "at=0: expected an IoU"):
            precision_recall([], {"a": [box(0, 0, 1, 1)]}, at=0)


if __name__ == "__main__":
    tf.test.main()
