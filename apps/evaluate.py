"""Tries a classifier on labelled pictures, or its boxes on pictures with true ones.

    python -m apps.evaluate --checkpoint=pacs_vgg16 --data=paintings

Prints the accuracy over all, per source and per class. Writes to --workdir:

    predictions.csv                path, rank, label, probability: all classes, surest first
    confusion.png, mistakes.png    what is taken for what; the surest mistakes
    manifest.json                  arguments, versions, weights, measures
    tensorboard/                   the two pictures

    python -m apps.evaluate --checkpoint=instruments_vgg16 --boxes=boxes.csv --maps=vbp,product

Boxes cut from maps, as `localize` draws them, are held beside those of a table: path,label,x0,y0,
x1,y1; MINERVA's or IconArt's as they are published; or a folder of PASCAL VOC's XML files or a .txt
list of them, as IconArt and PeopleArt have. Prints GT-known, CorLoc and average precision at IoU
0.1, 0.3 and 0.5 (VOC 2007's of 11 points and VOC 2010's of all), MaxBoxAcc and MaxBoxAccV2, and
how many boxes pictures without objects get. A map is cut at the share of its maximum that is best
in the half of the pictures (by a hash of the files) which it is not in. Some seconds a picture.
Writes:

    measures.csv        map, measure, class, iou, value, of
    pictures.csv        per picture and class in it: half, cut, answer, IoU of the box
    boxes-MAP.csv       path,label,score,x0,y0,x1,y1: all boxes that are ranked
    NAME/               the maps they were cut from, 16 bits
    sheet.png           some of the pictures, true boxes green
    manifest.json, tensorboard/
"""

from absl import flags

from tfvis.errors import InputError

from .flags import classifier as classifier_flags
from .flags import common, paths

_CHECKPOINT = classifier_flags.define_checkpoint()
_DATA = classifier_flags.define_data(
    "Folders with a folder per class, or CSV files; separated by commas. With --boxes: the folder "
    "its pictures are in; left out, the table's own, or VOC's JPEGImages.",
    required=False,
)
_PART = classifier_flags.define_part()
_BOXES = paths.define(
    "boxes", None, paths.file_or_folder, "Table, list or folder of true boxes to measure by."
)
_MAPS = flags.DEFINE_list(
    "maps",
    ["vbp"],
    "With --boxes: what boxes are cut from: vbp, class_vbp, gradcam, product, as `localize --map`.",
)
_THRESHOLD = flags.DEFINE_float(
    "threshold",
    None,
    "With --boxes: share of a map's maximum above which it marks something; left out, chosen on "
    "the other half of the pictures.",
    lower_bound=0,
    upper_bound=0.99,
)
_SCALES = flags.DEFINE_list(
    "scales", ["1"], "With --boxes: at which sizes to look, as `localize --scales`."
)
_CROP_BORDERS = classifier_flags.define_crop_borders()
_WORKDIR = common.define_workdir("out/evaluate")
_PRECISION = common.define_precision()


def main():
    """Reads the flags and the folders, then TensorFlow, then looks."""
    if _BOXES.value is not None:
        return _boxes()
    if _DATA.value is None:
        raise InputError("--data: name labelled pictures, or true boxes with --boxes.")
    dataset = classifier_flags.read(_DATA, _CHECKPOINT.value)
    shared = common.start(_WORKDIR, _PART, _CROP_BORDERS, _PRECISION)
    from tfvis.experiments import evaluation

    return evaluation.run(_CHECKPOINT.value, dataset, **shared)


def _boxes():
    """Measures boxes."""
    from tfvis.experiments import box_tables, window_scales

    if _PART.value != "all":
        raise InputError("--part: tables of boxes have no parts. Name one of the pictures meant.")
    window_scales.parsed(_SCALES.value)
    box_tables.read(_BOXES.value, "boxes", _DATA.value)
    shared = common.start(_WORKDIR, _MAPS, _THRESHOLD, _SCALES, _CROP_BORDERS, _PRECISION)
    from tfvis.experiments import box_evaluation

    return box_evaluation.run(_CHECKPOINT.value, _BOXES.value, pictures=_DATA.value, **shared)


if __name__ == "__main__":
    common.run(main, "evaluate")
