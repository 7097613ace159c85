"""JPEGs decoded at a fraction of their size: how large they are, how far off, which classes."""

import pathlib

import numpy as np
import PIL.Image
import sklearn.datasets
import tensorflow as tf

from tfvis import images
from tfvis.errors import InputError
from tfvis.experiments import classifying_networks

_FOLDER = pathlib.Path(sklearn.datasets.__file__).parent / "images"


class ReducedJpegsTest(tf.test.TestCase):
    def test_sides_are_kept_as_long_as_is_asked_for(self):
        # 640 x 427 px.
        for least, size in (
            (None, (427, 640)), (428, (427, 640)), (214, (427, 640)), (213, (214, 320)),
            (106, (107, 160)), (53, (54, 80)), (1, (54, 80)),
        ):  # fmt: skip
            found = images.read(_FOLDER / "china.jpg", least=least)
            self.assertEqual((found.pixels.shape[:2], found.notes), (size, ()))

    def test_what_a_network_sees_differs_by_few_levels(self):
        for name in ("china.jpg", "flower.jpg"):
            for side in (53, 100):
                whole, reduced = (
                    images.resize(
                        images.crop(images.read(_FOLDER / name, least=k).pixels), side, side
                    )
                    for k in (None, images.REDUCED * side)
                )
                off = np.abs(whole - reduced)
                # Of 192 pictures 0.9 to 3.3 levels in the mean, 68 at most (docs/batches.md).
                self.assertBetween(off.mean(), 0.1, 4)
                self.assertLess(off.max(), 70)

    def test_only_jpegs_are_and_turned_ones_are_upright(self):
        folder = pathlib.Path(self.create_tempdir().full_path)
        picture = PIL.Image.open(_FOLDER / "china.jpg")
        picture.save(folder / "a.png")
        exif = picture.getexif()
        exif[0x0112] = 6
        picture.save(folder / "turned.jpg", exif=exif)
        self.assertEqual(images.read(folder / "a.png", least=50).pixels.shape, (427, 640, 3))
        self.assertEqual(images.read(folder / "turned.jpg", least=106).pixels.shape, (160, 107, 3))
        # A broken one is refused as any is.
        sound = (folder / "turned.jpg").read_bytes()
        (folder / "cut.jpg").write_bytes(sound[: len(sound) // 2])
        with self.assertRaisesRegex(InputError, "truncated or damaged"):
            images.read(folder / "cut.jpg", least=106)

    def test_classes_stay(self):
        paths = [str(_FOLDER / name) for name in ("china.jpg", "flower.jpg")]
        answers = []
        for reduced in (False, True):
            asked = classifying_networks.of_checkpoint(
                "photos_small", "float32", None, reduced=reduced
            )
            answers.append(
                [asked.answer(tf.constant(read[None]))[0].numpy() for _, read in asked.reads(paths)]
            )
        whole, reduced = np.array(answers)
        self.assertAllEqual(whole.argmax(1), reduced.argmax(1))
        self.assertBetween(np.abs(whole - reduced).max(), 1e-6, 0.1)
        with self.assertRaisesRegex(InputError, "reduced_jpegs: crop_borders looks at every pixel"):
            classifying_networks.of_checkpoint("photos_small", "float32", True, reduced=True)


if __name__ == "__main__":
    tf.test.main()
