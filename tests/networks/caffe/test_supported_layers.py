"""How much of a Caffe network is opened: to its end, to what is not known, to --until."""

import pathlib

import numpy as np
import tensorflow as tf
from absl.testing import parameterized

from apps.benchmarks import caffe_oracle
from tests.caffe_nets import conv, deploy, layer, numbers
from tfvis.errors import InputError
from tfvis.networks import network
from tfvis.networks.caffe import prototxt, supported_layers
from tfvis.networks.caffe.to_keras import layer_makers

_INPUT = 'input: "data" input_shape { dim: [1, 3, 9, 9] }\n'
_A = conv("a", "data", "num_output: 4 kernel_size: 3")
_FC = layer("fc", "InnerProduct", "a", inner_product="num_output: 5")
_BOXES = layer("boxes", "PriorBox", "b data", prior_box="min_size: 30")
_LOSS = layer("loss", "SoftmaxWithLoss", "fc label")
_ACCURACY = layer("accuracy", "Accuracy", "fc label", accuracy="top_k: 5")


def _data(transform: str = "crop_size: 9", kind: str = "Data", **params) -> str:
    return layer("data", kind, "", "data label", transform=transform, **params)


def _planned(text: str, until: str | None = None, stages=()) -> supported_layers.Plan:
    read = prototxt.parsed(text, "n.prototxt", stages)
    return supported_layers.planned(read, "n.prototxt", layer_makers.MAKERS, until)


def _names(plan: supported_layers.Plan) -> list[str]:
    return [la.name for la in plan.net.layer if la.type != "Input"]


class PlanningTest(parameterized.TestCase, tf.test.TestCase):
    def test_what_is_not_known_is_left_out_with_all_that_needs_it_and_said(self):
        text = _INPUT + _A + layer("b", "ReLU", "a") + _BOXES + layer("c", "TanH", "b")
        text += layer("d", "Flatten", "boxes") + layer("e", "Sigmoid", "d", "d")
        plan = _planned(text)
        self.assertEqual(_names(plan), ["a", "b", "c"])
        (note,) = plan.notes
        self.assertIn("boxes of type PriorBox (line 4) is not supported", note)
        self.assertIn("with d, e", note)
        self.assertEqual(_planned(_INPUT + _A).notes, ())

    def test_a_name_that_is_made_anew_is_known_again(self):
        text = _INPUT + _A + layer("p", "Python", "a", "x") + layer("b", "ReLU", "a", "x")
        self.assertEqual(_names(_planned(text + layer("c", "TanH", "x"))), ["a", "b", "c"])

    def test_a_network_ends_where_it_is_told_to(self):
        text = _INPUT + _A + layer("r", "ReLU", "a", "a") + layer("side", "TanH", "a")
        text += layer("in/b", "Sigmoid", "a") + _BOXES.replace('"b"', '"in/b"')
        for until, names in (
            ("a", ["a"]), ("r", ["a", "r"]), ("in/b", ["a", "r", "in/b"]), ("in--b", None),
        ):  # fmt: skip
            plan = _planned(text, until)
            self.assertEqual(_names(plan), names or ["a", "r", "in/b"])
            self.assertEqual(plan.notes, ())
        with self.assertRaisesRegex(InputError, "^until=boxes: .*PriorBox .*not supported"):
            _planned(text, "boxes")
        with self.assertRaisesRegex(InputError, "^until=sid: .*no such layer. Nearest: side"):
            _planned(text, "sid")

    def test_a_layer_without_a_type_is_said_to_have_none(self):
        text = _INPUT + _A + '\nlayer { name: "b" bottom: "a" top: "b" }'
        self.assertRegex(_planned(text).notes[0], r"layer b without a type \(line 4\) is not supp")

    @parameterized.parameters(
        ("convolution", "relu: true", "convolution_param.relu"),
        ("quantization", "bits: 8", "quantization_param"),
        ("convolution", "weight_filler { odd: 1 }", "convolution_param.weight_filler.odd"),
    )
    def test_a_field_of_a_fork_is_refused_by_name_and_line(self, message, fields, name):
        more = layer("b", "Convolution", "a", **{message: f"{fields}"})
        if message != "convolution":
            more = more.replace("quantization", "convolution_param { num_output: 2 } quantization")
        text = _INPUT + _A + "\n" + more
        with self.assertRaisesRegex(InputError, f"^n.prototxt:4: layer b .*{name}, which is not"):
            _planned(text)
        # What lies before it can be looked into; what is left out anyway may say what it likes.
        self.assertEqual(_names(_planned(text, "a")), ["a"])
        self.assertEqual(_names(_planned(text.replace('"Convolution" bottom: "a"',
                                                      '"Odd" bottom: "a"'))), ["a"])  # fmt: skip

    def test_fields_that_change_nothing_are_passed_over(self):
        text = _INPUT + "force_backward: true debug_info: true state { phase: TRAIN }\n"
        text += (
            'layer { name: "a" type: "Convolution" bottom: "data" top: "a" propagate_down: false '
            "param { lr_mult: 1 decay_mult: 0 } param [{ lr_mult: 2 }, { share_mode: STRICT }] "
            "convolution_param { num_output: 2 kernel_size: 1 engine: CUDNN "
            'bias_filler < type: "constant" value: 0.1 > weight_filler { type: "msra" std: 0.1 '
            "variance_norm: FAN_OUT } } }\n"
        )
        text += layer("b", "BatchNorm", "a", batch_norm="moving_average_fraction: 0.9")
        self.assertEqual(_names(_planned(text)), ["a", "b"])
        with self.assertRaisesRegex(InputError, "^n.prototxt:2: has odd_thing, which"):
            prototxt.parsed(text.replace("debug_info", "odd_thing"), "n.prototxt")

    @parameterized.parameters(
        (layer("b", "TanH", "data", "a"), "layers a .* and b .* both put out 'a'"),
        (layer("a", "TanH", "data", "b"), ":3: a second layer named 'a' .the first is in line 2"),
        (layer("", "TanH", "a", "b") + layer("", "TanH", "a", "c"), ":4: a second layer named ''"),
        ('layers { name: "b" type: TANH bottom: "a" top: "b" }', ":3: has both `layer` and"),
        (layer("b", "Reshape", "label"), "takes 'label', an input that is no picture"),
        ("".join(layer(f"r{i}", "ReLU", "a", "a") for i in range(900)), "more than 800 layers"),
        ("".join(layer(f"r{i}", "ReLU", "a") for i in range(4100)), "has 4,101 layers"),
    )
    def test_refused(self, more, message):
        text = 'input: "data" input_shape { dim: [1, 3, 9, 9] } input: "label" '
        text += "input_shape { dim: 1 }\n" + _A + more
        with self.assertRaisesRegex(InputError, f"^n.prototxt.*{message}") as caught:
            _planned(text)
        self.assertNotIn("\n", str(caught.exception))

    def test_an_input_that_nothing_needs_does_not_count(self):
        text = 'input: "data" input_shape { dim: [1, 3, 9, 9] } input: "im_info" '
        text += "input_shape { dim: [1, 3] }\n" + _A + layer("p", "Proposal", "a im_info")
        self.assertEqual(_names(_planned(text)), ["a"])
        # Of two branches, one.
        two = _INPUT + 'input: "other" input_shape { dim: [1, 3, 9, 9] }\n' + _A
        two += layer("b", "TanH", "other")
        plan = _planned(two, "b")
        self.assertEqual([la.name for la in plan.net.layer], ["input", "b"])
        self.assertEqual(list(plan.net.layer[0].top), ["other"])

    def test_stages(self):
        rules = ("include { stage: 'deploy' }", "include { not_stage: 'deploy' }",
                 "exclude { stage: 'deploy' stage: 'other' }")  # fmt: skip
        text = (
            _INPUT
            + _A
            + "".join(
                layer(f"b{k}", "TanH", "a").replace(" }\n", f" {rule} }}\n")
                for k, rule in enumerate(rules)
            )
        )
        read = prototxt.parsed(text, "n.prototxt")
        self.assertIn("stages deploy, other; none is chosen", *read.notes)
        self.assertEqual(_names(_planned(text)), ["a", "b1", "b2"])
        self.assertEqual(_names(_planned(text, stages=("deploy",))), ["a", "b0", "b2"])
        self.assertEqual(_names(_planned(text, stages=("deploy", "other"))), ["a", "b0"])
        with self.assertRaisesRegex(InputError, "^stage=val: .*Known: deploy, other"):
            _planned(text, stages=("val",))

    @parameterized.parameters(
        (_data("crop_size: 7"), (3, 7, 7)),
        (_data("crop_h: 5 crop_w: 6"), (3, 5, 6)),
        (_data("force_gray: true", data="crop_size: 8"), (1, 8, 8)),
        (_data("resize_param { height: 5 width: 7 }", "AnnotatedData"), (3, 5, 7)),
        (_data("", "ImageData", image_data="new_height: 4 new_width: 6"), (3, 4, 6)),
        (_data("", "MemoryData", memory_data="channels: 1 height: 4 width: 6"), (1, 4, 6)),
        (_data("", "DummyData", dummy_data="shape { dim: [2, 3, 4, 6] }"), (3, 4, 6)),
    )
    def test_data_layers_say_the_size(self, data, size):
        plan = _planned(data + _A.replace("kernel_size: 3", "kernel_size: 1") + _FC + _LOSS)
        self.assertEqual(list(plan.net.layer[0].input_param.shape[0].dim)[1:], [*size])
        self.assertEqual(list(plan.net.layer[0].top), ["data"])
        self.assertEqual([la.type for la in plan.net.layer][-2:], ["InnerProduct", "Softmax"])

    @parameterized.parameters(
        (_data("mirror: true"), "layer data .line 1. does not say how large"),
        (layer("data", "Python", "", "data label", python="module: 'm'"), "size not known"),
    )
    def test_data_layers_that_do_not(self, data, message):
        with self.assertRaisesRegex(InputError, message):
            _planned(data + _A)


class BuildTest(parameterized.TestCase, tf.test.TestCase):
    def setUp(self):
        super().setUp()
        self.folder = pathlib.Path(self.create_tempdir().full_path)
        blobs = numbers(a=[(4, 3, 3, 3), (4,)], fc=[(5, 4 * 7 * 7), (5,)])
        blobs["fc"][0] /= 100
        self.weights = self.folder / "net.caffemodel"
        net = deploy(_A, _FC, size=(9, 9))
        self.weights.write_bytes(caffe_oracle.caffemodel(net, blobs))

    def _build(self, text: str, **kwargs) -> network.Network:
        (self.folder / "net.prototxt").write_text(text)
        return network.build(str(self.folder / "net.prototxt"), **kwargs)

    def test_a_file_of_a_training_answers_as_the_deployed_network(self):
        means = "mean_value: 10 mean_value: 20 mean_value: 30 scale: 0.5 crop_size: 9"
        train = _data().replace("{ ", "{ include { phase: TRAIN } ", 1)
        test = _data(means).replace("{ ", "{ include { phase: TEST } ", 1)
        trained = self._build(train + test + _A + _FC + _ACCURACY + _LOSS)
        self.assertEqual(trained.preprocessing.mean, (30.0, 20.0, 10.0))
        self.assertEqual(trained.preprocessing.scale, (0.5,))
        self.assertTrue(trained.preprocessing.bgr)
        self.assertEqual(trained.logits, "fc")
        text = _INPUT + _A + _FC + layer("prob", "Softmax", "fc")
        deployed = self._build(text, preprocessing="none")
        pixels = np.random.default_rng(0).uniform(0, 255, (1, 9, 9, 3)).astype("f4")
        shown = ((pixels - np.float32([30, 20, 10])) * np.float32(0.5))[..., ::-1]
        wanted = deployed.taps(["prob"])(tf.constant(shown))["prob"]
        found = trained.taps(["loss"])(tf.constant(pixels))["loss"]
        self.assertAllClose(found, wanted, atol=1e-5)

    def test_a_mean_image_is_found_beside_the_file_or_missed_in_a_line(self):
        text = _data('crop_size: 9 mean_file: "data/mean.npy"') + _A + _FC + _LOSS
        network_ = self._build(text)
        self.assertIn("mean.npy, is not beside", *network_.notes)
        self.assertEqual(network_.preprocessing.name, "caffe")
        np.save(self.folder / "mean.npy", np.float32([1, 2, 3]))
        network_ = self._build(text)
        self.assertEqual(network_.notes, ())
        self.assertEqual(network_.preprocessing.mean, (3.0, 2.0, 1.0))

        # Of an image, what lies behind the centre that the network is shown.
        image = np.random.default_rng(0).uniform(0, 255, (3, 13, 11)).astype("f4")
        np.save(self.folder / "mean.npy", image)
        contract = self._build(text).preprocessing
        self.assertAllClose(contract.image, image[::-1, 2:11, 1:10].transpose(1, 2, 0))
        for name in ("x" * 300 + ".npy", "a\\000b.npy", ".."):
            self.assertLen(self._build(text.replace("data/mean.npy", name)).notes, 1)

    def test_notes_come_with_the_network(self):
        built = self._build(_INPUT + _A + layer("roi", "ROIPooling", "a rois"))
        self.assertEqual(built.paths, ("a",))
        self.assertRegex(built.notes[0], "net.prototxt is opened in part: .*ROIPooling")

    def test_helpers_count_where_a_chain_is_deep(self):
        # Each is two layers of Keras: a padding comes before it.
        text = "".join(
            conv(f"c{i}", f"c{i - 1}" if i else "data", "num_output: 1 kernel_size: 1 pad: 1")
            for i in range(700)
        )
        with self.assertRaisesRegex(InputError, "^network=.*one after another than Keras"):
            self._build(_INPUT + text, weights="random")

    def test_named_networks_end_and_others_do_not(self):
        built = network.build("caffenet", "random", until="norm1")
        self.assertEqual(built.paths[-1], "norm1")
        for name, flags in (("vgg16", {"until": "block1_pool"}), ("caffenet", {"stage": ("a",)})):
            (flag,) = flags
            with self.assertRaisesRegex(InputError, f"^{flag}="):
                network.build(name, "random", **flags)

    def test_the_layer_that_is_asked_for_may_be_an_inner_product(self):
        built = self._build(_INPUT + _A + _FC, top=False, until="fc")
        self.assertEqual(built.paths[-1], "fc")


if __name__ == "__main__":
    tf.test.main()
