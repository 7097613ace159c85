"""Scores of classes: every end of a classifier that keeps their order is looked through."""

import keras
import numpy as np
import tensorflow as tf
from absl.testing import parameterized

from tests import nets
from tfvis.attention import grad_cam
from tfvis.errors import InputError
from tfvis.networks import network, score_functions
from tfvis.objectives import parsing

layers, ops = keras.layers, keras.ops


def _by_hand(x):
    powers = ops.exp(x - ops.max(x, axis=-1, keepdims=True))
    return powers / ops.sum(powers, axis=-1, keepdims=True)


def _lambda(x):
    return layers.Lambda(lambda y: tf.nn.softmax(y, axis=-1), output_shape=(4,))(x)


def _of_two(x):
    return ops.concatenate([1 - ops.sigmoid(x), ops.sigmoid(x)], -1)


def _half(x):
    return np.asarray(tf.nn.softmax(tf.cast(x, tf.float16)), np.float64)


def _fixed_scores(x, count: int = 4, activation=None, gain: float = 1.0, name: str = "scores"):
    dense = layers.Dense(count, activation=activation, name=name)
    y = dense(x)
    kernel = np.random.default_rng(5).normal(size=(6, count)) * gain
    dense.set_weights([kernel.astype(np.float32), np.linspace(-0.5, 0.5, count)])
    return y


def _model(end, **kwargs) -> keras.Model:
    keras.utils.set_random_seed(3)
    inputs = keras.Input((24, 24, 3))
    x = layers.Conv2D(6, 3, activation="relu", name="conv")(layers.Rescaling(1 / 127.5)(inputs))
    x = layers.GlobalAveragePooling2D(name="mean")(x)
    return keras.Model(inputs, end(_fixed_scores(x, **kwargs)))


_SOFTMAX = {
    "ops": ops.softmax,
    "by_hand": _by_hand,
    "lambda": _lambda,
    "layer": lambda x: layers.Softmax()(x),
    "activation": lambda x: layers.Activation("softmax", dtype="float32")(x),
    "reshaped": lambda x: layers.Flatten()(layers.Softmax(axis=1)(layers.Reshape((4, 1))(x))),
    "then_cast": lambda x: ops.cast(layers.Identity()(ops.softmax(x)), "float32"),
    "clipped": lambda x: ops.clip(ops.softmax(x), 1e-7, 1 - 1e-7),
    "exp_of_log": lambda x: ops.exp(ops.log_softmax(x)),
    "log": ops.log_softmax,
    "log_of_softmax": lambda x: ops.log(ops.softmax(x)),
}


class ScoresTest(tf.test.TestCase, parameterized.TestCase):
    def setUp(self):
        super().setUp()
        self.images = tf.constant(np.stack([nets.picture(24, seed=k) for k in range(3)]))
        expected = _model(lambda x: x)
        self.scores = np.asarray(expected(self.images))

    def _found(self, net):
        scores = net.taps([net.logits])(self.images)[net.logits]
        return scores, net.probabilities(scores)

    @parameterized.named_parameters(*_SOFTMAX.items())
    def test_softmax_in_any_spelling(self, end):
        net = network.wrap(_model(end))
        scores, found = self._found(net)
        self.assertAllClose(scores, self.scores, rtol=1e-4, atol=1e-5)
        self.assertAllClose(found, tf.nn.softmax(self.scores), rtol=1e-3, atol=1e-6)
        self.assertEqual(net.classifier.kind, "multiclass")

    @parameterized.parameters(0.01, 0.5, 3.0, 200.0)
    def test_a_temperature_counts_for_probabilities_and_not_for_scores(self, temperature):
        for end in (
            lambda x: ops.softmax(x / temperature),
            lambda x: layers.Softmax()(layers.Rescaling(1 / temperature)(x)),
        ):
            scores, found = self._found(network.wrap(_model(end)))
            self.assertAllClose(scores, self.scores, rtol=1e-4, atol=1e-5)
            expected = tf.nn.softmax(self.scores / temperature)
            self.assertAllClose(found, expected, rtol=1e-2, atol=1e-6)

    def test_scores_alone_are_given_a_softmax_and_a_word(self):
        net = network.wrap(_model(lambda x: x))
        self.assertAllClose(self._found(net)[1], tf.nn.softmax(self.scores), rtol=1e-4)
        self.assertIn("softmax of them", net.classifier.note)
        self.assertEqual(net.logits, "scores")
        self.assertFalse(net.is_softmax("scores"))

    @parameterized.named_parameters(
        ("sigmoid", ops.sigmoid, tf.sigmoid),
        ("by_hand", lambda x: 1 / (1 + ops.exp(-x)), tf.sigmoid),
        ("of_tanh", lambda x: (ops.tanh(x / 2) + 1) / 2, tf.sigmoid),
        ("hard", ops.hard_sigmoid, lambda x: np.clip(x / 6 + 0.5, 0, 1)),
        ("log", ops.log_sigmoid, tf.sigmoid),
    )
    def test_several_labels_have_a_probability_each(self, end, expected):
        net = network.wrap(_model(end))
        self.assertEqual(net.classifier.kind, "multilabel")
        scores, found = self._found(net)
        self.assertAllClose(scores, self.scores, rtol=1e-4, atol=1e-5)
        self.assertAllClose(found, expected(self.scores), rtol=1e-3, atol=1e-5)

    def test_what_is_fused_is_split_and_saturation_is_no_obstacle(self):
        for word in ("sigmoid", "softmax", "hard_sigmoid"):
            net = network.wrap(_model(lambda x: x, activation=word, gain=4000.0))
            scores, found = self._found(net)
            self.assertGreater(np.ptp(scores), 100)
            self.assertAllEqual(np.isin(np.round(found, 6), [0, 1]).all(), True)
            maps = grad_cam.GradCam(net).maps(self.images, np.argmax(scores, 1))
            self.assertAllGreater(tf.reduce_max(maps, [1, 2]), 0)
            self.assertEqual(net.logits, "logits")

    @parameterized.parameters("fused", "separate", "softmax_of_two")
    def test_one_sigmoid_is_yes_and_no(self, how):
        if how == "fused":
            model = _model(lambda x: x, count=1, activation="sigmoid")
        elif how == "separate":
            model = _model(ops.sigmoid, count=1)
        else:
            model = _model(_of_two, count=1)
        net = network.wrap(model)
        single = np.asarray(_model(lambda x: x, count=1)(self.images))
        yes = tf.sigmoid(single)
        scores, found = self._found(net)
        self.assertAllClose(found, tf.concat([1 - yes, yes], 1), rtol=1e-4)
        self.assertEqual(net.channels_of("logits"), 2)
        if how != "softmax_of_two":
            self.assertAllClose(scores, np.concatenate([-single, single], 1), rtol=1e-4)
            self.assertEqual((net.classifier.kind, net.classes), ("binary", ("no", "yes")))
            (unit,) = parsing.parse("logit:no", net, None)
            self.assertEqual((unit.layer, unit.channel), ("logits", 0))
        # What speaks for one speaks against the other.
        cam = grad_cam.GradCam(net)
        no, yes = (cam.maps(self.images, [k] * 3).numpy() for k in (0, 1))
        self.assertAllEqual((no > 0) & (yes > 0), np.zeros_like(no, bool))
        self.assertGreater((no + yes).max(), 0)

    def test_an_ensemble_is_explained_from_the_logarithm_of_its_probabilities(self):
        def halves(x):
            return layers.Average()([ops.softmax(x), ops.softmax(ops.flip(x, axis=-1))])

        net = network.wrap(_model(halves))
        self.assertEqual((net.classifier.kind, net.logits), ("multiclass", "logits"))
        scores, found = self._found(net)
        expected = (tf.nn.softmax(self.scores) + tf.nn.softmax(self.scores[:, ::-1])) / 2
        self.assertAllClose(found, expected, rtol=1e-3)
        self.assertAllClose(scores, tf.math.log(expected), rtol=1e-3)
        self.assertIn("logarithms", net.classifier.note)

    def test_what_is_no_classifier_says_why(self):
        for end, words in (
            (lambda x: ops.relu(x), r"ends in relu\w* \(Relu\)"),
            (lambda x: layers.UnitNormalization(name="unit")(ops.relu(x)), r"ends in unit"),
        ):
            net = network.wrap(_model(end))
            self.assertEqual(net.logits, "")
            self.assertRegex(net.no_classifier, words)
        inputs = keras.Input((24, 24, 3))
        x = layers.Conv2D(5, 3, name="conv")(inputs)
        trunk = keras.Model(inputs, layers.GlobalAveragePooling2D(name="features")(x))
        self.assertRegex(network.wrap(trunk).no_classifier, r"features \(GlobalAverage")
        single = network.wrap(_model(lambda x: x, count=1))
        self.assertRegex(single.no_classifier, "one number with no sigmoid")

    def test_what_squashes_to_no_probabilities_is_explained_and_not_counted(self):
        net = network.wrap(_model(ops.tanh))
        self.assertEqual(net.classifier.form, "numbers")
        self.assertAllClose(self._taps(net), self.scores, rtol=1e-4, atol=1e-5)
        with self.assertRaisesRegex(InputError, "no probabilities"):
            net.probabilities(tf.constant(self.scores))

    def _taps(self, net):
        return net.taps([net.logits])(self.images)[net.logits]

    def test_of_several_outputs_the_one_of_classes(self):
        keras.utils.set_random_seed(3)
        inputs = keras.Input((24, 24, 3))
        x = layers.GlobalAveragePooling2D()(layers.Conv2D(6, 3, name="conv")(inputs))
        classes = _fixed_scores(x, activation="softmax", name="classes")
        tags = layers.Dense(3, activation="sigmoid", name="tags")(x)
        box = layers.Dense(4, name="box")(x)
        one = keras.Model(inputs, {"b": box, "what": classes})
        for output in (None, "what", "classes"):
            net = network.wrap(one, output=output)
            self.assertEqual((net.graph.output, net.classifier.classes), ("classes", 4))
            self.assertAllClose(self._found(net)[1], one(self.images)["what"], rtol=1e-4)
        net = network.wrap(keras.Model(inputs, [box, tags]))
        self.assertRegex(net.no_classifier, "several outputs .box, tags.; .*output")
        net = network.wrap(keras.Model(inputs, [box, tags]), output="tags")
        self.assertEqual((net.classifier.kind, net.graph.output), ("multilabel", "tags"))
        self.assertAllClose(self._found(net)[1], keras.Model(inputs, tags)(self.images), rtol=1e-4)
        with self.assertRaisesRegex(InputError, "output=bax: .*no such output.*"):
            network.wrap(one, output="bax")

    def test_of_a_layer_called_twice_the_call_that_is_meant(self):
        inputs = keras.Input((24, 24, 3))
        mean, most = (kind()(inputs) for kind in (layers.GlobalAvgPool2D, layers.GlobalMaxPool2D))
        shared = layers.Dense(4, activation="softmax", name="shared")
        first, second = shared(mean / 255), shared(most / 255)
        for outputs in ([first, second], [second, first]):
            model = keras.Model(inputs, outputs)
            for path, expected in zip(
                network.wrap(model).graph.outputs.values(), model(self.images), strict=True
            ):
                net = network.wrap(model, output=path)
                self.assertAllClose(self._found(net)[1], expected, rtol=1e-4)


class SquashingTest(tf.test.TestCase, parameterized.TestCase):
    @parameterized.parameters(
        (tf.nn.softmax, True),
        (tf.sigmoid, True),
        (lambda x: tf.sigmoid(4000 * x), True),
        (lambda x: tf.nn.softmax(x / 1000), True),
        (tf.nn.relu, False),
        (lambda x: -x, False),
        (lambda x: x[:, ::-1], False),
        (lambda x: x @ np.tri(x.shape[1], dtype=np.float32), False),
        (lambda x: x + np.arange(x.shape[1], dtype=np.float32), False),
        (tf.zeros_like, False),
    )
    def test_order(self, function, expected):
        for classes in (2, 5, 1000):
            found = score_functions.keeps_order(lambda x: np.asarray(function(x)), classes)
            self.assertEqual(found, expected)

    def test_half_precision(self):
        for classes in (3, 1000):
            self.assertTrue(score_functions.keeps_order(_half, classes))
            self.assertEqual(score_functions.form(_half, classes), ("multiclass", "probabilities"))


if __name__ == "__main__":
    tf.test.main()
