"""Receptive fields: published sizes, and the support of real gradients."""

import functools

import keras
import numpy as np
import tensorflow as tf
from absl.testing import parameterized

from tests import nets
from tfvis.errors import InputError
from tfvis.networks import network, rewiring
from tfvis.networks.caffe_layers import convolution_and_shape as caffe
from tfvis.networks.caffe_layers import lrn, pooling, unpooling
from tfvis.networks.receptive_field import receptive_field

layers = keras.layers


@functools.cache
def _random(name: str) -> network.Network:
    return network.build(name, "random")


def _chain(*steps, size=None) -> network.Network:
    return network.wrap(keras.Sequential([keras.Input((size, size, 2)), *steps]))


def _branches(x):
    """Three ways of one size, a large window among them."""
    a = layers.Conv2D(2, 3, padding="same", activation="relu")(x)
    b = layers.Conv2D(2, 1)(layers.AveragePooling2D(5, strides=1, padding="same")(x))
    c = layers.Conv2D(2, 3, dilation_rate=3, padding="same")(a)
    return layers.Concatenate()([layers.Add()([a, b]), c])


def _residual(x):
    """A strided block and its strided shortcut, with arithmetic in between."""
    a = layers.BatchNormalization()(layers.Conv2D(3, 3, strides=2, padding="same")(x / 255.0))
    a = layers.Conv2D(3, 3, padding="same")(layers.ReLU()(a))
    return layers.ReLU()(keras.ops.add(a, layers.Conv2D(3, 1, strides=2)(x)) * 2.0)


def _unet(x):
    """Down, up and across; the way down pads one row more behind than before."""
    down = layers.Conv2D(2, 4, strides=2, padding="same")(x)
    deep = layers.Conv2D(2, 3, padding="same")(layers.MaxPooling2D(2)(down))
    return layers.Concatenate()([layers.UpSampling2D(4)(deep), x])


def _caffe(x):
    """CaffeNet's kinds of layers, each followed by what shows where it looks."""
    x = layers.Conv2D(4, 3, strides=2, activation="relu")(x)
    x = pooling.CaffeMaxPooling2D(3, 2)(lrn.ChannelResponse(3)(x))
    x = caffe.ChannelScale()(caffe.GroupedConv2D(4, 3, padding="same", groups=2)(x))
    return caffe.Power(0.5)(caffe.WeightedSum((2.0, 0.5))([x, layers.ReLU()(x)]))


def _sliced(x):
    """Channels, then rows, then columns; put together again."""
    a, b = (caffe.Slice(3, k, k + 1)(x) for k in range(2))
    a = layers.Conv2D(2, 3)(caffe.Slice(1, 2, 13)(a))
    b = caffe.Slice(2, 2, None)(caffe.Slice(1, 5, 14)(layers.Conv2D(2, 1)(b)))
    return layers.Add()([a, b])


# Each makes its output from an input of 2 channels.
_ODD = {
    "same_stride": lambda x: layers.Conv2D(2, 3, padding="same")(
        layers.Conv2D(2, 3, strides=2, padding="same")(layers.Conv2D(2, 5, padding="same")(x))
    ),
    "valid_leftover": lambda x: layers.Conv2D(2, 3, padding="same")(
        layers.Conv2D(2, (3, 2), strides=(2, 3))(x)
    ),
    "even_windows": lambda x: layers.AveragePooling2D((2, 4), strides=(3, 2), padding="same")(
        layers.Conv2D(2, (4, 2), padding="same")(x)
    ),
    "max": lambda x: layers.MaxPooling2D(3, strides=2, padding="same")(layers.MaxPooling2D(2)(x)),
    "dilation": lambda x: layers.DepthwiseConv2D((2, 3), dilation_rate=2, padding="same")(
        layers.SeparableConv2D(2, 3, dilation_rate=(2, 3))(x)
    ),
    "padded": lambda x: layers.Conv2D(2, 3)(
        layers.ZeroPadding2D(((3, 1), (0, 2)))(layers.Cropping2D(((2, 1), (1, 0)))(x))
    ),
    "nearest": lambda x: layers.Conv2D(2, 3)(
        layers.UpSampling2D((2, 3))(layers.Conv2D(2, 3, strides=2)(x))
    ),
    "bilinear": lambda x: layers.UpSampling2D((2, 3), interpolation="bilinear")(
        layers.AveragePooling2D(2)(x)
    ),
    "transposed": lambda x: layers.Conv2DTranspose(2, 4, strides=2, padding="same")(
        layers.Conv2DTranspose(2, (3, 2), strides=(2, 3))(layers.Conv2D(2, 3, strides=2)(x))
    ),
    "transposed_odd": lambda x: layers.Conv2DTranspose(
        2, 3, strides=3, padding="same", output_padding=1
    )(layers.Conv2DTranspose(2, 5, strides=2, padding="same")(layers.AveragePooling2D(3)(x))),
    # Windows of 17 and 20, and of 16 and 23, that hang over at the end; with a margin.
    "ceil_max": lambda x: pooling.CaffeMaxPooling2D(2, 2, 1)(pooling.CaffeMaxPooling2D(3, 2)(x)),
    "ceil_mean": lambda x: pooling.CaffeAveragePooling2D((3, 4), 3, (1, 0))(
        pooling.CaffeAveragePooling2D(3, 2, (2, 1))(x)
    ),
    "floor_mean": lambda x: pooling.CaffeAveragePooling2D(3, 2, 1, ceil=False)(
        pooling.CaffeAveragePooling2D((2, 3), 3, ceil=False)(x)
    ),
    "responses": lambda x: lrn.ChannelResponse(5, 0.1)(
        lrn.SpatialResponse(5, 0.1)(layers.Conv2D(2, 3, strides=2)(x))
    ),
    "caffe": _caffe,
    "sliced": _sliced,
    "branches": _branches,
    "residual": _residual,
    "unet": _unet,
    "one_place": lambda x: x + layers.Conv2D(2, 1)(layers.AveragePooling2D((16, 20))(x)),
}


def _supports(model: keras.Model, size: tuple[int, int], units) -> list[tuple]:
    """The box around the pixels that each unit answers to, from gradients.

    All weights are positive, so that nothing cancels; the units that a max pooling hides
    come up in one of many random images.
    """
    generator = np.random.default_rng(0)
    for weight in model.trainable_weights:
        weight.assign(generator.uniform(0.5, 1, weight.shape))
    kinds = {type(layer) for layer in model._flatten_layers()}
    # A few pixels far above the rest, so that any may be the largest of a window.
    hides = any(issubclass(kind, layers.MaxPooling2D) for kind in kinds)
    count = 150 if hides else 1
    images = tf.constant(np.exp(3 * generator.normal(size=(count, *size, 2))), tf.float32)

    @tf.function
    def gradient(row, column):
        with tf.GradientTape() as tape:
            tape.watch(images)
            total = tf.reduce_sum(model(images)[:, row, column])
        return tf.reduce_max(tf.abs(tape.gradient(total, images)), [0, 3])

    boxes = []
    for row, column in units:
        rows, columns = np.nonzero(gradient(tf.constant(row), tf.constant(column)).numpy())
        edges = (rows.min(), columns.min(), rows.max() + 1, columns.max() + 1) if len(rows) else ()
        boxes.append(tuple(int(edge) for edge in edges) or (0, 0, 0, 0))
    return boxes


class FieldTest(tf.test.TestCase, parameterized.TestCase):
    @parameterized.parameters(*_ODD)
    def test_boxes_are_the_support_of_gradients(self, name):
        inputs = keras.Input((None, None, 2))
        model = keras.Model(inputs, _ODD[name](inputs))
        net = network.wrap(model)
        # The way up and the way across of a U-Net fit only at multiples of 4; a single
        # place needs the pooling to cover the image.
        fixed = {"unet": [(16, 20)], "one_place": [(16, 20)]}
        for size in fixed.get(name, [(17, 20), (16, 23)]):
            field = receptive_field.receptive_field(net, net.graph.output, *size)
            height, width = model(np.zeros((1, *size, 2), np.float32)).shape[1:3]
            units = {(r, c) for r in (0, 1, height // 2, height - 2, height - 1)
                     for c in (0, 1, width // 2, width - 2, width - 1)
                     if 0 <= r < height and 0 <= c < width}  # fmt: skip
            units = sorted(units)
            self.assertEqual([field.box(*u) for u in units], _supports(model, size, units))
            self.assertEqual((len(field.rows.first), len(field.columns.first)), (height, width))
            for axis, pixels in ((field.rows, size[0]), (field.columns, size[1])):
                indices = np.arange(len(axis.first))
                seen = axis.first <= axis.last
                low = np.array([float(axis.low + axis.jump * int(i)) for i in indices])
                high = np.array([float(axis.high + axis.jump * int(i)) for i in indices])
                # The affine rule holds everything that is seen.
                self.assertAllLessEqual((np.maximum(low, 0) - axis.first)[seen], 0)
                self.assertAllGreaterEqual((np.minimum(high, pixels - 1) - axis.last)[seen], 0)

    @parameterized.parameters(((7, 9), (2, 2), {"scale": (2, 2), "less": (1, 1)}),
                              ((6, 7), (3, 2), {"size": (6, 7)}))  # fmt: skip
    def test_what_is_put_back_by_a_mask_depends_on_its_window(self, size, window, back):
        # Not only on the place itself, whose value it has: another that is larger makes it 0.
        inputs = keras.Input((*size, 1))
        mask = unpooling.PoolingMask(window, window)(inputs)
        pooled = pooling.CaffeMaxPooling2D(window, window)(inputs)
        net = network.wrap(keras.Model(inputs, unpooling.Unpooling(**back)([pooled, mask])))
        field = receptive_field.receptive_field(net, net.graph.output, *size)
        run = net.taps([net.graph.output])
        images = np.random.default_rng(0).uniform(1, 2, (30, *size, 1)).astype(np.float32)
        before = run(tf.constant(images))[net.graph.output]
        minded = np.zeros((*size, *size), bool)
        for row, column in np.ndindex(*size):
            for value in (0, 9):
                others = images.copy()
                others[:, row, column] = value
                after = run(tf.constant(others))[net.graph.output]
                minded[..., row, column] |= np.any(after != before, (0, 3))
        for unit in np.ndindex(*size):
            top, left, bottom, right = field.box(*unit)
            self.assertEqual(minded[unit].sum(), (bottom - top) * (right - left))
            self.assertTrue(minded[unit][top:bottom, left:right].all())

    def test_vgg16(self):
        """The sizes every table of receptive fields has, e.g. Araujo et al. 2019."""
        inputs = keras.Input((None, None, 3))
        net = network.wrap(keras.applications.VGG16(False, None, input_tensor=inputs))
        sizes = {"block1_conv2": 5, "block1_pool": 6, "block2_conv2": 14, "block3_conv3": 40,
                 "block4_conv3": 92, "block5_conv3": 196, "block5_pool": 212}  # fmt: skip
        for layer, size in sizes.items():
            field = receptive_field.receptive_field(net, layer, 224, 192)
            self.assertEqual(field.size, (size, size))
            self.assertEqual(field.rows.jump, net.stride(layer))
        # Far from the borders a box has the size of the field.
        field = receptive_field.receptive_field(net, "block4_conv3", 224, 224)
        top, left, bottom, right = field.box(14, 13)
        self.assertEqual((bottom - top, right - left), (92, 92))
        self.assertEqual((top, left), (14 * 8 + field.rows.low, 13 * 8 + field.rows.low))
        self.assertEqual(field.box(0, 27), (0, 27 * 8 + field.rows.low, 1 + field.rows.high, 224))

    def test_caffenet(self):
        """The sizes below the columns of Mahendran & Vedaldi 2015, figure 6."""
        pool = {"pool_size": 3, "strides": 2}
        net = _chain(
            layers.Conv2D(4, 11, strides=4, name="conv1"),
            layers.MaxPooling2D(**pool, name="pool1"),
            layers.Conv2D(4, 5, padding="same", name="conv2"),
            layers.MaxPooling2D(**pool, name="pool2"),
            layers.Conv2D(4, 3, padding="same", name="conv3"),
            layers.Conv2D(4, 3, padding="same", name="conv4"),
            layers.Conv2D(4, 3, padding="same", name="conv5"),
            layers.MaxPooling2D(**pool, name="pool5"),
            size=227,
        )
        fields = [receptive_field.receptive_field(net, layer, 227, 227) for layer in net.paths]
        self.assertEqual([f.size[0] for f in fields], [11, 19, 51, 67, 99, 131, 163, 195])
        self.assertEqual([f.columns.jump for f in fields], [4, 8, 8, 16, 16, 16, 16, 32])

    @parameterized.parameters(("resnet50", 483), ("mobilenetv2", 491))
    def test_published_sizes(self, name, size):
        """Araujo et al. 2019, "Computing receptive fields", table of networks."""
        net = _random(name)
        spatial = [path for path in net.paths if len(net.graph.tensors[path].shape) == 4]
        field = receptive_field.receptive_field(net, spatial[-1], 640, 640)
        self.assertEqual(field.size, (size, size))
        self.assertEqual(field.rows.jump, 32)
        # Maps are as large as the network's own.
        self.assertEqual((len(field.rows.first),) * 2, net.shape(spatial[-1], 640, 640)[:2])

    def test_resnet_stem_by_hand(self):
        """7x7/2, pool 3/2: 7, 11; then 1x1, 3x3, 1x1 with a shortcut: 11 + 2 * 4 = 19."""
        net = _random("resnet50")
        sizes = {"conv1_relu": 7, "pool1_pool": 11, "conv2_block1_out": 19, "conv2_block3_out": 35}
        for layer, size in sizes.items():
            self.assertEqual(
                receptive_field.receptive_field(net, layer, 224, 224).size, (size, size)
            )

    def test_split_activations_are_ordinary_layers(self):
        net = nets.wrapped(call_function=rewiring.calling("avg", "pre"))
        sizes = [receptive_field.receptive_field(net, p, 32, 32).size[0] for p in net.paths[:6]]
        self.assertEqual(sizes, [3, 3, 4, 8, 8, 10])

    def test_global_layers_see_everything(self):
        net = nets.wrapped()
        for layer in ("gap", "logits", "predictions"):
            field = receptive_field.receptive_field(net, layer, 20, 24)
            self.assertTrue(field.everything)
            self.assertEqual(field.size, (20, 24))
            self.assertEqual(field.box(0, 0), (0, 0, 20, 24))
            self.assertEqual((field.rows.jump, field.rows.low, field.rows.high), (0, 0, 19))

    @parameterized.named_parameters(
        ("reshape", lambda x: layers.Reshape((8, 32, 2))(x)),
        ("softmax_over_the_map", lambda x: layers.Softmax(axis=(1, 2))(x)),
        ("group_norm", lambda x: layers.GroupNormalization(1)(x)),
        ("squeeze_excite", lambda x: x * layers.GlobalAveragePooling2D(keepdims=True)(x)),
    )
    def test_what_joins_or_hides_places_sees_everything(self, step):
        inputs = keras.Input((16, 16, 2))
        x = layers.Conv2D(2, 3, padding="same", name="before")(inputs)
        model = keras.Model(inputs, layers.Conv2D(2, 3, name="after")(step(x)))
        net = network.wrap(model)
        self.assertFalse(receptive_field.receptive_field(net, "before", 16, 16).everything)
        self.assertTrue(receptive_field.receptive_field(net, "after", 16, 16).everything)

    def test_own_classes_are_not_taken_by_their_name(self):
        class Dropout(keras.layers.Layer):
            def call(self, x):
                return x - keras.ops.mean(x, axis=(1, 2), keepdims=True)

        net = _chain(Dropout(name="own"), layers.Conv2D(2, 3, name="after"))
        self.assertTrue(receptive_field.receptive_field(net, "after", 16, 16).everything)

    @parameterized.parameters(9, 24, 37)
    def test_fixed_size_networks_see_a_resized_image(self, side):
        net = nets.wrapped(size=16)
        field = receptive_field.receptive_field(net, "block1_conv1", side, side)
        image = tf.Variable(np.random.default_rng(0).uniform(0, 255, (1, side, side, 3)))
        image = tf.cast(image, tf.float32)
        # Every unit of the layer's input, then what the convolution gathers.
        for row in (0, 7, 15):
            with tf.GradientTape() as tape:
                tape.watch(image)
                x = tf.image.resize(image, (16, 16), antialias=True)
                total = tf.reduce_sum(x[:, max(row - 1, 0) : row + 2])
            gradient = tape.gradient(total, image).numpy()
            rows = np.nonzero(np.abs(gradient).max((0, 2, 3)) > 1e-6)[0]
            self.assertEqual(field.box(row, 0)[0::2], (rows.min(), rows.max() + 1))

    def test_deep_networks_need_no_deep_stack(self):
        inputs = x = keras.Input((None, None, 1))
        for index in range(600):
            x = layers.ReLU(name=f"r{index}")(x)
        net = network.wrap(keras.Model(inputs, layers.Conv2D(1, 3, name="last")(x)))
        self.assertEqual(receptive_field.receptive_field(net, "last", 8, 8).size, (3, 3))

    def test_input_that_cannot_be_used(self):
        net = nets.wrapped()
        with self.assertRaisesRegex(InputError, "no layer 'block9'"):
            receptive_field.receptive_field(net, "block9", 16, 16)
        with self.assertRaisesRegex(InputError, "2 x 2 pixels up to block2_pool.*size"):
            receptive_field.receptive_field(net, "block2_pool", 2, 2)
        with self.assertRaisesRegex(InputError, "column of 0 to 3.*Received: 4"):
            receptive_field.receptive_field(net, "block2_pool", 16, 16).box(3, 4)
        inputs = keras.Input((None, None, 3))
        up = layers.UpSampling2D(2)(layers.MaxPooling2D(2)(inputs))
        net = network.wrap(keras.Model(inputs, layers.Add(name="both")([up, inputs])))
        with self.assertRaisesRegex(InputError, "33 x 33.*both"):
            receptive_field.receptive_field(net, "both", 33, 33)
