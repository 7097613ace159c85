"""Convolutions on a CPU without oneDNN's kernels, beside XLA's of the same layers."""

import os
import pathlib
import platform
import subprocess
import sys
import unittest
from unittest import mock

import keras
import numpy as np
import tensorflow as tf
from absl.testing import parameterized

from tests import nets
from tfvis import hardware
from tfvis.attention import grad_cam
from tfvis.classifiers import backbone
from tfvis.errors import InputError
from tfvis.networks import convolutions, network, rewiring

_conv, _depthwise = keras.layers.Conv2D, keras.layers.DepthwiseConv2D
_LAYERS = {
    "two groups": lambda **k: _conv(6, 3, groups=2, activation="relu", padding="same", **k),
    "groups to be joined": lambda **k: _conv(24, 3, groups=6, strides=2, padding="same", **k),
    "uneven groups": lambda **k: _conv(6, (3, 2), groups=3, strides=(2, 1), **k),
    "dilated groups": lambda **k: _conv(4, 3, groups=2, dilation_rate=(1, 2), **k),
    "a group per channel": lambda **k: _conv(24, 3, groups=12, use_bias=False, **k),
    "and uneven": lambda **k: _conv(12, 4, groups=12, strides=(1, 2), padding="same", **k),
    "depthwise": lambda **k: _depthwise(
        3, strides=(2, 1), depth_multiplier=2, activation="tanh", padding="same", **k
    ),
    "depthwise, no padding": lambda **k: _depthwise((2, 5), strides=(1, 3), **k),
    "depthwise, strides and dilation": lambda **k: _depthwise(
        3, dilation_rate=(1, 2), strides=(2, 1), padding="same", **k
    ),
    "separable": lambda **k: keras.layers.SeparableConv2D(
        5, 3, strides=(3, 2), depth_multiplier=2, padding="same", **k
    ),
    "transposed": lambda **k: keras.layers.Conv2DTranspose(5, (3, 2), dilation_rate=(2, 3), **k),
    "transposed, same": lambda **k: keras.layers.Conv2DTranspose(
        5, 4, dilation_rate=(2, 1), padding="same", use_bias=False, **k
    ),
}


def _without_onednn():
    return mock.patch.object(hardware, "onednn", return_value=False)


def _results(run, x, variables=()):
    """Returns the output and the gradients of input and variables, float32."""
    with tf.GradientTape() as tape:
        tape.watch(x)
        y = tf.cast(run(x), tf.float32)
        upstream = tf.random.stateless_normal(y.shape, [1, 2])
    return [y, *tape.gradient(y, [x, *variables], output_gradients=upstream)]


def _deviation(a, b) -> float:
    a, b = (np.asarray(tf.cast(t, tf.float32)) for t in (a, b))
    return np.linalg.norm(a - b) / np.linalg.norm(b)


class ConvolutionsTest(tf.test.TestCase, parameterized.TestCase):
    @parameterized.named_parameters((name, name) for name in _LAYERS)
    def test_values_and_gradients_are_the_layer_s(self, name):
        keras.utils.set_random_seed(0)
        layer = _LAYERS[name]()
        x = tf.constant(np.random.default_rng(0).normal(size=(2, 11, 10, 12)).astype("f4"))
        layer.build(x.shape)
        if layer.use_bias:
            layer.bias.assign(tf.random.stateless_normal(layer.bias.shape, [0, 0]))
        variables = [variable.value for variable in layer.trainable_variables]
        exact = _results(tf.function(layer, jit_compile=True), x, variables)
        with _without_onednn():
            float32 = rewiring.twin(layer)
            bfloat16 = rewiring.twin(layer, _dtype_policy=keras.DTypePolicy("mixed_bfloat16"))
            # bfloat16 has eight digits, and a bias' gradient is a sum over all places.
            for twin, jit, close in (
                (float32, False, 1e-5),
                (float32, True, 1e-5),
                (bfloat16, False, 0.04),
            ):
                self.assertIs(type(twin), type(layer))
                found = _results(tf.function(twin, jit_compile=jit), x, variables)
                for ours, theirs in zip(found, exact, strict=True):
                    self.assertEqual(ours.shape, theirs.shape)
                    self.assertLess(_deviation(ours, theirs), close)

    def test_sizes_that_are_not_known(self):
        layer = _depthwise(3, strides=(2, 1), padding="same")
        layer.build((None, None, None, 4))
        with _without_onednn():
            dynamic = [tf.TensorSpec([None, None, None, 4])]
            run = tf.function(rewiring.twin(layer), input_signature=dynamic)
            for size in ((7, 6), (8, 9), (1, 1)):
                x = tf.random.stateless_normal([1, *size, 4], [0, 0])
                exact = tf.function(layer, jit_compile=True)(x)
                self.assertAllClose(run(x), exact, rtol=1e-5, atol=1e-6)

    def test_a_twin_of_a_twin_has_its_own_settings(self):
        layer = _depthwise(3, strides=(2, 1), activation="relu", bias_initializer="normal")
        x = tf.random.stateless_normal([1, 9, 8, 4], [0, 0])
        layer.build(x.shape)
        with _without_onednn():
            changed = rewiring.twin(rewiring.twin(layer), activation=keras.activations.linear)
            self.assertLess(tf.reduce_min(changed(x)), 0)
            self.assertAllClose(tf.nn.relu(changed(x)), rewiring.twin(layer)(x))

    def test_layers_that_have_kernels_are_left_as_they_are(self):
        with _without_onednn():
            for layer in (
                _conv(4, 3),
                _depthwise(3, strides=2),
                keras.layers.Conv2DTranspose(3, 3, strides=2),
                keras.layers.ReLU(),
            ):
                before = set(layer.__dict__)
                self.assertIs(convolutions.everywhere(layer), layer)
                self.assertEqual(set(layer.__dict__), before)


def _model(top: bool = True) -> keras.Model:
    """Each kind, in a nested model of two outputs, in a nested chain, and not nested."""
    keras.utils.set_random_seed(0)
    layers = keras.layers
    inner = keras.Input((None, None, 8))
    branches = keras.Model(
        inner,
        [
            _conv(8, 3, padding="same", groups=2, activation="relu")(inner),
            _depthwise(3, strides=(2, 1), padding="same")(inner) * 2.0,
        ],
        name="branches",
    )
    chain = keras.Sequential([_conv(8, 3, padding="same", groups=8)], name="chain")
    inputs = keras.Input((None, None, 3))
    x = chain(_conv(8, 3, padding="same", activation="relu", name="first")(inputs))
    one, two = branches(x)
    x = layers.Concatenate()([layers.AveragePooling2D((2, 1))(one), two])
    x = layers.Conv2DTranspose(6, 3, dilation_rate=2, padding="same", name="up")(x)
    x = _conv(8, 3, groups=2, padding="same", activation="relu", name="last")(x)
    if top:
        x = layers.Dense(4, activation="softmax")(layers.GlobalAveragePooling2D()(x))
    return keras.Model(inputs, x)


class Sharpened(keras.layers.Layer):
    """A layer of someone's own, of operations that TensorFlow has in float32 only."""

    def call(self, x):
        x = tf.nn.local_response_normalization(x, alpha=0.1)
        return tf.image.resize(x, (9, 7), antialias=True)


_FLOAT32_ONLY = {
    "own": lambda x: Sharpened()(x),
    "lambda": lambda x: keras.layers.Lambda(tf.nn.local_response_normalization)(x),
    "resized": lambda x: keras.ops.image.resize(x, (9, 7), antialias=True),
    "bicubic": lambda x: keras.ops.image.resize(x, (21, 15), interpolation="bicubic"),
    "resizing": lambda x: keras.layers.Resizing(9, 7, antialias=True)(x),
    "upsampled": lambda x: keras.layers.UpSampling2D(2, interpolation="bicubic")(x),
    "affine": lambda x: keras.ops.image.affine_transform(
        x, np.array([1, 0.1, 0, 0, 1, 0, 0, 0], np.float32)
    ),
    "shifted": lambda x: keras.ops.roll(x, 1, axis=1) + x / 2.0,
}


class Bfloat16Test(tf.test.TestCase, parameterized.TestCase):
    @parameterized.parameters(*_FLOAT32_ONLY)
    def test_what_has_no_gradient_in_bfloat16_is_run_in_float32(self, name):
        inputs = keras.Input((16, 12, 3))
        keras.utils.set_random_seed(0)
        x = keras.layers.Conv2D(4, 3, padding="same")(inputs)
        x = keras.layers.Conv2D(2, 3, name="last")(_FLOAT32_ONLY[name](x))
        net = network.wrap(keras.Model(inputs, x))
        image = tf.constant(nets.oblong(16, 12)[None] / 255 - 0.5)
        exact, rough = (
            _results(tf.function(lambda x, taps=taps: taps(x)["last"]), image)
            for taps in (net.taps(["last"], precision) for precision in ("float32", "bfloat16"))
        )
        for ours, theirs in zip(rough, exact, strict=True):
            # Convolutions of eight digits.
            self.assertLess(_deviation(ours, theirs), 0.03)


class ModelsTest(tf.test.TestCase, parameterized.TestCase):
    def setUp(self):
        super().setUp()
        self.enterContext(_without_onednn())

    def test_taps_of_nested_models(self):
        model = _model(top=False)
        x = tf.constant(nets.oblong(16, 12)[None] / 255 - 0.5)
        exact = _results(tf.function(model, jit_compile=True), x)
        for precision, close in (("float32", 1e-5), ("bfloat16", 0.03)):
            taps = network.wrap(model).taps(["last"], precision)
            found = _results(tf.function(lambda x, taps=taps: taps(x)["last"]), x)
            for ours, theirs in zip(found, exact, strict=True):
                self.assertLess(_deviation(ours, theirs), close)

    def test_maps_of_classes_are_those_of_the_gradient(self):
        model, image = _model(), nets.oblong(16, 12)[None]
        cam = grad_cam.GradCam(network.wrap(model), "first")
        found = cam.maps(image, [1])
        before, head = model.get_layer("first").output, model.layers[-1]
        head.activation = keras.activations.linear
        maps = keras.Model(model.input, before)(image)
        rest = keras.Model(before, model.output)

        @tf.function(jit_compile=True)
        def slope(maps):
            with tf.GradientTape() as tape:
                tape.watch(maps)
                score = rest(maps)[:, 1]
            return tape.gradient(score, maps)

        weights = tf.reduce_mean(slope(maps), [1, 2], keepdims=True)
        self.assertAllClose(found, tf.nn.relu(tf.reduce_sum(weights * maps, -1)), rtol=1e-4)
        self.assertGreater(tf.reduce_max(found), 0)

    def test_a_tail_learns(self):
        parts = backbone.split(network.wrap(_model(top=False)), cut="first")
        learner = backbone.learner(parts, 3)
        # Without XLA, which has these kernels.
        learner.compile("sgd", "sparse_categorical_crossentropy", jit_compile=False)
        before = [layer.get_weights() for layer in learner.layers]
        maps = np.random.default_rng(0).normal(size=(2, 8, 8, 8))
        learner.train_on_batch(maps, np.array([0, 2]))
        for layer, old in zip(learner.layers, before, strict=True):
            if old:
                self.assertNotAllEqual(layer.get_weights()[0], old[0], msg=layer.name)

    def test_files_hold_layers_of_keras(self):
        model = _model()
        path = pathlib.Path(self.create_tempdir().full_path) / "whole.keras"
        network.wrap(model).end_to_end().save(path)
        found = keras.models.load_model(path).get_layer("last")
        self.assertEqual(found.get_config(), model.get_layer("last").get_config())
        self.assertIs(type(found), _conv)


class HardwareTest(tf.test.TestCase, parameterized.TestCase):
    @unittest.skipUnless(platform.machine() in ("x86_64", "AMD64"), "oneDNN is asked for on x86.")
    @parameterized.parameters(
        ("import tfvis", None, "1"),
        ("import apps.flags.common", None, "1"),
        ("import tfvis", "0", "0"),
        # It has been read; to set it now would be a lie.
        ("import sys; sys.modules['tensorflow'] = None; import tfvis", None, "None"),
    )
    def test_onednn_is_asked_for_before_tensorflow_starts(self, code, given, expected):
        name = "TF_ENABLE_ONEDNN_OPTS"
        environ = {k: v for k, v in os.environ.items() if k != name}
        environ |= {} if given is None else {name: given}
        code = f"{code}; import os; print(os.environ.get('{name}'))"
        done = subprocess.run([sys.executable, "-c", code], env=environ, capture_output=True)
        self.assertEqual(done.stdout.decode().strip(), expected)

    def test_onednn_is_what_tensorflow_has_not_what_a_variable_says(self):
        before = hardware.onednn()
        with mock.patch.dict("os.environ", TF_ENABLE_ONEDNN_OPTS="01"[not before]):
            self.assertEqual(hardware.onednn(), before)

    def test_bfloat16_is_native_only_where_onednn_may_use_it(self):
        flags = mock.patch.object(hardware, "_cpuinfo", return_value="fpu avx512_bf16")
        with flags, mock.patch.object(hardware, "onednn", return_value=True):
            with mock.patch.dict("os.environ", ONEDNN_MAX_CPU_ISA="avx2"):
                self.assertFalse(hardware.native_bfloat16())
            with mock.patch.dict("os.environ", ONEDNN_MAX_CPU_ISA="AVX512_CORE_BF16"):
                self.assertTrue(hardware.native_bfloat16())
        with flags, _without_onednn():
            self.assertFalse(hardware.native_bfloat16())

    def test_bfloat16_is_not_onednns_on_a_cpu_without_avx512(self):
        on = hardware.onednn()
        with mock.patch.object(hardware, "_cpuinfo", return_value="fpu avx2"):
            self.assertEqual([hardware.onednn(), hardware.onednn("bfloat16")], [on, False])
            self.assertEqual(hardware.refused("bfloat16"), "")

    def test_where_onednn_is_kept_from_bfloat16_it_is_refused(self):
        network = nets.wrapped()
        with (
            mock.patch.object(hardware, "_cpuinfo", return_value="avx512f avx512_bf16"),
            mock.patch.object(hardware, "onednn", return_value=True),
            mock.patch.dict("os.environ", ONEDNN_MAX_CPU_ISA="AVX2"),
        ):
            with self.assertRaisesRegex(InputError, "precision=bfloat16: ONEDNN_MAX_CPU_ISA"):
                network.taps(["block1_conv1"], "bfloat16")
            network.taps(["block1_conv1"], "float32")


if __name__ == "__main__":
    tf.test.main()
