"""Measures how right the maps of explainers are, on pictures with labels or boxes.

    python -m apps.judge --checkpoint=pacs_vgg16 --data=pictures --count=20

For VisualBackProp, the class-seeded one, Grad-CAM, their product, deconvnet, guided
backpropagation, saliency and SmoothGrad: does the class fall when what a map marks is deleted
(deletion, insertion: RISE; ROAD), does the map lie on the thing (grids of four pictures; with
boxes in --data the pointing game, energy, MaxBoxAccV2), is it another one for another class
(classes), and for a network that forgot what it learnt (sanity). Writes to --workdir:

    summary.csv           explainer, measure, mean, standard error, pictures
    results.csv           the same of each picture
    deletion_*.png, insertion_*.png    mean curves
    sheet.png             the first pictures and their maps; NAME/maps.png those of each
    manifest.json         arguments, versions, weights, all numbers, warnings
    tensorboard/          numbers, curves, the sheet

With everything, on two cores, some minutes a picture: 9 explainers, 4 curves of 57 looks each,
18 of ROAD, SmoothGrad's 50. Stopped, the same command goes on where it was.
"""

from absl import flags

from .flags import classifier as classifier_flags
from .flags import common

_CHECKPOINT = classifier_flags.define_checkpoint()
_DATA = classifier_flags.define_data(
    "Folders with a folder per class, or CSV files, whose boxes are the true ones; separated by "
    "commas."
)
_PART = classifier_flags.define_part()
_COUNT = flags.DEFINE_integer(
    "count", 20, "How many pictures, of all classes alike; none are taken of the class none.", 1
)
_EXPLAINERS = flags.DEFINE_list(
    "explainers",
    None,
    "Which: vbp, vbp_per_layer, class_vbp, gradcam, product, deconvnet, guided, saliency, "
    "smoothgrad; left out, all.",
)
_METRICS = flags.DEFINE_list(
    "metrics",
    None,
    "What is measured: deletion, insertion, road, grid, boxes, classes, sanity; left out, all.",
)
_STEPS = flags.DEFINE_integer(
    "steps", 56, "Steps of deletion and insertion; RISE has 224.", 2, 65536
)
_STAGES = flags.DEFINE_integer(
    "stages", 3, "How many randomised networks the sanity check looks at.", 1, 64
)
_SEED = flags.DEFINE_integer("seed", 0, "Of the draws of pictures and grids.", 0)
_WORKDIR = common.define_workdir("out/judge")


def main():
    """Reads the flags and the folders, then TensorFlow, then measures."""
    dataset = classifier_flags.read(_DATA, _CHECKPOINT.value)
    shared = common.start(_WORKDIR, _PART, _COUNT, _STEPS, _STAGES, _SEED)
    from tfvis.attention import explainers
    from tfvis.experiments import judging

    return judging.run(
        _CHECKPOINT.value,
        dataset,
        explainers=tuple(explainers.KINDS if _EXPLAINERS.value is None else _EXPLAINERS.value),
        metrics=tuple(judging.METRICS if _METRICS.value is None else _METRICS.value),
        **shared,
    )


if __name__ == "__main__":
    common.run(main, "judge")
