"""Tags drawings, with the networks of Illustration2Vec.

    python -m apps.tag --weights=illust2vec_tag_ver200.caffemodel --tags=tag_list.json \\
        --image=PATH_OR_FOLDER

Prints each picture's tags by kind (general, character, copyright, rating) and how sure they
are. Writes to --workdir:

    tags.csv           path, kind, rank, tag, confidence
    sheet.png          the pictures and their tags
    manifest.json      arguments, versions, weights, the tags

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

from .flags import common, paths, pictures

_IMAGE = pictures.define_images()
_WEIGHTS = paths.define(
    "weights",
    None,
    paths.weights,
    "illust2vec_tag_ver200.caffemodel, or with --features illust2vec_ver200.caffemodel; the same "
    "as .onnx, .npz; or random, to see that it runs.",
    required=True,
)
_TAGS = paths.define(
    "tags",
    None,
    paths.file,
    "tag_list.json, or tag_list.json.gz as released: the names of the tags.",
)
_FEATURES = flags.DEFINE_bool("features", False, "Write vectors in place of tags.")
_THRESHOLD = flags.DEFINE_float(
    "threshold",
    None,
    "Show the tags more certain than this; left out, 0.25 as in the released code. Ratings are "
    "always shown.",
    lower_bound=0,
    upper_bound=1,
)
_THRESHOLDS = paths.define(
    "thresholds",
    None,
    paths.file,
    "A .npz file with a threshold for each tag, in place of --threshold.",
)
_RULE = flags.DEFINE_enum(
    "rule",
    "f1",
    ["f0.5", "f1", "f2"],
    "Which of the thresholds in --thresholds: f0.5 misses more, f2 claims more.",
)
_TOP = flags.DEFINE_integer("top", 10, "At most so many tags of each kind.", 1, 512)
_WORKDIR = common.define_workdir("out/tag")
_PRECISION = common.define_precision()


def main() -> None:
    """Reads the flags, then TensorFlow, then looks."""
    from tfvis.experiments import folders

    _check()
    found = folders.find(_IMAGE.value, "image") if _IMAGE.value is not None else None
    workdir = common.workdir(_WORKDIR.value)
    common.start_tensorflow()
    from tfvis.experiments import devices, tagging

    arguments = common.arguments()
    if _FEATURES.value:
        # Vectors are kept and compared, also with those of other machines.
        precision = "float32" if _PRECISION.value == "auto" else _PRECISION.value
        lines = tagging.describe(
            _WEIGHTS.value, found, workdir=workdir, precision=precision, arguments=arguments
        )
    else:
        lines = tagging.tag(
            _WEIGHTS.value,
            found,
            _TAGS.value,
            workdir=workdir,
            threshold=_THRESHOLD.value,
            thresholds=_THRESHOLDS.value,
            rule=_RULE.value,
            top=_TOP.value,
            precision=devices.precision(_PRECISION.value),
            arguments=arguments,
        )
    common.tell_all(lines)


def _check() -> None:
    """Raises InputError where flags contradict each other."""
    if _FEATURES.value:
        for holder in (_TAGS, _THRESHOLD, _THRESHOLDS):
            if holder.value is not None:
                raise InputError(f"--{holder.name}: --features writes no tags; leave one out.")
    elif _TAGS.value is None:
        raise InputError("--tags: name the list of tags (tag_list.json of the release).")
    if _THRESHOLDS.value is None and _RULE.present:
        raise InputError(f"--rule={_RULE.value}: chooses among --thresholds; name that file.")
    if _THRESHOLDS.value is not None and _THRESHOLD.value is not None:
        raise InputError("--threshold: --thresholds has one for each tag; leave one out.")


def run() -> None:
    """The app's entry point."""
    common.run(main, "tag")


if __name__ == "__main__":
    run()
