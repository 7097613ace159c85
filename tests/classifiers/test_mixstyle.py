"""MixStyle: which statistics pictures have afterwards, and that only training changes them."""

import keras
import numpy as np
import tensorflow as tf

from tests import nets
from tfvis.classifiers import backbone
from tfvis.classifiers.mixstyle import MixStyle


def _maps(count=6, seed=0):
    generator = np.random.default_rng(seed)
    scale = generator.uniform(0.5, 3, (count, 1, 1, 4))
    return (generator.normal(size=(count, 9, 7, 4)) * scale + 2 * scale).astype(np.float32)


def _statistics(maps):
    return maps.mean((1, 2)), maps.std((1, 2))


class MixStyleTest(tf.test.TestCase):
    def test_outside_of_training_it_passes_everything_on(self):
        maps = _maps()
        self.assertAllEqual(MixStyle()(maps), maps)

    def test_statistics_lie_between_those_of_two_pictures(self):
        maps, layer = _maps(), MixStyle(seed=3)
        means, deviations = _statistics(maps)
        changed = 0
        for _ in range(20):
            found = np.asarray(layer(maps, training=True))
            mean, deviation = _statistics(found)
            for k in range(len(maps)):
                # Against every partner: one share explains all channels of both statistics.
                fits = []
                for other in range(len(maps)):
                    own = np.concatenate([means[k], deviations[k]])
                    theirs = np.concatenate([means[other], deviations[other]])
                    seen = np.concatenate([mean[k], deviation[k]])
                    way = theirs - own
                    share = (seen - own) @ way / max(way @ way, 1e-9)
                    # Float32 sums of 63 places, and the epsilon under the root.
                    close = np.allclose(own + share * way, seen, atol=1e-3)
                    fits.append(close and -1e-3 <= share <= 1 + 1e-3)
                self.assertTrue(any(fits))
            # What is left without the two statistics is the picture's own.
            self.assertAllClose(
                (found - mean[:, None, None]) / deviation[:, None, None],
                (maps - means[:, None, None]) / deviations[:, None, None],
                atol=1e-3,
            )
            changed += not np.allclose(found, maps, atol=1e-3)
        # In half of the steps: 20 throws of a coin lie in 3..17 but for one in 2,000 seeds.
        self.assertBetween(changed, 3, 17)

    def test_statistics_carry_no_gradient_to_the_partner(self):
        layer = MixStyle(seed=1)
        maps = tf.constant(_maps(4))
        for _ in range(8):
            with tf.GradientTape() as tape:
                tape.watch(maps)
                loss = tf.reduce_sum(layer(maps, training=True)[0])
            gradient = tape.gradient(loss, maps)
            self.assertAllEqual(gradient[1:], tf.zeros_like(gradient[1:]))
            self.assertGreater(float(tf.reduce_min(gradient[0])), 0)

    def test_a_learner_mixes_its_input_and_keeps_the_names_of_its_layers(self):
        parts = backbone.split(nets.wrapped())
        plain, mixing = (backbone.learner(parts, 3, dropout=0.0, mixing=m) for m in (False, True))
        mixing.get_layer(backbone.CLASSES).set_weights(
            plain.get_layer(backbone.CLASSES).get_weights()
        )
        maps = np.random.default_rng(0).uniform(0, 9, (8, 6, 6, 8)).astype(np.float32)
        self.assertAllClose(mixing(maps), plain(maps))
        self.assertEqual(set(backbone.learnt(mixing)), set(backbone.learnt(plain)))
        runs = [np.asarray(mixing(maps, training=True)) for _ in range(12)]
        self.assertTrue(any(not np.allclose(run, plain(maps)) for run in runs))

    def test_it_is_saved(self):
        model = keras.Sequential([keras.Input((None, None, 4)), MixStyle(seed=5)])
        again = keras.Sequential.from_config(model.get_config())
        self.assertEqual(again.layers[0].seed, 5)


if __name__ == "__main__":
    tf.test.main()
