"""How near random pairs of pictures are, beside NumPy's own account of it."""

import numpy as np
import tensorflow as tf

from tests import nets
from tfvis import preimages
from tfvis.preimages import null_distribution

_LAYER = "block1_pool"


class NullDistributionTest(tf.test.TestCase):
    def setUp(self):
        super().setUp()
        self.net = nets.wrapped()

    def test_errors_are_those_of_pairs(self):
        pictures = [nets.picture(8, seed=k) for k in range(15)]
        with_mask = preimages.Inversion(mask_channels=(1, 2, 5))
        for settings, channels in ((preimages.Inversion(), range(8)), (with_mask, (1, 2, 5))):
            null = null_distribution.null_distribution(
                self.net, _LAYER, 15, pictures.__getitem__, settings
            )
            phi = np.stack([preimages.features(self.net, _LAYER, one[None])[0] for one in pictures])
            phi = phi[..., list(channels)].reshape(15, -1)
            every = {
                round(float(np.linalg.norm(a - b) / np.linalg.norm(b)), 4)
                for k, a in enumerate(phi)
                for j, b in enumerate(phi)
                if k != j
            }
            self.assertLen(null.errors, 100)
            self.assertAllEqual(null.errors, np.sort(null.errors))
            # float32 features, rounded in other places.
            for error in null.errors:
                self.assertLess(min(abs(error - one) for one in every), 2e-4)

    def test_fewer_pictures_tell_nothing(self):
        def picture(number):
            raise AssertionError("nothing is looked at")

        self.assertIsNone(null_distribution.null_distribution(self.net, _LAYER, 14, picture))

    def test_of_many_pictures_each_is_in_one_pair(self):
        asked = []

        def picture(number):
            asked.append(number)
            return np.random.default_rng(number).uniform(0, 255, (8, 8, 3)).astype(np.float32)

        null_distribution.null_distribution(self.net, _LAYER, 230, picture)
        self.assertLen(set(asked), 200)
        self.assertLen(asked, 200)

    def test_shares_of_a_small_sample(self):
        null = null_distribution.NullDistribution(np.arange(1, 101) / 100, 200)
        self.assertEqual([null.nearer(x) for x in (0.001, 0.01, 0.5, 2.0)], [100, 99, 50, 0])
        # Phipson & Smyth 2010: never 0.
        self.assertAllClose([null.p_value(x) for x in (0.001, 0.5, 2.0)], [1 / 101, 51 / 101, 1])

    def test_pieces_of_the_two_photographs(self):
        found = null_distribution.pieces(self.net, (12, 12))
        self.assertEqual({piece.shape for piece in found}, {(12, 12, 3)})
        self.assertGreaterEqual(len(found) * (len(found) - 1) // 2, null_distribution.PAIRS)
        self.assertLen({piece.tobytes() for piece in found}, len(found))
