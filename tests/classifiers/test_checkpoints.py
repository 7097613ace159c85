"""Classifiers on disk: whole and the same, or refused in one line."""

import dataclasses
import json
import os
import pathlib

import numpy as np
import tensorflow as tf

from tests import nets
from tfvis import bounds
from tfvis.classifiers import backbone, checkpoints
from tfvis.errors import InputError
from tfvis.networks import network as networks
from tfvis.networks import registry, weights


class CheckpointsTest(tf.test.TestCase):
    def setUp(self):
        super().setUp()
        self.home = pathlib.Path(self.create_tempdir().full_path)
        self.model = self.home / "small.keras"
        nets.small().save(self.model)
        self.folder = self.home / "trained"
        self.parts = backbone.split(networks.build(str(self.model), preprocessing="tf"))
        self.learner = backbone.learner(self.parts, 3)
        generator = np.random.default_rng(0)
        for variable in self.learner.trainable_variables:
            variable.assign_add(0.1 * generator.normal(size=variable.shape))
        self._save()

    def _save(self, parts=None, about=None):
        checkpoints.save(
            self.folder, parts or self.parts, backbone.learnt(self.learner), ("a", "b", "c"), 24,
            about or {"seed": 3},
        )  # fmt: skip

    def _refused(self, words):
        with self.assertRaisesRegex(InputError, words) as caught:
            checkpoints.load(str(self.folder))
        self.assertNotIn("\n", str(caught.exception))

    def _change(self, **changes):
        path = self.folder / "classifier.json"
        path.write_text(json.dumps(json.loads(path.read_text()) | changes))

    def _arrays(self, **changes):
        path = self.folder / "weights.npz"
        with np.load(path) as stored:
            arrays = {name: stored[name] for name in stored.files}
        np.savez(path, **(arrays | changes))

    def test_round_trip(self):
        found = checkpoints.load(str(self.folder))
        self.assertEqual((found.name, found.classes, found.size), ("trained", ("a", "b", "c"), 24))
        self.assertEqual(found.about, {"seed": 3})
        self.assertEqual((found.parts.cut, found.parts.last), ("block1_pool", "block2_conv1"))
        self.assertEqual(found.network.record.source, "checkpoint trained")
        images = tf.constant(np.stack([nets.picture(24, seed=k) for k in range(2)]))
        maps = self.parts.network.taps([self.parts.cut])(images)[self.parts.cut]
        expected = self.learner(maps).numpy()
        # float16 kernels: 11 bits, over some hundred products.
        self.assertAllClose(found.probabilities(images), expected, rtol=5e-3)
        rough = found.probabilities(images, "bfloat16")
        self.assertAllClose(rough, expected, rtol=0.1)
        self.assertAllClose(tf.reduce_sum(rough, -1), [1, 1], rtol=1e-6)
        for name, arrays in backbone.learnt(self.learner).items():
            kernel, bias = found.network.graph.layers[name].get_weights()
            self.assertAllEqual(kernel, arrays[0].astype(np.float16).astype(np.float32))
            self.assertAllEqual(bias, arrays[1])
        self.assertEqual(found.index("b"), 1)
        with self.assertRaisesRegex(InputError, "'d' is no class of trained"):
            found.index("d")

    def test_kernels_kept_as_differences(self):
        learnt = backbone.learnt(self.learner)
        checkpoints.save(self.folder, self.parts, learnt, ("a", "b", "c"), 24, {}, differences=True)
        rounded = checkpoints.rounded(self.parts, learnt)
        layers = checkpoints.load(str(self.folder)).network.graph.layers
        before = self.parts.network.graph.layers["block2_conv1"].get_weights()[0]
        kernel = layers["block2_conv1"].get_weights()[0]
        self.assertAllEqual(kernel, rounded["block2_conv1"][0])
        # Within half a step of the largest change of each channel.
        step = np.abs(learnt["block2_conv1"][0] - before).max((0, 1, 2)) / 127
        self.assertTrue((np.abs(kernel - learnt["block2_conv1"][0]) <= 0.501 * step).all())
        self.assertAllEqual(layers["block2_conv1"].get_weights()[1], learnt["block2_conv1"][1])
        # Kept again, what was rounded is the same to the bit.
        checkpoints.save(
            self.folder, self.parts, rounded, ("a", "b", "c"), 24, {}, differences=True
        )
        again = checkpoints.load(str(self.folder)).network.graph.layers["block2_conv1"]
        self.assertAllEqual(again.get_weights()[0], kernel)
        with np.load(self.folder / "differences.npz") as stored:
            levels, steps = (stored[f"block2_conv1/{k}"] for k in (0, 1))
        for wrong in (
            {"block2_conv1/0": levels[:1], "block2_conv1/1": steps},
            {"block2_conv1/0": levels.astype(np.float32), "block2_conv1/1": steps},
            {"block2_conv1/0": levels, "block2_conv1/1": steps * np.nan},
            {},
        ):
            np.savez(self.folder / "differences.npz", **wrong)
            self._refused("block2_conv1")

    def test_differences_of_other_kernels_are_refused(self):
        learnt = backbone.learnt(self.learner)
        checkpoints.save(self.folder, self.parts, learnt, ("a", "b", "c"), 24, {}, differences=True)
        # A second one of the same network, in the same process, is not changed by the first.
        first, second = (checkpoints.load(str(self.folder)).network for _ in range(2))
        for name in ("block1_conv1", "block2_conv1"):
            one, other = (net.graph.layers[name].get_weights()[0] for net in (first, second))
            self.assertAllEqual(one, other)
        changed = nets.small()
        layer = changed.get_layer("block2_conv1")
        layer.set_weights([layer.get_weights()[0] + 0.01, *layer.get_weights()[1:]])
        changed.save(self.model)
        self._refused("was trained on other weights")

    def test_saved_again_from_what_was_loaded(self):
        first = checkpoints.load(str(self.folder))
        tail = {la.name: la.get_weights() for la in first.parts.tail().layers if la.weights}
        tail[backbone.CLASSES] = first.network.graph.layers[backbone.CLASSES].get_weights()
        checkpoints.save(self.home / "again", first.parts, tail, first.classes, 24, {})
        images = tf.constant(nets.picture(24)[None])
        self.assertAllEqual(
            checkpoints.load(str(self.home / "again")).probabilities(images),
            first.probabilities(images),
        )

    def test_variants(self):
        for pooling, activation in (("avg", "post"), ("max", "pre")):
            net = networks.build(
                str(self.model), preprocessing="torch", pooling=pooling, activation=activation
            )
            parts = backbone.split(net)
            learner = backbone.learner(parts, 3)
            checkpoints.save(
                self.folder, parts, backbone.learnt(learner), ("a", "b", "c"), 24, {}
            )  # fmt: skip
            images = tf.constant(nets.picture(24)[None])
            maps = net.taps([parts.cut])(images)[parts.cut]
            found = checkpoints.load(str(self.folder))
            self.assertAllClose(found.probabilities(images), learner(maps), rtol=5e-3)
            self.assertEqual(found.network.variant, net.variant)
            self.assertEqual(found.network.preprocessing.name, "torch")

    def test_found_from_any_folder(self):
        before = os.getcwd()
        try:
            os.chdir(self.home)
            self.parts = backbone.split(networks.build("small.keras"))
            self._save()
            os.chdir(self.folder)
            self.assertEqual(checkpoints.load(".").name, "trained")
        finally:
            os.chdir(before)

    def test_by_name(self):
        self.assertIsNone(registry.find_checkpoint("trained"))
        with self.assertRaisesRegex(InputError, "init=trainde: no folder with a classifier.json"):
            checkpoints.load("trainde", "init")
        target = weights.home() / "checkpoints" / "trained"
        target.parent.mkdir(parents=True, exist_ok=True)
        target.symlink_to(self.folder)
        self.addCleanup(target.unlink)
        self.assertEqual(registry.find_checkpoint("trained"), target)
        self.assertIn("trained", registry.checkpoints())
        self.assertEqual(checkpoints.load("trained").classes, ("a", "b", "c"))
        with self.assertRaisesRegex(InputError, "Nearest: trained"):
            checkpoints.load("trainde")

    def test_another_trunk_or_none(self):
        model = nets.small()
        kernel, bias = model.get_layer("block1_conv1").get_weights()
        model.get_layer("block1_conv1").set_weights([kernel, bias + 1e-3])
        model.save(self.model)
        self._refused("checkpoint=.*trained on other weights of .*small.keras")
        self.model.unlink()
        self._refused("checkpoint=.*small.keras: no such file")
        self._change(network="vgg61")
        self._refused("checkpoint=.*vgg61.*Nearest: vgg1")

    def test_damaged_descriptions(self):
        path = self.folder / "classifier.json"
        whole = path.read_text()
        for text in ("", "{", "[]", "null", whole[:-9], "[" * 10**5, '{"format": 1}', "\xff"):
            path.write_bytes(text.encode("latin-1"))
            self._refused(r"checkpoint=.*classifier\.json cannot be used")
        for change in (
            {"format": 3},
            {"classes": ["a", "a", "b"]},
            {"classes": ["a", 1, "b"]},
            {"size": 10**9},
            {"size": 24.5},
            {"preprocessing": "another"},
            {"cut": None},
            {"variant": []},
        ):
            path.write_text(whole)
            self._change(**change)
            self._refused(r"classifier\.json cannot be used")
        path.write_text(" " * (bounds.DESCRIPTION + 1) + whole)
        self._refused("more than")

    def test_impossible_descriptions(self):
        path = self.folder / "classifier.json"
        whole = path.read_text()
        for change, words in (
            ({"classes": ["a", "b"]}, "names 2 classes"),
            ({"classes": []}, "names 0 classes"),
            ({"cut": "block2_conv1"}, "no map 'block2_conv1' with a map 'block2_conv1' on the way"),
            ({"cut": "../../etc"}, "a map '../../etc' on the way"),
            ({"last": "gap"}, "no map 'gap'"),
            ({"last": "block1_conv1"}, "no map 'block1_conv1' with"),
            ({"variant": {"pooling": ["avg"]}}, "pooling"),
            ({"variant": {"activation": {}}}, "activation"),
        ):
            path.write_text(whole)
            self._change(**change)
            self._refused(words)

    def test_damaged_weights(self):
        path = self.folder / "weights.npz"
        whole = path.read_bytes()
        for data in (b"", b"PK", whole[: len(whole) // 2], bytes(range(250))):
            path.write_bytes(data)
            self._refused(r"weights\.npz")
        path.unlink()
        self._refused(r"weights\.npz")
        kernel, bias = backbone.learnt(self.learner)[backbone.CLASSES]
        for changes, words in (
            ({"class_scores/1": np.full(3, np.nan, np.float32)}, "class_scores hold NaN"),
            ({"block2_conv1/1": np.full(12, np.inf, np.float32)}, "block2_conv1 hold NaN"),
            ({"class_scores/1": np.array(["x"] * 3)}, "as numbers"),
            ({"class_scores/1": bias.astype(np.complex64)}, "as numbers"),
            ({"class_scores/1": bias[:2]}, "takes weights"),
            ({"class_scores/0": np.float32(0)}, "takes weights"),
            ({"class_scores/0": kernel[:, :2], "class_scores/1": bias[:2]}, "names 3 classes"),
            ({"class_scores/1": np.array([{}, 1, 2], object)}, "weights.npz"),
        ):
            path.write_bytes(whole)
            self._arrays(**changes)
            self._refused(words)
        with np.load(path, allow_pickle=True) as stored:
            kept = {n: stored[n] for n in stored.files if not n.startswith("block2")}
        np.savez(path, **kept | {"class_scores/1": bias})
        self._refused("layer block2_conv1 takes weights")

    def test_a_description_may_say_anything_about_itself(self):
        self._save(about={"seed": "x", "shares": 5, "crop_borders": []})
        self.assertEqual(checkpoints.load(str(self.folder)).about["shares"], 5)

    def test_saving_does_not_change_what_is_saved(self):
        before = {k: [a.copy() for a in v] for k, v in backbone.learnt(self.learner).items()}
        self._save(dataclasses.replace(self.parts))
        for name, arrays in backbone.learnt(self.learner).items():
            self.assertAllEqual(arrays[0], before[name][0])


if __name__ == "__main__":
    tf.test.main()
