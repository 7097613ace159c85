"""Models in files of Keras 3 and 2, and what is no model: the same numbers, or one line."""

import base64
import json
import marshal
import pathlib
import zipfile

import h5py
import keras
import numpy as np
import tensorflow as tf

from tests import nets
from tfvis.errors import InputError
from tfvis.networks import network

_L = keras.layers


@keras.saving.register_keras_serializable("tests_of_keras_files")
class _Doubled(_L.Layer):
    def call(self, x):
        return 2 * x


def _old(kind: str, name: str, sources: list, **settings) -> dict:
    """A layer as Keras 2 wrote it; sources: [layer, call] each, or [layer, call, {words}]."""
    calls = [[s[0], s[1], 0, s[2] if len(s) > 2 else {}] for s in sources]
    return {
        "module": "keras.layers", "class_name": kind, "registered_name": None, "name": name,
        "config": {"name": name, "trainable": True, "dtype": "float32"} | settings,
        "inbound_nodes": [calls] if calls else [],
    }  # fmt: skip


def _conv(name: str, sources: list, filters: int, **settings) -> dict:
    usual = {
        "filters": filters, "kernel_size": [3, 3], "strides": [1, 1], "padding": "same",
        "data_format": "channels_last", "dilation_rate": [1, 1], "groups": 1,
        "activation": "linear", "use_bias": True,
        "kernel_initializer": {"class_name": "GlorotUniform", "config": {"seed": None}},
        "bias_initializer": {"class_name": "Zeros", "config": {}},
        "kernel_regularizer": None, "bias_regularizer": None, "activity_regularizer": None,
        "kernel_constraint": None, "bias_constraint": None,
    }  # fmt: skip
    return _old("Conv2D", name, sources, **usual | settings)


def _input(name: str = "in") -> dict:
    shape = [None, 16, 16, 3]
    return _old("InputLayer", name, [], batch_input_shape=shape, sparse=False, ragged=False)


def _model(layers: list[dict], name: str, sources: list = ()) -> dict:
    first, last = layers[0]["name"], layers[-1]["name"]
    part = _old("Functional", name, list(sources))
    part["config"] = {
        "name": name, "trainable": True, "layers": layers,
        "input_layers": [[first, 0, 0]], "output_layers": [[last, 0, 0]],
    }  # fmt: skip
    return part | {"module": "keras.src.engine.functional", "registered_name": "Functional"}


def _operation(name: str, function: str, source: list, **words) -> dict:
    part = _old("TFOpLambda", name, [], function=function)
    part["inbound_nodes"] = [[*source, 0, words | {"name": None}]]
    return part | {"module": "keras.src.layers.core.tf_op_layer", "registered_name": "TFOpLambda"}


class KerasFilesTest(tf.test.TestCase):
    def setUp(self):
        super().setUp()
        self.folder = pathlib.Path(self.create_tempdir().full_path)
        self.image = nets.picture(16)[None]

    def _answer(self, path) -> np.ndarray:
        net = network.build(str(path), preprocessing="none")
        return net.taps([net.graph.output])(tf.constant(self.image))[net.graph.output].numpy()

    def _refused(self, path, words: str) -> None:
        with self.assertRaisesRegex(InputError, words) as caught:
            network.build(str(path))
        self.assertNotIn("\n", str(caught.exception))
        self.assertIn(str(path), str(caught.exception))

    def test_weights_that_lie_where_hdf5_would_begin_make_no_hdf5_of_an_archive(self):
        plain, moved = self.folder / "plain.keras", self.folder / "moved.keras"
        nets.small().save(plain)
        with zipfile.ZipFile(plain) as archive:
            parts = {name: archive.read(name) for name in archive.namelist()}
        weights = parts.pop("model.weights.h5")
        with zipfile.ZipFile(moved, "w") as archive:  # Stored, as Keras does.
            for name, data in parts.items():
                archive.writestr(name, data)
            archive.writestr("padding", b"")
            at = archive.fp.tell() + zipfile.sizeFileHeader + len("model.weights.h5")
            gap = zipfile.sizeFileHeader + len("more")
            begins = next(2**k for k in range(9, 30) if 2**k >= at + gap)
            archive.writestr("more", bytes(begins - at - gap))
            archive.writestr("model.weights.h5", weights)
        self.assertTrue(h5py.is_hdf5(moved))
        self.assertAllEqual(self._answer(moved), self._answer(plain))

    def _as_keras2(self, model: keras.Model, config: dict) -> list[pathlib.Path]:
        """Saves a model's weights under a config of Keras 2, in both of its formats."""
        archive, whole = self.folder / "old.keras", self.folder / "old.h5"
        model.save(whole)
        with h5py.File(whole, "r+") as file:
            file.attrs["model_config"] = json.dumps(config)
            file.attrs["keras_version"] = "2.15.0"
        model.save(self.folder / "new.keras")
        with zipfile.ZipFile(self.folder / "new.keras") as new:
            with zipfile.ZipFile(archive, "w") as old:
                old.writestr("config.json", json.dumps(config))
                old.writestr("metadata.json", json.dumps({"keras_version": "2.15.0"}))
                old.writestr("model.weights.h5", new.read("model.weights.h5"))
        return [archive, whole]

    def test_whole_h5_equals_its_keras_file(self):
        model = nets.small()
        model.save(self.folder / "whole.h5")
        self.assertAllEqual(self._answer(self.folder / "whole.h5"), model(self.image))

    def test_keras_2(self):
        # A network that is used twice, in front of it arithmetic that Keras 2 wrote as
        # operations of TensorFlow; what Keras 3 knows no more among the settings.
        keras.utils.set_random_seed(0)
        x = keras.Input((16, 16, 3))
        inside = keras.Input((16, 16, 3))
        y = _L.Conv2D(3, 3, padding="same", activation="relu")(inside)
        inner = keras.Model(inside, _L.BatchNormalization()(y))
        y = inner(inner(_L.Rescaling(1 / 127.5, -1.0)(x)))
        z = _L.DepthwiseConv2D(3, name="depth")(y)
        z = _L.GlobalAveragePooling2D()(z)
        model = keras.Model(x, _L.Dense(4, activation="softmax")(z))
        for variable in model.weights:
            variable.assign_add(0.1 * keras.random.uniform(variable.shape, seed=1))
        norm = {"axis": [3], "momentum": 0.99, "epsilon": 0.001, "center": True, "scale": True}
        block = _model(
            [
                _input("block_in"),
                _conv("block/conv", [["block_in", 0]], 3, activation="relu"),
                _old("BatchNormalization", "norm", [["block/conv", 0]], **norm),
            ],
            "block",
            [["tf.math.subtract", 0]],
        )
        # The first call made the block itself.
        block["inbound_nodes"].append([["block", 1, 0, {}]])
        depth = {"depth_multiplier": 1, "filters": None, "groups": 1, "kernel_size": [3, 3]}
        depth |= {"depthwise_initializer": {"class_name": "GlorotUniform", "config": {}}}
        dense = {"units": 4, "activation": "softmax", "use_bias": True}
        config = _model(
            [
                _input(),
                _operation("tf.math.truediv", "math.truediv", ["in", 0], y=127.5),
                _operation("tf.math.subtract", "math.subtract", ["tf.math.truediv", 0], y=1.0),
                block,
                _old("DepthwiseConv2D", "depth", [["block", 2]], **depth),
                _old("GlobalAveragePooling2D", "mean", [["depth", 0]], keepdims=False),
                _old("Dense", "classes", [["mean", 0]], **dense),
            ],
            "old",
        )
        expected = model(self.image)
        for path in self._as_keras2(model, config):
            self.assertAllClose(self._answer(path), expected, rtol=1e-5)
            self.assertIn("block/block--conv", network.build(str(path)).paths)

    def test_tensors_among_named_arguments(self):
        x = keras.Input((16, 16, 3))
        tokens = _L.Reshape((16, 8))(_L.Conv2D(8, 4, strides=4)(x))
        seen = _L.MultiHeadAttention(2, 4)(tokens, tokens)
        model = keras.Model(x, _L.GlobalAveragePooling1D()(seen))
        attention = {"num_heads": 2, "key_dim": 4, "query_shape": [None, 16, 8]}
        words = {"value": ["tokens", 0, 0], "key": None}
        conv = {"kernel_size": [4, 4], "strides": [4, 4], "padding": "valid"}
        config = _model(
            [
                _input(),
                _conv("conv", [["in", 0]], 8, **conv),
                _old("Reshape", "tokens", [["conv", 0]], target_shape=[16, 8]),
                _old("MultiHeadAttention", "seen", [["tokens", 0, words]], **attention),
                _old("GlobalAveragePooling1D", "mean", [["seen", 0]]),
            ],
            "attending",
        )
        for path in self._as_keras2(model, config):
            self.assertAllClose(self._answer(path), model(self.image), rtol=1e-5)

    def test_keras_2_computes_otherwise(self):
        model = keras.Sequential([keras.Input((16, 16, 3)), _L.Conv2D(3, 3, padding="same")])
        first = _conv("conv", [["in", 0]], 3)
        for layers, words in (
            ([_conv("conv", [["in", 0]], 3, activation="hard_sigmoid")], "hard_sigmoid, .*conv"),
            ([first, _operation("tf.nn.elu", "nn.elu", ["conv", 0])], "operation tf.nn.elu"),
            (
                [first, _old("ThresholdedReLU", "cut", [["conv", 0]])],
                "Keras 2.15.0.*ThresholdedReLU",
            ),
        ):
            for path in self._as_keras2(model, _model([_input(), *layers], "old")):
                self._refused(path, words)

    def test_code_is_not_run(self):
        ran = self.folder / "ran"
        code = compile(f"lambda x: open({str(ran)!r}, 'w') and x", "", "eval").co_consts[0]
        written = base64.b64encode(marshal.dumps(code)).decode()
        model = keras.Sequential([keras.Input((16, 16, 3)), _L.Conv2D(3, 3, padding="same")])
        evil = _old("Lambda", "evil", [["conv", 0]], function=[written, None, None])
        evil["config"]["function_type"] = "lambda"
        config = _model([_input(), _conv("conv", [["in", 0]], 3), evil], "old")
        for path in self._as_keras2(model, config):
            self._refused(path, r"keeps Python code \(layer evil\), which is not run")
        keras.Sequential([keras.Input((16, 16, 3)), _L.Lambda(lambda x: 2 * x, name="twice")]).save(
            self.folder / "lambda.keras"
        )
        self._refused(self.folder / "lambda.keras", r"Python code \(layer twice\).*tfvis.wrap")
        self.assertFalse(ran.exists())

    def test_nothing_is_imported_for_a_file(self):
        nets.small().save(self.folder / "small.keras")
        (self.folder / "planted_by_a_test.py").write_text("raise SystemExit('imported')")
        for module, kind in (
            ("planted_by_a_test", "Layer"), ("os", "system"), ("keras.src.utils", "get_file"),
            ("keras.utils", "get_file"), ("tensorflow", "Module"),
        ):  # fmt: skip
            names = {"module": module, "class_name": kind, "registered_name": f"{module}>{kind}"}
            path = self._changed("small.keras", names)
            self._refused(path, f"needs {module}>{kind} .*which is not part of Keras")

    def _changed(self, name: str, names: dict) -> pathlib.Path:
        """Saves a file of Keras 3 again, its first layer called otherwise."""
        path = self.folder / "changed.keras"
        with zipfile.ZipFile(self.folder / name) as old, zipfile.ZipFile(path, "w") as new:
            for item in old.namelist():
                content = old.read(item)
                if item == "config.json":
                    config = json.loads(content)
                    config["config"]["layers"][1].update(names)
                    content = json.dumps(config)
                new.writestr(item, content)
        return path

    def test_classes_of_ones_own(self):
        model = keras.Sequential([keras.Input((16, 16, 3)), _Doubled(name="doubled")])
        model.save(self.folder / "own.keras")
        # Known to the process that opens it.
        self.assertAllClose(self._answer(self.folder / "own.keras"), 2 * self.image)
        names = {"module": None, "registered_name": "my_lab>Gain", "class_name": "Gain"}
        path = self._changed("own.keras", names)
        self._refused(path, r"needs my_lab>Gain \(layer doubled\).*tfvis.wrap\(model\)")

    def test_functions_of_keras_in_a_lambda(self):
        model = keras.Sequential([keras.Input((16, 16, 3)), _L.Activation(keras.ops.relu6)])
        model.save(self.folder / "function.keras")
        self.assertAllEqual(self._answer(self.folder / "function.keras"), model(self.image))

    def test_what_is_no_model(self):
        nets.small().save_weights(self.folder / "only.weights.h5")
        with h5py.File(self.folder / "odd.h5", "w") as file:
            file.attrs["model_config"] = 5
        with zipfile.ZipFile(self.folder / "empty.keras", "w") as archive:
            archive.writestr("config.json", "[]")
        (self.folder / "folder").mkdir()
        (self.folder / "exported").mkdir()
        (self.folder / "exported" / "saved_model.pb").write_bytes(b"")
        (self.folder / "second").mkdir()
        for name in ("saved_model.pb", "keras_metadata.pb"):
            (self.folder / "second" / name).write_bytes(b"")
        for name in ("a.pb", "a.tflite", "a.onnx", "a.pt", "a.npz", "a.json", "text.keras"):
            (self.folder / name).write_bytes(b"x")
        for name, words in (
            ("only.weights.h5", "holds weights and no layers.*weights="),
            ("odd.h5", "its model_config is no text"),
            ("empty.keras", "not a Keras model|no metadata.json"),
            ("text.keras", "not a Keras model"),
            ("folder", "a folder without a classifier.json"),
            ("exported", "a SavedModel .*model.save"),
            ("second", "a SavedModel of Keras 2.*tf_keras"),
            ("a.pb", "a graph of TensorFlow"),
            ("a.tflite", "made for running"),
            ("a.onnx", "an ONNX graph.*weights="),
            ("a.pt", "a file of PyTorch"),
            ("a.npz", "holds weights and no layers"),
            ("a.json", "describes layers"),
            ("absent.h5", "no such file"),
        ):
            self._refused(self.folder / name, words)

    def test_other_shapes_of_models(self):
        first, second = keras.Input((16, 16, 3)), keras.Input((16, 16, 3))
        keras.Model([first, second], _L.Add()([first, second])).save(self.folder / "two.keras")
        video = keras.Input((4, 16, 16, 3))
        keras.Model(video, _L.Flatten()(video)).save(self.folder / "video.keras")
        words = keras.Input((20,))
        numbers = _L.GlobalAveragePooling1D()(_L.Embedding(50, 4)(words))
        keras.Model(words, numbers).save(self.folder / "words.keras")
        line = keras.Input((20, 3))
        keras.Model(line, _L.Conv1D(4, 3)(line)).save(self.folder / "sequence.keras")
        # Told before the model is asked anything, which takes a picture.
        self._refused(self.folder / "words.keras", r"Received: \(None, 20\)")
        self._refused(self.folder / "sequence.keras", r"Received: \(None, 20, 3\)")
        self._refused(self.folder / "two.keras", "one image input. Received: 2 inputs")
        self._refused(self.folder / "video.keras", r"Received: \(None, 4, 16, 16, 3\)")
        # What to do about it, where that is known.
        for name, words in (("words", r"keras.layers.Reshape\(\(20,\)\)"),
                            ("two", r"keras.Model\(model.inputs\[0\], "),
                            ("video", "Save what it does to one picture")):  # fmt: skip
            self._refused(self.folder / f"{name}.keras", words)
        part = keras.Model(first, _L.Conv2D(3, 3)(first), name="part")
        keras.Model([first, second], _L.Add()([part(first), part(second)])).save(
            self.folder / "two.keras"
        )
        frames = _L.TimeDistributed(part, name="frames")
        keras.Model(video, frames(video)).save(self.folder / "video.keras")
        self._refused(self.folder / "two.keras", r"model.get_layer\('part'\).save")
        self._refused(self.folder / "video.keras", r"model.get_layer\('frames'\).layer.save")
        named = keras.Model({"image": first}, _L.Conv2D(3, 3)(first))
        named.save(self.folder / "named.keras")
        self.assertAllClose(self._answer(self.folder / "named.keras"), named(self.image))


if __name__ == "__main__":
    tf.test.main()
