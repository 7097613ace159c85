"""One mistake, named by the argument in the library and by the flag in an app."""

import functools
import importlib
import sys
from unittest import mock

import numpy as np
import tensorflow as tf
from absl import flags
from absl.testing import flagsaver, parameterized

import tfvis
from apps.flags import arguments
from tests import nets
from tfvis import files
from tfvis.attention import boxes, deconvnet
from tfvis.classifiers import backbone, checkpoints
from tfvis.errors import InputError, arg
from tfvis.networks import illustration2vec_tags
from tfvis.optimize.stopping import Stop
from tfvis.style import guidance

_LAYER = "block2_conv1"


@functools.cache
def _net():
    return nets.wrapped()


@functools.cache
def _flags_of(app: str) -> dict[str, flags.Flag]:
    """Returns an app's flags, none of them given, which are not defined afterwards."""
    with flagsaver.flagsaver():
        before = set(flags.FLAGS)
        importlib.import_module(f"apps.{app}")
        return {name: flags.FLAGS[name] for name in set(flags.FLAGS) - before}


def _invert(**constants):
    return tfvis.invert(_net(), nets.picture(16), _LAYER, **constants)


def _stylize(**more):
    return tfvis.stylize(_net(), nets.picture(32), nets.picture(32), **more)


def _masks():
    dark, light = np.zeros((16, 16, 3), np.float32), np.full((16, 16, 3), 255, np.float32)
    return guidance.paired(dark, [light], 1)


class ArgumentsTest(tf.test.TestCase, parameterized.TestCase):
    def tearDown(self):
        for name in [name for name in sys.modules if name.startswith("apps.")]:
            if hasattr(sys.modules[name], "run") and not name.startswith("apps.flags"):
                del sys.modules[name]
        super().tearDown()

    @parameterized.named_parameters(
        ("steps", "invert", lambda: _invert(steps=0), "steps=0 fine_steps=", "--steps=0 --fine_"),
        ("rate", "caricature", lambda: _invert(rate=-1.0), "rate=-1.0: ", "--rate=-1.0: "),
        (
            "part_of_a_setting", "invert", lambda: _invert(stop=Stop(change=-1)),
            "stop.change=-1 stop.window=", "--stop=-1 --stop_window=",
        ),
        (
            "layer", "invert", lambda: tfvis.invert(_net(), nets.picture(16), "predictions"),
            "layer=predictions: ", "--layers=predictions: ",
        ),
        (
            "unit", "maximize", lambda: tfvis.maximize(_net(), f"{_LAYER}:999"),
            f"objective={_LAYER}:999: ", f"--units={_LAYER}:999: ",
        ),
        ("size", "maximize", lambda: tfvis.maximize(_net(), _LAYER, size=0), "size=0", "--size=0"),
        (
            "weights", "stylize", lambda: _stylize(style_weights=(-1,)),
            "style_weights=", "--style_weights=",
        ),
        ("recipe", "sweep", lambda: _stylize(recipe="best"), "recipe=best: ", "--recipe=best: "),
        ("masks", "stylize", _masks, "style_masks: none has .* of content_mask",
         "--style_mask: none has .* of --content_mask"),
        (
            "class", "attend", lambda: tfvis.GradCam(_net())(nets.picture(32), "zebra"),
            "target=zebra", "--class=zebra",
        ),
        (
            "top", "deconv", lambda: deconvnet.strongest(_net(), _LAYER, [0], [], top=0),
            "top=0: ", "--top=0: ",
        ),
        ("boxes", "localize", lambda: boxes.boxes(np.eye(4), most=0), "most=0: ", "--boxes=0: "),
        ("cut", "train", lambda: backbone.split(_net(), "zzz"), "cut=zzz: ", "--cut=zzz: "),
        (
            "checkpoint", "classify", lambda: checkpoints.load("/nowhere"),
            "checkpoint=/nowhere: ", "--checkpoint=/nowhere: ",
        ),
        (
            "network", "convert", lambda: tfvis.build("vgg61", "random"),
            "network=vgg61: ", "--network=vgg61: ",
        ),
        (
            "stage", "invert", lambda: tfvis.build("vgg16", stage=("deploy",)),
            "stage=deploy: ", "--stage=deploy: ",
        ),
        (
            "tags", "tag", lambda: illustration2vec_tags.read("/nowhere.json"),
            "tags=/nowhere.json: ", "--tags=/nowhere.json: ",
        ),
        (
            "workdir", "demo", lambda: files.make_folder("/dev/null/x", "workdir"),
            "workdir=/dev/null/x: ", "--workdir=/dev/null/x: ",
        ),
    )  # fmt: skip
    def test_a_mistake(self, app, make, argument, flag):
        with self.assertRaises(InputError) as caught:
            make()
        self.assertRegex(str(caught.exception), f"^{argument}")
        with mock.patch.object(flags, "FLAGS", _flags_of(app)):
            self.assertRegex(arguments.flagged(caught.exception), f"^{flag}")

    def test_of_flags_that_may_give_an_argument_it_is_the_one_that_was_given(self):
        error = InputError(f"{arg('network')}=a.prototxt: give {arg('weights')}=b.caffemodel")
        own = _flags_of("convert")
        for name in ("network", "prototxt"):
            given = {**own, name: mock.Mock(present=1)}
            with mock.patch.object(flags, "FLAGS", given):
                self.assertEqual(
                    arguments.flagged(error), f"--{name}=a.prototxt: give --caffemodel=b.caffemodel"
                )

    def test_an_argument_that_no_flag_gives_stays_a_word(self):
        error = InputError(f"{arg('steps')}=0: expected more; {arg('callback')} is not called.")
        with mock.patch.object(flags, "FLAGS", _flags_of("evaluate")):
            self.assertEqual(arguments.flagged(error), str(error))
        with mock.patch.object(flags, "FLAGS", _flags_of("invert")):
            self.assertEqual(
                arguments.flagged(error), "--steps=0: expected more; callback is not called."
            )

    def test_other_words_stay(self):
        with mock.patch.object(flags, "FLAGS", _flags_of("invert")):
            self.assertEqual(arguments.flagged("steps"), "steps")
            self.assertEqual(arguments.flagged(ValueError("steps")), "steps")
