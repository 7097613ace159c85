"""Tags drawings, with the networks of Illustration2Vec.

    python -m apps.tag --weights=illust2vec_tag_ver200.caffemodel --tags=tag_list.json \\
        --image=PATH_OR_FOLDER

Prints each picture's tags by kind (general, character, copyright, rating) and how sure they
are. Writes to --workdir:

    tags.csv           path, kind, rank, tag, confidence
    sheet.png          the pictures and their tags
    manifest.json      arguments, versions, weights, the tags

With --workers=N processes share the work on a folder of any size (0 is this one alone), with
--engine=ray the actors of a cluster; in place of the sheet they write, and go on from,

    parts/             part-00000.parquet and so on: id, path, kinds, tags, confidences
    errors/            id, path, reason, detail of what could not be read
    checksums/         SHA-256 of both

    python -m apps.tag --features --weights=illust2vec_ver200.caffemodel --image=FOLDER

describes instead, so that pictures can be compared. Writes to --workdir:

    features.npy       float32 [pictures, 4096]: encode1, before its sigmoid
    binary.npy         uint8 [pictures, 512]: a bit for each of them above 0, first bits high
    features.csv       row, path: which row of both is which picture
    manifest.json      arguments, versions, weights

Pictures are squeezed into a square, as the networks learnt them; what is transparent is white.
Without --image, the demo photograph and a painting that come along.
"""

from absl import flags

from tfvis.errors import InputError
from tfvis.experiments.tagging_settings import Tagging

from .flags import common, fields, paths, pictures
from .flags import engine as engine_flags

_IMAGE = pictures.define_images()
_WEIGHTS = paths.define(
    "weights",
    None,
    paths.weights,
    "illust2vec_tag_ver200.caffemodel, or with --features illust2vec_ver200.caffemodel; the same "
    "as .onnx, .npz; or random, to see that it runs.",
    required=True,
)
_FEATURES = flags.DEFINE_bool("features", False, "Write vectors in place of tags.")
_TAGGING = fields.define(
    Tagging,
    ("tags", "threshold", "thresholds", "rule", "top"),
    {"tags": paths.file, "thresholds": paths.file},
)
_ENGINE = engine_flags.define()
_WORKDIR = common.define_workdir("out/tag")
_PRECISION = common.define_precision()


def main():
    """Reads the flags, then TensorFlow, then looks."""
    settings = fields.values(Tagging, _TAGGING)
    settings.check(_FEATURES.value)
    engine = engine_flags.chosen(_ENGINE)
    if engine and _FEATURES.value:
        raise InputError(
            "--features: writes whole arrays, which are not made in shards. Leave out --workers "
            "and --engine; or run features --network=illustration2vec_features --layer=encode1 "
            "--crop=none."
        )
    found = pictures.found(_IMAGE.value)
    shared = common.start(_WORKDIR, _PRECISION)
    from tfvis.experiments import tagging

    if _FEATURES.value:
        return tagging.describe(_WEIGHTS.value, found, **shared)
    return tagging.tag(_WEIGHTS.value, found, settings, engine=engine, **shared)


if __name__ == "__main__":
    common.run(main, "tag")
