"""Caffe networks rewired: averages, borders, precision, names, layers of the classifier."""

import pathlib

import keras
import numpy as np
import tensorflow as tf
from absl.testing import parameterized

from tests import caffe_trunks, nets
from tests.caffe_nets import conv, deploy, layer, pool
from tfvis.errors import InputError
from tfvis.experiments import networks, units
from tfvis.networks import network, padding, pooling
from tfvis.networks.activation import activated
from tfvis.networks.caffe_layers.pooling import CaffeAveragePooling2D
from tfvis.objectives import parsing
from tfvis.style import metrics


class RewiringTest(tf.test.TestCase, parameterized.TestCase):
    def test_averages_in_place_of_maxima_have_the_same_windows(self):
        net = caffe_trunks.small()
        image = nets.oblong(29, 26)[None]
        found = pooling.averaged(net).taps(["norm1", "pool1"])(tf.constant(image))
        self.assertEqual(pooling.averaged(net).shape("pool2", 29, 26), net.shape("pool2", 29, 26))
        windows = caffe_trunks.windows(found["norm1"].shape[1:3], net.graph.layers["pool1"])
        expected = [[found["norm1"][0][rows, columns].numpy().mean((0, 1))
                     for columns in windows[1]] for rows in windows[0]]  # fmt: skip
        self.assertAllClose(found["pool1"][0], expected, rtol=1e-5)
        operation = pooling.averaged(net).graph.tensors["pool1"]._keras_history.operation
        self.assertIsInstance(operation, CaffeAveragePooling2D)

    def test_kernels_of_groups_are_cast_once(self):
        net = caffe_trunks.small()
        image = tf.constant(nets.oblong(29, 26)[None])
        taps = net.taps(["relu2"], "bfloat16")
        kinds = [type(layer_).__name__ for layer_ in taps.model.layers]
        self.assertEqual(kinds.count("FrozenConv"), 2)
        exact = net.taps(["relu2"])(image)["relu2"]
        # Eight bits, four layers.
        self.assertAllClose(taps(image)["relu2"], exact, atol=0.05 * np.max(exact))

    def test_a_texture_goes_around(self):
        net = padding.padded(
            caffe_trunks.wrapped(
                conv("conv1", "data", "num_output: 4 kernel_size: 7 stride: 2"),
                pool("pool1", "conv1", "kernel_size: 3 stride: 3"),
                conv("conv2", "pool1", "num_output: 4 kernel_size: 5 group: 2"),
                conv("conv3", "conv2", "num_output: 4 kernel_size: 3 pad: 1 group: 2"),
                conv("conv4", "conv3", "num_output: 4 kernel_size: 5 stride: 2 pad: 2"),
                size=(48, 72),
            ),
            "circular",
        )
        image = nets.oblong(48, 72)
        still = net.taps(net.paths)(tf.constant(image[None]))
        self.assertEqual(still["conv4"].shape[1:3], (4, 6))
        moved = net.taps(net.paths)(tf.constant(np.roll(image, (12, 24), (0, 1))[None]))
        for layer_ in ("conv1", "pool1", "conv2", "conv3", "conv4"):
            shift = [n // net.stride(layer_) for n in (12, 24)]
            expected = np.roll(still[layer_], shift, (1, 2))
            self.assertAllClose(moved[layer_], expected, rtol=1e-4, atol=1e-3, msg=layer_)

    def test_layers_by_caffes_names(self):
        net = caffe_trunks.wrapped(
            conv("inception_3a/1x1", "data", "num_output: 2 kernel_size: 1"),
            layer("inception_3a/relu", "ReLU", "inception_3a/1x1"),
        )
        self.assertEqual(net.paths, ("inception_3a--1x1", "inception_3a--relu"))
        net.check(["inception_3a/1x1"])
        image = tf.constant(nets.picture(8)[None])
        found = net.taps(["inception_3a/relu"])(image)["inception_3a/relu"]
        self.assertAllEqual(found, net.taps(["inception_3a--relu"])(image)["inception_3a--relu"])
        self.assertEqual(net.shape("inception_3a/1x1", 8, 8), (8, 8, 2))
        words = networks.layers_of({"net": net}, ["other|inception_3a/1x1"])
        self.assertEqual(words, {"net": ["inception_3a--1x1"]})
        (unit,) = parsing.parse("inception_3a/relu:1", net, None)
        self.assertEqual((unit.layer, unit.channel), ("inception_3a--relu", 1))
        with self.assertRaisesRegex(InputError, "no layer 'inception_3a/1x3'"):
            net.check(["inception_3a/1x3"])

    def test_where_a_nonlinearity_has_been_applied(self):
        net = caffe_trunks.named("caffenet")
        self.assertEqual(activated(net, "conv2"), "relu2")
        self.assertEqual(activated(net, "pool5"), "pool5")
        self.assertEqual(networks.depths(net), [f"relu{k}" for k in range(1, 6)])
        found = metrics.layers_for(net)
        self.assertEqual(found.style, tuple(f"relu{k}" for k in range(1, 6)))
        self.assertEqual((found.content, found.border), (("relu4",), "relu3"))
        found = networks.depths(caffe_trunks.named("illustration2vec"))
        self.assertEqual(found, ["relu1_1", "relu2_1", "relu3_2", "relu4_2", "relu5_2"])
        residual = caffe_trunks.wrapped(
            conv("a", "data", "num_output: 3 kernel_size: 1"),
            layer("bn", "BatchNorm", "a"),
            layer("scale", "Scale", "bn", scale="bias_term: true"),
            layer("sum", "Eltwise", "scale data"),
            layer("out", "ReLU", "sum"),
            conv("b", "out", "num_output: 3 kernel_size: 1"),
            layer("one", "ReLU", "b"),
            layer("two", "TanH", "b"),
            layer("end", "Eltwise", "one two"),
        )
        self.assertEqual(activated(residual, "a"), "out")
        # Two ways on: neither is it.
        self.assertEqual(activated(residual, "b"), "b")
        fused = nets.wrapped()
        self.assertEqual(activated(fused, "block1_conv1"), "block1_conv1")
        pre = nets.wrapped(variant=("max", "pre"))
        self.assertEqual(activated(pre, "block1_conv1"), "block1_conv1")


class ClassifierLayersTest(tf.test.TestCase):
    """--layers=fc6 of a network that is built without its classifier otherwise."""

    def _prototxt(self) -> pathlib.Path:
        from google.protobuf import text_format

        net = deploy(
            conv("conv1", "data", "num_output: 4 kernel_size: 3 stride: 2"),
            layer("relu1", "ReLU", "conv1"),
            layer("fc6", "InnerProduct", "relu1", inner_product="num_output: 6"),
            size=(20, 20),
        )
        path = pathlib.Path(self.create_tempdir().full_path) / "deploy.prototxt"
        path.write_text(text_format.MessageToString(net))
        return path

    def test_it_is_there_where_a_layer_of_it_is_named(self):
        wanted = networks.Wanted(str(self._prototxt()), "random")
        for words, size in (
            (None, None),
            (["conv1"], None),
            (["all"], None),
            (["fc6", "conv1"], (20, 20)),
            (["fc1|fc6"], (20, 20)),
            (["fc9"], None),
        ):
            (net,) = networks.networks(wanted, words=words).values()
            self.assertEqual(net.fixed_size, size, words)
        for text, size in (("conv1:0-2,1", None), ("relu1:0,fc6:1", (20, 20))):
            (net,) = units.built(wanted, text).values()
            self.assertEqual(net.fixed_size, size, text)

    def test_weights_without_it_are_told(self):
        path = self._prototxt()
        trunk = network.build(str(path), "random", top=False)
        weights = path.with_suffix(".npz")
        from tfvis.networks.files import weight_files

        weight_files.save_npz(
            keras.Model(trunk.graph.inputs, trunk.graph.tensors["relu1"]), weights
        )
        wanted = networks.Wanted(str(path), str(weights))
        (net,) = networks.networks(wanted, words=["fc9"]).values()
        self.assertIsNone(net.fixed_size)
        with self.assertRaisesRegex(InputError, "fc6 is a layer of the classifier.*fc6"):
            networks.networks(wanted, words=["fc6"])


if __name__ == "__main__":
    tf.test.main()
