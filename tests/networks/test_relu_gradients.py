"""ReLU policies, against deconvnet and guided backpropagation written out in NumPy."""

import keras
import numpy as np
import tensorflow as tf
from absl.testing import parameterized

from tests import nets
from tfvis.errors import InputError
from tfvis.networks import fast_execution, network, relu_gradients, rewiring

layers = keras.layers
_BACKWARD = ("guided", "deconvnet")
# The ways a ReLU can be written into a model.
_STYLES = ("fused", "layer", "activation", "operation", "function", "fused_layer")


def _relu(x, style: str, name: str):
    if style == "layer":
        return layers.ReLU(name=name)(x)
    if style == "activation":
        return layers.Activation("relu", name=name)(x)
    return keras.ops.relu(x) if style == "operation" else keras.activations.relu(x)


def _convolution(x, filters: int, padding: str, style: str, name: str):
    if style.startswith("fused"):
        function = "relu" if style == "fused" else layers.ReLU()
        return layers.Conv2D(filters, 3, padding=padding, activation=function, name=name)(x)
    x = layers.Conv2D(filters, 3, padding=padding, name=f"{name}_linear")(x)
    return _relu(x, style, name)


def _model(style: str = "fused") -> keras.Model:
    """conv-relu-pool-conv-relu, with biases that let most units answer."""
    inputs = keras.Input((None, None, 2))
    x = _convolution(inputs, 4, "same", style, "first")
    x = layers.MaxPooling2D(2, name="pool")(x)
    model = keras.Model(inputs, _convolution(x, 5, "valid", style, "second"))
    generator = np.random.default_rng(1)
    for weight in model.weights:
        weight.assign(generator.normal(0.1 if weight.ndim == 1 else 0, 0.5, weight.shape))
    return model


def _picture(seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=(1, 9, 10, 2)).astype(np.float32)


def _convolve(x, kernel, bias, pad):
    """[height, width, in], [3, 3, in, out] -> [height, width, out], by its definition."""
    x = np.pad(x, ((pad, pad), (pad, pad), (0, 0)))
    y = np.empty((x.shape[0] - 2, x.shape[1] - 2, kernel.shape[3]))
    for row in range(y.shape[0]):
        for column in range(y.shape[1]):
            patch = x[row : row + 3, column : column + 3, :, None]
            y[row, column] = (patch * kernel).sum((0, 1, 2)) + bias
    return y


def _deconvolve(y, kernel, pad):
    """Lays the filter, times each value, where the value was looked for."""
    x = np.zeros((y.shape[0] + 2, y.shape[1] + 2, kernel.shape[2]))
    for row in range(y.shape[0]):
        for column in range(y.shape[1]):
            x[row : row + 3, column : column + 3] += (kernel * y[row, column]).sum(3)
    return x[pad : x.shape[0] - pad, pad : x.shape[1] - pad]


def _unpool(y, x):
    """Puts each value at the largest place of its window of x; equals share it."""
    unpooled = np.zeros(x.shape)
    for row, column, channel in np.ndindex(y.shape):
        window = np.s_[2 * row : 2 * row + 2, 2 * column : 2 * column + 2, channel]
        switch = x[window] == x[window].max()
        unpooled[window] = switch * y[row, column, channel] / switch.sum()
    return unpooled


def _reference(model: keras.Model, x: np.ndarray, upstream: np.ndarray, policy: str) -> np.ndarray:
    """The backward pass of `_model`, by hand."""
    k1, b1, k2, b2 = (np.asarray(w, np.float64) for w in model.weights)

    def rectify(signal, before):
        mask = np.ones(signal.shape)
        if policy != "gradient":
            mask = mask * (signal > 0)
        if policy != "deconvnet":
            mask = mask * (before > 0)
        return signal * mask

    before1 = _convolve(x[0].astype(np.float64), k1, b1, 1)
    after1 = np.maximum(before1, 0)
    pooled = np.zeros((after1.shape[0] // 2, after1.shape[1] // 2, 4))
    for row, column in np.ndindex(pooled.shape[:2]):
        pooled[row, column] = after1[2 * row : 2 * row + 2, 2 * column : 2 * column + 2].max((0, 1))
    before2 = _convolve(pooled, k2, b2, 0)
    signal = _deconvolve(rectify(upstream[0], before2), k2, 0)
    signal = rectify(_unpool(signal, after1), before1)
    return _deconvolve(signal, k1, 1)


def _backward(run, x, upstream):
    """The vector-Jacobian product of `run` at x."""
    x = tf.constant(x)
    with tf.GradientTape() as tape:
        tape.watch(x)
        y = run(x)
    return y.numpy(), tape.gradient(y, x, output_gradients=tf.cast(upstream, y.dtype)).numpy()


class RectifiersTest(tf.test.TestCase, parameterized.TestCase):
    def setUp(self):
        super().setUp()
        self.upstream = np.random.default_rng(5).normal(size=(1, 2, 3, 5)).astype(np.float32)

    @parameterized.product(style=_STYLES, policy=relu_gradients.POLICIES)
    def test_backward_passes_by_hand(self, style, policy):
        model = _model(style)
        net = relu_gradients.with_policy(network.wrap(model), policy)
        taps = net.taps([net.graph.output])
        for seed in range(3):
            x = _picture(seed)
            y, dx = _backward(lambda x: taps(x)[net.graph.output], x, self.upstream)
            self.assertAllClose(y, model(x), rtol=1e-5, atol=1e-6)
            expected = _reference(model, x, self.upstream, policy)
            self.assertAllClose(dx[0], expected, rtol=1e-4, atol=1e-5)
            self.assertGreater(np.abs(expected).max(), 0.1)

    def test_switches_are_the_recorded_maximum(self):
        """Without ties a unit goes back to one place of its window: the largest."""
        inputs = keras.Input((4, 6, 1))
        model = keras.Model(inputs, layers.ReLU()(layers.MaxPooling2D(2, name="pool")(inputs)))
        net = relu_gradients.with_policy(network.wrap(model), "deconvnet")
        x = np.random.default_rng(0).permutation(24).reshape(1, 4, 6, 1).astype(np.float32) - 12
        upstream = np.arange(1, 7, dtype=np.float32).reshape(1, 2, 3, 1)
        taps = net.taps([net.graph.output])
        _, dx = _backward(lambda x: taps(x)[net.graph.output], x, upstream)
        for row, column in np.ndindex(2, 3):
            window = np.s_[0, 2 * row : 2 * row + 2, 2 * column : 2 * column + 2, 0]
            expected = np.zeros(4)
            expected[x[window].argmax()] = upstream[0, row, column, 0]
            self.assertAllEqual(dx[window].ravel(), expected)

    def test_policies_differ_and_the_given_model_is_not_touched(self):
        model = _model("layer")
        net = network.wrap(model)
        x = _picture()
        before = model.to_json(), [len(la._inbound_nodes) for la in model.layers]
        _, plain = _backward(model, x, self.upstream)
        results = []
        for policy in relu_gradients.POLICIES:
            other = relu_gradients.with_policy(net, policy)
            taps = other.taps(["second"])
            results.append(_backward(lambda x, taps=taps: taps(x)["second"], x, self.upstream)[1])
            self.assertEqual(other.paths, net.paths)
            self.assertEqual(other.shape("second", 9, 10), net.shape("second", 9, 10))
        self.assertAllClose(results[0], plain, rtol=1e-4, atol=1e-5)
        for a, b in ((0, 1), (0, 2), (1, 2)):
            self.assertGreater(np.linalg.norm(results[a] - results[b]), 0.1)
        self.assertIs(relu_gradients.with_policy(net, "gradient"), net)
        self.assertEqual((model.to_json(), [len(la._inbound_nodes) for la in model.layers]), before)
        self.assertAllEqual(_backward(model, x, self.upstream)[1], plain)
        untouched = net.taps(["second"])
        _, again = _backward(lambda x: untouched(x)["second"], x, self.upstream)
        self.assertAllEqual(again, results[0])

    def test_weights_are_shared(self):
        model = _model()
        other = relu_gradients.with_policy(network.wrap(model), "guided")
        copy = other.graph.truncated([other.graph.output])
        self.assertSameElements(map(id, copy.variables), map(id, model.variables))

    @parameterized.product(policy=_BACKWARD, packed=[True, False])
    def test_the_fast_plan_keeps_the_policy(self, policy, packed):
        """Wide enough to be packed; in both precisions."""
        keras.utils.set_random_seed(0)
        width = fast_execution.PACKED_MIN_CHANNELS
        conv = {"padding": "same", "activation": "relu"}
        model = keras.Sequential(
            [
                keras.Input((None, None, 3)),
                layers.Conv2D(width, 3, **conv),
                layers.MaxPooling2D(2),
                layers.Conv2D(16, 3, name="packed", **conv),
            ]
        )
        # No window of zeros only: their tie is shared by the plan, and not by TensorFlow.
        model.layers[0].bias.assign(np.full(width, 0.5, np.float32))
        net = relu_gradients.with_policy(network.wrap(model), policy)
        plain = net.graph.truncated(["packed"])
        x = np.random.default_rng(0).normal(size=(1, 8, 8, 3)).astype(np.float32)
        upstream = np.random.default_rng(1).normal(size=(1, 4, 4, 16)).astype(np.float32)
        y, dx = _backward(lambda x: plain(x)["packed"], x, upstream)
        _, ordinary = _backward(model, x, upstream)
        self.assertGreater(np.linalg.norm(dx - ordinary), 0.3 * np.linalg.norm(ordinary))
        for precision, share in (("float32", 1e-4), ("bfloat16", 0.06)):
            taps = net.taps(["packed"], precision, packed)
            kinds = [type(layer).__name__ for layer in taps.model.layers]
            frozen = precision == "bfloat16" or (packed and fast_execution.packs(precision))
            self.assertEqual("FrozenConv" in kinds, frozen)
            fast_y, fast_dx = _backward(lambda x, taps=taps: taps(x)["packed"], x, upstream)
            self.assertLess(np.linalg.norm(fast_y - y), share * np.linalg.norm(y))
            self.assertLess(np.linalg.norm(fast_dx - dx), share * np.linalg.norm(dx))

    @parameterized.named_parameters(
        ("ceiling", {"max_value": 2.0}),
        ("six", {"max_value": 6.0}),
        ("slope", {"negative_slope": 0.25}),
        ("threshold", {"threshold": 0.5, "max_value": 3.0}),
    )
    def test_relus_of_other_shapes(self, shape):
        model = keras.Sequential([keras.Input((1, 40, 1)), layers.ReLU(**shape, name="relu")])
        x = np.linspace(-8, 8, 40, dtype=np.float32).reshape(1, 1, 40, 1)
        upstream = np.random.default_rng(0).normal(size=x.shape).astype(np.float32)
        y, plain = _backward(model, x, upstream)
        slopes = _backward(model, x, np.ones_like(x))[1]
        expected = {
            "gradient": plain,
            "guided": np.maximum(upstream, 0) * slopes,
            "deconvnet": np.maximum(upstream, 0),
        }
        for policy in relu_gradients.POLICIES:
            for precision in fast_execution.PRECISIONS:
                taps = relu_gradients.with_policy(network.wrap(model), policy).taps(
                    ["relu"], precision
                )
                out, dx = _backward(lambda x, taps=taps: taps(x)["relu"], x, upstream)
                near = {"rtol": 1e-6, "atol": 1e-6} if precision == "float32" else {"rtol": 0.01}
                self.assertAllClose(out, y, **near)
                self.assertAllClose(dx, expected[policy], **near)

    def test_residual_nested_and_split_networks(self):
        """Paths with slashes and colons, taps before a ReLU, a head of its own."""
        inner_in = keras.Input((8, 8, 3))
        shared = layers.Conv2D(3, 3, padding="same", activation="relu", name="twice")
        inner = keras.Model(inner_in, shared(shared(inner_in)) + inner_in, name="inner")
        inputs = keras.Input((8, 8, 3))
        x = layers.GlobalAveragePooling2D(name="gap")(inner(inputs))
        outputs = layers.Dense(4, activation="softmax", name="predictions")(x)
        model = keras.Model(inputs, outputs)
        net = network.wrap(model, call_function=rewiring.calling("avg", "pre"))
        other = relu_gradients.with_policy(net, "guided")
        self.assertEqual(other.paths, net.paths)
        self.assertIn("inner/twice:1", other.paths)
        x = tf.constant(nets.picture(8)[None])
        a, b = net.taps(net.paths)(x), other.taps(net.paths)(x)
        for path in net.paths:
            self.assertAllClose(a[path], b[path], rtol=1e-6)
        self.assertAllClose(other.taps(["logits"])(x)["logits"], a[net.logits])

    def test_networks_of_other_nonlinearities(self):
        def wrapped(*steps):
            return network.wrap(keras.Sequential([keras.Input((8, 8, 3)), *steps]), "mine")

        conv = {"filters": 2, "kernel_size": 3}
        relu = layers.Conv2D(**conv, activation="relu", name="good")
        bad = {
            "gelu": layers.Conv2D(**conv, activation="gelu", name="bad"),
            "silu": layers.Activation("swish", name="bad"),
            "ELU": layers.ELU(name="bad"),
            "PReLU": layers.PReLU(name="bad"),
            "Lambda": layers.Lambda(lambda x: tf.nn.relu(x), name="bad"),
        }
        for word, layer in bad.items():
            net = wrapped(relu, layer, layers.Conv2D(**conv, name="end"))
            for policy in _BACKWARD:
                with self.assertRaisesRegex(InputError, f"{policy}.*mine.*{word}.*bad"):
                    relu_gradients.with_policy(net, policy)
                with self.assertRaisesRegex(InputError, "on the way to end"):
                    relu_gradients.with_policy(net, policy, ["good", "end"])
                self.assertEqual(relu_gradients.with_policy(net, policy, ["good"]).paths, net.paths)
            self.assertIs(relu_gradients.with_policy(net, "gradient"), net)
        operation = keras.Input((8, 8, 3))
        net = network.wrap(keras.Model(operation, keras.ops.maximum(operation, 0.0)))
        with self.assertRaisesRegex(InputError, "Maximum at maximum"):
            relu_gradients.with_policy(net, "deconvnet")

    def test_a_last_softmax_does_not_count(self):
        net = nets.wrapped()
        self.assertEqual(relu_gradients.with_policy(net, "guided").logits, "logits")
        with self.assertRaisesRegex(InputError, "softmax at predictions"):
            relu_gradients.with_policy(net, "guided", ["predictions"])

    def test_words_that_are_no_policy(self):
        net = nets.wrapped()
        with self.assertRaisesRegex(InputError, "policy=relu: expected gradient, guided"):
            relu_gradients.with_policy(net, "relu")
        with self.assertRaisesRegex(InputError, "no layer 'block9'"):
            relu_gradients.with_policy(net, "guided", ["block9"])
