"""The notebooks run as they stand: in three steps, on small networks by chance."""

import json
import pathlib

import keras
import tensorflow as tf
from absl.testing import parameterized

from tests import nets
from tools import notebooks

_CLASSES = ("dog", "elephant", "giraffe", "guitar", "horse", "house", "person")
# Files are shown by web pages that cut off larger ones.
_BYTES = 1_000_000


def _network(path: pathlib.Path) -> None:
    """Saves a network of the layers that the notebooks name, with the channels they ask for."""
    keras.utils.set_random_seed(0)
    inputs = x = keras.Input((None, None, 3))
    names = (
        "block1_conv2", "block2_conv2", "block3_conv3",
        "block4_conv2", "block4_conv3", "block5_conv3",
    )  # fmt: skip
    for name in names:
        if name != "block4_conv3" and x is not inputs:
            x = keras.layers.MaxPooling2D(2)(x)
        channels = 194 if name == "block4_conv2" else 24
        # With small kernels and a bias all units answer something.
        kernel = keras.initializers.VarianceScaling(0.1)
        x = keras.layers.Conv2D(
            channels, 3, padding="same", activation="relu", name=name,
            kernel_initializer=kernel, bias_initializer="ones",
        )(x)  # fmt: skip
    keras.Model(inputs, x).save(path)


class NotebookTest(tf.test.TestCase, parameterized.TestCase):
    def test_they_run(self):
        folder = pathlib.Path(self.create_tempdir().full_path)
        _network(folder / "small.keras")
        settings = {
            "STEPS": "3",
            "SIZE": "32",
            "NETWORK": str(folder / "small.keras"),
            "CLASSIFIER": str(nets.checkpoint(folder / "own", _CLASSES)),
        }
        environment = {f"TFVIS_NOTEBOOK_{key}": value for key, value in settings.items()}
        names = notebooks.names()
        books = notebooks.executed(names, environment | {"IPYTHONDIR": str(folder)})
        for name, book in zip(names, books, strict=True):
            with self.subTest(name):
                outputs = [output for cell in book.cells for output in cell.get("outputs", ())]
                pictures = [one for one in outputs if "image/jpeg" in one.get("data", {})]
                self.assertNotEmpty(pictures)

    @parameterized.parameters(notebooks.names())
    def test_it_is_small_and_holds_what_was_found(self, name):
        path = notebooks.FOLDER / f"{name}.ipynb"
        self.assertLess(path.stat().st_size, _BYTES)
        cells = json.loads(path.read_text())["cells"]
        for cell in cells:
            self.assertNotIn("execution", cell["metadata"])
            if cell["cell_type"] == "code":
                self.assertIsNotNone(cell["execution_count"])
                for output in cell["outputs"]:
                    self.assertNotIn("image/png", output.get("data", {}))
                    self.assertNotEqual(output.get("name"), "stderr")


if __name__ == "__main__":
    tf.test.main()
