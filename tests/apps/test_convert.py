"""Converting a Caffe network, as a person runs it: one file that every app takes."""

import json
import pathlib
import zipfile

import keras
import numpy as np
import PIL.Image
import tensorflow as tf
from absl.testing import parameterized
from google.protobuf import text_format

from apps.benchmarks import caffe_oracle
from tests import nets
from tests.processes import AppTest
from tfvis.errors import InputError, Text
from tfvis.experiments import conversion, converted_file
from tfvis.networks import network
from tfvis.networks.caffe import schema
from tfvis.networks.caffe.zoo import layer_tables
from tfvis.networks.preprocessing import contract_files, contracts

_SIDE = 32


def _net() -> schema.NetParameter:
    """As small as can be with normalisation, groups, overhanging windows, a classifier."""
    return layer_tables.chain(
        "net", _SIDE, 3,
        layer_tables.conv("conv1", 8, 5, stride=2), layer_tables.relu("relu1"),
        layer_tables.lrn("norm1", alpha=5e-4, k=2.0), layer_tables.pool("pool1", 3, 2),
        layer_tables.conv("conv2", 6, 3, pad=1, group=2), layer_tables.relu("relu2"),
        layer_tables.pool("pool2", 2, 2, average=True),
        layer_tables.dense("fc3", 5), layer_tables.softmax("prob"),
    )  # fmt: skip


def _bilinear(image: np.ndarray, side: int) -> np.ndarray:
    """Pillow's, in floating point; it widens its window where it makes smaller."""
    planes = [
        PIL.Image.fromarray(np.ascontiguousarray(plane)).resize(
            (side, side), PIL.Image.Resampling.BILINEAR
        )
        for plane in np.moveaxis(image, -1, 0)
    ]
    return np.stack([np.asarray(plane) for plane in planes], -1)


class _Test(AppTest, parameterized.TestCase):
    def setUp(self):
        super().setUp()
        self.net = _net()
        blobs = caffe_oracle.random_blobs(self.net, np.random.default_rng(0))
        self.caffemodel = self.folder / "net.caffemodel"
        self.caffemodel.write_bytes(caffe_oracle.caffemodel(self.net, blobs))
        self.prototxt = self.folder / "net.prototxt"
        self.prototxt.write_text(text_format.MessageToString(self.net))
        self.output = self.folder / "made/net.keras"
        self.picture = nets.picture(_SIDE, seed=1)

    def _converted(self, name=None, **changes) -> list[str]:
        return conversion.run(name or str(self.prototxt), str(self.output), **changes).lines

    def _mean(self, image: np.ndarray) -> pathlib.Path:
        """Writes a mean image, RGB [height, width, 3], as Caffe does."""
        blob = schema.BlobProto(num=1, channels=3, height=image.shape[0], width=image.shape[1])
        blob.data.extend(image[..., ::-1].transpose(2, 0, 1).ravel())
        path = self.folder / "mean.binaryproto"
        path.write_bytes(blob.SerializeToString())
        return path

    def _expected(self, less) -> np.ndarray:
        """What OpenCV answers to the picture less a mean, RGB."""
        bgr = (self.picture - np.float32(less))[None, ..., ::-1].transpose(0, 3, 1, 2)
        found = caffe_oracle.opencv(self.net, self.caffemodel, np.ascontiguousarray(bgr))
        return found["prob"][0]

    def _answer(self, **changes) -> np.ndarray:
        net = network.build(str(self.output), **changes)
        return net.taps(["prob"])(tf.constant(self.picture[None]))["prob"]


class ConversionsTest(_Test):
    def test_a_file_that_knows_its_preprocessing(self):
        lines = self._converted()
        self.assertAllClose(self._answer(), self._expected(contracts.IMAGENET_MEAN), atol=1e-5)
        net = network.build(str(self.output))
        self.assertEqual(net.preprocessing, contracts.CONTRACTS["caffe"])
        self.assertEqual((net.fixed_size, net.logits), ((_SIDE, _SIDE), "fc3"))
        text = "\n".join(lines)
        # 8 kernels of 5 x 5 x 3, 6 of 3 x 3 x 4, 5 of 6 * 4 * 4; and biases.
        self.assertRegex(text, r"conv1 +Conv2D +14 x 14 x 8 +608\n")
        self.assertRegex(text, r"conv2 +GroupedConv2D +7 x 7 x 6 +222\n")
        self.assertRegex(text, r"fc3 +Dense +5 +485\n")
        self.assertIn("1,315 weights", text)
        self.assertIn("minus 123.68, 116.78, 103.94; to BGR", text)
        self.assertIn(str(self.output), text)
        self.assertEqual([p.name for p in self.output.parent.iterdir()], ["net.keras"])

    def test_weights_it_came_with_can_be_replaced(self):
        self._converted(weights="random")
        found = self._answer(weights=str(self.caffemodel))
        self.assertAllClose(found, self._expected(contracts.IMAGENET_MEAN), atol=1e-5)

    def test_a_mean_image_of_its_size_and_a_larger_one(self):
        generator = np.random.default_rng(3)
        for side in (_SIDE, _SIDE + 8):
            image = generator.uniform(60, 180, (side, side, 3)).astype(np.float32)
            lines = self._converted(mean=str(self._mean(image)))
            margin = (side - _SIDE) // 2
            centre = image[margin : margin + _SIDE, margin : margin + _SIDE]
            self.assertAllClose(self._answer(), self._expected(centre), atol=1e-5)
            self.assertIn(f"a mean image of {_SIDE}x{_SIDE} px", "\n".join(lines))

    @parameterized.parameters(((3,),), ((3, 32, 32),), ((1, 3, 32, 32),))
    def test_means_of_numpy(self, shape):
        bgr = np.broadcast_to(np.float32([100, 110, 125])[:, None, None], (3, 32, 32))
        values = bgr[:, 0, 0] if shape == (3,) else bgr.reshape(shape)
        path = self.folder / "mean.npy"
        np.save(path, values.astype(np.float64))
        self._converted(mean=str(path))
        self.assertAllClose(self._answer(), self._expected((125, 110, 100)), atol=1e-5)

    def test_a_named_contract(self):
        self._converted(preprocessing="ilsvrc")
        self.assertEqual(network.build(str(self.output)).preprocessing.name, "ilsvrc")
        forced = network.build(str(self.output), preprocessing="none")
        self.assertEqual(forced.preprocessing.name, "none")

    def test_a_trunk_of_any_size(self):
        self._converted(trunk=True)
        net = network.build(str(self.output))
        self.assertIsNone(net.fixed_size)
        self.assertEqual(net.shape("pool2", 64, 48), (8, 6, 6))

    def test_end_to_end(self):
        """A picture of 2 x the size: the shortest side to 37 px, the central 32 of them."""
        image = np.random.default_rng(3).uniform(60, 180, (_SIDE, _SIDE, 3)).astype(np.float32)
        lines = self._converted(mean=str(self._mean(image)), end_to_end=True)
        self.assertIn("In the model", "\n".join(lines))
        whole = nets.picture(2 * _SIDE, seed=2)
        # 256 / 224 of 32 are 36.6.
        resized = _bilinear(whole, 37)
        self.picture = resized[2 : 2 + _SIDE, 2 : 2 + _SIDE]
        model = keras.models.load_model(self.output, safe_mode=True)
        self.assertAllClose(model(whole[None]), self._expected(image), atol=1e-4)
        # An app that opens it takes nothing off once more.
        net = network.build(str(self.output))
        self.assertEqual(net.preprocessing.name, "none")
        self.assertIsNone(net.fixed_size)
        found = net.taps(["prob"])(tf.constant(whole[None]))["prob"]
        self.assertAllClose(found, self._expected(image), atol=1e-4)

    def test_a_model_of_keras_stays_whole(self):
        for name in (self.model, self.model.with_suffix(".h5")):
            keras.models.load_model(self.model).save(name)
            with self.assertRaisesRegex(InputError, "^trunk: .*stays whole"):
                self._converted(str(name), trunk=True)
            self.assertFalse(self.output.exists())

    def test_a_folder_of_the_name_of_the_file(self):
        for name, path in (("a.keras", converted_file.path), ("a.onnx", converted_file.of_painter)):
            folder = self.folder / name
            folder.mkdir()
            given = (self.prototxt, folder, None) if name == "a.keras" else (folder,)
            with self.assertRaisesRegex(InputError, "^output=.*is a folder. Name the file"):
                path(*(one and str(one) for one in given))

    def test_what_is_converted_is_not_lost(self):
        self._converted()
        before = self.output.read_bytes()
        for to in ({"output": str(self.output)}, {"workdir": str(self.output.parent)}):
            with self.assertRaisesRegex(InputError, "is what is to be converted. Name another"):
                conversion.run(str(self.output), end_to_end=True, **to)
        self.assertEqual(self.output.read_bytes(), before)

    def test_other_channels_than_colours(self):
        """Of grey the mean of the three is subtracted, and there is no order of channels."""
        for channels, words in ((1, "grey"), (6, "6 channels")):
            path = self.folder / f"of_{channels}.keras"
            inputs = keras.Input((_SIDE, _SIDE, channels))
            pooled = keras.layers.GlobalAveragePooling2D()(inputs)
            keras.Model(inputs, keras.layers.Dense(3, "softmax")(pooled)).save(path)
            lines = self._converted(str(path), preprocessing="caffe")
            self.assertIn(f"Preprocessing (caffe): {words} in 0..255; minus 114.80.", lines)
        self.output.unlink()
        with self.assertRaisesRegex(InputError, "^end_to_end: .*6 channels.*Leave it out"):
            self._converted(str(path), end_to_end=True)
        self.assertFalse(self.output.exists())

    def test_pictures_are_prepared_once(self):
        self._converted(end_to_end=True)
        again = str(self.folder / "again.keras")
        with self.assertRaisesRegex(InputError, "^end_to_end: .*prepares pictures itself"):
            conversion.run(str(self.output), again, end_to_end=True)
        conversion.run(str(self.output), again)
        whole = nets.picture(2 * _SIDE, seed=2)[None]
        first, second = map(keras.models.load_model, (self.output, again))
        self.assertAllClose(first(whole), second(whole), atol=1e-6)

    def test_several_outputs_are_not_lost_silently(self):
        small = nets.small(size=24)
        gap = small.get_layer("gap").output
        box, other = (keras.layers.Dense(4, name=name)(gap) for name in ("box", "other"))
        path = str(self.folder / "several.keras")
        keras.Model(small.inputs, [box, small.output]).save(path)
        with self.assertLogs("tfvis", "WARNING") as logs:
            self._converted(path, end_to_end=True)
        self.assertRegex("\n".join(logs.output), "the one of classes, not box")
        self.assertEqual(keras.models.load_model(self.output).output_shape, (None, 5))
        keras.Model(small.inputs, [box, other]).save(path)
        with self.assertRaisesRegex(InputError, "^end_to_end: .*several outputs .box, other"):
            self._converted(path, end_to_end=True)
        self._converted(path)
        self.assertLen(keras.models.load_model(self.output).outputs, 2)

    def test_a_model_among_the_layers_with_a_dictionary_of_outputs(self):
        inputs = keras.Input((24, 24, 3))
        inner_in = keras.Input((24, 24, 3))
        conv = keras.layers.Conv2D(4, 3, name="conv")(inner_in)
        inner = keras.Model(inner_in, {"a": conv, "b": conv * 2.0}, name="backbone")
        mean = keras.layers.GlobalAveragePooling2D()(inner(inputs)["b"])
        model = keras.Model(inputs, keras.layers.Dense(3, "softmax")(mean))
        path = str(self.folder / "nested.keras")
        model.save(path)
        self.assertRegex("\n".join(self._converted(path)), "backbone +Functional +22 x 22 x 4")

    def test_nothing_is_left_of_a_conversion_that_fails(self):
        before = self.output.parent
        for words, changes in (
            ("no such file", {"mean": str(self.folder / "none.npy")}),
            ("no such file", {"weights": str(self.folder / "none.caffemodel")}),
            ("unknown", {"preprocessing": "caffee"}),
            ("known network", {"name": "vgg_cnn_x"}),
            (r"\.binaryproto or \.npy", {"mean": str(self.prototxt)}),
        ):
            with self.assertRaisesRegex(InputError, words):
                self._converted(**changes)
            self.assertEqual(list(before.iterdir()), [], words)
        np.save(self.folder / "odd.npy", np.zeros((5, 7)))
        with self.assertRaisesRegex(InputError, r"\(5, 7\)"):
            self._converted(mean=str(self.folder / "odd.npy"))
        np.save(self.folder / "nan.npy", np.full(3, np.nan))
        with self.assertRaisesRegex(InputError, "finite"):
            self._converted(mean=str(self.folder / "nan.npy"))
        np.save(self.folder / "code.npy", np.array([{}, {}, {}]), allow_pickle=True)
        with self.assertRaisesRegex(InputError, "cannot be read as an array"):
            self._converted(mean=str(self.folder / "code.npy"))


class ContractFilesTest(_Test):
    def _altered(self, **words) -> pathlib.Path:
        """Writes a model whose contract says something else."""
        path = self.folder / "altered.keras"
        contract_files.save(nets.small(), contracts.CONTRACTS["ilsvrc"], path)
        member = "tfvis/preprocessing.json"
        with zipfile.ZipFile(path) as archive:
            members = {name: archive.read(name) for name in archive.namelist()}
        members[member] = json.dumps(json.loads(members[member]) | words)
        with zipfile.ZipFile(path, "w") as archive:
            for name, content in members.items():
                archive.writestr(name, content)
        return path

    def test_every_contract_comes_back(self):
        image = np.random.default_rng(0).uniform(0, 255, (6, 7, 3)).astype(np.float32)
        own = contracts.Preprocessing("own", (1.0, 2.0, 3.0), (0.5,), bgr=True)
        mean = contracts.with_mean_image(contracts.CONTRACTS["ilsvrc"], image)
        path = self.folder / "a.keras"
        for contract in (*contracts.CONTRACTS.values(), own, mean):
            contract_files.save(nets.small(), contract, path)
            found, why = contract_files.read(path)
            self.assertEqual((found, why), (contract, "as the file says"))
            self.assertEqual(getattr(found, "digest", ""), getattr(contract, "digest", ""))
            self.assertEqual(network.build(str(path)).preprocessing, contract)

    def test_a_guess_stays_one(self):
        # Else a network whose file says nothing would seem to be known once it is converted.
        made, again = self.folder / "made.keras", self.folder / "again.keras"
        conversion.run(str(self.model), str(made))
        conversion.run(str(made), str(again))
        guessed = network.build(str(self.model)).preprocessing_reason
        self.assertIn("nothing", guessed)
        for path in (made, again):
            reason = network.build(str(path)).preprocessing_reason
            self.assertEqual(reason, f"as the file says: {guessed}")
        long = self._altered(why="\x1b[31m" + "ab\n" * 500)
        reason = network.build(str(long)).preprocessing_reason
        self.assertLess(len(reason), 350)
        self.assertNotIn("\n", reason)
        self.assertNotIn("\x1b", Text(reason))

    def test_a_file_of_keras_says_nothing(self):
        self.assertIsNone(contract_files.read(self.model))

    def test_what_is_no_contract(self):
        for words in (
            {"mean": [1, 2]}, {"mean": "x"}, {"mean": [float("nan")]}, {"scale": []},
            {"bgr": 1}, {"name": 5}, {"name": "caffe"}, {"mean": [[1]]}, {"scale": None},
            {"scale": [1e300]}, {"mean": [1e300]}, {"scale": [0.0]},
        ):  # fmt: skip
            with self.subTest(words), self.assertRaisesRegex(InputError, "preprocessing"):
                network.build(str(self._altered(**words)))


class ProcessTest(_Test):
    def test_converted_and_looked_into(self):
        done = self._run(
            "convert", f"--prototxt={self.prototxt}", f"--caffemodel={self.caffemodel}",
            f"--output={self.output}",
        )  # fmt: skip
        self.assertIn("1,315 weights", done.stdout)
        self.assertIn(f"Written: {self.output}", done.stdout)
        # In a process that has translated nothing: the file names layers of our own.
        self._run(
            "attend", f"--network={self.output}", f"--image={self.image}",
            "--precision=float32", f"--workdir={self.folder / 'out'}",
        )  # fmt: skip
        manifest = (self.folder / "out/manifest.json").read_text()
        self.assertIn('"preprocessing": "caffe"', manifest)
        self.assertTrue((self.folder / "out/sheet.png").exists())

    def test_a_folder_in_place_of_a_file(self):
        folder = self.folder / "made here"
        done = self._run(
            "convert", f"--prototxt={self.prototxt}", f"--caffemodel={self.caffemodel}",
            f"--workdir={folder}",
        )  # fmt: skip
        self.assertIn(f"Written: {folder / 'net.keras'}", done.stdout)
        self.assertIn("--output names another", done.stderr)
        self.assertTrue((folder / "net.keras").exists())

    def test_flags_that_do_not_do(self):
        for words, flags in (
            ("--prototxt", [f"--output={self.output}"]),
            ("--prototxt", [f"--output={self.output}", "--network=a", "--prototxt=b"]),
            ("ends in .keras", ["--output=a.h5", f"--prototxt={self.prototxt}"]),
            ("--workdir", [f"--prototxt={self.prototxt}"]),
            (
                "not both",
                [
                    f"--output={self.output}",
                    f"--workdir={self.folder}",
                    f"--prototxt={self.prototxt}",
                ],
            ),
        ):
            done = self._run("convert", *flags, code=1)
            self.assertLen(done.stderr.splitlines(), 1)
            self.assertRegex(done.stderr, words)
        self.assertFalse(self.output.exists())


if __name__ == "__main__":
    tf.test.main()
