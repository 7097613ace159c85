"""Names of classes: ImageNet's, and every form of file people keep them in."""

import fnmatch
import gzip
import json
import pathlib
import tomllib

import keras
import tensorflow as tf

from tests.processes import ROOT
from tfvis import bounds
from tfvis.errors import InputError
from tfvis.networks import labels, network
from tfvis.objectives import parsing

# Outputs of ImageNet's networks that are known to everyone who has used one.
_KNOWN = {
    0: "tench", 1: "goldfish", 207: "golden retriever", 281: "tabby", 285: "Egyptian cat",
    340: "zebra", 386: "African elephant", 388: "giant panda", 817: "sports car", 954: "banana",
    999: "toilet tissue",
}  # fmt: skip
_NAMES = ("tench", "goldfish", "great white shark")
_SYNSETS = ("n01440764", "n01443537", "n01484850")


class ImagenetTest(tf.test.TestCase):
    def test_a_thousand_in_the_order_of_the_outputs(self):
        found = labels.imagenet()
        synsets = [label.synset for label in found]
        self.assertLen(synsets, 1000)
        self.assertEqual(synsets, sorted(set(synsets)))
        self.assertEqual({k: found[k].name for k in _KNOWN}, _KNOWN)
        self.assertEqual(found[1], labels.Label(("goldfish", "Carassius auratus"), "n01443537"))
        for label in found:
            for word in label.words:
                labels.check_name(word, "imagenet")

    def test_no_two_shown_alike(self):
        shown = labels.unique(labels.imagenet())
        self.assertLen(set(shown), 1000)
        self.assertIn("crane (n02012849)", shown)
        self.assertEqual(shown[1], "goldfish")
        # Without a synset, the number tells.
        alike = [labels.Label(("crane",)), labels.Label(("crane",)), labels.Label(("dog",))]
        self.assertEqual(labels.unique(alike), ("crane (0)", "crane (1)", "dog"))

    def test_comes_along_with_its_licence(self):
        with open(ROOT / "pyproject.toml", "rb") as file:
            patterns = tomllib.load(file)["tool"]["setuptools"]["package-data"]["*"]
        for name in ("imagenet_classes.txt", "imagenet_classes.license.txt"):
            self.assertTrue((ROOT / "tfvis/networks" / name).is_file())
            self.assertTrue(any(fnmatch.fnmatch(name, p) for p in patterns))

    def test_a_class_by_any_of_its_names(self):
        found = labels.imagenet()
        for word, expected in {
            "goldfish": [1], "carassius_auratus": [1], "Golden Retriever": [207],
            "crane": [134, 517],
            "shark": [2, 3, 4],  # A part of three.
        }.items():  # fmt: skip
            self.assertEqual(labels.matching(word, found), expected)
        self.assertEqual(labels.matching("", found), [])

    def test_units_know_them_without_a_file(self):
        inputs = keras.Input((8, 8, 3))
        outputs = keras.layers.Dense(1000)(keras.layers.GlobalAveragePooling2D()(inputs))
        net = network.wrap(keras.Model(inputs, outputs))
        (unit,) = parsing.parse("logit:goldfish", net, None)
        self.assertEqual((unit.layer, unit.channel, unit.name), ("logits", 1, "1 goldfish"))
        with self.assertRaisesRegex(InputError, "no class of this name.*goldfish"):
            parsing.parse("logit:goldfisch", net, None)
        with self.assertRaisesRegex(InputError, "stands for .* classes"):
            parsing.parse("logit:dog", net, None)


class FilesTest(tf.test.TestCase):
    def setUp(self):
        super().setUp()
        self.path = pathlib.Path(self.create_tempdir().full_path) / "labels"

    def test_every_form(self):
        synsets = list(zip(_SYNSETS, _NAMES, strict=True))
        for name, text in {
            "plain": "tench\n\n goldfish \r\ngreat white shark",
            "with a mark": "\ufefftench\ngoldfish\ngreat white shark",
            "synset_words": "".join(f"{s} {n}, a fish\n" for s, n in synsets),
            "synset table": "".join(f"{s}\t{n}\n" for s, n in synsets),
            "synset csv": "".join(f"{s},{n}\n" for s, n in synsets),
            "numbered": "0 tench\n1 goldfish\n2 great white shark",
            "numbered, in any order": "2: great white shark\n0: tench\n1: goldfish",
            "numbered csv": '0,tench\n1,goldfish\n2,"great white shark"',
            "list": json.dumps(_NAMES),
            "list of pairs": json.dumps(synsets),
            "by number": json.dumps({"2": _NAMES[2], "0": _NAMES[0], "1": _NAMES[1]}),
            "number of each": json.dumps({"goldfish": 1, "great white shark": 2, "tench": 0}),
            "Keras": json.dumps({str(k): [s, n.replace(" ", "_")] for k, (s, n) in
                                 enumerate(synsets)}),
        }.items():  # fmt: skip
            with self.subTest(name):
                self.path.write_text(text, encoding="utf-8")
                found = labels.read(self.path, 3)
                self.assertEqual([label.name for label in found], list(_NAMES))
                if any(word in name for word in ("synset", "pairs", "Keras")):
                    self.assertEqual([label.synset for label in found], list(_SYNSETS))
                wide = text.removeprefix("\ufeff").encode("utf-16")
                for packed in (gzip.compress(text.encode()), wide):
                    self.path.write_bytes(packed)
                    self.assertEqual(labels.read(self.path, 3), found)

    def test_a_number_or_a_comma_may_belong_to_a_name(self):
        self.path.write_text("3 wheeler\n1 crown\nWashington, D.C.\n", encoding="utf-8")
        found = labels.read(self.path, 3)
        self.assertEqual(
            [label.words for label in found], [("3 wheeler",), ("1 crown",), ("Washington, D.C.",)]
        )

    def test_refusals(self):
        packed = gzip.compress(b"a\nb\nc\n")
        for name, content, words in (
            ("too few", b"a\nb", "2 names for 3 classes"),
            ("empty", b"", "0 names for 3 classes"),
            ("a page", b"<html>\n<body>\n</html>", "is a web page"),
            ("not text", b"\xff\xfe\x00", "cannot be read as text"),
            ("cut off", packed[:-9], "cannot be read as text"),
            ("no gzip", packed[:2] + b"nothing of the kind", "cannot be read as text"),
            ("huge", b"a" * (bounds.NAMES + 1), "more than"),
            ("bomb", gzip.compress(b"a" * (2 * bounds.NAMES)), "unpacks to more"),
            ("half JSON", b'["a", "b"', "cannot be read as JSON"),
            ("deep", b"[" * 100_000, "cannot be read as JSON"),
            ("a hole", b'{"0": "a", "1": "b", "3": "c"}', "numbered from 0"),
            ("twice", b'{"a": 0, "b": 0, "c": 1}', "2 names for 3|numbered from 0"),
            ("numbers", b"[1, 2, 3]", "expected names"),
            ("one of many", b'["a", "b", {"c": {}}]', "expected names"),
            ("two lines", b'["a", "b", "c\\nd"]', r"'c\\nd' is no name"),
            ("half a letter", b'["a", "b", "\\ud800"]', "is no name"),
            ("a book", b'["a", "b", "' + b"c" * 5000 + b'"]', "is no name"),
            ("no name", b'["a", "b", " "]', "is no name"),
        ):
            with self.subTest(name):
                self.path.write_bytes(content)
                with self.assertRaisesRegex(InputError, f"^labels=.*({words})") as caught:
                    labels.read(self.path, 3)
                self.assertLess(len(str(caught.exception)), 400)
        for place in (self.path.parent, self.path.parent / "absent", "nul\0l"):
            with self.assertRaisesRegex(InputError, "is a folder|no such file|no such path"):
                labels.read(place, 3)


if __name__ == "__main__":
    tf.test.main()
