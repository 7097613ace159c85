"""Caffe's own layers against its formulas, written out; their gradients; what they run in."""

import itertools

import keras
import numpy as np
import tensorflow as tf
from absl.testing import parameterized

from tests.caffe_nets import deploy, deviation, image, layer
from tfvis.networks import network
from tfvis.networks.caffe.to_keras import layers_to_keras
from tfvis.networks.caffe_layers import convolution_and_shape, lrn, pooling


def _pooled(x, kernel, stride, pad, ceil, average):
    """pooling_layer.cpp, for one image: [height, width, channels]."""
    sides = x.shape[:2]
    counts = []
    for size, k, s, p in zip(sides, kernel, stride, pad, strict=True):
        exact = (size + 2 * p - k) / s
        count = int(np.ceil(exact) if ceil else np.floor(exact)) + 1
        if (count - 1) * s >= size + p:
            count -= 1
        counts.append(count)
    out = np.zeros((*counts, x.shape[2]))
    for place in np.ndindex(*counts):
        begins = [i * s - p for i, s, p in zip(place, stride, pad, strict=True)]
        ends = [
            min(b + k, size + p) for b, k, size, p in zip(begins, kernel, sides, pad, strict=True)
        ]
        divisor = (ends[0] - begins[0]) * (ends[1] - begins[1])
        window = x[max(begins[0], 0) : ends[0], max(begins[1], 0) : ends[1]]
        out[place] = window.sum((0, 1)) / divisor if average else window.max((0, 1))
    return out


def _across(x, size, alpha, beta, k):
    """lrn_layer.cpp, across channels."""
    out = np.zeros_like(x)
    for c in range(x.shape[-1]):
        energy = np.square(x[..., max(c - size // 2, 0) : c + size // 2 + 1]).sum(-1)
        out[..., c] = x[..., c] / (k + alpha / size * energy) ** beta
    return out


def _within(x, size, alpha, beta):
    """lrn_layer.cpp, within channels: an average pooling of the squares, without a k."""
    means = _pooled(np.square(x[0]), (size,) * 2, (1, 1), (size // 2,) * 2, True, True)
    return x / (1 + alpha * means) ** beta


def _dynamic(layer):
    """Returns a layer as a function that does not know the size of its map."""
    spec = tf.TensorSpec([None, None, None, None], tf.float32)
    return tf.function(lambda x: layer(tf.ensure_shape(x, [None, None, None, 2])), [spec])


def _gradient(function, x, upstream):
    x = tf.constant(x)
    with tf.GradientTape() as tape:
        tape.watch(x)
        y = function(x)
    return tape.gradient(y, x, tf.cast(upstream, y.dtype))


def _numerical(function, x, upstream, step=1e-5):
    """Central differences of sum(upstream * function(x)), function in float64."""
    gradient = np.zeros_like(x)
    for place in np.ndindex(*x.shape):
        moved = [x.copy(), x.copy()]
        moved[0][place] += step
        moved[1][place] -= step
        up, down = ((function(m) * upstream).sum() for m in moved)
        gradient[place] = (up - down) / (2 * step)
    return gradient


class PoolingTest(parameterized.TestCase, tf.test.TestCase):
    @parameterized.product(average=[False, True], ceil=[True, False])
    def test_windows_are_caffes_at_all_sizes(self, average, ceil):
        kind = pooling.CaffeAveragePooling2D if average else pooling.CaffeMaxPooling2D
        # Kernel, stride and pad along rows, and others along columns.
        settings = [(2, 2, 0), (3, 2, 0), (3, 2, 1), (3, 3, 2), (4, 1, 2), (1, 3, 0), (2, 3, 1)]
        # Below 0 everywhere, so that a zero of the padding would be seen.
        maps = np.random.default_rng(0).uniform(-3, -1, (1, 9, 9, 2)).astype("f4")
        for rows, columns in zip(settings, settings[1:] + settings[:1], strict=True):
            kernel, stride, pad = zip(rows, columns, strict=True)
            pool = kind(kernel, stride, pad, ceil=ceil)
            dynamic = _dynamic(pool)
            for height, width in itertools.product((4, 5, 6, 9), (4, 7, 8)):
                x = maps[:, :height, :width]
                wanted = _pooled(x[0], kernel, stride, pad, ceil, average)[None]
                self.assertEqual(pool.compute_output_shape(x.shape), wanted.shape)
                self.assertAllClose(pool(x), wanted, rtol=1e-6)
                self.assertAllClose(dynamic(x), wanted, rtol=1e-6)

    def test_a_window_larger_than_the_map_is_cut_off(self):
        x = np.float32([[[[1.0], [3.0]], [[2.0], [5.0]]]])
        self.assertAllEqual(pooling.CaffeMaxPooling2D(3, 2)(x), [[[[5.0]]]])
        # A row and a column of each window hang over; they are not counted.
        self.assertAllClose(pooling.CaffeAveragePooling2D(3, 2)(x), [[[[2.75]]]])

    def test_a_map_too_small_has_no_output(self):
        pool = pooling.CaffeMaxPooling2D(5, 2)
        with self.assertRaisesRegex(ValueError, "smaller than a window"):
            pool.compute_output_shape((1, 3, 9, 2))
        self.assertEqual(pool.compute_output_shape((1, 4, 9, 2)), (1, 1, 3, 2))
        self.assertEqual(pool.compute_output_shape((1, None, 9, 2)), (1, None, 3, 2))

    @parameterized.parameters(False, True)
    def test_gradients_go_where_the_values_came_from(self, average):
        kind = pooling.CaffeAveragePooling2D if average else pooling.CaffeMaxPooling2D
        generator = np.random.default_rng(1)
        # All different by more than the step of the differences.
        x = generator.permutation(7 * 6 * 2).reshape(1, 7, 6, 2) / 10.0 - 4
        for kernel, stride, pad in ((2, 2, 0), (3, 2, 1), (3, 3, 0)):
            args = ((kernel,) * 2, (stride,) * 2, (pad,) * 2, True, average)
            upstream = generator.normal(size=_pooled(x[0], *args).shape)
            wanted = _numerical(lambda m, args=args: _pooled(m[0], *args), x, upstream)
            for function in (kind(kernel, stride, pad), _dynamic(kind(kernel, stride, pad))):
                found = _gradient(function, x.astype("f4"), upstream[None].astype("f4"))
                self.assertAllClose(found, wanted, atol=1e-5)

    def test_bfloat16_and_a_copy_by_its_settings(self):
        for kind in (pooling.CaffeMaxPooling2D, pooling.CaffeAveragePooling2D):
            pool = kind((3, 2), 2, (1, 0), ceil=False, dtype="mixed_bfloat16", name="pool")
            again = keras.layers.deserialize(keras.layers.serialize(pool))
            self.assertEqual(again.get_config(), pool.get_config())
            outputs = again(image())
            self.assertEqual(outputs.dtype, tf.bfloat16)
            exact = kind((3, 2), 2, (1, 0), ceil=False)(image())
            self.assertAllClose(tf.cast(outputs, tf.float32), exact, rtol=2e-2, atol=2e-2)


class NormalizingTest(parameterized.TestCase, tf.test.TestCase):
    @parameterized.parameters((5, 5e-1, 0.75, 2.0), (3, 2.0, 0.5, 1.0), (21, 1.0, 1.3, 0.5))
    def test_across_channels(self, size, alpha, beta, k):
        norm = lrn.ChannelResponse(size, alpha, beta, k)
        x = image((3, 2), channels=11)
        self.assertAllClose(norm(x), _across(x, size, alpha, beta, k), rtol=1e-5)
        exact = x.astype("f8")
        upstream = image((3, 2), channels=11, seed=2)
        wanted = _numerical(lambda m: _across(m, size, alpha, beta, k), exact, upstream)
        self.assertLess(deviation(_gradient(norm, x, upstream), wanted), 1e-5)

    @parameterized.parameters((5, 2.0, 0.75), (3, 1.0, 0.9))
    def test_within_channels(self, size, alpha, beta):
        norm = lrn.SpatialResponse(size, alpha, beta)
        x = image((6, 5), channels=2)
        self.assertAllClose(norm(x), _within(x, size, alpha, beta), rtol=1e-5)
        self.assertAllClose(_dynamic(norm)(x), _within(x, size, alpha, beta), rtol=1e-5)
        exact = x.astype("f8")
        upstream = image((6, 5), channels=2, seed=2)
        wanted = _numerical(lambda m: _within(m, size, alpha, beta), exact, upstream)
        self.assertLess(deviation(_gradient(norm, x, upstream), wanted), 1e-5)

    def test_a_silent_map_stays_silent(self):
        silent = np.zeros((1, 4, 4, 6), "f4")
        for norm in (lrn.ChannelResponse(), lrn.SpatialResponse()):
            self.assertAllEqual(norm(silent), silent)
            # Divided by k ** beta = 1.
            self.assertAllClose(_gradient(norm, silent, silent + 1), silent + 1, rtol=1e-6)

    def test_bfloat16_loses_its_own_digits_only(self):
        # Squares of these, summed up in bfloat16, would be off by more.
        x = 300 * image((8, 8), channels=64)
        for kind in (lrn.ChannelResponse, lrn.SpatialResponse):
            outputs = kind(5, dtype="mixed_bfloat16")(x)
            self.assertEqual(outputs.dtype, tf.bfloat16)
            rounded = tf.cast(tf.cast(x, tf.bfloat16), tf.float32)
            # Half a unit in the last of bfloat16's 8 digits.
            self.assertAllClose(tf.cast(outputs, tf.float32), kind(5)(rounded), rtol=2**-8)


class LayersTest(parameterized.TestCase, tf.test.TestCase):
    @parameterized.product(dtype=["float32", "bfloat16"], dilation=[1, 2])
    def test_groups_are_convolutions_beside_one_another(self, dtype, dilation):
        policy = "float32" if dtype == "float32" else "mixed_bfloat16"
        settings = {"padding": "same", "dilation_rate": dilation, "dtype": policy}
        grouped = convolution_and_shape.GroupedConv2D(6, 3, groups=2, **settings)
        x = image((8, 7), channels=4)
        grouped.build(x.shape)
        single = []
        for part in (slice(0, 3), slice(3, 6)):
            single.append(keras.layers.Conv2D(3, 3, **settings))
            single[-1].build((None, 8, 7, 2))
            single[-1].set_weights([grouped.kernel[..., part], grouped.bias[part]])

        def beside(x):
            pairs = zip(single, tf.split(x, 2, -1), strict=True)
            return tf.concat([conv(part) for conv, part in pairs], -1)

        upstream = image((8, 7), channels=6, seed=3)
        # A unit in the last place, of as many digits.
        rtol = 1e-5 if dtype == "float32" else 2**-7
        for function in (grouped, tf.function(grouped)):
            self.assertEqual(function(x).dtype, dtype)
            self.assertAllClose(function(x), beside(x), rtol=rtol, atol=rtol)
            found, wanted = (_gradient(f, x, upstream) for f in (function, beside))
            self.assertAllClose(found, wanted, rtol=rtol, atol=rtol)

    def test_settings_make_the_same_layer_again(self):
        for made in (
            convolution_and_shape.GroupedConv2D(4, 3, groups=2),
            convolution_and_shape.CaffeReshape((2, 3)),
            convolution_and_shape.Slice(3, 1, None),
            convolution_and_shape.WeightedSum([1.0, -0.5]),
            convolution_and_shape.Power(2.0, 3.0, 4.0),
            convolution_and_shape.ChannelScale(True),
            lrn.ChannelResponse(3, 0.1, 0.5, 2.0),
            lrn.SpatialResponse(3, 0.1, 0.5),
        ):
            again = keras.layers.deserialize(keras.layers.serialize(made))
            self.assertEqual(again.get_config(), made.get_config())

    def test_vectors_are_in_caffes_order(self):
        x = image((2, 3), channels=4)
        wanted = x.transpose(0, 3, 1, 2).reshape(1, -1)
        self.assertAllEqual(convolution_and_shape.CaffeReshape((24,))(x), wanted)
        self.assertAllEqual(convolution_and_shape.CaffeReshape((4, 2, 3))(wanted), x)


class RunningTest(parameterized.TestCase, tf.test.TestCase):
    def _network(self):
        keras.utils.set_random_seed(0)
        net = deploy(
            layer(
                "conv1",
                "Convolution",
                "data",
                convolution="num_output: 16 kernel_size: 5 stride: 2 pad: 1",
            ),
            layer("relu1", "ReLU", "conv1", "conv1"),
            layer("norm1", "LRN", "conv1", lrn="alpha: 0.05 k: 2"),
            layer("pool1", "Pooling", "norm1", pooling="kernel_size: 3 stride: 2"),
            layer(
                "conv2",
                "Convolution",
                "pool1",
                convolution="num_output: 16 kernel_size: 3 pad: 1 group: 2",
            ),
            layer("relu2", "PReLU", "conv2", "conv2"),
            layer("pool2", "Pooling", "conv2", pooling="pool: AVE kernel_size: 2 stride: 2"),
            layer("fc", "InnerProduct", "pool2", inner_product="num_output: 6"),
            layer("prob", "Softmax", "fc"),
            size=(31, 31),
        )
        model = layers_to_keras.translated(net, name="net")
        return model, network.wrap(model)

    @parameterized.parameters("float32", "bfloat16")
    def test_a_network_runs_as_its_model_does_and_has_gradients(self, precision):
        model, wrapped = self._network()
        self.assertEqual(wrapped.logits, "fc")
        images = tf.constant(image((31, 31)))
        inner = keras.Model(model.input, {n: model.get_layer(n).output for n in ("norm1", "fc")})

        def scores(run):
            with tf.GradientTape() as tape:
                tape.watch(images)
                outputs = run(images)
                score = tf.reduce_sum(outputs["fc"][:, 2]) + tf.reduce_mean(outputs["norm1"])
            return outputs, tape.gradient(score, images)

        wanted, exact = scores(inner)
        found, gradient = scores(tf.function(wrapped.taps(["norm1", "fc"], precision)))
        # bfloat16 has 8 digits, and rounds after each of the layers.
        close = 1e-5 if precision == "float32" else 0.06
        for name in ("norm1", "fc"):
            self.assertLess(deviation(found[name], wanted[name]), close)
        # As directions: of two values that round to one, a max pooling may choose the other.
        cosine = tf.reduce_sum(gradient * exact) / (tf.norm(gradient) * tf.norm(exact))
        self.assertGreater(cosine, 1 - close)

    def test_poolings_and_convolutions_are_known_as_such(self):
        _, wrapped = self._network()
        self.assertEqual(wrapped.convolutions_and_poolings(), ("conv1", "pool1", "conv2", "pool2"))
        self.assertEqual(wrapped.stride("pool1"), 4)


if __name__ == "__main__":
    tf.test.main()
