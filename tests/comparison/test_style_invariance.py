"""What a change of style does to layers, beside what another picture does."""

import numpy as np
import tensorflow as tf

from tfvis.comparison import style_invariance
from tfvis.errors import InputError


class StyleInvarianceTest(tf.test.TestCase):
    def setUp(self):
        super().setUp()
        generator = np.random.default_rng(0)
        self.originals = {k: generator.normal(5, 2, (4, 6, 3)) for k in (3, 7, 8, 9)}
        numbers = (7, 3, 3, 9, 8)
        self.pairs = [(k, self.originals[k] + generator.normal(0, 1, (4, 6, 3))) for k in numbers]

    @staticmethod
    def look(picture):
        return {"as it is": picture, "squares": np.square(picture[0])}

    def test_is_the_quotient_of_both_means(self):
        found = style_invariance.changes(self.look, self.pairs, self.originals)
        for layer, value in found.items():
            f = {k: self.look(x)[layer] for k, x in self.originals.items()}
            moved = [np.sum((self.look(x)[layer] - f[k]) ** 2) for k, x in self.pairs]
            apart = [np.sum((f[i] - f[j]) ** 2) for i in f for j in f if i != j]
            # Features are taken as float32.
            self.assertAllClose(value, np.mean(moved) / np.mean(apart), rtol=1e-5)

    def test_ends_of_the_scale(self):
        same = [(k, x) for k, x in self.originals.items()]
        found = style_invariance.changes(self.look, same, self.originals)
        self.assertAllClose(list(found.values()), [0, 0], atol=1e-9)
        # Each as another one: what is changed is all that could be.
        numbers = list(self.originals)
        pairs = [(i, self.originals[j]) for i in numbers for j in numbers if i != j]
        found = style_invariance.changes(self.look, pairs, self.originals)
        self.assertAllClose(list(found.values()), [1, 1], rtol=1e-5)

    def test_a_layer_that_answers_all_alike_has_none(self):
        found = style_invariance.changes(
            lambda picture: {"constant": np.full(5, 0.1)}, self.pairs, self.originals
        )
        self.assertTrue(np.isnan(found["constant"]))

    def test_refused(self):
        for pairs, originals in (
            ([], self.originals), (self.pairs[:1], {7: self.originals[7]}),
        ):  # fmt: skip
            with self.assertRaisesRegex(InputError, "two pictures or more"):
                style_invariance.changes(self.look, pairs, originals)


if __name__ == "__main__":
    tf.test.main()
