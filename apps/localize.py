"""Finds where in pictures the things are that a classifier names, as boxes.

    python -m apps.localize --checkpoint=instruments_vgg16 --image=PATH_OR_FOLDER

The classifier was told what is in pictures, never where. A map of what it looks at, cut at a
share of its maximum, leaves connected parts; the boxes are those around the largest. With
--ground_truth the boxes are measured against true ones. Writes to --workdir:

    boxes.csv         path,label,score,x0,y0,x1,y1: pixels of the original, ends exclusive
    NAME/boxes.png    the picture with its boxes (true ones green)
    NAME/map.png      the map they were cut from, 16 bits
    NAME/map_shown.png  the same without the grid of dots that strides give which do not divide
                      their kernels (conv1 of CaffeNet: 11 px, 4): what the sheet shows
    sheet.png         the first pictures and their maps
    manifest.json     arguments, versions, weights, boxes, measures
    tensorboard/      the first pictures, the measures

With --workers=N processes share the work on a folder of any size (0 is this one alone), with
--engine=ray the actors of a cluster. In place of the sheet and the folders they write, and go on
from,

    parts/            part-00000.parquet and so on: id, path, key, label, probability, boxes
    archives/         pictures-00000.tar and so on: KEY.boxes.png, KEY.map.png, the key of a.jpg
                      being a-jpg, as WebDataset reads them
    errors/           what could not be read, and why
    checksums/        SHA-256 of all

What is printed and drawn is the class's probability in the picture, as `classify` has it (with
several --scales, of the windows together). A score in boxes.csv ranks boxes: that probability
times the mean of the map in its part of the box, both 0 to 1. A picture in which the class
`none` is the likeliest has no boxes, whatever --class asks for; --ground_truth measures where its
classes' boxes would be all the same. Without --image, the demo photograph and a painting that
come along.
"""

from absl import flags

from .flags import classifier as classifier_flags
from .flags import common, name_checks, paths, pictures
from .flags import engine as engine_flags

_IMAGE = pictures.define_images()
_CHECKPOINT = classifier_flags.define_checkpoint("pacs_none_vgg16")
_CLASS = flags.DEFINE_string(
    "class", None, "The class to look for; left out, the likeliest of each picture."
)
_MAP = flags.DEFINE_enum(
    "map",
    "vbp",
    ["vbp", "class_vbp", "gradcam", "product"],
    "What boxes are cut from: the fourth root of VisualBackProp's mask, best on drawings and in "
    "one pass; the square root of the class-seeded one or the class's Grad-CAM, best on "
    "photographs and paintings and where a picture shows several classes; or the fourth root of "
    "the product of mask and Grad-CAM, between them on both.",
)
_THRESHOLD = flags.DEFINE_float(
    "threshold",
    None,
    "Share of the map's maximum above which it marks something; left out, 0.08 for vbp, 0.1 for "
    "class_vbp, 0.05 for gradcam, 0.04 for product.",
    lower_bound=0,
    upper_bound=0.99,
)
_BOXES = flags.DEFINE_integer("boxes", 1, "Boxes of a picture, at most.", 1, 100)
_SCALES = flags.DEFINE_list(
    "scales",
    ["1"],
    "At which sizes to look, separated by commas: 1 is the whole picture, 0.5 windows of half "
    "its shorter side, which show small things larger and take 9 looks or more.",
)
_GROUND_TRUTH = paths.define(
    "ground_truth", None, paths.file, "CSV of true boxes, path,label,x0,y0,x1,y1, to measure by."
)
_CROP_BORDERS = classifier_flags.define_crop_borders()
_ENGINE = engine_flags.define()
_WORKDIR = common.define_workdir("out/localize")
_PRECISION = common.define_precision()


def main():
    """Reads the flags and tables, then TensorFlow, then looks."""
    from tfvis.experiments import box_files, window_scales

    name_checks.checkpoint(_CHECKPOINT.value, wanted=_CLASS.value)
    scales = window_scales.parsed(_SCALES.value)
    engine = engine_flags.chosen(_ENGINE)
    found = pictures.found(_IMAGE.value)
    if _GROUND_TRUTH.value is not None:
        box_files.read(_GROUND_TRUTH.value, "ground_truth")
    shared = common.start(_WORKDIR, _PRECISION, _CROP_BORDERS, _THRESHOLD, _GROUND_TRUTH)
    from tfvis.experiments import localization

    return localization.run(
        _CHECKPOINT.value, found,
        scales=scales, of_class=_CLASS.value, kind=_MAP.value, most=_BOXES.value, engine=engine,
        **shared,
    )  # fmt: skip


if __name__ == "__main__":
    common.run(main, "localize")
