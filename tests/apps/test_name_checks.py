"""Names that are refused before TensorFlow starts, and that none is which is there."""

import pathlib
import subprocess
import sys
import types

import tensorflow as tf
from absl.testing import parameterized

from apps.flags import name_checks
from tfvis.errors import InputError
from tfvis.experiments.networks import Wanted
from tfvis.networks import known_names, network, registry


def _holder(name: str, value):
    return types.SimpleNamespace(name=name, value=value)


def _check(name: str, activation: str = "post", **more) -> None:
    name_checks.check(Wanted(network=name, activation=activation), **more)


def _units(text: str) -> dict:
    return {"units": _holder("units", text), "labels": _holder("labels", None)}


class EarlyTest(parameterized.TestCase, tf.test.TestCase):
    def test_what_is_known_is_what_is_built(self):
        for name in ("mobilenetv2", "vgg_cnn_f"):
            with self.subTest(name):
                built, found = network.build(name, "random", top=True), known_names.known(name)
                paths = [path for path in built.paths if path != "logits"]
                self.assertEqual(paths, list(found.paths))
                for path in paths:
                    self.assertEqual(built.channels_of(path), found.channels_of(path), path)
        # Without its classifier, as apps take it, a network has no other layers.
        for name in ("vgg16", "mobilenetv2"):
            trunk = network.build(name, "random", top=False)
            self.assertContainsSubset(trunk.paths, known_names.known(name).paths)

    def test_checkpoints(self):
        found = known_names.known("pacs_vgg16")
        self.assertIn("guitar", found.classes)
        self.assertEqual(found.channels_of("block5_conv3"), 512)
        self.assertEqual(found.channels_of("logits"), len(found.classes))
        self.assertEqual(found.paths[-2:], ("mean_over_map", "class_scores"))
        self.assertNotIn("block5_pool", found.paths)

    def test_refused(self):
        for words, check in (
            ("vgg61: neither .* known network. Nearest: vgg1", lambda: _check("vgg61")),
            ("no such file", lambda: _check("absent.keras")),
            ("vgg16 has no layer 'block4_conv7'. Nearest: block4_conv",
             lambda: _check("vgg16", words=["block4_conv7"])),
            ("resnet50 has no layer 'block1_pool'",
             lambda: _check("vgg16,resnet50", words=["block1_pool"])),
            ("vgg_cnn_s has no layer 'conv9'", lambda: _check("vgg_cnn_s", words=["conv9"])),
            ("resnet50 has no layer", lambda: _check("resnet50", words=["conv3_block4_oot"])),
            ("pacs_vgg16 has no layer 'block5_pool'",
             lambda: _check("pacs_vgg16", words=["block5_pool"])),
            ("512 channels .0 to 511",
             lambda: _check("vgg16", unit_holders=_units("block5_conv3:512"))),
            ("logit:gitar: no class of this name. Nearest: .*guitar",
             lambda: _check("pacs_vgg16", unit_holders=_units("logit:gitar"))),
            ("logit:goldfihs: .*goldfish",
             lambda: _check("vgg16", unit_holders=_units("logit:goldfihs"))),
            ("1000 channels", lambda: _check("caffenet", unit_holders=_units("logit:1000"))),
            ("--style_layers: vgg16 has no layer 'conv1'",
             lambda: _check("vgg16", layers={"style_layers": "conv1", "content_layers": None})),
            ("--class=gitar: no class of pacs_vgg16. Nearest: guitar",
             lambda: _check("pacs_vgg16", wanted="gitar")),
            ("^class=goldfihs: no class", lambda: _check("vgg16", wanted="goldfihs")),
            ("^init=nothing: no folder", lambda: name_checks.checkpoint("nothing", "init")),
            ("--class=cat: no class of pacs_vgg16",
             lambda: name_checks.checkpoint("pacs_vgg16", wanted="cat")),
        ):  # fmt: skip
            with self.subTest(words):
                self.assertRaisesRegex(InputError, words, check)

    def test_passed_on(self):
        _check("vgg16", words=["block4_conv3", "conv3|block5_pool", "fc1", "logits"])
        _check("vgg16", words=["all"])
        _check("vgg16", "pre", words=["block4_conv3_relu"])
        _check("vgg_cnn_s,VGG16", words=["conv3|block3_conv1"])
        _check("vgg16", unit_holders=_units("block5_conv3:0-511,logit:goldfish,logits:3"))
        _check("hog", words=["hog"])
        _check("illustration2vec", words=["anything"])
        _check("pacs_vgg16", wanted="guitar", unit_holders=_units("logit:guitar,class_scores"))
        name_checks.checkpoint(None)

    @parameterized.parameters(
        ("invert", "vgg16 has no layer 'block4_conv7'", "network=vgg16", "layers=block4_conv7"),
        ("invert", "seed: too large for that many restarts", "seed=2147483647", "restarts=2"),
        ("texture", "shape=16,64: expected sides of 32 to 4096 px", "style={}", "shape=16,64"),
        ("localize", "scales=2: expected one to four numbers of 0.1 to 1", "scales=2"),
        ("evaluate", "a.png: neither a folder nor a table", "checkpoint=pacs_vgg16", "data={}"),
        ("judge", "a.png: neither a folder nor a table", "checkpoint=pacs_vgg16", "data={}"),
    )
    def test_without_tensorflow(self, app, words, *flags):
        text = pathlib.Path(self.create_tempdir()) / "a.png"
        text.write_text("no picture")
        code = (
            f"import sys; sys.argv = ['x', *{[f'--{flag}'.format(text) for flag in flags]}]\n"
            f"from absl import flags; from apps import {app}; flags.FLAGS(sys.argv)\n"
            f"try: {app}.main()\n"
            "except ValueError as error: print(error)\n"
            "print('keras' in sys.modules, 'tensorflow' in sys.modules)"
        )
        done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
        self.assertIn(words, done.stdout, done.stderr)
        self.assertEndsWith(done.stdout, "False False\n")

    def test_every_name_of_keras(self):
        from tfvis.networks import hog_sift
        from tfvis.networks.preprocessing import contracts

        names = {*contracts.applications(), *hog_sift.BUILDERS}
        self.assertContainsSubset(names, registry.fixed())


if __name__ == "__main__":
    tf.test.main()
