"""Gradient reversal, against its definition and on a domain that is easy to tell."""

import pathlib

import keras
import numpy as np
import tensorflow as tf
from sklearn import linear_model

from tests import nets
from tfvis.classifiers import (
    backbone,
    domain_adversarial,
    feature_cache,
    gradient_reversal,
    training,
)
from tfvis.networks import network as networks


class ReversalTest(tf.test.TestCase):
    def test_forward_is_the_identity_and_the_gradient_turned_around(self):
        layer = gradient_reversal.GradientReversal()
        x = tf.Variable(np.random.default_rng(0).normal(size=(3, 4)).astype(np.float32))
        layer(x)
        for strength in (0.0, 0.3, 1.0):
            layer.strength.assign(strength)
            with tf.GradientTape() as tape:
                y = layer(x)
                loss = tf.reduce_sum(tf.sin(y) * y)
            self.assertAllEqual(y, x)
            # Of the loss by central differences; it does not know of the reversal.
            step, base = 1e-3, x.numpy().astype(np.float64)
            slope = [
                (np.sin(v + step) * (v + step) - np.sin(v - step) * (v - step)) / (2 * step)
                for v in base.ravel()
            ]
            expected = -strength * np.reshape(slope, base.shape)
            self.assertAllClose(tape.gradient(loss, x), expected, atol=1e-5)

    def test_strength_changes_within_a_compiled_function(self):
        layer = gradient_reversal.GradientReversal()
        x = tf.ones((1, 2))
        layer(x)

        @tf.function
        def gradient():
            with tf.GradientTape() as tape:
                tape.watch(x)
                loss = tf.reduce_sum(layer(x))
            return tape.gradient(loss, x)

        for strength in (0.25, 0.75):
            layer.strength.assign(strength)
            self.assertAllClose(gradient(), [[-strength] * 2])
        self.assertEmpty(layer.trainable_variables)

    def test_schedule(self):
        # Ganin et al. 2016, section 5.2.2: 2 / (1 + exp(-10 p)) - 1.
        for p, value in ((0, 0.0), (0.1, 0.46211716), (0.5, 0.98661430), (1, 0.99990920)):
            self.assertAllClose(gradient_reversal.schedule(p), value, atol=1e-7)

    def test_schedule_over_a_training_in_two_processes(self):
        learner = backbone.learner(backbone.split(nets.wrapped()), 2)
        model = domain_adversarial.adversarial(learner)
        found = []
        for done in (0, 6):
            callback = gradient_reversal.Schedule(10, done)
            callback.set_model(model)
            for step in range(6 if not done else 4):
                callback.on_train_batch_begin(step)
                found.append(float(model.get_layer("domain_score_reversal").strength.numpy()))
        self.assertAllClose(found, [gradient_reversal.schedule(k / 10) for k in range(10)])

    def test_the_learner_is_part_of_it_and_is_all_that_is_kept(self):
        learner = backbone.learner(backbone.split(nets.wrapped()), 3)
        model = domain_adversarial.adversarial(learner)
        maps = np.random.default_rng(0).normal(size=(4, 6, 6, 8)).astype(np.float32)
        found = model(maps)
        self.assertAllEqual(found["class"], learner(maps))
        self.assertEqual(found["domain"].shape, (4, 2))
        self.assertEqual(set(backbone.learnt(model)), {"block2_conv1", backbone.CLASSES})


class JudgeTest(tf.test.TestCase):
    def setUp(self):
        super().setUp()
        keras.utils.set_random_seed(0)
        self.classifier, self.reversal = (
            domain_adversarial.DomainClassifier(),
            gradient_reversal.GradientReversal(),
        )
        self.x = tf.Variable(np.random.default_rng(0).normal(size=(64, 12)).astype(np.float32))
        self.classifier([self.x, self.reversal(self.x)])
        self.reversal.strength.assign(1.0)

    def _gradients(self, labels):
        with tf.GradientTape() as tape:
            found = self.classifier([tf.stop_gradient(self.x), self.reversal(self.x)])
            loss = tf.reduce_sum(domain_adversarial.DomainLoss().call(labels, found))
        weights = self.classifier.trainable_variables
        return found.numpy(), loss, tape.gradient(loss, [self.x, *weights])

    def test_features_are_driven_until_the_judge_throws_a_coin(self):
        for label in (0.0, 1.0):
            labels = tf.fill((64, 1), label)
            found, loss, (by_features, *_) = self._gradients(labels)
            self.assertAllEqual(found[:, 0], found[:, 1])
            right = np.abs(found[:, 1] - label) < 0.5
            self.assertBetween(right.mean(), 0.1, 0.9)
            lengths = tf.norm(by_features, axis=1).numpy()
            self.assertAllGreater(lengths[right], 0)
            self.assertAllEqual(lengths[~right], np.zeros((~right).sum()))
            # Down this gradient the domain classifier is less right.
            self.x.assign_sub(0.01 * by_features)
            after = self.classifier([self.x, self.x]).numpy()[:, 0]
            self.assertTrue((np.abs(after - label) > np.abs(found[:, 0] - label))[right].all())
            # The value is the domain classifier's own loss, by its definition.
            chance = np.where(label, found[:, 0], 1 - found[:, 0])
            self.assertAllClose(loss, -np.log(chance).sum(), rtol=1e-4)

    def test_the_judge_learns_as_if_nobody_were_fooling_it(self):
        labels = tf.constant(np.random.default_rng(1).integers(2, size=(64, 1)), tf.float32)
        _, _, (_, *found) = self._gradients(labels)
        with tf.GradientTape() as tape:
            told = self.classifier([self.x, tf.zeros_like(self.x)])[:, :1]
            loss = tf.reduce_sum(keras.losses.binary_crossentropy(labels, told))
        expected = tape.gradient(loss, self.classifier.trainable_variables)
        for ours, theirs in zip(found, expected, strict=True):
            self.assertAllClose(ours, theirs, atol=1e-6)


class AdaptingTest(tf.test.TestCase):
    def test_domains_are_harder_to_tell_from_what_was_learnt(self):
        """Channel 0 says the class, channel 1 the domain; all are noisy from picture to picture."""
        generator = np.random.default_rng(0)

        def part(domain, count):
            labels = generator.integers(2, size=count)
            vectors = 0.15 * generator.normal(size=(count, 1, 1, 16))
            vectors[..., 0] += 2 * labels[:, None, None] - 1
            vectors[..., 1] += domain - 0.5
            maps = np.broadcast_to(vectors, (count, 2, 2, 16)).astype(np.float16)
            where = np.stack([np.zeros(count, int), np.arange(count)], 1)
            found = feature_cache.Features(((maps,),), where, {})
            return training.Part(found, np.arange(count), labels)

        source, target, validation = part(0, 256), part(1, 256), part(0, 32)
        keras.utils.set_random_seed(1)
        inputs = keras.Input((None, None, 3))
        x = keras.layers.Conv2D(16, 1, name="trunk")(inputs)
        # Fewer than there are: what is left out cannot be found again in the others.
        x = keras.layers.Conv2D(8, 1, name="tail")(x)
        parts = backbone.split(networks.wrap(keras.Model(inputs, x)), "trunk")
        settings = training.Training(
            epochs=20, rate=1e-2, dropout=0.0, patience=99, batch=64, head_epochs=5, seed=1,
            floor=0.0,  # Two sides that play against each other settle as the rate falls.
        )  # fmt: skip

        def readable(adapt):
            """How well a logistic regression tells domains, and the classes' accuracy."""
            seen = []

            class Last(keras.callbacks.Callback):
                # The features of the last epoch; which one is kept, the source decides.
                def on_train_end(self, logs=None):
                    mean = keras.Model(self.model.input, self.model.get_layer(backbone.MEAN).output)
                    arrays = [one.features.arrays[0][0] for one in (source, target)]
                    x = np.concatenate([mean.predict(a, verbose=0) for a in arrays])
                    y = np.repeat([0, 1], 256)
                    x = (x - x.mean(0)) / (x.std(0) + 1e-6)
                    probe = linear_model.LogisticRegression().fit(x[::2], y[::2])
                    seen.append(probe.score(x[1::2], y[1::2]))

            folder = self.create_tempdir().full_path
            learner, history = training.fit(
                parts, 2, source, validation, settings, pathlib.Path(folder),
                target=target if adapt else None, callbacks=[Last()],
            )  # fmt: skip
            found = learner.predict(target.features.arrays[0][0], verbose=0).argmax(-1)
            return seen[-1], (found == target.labels).mean(), history

        plain, _, _ = readable(False)
        adapted, accuracy, history = readable(True)
        # A shift of six deviations: before the tail, 99.9 % can be told.
        self.assertGreater(plain, 0.93)
        # Not as well any more; a coin would be right half of the time.
        self.assertLess(adapted, plain - 0.1)
        self.assertGreater(accuracy, 0.95)
        self.assertContainsSubset(
            {"loss", "accuracy", "domain_loss", "val_loss", "val_accuracy"}, set(history[-1])
        )


if __name__ == "__main__":
    tf.test.main()
