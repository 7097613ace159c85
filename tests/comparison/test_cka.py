"""Alignment of representations, beside the definition as a sum over quadruples."""

import itertools

import numpy as np
import tensorflow as tf

from tfvis.comparison import cka
from tfvis.errors import InputError


def quadruples(one, other):
    """Song et al. 2012: the mean over all i, j, q, r that differ, as it is defined."""
    terms = [
        one[i, j] * (other[i, j] + other[q, r] - 2 * other[i, q])
        for i, j, q, r in itertools.permutations(range(len(one)), 4)
    ]
    return np.mean(terms)


class CkaTest(tf.test.TestCase):
    def setUp(self):
        super().setUp()
        self.random = np.random.default_rng(0)

    def normal(self, *shape):
        return self.random.normal(size=shape)

    def kernels(self, features, batches=4):
        return [cka.kernel(part) for part in np.split(features, batches)]

    def test_hsic_is_its_definition(self):
        one, other = (cka.kernel(self.normal(7, 5) + 3) for _ in range(2))
        self.assertAllClose(cka.hsic(one, other), quadruples(one, other), rtol=1e-9)

    def test_kernel_is_that_of_flat_features(self):
        features = self.normal(5, 3, 4, 2).astype(np.float32)
        flat = features.reshape(5, -1).astype(np.float64)
        self.assertAllClose(cka.kernel(features), flat @ flat.T, rtol=1e-12)

    def test_many_pictures_give_the_plain_alignment(self):
        """With far more pictures than features, Kornblith's own formula has no bias to speak of."""
        one = self.normal(2000, 4)
        other = one @ self.normal(4, 3) + self.normal(2000, 3)
        a, b = one - one.mean(0), other - other.mean(0)
        plain = np.sum((b.T @ a) ** 2) / np.linalg.norm(a.T @ a) / np.linalg.norm(b.T @ b)
        found = cka.cka([cka.kernel(one)], [cka.kernel(other)])
        self.assertAllClose(found, plain, atol=2e-3)  # The bias goes as features / pictures.

    def test_identical_rescaled_and_rotated_features_are_the_same(self):
        one = self.normal(40, 30)
        turned = 7 * one @ np.linalg.qr(self.normal(30, 30))[0] + 100
        self.assertAllClose(cka.cka(self.kernels(one), self.kernels(turned)), 1, atol=1e-9)

    def test_unrelated_features_are_about_zero_however_many(self):
        """The plain alignment of these is above 0.9."""
        found = [
            cka.cka(
                self.kernels(self.normal(400, 3000), 10), self.kernels(self.normal(400, 3000), 10)
            )
            for _ in range(3)
        ]
        self.assertLess(np.max(np.abs(found)), 0.02)

    def test_shuffled_pictures_are_about_zero(self):
        kernels = self.kernels(self.normal(600, 50), 20)
        self.assertAllClose(cka.cka(kernels, cka.shuffled(kernels)), 0, atol=0.02)

    def test_a_layer_that_is_always_the_same_has_none(self):
        constant = np.repeat(self.normal(1, 50).astype(np.float32), 12, 0)
        found = cka.cka(self.kernels(constant, 2), self.kernels(self.normal(12, 50), 2))
        self.assertTrue(np.isnan(found))

    def test_layers_are_identified(self):
        layers = [self.kernels(self.normal(40, 20)) for _ in range(3)]
        found = cka.cka_map(layers, layers[:2])
        self.assertAllClose(found, [[cka.cka(a, b) for b in layers[:2]] for a in layers], 1e-12)
        self.assertEqual(cka.identified(cka.cka_map(layers, layers)), 1)
        self.assertEqual(cka.identified(cka.cka_map(layers, [layers[k] for k in (0, 2, 1)])), 1 / 3)

    def test_layers_without_a_value_are_not_identified(self):
        nan = np.nan
        found = np.array([[0.9, nan, 0.1], [nan, nan, nan], [0.5, nan, 0.4]])
        self.assertEqual(cka.identified(found), 0.5)
        # One is most like the only one there is.
        self.assertTrue(np.isnan(cka.identified(np.array([[0.9, nan], [0.8, nan]]))))

    def test_bad_input(self):
        kernel = np.eye(3)
        for one, other in ((kernel, kernel), (kernel, np.eye(4)), (kernel[:2], kernel[:2])):
            with self.assertRaises(InputError):
                cka.hsic(one, other)
        with self.assertRaises(InputError):
            cka.cka([np.eye(5)], [])
        with self.assertRaises(InputError):
            cka.cka_map([[np.eye(5)]], [[np.eye(5)] * 2])
        with self.assertRaises(InputError):
            cka.identified(np.zeros((2, 3)))
