"""Names what pictures show.

    python -m apps.classify --checkpoint=pacs_none_vgg16 --image=PATH_OR_FOLDER --top=3
    python -m apps.classify --network=vgg_cnn_s --weights=VGG_CNN_S.caffemodel --image=PATH

Prints the likeliest classes of each picture: of a classifier trained here, which is shown the
whole picture squeezed into its square; or of any network that ends in one, which is shown the
centre, as networks of its kind learnt (the shortest side to 256 px, 224 of them cut out).
Writes to --workdir:

    predictions.csv    path, rank, label, probability
    sheet.png          the pictures and their likeliest classes
    manifest.json      arguments, versions, weights, the probabilities

With --workers=N processes share the work on a folder of any size (0 is this one alone), with
--engine=ray the actors of a cluster; in place of the sheet they write, and go on from,

    parts/             part-00000.parquet and so on: id, path, labels, probabilities
    errors/            id, path, reason, detail of what could not be read
    checksums/         SHA-256 of both

Without --image, the demo photograph and a painting that come along.
"""

import dataclasses

from absl import flags

from tfvis.errors import InputError
from tfvis.experiments import networks
from tfvis.experiments.features_settings import Features

from .flags import classifier as classifier_flags
from .flags import common, fields, name_checks, paths, pictures
from .flags import engine as engine_flags
from .flags import networks as network_flags

_IMAGE = pictures.define_images()
_CHECKPOINT = classifier_flags.define_checkpoint("pacs_none_vgg16")
_NETWORK = network_flags.define_network(network="")
# Left out, the checkpoint is asked.
_LABELS = paths.define(
    "labels",
    None,
    paths.file,
    "File with the names of --network's classes: one per line, Caffe's synset_words.txt, or JSON; "
    "left out, ImageNet's where there are 1000 classes.",
)
_TOP = flags.DEFINE_integer("top", 3, "How many classes of each picture.", 1, 1000)
_CROP_BORDERS = classifier_flags.define_crop_borders()
_REDUCED_JPEGS = fields.one(Features, "reduced_jpegs")
_ENGINE = engine_flags.define()
_WORKDIR = common.define_workdir("out/classify")
_PRECISION = common.define_precision()


def main():
    """Reads the flags, then TensorFlow, then looks."""
    from tfvis.networks import registry

    asked, flag = _NETWORK(), "network"
    if not asked.network:
        asked, flag = dataclasses.replace(asked, network=_CHECKPOINT.value), "checkpoint"
    elif _CHECKPOINT.present:
        raise InputError("--checkpoint and --network: one of them names the classifier; choose.")
    if flag == "checkpoint" or registry.checkpoint(asked.network):
        name_checks.checkpoint(asked.network, flag)
        networks.as_trained(asked.network, asked, _LABELS.value)
    else:
        name_checks.check(asked)
    engine = engine_flags.chosen(_ENGINE)
    found = pictures.found(_IMAGE.value)
    shared = common.start(_WORKDIR, _LABELS, _TOP, _CROP_BORDERS, _PRECISION, _REDUCED_JPEGS)
    if engine:
        from tfvis.experiments import classification_batches

        return classification_batches.run(asked, found, engine, **shared)
    from tfvis.experiments import classification

    return classification.run(asked, found, **shared)


if __name__ == "__main__":
    common.run(main, "classify")
