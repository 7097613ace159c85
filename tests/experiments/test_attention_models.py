"""At which size networks are shown pictures, and in whose pixels boxes are told."""

import pathlib
import types

import numpy as np
import tensorflow as tf
from absl.testing import parameterized
from google.protobuf import text_format

from tests import caffe_nets, nets
from tfvis import images
from tfvis.attention.boxes import Box
from tfvis.experiments import (
    attention,
    attention_models,
    deconvnet,
    localization,
    localization_pictures,
    networks,
)


class ShapeTest(tf.test.TestCase, parameterized.TestCase):
    def _shape(self, height, width, side=224):
        network = types.SimpleNamespace(fixed_size=None)
        model = types.SimpleNamespace(network=network, keeps_shape=True, side=side)
        return attention_models.AttentionModel.shape(model, height, width)

    @parameterized.parameters(
        ((768, 1024), (224, 296)),
        ((1024, 768), (296, 224)),
        ((2000, 3000), (224, 336)),
        ((1080, 1920), (224, 400)),
        ((100, 100), (224, 224)),
        ((448, 512), (224, 256)),
        # A strip is squeezed.
        ((100, 16_000), (224, 896)),
    )
    def test_aspects_are_kept(self, size, shape):
        self.assertEqual(self._shape(*size), shape)

    def test_the_smallest_step_bounds_what_is_squeezed(self):
        shapes = set()
        for width in range(300, 1200):
            height, wide = self._shape(300, width)
            self.assertEqual(height, 224)
            exact = 224 * width / 300
            self.assertLessEqual(abs(wide - exact), max(4, 0.01 * exact))
            shapes.add(wide)
        # Few enough to compile.
        self.assertLess(len(shapes), 90)


class CaffeFileTest(tf.test.TestCase):
    """A file of Caffe's is opened with its classifier, but where a size is asked for."""

    def setUp(self):
        super().setUp()
        folder = pathlib.Path(self.create_tempdir().full_path)
        self.picture = folder / "picture.png"
        images.save_png(self.picture, nets.picture(40))
        net = caffe_nets.deploy(
            caffe_nets.conv("conv1", "data", "num_output: 4 kernel_size: 3"),
            caffe_nets.layer("relu1", "ReLU", "conv1", "conv1"),
            caffe_nets.layer("fc", "InnerProduct", "conv1", inner_product="num_output: 3"),
            caffe_nets.layer("prob", "Softmax", "fc"),
            size=(32, 32),
        )
        self.file = folder / "deploy.prototxt"
        self.file.write_text(text_format.MessageToString(net))

    def _records(self, **given):
        wanted = networks.Wanted(str(self.file), weights="random")
        with self.assertLogs("tfvis") as logs:
            found = attention.run(
                wanted, self.picture, workdir=self.create_tempdir().full_path, **given
            )
        return found.records[0], "\n".join(logs.output)

    def test_whole(self):
        record, said = self._records()
        self.assertLen(record["top"], 3)
        self.assertIn("gradcam.png", record["files"])
        self.assertNotIn("classifier", said)

    def test_at_another_size(self):
        record, said = self._records(size=40)
        self.assertNotIn("gradcam.png", record["files"])
        self.assertIn("is opened without a classifier, so that it takes size", said)


class BoxTest(tf.test.TestCase):
    def test_fields_are_told_in_pixels_of_the_picture(self):
        # A picture of 100 x 60, its square from 20 on shown at 30 px.
        told = deconvnet._in_picture((6, 3, 30, 15), (30, 30), (60, 100), "center")
        self.assertEqual(told, [26, 12, 50, 60])
        told = deconvnet._in_picture((6, 3, 30, 15), (30, 30), (60, 100), "right")
        self.assertEqual(told, [46, 12, 70, 60])
        told = deconvnet._in_picture((6, 3, 30, 15), (30, 30), (60, 100), "none")
        self.assertEqual(told, [10, 12, 50, 60])

    def test_a_crop_is_what_its_corners_say(self):
        picture = np.arange(6 * 10 * 3).reshape(6, 10, 3)
        for where in images.CROPS:
            x0, y0, x1, y1 = images.cropped(6, 10, where)
            self.assertAllEqual(images.crop(picture, where), picture[y0:y1, x0:x1])

    def test_one_number_is_printed(self):
        box = Box(1, 2, 3, 4, 0.163)
        record = {"path": "a.png", "label": "dog", "probability": 0.814}
        (line,) = localization._lines(record | {"boxes": [localization_pictures.plain(box)]})
        self.assertRegex(line, r"dog +81\.4%  1,2 to 3,4$")
        self.assertNotIn("0.163", line)


if __name__ == "__main__":
    tf.test.main()
