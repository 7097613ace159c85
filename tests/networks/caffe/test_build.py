"""`network.build` on Caffe networks: by name, by .prototxt, with every kind of weights."""

import os
import pathlib
from unittest import mock

import keras
import numpy as np
import tensorflow as tf
from absl.testing import parameterized
from google.protobuf import text_format

from apps.benchmarks import caffe_oracle
from tests import nets
from tfvis.errors import InputError
from tfvis.experiments import networks
from tfvis.networks import load_weights, network, registry
from tfvis.networks.caffe import onnx_blobs
from tfvis.networks.caffe.to_keras import layers_to_keras
from tfvis.networks.caffe.zoo import layer_tables, named, oxford_vgg
from tfvis.networks.files import weight_files

_WIDTH = 6


def _fast():
    """VGG_CNN_F with few channels: all its kinds of layers, at a twentieth of the weights."""
    net = named.vgg_cnn.vgg_cnn_f()
    for layer in net.layer:
        if layer.type == "Convolution":
            layer.convolution_param.num_output = _WIDTH
        if layer.type == "InnerProduct":
            # Square matrices as in the real one, where a transposed one would fit as well.
            layer.inner_product_param.num_output = 10 if layer.name == "fc8" else 7
    return net


class _Test(tf.test.TestCase, parameterized.TestCase):
    def setUp(self):
        super().setUp()
        self.folder = pathlib.Path(self.create_tempdir().full_path)
        self.net = _fast()
        self.blobs = caffe_oracle.random_blobs(self.net, np.random.default_rng(0))
        self.caffemodel = self.folder / "fast.caffemodel"
        self.caffemodel.write_bytes(caffe_oracle.caffemodel(self.net, self.blobs))
        self.prototxt = self.folder / "deploy.prototxt"
        self.prototxt.write_text(text_format.MessageToString(self.net))
        patched = {"vgg_cnn_f": _fast}
        self.enter_context(mock.patch.dict(named.BUILDERS, patched))
        self.enter_context(mock.patch.dict(os.environ, {"TFVIS_HOME": str(self.folder / "home")}))
        self.image = nets.picture(224)[None]

    def _expected(self, layers, mean=(123.68, 116.779, 103.939)):
        """What OpenCV puts out for the image less its mean, BGR, channels last."""
        bgr = (self.image - np.float32(mean))[..., ::-1].transpose(0, 3, 1, 2)
        found = caffe_oracle.opencv(self.net, self.caffemodel, np.ascontiguousarray(bgr))
        return {k: np.moveaxis(found[k][0], 1, -1) for k in layers}

    def _agrees(self, net, layers=("conv1", "norm2", "pool5")):
        found = net.taps(list(layers))(tf.constant(self.image))
        for layer, want in self._expected(layers).items():
            scale = np.abs(want).max()
            # Float32 sums in another order.
            self.assertAllClose(found[layer] / scale, want / scale, atol=1e-5, msg=layer)


class NamedTest(_Test):
    def test_a_caffemodel_in_a_named_network(self):
        net = network.build("VGG_CNN_F", str(self.caffemodel))
        self.assertEqual(net.name, "vgg_cnn_f")
        self.assertEqual(net.preprocessing.name, "caffe")
        self.assertEqual(net.record.source, "file fast.caffemodel")
        self.assertIsNone(net.fixed_size)
        self.assertEqual(net.logits, "")
        self.assertNotIn("fc6", net.paths)
        self._agrees(net)
        # Any size: 54 px without the classifier, a map of one pixel in conv5.
        self.assertEqual(net.shape("conv5", 54, 77), (2, 4, _WIDTH))

    def test_with_its_classifier(self):
        net = network.build("vgg_cnn_f", str(self.caffemodel), top=True)
        self.assertEqual(net.fixed_size, (224, 224))
        self.assertEqual(net.logits, "fc8")
        self.assertEqual(net.channels_of("logits"), 10)
        self._agrees(net, ("pool5", "fc6", "fc7", "fc8", "prob"))

    @parameterized.parameters(".npz", ".h5", ".weights.h5", ".keras")
    def test_files_of_our_own_and_of_keras(self, suffix):
        model = layers_to_keras.translated(self.net, name="f", top=False)
        load_weights.load_into(model, self.caffemodel)
        path = self.folder / f"kept{suffix}"
        if suffix == ".npz":
            weight_files.save_npz(model, path)
        elif suffix == ".weights.h5":
            model.save_weights(path)
        else:
            model.save(path)
        self._agrees(network.build("vgg_cnn_f", str(path)))

    def test_random_weights_are_announced_and_the_same_twice(self):
        first, second = (network.build("vgg_cnn_f", "random") for _ in range(2))
        self.assertIn("nothing has been learned", first.record.notice)
        self.assertEqual(first.record.fingerprint, second.record.fingerprint)

    def test_the_cache_and_what_is_said_without(self):
        home = self.folder / "home/weights"
        with self.assertRaisesRegex(InputError, "VGG_CNN_F.caffemodel .*vgg_cnn_f.caffemodel"):
            network.build("vgg_cnn_f")
        home.mkdir(parents=True)
        path = home / "vgg_cnn_f.caffemodel"
        path.write_bytes(self.caffemodel.read_bytes()[:-1000])
        with self.assertRaisesRegex(InputError, "is damaged"):
            network.build("vgg_cnn_f")
        path.write_bytes(self.caffemodel.read_bytes())
        net = network.build("vgg_cnn_f", top=True)
        self.assertEqual(net.record.source, "cache vgg_cnn_f.caffemodel")
        self._agrees(net, ("fc8",))

    def test_weights_of_another_network_name_both_shapes(self):
        self.blobs["conv2"][0] = self.blobs["conv2"][0][:, :, :3, :3]
        self.caffemodel.write_bytes(caffe_oracle.caffemodel(self.net, self.blobs))
        with self.assertRaisesRegex(InputError, r"conv2.*\(6, 6, 5, 5\).*\(6, 6, 3, 3\)"):
            network.build("vgg_cnn_f", str(self.caffemodel))

    def test_nan_is_refused(self):
        self.blobs["conv3"][1][0] = np.nan
        self.caffemodel.write_bytes(caffe_oracle.caffemodel(self.net, self.blobs))
        with self.assertRaisesRegex(InputError, "conv3.*NaN"):
            network.build("vgg_cnn_f", str(self.caffemodel))

    def test_names_are_known(self):
        self.assertContainsSubset(
            ("vgg16", "vgg_cnn_s", "illustration2vec", "hog"), registry.known()
        )
        with self.assertRaisesRegex(InputError, "vgg_cnn_s"):
            network.build("vgg_cnn_ss")

    @parameterized.parameters(
        ("vgg_cnn_s", "caffe"), ("caffenet", "ilsvrc"), ("alexnet", "ilsvrc"),
        ("illustration2vec", "illustration2vec"),
    )  # fmt: skip
    def test_contracts(self, name, contract):
        self.enter_context(mock.patch.dict(named.BUILDERS, {name: _fast}))
        self.assertEqual(network.build(name, "random").preprocessing.name, contract)


class PrototxtTest(_Test):
    def test_whole_as_the_file_describes_it(self):
        net = network.build(str(self.prototxt), str(self.caffemodel))
        self.assertEqual(net.name, str(self.prototxt))
        self.assertEqual((net.fixed_size, net.logits), ((224, 224), "fc8"))
        self.assertEqual(net.preprocessing.name, "caffe")
        self._agrees(net, ("conv1", "fc8", "prob"))

    def test_its_trunk(self):
        net = network.build(str(self.prototxt), str(self.caffemodel), top=False)
        self.assertIsNone(net.fixed_size)
        self._agrees(net)

    def test_weights_beside_it_and_without(self):
        with self.assertRaisesRegex(InputError, "deploy.caffemodel.*random"):
            network.build(str(self.prototxt))
        self.caffemodel.rename(self.folder / "deploy.caffemodel")
        self.caffemodel = self.folder / "deploy.caffemodel"
        net = network.build(str(self.prototxt))
        self.assertEqual(net.record.source, "file deploy.caffemodel")
        self._agrees(net, ("fc8",))
        self.assertIn("nothing", network.build(str(self.prototxt), "random").record.notice)

    def test_what_cannot_be_read(self):
        with self.assertRaisesRegex(InputError, "none.prototxt: no such file"):
            network.build(str(self.folder / "none.prototxt"), "random")
        self.prototxt.write_text("layer {")
        with self.assertRaisesRegex(InputError, "deploy.prototxt:"):
            network.build(str(self.prototxt), "random")

    def test_an_unsupported_layer_is_named_with_its_line(self):
        text = self.prototxt.read_text().replace('type: "Softmax"', 'type: "Im2col"')
        self.prototxt.write_text(text)
        line = text[: text.index('name: "prob"')].count("\n")
        (note,) = network.build(str(self.prototxt), str(self.caffemodel)).notes
        # The file is named as well, whatever the network calls itself.
        self.assertRegex(note, rf"^{self.prototxt} .*prob of type Im2col \(line {line}\)")

    @parameterized.parameters(
        ("CaffeNet", "ilsvrc"), ("illust2vec_tag", "illustration2vec"), ("my net", "caffe")
    )
    def test_contract_by_the_name_in_the_file(self, name, contract):
        self.net.name = name
        self.prototxt.write_text(text_format.MessageToString(self.net))
        net = network.build(str(self.prototxt), "random")
        self.assertEqual(net.preprocessing.name, contract)
        forced = network.build(str(self.prototxt), "random", preprocessing="unit")
        self.assertEqual(forced.preprocessing.name, "unit")


class OnnxTest(_Test):
    def _save(self, style: str, across: bool = False) -> pathlib.Path:
        """Writes what a converter makes of the network: nodes and initialisers."""
        import onnx
        from onnx import helper, numpy_helper

        nodes, tensors = [], []
        for layer, (kernel, bias) in self.blobs.items():
            names = [style.format(layer, *parts) for parts in _PARTS[style]]
            dense = kernel.ndim == 2
            kernel = kernel.T if dense and across else kernel
            for name, array in zip(names, (kernel, bias), strict=True):
                tensors.append(numpy_helper.from_array(np.ascontiguousarray(array), name))
            kind = "Gemm" if dense else "Conv"
            flags = {"transB": int(not across)} if dense else {}
            nodes.append(helper.make_node(kind, ["x", *names], [layer], **flags))
        graph = helper.make_graph(nodes, "g", [], [], initializer=tensors)
        path = self.folder / "net.onnx"
        onnx.save(helper.make_model(graph), path)
        return path

    @parameterized.product(
        style=("{}_{}", "{}.{}", "features.{}.{}", "/{}/{}:0", "{}_{}_0"), across=(True, False)
    )
    def test_every_naming_of_converters(self, style, across):
        path = self._save(style, across)
        self._agrees(network.build("vgg_cnn_f", str(path), top=True), ("pool5", "fc7", "fc8"))

    def test_names_within_names(self):
        """conv1 is no part of conv1_1, conv11, deconv1."""
        for name in ("conv1_1_w", "conv11_w", "deconv1_w", "conv1_mean", "conv1"):
            self.assertIsNone(onnx_blobs._match(name, ["conv1"])[0], name)
        for name, kernel in {
            "conv1_1_w": True, "conv1_1_W": True, "conv1_1.weight": True, "conv1_1_bias": False,
            "net/conv1_1/b:0": False, "param_conv1_1_B": False,
        }.items():  # fmt: skip
            found = onnx_blobs._match(name, ["conv1", "conv1_1", "conv1_10"])
            self.assertEqual(found, ("conv1_1", kernel), name)

    def test_what_does_not_fit_is_named(self):
        self.blobs["fc6"][0] = self.blobs["fc6"][0][:, :-1]
        with self.assertRaisesRegex(InputError, r"fc6.*\(7, 216\).*\(7, 215\)"):
            network.build("vgg_cnn_f", str(self._save("{}_{}")), top=True)
        del self.blobs["conv3"]
        with self.assertRaisesRegex(InputError, "conv3"):
            network.build("vgg_cnn_f", str(self._save("{}_{}")))


_PARTS = {
    "{}_{}": (("w",), ("b",)),
    "{}.{}": (("weight",), ("bias",)),
    "features.{}.{}": (("weight",), ("bias",)),
    "/{}/{}:0": (("kernel",), ("bias",)),
    "{}_{}_0": (("W",), ("B",)),
}


class OxfordTest(_Test):
    """Oxford's weights in Keras' VGG: the same as in their own network, layer by layer."""

    def _keras(self) -> keras.Model:
        conv = lambda width: {"filters": width, "kernel_size": 3, "padding": "same",  # noqa: E731
                              "activation": "relu"}  # fmt: skip
        x = inputs = keras.Input((12, 8, 3))
        x = keras.layers.Conv2D(**conv(4), name="block1_conv1")(x)
        x = keras.layers.MaxPooling2D(name="block1_pool")(x)
        x = keras.layers.Conv2D(**conv(5), name="block2_conv1")(x)
        x = keras.layers.Conv2D(**conv(6), name="block2_conv2")(x)
        x = keras.layers.MaxPooling2D(name="block2_pool")(x)
        x = keras.layers.Flatten(name="flatten")(x)
        x = keras.layers.Dense(9, "relu", name="fc1")(x)
        x = keras.layers.Dense(9, "relu", name="fc2")(x)
        return keras.Model(inputs, keras.layers.Dense(4, "softmax", name="predictions")(x))

    def _caffe(self):
        t = layer_tables
        net = t.chain(
            "VGG_ILSVRC", 8, 3,
            t.conv("conv1_1", 4, 3, pad=1), t.relu("relu1_1"), t.pool("pool1", 2, 2),
            t.conv("conv2_1", 5, 3, pad=1), t.relu("relu2_1"),
            t.conv("conv2_2", 6, 3, pad=1), t.relu("relu2_2"), t.pool("pool2", 2, 2),
            t.dense("fc6", 9), t.relu("relu6"), t.dense("fc7", 9), t.relu("relu7"),
            t.dense("fc8", 4), t.softmax("prob"),
        )  # fmt: skip
        net.layer[0].input_param.shape[0].dim[2] = 12
        return net

    def test_filled_from_caffe(self):
        net, path = self._caffe(), self.folder / "vgg.caffemodel"
        blobs = caffe_oracle.random_blobs(net, np.random.default_rng(1))
        path.write_bytes(caffe_oracle.caffemodel(net, blobs))
        model = self._keras()
        load_weights.load_into(model, path)
        image = np.random.default_rng(2).normal(0, 50, (1, 3, 12, 8)).astype(np.float32)
        expected = caffe_oracle.opencv(net, path, image)["prob"][0]
        self.assertAllClose(model(image.transpose(0, 2, 3, 1)), expected, atol=1e-5)
        trunk = keras.Model(model.input, model.get_layer("block2_pool").output, name="trunk")
        load_weights.load_into(trunk, path)

    def test_what_does_not_fit(self):
        net, path = self._caffe(), self.folder / "vgg.caffemodel"
        net.layer[9].inner_product_param.num_output = 10
        blobs = caffe_oracle.random_blobs(net, np.random.default_rng(1))
        path.write_bytes(caffe_oracle.caffemodel(net, blobs))
        with self.assertRaisesRegex(InputError, r"fc1 takes \(9, 36\), fc6 .* holds \(10, 36\)"):
            load_weights.load_into(self._keras(), path)
        path.write_bytes(self.caffemodel.read_bytes())
        model = self._keras()
        trunk = keras.Model(model.input, model.get_layer("block2_pool").output, name="trunk")
        with self.assertRaisesRegex(InputError, "no weights for layer block1_conv1"):
            load_weights.load_into(trunk, path)

    def test_the_names_are_those_of_keras(self):
        """Of all that VGG19 names, each has a source in Oxford's file."""
        model = keras.applications.VGG19(weights=None, include_top=False, input_shape=(32, 32, 3))
        self.assertTrue(oxford_vgg.is_vgg(model))
        blobs = {f"conv{b}_{k}": [np.zeros((1, 1, 3, 3))] for b in range(1, 6) for k in range(1, 5)}
        found = oxford_vgg.arrays(model, blobs, "x")
        self.assertEqual(list(found), [la.name for la in model.layers if la.weights])


class AppsTest(_Test):
    def test_the_label_of_a_file_is_its_stem(self):
        self.assertEqual(registry.label("a/b/deploy.prototxt"), "deploy")
        self.assertEqual(registry.label("a/b/net.keras"), "net")
        self.assertEqual(registry.label("VGG16"), "VGG16")
        wanted = networks.Wanted(network=str(self.prototxt), weights=str(self.caffemodel))
        (label,) = networks.networks(wanted)
        self.assertEqual(label, "deploy")


if __name__ == "__main__":
    tf.test.main()
