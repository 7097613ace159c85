"""Parts of data sets."""

import hashlib
import pathlib
import shutil

import numpy as np
import tensorflow as tf
from absl.testing import parameterized

from tests.classifiers.test_datasets import picture
from tfvis.classifiers import datasets, splits
from tfvis.errors import InputError


def made(keys, root="/data") -> datasets.Dataset:
    examples = tuple(datasets.Example(f"{root}/{key}", 0, None, 0, key) for key in keys)
    return datasets.Dataset(("a", "b"), ("data",), examples, (("x", "broken"),))


def parts(dataset, *args) -> dict[str, int]:
    """Returns {key: part}."""
    return {e.key: k for k, part in enumerate(splits.split(dataset, *args)) for e in part.examples}


class SplitTest(tf.test.TestCase, parameterized.TestCase):
    def test_files_stay_whatever_is_beside_them_and_wherever_they_are(self):
        keys = [f"harp/{k}.png" for k in range(500)]
        at = splits.thresholds(made(keys))
        whole = parts(made(keys))
        self.assertLen(whole, 500)
        self.assertEqual(whole, parts(made(keys, "/elsewhere")))
        self.assertEqual(whole, parts(made(keys[::-1])))
        self.assertNotEqual(whole, parts(made(keys), 1))
        # By the thresholds that are kept, none moves.
        more = [*keys[::7], *(f"harp/new{k}.png" for k in range(100))]
        found = parts(made(more), 0, (0.8, 0.1, 0.1), at)
        self.assertEqual({k: found[k] for k in keys[::7]}, {k: whole[k] for k in keys[::7]})
        # Drawn anew, a picture more moves two at most: one at each threshold.
        found = parts(made([*keys, "harp/new.png"]))
        self.assertLessEqual(sum(found[key] != whole[key] for key in keys), 2)

    def test_this_very_split(self):
        # Splits must be the same with every version: models are judged by them. Of
        # SHA-256("0/KEY"), the first hexadecimal digits over 16^4: .8 and .9 part them where
        # no thresholds are kept.
        found = parts(made(["harp/0.png", "harp/1.png", "harp/é.png"]), 0, (0.8, 0.1, 0.1), {})
        for key, part in found.items():
            place = int(hashlib.sha256(f"0/{key}".encode()).hexdigest()[:4], 16) / 16**4
            self.assertEqual(part, int(place >= 0.8) + int(place >= 0.9))

    @parameterized.parameters(
        ((0.8, 0.1, 0.1), {1: (1, 0, 0), 2: (1, 0, 1), 3: (1, 1, 1), 4: (2, 1, 1), 20: (16, 2, 2)}),
        ((0.9, 0, 0.1), {1: (1, 0, 0), 2: (1, 0, 1), 40: (36, 0, 4)}),
        ((0, 0.5, 0.5), {1: (0, 0, 1), 2: (0, 1, 1), 7: (0, 4, 3)}),
        ((1, 0, 0), {1: (1, 0, 0), 9: (9, 0, 0)}),
    )
    def test_each_class_has_its_share(self, shares, expected):
        labels = [(f"{size}", f"{size}/{k}.jpg") for size in expected for k in range(size)]
        classes = tuple(map(str, expected))
        examples = tuple(
            datasets.Example(key, classes.index(name), None, 0, key) for name, key in labels
        )
        whole = datasets.Dataset(classes, ("data",), examples, ())
        found = splits.split(whole, 3, shares)
        for number, name in enumerate(classes):
            counts = tuple(sum(e.label == number for e in part.examples) for part in found)
            self.assertEqual(counts, expected[int(name)], name)

    def test_boxes_of_one_picture_stay_together(self):
        # Of each picture two boxes; of every third, one of a rare class.
        examples = [
            datasets.Example(f"{k}", label, (0, 0, 1, 1), 0, f"{k}")
            for k in range(60)
            for label in (0, 1 if k % 3 else 2)
        ]
        whole = datasets.Dataset(("a", "b", "rare"), ("data",), tuple(examples), ())
        found = splits.split(whole)
        self.assertEqual(sum(len({e.key for e in part.examples}) for part in found), 60)
        rare = [sum(e.label == 2 for e in part.examples) for part in found]
        self.assertEqual(rare, [16, 2, 2])

    def test_parts_keep_what_is_of_the_whole(self):
        dataset = made([f"{k}" for k in range(30)])
        for part in splits.split(dataset):
            self.assertEqual(part.classes, dataset.classes)
            self.assertEqual(part.domains, dataset.domains)
            self.assertEqual(part.broken, dataset.broken)

    @parameterized.parameters((0.5, 0.5, 0.5), (1.2, -0.1, -0.1), (0.5, 0.5), (np.nan, 0.5, 0.5))
    def test_shares_that_are_none(self, *shares):
        with self.assertRaisesRegex(InputError, "three shares"):
            splits.split(made(["a"]), 0, shares)

    def test_a_moved_folder_is_split_alike(self):
        folder = pathlib.Path(self.create_tempdir().full_path)
        for label in ("a", "b"):
            for k in range(20):
                picture(folder / "one" / label / f"{k}.png")
        shutil.copytree(folder / "one", folder / "deep" / "two")
        lines = "".join(f"{c}/{k}.png,{c}\n" for c in "ab" for k in range(20))
        (folder / "one" / "t.csv").write_text(f"path,label\n{lines}")
        first = parts(datasets.read([folder / "one"]))
        self.assertLen(set(first.values()), 3)
        self.assertEqual(first, parts(datasets.read([folder / "deep" / "two"])))
        self.assertEqual(first, parts(datasets.read([folder / "one" / "t.csv"])))

    def test_pictures_are_known_by_their_bytes(self):
        folder = pathlib.Path(self.create_tempdir().full_path)
        for k in range(6):
            (folder / f"{k}.png").write_bytes(bytes([k // 2]) * 9)
        dataset = made([f"{k}.png" for k in range(7)], str(folder))  # The last is no file.
        expected = sorted(hashlib.sha256(bytes([k]) * 9).hexdigest()[:12] for k in range(3))
        self.assertEqual(splits.digests(dataset), expected)
