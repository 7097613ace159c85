"""Transform networks on disk, what they paint, and what is refused."""

import json
import pathlib

import numpy as np
import tensorflow as tf

from tests import nets
from tests.style.fast.test_transform_network import SMALL, varied
from tfvis.errors import InputError
from tfvis.style.fast import checkpoint_files, checkpoints


def saved(folder: pathlib.Path, styles=("warm", "cold")) -> pathlib.Path:
    """Writes a checkpoint of a small network."""
    folder.mkdir(parents=True, exist_ok=True)
    checkpoints.save(folder, varied(len(styles)), SMALL, styles, 32, {"init": None})
    return folder


class CheckpointsTest(tf.test.TestCase):
    def setUp(self):
        super().setUp()
        self.folder = saved(pathlib.Path(self.create_tempdir().full_path) / "two")

    def test_what_is_loaded_paints_as_what_was_saved(self):
        style = checkpoints.load(str(self.folder))
        self.assertEqual(repr(style), "<FastStyle two: 2 styles>")
        picture = nets.oblong(18, 27)
        for names, mix in ((["cold"], [0, 1]), (["cold", "warm"], [0.5, 0.5])):
            wanted = varied()([picture[None], np.float32([mix])])[0]
            # Float32, in another order.
            found = style.paint(picture, style.mix(names), margin=0)
            self.assertAllClose(found, wanted, atol=1e-2)
        self.assertAllClose(style.mix(weights=[3, 1]), [0.75, 0.25])
        self.assertAllClose(style.mix(["cold", "warm"], [3, 1]), [0.25, 0.75])

    def test_a_picture_is_continued_by_reflection(self):
        style = checkpoints.load(str(self.folder))
        picture = nets.oblong(18, 27)
        # As far as there is something to reflect, in multiples of the strides.
        wide = np.pad(picture, ((16, 16), (24, 24), (0, 0)), "reflect")
        wanted = style.paint(wide, margin=0)[16:-16, 24:-24]
        self.assertAllEqual(style.paint(picture), wanted)

    def test_one_trace_serves_every_size(self):
        style = checkpoints.load(str(self.folder))
        for height, width in ((16, 16), (20, 33)):
            style.paint(nets.oblong(height, width))
        compiled = style._compiled("float32")
        self.assertEqual(compiled.experimental_get_tracing_count(), 1)

    def test_what_does_not_fit_is_refused(self):
        style = checkpoints.load(str(self.folder))
        with self.assertRaisesRegex(InputError, "size: 7 x 16 px are too few"):
            style.paint(nets.oblong(16, 7))
        with self.assertRaisesRegex(InputError, r"size: 64 x 64 px take .* As many pixels"):
            style.paint(nets.picture(64), memory=1000)

    def test_names_and_shares_that_are_none(self):
        style = checkpoints.load(str(self.folder))
        for words, names, weights in (
            ("style=hot: no style of two. Known: warm, cold", ["hot"], []),
            ("style: names a style twice", ["warm", "warm"], []),
            ("style_mix=1: expected 2 numbers", [], [1]),
            ("style_mix=0,0: expected finite numbers", ["warm", "cold"], [0, 0]),
        ):
            with self.assertRaisesRegex(InputError, words):
                style.mix(names, weights)

    def test_a_broken_checkpoint_is_refused(self):
        description = self.folder / checkpoint_files.DESCRIPTION
        weights = self.folder / checkpoint_files.WEIGHTS
        said, held = json.loads(description.read_text()), weights.read_bytes()
        with np.load(weights) as arrays:
            found = dict(arrays)

        def written(**arrays):
            np.savez(weights, **(found | arrays))

        pickled = np.array([{}], object)
        for words, break_it in (
            ("fast_style.json cannot be used", lambda: description.write_text("{")),
            ("lacks styles", lambda: description.write_text(json.dumps(said | {"styles": 3}))),
            ("not distinct", lambda: description.write_text(
                json.dumps(said | {"styles": ["a"] * 2})
            )),
            ("impossible", lambda: description.write_text(json.dumps(said | {"width": 10**6}))),
            # As large as it says it would take gigabytes.
            ("no weights of the network", lambda: description.write_text(
                json.dumps(said | {"width": 256, "blocks": 64})
            )),
            ("weights.npz cannot be used", lambda: weights.write_bytes(held[:100])),
            ("no such file", weights.unlink),
            ("NaN or infinity", lambda: written(**{
                "conv1/0": np.full_like(found["conv1/0"], np.nan)
            })),
            ("no weights of the network", lambda: written(**{"conv1/0": np.zeros((1, 1, 3, 4))})),
            ("cannot be read as numbers", lambda: written(**{"conv1/0": pickled})),
        ):  # fmt: skip
            with self.subTest(words):
                break_it()
                with self.assertRaisesRegex(InputError, f"fast=.*two.*{words}"):
                    checkpoints.load(str(self.folder))
                description.write_text(json.dumps(said))
                weights.write_bytes(held)
        with self.assertRaisesRegex(InputError, "no folder with a fast_style.json"):
            checkpoints.load("no_such_checkpoint")
