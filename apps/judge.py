"""Measures how right the maps of explainers are, on pictures with labels or boxes.

    python -m apps.judge --checkpoint=pacs_vgg16 --data=pictures --count=20

For VisualBackProp in three ways, the class-seeded one, Grad-CAM, their product, deconvnet,
guided backpropagation, saliency and SmoothGrad: does the class fall when what a map marks is
deleted (deletion, insertion: RISE; ROAD), does the map lie on the thing (grids of four pictures;
with boxes in --data the pointing game, energy, MaxBoxAccV2), is it another one for another class
(classes), and for a network that forgot what it learnt (sanity). Writes to --workdir:

    summary.csv           explainer, measure, mean, standard error, pictures
    results.csv           the same of each picture
    pairs.csv             of every two explainers the mean difference over the same pictures, its
                          95 % interval (Student's), p (Wilcoxon's, of one comparison), and
                          whether both say that they differ
    deletion_*.png, insertion_*.png    mean curves
    sheet.png             the first pictures and their maps; NAME/maps.png those of each
    manifest.json         arguments, versions, weights, all numbers, warnings
    tensorboard/          numbers, curves, the sheet

Takes pictures that the classifier did not learn from with --part=test, which is the part that
its training held out. With everything, on two cores, about four minutes a picture: 10 explainers, 4
curves of 57 looks each, 18 of ROAD, SmoothGrad's 50; --steps=14 --samples=12
--percentages=10,30,50,70,90 take a quarter. Stopped, the same command goes on where it was, with
a larger --count too, where no grids are measured.
"""

from absl import flags

from tfvis.errors import InputError

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
    "Which: vbp, vbp_per_layer, vbp_relu, class_vbp, gradcam, product, deconvnet, guided, "
    "saliency, smoothgrad; left out, all that the network can have.",
)
_METRICS = flags.DEFINE_list(
    "metrics",
    None,
    "What is measured: deletion, insertion, road, grid, boxes, classes, sanity; left out, all that "
    "the pictures allow.",
)
_STEPS = flags.DEFINE_integer(
    "steps", 56, "Steps of deletion and insertion; RISE has 224.", 2, 65536
)
_PERCENTAGES = flags.DEFINE_list(
    "percentages", "10,20,30,40,50,60,70,80,90", "Of the pixels that ROAD removes, as its authors."
)
_SAMPLES = flags.DEFINE_integer("samples", 50, "Noisy copies of SmoothGrad.", 1, 65536)
_STAGES = flags.DEFINE_integer(
    "stages", 3, "How many randomised networks the sanity check looks at.", 1, 64
)
_SEED = flags.DEFINE_integer("seed", 0, "Of the draws of pictures and grids.", 0)
_WORKDIR = common.define_workdir("out/judge")
_PRECISION = common.define_precision(
    "Arithmetic of the looks at changed pictures and of SmoothGrad; auto takes bfloat16 where the "
    "hardware computes it. All other maps are made in float32."
)


def main():
    """Reads the flags and the folders, then TensorFlow, then measures."""
    dataset = classifier_flags.read(_DATA, _CHECKPOINT.value)
    percentages = _numbers()
    shared = common.start(_WORKDIR, _PART, _COUNT, _STEPS, _STAGES, _SAMPLES, _SEED, _PRECISION)
    from tfvis.experiments import judging

    return judging.run(
        _CHECKPOINT.value,
        dataset,
        explainers=_EXPLAINERS.value,
        percentages=percentages,
        metrics=tuple(judging.METRICS if _METRICS.value is None else _METRICS.value),
        **shared,
    )


def _numbers() -> tuple[float, ...]:
    """Returns --percentages."""
    try:
        found = tuple(float(word) for word in _PERCENTAGES.value)
    except ValueError:
        found = ()
    if not found or not all(0 < one < 100 for one in found):
        raise InputError(
            f"--percentages={','.join(_PERCENTAGES.value)}: expected numbers above 0 to below 100."
        )
    return found


if __name__ == "__main__":
    common.run(main, "judge")
