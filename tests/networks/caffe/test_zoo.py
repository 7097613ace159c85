"""The named Caffe networks: their tables, beside published numbers and OpenCV."""

import itertools
import math
from unittest import mock

import keras
import numpy as np
import tensorflow as tf
from absl.testing import parameterized

from apps.benchmarks import caffe_oracle
from tfvis.networks.caffe import schema
from tfvis.networks.caffe.to_keras import layers_to_keras
from tfvis.networks.caffe.zoo import layer_tables, named
from tfvis.networks.preprocessing import contracts

# (side, channels) of each map, read off the tables of the papers and of the released files.
_MAPS = {
    "vgg_cnn_s": {
        "conv1": (109, 96), "relu1": (109, 96), "norm1": (109, 96), "pool1": (37, 96),
        "conv2": (33, 256), "relu2": (33, 256), "pool2": (17, 256),
        "conv3": (17, 512), "relu3": (17, 512), "conv4": (17, 512), "relu4": (17, 512),
        "conv5": (17, 512), "relu5": (17, 512), "pool5": (6, 512),
    },
    "vgg_cnn_m": {
        "conv1": (109, 96), "relu1": (109, 96), "norm1": (109, 96), "pool1": (54, 96),
        "conv2": (26, 256), "relu2": (26, 256), "norm2": (26, 256), "pool2": (13, 256),
        "conv3": (13, 512), "relu3": (13, 512), "conv4": (13, 512), "relu4": (13, 512),
        "conv5": (13, 512), "relu5": (13, 512), "pool5": (6, 512),
    },
    "vgg_cnn_f": {
        "conv1": (54, 64), "relu1": (54, 64), "norm1": (54, 64), "pool1": (27, 64),
        "conv2": (27, 256), "relu2": (27, 256), "norm2": (27, 256), "pool2": (13, 256),
        "conv3": (13, 256), "relu3": (13, 256), "conv4": (13, 256), "relu4": (13, 256),
        "conv5": (13, 256), "relu5": (13, 256), "pool5": (6, 256),
    },
    "caffenet": {
        "conv1": (55, 96), "relu1": (55, 96), "pool1": (27, 96), "norm1": (27, 96),
        "conv2": (27, 256), "relu2": (27, 256), "pool2": (13, 256), "norm2": (13, 256),
        "conv3": (13, 384), "relu3": (13, 384), "conv4": (13, 384), "relu4": (13, 384),
        "conv5": (13, 256), "relu5": (13, 256), "pool5": (6, 256),
    },
    "alexnet": {
        "conv1": (55, 96), "relu1": (55, 96), "norm1": (55, 96), "pool1": (27, 96),
        "conv2": (27, 256), "relu2": (27, 256), "norm2": (27, 256), "pool2": (13, 256),
        "conv3": (13, 384), "relu3": (13, 384), "conv4": (13, 384), "relu4": (13, 384),
        "conv5": (13, 256), "relu5": (13, 256), "pool5": (6, 256),
    },
    "illustration2vec": {
        "conv1_1": (224, 64), "relu1_1": (224, 64), "pool1": (112, 64),
        "conv2_1": (112, 128), "relu2_1": (112, 128), "pool2": (56, 128),
        "conv3_1": (56, 256), "relu3_1": (56, 256), "conv3_2": (56, 256), "relu3_2": (56, 256),
        "pool3": (28, 256),
        "conv4_1": (28, 512), "relu4_1": (28, 512), "conv4_2": (28, 512), "relu4_2": (28, 512),
        "pool4": (14, 512),
        "conv5_1": (14, 512), "relu5_1": (14, 512), "conv5_2": (14, 512), "relu5_2": (14, 512),
        "pool5": (7, 512),
        "conv6_1": (7, 1024), "relu6_1": (7, 1024), "conv6_2": (7, 1024), "relu6_2": (7, 1024),
        "conv6_3": (7, 1024), "relu6_3": (7, 1024), "drop6_3": (7, 1024),
    },
}  # fmt: skip
_MAPS["illustration2vec_features"] = dict(_MAPS["illustration2vec"])
_MAPS["illustration2vec"] |= {"conv6_4": (7, 1539), "pool6": (1, 1539), "prob": (1, 1539)}
_IMAGENET = {
    "fc6": 4096, "relu6": 4096, "drop6": 4096, "fc7": 4096, "relu7": 4096, "drop7": 4096,
    "fc8": 1000, "prob": 1000,
}  # fmt: skip
_VECTORS = dict.fromkeys(_MAPS, _IMAGENET) | {
    "illustration2vec": {},
    "illustration2vec_features": {"encode1": 4096, "encode1neuron": 4096, "encode2": 1539},
}


def _conv(inputs: int, outputs: int, side: int) -> int:
    return inputs * outputs * side**2 + outputs


def _dense(*sides: int) -> int:
    return sum(a * b + b for a, b in itertools.pairwise(sides))


# Worked out from the papers, convolution by convolution; grouped ones see half the channels.
_SLOW = _conv(3, 96, 7) + _conv(96, 256, 5) + _conv(256, 512, 3) + 2 * _conv(512, 512, 3)
_KRIZHEVSKY = (
    _conv(3, 96, 11) + _conv(48, 256, 5) + _conv(256, 384, 3) + _conv(192, 384, 3)
    + _conv(192, 256, 3) + _dense(9216, 4096, 4096, 1000)
)  # fmt: skip
_CHAIN = (3, 64, 128, 256, 256, 512, 512, 512, 512, 1024, 1024, 1024)
_DRAWINGS = sum(_conv(a, b, 3) for a, b in itertools.pairwise(_CHAIN))
_COUNTS = {
    "vgg_cnn_s": _SLOW + _dense(18432, 4096, 4096, 1000),
    "vgg_cnn_m": _SLOW + _dense(18432, 4096, 4096, 1000),
    "vgg_cnn_f": _conv(3, 64, 11) + _conv(64, 256, 5) + 3 * _conv(256, 256, 3)
    + _dense(9216, 4096, 4096, 1000),
    "caffenet": _KRIZHEVSKY,
    "alexnet": _KRIZHEVSKY,
    "illustration2vec": _DRAWINGS + _conv(1024, 1539, 3),
    "illustration2vec_features": _DRAWINGS + _dense(50176, 4096, 1539),
}  # fmt: skip
# As published, in millions.
_PUBLISHED = {"vgg_cnn_s": 102.9, "caffenet": 60.97, "alexnet": 60.97}
_WIDE = ("fc6", "fc7", "encode1")


def narrow(name: str, width: int = 32) -> schema.NetParameter:
    """The network, its widest matrices cut down; what is before and after them is whole."""
    net = named.BUILDERS[name]()
    for layer in net.layer:
        if layer.name in _WIDE:
            layer.inner_product_param.num_output = width
    return net


class TablesTest(tf.test.TestCase, parameterized.TestCase):
    @parameterized.parameters(*named.BUILDERS)
    def test_every_layer_has_the_shape_of_the_paper(self, name):
        model = layers_to_keras.translated(narrow(name), name=name)
        helpers = ("data", "_pad", "_flat")
        layers = [la for la in model.layers if not la.name.endswith(helpers)]
        expected = {
            **{layer: (side, side, channels) for layer, (side, channels) in _MAPS[name].items()},
            **{
                layer: (32 if layer.endswith(("6", "7")) or "encode1" in layer else size,)
                for layer, size in _VECTORS[name].items()
            },
        }
        self.assertEqual([layer.name for layer in layers], list(expected))
        side = 227 if name in ("caffenet", "alexnet") else 224
        sized = keras.Model(model.input, {la.name: la.output for la in layers})
        shapes = sized.compute_output_shape((1, side, side, 3))
        self.assertEqual({k: tuple(v[1:]) for k, v in shapes.items()}, expected)

    @parameterized.parameters(*named.BUILDERS)
    def test_as_many_weights_as_published(self, name):
        shapes = caffe_oracle.kernel_shapes(named.BUILDERS[name]())
        count = sum(math.prod(shape) + shape[0] for shape in shapes.values())
        self.assertEqual(count, _COUNTS[name])
        if name in _PUBLISHED:
            self.assertAllClose(count / 1e6, _PUBLISHED[name], atol=0.05)

    def test_widths_of_the_inner_products(self):
        for name, vectors in _VECTORS.items():
            widths = {
                layer.name: layer.inner_product_param.num_output
                for layer in named.BUILDERS[name]().layer
                if layer.type == "InnerProduct"
            }
            self.assertEqual(widths, {layer: vectors[layer] for layer in widths}, name)
            self.assertEqual(bool(widths), bool(vectors), name)

    def test_normalisation(self):
        """Chatfield et al. 2014: (2 + 1e-4 sum)^0.75; the zoo's has 1 and a fifth of that."""
        for name, alpha, k in (
            *((f"vgg_cnn_{letter}", 5e-4, 2) for letter in "smf"),
            ("caffenet", 1e-4, 1), ("alexnet", 1e-4, 1),
        ):  # fmt: skip
            norms = [x.lrn_param for x in named.BUILDERS[name]().layer if x.type == "LRN"]
            self.assertLen(norms, 1 if name == "vgg_cnn_s" else 2)
            for norm in norms:
                found = (norm.local_size, norm.alpha, norm.beta, norm.k)
                self.assertAllClose(found, (5, alpha, 0.75, k))

    def test_groups(self):
        for name in named.BUILDERS:
            groups = {
                layer.name: layer.convolution_param.group
                for layer in named.BUILDERS[name]().layer
                if layer.convolution_param.group > 1
            }
            two = name in ("caffenet", "alexnet")
            self.assertEqual(groups, {"conv2": 2, "conv4": 2, "conv5": 2} if two else {}, name)

    def test_each_has_a_contract_and_a_file(self):
        self.assertEqual(list(named.CONTRACTS), list(named.BUILDERS))
        self.assertEqual(list(named.FILES), list(named.BUILDERS))
        self.assertContainsSubset(named.CONTRACTS.values(), contracts.CONTRACTS)
        self.assertEqual(named.contract("VGG_CNN_S", "none"), "caffe")
        self.assertEqual(named.contract("CaffeNet", "none"), "ilsvrc")
        self.assertEqual(named.contract("illust2vec_tag", "none"), "illustration2vec")
        self.assertEqual(named.contract("net", "unit"), "unit")

    def test_a_chain_runs_in_place_what_caffe_runs_in_place(self):
        net = layer_tables.chain(
            "tiny",
            8,
            1,
            layer_tables.conv("a", 2, 3, pad=1),
            layer_tables.relu("b"),
            layer_tables.pool("c", 2, 2),
        )
        wires = [(x.name, list(x.bottom), list(x.top)) for x in net.layer]
        self.assertEqual(
            wires,
            [("data", [], ["data"]), ("a", ["data"], ["a"]), ("b", ["a"], ["a"]),
             ("c", ["a"], ["c"])],
        )  # fmt: skip


class OracleTest(tf.test.TestCase, parameterized.TestCase):
    @parameterized.parameters(*named.BUILDERS)
    def test_every_layer_agrees_with_opencv(self, name):
        """Float32 sums of up to 50,000 products in another order: below 1e-5."""
        found = caffe_oracle.deviations(narrow(name))
        layers = [la for la in [*_MAPS[name], *_VECTORS[name]] if not la.startswith("drop")]
        self.assertEqual(list(found), layers)
        for layer, deviation in found.items():
            self.assertLess(deviation, 2e-5, layer)

    def test_the_oracle_sees_a_wrong_table(self):
        """Padding in conv2 of VGG_CNN_S, as its paper prints, is another network."""
        net, other = narrow("vgg_cnn_s"), narrow("vgg_cnn_s")
        (conv,) = (layer for layer in other.layer if layer.name == "conv2")
        conv.convolution_param.pad[0] = 1
        whole = layers_to_keras.translated
        with mock.patch.object(
            caffe_oracle.layers_to_keras, "translated",
            lambda _, name: whole(other, name=name),
        ), self.assertRaisesRegex(AssertionError, "conv2"):  # fmt: skip
            caffe_oracle.deviations(net)


class RandomTest(tf.test.TestCase, parameterized.TestCase):
    @parameterized.parameters(*named.BUILDERS)
    def test_random_weights_neither_explode_nor_vanish(self, name):
        keras.utils.set_random_seed(0)
        model = layers_to_keras.translated(narrow(name), name=name)
        side = 227 if name in ("caffenet", "alexnet") else 224
        image = np.random.default_rng(0).normal(0, 60, (1, side, side, 3)).astype(np.float32)
        scores = {"illustration2vec": "pool6", "illustration2vec_features": "encode2"}
        last = model.get_layer(scores.get(name, "fc8")).output
        found = keras.Model(model.input, last)(image).numpy()
        self.assertAllInRange(float(found.std()), 1e-3, 1e3)


if __name__ == "__main__":
    tf.test.main()
