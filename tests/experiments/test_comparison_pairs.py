"""Pairs of networks as people bring them: of no named classes, of one shape, of dead layers."""

import dataclasses
import pathlib
from unittest import mock

import keras
import numpy as np
import tensorflow as tf

from tests import nets
from tfvis import images, tables
from tfvis.errors import InputError
from tfvis.experiments import (
    comparison,
    comparison_answers,
    comparison_study,
    comparison_style,
    style_transfer,
)
from tfvis.networks import network
from tfvis.networks.preprocessing import contracts
from tfvis.report import sheets

CLASSES = ("dog", "house")


def wrapped(model: keras.Model, name: str) -> network.Network:
    return network.wrap(model, name, contracts.named("tf"))


def chain(depth: int, size=(None, None), dead: bool = False) -> network.Network:
    """Convolutions one after another, conv0 the first; dead, they answer nothing from conv1 on."""
    keras.utils.set_random_seed(depth)
    inputs = x = keras.Input((*size, 3))
    for k in range(depth):
        conv = keras.layers.Conv2D(4, 3, padding="same", activation="relu", name=f"conv{k}")
        x = conv(x)
        if dead and k:
            kernel, bias = conv.get_weights()
            conv.set_weights([0 * kernel, bias - 1])
    return wrapped(keras.Model(inputs, x), f"chain{depth}")


class PairsTest(tf.test.TestCase):
    def setUp(self):
        super().setUp()
        self.folder = pathlib.Path(self.create_tempdir().full_path)
        for number, name in enumerate(CLASSES):
            for k in range(4):
                path = self.folder / "photo" / name / f"{k}.png"
                images.save_png(path, nets.picture(16, seed=4 * number + k))

    def run_of(self, built, *sections, layers=("conv0",), **more) -> dict[str, str]:
        """Returns {section: what was found}."""
        done = comparison.run(
            built, {"photo": str(self.folder / "photo")}, layers,
            workdir=self.folder / "out", sections=sections, precision="float32",
            **({"steps": 1} | more),
        )  # fmt: skip
        return {record["section"]: record["found"] for record in done.records}

    def test_layers_that_both_have_are_paired_by_their_places(self):
        built = {"one": chain(3), "other": chain(3), "third": chain(3)}
        pair = {label: built[label] for label in ("one", "other")}
        found = comparison_study.corresponding(pair, ["conv0|conv2", "conv1"])
        self.assertEqual(found, {"one": ("conv0", "conv1"), "other": ("conv2", "conv1")})
        # The control is like the first.
        found = comparison_study.corresponding(built, ["conv0|conv2"], "third")
        self.assertEqual(found, {"one": ("conv0",), "other": ("conv2",), "third": ("conv0",)})
        # Where one lacks its own, each has the first it has.
        found = comparison_study.corresponding(pair | {"one": chain(1)}, ["conv2|conv0"])
        self.assertEqual(found, {"one": ("conv0",), "other": ("conv2",)})

    def test_what_a_transformer_learnt_behind_its_patches_is_told_of(self):
        inputs = keras.Input((16, 16, 3))
        x = keras.layers.Conv2D(4, 4, strides=4, name="patches")(inputs)
        x = keras.layers.Reshape((16, 4))(x)
        x = keras.layers.MultiHeadAttention(1, 4, name="attention")(x, x)
        x = keras.layers.GlobalAveragePooling1D()(x)
        built = {"one": chain(1), "other": wrapped(keras.Model(inputs, x), "transformer")}
        with mock.patch("tfvis.experiments.messages.note") as note:
            self.run_of(built, "alignment", layers=None)
        told = [call.args[0] for call in note.call_args_list if "behind" in call.args[0]]
        self.assertLen(told, 1)
        self.assertIn("behind patches, ", told[0])
        self.assertIn("other has learnt more (attention is its last)", told[0])

    def test_names_of_classes_from_files(self):
        named = ("none", "house", "x", "y", "dog")
        files = [self.folder / "names.txt", self.folder / "others.txt"]
        files[0].write_text("\n".join(named))
        files[1].write_text("\n".join(named[::-1]))
        built = {"one": wrapped(nets.small(seed=1), "one"), "other": nets.wrapped()}
        layers = ["block1_conv1"]
        with mock.patch("tfvis.experiments.messages.note") as note:
            with self.assertRaisesRegex(InputError, "allow none"):
                self.run_of(built, "accuracy", layers=layers)
        self.assertIn("nothing names the classes of one: ", str(note.mock_calls))
        for given, names in (
            (files[:1], (named, named)),
            (files, (named, named[::-1])),
            (["", files[0]], ((), named)),
        ):
            labels = list(map(str, given))
            self.run_of(built, "accuracy", layers=layers, labels=labels, size=16)
            _, rows = tables.read(self.folder / "out" / "accuracy.csv", "accuracy", ())
            said = {row["network"]: row["accuracy"] for row in rows if row["class"] == "all"}
            known = [label for label, of in zip(built, names, strict=True) if of]
            self.assertEqual(list(said), known)
            paths = sorted((self.folder / "photo").rglob("*.png"))
            shown = tf.constant(np.stack([images.read(path).pixels for path in paths]))
            of_labels = dict(zip(built, names, strict=True))
            for label in known:
                net = built[label]
                best = net.taps([net.logits])(shown)[net.logits].numpy().argmax(1).tolist()
                called = [of_labels[label][k] for k in best]
                right = np.mean(np.array(called) == [path.parent.name for path in paths])
                self.assertAllClose(float(said[label]), right, atol=1e-6)

    def test_files_of_names_that_do_not_fit(self):
        file = self.folder / "names.txt"
        file.write_text("\n".join("abcde"))
        own = dataclasses.replace(nets.wrapped(), classes=tuple("abcde"))
        for built, files, words in (
            ({"one": own, "other": own}, [file], "one and other are no classifier, or one that"),
            ({"one": own, "other": nets.wrapped()}, [file, file], "one is no classifier, or one"),
            ({"one": own, "other": chain(1)}, ["", file], "other is no classifier"),
            ({"one": own, "other": nets.wrapped()}, [file] * 3, "each of 2 networks. Received: 3"),
        ):
            with self.assertRaisesRegex(InputError, words):
                comparison_answers.named(built, list(map(str, files)))
        mixed = comparison_answers.named({"one": own, "other": nets.wrapped()}, [str(file)])
        self.assertEqual([one.classes for one in mixed.values()], [tuple("abcde")] * 2)

    def test_a_style_is_cut_to_the_shape_that_a_network_takes(self):
        made = []

        def run(net, content, styles, **more):
            made.append((content.shape, styles[0].shape))
            return run_of(net, content, styles, **more)

        run_of, built = style_transfer.run, {"one": chain(1, (40, 60)), "other": chain(1)}
        sheet = mock.Mock(wraps=sheets.sheet)
        with (
            mock.patch.object(style_transfer, "run", run),
            mock.patch.object(comparison_style.sheets, "sheet", sheet),
        ):
            self.run_of(built, "style", steps=1)
        cells = sheet.call_args.args[0]
        self.assertEqual({cell.pixels.shape for cell in cells}, {(40, 60, 3)})
        self.assertEqual(made, [((40, 60, 3), (341, 512, 3))] * 2)

    def test_of_layers_in_which_nothing_answers_nothing_is_said(self):
        built = {"one": chain(3), "dead": chain(3, dead=True)}
        layers = ["conv0", "conv1", "conv2"]
        found = self.run_of(built, "alignment", "attention", layers=layers)
        self.assertIn("undefined at conv1", found["alignment"])
        self.assertNotIn("most like the same", found["alignment"])
        self.assertIn("one of the two maps is the same everywhere", found["attention"])
        with mock.patch("tfvis.experiments.messages.note") as note:
            with self.assertRaisesRegex(InputError, "allow none"):
                self.run_of(built, "unit_pictures", layers=layers)
        self.assertIn("unit_pictures is left out: it needs a layer", str(note.mock_calls))


if __name__ == "__main__":
    tf.test.main()
