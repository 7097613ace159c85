"""A checkpoint of the small network is a network like any other: every app opens it by its name."""

import os
from unittest import mock

import keras
import tensorflow as tf
from absl.testing import parameterized

from tests.processes import AppTest
from tfvis.classifiers import backbone, checkpoints
from tfvis.networks import network

_CLASSES = ("dog", "house")
_TAUGHT = "--network=taught"


class SmallNetworksTest(AppTest, parameterized.TestCase):
    def setUp(self):
        super().setUp()
        home = self.folder / "home"
        parts = backbone.split(network.build("vgg_small", "random"))
        keras.utils.set_random_seed(1)
        learnt = backbone.learnt(backbone.learner(parts, len(_CLASSES), scratch=True))
        folder = home / "checkpoints" / "taught"
        folder.mkdir(parents=True)
        checkpoints.save(folder, parts, learnt, _CLASSES, 48, {"weights": "random"})
        changed = mock.patch.dict(os.environ, TFVIS_HOME=str(home))
        changed.start()
        self.addCleanup(changed.stop)
        self.out = self.folder / "out"

    @parameterized.parameters(
        ("invert", ("--layers=block3_relu2", "--steps=2", "--fine_steps=0"), "sheet.png"),
        ("maximize", ("--units=block2_relu1:0", "--steps=20", "--size=32"), "sheet.png"),
        ("caricature", ("--layers=block3_relu2", "--steps=2"), "sheet.png"),
        ("deconv", ("--units=block3_relu2:0", "--top=1"), "sheet.png"),
        ("stylize", ("--evaluations=4", "--size=48", "--recipe=gatys"), "stylized.png"),
        ("attend", ("--class=house",), "picture/product.png"),
        ("classify", (), "predictions.csv"),
    )
    def test_opened_by_name(self, app, flags, written):
        given = {
            "maximize": (), "deconv": (f"--images={self.folder}",),
            "stylize": (f"--content={self.image}", f"--style={self.image}"),
        }.get(app, (f"--image={self.image}",))  # fmt: skip
        done = self._run(app, _TAUGHT, *given, *flags, f"--workdir={self.out}")
        self.assertTrue((self.out / written).is_file(), done.stdout + done.stderr)
        self.assertNotIn("random weights", done.stderr)


if __name__ == "__main__":
    tf.test.main()
