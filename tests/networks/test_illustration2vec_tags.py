"""Tags by kind, their thresholds, and vectors packed to bits."""

import gzip
import json
import pathlib

import numpy as np
import tensorflow as tf

from tfvis.errors import InputError
from tfvis.networks import illustration2vec_tags

_NAMES = tuple(f"tag {k}" for k in range(1539))


class PlausibleTest(tf.test.TestCase):
    def setUp(self):
        super().setUp()
        self.confidences = np.random.default_rng(0).uniform(0, 1, 1539).astype(np.float32)

    def test_kinds_as_released(self):
        found = illustration2vec_tags.plausible(self.confidences, _NAMES, 0.0)
        numbers = {kind: sorted(int(tag[4:]) for tag, _ in each) for kind, each in found.items()}
        self.assertEqual(
            numbers,
            {
                "general": list(range(512)),
                "character": list(range(512, 1024)),
                "copyright": list(range(1024, 1536)),
                "rating": [1536, 1537, 1538],
            },
        )

    def test_above_the_threshold_the_surest_first_ratings_always(self):
        confidences = np.zeros(1539, np.float32)
        confidences[[3, 7, 511, 512, 1030]] = 0.5, 0.9, 0.25, 0.26, 0.2
        confidences[1536:] = 0.02, 0.97, 0.001
        found = illustration2vec_tags.plausible(confidences, _NAMES)
        self.assertEqual(
            {kind: [tag for tag, _ in each] for kind, each in found.items()},
            {
                "general": ["tag 7", "tag 3"],  # Not 511: 0.25 is not more than 0.25.
                "character": ["tag 512"],
                "copyright": [],
                "rating": ["tag 1537", "tag 1536", "tag 1538"],
            },
        )
        self.assertAllClose(found["general"][0][1], 0.9)

    def test_a_threshold_for_each_and_at_most_so_many(self):
        bars = np.random.default_rng(1).uniform(0, 1, 1539).astype(np.float32)
        found = illustration2vec_tags.plausible(self.confidences, _NAMES, bars, top=5)
        for kind, first, last in (("general", 0, 512), ("copyright", 1024, 1536)):
            above = [k for k in range(first, last) if self.confidences[k] > bars[k]]
            above.sort(key=lambda k: -self.confidences[k])
            self.assertEqual([tag for tag, _ in found[kind]], [f"tag {k}" for k in above[:5]])
        self.assertLen(found["rating"], 3)
        # Of a rule's thresholds the ratings are free, too.
        found = illustration2vec_tags.plausible(
            self.confidences, _NAMES, np.ones(1539, np.float32), top=1
        )
        self.assertEqual([len(each) for each in found.values()], [0, 0, 0, 3])


class PackedTest(tf.test.TestCase):
    def test_first_in_the_highest_bit(self):
        generator = np.random.default_rng(0)
        neurons = generator.uniform(0, 1, (3, 4096)).astype(np.float32)
        neurons[:, 5] = 0.5  # Not more than a half.
        words = ["".join("1" if x > 0.5 else "0" for x in row) for row in neurons.tolist()]
        expected = [int(word, 2).to_bytes(512, "big") for word in words]
        found = illustration2vec_tags.packed(neurons)
        self.assertEqual((found.shape, found.dtype), ((3, 512), np.uint8))
        self.assertEqual([row.tobytes() for row in found], expected)

    def test_begins_as_the_published_vector_does(self):
        # The released example prints the first entries of a vector, 7.47, 3.69 and 0.54, and
        # the first bytes of the same packed, 246, 215, 87: three positive numbers, three bits.
        first = illustration2vec_tags.packed(
            1 / (1 + np.exp(-np.array([[7.4746, 3.6861, 0.538, 0, 0, 0, 0, 0]])))
        )
        self.assertEqual(first[0, 0] & 0b1110_0000, 246 & 0b1110_0000)
        bits = "1111011011010111010101110110101111111001101111100110010100100000"
        neurons = np.array([[float(bit) for bit in bits]])
        self.assertEqual(
            illustration2vec_tags.packed(neurons)[0].tolist(),
            [246, 215, 87, 107, 249, 190, 101, 32],
        )


class FilesTest(tf.test.TestCase):
    def setUp(self):
        super().setUp()
        self.path = pathlib.Path(self.create_tempdir().full_path) / "file"

    def test_lists(self):
        text = json.dumps(_NAMES).encode()
        for content in (text, gzip.compress(text), json.dumps(_NAMES).encode("utf-16")):
            self.path.write_bytes(content)
            self.assertEqual(illustration2vec_tags.read(self.path), _NAMES)
        for content, words in (
            (json.dumps(_NAMES[:-1]).encode(), "1538 tags; Illustration2Vec has 1,539"),
            (json.dumps(dict.fromkeys(_NAMES)).encode(), "expected a JSON list"),
            ("\n".join(_NAMES).encode(), "expected a JSON list"),
            (json.dumps([*_NAMES[:-1], 7]).encode(), "tag 1539 of .* is no name"),
            (json.dumps([None, *_NAMES[1:]]).encode(), "tag 1 of .* is no name"),
            (json.dumps([*_NAMES[:-1], "a\tb"]).encode(), "tag 1539: .* is no name"),
            (json.dumps([*_NAMES[:3], "  ", *_NAMES[4:]]).encode(), "tag 4: '  ' is no name"),
            (text[:5000], "cannot be read as JSON"),
            (b"<!DOCTYPE html>", "is a web page"),
            (gzip.compress(text)[:-20], "cannot be read"),
        ):
            self.path.write_bytes(content)
            with self.assertRaisesRegex(InputError, f"^tags=.*{words}"):
                illustration2vec_tags.read(self.path)

    def test_thresholds(self):
        table = np.random.default_rng(0).uniform(0, 1, (1539, 3))
        with open(self.path, "wb") as file:
            np.savez(file, threshold=table, others=np.zeros(3))
        for column, rule in enumerate(("f0.5", "f1", "f2")):
            self.assertAllClose(
                illustration2vec_tags.read_thresholds(self.path, rule), table[:, column]
            )
        holed = table.copy()
        holed[3, 1] = np.nan
        for arrays, words in (
            ({"threshold": table[:, :2]}, r"\[1539, 3\].*\(1539, 2\)"),
            ({"thresholds": table}, "no such array"),
            ({"threshold": holed}, "from 0 to 1"),
            ({"threshold": table * 2}, "from 0 to 1"),
            ({"threshold": np.full((1539, 3), "a")}, "cannot be read as numbers"),
            ({"threshold": np.full((1539, 3), None)}, "cannot be read"),  # Pickled.
        ):
            with open(self.path, "wb") as file:
                np.savez(file, **arrays)
            with self.assertRaisesRegex(InputError, f"^thresholds=.*{words}"):
                illustration2vec_tags.read_thresholds(self.path, "f1")
        self.path.write_bytes(b"PK nothing")
        with self.assertRaisesRegex(InputError, "cannot be read as thresholds"):
            illustration2vec_tags.read_thresholds(self.path, "f1")
        with self.assertRaisesRegex(InputError, "cannot be read as thresholds"):
            illustration2vec_tags.read_thresholds(self.path.with_name("absent"), "f1")


if __name__ == "__main__":
    tf.test.main()
