"""The flags of data sets, splits and trainings, and reading them."""

import re

from absl import flags

from tfvis.classifiers.settings import Training
from tfvis.errors import InputError
from tfvis.experiments import labelled_pictures
from tfvis.words import split

from . import fields, paths


def define_data(what: str, required: bool = True) -> flags.FlagHolder:
    """Defines --data."""
    return paths.define("data", None, paths.each(paths.file_or_folder), what, required=required)


def define_checkpoint(default: str | None = None) -> flags.FlagHolder:
    """Defines --checkpoint."""
    return paths.define(
        "checkpoint",
        default,
        paths.checkpoint,
        "A classifier: the workdir of a training, or the name of one that comes along "
        "(pacs_vgg16, pacs_none_vgg16, instruments_vgg16, photos_vgg16, drawings_vgg16, "
        "photos_small, drawings_small).",
        required=default is None,
    )


def define_part() -> flags.FlagHolder:
    """Defines --part."""
    return flags.DEFINE_enum(
        "part",
        "all",
        ["all", "train", "validation", "test"],
        "Which part of the data, as the training with its own seed and shares split it.",
    )


def define_cache() -> flags.FlagHolder:
    """Defines --cache."""
    return paths.define(
        "cache",
        None,
        paths.made,
        "Folder for what the frozen layers see; left out, features/ in the weights cache.",
    )


def define_effort() -> tuple[flags.FlagHolder, ...]:
    """Defines --views, --drawn, --epochs, --cut and --mix_styles."""
    return (
        flags.DEFINE_integer(
            "views",
            4,
            "Views of each picture to learn from: itself, others flipped, turned, cropped, "
            "recoloured. Each takes 200 kB on disk per picture with vgg16.",
            lower_bound=1,
            upper_bound=64,
        ),
        flags.DEFINE_integer(
            "drawn",
            0,
            "Further views of each picture, as line drawings: for classifiers that are to know "
            "drawings, and have few or none to learn from.",
            lower_bound=0,
            upper_bound=64,
        ),
        fields.one(Training, "epochs"),
        flags.DEFINE_string(
            "cut",
            None,
            "The last layer that stays frozen; left out, the first that leaves at most half of "
            "the weights to learn (of vgg16 block4_pool), of random weights the first there is.",
        ),
        *fields.define(Training, {"mixing": "mix_styles"}).values(),
    )


def define_styles() -> tuple[flags.FlagHolder, ...]:
    """Defines --style_augment, --stylised and --style_layer."""
    return (
        paths.define(
            "style_augment",
            None,
            paths.styles_or("sources"),
            "Show pictures to learn from in other styles, too: those of the pictures in this "
            "folder, or of the medoids in this workdir of apps.styles; painted by this checkpoint "
            "of apps.train_style; `sources` lends each those of other sources of --data. No "
            "picture of the validation or the test may be among them.",
        ),
        flags.DEFINE_integer(
            "stylised",
            None,
            "Stylised copies of each picture to learn from; left out, as many as --views and "
            "--drawn are, so that half of what is seen is stylised.",
            1,
            64,
        ),
        flags.DEFINE_string(
            "style_layer",
            None,
            "The frozen layer whose means and deviations are the style; left out, the first whose "
            "places are 4 px apart (of vgg16 block2_pool).",
        ),
    )


def define_crop_borders(default: bool | None = None) -> flags.FlagHolder:
    """Defines --crop_borders; None is "as in training"."""
    return flags.DEFINE_bool(
        "crop_borders",
        default,
        "Take off colour charts, rulers and plain margins first"
        + ("; left out, as in training." if default is None else "."),
    )


def shares(value: str) -> tuple[float, float, float]:
    """Returns the three shares of --shares.

    Raises:
        InputError: not three numbers that add up to 1, the first of them positive.
    """
    words = [word.strip() for word in value.split(",")]
    good = len(words) == 3 and all(re.fullmatch(r"\d*\.?\d+", word) for word in words)
    found = tuple(float(word) for word in words) if good else (0.0,)
    if not good or abs(sum(found) - 1) > 1e-6 or found[0] <= 0:
        raise InputError(f"--shares={value}: expected three numbers such as 0.8,0.1,0.1, sum 1.")
    return found


def read(holder: flags.FlagHolder, checkpoint: str | None = None):
    """Reads --data: what a checkpoint is to be tried on, or what is to be learnt from.

    Raises:
        InputError: as `tfvis.classifiers.datasets.read`.
    """
    sources = split(holder.value, holder.name)
    if checkpoint is None:
        return labelled_pictures.read(sources)
    return labelled_pictures.of_checkpoint(checkpoint, sources)
