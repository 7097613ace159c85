"""Networks that paint in other runtimes: files that paint the same at any size, in any mix."""

import pathlib
from unittest import mock

import numpy as np
import onnx
import tensorflow as tf

from tests import nets
from tests.style.fast.test_checkpoints import saved
from tfvis.errors import InputError
from tfvis.experiments import converted_file, fast_style_export
from tfvis.style.fast import checkpoints, litert_export, onnx_export


class ExportTest(tf.test.TestCase):
    def setUp(self):
        super().setUp()
        self.folder = pathlib.Path(self.create_tempdir().full_path)
        self.style = checkpoints.load(str(saved(self.folder / "two")))

    def test_onnx_and_litert_paint_the_same(self):
        for export, name in ((onnx_export, "a.onnx"), (litert_export, "a.tflite")):
            path = self.folder / name
            export.write(self.style, path)
            for (height, width), mix in (((12, 16), (1.0, 0.0)), ((21, 10), (0.3, 0.7))):
                picture = nets.oblong(height, width)
                painted = export.painted(path, picture, mix)
                # A thousandth of a level: float32, in another order.
                ours = self.style.paint(picture, mix, margin=0)
                self.assertAllClose(painted, ours, atol=1e-2, msg=name)

    def test_an_onnx_file_names_its_styles(self):
        model = onnx_export.model(self.style)
        self.assertEqual(model.metadata_props[0].value, '["warm", "cold"]')
        self.assertEqual([one.name for one in model.graph.input], ["picture", "mix"])

    def test_what_paints_something_else_is_not_kept(self):
        path = self.folder / "wrong.onnx"
        other = onnx.load_from_string(onnx_export.model(self.style).SerializeToString())
        (range_,) = (one for one in other.graph.initializer if one.name == "range")
        range_.CopyFrom(onnx.numpy_helper.from_array(np.float32(200), "range"))
        with mock.patch.object(onnx_export, "model", lambda style: other):
            with self.assertRaisesRegex(InputError, "levels off. It is not kept"):
                fast_style_export.run(str(self.folder / "two"), str(path))
        self.assertFalse(path.exists())
        done = fast_style_export.run(str(self.folder / "two"), str(path))
        self.assertTrue(path.exists())
        self.assertIn("Written", done.lines[-1])

    def test_endings(self):
        for output, words in ((None, "name the file to write"), ("a.pb", "ends in .onnx")):
            with self.assertRaisesRegex(InputError, words):
                converted_file.of_painter(output)


if __name__ == "__main__":
    tf.test.main()
