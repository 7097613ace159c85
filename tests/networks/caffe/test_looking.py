"""Fields, deconvnets, VisualBackProp and Grad-CAM on Caffe networks."""

import keras
import numpy as np
import tensorflow as tf
from absl.testing import parameterized

from tests import caffe_trunks, nets
from tests.caffe_nets import conv, layer, pool
from tfvis.attention import deconvnet, grad_cam, multiplied_maps, visual_backprop
from tfvis.errors import InputError
from tfvis.networks import relu_gradients
from tfvis.networks.receptive_field import receptive_field
from tfvis.objectives import parsing


class FieldTest(tf.test.TestCase):
    def test_of_caffenet_as_published(self):
        """Below the columns of Mahendran & Vedaldi 2015, figure 6."""
        net = caffe_trunks.named("caffenet")
        sizes = {"relu1": 11, "norm1": 19, "conv2": 51, "norm2": 67, "conv3": 99, "conv4": 131,
                 "relu5": 163, "pool5": 195}  # fmt: skip
        for layer_, size in sizes.items():
            field = receptive_field.receptive_field(net, layer_, 227, 227)
            self.assertEqual(field.size, (size, size), layer_)
            self.assertEqual(len(field.rows.first), net.shape(layer_, 227, 227)[0])

    def test_of_vgg_cnn_s_by_hand(self):
        # 7; + 2 * 2 = 11; + 4 * 6 = 35; + 6 = 41; + 2 * 12 each = 113; + 2 * 12 = 137.
        net = caffe_trunks.named("vgg_cnn_s")
        for layer_, size in {"norm1": 7, "pool1": 11, "conv2": 35, "pool2": 41, "conv5": 113,
                             "pool5": 137}.items():  # fmt: skip
            field = receptive_field.receptive_field(net, layer_, 224, 224)
            self.assertEqual(field.size, (size, size), layer_)
        # The last of the 6 poolings begins at place 15 of 17, conv3 to conv5 see 3 before that;
        # conv1 leaves the last pixel out.
        self.assertEqual(len(field.rows.first), 6)
        self.assertEqual((field.rows.first[-1], field.rows.last[-1]), ((15 - 3) * 12, 222))


def _by_hand(x, upstream, model: keras.Model, policy: str) -> np.ndarray:
    """The way back through conv, relu, norm, pool, conv, relu, in float64."""
    (k1, b1), (k2, b2) = (
        [np.float64(w) for w in model.get_layer(name).get_weights()] for name in ("conv1", "conv2")
    )
    lrn, pool_ = model.get_layer("norm"), model.get_layer("pool")
    before1 = _convolved(np.float64(x), k1, b1)
    after1 = np.maximum(before1, 0)
    band = np.abs(np.subtract.outer(np.arange(k1.shape[3]), np.arange(k1.shape[3])))
    band = np.float64(band <= lrn.size // 2)
    scale = lrn.k + lrn.alpha / lrn.size * np.square(after1) @ band
    normed = after1 * scale**-lrn.beta
    windows = caffe_trunks.windows(normed.shape[:2], pool_)
    pooled = np.array([[normed[rows, columns].max((0, 1)) for columns in windows[1]]
                       for rows in windows[0]])  # fmt: skip
    before2 = _convolved(pooled, k2, b2)

    def rectified(signal, before):
        signal = signal if policy == "gradient" else np.maximum(signal, 0)
        return signal if policy == "deconvnet" else signal * (before > 0)

    signal = _laid(rectified(upstream, before2), k2, pooled.shape)
    back = np.zeros(normed.shape)
    for row, column, channel in np.ndindex(signal.shape):
        part = np.s_[windows[0][row], windows[1][column], channel]
        # Of equals the first, as TensorFlow has it.
        place = np.unravel_index(normed[part].argmax(), normed[part].shape)
        back[part][place] += signal[row, column, channel]
    shared = (back * after1 * scale ** (-lrn.beta - 1)) @ band
    back = back * scale**-lrn.beta - 2 * lrn.alpha * lrn.beta / lrn.size * after1 * shared
    return _laid(rectified(back, before1), k1, x.shape)


def _convolved(x, kernel, bias):
    sides = [n - k + 1 for n, k in zip(x.shape[:2], kernel.shape[:2], strict=True)]
    y = np.empty((*sides, kernel.shape[3]))
    for row, column in np.ndindex(*sides):
        part = x[row : row + kernel.shape[0], column : column + kernel.shape[1], :, None]
        y[row, column] = (part * kernel).sum((0, 1, 2)) + bias
    return y


def _laid(y, kernel, shape):
    x = np.zeros(shape)
    for row, column in np.ndindex(y.shape[:2]):
        part = np.s_[row : row + kernel.shape[0], column : column + kernel.shape[1]]
        x[part] += (kernel * y[row, column]).sum(3)
    return x


class DeconvnetTest(tf.test.TestCase, parameterized.TestCase):
    @parameterized.product(
        # Of maps of 9 x 12 the last windows are cut off, along one axis or both.
        window=["kernel_size: 2 stride: 2", "kernel_size: 3 stride: 2",
                "kernel_size: 3 stride: 3 pad: 1", "kernel_h: 2 kernel_w: 4 stride: 3"],
        policy=relu_gradients.POLICIES,
    )  # fmt: skip
    def test_switches_of_windows_that_hang_over(self, window, policy):
        net = caffe_trunks.wrapped(
            conv("conv1", "data", "num_output: 5 kernel_size: 3"),
            layer("relu1", "ReLU", "conv1", "conv1"),
            layer("norm", "LRN", "conv1", lrn="local_size: 3 alpha: 0.9 beta: 0.5 k: 1.5"),
            pool("pool", "norm", window),
            conv("conv2", "pool", "num_output: 4 kernel_size: 2"),
            layer("relu2", "ReLU", "conv2", "conv2"),
        )
        generator = np.random.default_rng(3)
        x = generator.normal(0, 1, (1, 11, 14, 3)).astype(np.float32)
        taps = relu_gradients.with_policy(net, policy).taps(["relu2"])
        with tf.GradientTape() as tape:
            images = tf.constant(x)
            tape.watch(images)
            seen = taps(images)["relu2"]
        upstream = generator.normal(size=seen.shape).astype(np.float32)
        back = tape.gradient(seen, images, output_gradients=tf.constant(upstream))[0]
        model = keras.Model(net.graph.inputs, list(net.graph.tensors.values()))
        expected = _by_hand(x[0], np.float64(upstream[0]), model, policy)
        self.assertGreater(np.abs(expected).max(), 0.1)
        # What only the windows that hang over have chosen is a part of it.
        self.assertGreater(np.abs(expected[-3:]).max(), 0)
        self.assertAllClose(back, expected, rtol=1e-3, atol=1e-4 * np.abs(expected).max())

    def test_a_power_is_another_nonlinearity(self):
        power = caffe_trunks.small(layer("p", "Power", "pool2", power="power: 2 shift: 1"))
        with self.assertRaisesRegex(InputError, "Power.* at p"):
            relu_gradients.with_policy(power, "guided", ["p"])
        self.assertEqual(relu_gradients.with_policy(power, "guided", ["pool2"]).paths, power.paths)

    @parameterized.parameters("vgg_cnn_s", "caffenet", "illustration2vec")
    def test_of_the_papers_networks(self, name):
        net, (deep, size) = caffe_trunks.named(name), caffe_trunks.DEEP[name]
        pictures = nets.picture(size)[None]
        (peak,) = deconvnet.strongest(net, deep, [3], pictures, 1)[3]
        unit = (3, peak.row, peak.column)
        back = deconvnet.project(net, deep, pictures, unit, "deconvnet")[0]
        self.assertGreater(np.abs(back).max(), 0)
        # Nothing but what the unit sees is in it.
        top, left, bottom, right = receptive_field.receptive_field(net, deep, size, size).box(
            *unit[1:]
        )
        back[top:bottom, left:right] = 0
        self.assertAllEqual(back, np.zeros_like(back))


class ScoresTest(tf.test.TestCase):
    """Networks that end in a map of one place."""

    def _squeezed(self, end: str = "Softmax", average: str = "global_pooling: true"):
        return caffe_trunks.small(
            conv("scores", "pool2", "num_output: 5 kernel_size: 1"),
            pool("mean", "scores", f"pool: AVE {average}"),
            layer("prob", end, "mean"),
        )

    def test_logits_are_the_scores_as_a_vector(self):
        image = tf.constant(nets.oblong(29, 26)[None])
        for end, function in (("Softmax", tf.nn.softmax), ("Sigmoid", tf.sigmoid)):
            net = self._squeezed(end)
            self.assertEqual((net.logits, net.channels_of("logits")), ("logits", 5))
            found = net.taps(["logits", "prob", "scores"])(image)
            self.assertAllClose(found["logits"], tf.reduce_mean(found["scores"], [1, 2]), rtol=1e-5)
            self.assertAllClose(found["prob"][:, 0, 0], function(found["logits"]), rtol=1e-4)
            self.assertEqual(net.graph.output, "prob")
        (unit,) = parsing.parse("logit:3", net, None)
        self.assertEqual((unit.layer, unit.channel), ("logits", 3))

    def test_a_map_that_no_pooling_made_has_none(self):
        # Its places may be the answer.
        net = caffe_trunks.small(
            conv("scores", "pool2", "num_output: 5 kernel_size: 1"),
            layer("prob", "Softmax", "scores"),
        )
        self.assertEqual(net.logits, "")
        self.assertEqual(caffe_trunks.named("caffenet").logits, "")

    def test_of_tags(self):
        net = caffe_trunks.named("illustration2vec")
        self.assertEqual((net.logits, net.fixed_size), ("logits", None))
        self.assertEqual(net.channels_of("logits"), 1539)
        self.assertEqual(net.shape("logits", 224, 224), (1539,))
        cam = grad_cam.GradCam(net)
        self.assertEqual((cam.layer, multiplied_maps.maps(net)[-1]), ("drop6_3", "drop6_3"))

    def test_grad_cam_of_scores_that_are_a_map(self):
        net = self._squeezed("Sigmoid", "kernel_size: 2 stride: 1")
        cam = grad_cam.GradCam(net)
        self.assertEqual(cam.layer, "relu2")
        image = nets.oblong(29, 26)[None]
        found = np.concatenate([cam.maps(image, [k]) for k in range(5)])
        # The score is linear in the pooled map: by hand, a mean of means of windows.
        maps = tf.Variable(net.taps(["relu2"])(tf.constant(image))["relu2"])
        kernel = net.graph.layers["scores"].kernel[0, 0]
        with tf.GradientTape() as tape:
            pooled = tf.nn.avg_pool2d(net.graph.layers["pool2"](maps), 2, 1, "VALID")
            scores = tf.linalg.matvec(kernel, tf.reduce_mean(pooled, [0, 1, 2]), transpose_a=True)
        weights = tf.reduce_mean(tape.jacobian(scores, maps), [2, 3])
        expected = np.maximum((weights[:, 0, None, None] * maps).numpy().sum(-1), 0)
        self.assertGreater(expected.max(), 0)
        self.assertAllClose(found, expected, rtol=1e-4, atol=1e-6)


class AttentionTest(tf.test.TestCase, parameterized.TestCase):
    def test_layers_that_count(self):
        norms = ("relu1", "norm1", "relu2", "norm2", "relu3", "relu4", "relu5", "pool5")
        self.assertEqual(multiplied_maps.maps(caffe_trunks.named("caffenet")), norms)
        found = multiplied_maps.maps(caffe_trunks.named("vgg_cnn_s"))
        poolings = ("norm1", "pool1", "relu2", "pool2", "relu3", "relu4", "relu5", "pool5")
        self.assertEqual(found, poolings)
        # Paddings and vectors do not, with the classifier neither.
        whole = caffe_trunks.named("caffenet", True)
        self.assertEqual(multiplied_maps.maps(whole), norms)
        self.assertIn("fc6_flat", whole.paths)
        padded = caffe_trunks.wrapped(
            conv("conv1", "data", "num_output: 2 kernel_size: 7 stride: 2 pad: 3"),
            layer("relu1", "ReLU", "conv1"),
            layer("norm1", "LRN", "relu1", lrn="local_size: 3 norm_region: WITHIN_CHANNEL"),
        )
        self.assertIn("conv1_pad", padded.paths)
        self.assertEqual(multiplied_maps.maps(padded), ("norm1",))

    @parameterized.parameters(
        # Maps of 24 x 31 and of 25 x 30: windows hang over along both, along one axis.
        ((51, 65), "kernel_size: 3 stride: 2"),
        ((53, 63), "kernel_size: 2 stride: 2"),
        ((53, 63), "kernel_size: 3 stride: 2 pad: 1"),
    )
    def test_a_bright_dot_stays_where_it_is(self, size, window):
        net = caffe_trunks.wrapped(
            conv("conv1", "data", "num_output: 3 kernel_size: 5 stride: 2"),
            layer("relu1", "ReLU", "conv1"),
            layer("norm1", "LRN", "relu1", lrn="alpha: 1e-4"),
            pool("pool1", "norm1", window),
            conv("conv2", "pool1", "num_output: 4 kernel_size: 3 pad: 1"),
            layer("relu2", "ReLU", "conv2"),
        )
        for layer_ in net.graph.layers.values():
            if isinstance(layer_, keras.layers.Conv2D):
                layer_.set_weights([np.full_like(w, w.ndim > 1) for w in layer_.get_weights()])
        attend = visual_backprop.VisualBackProp(net)
        for row in (3, size[0] // 2, size[0] - 5):
            for column in (3, size[1] // 2, size[1] - 5):
                image = np.zeros((1, *size, 3), np.float32)
                image[0, row, column] = 255
                mask = attend(image)[0].numpy()
                centre = [float((mask * axis).sum() / mask.sum()) for axis in np.indices(size)]
                # Within the strides together nothing can tell places apart.
                self.assertAllClose(centre, (row, column), atol=4)
                self.assertGreater(mask[row, column], 0.5)

    @parameterized.parameters("vgg_cnn_s", "caffenet", "illustration2vec")
    def test_a_dot_on_the_papers_networks(self, name):
        net, size = caffe_trunks.named(name), {"illustration2vec": 61}.get(name, 131)
        stride = net.stride(multiplied_maps.maps(net)[0])
        for row, column in ((40, 51),) if size == 61 else ((60, 45), (90, 101)):
            image = np.full((1, size, size, 3), 120, np.float32)
            image[0, row : row + stride, column : column + stride] = 255
            mask = visual_backprop.VisualBackProp(net)(image)[0].numpy()
            found = np.unravel_index(mask.argmax(), mask.shape)
            # The first layer's kernel is what one place of its map stands for.
            self.assertAllClose(found, (row, column), atol=11)

    def test_grad_cam_of_a_classifier(self):
        net = caffe_trunks.small(
            layer("fc", "InnerProduct", "pool2", inner_product="num_output: 5"),
            layer("prob", "Softmax", "fc"),
        )
        cam = grad_cam.GradCam(net)
        self.assertEqual((cam.layer, net.logits), ("relu2", "fc"))
        maps = cam(nets.oblong(29, 26)[None], [2]).numpy()
        self.assertEqual(maps.shape, (1, 29, 26))
        self.assertAllGreaterEqual(maps, 0)


if __name__ == "__main__":
    tf.test.main()
