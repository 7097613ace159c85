"""Pictures with labels, whose numbers must be those of the classifier that is asked."""

import pathlib
from unittest import mock

import tensorflow as tf

from tests import nets
from tfvis import images
from tfvis.classifiers import checkpoints, datasets
from tfvis.errors import InputError
from tfvis.experiments import labelled_pictures, messages


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

    def test_classes_that_may_be_meant_otherwise(self):
        folder = pathlib.Path(self.create_tempdir().full_path)

        def said(*paths: str) -> str:
            root = folder / str(len(list(folder.iterdir())))
            for k, path in enumerate(paths):
                images.save_png(root / path, nets.picture(16, seed=k))
            with mock.patch.object(messages, "note") as note:
                labelled_pictures.read([root])
            return " ".join(call.args[0] for call in note.call_args_list)

        domains = ("photo/dog/0.png", "photo/house/0.png", "sketch/dog/0.png")
        self.assertIn(
            "the classes are photo, sketch, and each of them has the folders dog, house",
            said(*domains, "sketch/house/0.png"),
        )
        self.assertEqual(said(*domains, "sketch/cat/0.png"), "")
        self.assertEqual(said(*domains, "sketch/house/0.png", "photo/0.png"), "")
        self.assertEqual(said("dog/a/0.png", "house/a/0.png"), "")
        self.assertIn("Dog and dog are classes of their own", said("Dog/0.png", "dog/0.png"))


if __name__ == "__main__":
    tf.test.main()
