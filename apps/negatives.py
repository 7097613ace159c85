"""Makes pictures of nothing that is looked for, out of what lies beside the objects of others.

    python -m apps.negatives --data=photos,paintings --checkpoint=pacs_vgg16

A classifier that knows no class `none` names one of its classes in any picture. Backgrounds of
the pictures it learns from teach it none: they are of the same hands and papers as the objects.
The class's Grad-CAM says where the object is; the largest part beside it is taken, where it is
wide enough, not plain, and no longer taken for the class. Writes to --workdir:

    SOURCE.csv       per source: all its pictures, and boxes of some labelled none; for
                     apps.train --data, where all boxes of a picture stay in one part
    sheet.png        the backgrounds, each with its line: delete those with a part of the object
    manifest.json    arguments, versions, boxes

Two cores look at three pictures a second.
"""

from absl import flags

from .flags import classifier as classifier_flags
from .flags import common

_DATA = classifier_flags.define_data(
    "Folders with a folder per class, or CSV files; separated by commas."
)
_CHECKPOINT = classifier_flags.define_checkpoint("pacs_vgg16")
_PER_CLASS = flags.DEFINE_integer(
    "per_class",
    60,
    "Pictures of each class and source to look at, at most: about half have something beside.",
    1,
)
_WORKDIR = common.define_workdir("out/negatives")
_PRECISION = common.define_precision()
_SEED = flags.DEFINE_integer("seed", 0, "Which pictures.", 0, 2**31 - 1)


def main():
    """Reads the flags and the folders, then TensorFlow, then looks."""
    dataset = classifier_flags.read(_DATA, _CHECKPOINT.value)
    shared = common.start(_WORKDIR, _PER_CLASS, _SEED, _PRECISION)
    from tfvis.experiments import negative_pictures

    return negative_pictures.run(_CHECKPOINT.value, dataset, **shared)


if __name__ == "__main__":
    common.run(main, "negatives")
