"""Pictures with labels, whose numbers must be those of the classifier that is asked."""

import pathlib

import tensorflow as tf

from tests import nets
from tfvis import images
from tfvis.classifiers import checkpoints, datasets
from tfvis.errors import InputError
from tfvis.experiments import labelled_pictures


class LabelledPicturesTest(tf.test.TestCase):
    def test_labels_of_another_order_are_refused(self):
        folder = pathlib.Path(self.create_tempdir().full_path)
        for name in ("dog", "house"):
            images.save_png(folder / "data" / name / "0.png", nets.picture(16))
        classifier = checkpoints.load(str(nets.checkpoint(folder / "c", ("house", "dog"))))
        own = labelled_pictures.of_checkpoint(str(folder / "c"), [folder / "data"])
        self.assertEqual(own.classes, ("house", "dog"))
        self.assertIs(labelled_pictures.part_of(own, classifier, "all"), own)
        other = datasets.read([folder / "data"])
        with self.assertRaisesRegex(InputError, "dog, house, and those of c house, dog"):
            labelled_pictures.part_of(other, classifier, "all")


if __name__ == "__main__":
    tf.test.main()
