"""Tries a classifier on labelled pictures.

    python -m apps.evaluate --checkpoint=pacs_vgg16 --data=paintings

Prints the accuracy over all, per source and per class. Writes to --workdir:

    predictions.csv                path, rank, label, probability: all classes, surest first
    confusion.png, mistakes.png    what is taken for what; the surest mistakes
    manifest.json                  arguments, versions, weights, measures
    tensorboard/                   the two pictures
"""

from .flags import classifier as classifier_flags
from .flags import common

_CHECKPOINT = classifier_flags.define_checkpoint()
_DATA = classifier_flags.define_data(
    "Folders with a folder per class, or CSV files; separated by commas."
)
_PART = classifier_flags.define_part()
_CROP_BORDERS = classifier_flags.define_crop_borders()
_WORKDIR = common.define_workdir("out/evaluate")
_PRECISION = common.define_precision()


def main():
    """Reads the flags and the folders, then TensorFlow, then looks."""
    dataset = classifier_flags.read(_DATA, _CHECKPOINT.value)
    shared = common.start(_WORKDIR, _PART, _CROP_BORDERS, _PRECISION)
    from tfvis.experiments import evaluation

    return evaluation.run(_CHECKPOINT.value, dataset, **shared)


if __name__ == "__main__":
    common.run(main, "evaluate")
