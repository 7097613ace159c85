"""The released networks of Illustration2Vec, beside the values their authors published.

Runs where TFVIS_ILLUST2VEC names a folder with illust2vec_tag_ver200.caffemodel,
illust2vec_ver200.caffemodel, tag_list.json (or tag_list.json.gz) and their example, miku.jpg.
"""

import os
import pathlib
import unittest

import numpy as np
import tensorflow as tf

from tfvis.experiments import folders, tagging
from tfvis.networks import illustration2vec_tags

_FOLDER = pathlib.Path(os.environ.get("TFVIS_ILLUST2VEC", ""))
_FILES = ("illust2vec_tag_ver200.caffemodel", "illust2vec_ver200.caffemodel", "miku.jpg")
# The README of the released code (version 2.0.0), with Chainer.
_PLAUSIBLE = {  # Above 0.5.
    "general": {
        "thighhighs": 0.9956, "1girl": 0.9873, "twintails": 0.9813, "solo": 0.9633,
        "aqua hair": 0.9168, "long hair": 0.8817, "very long hair": 0.8326,
        "detached sleeves": 0.7449, "skirt": 0.6781, "necktie": 0.5608, "aqua eyes": 0.5528,
    },
    "character": {"hatsune miku": 0.9999994},
    "copyright": {"vocaloid": 0.9999999},
    "rating": {"safe": 0.97857, "questionable": 0.02054, "explicit": 0.00063},
}  # fmt: skip
_FIRST, _LAST = (7.4746, 3.6861, 0.5380), (-0.1456, 2.7182, 7.3141)
_BYTES = [246, 215, 87, 107, 249, 190, 101, 32]
# Decoders of JPEG differ by a level or two, and scikit-image's resize at the edges.
_SURENESS, _ENTRIES = 0.02, 0.15


@unittest.skipUnless(
    os.environ.get("TFVIS_ILLUST2VEC") and all((_FOLDER / name).is_file() for name in _FILES),
    "TFVIS_ILLUST2VEC names no folder with the released files of Illustration2Vec",
)
class GoldenIllustration2VecTest(tf.test.TestCase):
    def setUp(self):
        super().setUp()
        self.out = pathlib.Path(self.create_tempdir().full_path)

    def _asked(self, weights):
        return str(_FOLDER / weights), folders.find(str(_FOLDER / "miku.jpg"), "image")

    def test_tags(self):
        place = _FOLDER / "tag_list.json"
        place = place if place.is_file() else _FOLDER / "tag_list.json.gz"
        names = illustration2vec_tags.read(place)
        self.assertEqual(names[:3], ("1girl", "solo", "long hair"))
        self.assertEqual(names[512:514], ("hatsune miku", "hakurei reimu"))
        self.assertEqual(names[1024:1026], ("touhou", "original"))
        self.assertEqual(names[1536:], ("safe", "questionable", "explicit"))
        settings = tagging.Tagging(tags=str(place), threshold=0.5, top=512)
        tagging.tag(*self._asked(_FILES[0]), settings, workdir=self.out)
        found = tagging.manifest.read(self.out / "manifest.json")["results"][0]
        for kind, expected in _PLAUSIBLE.items():
            self.assertEqual(list(found[kind]), list(expected))
            self.assertAllClose(
                list(found[kind].values()), list(expected.values()), atol=_SURENESS, rtol=0
            )

    def test_vectors(self):
        tagging.describe(*self._asked(_FILES[1]), workdir=self.out)
        vector = np.load(self.out / "features.npy")[0]
        self.assertAllClose(vector[:3], _FIRST, atol=_ENTRIES, rtol=0)
        self.assertAllClose(vector[-3:], _LAST, atol=_ENTRIES, rtol=0)
        self.assertEqual(np.load(self.out / "binary.npy")[0, :8].tolist(), _BYTES)


if __name__ == "__main__":
    tf.test.main()
