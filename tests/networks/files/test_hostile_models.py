"""Small files of networks that ask for all memory or all time: refused by name, before that."""

import json
import math
import os
import pathlib
import zipfile
from unittest import mock

import h5py
import keras
import numpy as np
import tensorflow as tf
from absl.testing import parameterized

from tests import nets
from tfvis import bounds
from tfvis.errors import InputError
from tfvis.networks import load_weights, network, weights
from tfvis.networks.files import hdf5, keras_bounds, weight_files


def _rewritten(source: pathlib.Path, path: pathlib.Path, change) -> str:
    """Copies a .keras file with `change` done to its description."""
    with zipfile.ZipFile(source) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    config = json.loads(members["config.json"])
    change(config["config"]["layers"])
    members["config.json"] = json.dumps(config).encode()
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return str(path)


def _layer(layers: list[dict], name: str) -> dict:
    return next(layer["config"] for layer in layers if layer["config"]["name"] == name)


class KerasTest(tf.test.TestCase, parameterized.TestCase):
    def setUp(self):
        super().setUp()
        self.folder = pathlib.Path(self.create_tempdir().full_path)
        self.source = self.folder / "small.keras"
        nets.small().save(self.source)

    def _refused(self, words: str, change) -> None:
        path = _rewritten(self.source, self.folder / "bad.keras", change)
        limit = 64 << 20
        made = []

        def creator(make, **arguments):
            variable = make(**arguments)
            made.append(math.prod(variable.shape) * variable.dtype.size)
            return variable

        with (
            tf.variable_creator_scope(creator),
            self.assertRaisesRegex(InputError, f"bad.keras.*{words}"),
        ):
            network.build(path)
        self.assertLess(sum(made), limit)

    @parameterized.parameters(
        ({"filters": 30_000_000}, "does not hold"),
        ({"filters": 300_000}, "does not hold"),
        ({"kernel_size": [20_000, 20_000]}, "does not hold"),
        # Some floats are written as counts.
        ({"filters": 1e12}, ""),
        ({"groups": 0}, ""),
    )
    def test_weights_it_does_not_hold_are_not_made(self, change, words):
        self._refused(words, lambda layers: _layer(layers, "block2_conv1").update(change))

    def test_a_wide_dense_layer(self):
        def wide(layers):
            _layer(layers, "predictions").update(units=100_000_000)

        self._refused("does not hold", wide)

    @parameterized.parameters(40_000, 1 << 40)
    def test_a_vast_input(self, side):
        def vast(layers):
            layers[0]["config"]["batch_shape"] = [None, side, side, 3]

        self._refused("", vast)

    def test_layers_in_layers_are_counted_as_often_as_they_are_called(self):
        # Forty models, each the one before it twice: 2^40 layers when they are laid out.
        def once(name, inner):
            node = {"args": [], "kwargs": {}}
            return {"class_name": "Functional", "config": {"name": name, "layers": [inner]},
                    "inbound_nodes": [node, node]}  # fmt: skip

        inner = once("m0", {"class_name": "Dense", "config": {}, "inbound_nodes": [{}]})
        for k in range(1, 40):
            inner = once(f"m{k}", inner)
        self._refused("layers", lambda layers: layers.append(inner))
        for _ in range(3000):
            inner = {"config": {"layers": [inner]}}
        with self.assertRaisesRegex(InputError, "without end"):
            keras_bounds._check_layers(inner)

    def test_thousands_of_layers(self):
        self._refused("layers", lambda layers: layers.extend([layers[-1]] * bounds.LAYERS))

    def test_a_map_that_fills_the_memory(self):
        inputs = keras.Input((64, 64, 3))
        x = keras.layers.Conv2D(4, 3, padding="same", name="a")(inputs)
        x = keras.layers.UpSampling2D(1000, name="up")(x)
        outputs = keras.layers.GlobalAveragePooling2D()(x)
        keras.Model(inputs, outputs).save(self.folder / "vast.keras")
        with self.assertRaisesRegex(InputError, "vast.keras.*layer up"):
            network.build(str(self.folder / "vast.keras"))

    def test_what_keras_makes_by_itself_is_within_the_bounds(self):
        inputs = keras.Input((32, 32, 3))
        x = keras.layers.RandomFlip(seed=1)(inputs)
        x = keras.layers.Normalization(mean=[1.0, 2, 3], variance=[1.0, 1, 1])(x)
        x = keras.layers.SeparableConv2D(8, 3, name="s")(x)
        x = keras.layers.BatchNormalization()(x)
        inner = keras.Sequential([keras.Input((30, 30, 8)), keras.layers.Conv2D(8, 3)], name="in")
        x = keras.layers.Dropout(0.2, seed=1)(inner(x))
        x = keras.layers.Reshape((-1, 8))(x)
        x = keras.layers.MultiHeadAttention(2, 4)(x, x)
        x = keras.layers.GlobalAveragePooling1D()(x)
        model = keras.Model(inputs, keras.layers.Dense(3, name="d")(x))
        model.compile("adam", "mse")
        model.save(self.folder / "own.keras")
        opened = weight_files.open_model(self.folder / "own.keras")
        x = np.ones((1, 32, 32, 3), np.float32)
        self.assertAllClose(opened(x), model(x), rtol=1e-5)

    def test_not_a_number_names_the_file(self):
        model = nets.small()
        layer = model.get_layer("block2_conv1")
        layer.set_weights([w * np.nan for w in layer.get_weights()])
        model.save(self.folder / "nan.keras")
        with self.assertRaisesRegex(InputError, "network=.*nan.keras.*block2_conv1.*NaN"):
            network.build(str(self.folder / "nan.keras"))


class ArraysTest(tf.test.TestCase, parameterized.TestCase):
    def setUp(self):
        super().setUp()
        self.folder = pathlib.Path(self.create_tempdir().full_path)

    def _h5(self, name: str = "a.h5") -> pathlib.Path:
        path = self.folder / name
        nets.small().save(path)
        return path

    def _refused(self, words: str, path: pathlib.Path) -> None:
        with self.assertRaisesRegex(InputError, f"weights=.*{path.name}.*{words}"):
            weights.from_file(nets.small(), path)

    def test_one_array_under_three_thousand_names(self):
        path = self._h5()
        with h5py.File(path, "a") as file:
            group = file["model_weights/block1_conv1"]
            group.create_dataset("large", data=np.ones(1 << 18, np.float32))
            del group.attrs["weight_names"]
            group.attrs["weight_names"] = np.array([b"large"] * 3000)
        self._refused("more weights than", path)

    def test_names_that_could_be_one_megabyte_each(self):
        path = self._h5()
        with h5py.File(path, "a") as file:
            file["model_weights"].attrs["layer_names"] = [b"x" * 50_000] * 1000
        self._refused("layer_names are too many", path)

    @parameterized.parameters("group", "array", "soft", "external", "circle")
    def test_links(self, kind):
        path = self._h5()
        with h5py.File(path, "a") as file:
            root = file["model_weights"]
            if kind == "soft":
                root["extra"] = h5py.SoftLink("/model_weights/extra")
            elif kind == "external":
                root["extra"] = h5py.ExternalLink("/etc/passwd", "/x")
            elif kind == "array":
                array = next(iter(root["block1_conv1"].values()))
                while isinstance(array, h5py.Group):
                    array = next(iter(array.values()))
                root["extra"] = array
            else:
                root["extra"] = root["block1_conv1"] if kind == "group" else file
        self._refused("data elsewhere|second name", path)

    def test_two_to_the_fortieth_ways(self):
        path = self.folder / "maze.weights.h5"
        with h5py.File(path, "w") as file:
            group = file
            for _ in range(40):
                inner = group.create_group("a")
                group["b"] = inner
                group = inner
        self._refused("second name", path)

    def test_virtual_and_external_data(self):
        for kind in ("virtual", "external"):
            path = self._h5(f"{kind}.h5")
            with h5py.File(path, "a") as file:
                if kind == "virtual":
                    layout = h5py.VirtualLayout((4,), "f4")
                    layout[:] = h5py.VirtualSource("/etc/passwd", "x", (4,))
                    file.create_virtual_dataset("extra", layout)
                else:
                    file.create_dataset("extra", (4,), "f4", external=[("/etc/passwd", 0, 16)])
            self._refused("outside itself", path)

    def test_a_chunk_larger_than_what_is_in_it(self):
        path = self.folder / "chunk.weights.h5"
        with h5py.File(path, "w") as file:
            file.create_dataset("a", (1,), "f4", chunks=(1 << 29,), maxshape=(None,),
                                compression="gzip")  # fmt: skip
        self._refused("bomb", path)

    @parameterized.parameters(
        ("M8[s]",), ("c8",), ("O",), ("S3",), ([("a", "f4")],),
    )  # fmt: skip
    def test_arrays_of_no_numbers(self, kind):
        path = self.folder / "odd.npz"
        np.savez(path, **{"block1_conv1/0": np.zeros((3, 3, 3, 8), kind)})
        self._refused("cannot be read as numbers", path)

    @parameterized.parameters(
        # Nodes of two bytes each; bytes of a name; a message cut off.
        (b"\x0a\0" * 1_100_000, "more than 1,000,000"),
        (b"\x12\x80\x80\x80\x10" + b" " * (32 << 20), "no numbers"),
        (b"\x0a\xff", "cut off"),
    )
    def test_onnx_that_is_mostly_no_numbers(self, graph, words):
        path = self.folder / "odd.onnx"
        length, head = len(graph), []
        while length > 127:
            head.append(length & 127 | 128)
            length >>= 7
        path.write_bytes(b"\x08\x08\x3a" + bytes([*head, length]) + graph)
        with mock.patch("onnx.load_from_string", side_effect=AssertionError):
            self._refused(words, path)

    def test_a_pipe_is_not_waited_for(self):
        for suffix in load_weights.SUFFIXES:
            path = self.folder / f"pipe{suffix}"
            os.mkfifo(path)
            self._refused("pipe", path)
        with self.assertRaisesRegex(InputError, "pipe"):
            network.build(str(self.folder / "pipe.keras"))

    def test_names_kept_in_parts_are_read(self):
        """As Keras parts lists of names that an attribute cannot hold."""
        path = self._h5()
        with h5py.File(path, "a") as file:
            root = file["model_weights"]
            names = list(root.attrs["layer_names"])
            del root.attrs["layer_names"]
            root.attrs["layer_names0"], root.attrs["layer_names1"] = names[:2], names[2:]
        model = nets.small(seed=5)
        weights.from_file(model, path)
        self.assertEqual(weights.fingerprint(model), weights.fingerprint(nets.small()))

    def test_many_objects(self):
        path = self.folder / "many.weights.h5"
        with h5py.File(path, "w") as file:
            for k in range(60):
                file.create_group(str(k))
        with mock.patch.object(bounds, "OBJECTS", 50):
            self._refused("more than 50", path)
        with h5py.File(path) as file:
            hdf5.check(file, path.stat().st_size)


if __name__ == "__main__":
    tf.test.main()
