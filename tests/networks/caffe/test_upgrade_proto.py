"""Networks as text, and old ones as today's: against OpenCV, and written out by hand."""

import pathlib

import numpy as np
import tensorflow as tf
from absl.testing import parameterized
from google.protobuf import text_format

from tfvis.errors import InputError
from tfvis.networks.caffe import prototxt, schema, upgrade_proto


def net(text: str) -> schema.NetParameter:
    return text_format.Parse(text, schema.NetParameter())


# The head of Caffe's oldest ImageNet network, in the way of its time, and as it is said today.
V0 = """
  name: "oldest"
  layers { layer { name: "data" type: "data" } top: "data" top: "label" }
  layers { layer { name: "pad1" type: "padding" pad: 2 } bottom: "data" top: "pad1" }
  layers {
    layer { name: "conv1" type: "conv" num_output: 96 kernelsize: 11 stride: 4 group: 2
            biasterm: false }
    bottom: "pad1" top: "conv1"
  }
  layers { layer { name: "relu1" type: "relu" } bottom: "conv1" top: "conv1" }
  layers { layer { name: "norm1" type: "lrn" local_size: 3 alpha: 0.1 beta: 0.5 k: 2 }
           bottom: "conv1" top: "norm1" }
  layers { layer { name: "pad2" type: "padding" pad: 1 } bottom: "norm1" top: "pad2" }
  layers { layer { name: "pool1" type: "pool" pool: AVE kernelsize: 3 stride: 2 }
           bottom: "pad2" top: "pool1" }
  layers { layer { name: "conv2" type: "conv" num_output: 8 kernelsize: 3 pad: 1 }
           bottom: "pad2" top: "conv2" }
  layers { layer { name: "cat" type: "concat" concat_dim: 1 } bottom: "a" bottom: "b" top: "cat" }
  layers { layer { name: "fc" type: "innerproduct" num_output: 10 } bottom: "cat" top: "fc" }
  layers { layer { name: "drop" type: "dropout" dropout_ratio: 0.25 } bottom: "fc" top: "fc" }
  layers { layer { name: "odd" type: "my_own" num_output: 3 } bottom: "fc" top: "odd" }
  layers { layer { name: "loss" type: "softmax_loss" } bottom: "fc" bottom: "label" }
"""
V2 = """
  name: "oldest"
  layer { name: "data" type: "Data" top: "data" top: "label" }
  layer { name: "conv1" type: "Convolution" bottom: "data" top: "conv1"
          convolution_param { num_output: 96 kernel_size: 11 stride: 4 group: 2 pad: 2
                              bias_term: false } }
  layer { name: "relu1" type: "ReLU" bottom: "conv1" top: "conv1" }
  layer { name: "norm1" type: "LRN" bottom: "conv1" top: "norm1"
          lrn_param { local_size: 3 alpha: 0.1 beta: 0.5 k: 2 } }
  layer { name: "pool1" type: "Pooling" bottom: "norm1" top: "pool1"
          pooling_param { pool: AVE kernel_size: 3 stride: 2 pad: 1 } }
  layer { name: "conv2" type: "Convolution" bottom: "norm1" top: "conv2"
          convolution_param { num_output: 8 kernel_size: 3 pad: 1 } }
  layer { name: "cat" type: "Concat" bottom: "a" bottom: "b" top: "cat"
          concat_param { concat_dim: 1 } }
  layer { name: "fc" type: "InnerProduct" bottom: "cat" top: "fc"
          inner_product_param { num_output: 10 } }
  layer { name: "drop" type: "Dropout" bottom: "fc" top: "fc"
          dropout_param { dropout_ratio: 0.25 } }
  layer { name: "odd" type: "my_own" bottom: "fc" top: "odd" }
  layer { name: "loss" type: "SoftmaxWithLoss" bottom: "fc" bottom: "label" }
"""
# What OpenCV is to run, in each generation.
RUN = {
    0: """
      layers { layer { name: "pad1" type: "padding" pad: 2 } bottom: "data" top: "pad1" }
      layers { layer { name: "conv1" type: "conv" num_output: 4 kernelsize: 5 stride: 2 group: 2 }
               bottom: "pad1" top: "conv1" }
      layers { layer { name: "relu1" type: "relu" } bottom: "conv1" top: "conv1" }
      layers { layer { name: "norm1" type: "lrn" local_size: 3 alpha: 2 beta: 0.5 }
               bottom: "conv1" top: "norm1" }
      layers { layer { name: "pool1" type: "pool" pool: MAX kernelsize: 3 stride: 2 }
               bottom: "norm1" top: "pool1" }
      layers { layer { name: "fc" type: "innerproduct" num_output: 5 biasterm: false }
               bottom: "pool1" top: "fc" }
      layers { layer { name: "prob" type: "softmax" } bottom: "fc" top: "prob" }
    """,
    1: """
      layers { name: "conv1" type: CONVOLUTION bottom: "data" top: "conv1"
               convolution_param { num_output: 4 kernel_size: 5 stride: 2 pad: 2 group: 2 } }
      layers { name: "relu1" type: RELU bottom: "conv1" top: "conv1" }
      layers { name: "norm1" type: LRN bottom: "conv1" top: "norm1"
               lrn_param { local_size: 3 alpha: 2 beta: 0.5 } }
      layers { name: "pool1" type: POOLING bottom: "norm1" top: "pool1"
               pooling_param { pool: MAX kernel_size: 3 stride: 2 } }
      layers { name: "fc" type: INNER_PRODUCT bottom: "pool1" top: "fc"
               inner_product_param { num_output: 5 bias_term: false } }
      layers { name: "prob" type: SOFTMAX bottom: "fc" top: "prob" }
    """,
}


class UpgradingTest(tf.test.TestCase, parameterized.TestCase):
    def test_the_oldest_layers(self):
        before = net(V0)
        self.assertEqual(upgrade_proto.upgraded(before), net(V2))
        # Nothing happens to what was given, nor to what is of today.
        self.assertEqual(before, net(V0))
        self.assertEqual(upgrade_proto.upgraded(net(V2)), net(V2))

    @parameterized.parameters(0, 1)
    def test_opencv_computes_the_same_before_and_after(self, generation):
        import cv2

        before = net('input: "data" input_dim: [1, 2, 9, 11]' + RUN[generation])
        after = upgrade_proto.upgraded(before)
        random = np.random.default_rng(0)
        shapes = {"conv1": [(4, 1, 5, 5), (4,)], "fc": [(5, 4 * 2 * 3)]}
        weights = {
            name: [random.normal(size=s).astype("f4") for s in found]
            for name, found in shapes.items()
        }
        picture = random.normal(size=(1, 2, 9, 11)).astype("f4")
        weighted = schema.NetParameter()
        weighted.CopyFrom(after)
        for layer in weighted.layer:
            for array in weights.get(layer.name, []):
                layer.blobs.add(shape={"dim": array.shape}, data=array.ravel())
        answers = []
        for described in (before, after):
            text = text_format.MessageToString(described).encode()
            theirs = cv2.dnn.readNetFromCaffe(
                np.frombuffer(text, "u1"), np.frombuffer(weighted.SerializeToString(), "u1")
            )
            theirs.setInput(picture)
            answers.append(theirs.forward("prob"))
        self.assertAllEqual(answers[0].shape, (1, 5))
        # The same weights, settings and program, so the same bits.
        self.assertAllEqual(answers[0], answers[1])

    def test_every_type_of_the_second_generation_has_a_name(self):
        numbers = schema.V1LayerParameter.DESCRIPTOR.fields_by_name["type"].enum_type.values
        before = schema.NetParameter()
        for value in numbers:
            before.layers.add(name=value.name, type=value.number)
        after = {la.name: la.type for la in upgrade_proto.upgraded(before).layer}
        squeezed = {name: kind.upper() for name, kind in after.items()}
        special = {"NONE": "", "SOFTMAX_LOSS": "SOFTMAXWITHLOSS"}
        self.assertEqual(squeezed, {n: special.get(n, n.replace("_", "")) for n in after})
        # Names that Caffe's registry writes in a way of their own (layer_factory.cpp).
        for name in ("ReLU", "LRN", "InnerProduct", "TanH", "AbsVal", "Eltwise", "Softmax"):
            self.assertIn(name, after.values())

    def test_an_unknown_type_keeps_its_number(self):
        before = schema.NetParameter.FromString(b"\x12\x05\x22\x01a\x28\x63")
        self.assertEqual(upgrade_proto.upgraded(before).layer[0].type, "V1 99")

    def test_rules_and_settings_come_along(self):
        before = net("""layers { name: "p" type: POWER include { phase: TEST stage: "a" }
            exclude { min_level: 2 } power_param { shift: 3 } }""")
        after = net("""layer { name: "p" type: "Power" include { phase: TEST stage: "a" }
            exclude { min_level: 2 } power_param { shift: 3 } }""")
        self.assertEqual(upgrade_proto.upgraded(before), after)

    @parameterized.parameters(
        "input_dim: [1, 3, 5, 6] input_dim: [1, 1, 7, 8]",
        "input_shape { dim: [1, 3, 5, 6] } input_shape { dim: [1, 1, 7, 8] }",
    )
    def test_inputs_become_a_layer(self, sizes):
        after = upgrade_proto.upgraded(net(f'input: "a" input: "b" {sizes} layer {{ name: "c" }}'))
        expected = net("""
            layer { name: "input" type: "Input" top: "a" top: "b"
                    input_param { shape { dim: [1, 3, 5, 6] } shape { dim: [1, 1, 7, 8] } } }
            layer { name: "c" }""")
        self.assertEqual(after, expected)

    @parameterized.parameters(
        ("both `layer` and `layers`", "layer {} layers {}"),
        ("padding p is followed by r, which", """
            layers { layer { name: "p" type: "padding" } bottom: "x" top: "y" }
            layers { layer { name: "r" type: "relu" } bottom: "y" top: "z" }"""),
        ("padding p has not one", """
            layers { layer { name: "p" type: "padding" } top: "y" }
            layers { layer { name: "r" type: "conv" } bottom: "y" top: "z" }"""),
        ("has 2 inputs, but 1", 'input: ["a", "b"] input_shape { dim: 1 }'),
        ("has 3 input_dim", 'input: "a" input_dim: [1, 3, 5]'),
        ("both input_dim and input_shape", 'input: "a" input_dim: 1 input_shape {}'),
    )  # fmt: skip
    def test_refused(self, words, text):
        with self.assertRaisesRegex(InputError, words):
            upgrade_proto.upgraded(net(text))


DEPLOY = """\
# A net { with } comments, "open quotes and layer { in them
name: 'it\\'s layer { "'
layer { name: "data" type: "Data" top: "data" include { phase: TRAIN } data_param { source: "x" } }
layer {
  name: "data" type: "Input" top: "data" input_param { shape: { dim: 1 dim: 3 dim: 8 dim: 8 } }
  include: < phase: TEST >  # of now
}

layer { type: "Convolution" name: "conv1" bottom: "data" top: "conv1" param { lr_mult: 1 }
  param { lr_mult: 2 }
  convolution_param {
    engine: CAFFE num_output: 4 kernel_size: [3, 5]
    weight_filler { type: "xavier" variance_norm: NO_SUCH_NORM std: -1e-3 list: [{a: 1}, {}] }
  } } layer { name: "relu1" type: "ReLU"
  bottom: "conv1" top: "conv1" }
layer { name: "loss" type: "SoftmaxWithLoss" exclude { phase: TEST } }
"""


class PrototxtTest(tf.test.TestCase, parameterized.TestCase):
    def setUp(self):
        super().setUp()
        self.path = pathlib.Path(self.create_tempdir().full_path) / "deploy.prototxt"

    def _read(self, text: str | bytes) -> prototxt.Prototxt:
        self.path.write_bytes(text.encode() if isinstance(text, str) else text)
        return prototxt.read(self.path)

    def _names(self, text: str) -> list[str]:
        return [layer.name for layer in self._read(text).net.layer]

    def test_what_is_known_is_read_the_rest_is_passed_over(self):
        found = self._read(DEPLOY)
        self.assertEqual([la.type for la in found.net.layer], ["Input", "Convolution", "ReLU"])
        self.assertEqual(found.lines, {"data": 4, "conv1": 9, "relu1": 14})
        self.assertEqual(list(found.net.layer[1].convolution_param.kernel_size), [3, 5])
        # A mark at the beginning, other ends of lines, comments that are not UTF-8.
        windows = b"\xef\xbb\xbf# \xe9t\xe9\r\n" + DEPLOY.replace("\n", "\r\n").encode()
        again = self._read(windows)
        self.assertEqual(again.net, found.net)
        self.assertEqual(again.lines, {name: line + 1 for name, line in found.lines.items()})
        # As the shell of Windows writes what a program says.
        self.assertEqual(self._read(DEPLOY.encode("utf-16")), found)

    def test_lines_of_old_layers_and_of_lists(self):
        self.assertEqual(self._read(V0).lines["norm1"], 11)
        self.assertEqual(
            self._read('input: "a"\ninput_dim: [1,\n1,1,1]' + RUN[1]).lines["pool1"], 9
        )
        found = self._read('layer: [\n{ name: "a" },\n{ name: "b" }]\nlayers: []')
        self.assertEqual(found.lines, {"a": 2, "b": 3})

    @parameterized.parameters(
        ("include { phase: TRAIN }", False),
        ("include { phase: TRAIN } include { phase: TEST }", True),
        ("include { phase: TEST stage: 'deploy' }", True),
        ("include { stage: 'deploy' stage: 'other' }", False),
        ("include { not_stage: 'deploy' }", False),
        ("include { not_stage: 'other' }", True),
        ("include { min_level: 2 }", False),
        ("include { min_level: 1 max_level: 1 }", True),
        ("include { max_level: 0 }", False),
        ("include {}", True),
        ("exclude { phase: TEST }", False),
        ("exclude { phase: TRAIN } exclude { stage: 'other' }", True),
        ("exclude { phase: TRAIN } exclude { stage: 'deploy' }", False),
        ("exclude { min_level: 2 }", True),
        ("exclude {}", False),
    )
    def test_rules(self, rules, stays):
        state = "state { phase: TRAIN level: 1 stage: 'deploy' }"
        text = f'{state} layer {{ name: "a" {rules} }} layer {{ name: "b" }}'
        self.assertEqual(self._names(text), ["a", "b"] if stays else ["b"])
        # Whoever looks at the rules once more comes to the same.
        self.assertEqual(schema.word(self._read(text).net.state, "phase"), "TEST")
        old = text.replace("layer {", "layers {")
        self.assertEqual(self._names(old), ["a", "b"] if stays else ["b"])

    @parameterized.parameters(
        (":2: .*Expected string", 'layer {\n name: conv1 }'),
        (":3: .*Enum type PoolMethod has no value named L2",
         'layer {\n name: "a"\n pooling_param { pool: L2 } }'),
        (":1: .*Enum type V1Type has no value named ROI", "layers { type: ROI }"),
        (":1: the brace .* is never closed", 'layer {\n name: "a"\n'),
        (":2: the brace .* is never closed",
         '\nlayer { relu_param {\n}\nlayer { name: "b" }\nlayer {\n}'),
        (":3: the brace .* is never closed",
         '# {\nlayer { name: "{" }\nlayer {\nconvolution_param { pad: 1\n}\n'),
        (":2: a } that closes nothing", 'layer { name: "a" }\n}'),
        (":1: Message type LayerParameter should not have multiple",
         'layer { type: "A" type: "B" }'),
        (":2: Value out of range", "\ninput_dim: 99999999999"),
        (":1: Couldn't parse integer", "input_dim: " + "9" * 5000),
        (":2: more than 32 braces deep", "\n" + "layer { " * 30_000),
        (":1: a line of more than", "#" * 17_000),
        (": more than 2,097,152 bytes", "#" + " \n" * (1 << 20)),
        (": describes no layer", ""),
        (": describes no layer", "net: 'solver.prototxt' base_lr: 0.01"),
        (": describes no layer", 'layer { name: "a" include { phase: TRAIN } }'),
        (": layer a has both include and exclude", 'layer { name: "a" include {} exclude {} }'),
        (": input a has no size", 'input: "a" layer { name: "b" }'),
        (":1: Expected identifier", b"\xa2\x06\x00\xff" * 10),
        (":1: .*utf-8", r'layer { name: "\377\376" }'),
        (":1: ", 'layer { name: "open\n" }'),
    )  # fmt: skip
    def test_refused(self, words, text):
        with self.assertRaisesRegex(InputError, f"^{self.path}{words}") as caught:
            self._read(text)
        self.assertNotIn("\n", str(caught.exception))

    def test_no_file(self):
        with self.assertRaisesRegex(InputError, "no such file"):
            prototxt.read(self.path)
