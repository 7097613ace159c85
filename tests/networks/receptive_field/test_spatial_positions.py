"""Places through any operation, against changing every place of the input by hand."""

import functools

import keras
import numpy as np
import tensorflow as tf
from absl.testing import parameterized

from tfvis.networks import network
from tfvis.networks.receptive_field import (
    layer_rules,
    probing,
    reach,
    receptive_field,
    spatial_maps,
    spatial_positions,
    subgraph_probing,
)
from tfvis.networks.receptive_field.subgraph_probing import Lost

layers, ops = keras.layers, keras.ops


class Doubled(layers.Layer):
    """A layer of someone's own."""

    def call(self, x):
        return 2 * ops.roll(x, 1, axis=1)


class InstanceNorm(layers.Layer):
    """One more, which normalises by statistics of the map."""

    def call(self, x):
        mean, variance = ops.moments(x, [1, 2], keepdims=True)
        return (x - mean) / ops.sqrt(variance + 1e-3)


class Patches(layers.Layer):
    """As examples for vision transformers have it."""

    def call(self, x):
        x = ops.image.extract_patches(x, 3, strides=3)
        return ops.reshape(x, (-1, x.shape[1] * x.shape[2], x.shape[3]))


def _shuffled(x):
    """Pixel shuffle of 2: a quarter of the channels, twice the size."""
    height, width, channels = x.shape[1:]
    x = layers.Reshape((height, width, channels // 4, 2, 2))(x)
    return layers.Reshape((2 * height, 2 * width, channels // 4))(
        layers.Permute((1, 4, 2, 5, 3))(x)
    )


def _windowed(x):
    """Attention within windows of 3 x 3, as Swin's."""
    height, width = x.shape[1] // 3, x.shape[2] // 3
    y = layers.Permute((1, 3, 2, 4, 5))(layers.Reshape((height, 3, width, 3, x.shape[3]))(x))
    y = ops.reshape(y, (-1, 9, x.shape[3]))
    y = layers.MultiHeadAttention(1, 4)(y, y)
    y = ops.reshape(y, (-1, height, width, 3, 3, x.shape[3]))
    return ops.reshape(ops.transpose(y, (0, 1, 3, 2, 4, 5)), (-1, *x.shape[1:]))


def _hidden(x):
    """Space to depth, a convolution, and back."""
    x = layers.Reshape((6, 2, 6, 2, 2))(x)
    x = layers.Reshape((6, 6, 8))(layers.Permute((1, 3, 2, 4, 5))(x))
    return _shuffled(layers.Conv2D(8, 3, padding="same")(x))


def _class_token(x):
    """Tokens with one of another kind before them."""
    tokens = layers.Reshape((-1, 4))(layers.Conv2D(4, 3, strides=3)(x))
    token = ops.mean(tokens, axis=1, keepdims=True)
    tokens = layers.Concatenate(axis=1)([token, tokens])
    return tokens + layers.MultiHeadAttention(1, 4)(tokens, tokens)


def _difference(x, apart: int, both: bool = False):
    """What a running sum grows by over some columns, and rows."""
    x = x[:, :, apart:] - x[:, :, :-apart]
    return x[:, apart:] - x[:, :-apart] if both else x


def _conv(*args, **kwargs):
    return layers.Conv2D(*args, padding="same", **kwargs)


# Of an input of 2 channels; where they keep places, those that single changes show.
_KEEP = {
    "sliced": lambda x: x[:, 2:-1, ::2],
    "one_crop": lambda x: x[:, 3:6, 8:11],
    "reversed": lambda x: ops.flip(x, axis=2),
    "rolled": lambda x: ops.roll(x, 2, axis=1),
    "custom": lambda x: Doubled()(x),
    "reflected": lambda x: ops.pad(x, ((0, 0), (2, 1), (0, 3), (0, 0)), "reflect"),
    "zero_padded": lambda x: ops.pad(x, ((0, 0), (2, 1), (0, 3), (0, 0))),
    "resized": lambda x: layers.Resizing(7, 17)(x),
    "resized_nearest": lambda x: layers.Resizing(5, 20, interpolation="nearest")(x),
    "bicubic": lambda x: layers.UpSampling2D(2, interpolation="bicubic")(x),
    "center_crop": lambda x: layers.CenterCrop(7, 9)(x),
    "turned": lambda x: layers.Permute((2, 1, 3))(_conv(2, (3, 1))(x)),
    "turned_conv": lambda x: layers.Conv2D(2, (1, 4), strides=(1, 2))(layers.Permute((2, 1, 3))(x)),
    "rotated": lambda x: ops.rot90(x, axes=(1, 2)),
    "concatenated": lambda x: layers.Concatenate(axis=1)([x, _conv(2, 3)(x)]),
    "channels_first": lambda x: layers.Permute((3, 1, 2))(x),
    "channels_first_pooled": lambda x: layers.MaxPooling2D(
        (3, 2), strides=2, data_format="channels_first"
    )(layers.Permute((3, 1, 2))(x)),
    "channels_first_and_back": lambda x: layers.Permute((2, 3, 1))(
        ops.relu(layers.Permute((3, 1, 2))(_conv(2, 3)(x)))
    ),
    "tokens": lambda x: layers.Reshape((-1, 2))(x),
    "tokens_and_back": lambda x: layers.Reshape((6, 6, 4))(
        layers.Dense(4)(layers.Reshape((36, 2))(layers.AveragePooling2D(2)(x)))
    ),
    "patches": lambda x: Patches()(x),
    "class_token": _class_token,
    "class_token_dropped": lambda x: layers.Reshape((4, 4, 4))(_class_token(x)[:, 1:]),
    "lambda": lambda x: layers.Lambda(lambda y: y[:, :, 1:] - y[:, :, :-1])(x),
    "median": lambda x: layers.Lambda(
        lambda y: ops.median(
            ops.reshape(ops.image.extract_patches(y, 3, strides=1), (-1, 10, 10, 9, 2)), axis=3
        )
    )(x),
    "einsum": lambda x: ops.einsum("bhwc,cd->bhwd", x, np.ones((2, 3), np.float32)),
    "time": lambda x: layers.TimeDistributed(layers.Conv1D(2, 3, padding="same"))(x),
    "average_nd": lambda x: ops.average_pool(x, 3, strides=2, padding="same"),
    "conv_nd": lambda x: ops.conv(x, np.ones((2, 3, 2, 2), np.float32), dilation_rate=2),
    "shuffled": lambda x: _shuffled(_conv(8, 3)(x)),
    "windowed": lambda x: _windowed(x),
    "hidden": _hidden,
    "logarithm": lambda x: ops.log(ops.abs(x) + 1) / ops.sqrt(x * x + 1),
}
# Differences of running sums are of places again: one column, and the mean of a box.
_RESTORED = {
    "difference": lambda x: _difference(ops.cumsum(x, axis=2), 1),
    "box": lambda x: _difference(ops.cumsum(ops.cumsum(x, axis=1), axis=2), 3, both=True),
    "normalised": lambda x: _difference(ops.cumsum(x, axis=2) / 9.0 + 1.0, 2),
}
# Each place is its own for the most part.
_NEARLY = {
    "group": lambda x: layers.GroupNormalization(1)(x),
    "layer": lambda x: layers.LayerNormalization(axis=(1, 2, 3))(x),
    "unit": lambda x: layers.UnitNormalization(axis=(1, 2))(x),
    "of_someones_own": lambda x: InstanceNorm()(x),
    "of_operations": lambda x: x - ops.mean(x, axis=(1, 2), keepdims=True),
    "squeeze_excite": lambda x: x * layers.GlobalAveragePooling2D(keepdims=True)(x),
}
_LOSE = {
    "flattened": lambda x: layers.Flatten()(x),
    "mean": lambda x: layers.GlobalAveragePooling2D()(x),
    "of_operations": lambda x: ops.max(x, axis=(1, 2), keepdims=True),
    "autoencoder": lambda x: layers.Reshape((6, 6, 2))(
        layers.Dense(72)(layers.Flatten()(x))
    ),
    "space_to_channels": lambda x: _conv(2, 3)(layers.Permute((1, 3, 2))(x)),
    "attention": lambda x: layers.MultiHeadAttention(1, 4)(*2 * [layers.Reshape((-1, 2))(x)]),
    "fourier": lambda x: ops.fft2((ops.transpose(x, (0, 3, 1, 2)),) * 2)[0],
    "interleaved": lambda x: layers.Reshape((6, 24, 2))(x),
    "skewed": lambda x: ops.image.affine_transform(
        x, np.array([1, 0.4, 0, 0.3, 1, 0, 0, 0], np.float32)
    ),
    "mixed_rows": lambda x: ops.matmul(ops.transpose(x, (0, 3, 2, 1)), np.ones((12, 12), "f")),
}  # fmt: skip
_SIZE = (12, 12)


@functools.cache
def _model(make) -> keras.Model:
    keras.utils.set_random_seed(0)
    inputs = keras.Input((*_SIZE, 2))
    return keras.Model(inputs, make(inputs))


def _by_hand(model, layout, sizes) -> np.ndarray:
    """Which places of the output each of the input changes, bool [rows, columns, h, w]."""
    random = np.random.default_rng(5)
    seen = False
    for scale in (1, 1, 30, -30):
        image = random.normal(size=(*_SIZE, 2))
        changed = np.repeat(image[None], np.prod(_SIZE), 0)
        places_ = np.indices(_SIZE).reshape(2, -1)
        fresh = random.normal(size=(len(changed), 2))
        fresh = fresh if scale == 1 else scale + fresh
        changed[np.arange(len(changed)), places_[0], places_[1]] = fresh
        before, after = (model(x.astype("f")) for x in (image[None], changed))
        before, after = (
            spatial_positions.as_map(x, layout, sizes).numpy() for x in (before, after)
        )
        apart = np.abs(after - before)
        # Of float32 sums; what is seen is changed by some hundredths at least.
        seen |= (apart > 1e-5 * np.abs(after).max()).any(-1)
    return np.moveaxis(seen, 0, -1).reshape(*sizes, *_SIZE)


class PlacesTest(tf.test.TestCase, parameterized.TestCase):
    @parameterized.parameters(*_KEEP)
    def test_what_is_seen_is_what_single_changes_show(self, name):
        model = _model(_KEEP[name])
        start, end = model.inputs[0], model.outputs[0]
        walk = spatial_positions.start(start, _SIZE)
        state = walk.to(end)
        self.assertNotIsInstance(state, Lost, str(state))
        rows, columns = reach.reach(start, end, _SIZE)
        self.assertEqual(walk.sizes(end), (len(rows), len(columns)))
        seen = _by_hand(model, state.layout, walk.sizes(end))
        if name == "class_token":  # Beside the attention, which sees all.
            self.assertTrue(seen.all())
        elif name != "class_token_dropped":
            self.assertAllEqual(rows, seen.any((1, 3)))
            self.assertAllEqual(columns, seen.any((0, 2)))
            net = network.wrap(model)
            field = receptive_field.receptive_field(net, net.graph.output, *_SIZE)
            for axis, one in ((field.rows, rows), (field.columns, columns)):
                sees = one.any(1)
                self.assertAllEqual(axis.first[sees], one.argmax(1)[sees])
                self.assertAllEqual(axis.last[sees], 11 - one[:, ::-1].argmax(1)[sees])
                # The affine rule holds everything that is seen.
                units = np.flatnonzero(sees)
                low = [float(axis.low + axis.jump * int(unit)) for unit in units]
                high = [float(axis.high + axis.jump * int(unit)) for unit in units]
                self.assertAllLessEqual(np.maximum(low, 0) - axis.first[sees], 0)
                self.assertAllGreaterEqual(np.minimum(high, 11) - axis.last[sees], 0)

    @parameterized.parameters(*_NEARLY)
    def test_what_sees_all_and_keeps_its_place(self, name):
        model = _model(_NEARLY[name])
        self.assertTrue(_by_hand(model, layer_rules.Layout(), _SIZE).all())
        rows, columns = reach.reach(model.inputs[0], model.outputs[0], _SIZE)
        self.assertAllEqual(rows, np.eye(12))
        self.assertAllEqual(columns, np.eye(12))
        net = network.wrap(model)
        last = net.graph.output
        self.assertTrue(receptive_field.receptive_field(net, last, *_SIZE).everything)
        field = receptive_field.receptive_field(net, last, *_SIZE, places_only=True)
        self.assertEqual((field.size, field.places), ((1, 1), _SIZE))

    @parameterized.parameters(*_LOSE)
    def test_where_places_end_it_is_said(self, name):
        model = _model(_LOSE[name])
        found = reach.reach(model.inputs[0], model.outputs[0], _SIZE)
        self.assertIsInstance(found, Lost)
        self.assertIn(found.operation, [op.name for op in model.operations])

    @parameterized.parameters(*_RESTORED)
    def test_differences_of_running_sums_are_asked_as_one(self, name):
        model = _model(_RESTORED[name])
        rows, columns = reach.reach(model.inputs[0], model.outputs[0], _SIZE)
        seen = _by_hand(model, layer_rules.Layout(), (len(rows), len(columns)))
        self.assertLess(columns.sum(1).max(), 4)
        self.assertAllEqual(rows, seen.any((1, 3)))
        self.assertAllEqual(columns, seen.any((0, 2)))

    @parameterized.parameters(
        ("sum", lambda x: ops.cumsum(x, axis=2)),
        ("backwards", lambda x: ops.flip(ops.cumsum(ops.flip(x, axis=1), axis=1), axis=1)),
        ("lstm", lambda x: layers.TimeDistributed(layers.LSTM(2, return_sequences=True))(x)),
    )
    def test_running_sums_keep_no_place_by_themselves(self, _, make):
        model = _model(make)
        start, end = model.inputs[0], model.outputs[0]
        found = reach.reach(start, end, _SIZE)
        self.assertRegex(str(found), r"^(cum_?sum|time_distributed)\w* adds up all places before")
        self.assertTrue(found.hidden)
        # What each sees is known all the same: all up to its own place.
        net = network.wrap(model)
        field = receptive_field.receptive_field(net, net.graph.output, *_SIZE)
        seen = _by_hand(model, layer_rules.Layout(), _SIZE)
        for axis, one in ((field.rows, seen.any((1, 3))), (field.columns, seen.any((0, 2)))):
            self.assertAllEqual(axis.first, one.argmax(1))
            self.assertAllEqual(axis.last, 11 - one[:, ::-1].argmax(1))
        # A window as large as half the map is none.
        large = _model(lambda x: ops.conv(x, np.ones((7, 1, 2, 2), np.float32), padding="same"))
        self.assertNotIsInstance(reach.reach(large.inputs[0], large.outputs[0], _SIZE), Lost)

    @parameterized.parameters(
        ("convolution", lambda x: layers.Conv2D(3, (3, 4), strides=(2, 1), dilation_rate=1)(x)),
        ("dilated", lambda x: layers.DepthwiseConv2D(3, dilation_rate=2, padding="same")(x)),
        ("pooled", lambda x: layers.MaxPooling2D((3, 2), strides=(2, 3), padding="same")(x)),
        ("transposed", lambda x: layers.Conv2DTranspose(2, 4, strides=3, padding="same")(x)),
        ("cropped", lambda x: layers.Cropping2D(((1, 2), (0, 3)))(x)),
        ("bilinear", lambda x: layers.UpSampling2D((2, 3), interpolation="bilinear")(x)),
        ("nearest", lambda x: layers.UpSampling2D((2, 3))(x)),
    )
    def test_operations_answer_as_the_rules_do(self, _, make):
        for sizes in (_SIZE, (11, 19), (30, 13)):
            start = keras.Input((*sizes, 2))
            end = make(start)
            rules = layer_rules.windows(end._keras_history.operation, sizes, 2)
            eyes = [np.eye(size, dtype=bool) for size in sizes]
            question = subgraph_probing.Question(layer_rules.Layout(), sizes, strict=True)
            layout, *found = subgraph_probing.ask(start, end, {id(start): (*sizes, 2)}, question)
            self.assertEqual(layout, layer_rules.Layout())
            for rule, asked, eye in zip(rules, found, eyes, strict=True):
                expected = np.zeros((rule.size, len(eye)), bool)
                for outputs, inputs in rule.pairs(len(eye)):
                    expected[outputs, inputs] = True
                self.assertAllEqual(asked.seen, expected)

    def test_a_large_map_takes_few_calls(self):
        calls = []

        def run(x):
            calls.append(len(x))
            return tf.nn.avg_pool2d(x, 3, 2, "SAME")

        probe = probing.Probe(run, (200, 160, 2), "float32", layer_rules.Layout(), (200, 160))
        _, rows, columns = probe.support()
        self.assertEqual((rows.shape, columns.shape), ((100, 200), (80, 160)))
        self.assertAllEqual(rows.sum(1), [3] * 99 + [2])
        # Four draws, of each axis seven levels in some groups; not each of 360 rows.
        self.assertLess(sum(calls), 4 * 90)

    def test_what_cannot_be_asked(self):
        seeds = keras.random.SeedGenerator(0)
        cases = {
            "another answer each time": lambda x: (
                x + keras.random.normal((1, 12, 12, 2), seed=seeds)
            ),
            "answers to none": lambda x: 0 * x,
        }
        for words, make in cases.items():
            start = keras.Input((*_SIZE, 2))
            with self.subTest(words):
                found = reach.reach(start, layers.Lambda(make)(start), _SIZE)
                self.assertIn(words, str(found))

    def test_maps_go_on_behind_what_no_rule_knows(self):
        inputs = keras.Input((24, 24, 3))
        x = layers.RandomFlip()(layers.RandomRotation(0.2)(inputs))
        x = layers.Conv2D(4, 3, name="one")(InstanceNorm()(x))
        x = layers.ReLU(name="relu")(InstanceNorm(name="norm")(x))
        x = layers.Conv2D(4, 3, name="two")(x[:, 1:])
        x = layers.Dense(3, name="scores")(layers.Flatten(name="flat")(x))
        found = spatial_maps.maps(network.wrap(keras.Model(inputs, x)))
        self.assertEqual(str(found.end), "flat makes a vector of the places")
        self.assertEqual(found.found[-1].path, "two")
        self.assertEqual(found.found[-1].sizes, (19, 20))
        self.assertTrue({"norm", "relu"} <= {one.path for one in found.found if one.alike})


if __name__ == "__main__":
    tf.test.main()
