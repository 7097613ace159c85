"""Trains a classifier that names what pictures show, photographs or pictures by hand.

    python -m apps.train --data=photos,paintings --workdir=out/train

Each source is a folder with a folder per class, or a CSV file with the columns path, label
and, where a picture shows more than the thing, x0, y0, x1, y1 (the box to look at). A class
called `none` is for pictures of nothing that is looked for. In two steps: a new head on a
network that knows photographs, then its last layers with it. Writes to --workdir:

    classifier.json, weights.npz   the classifier; --checkpoint=out/train uses it
    README.md                      its card: data, split, accuracies
    confusion.png, mistakes.png    of the test pictures
    styles.png                     with --style_augment: pictures beside their styles
    manifest.json                  arguments, versions, history, measures
    tensorboard/                   scalars, and the two pictures

Stopped at any moment, the same command goes on where it was. Two cores look at a thousand
pictures in half a minute per view, once, and learn from them in ten seconds an epoch.
"""

from absl import flags

from tfvis import words
from tfvis.classifiers.settings import Training
from tfvis.errors import InputError

from .flags import classifier as classifier_flags
from .flags import common, fields, name_checks, paths
from .flags import networks as network_flags

_DATA = classifier_flags.define_data(
    "Folders with a folder per class, or CSV files; separated by commas."
)
_NETWORK = network_flags.define_network()
_WORKDIR = common.define_workdir("out/train")
_PRECISION = common.define_precision()
_SEED = fields.one(Training, "seed")
_SHARES = flags.DEFINE_string(
    "shares",
    "0.8,0.1,0.1",
    "Shares of training, validation and test of each class; which picture falls where is decided "
    "by its path and the seed.",
)
_CROP_BORDERS = classifier_flags.define_crop_borders(False)
_INIT = paths.define(
    "init", None, paths.each(paths.checkpoint),
    "A checkpoint to begin with, trained before on other pictures; of several, separated by commas "
    "and trained alike, the means of their weights, which with --epochs=0 are the result.",
)  # fmt: skip
_ADAPT = paths.define(
    "adapt_to", None, paths.file_or_folder,
    "A folder of unlabelled pictures of another domain: features learn not to tell it apart.",
)  # fmt: skip
_ADAPT_WEIGHT = fields.one(Training, "adapt_weight")
_SIZE = flags.DEFINE_integer(
    "size",
    None,
    "Side that pictures are squeezed to; left out, --init's, 96 of vgg_small, or 224.",
    16,
    1024,
)
_VIEWS, _DRAWN, _EPOCHS, _CUT, _MIX = classifier_flags.define_effort()
_TRAINING = fields.define(Training, ("rate", "batch", "averaging", "patience")) | {
    "adapt_weight": _ADAPT_WEIGHT
}
_STYLES, _STYLISED, _STYLE_LAYER = classifier_flags.define_styles()
_HELD_OUT = paths.define(
    "held_out", None, paths.each(paths.file_or_folder),
    "Folders or CSV files that the classifier will be tried on: none of their pictures may be a "
    "style; separated by commas.",
)  # fmt: skip
_CACHE = classifier_flags.define_cache()
_PER_CLASS = flags.DEFINE_integer(
    "per_class", None, "Pictures of each class at most, of all sources alike; left out, all.", 1
)
_DIFFERENCES = flags.DEFINE_bool(
    "differences", False, "Keep what kernels learnt as differences in 8 bits: half the file."
)
_SPLIT_SEED = flags.DEFINE_integer(
    "split_seed", None, "Seed of draw, split and views of the pictures; left out, --seed.", 0
)


def main():
    """Reads the flags and the folders, then TensorFlow, then trains."""
    if _ADAPT.value and _EPOCHS.value == 0:
        raise InputError("--epochs=0: leaves nothing to learn with --adapt_to; leave one out.")
    begun = words.split(_INIT.value, "init") if _INIT.value else ()
    for name in begun:
        name_checks.checkpoint(name, "init")
    if not begun:
        layers = {"cut": _CUT.value, "style_layer": _STYLE_LAYER.value}
        name_checks.check(_NETWORK(), layers=layers)
    dataset, shares = classifier_flags.read(_DATA), classifier_flags.shares(_SHARES.value)
    shared = common.start(
        _WORKDIR, _ADAPT, _SIZE, _CUT, _VIEWS, _DRAWN, _CROP_BORDERS, _CACHE, _PRECISION,
        _PER_CLASS, _DIFFERENCES, _SPLIT_SEED, _STYLES, _STYLISED, _STYLE_LAYER,
    )  # fmt: skip
    from tfvis.experiments import training

    settings = fields.values(
        Training, _TRAINING, seed=_SEED.value, epochs=_EPOCHS.value, mixing=_MIX.value
    )
    return training.run(
        dataset, _NETWORK(), settings=settings, shares=shares, init=begun, command=common.command(),
        held_out=words.split(_HELD_OUT.value, "held_out") if _HELD_OUT.value else (), **shared,
    )  # fmt: skip


if __name__ == "__main__":
    common.run(main, "train")
