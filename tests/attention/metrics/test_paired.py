"""Differences of measures on the same pictures, against what can be worked out by hand."""

import tensorflow as tf

from tfvis.attention.metrics import paired
from tfvis.errors import InputError


class PairedTest(tf.test.TestCase):
    def test_by_hand(self):
        # Differences 1, 2, 3, 4, 5: mean 3, variance 2.5, error sqrt(1/2), and Student's t of
        # four degrees at 97.5 % is 2.776445. All five ranks have one sign: p = 2 / 2^5.
        found = paired.paired([2, 4, 6, 8, 10], [1, 2, 3, 4, 5])
        self.assertAllClose([found.mean, found.count], [3, 5])
        self.assertAllClose([found.low, found.high], [3 - 1.963243, 3 + 1.963243], rtol=1e-6)
        self.assertAllClose(found.p, 2 / 2**5)
        # The interval leaves 0 out, but five pictures cannot be below 5 % by ranks.
        self.assertFalse(found.differ)
        six = paired.paired([1, 2, 3, 4, 5, 6], [0] * 6)
        self.assertAllClose(six.p, 2 / 2**6)
        self.assertTrue(six.differ)
        # Turned around, it is the same with the other sign.
        back = paired.paired([0] * 6, [1, 2, 3, 4, 5, 6])
        self.assertAllClose([back.mean, back.low, back.high], [-six.mean, -six.high, -six.low])
        self.assertTrue(back.differ)

    def test_one_picture_that_is_far_off_is_no_difference(self):
        # By ranks seven of eight are above; the mean is carried by the eighth.
        found = paired.paired([0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, -9], [0] * 8)
        self.assertLess(found.low, 0)
        self.assertGreater(found.high, 0)
        self.assertFalse(found.differ)

    def test_what_is_alike(self):
        found = paired.paired([0.5, 0.25, 1], [0.5, 0.25, 1])
        self.assertEqual((found.mean, found.low, found.high, found.p), (0, 0, 0, 1))
        self.assertFalse(found.differ)

    def test_refused(self):
        for one, other, words in (
            ([1, 2], [1], "same pictures"),
            ([1], [1], "two or more"),
            ([1, float("nan")], [1, 2], "finite"),
        ):
            with self.assertRaisesRegex(InputError, words):
                paired.paired(one, other)


if __name__ == "__main__":
    tf.test.main()
