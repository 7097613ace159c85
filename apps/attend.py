"""Shows where a network looks in pictures, and where it sees a class.

    python -m apps.attend --image=PATH_OR_FOLDER --network=pacs_vgg16

VisualBackProp (Bojarski 2018) marks what the network reacts to, Grad-CAM (Selvaraju 2017)
where it sees a class, their product what of that class it reacts to. Writes to --workdir:

    sheet.png             the first pictures: mask, overlay, class maps; the mask and what is made
                          of it to the power 1/4, class-seeded 1/2, so that faint things show
    NAME/mask.png         VisualBackProp's mask, 16 bits, pixel for pixel of the picture
    NAME/mask_shown.png   the mask without the grid of dots that strides give which do not divide
                          their kernels (conv1 of CaffeNet: 11 px, 4); all pictures are made of it
    NAME/overlay.png      the picture, reddened by the mask's fourth root
    NAME/gradcam.png      the picture under the class map's colours
    NAME/product.png      under those of the product's fourth root
    NAME/class_vbp.png    and of class-seeded VisualBackProp's square root (of a transformer,
                          whose places are no maps but tokens, only gradcam.png)
    NAME/steps.png        with --steps, the masks layer by layer
    manifest.json         arguments, versions, weights, classes, digests of the files
    tensorboard/          the first pictures

With --workers=N processes share the work on a folder of any size (0 is this one alone), with
--engine=ray the actors of a cluster. In place of the sheet and the folders they write, and go on
from,

    parts/                part-00000.parquet and so on: id, path, key, class, answers
    archives/             pictures-00000.tar and so on: KEY.mask.png and so on, the key of a.jpg
                          being a-jpg, as WebDataset reads them
    errors/, checksums/   what could not be read, and why; SHA-256 of all

Without --image, the demo photograph and a painting that come along.
"""

from absl import flags

from .flags import classifier as classifier_flags
from .flags import common, name_checks, pictures
from .flags import engine as engine_flags
from .flags import networks as network_flags

_IMAGE = pictures.define_images()
_NETWORK = network_flags.define_network(network="pacs_vgg16")
flags.FLAGS["network"].help = (
    "A classifier (the workdir of a training, or the name of one that comes along: pacs_vgg16, "
    "instruments_vgg16), vgg16 or any other keras.applications network, or a .keras file."
)
_CLASS = flags.DEFINE_string(
    "class", None, "The class whose map is shown; left out, the likeliest of each picture."
)
_SIZE = flags.DEFINE_integer(
    "size",
    None,
    "What pictures are resized to for the network: the side of a square for a classifier, "
    "default its own; for other networks the shorter side, default 224.",
    lower_bound=8,
    upper_bound=4096,
)
_PER_LAYER = flags.DEFINE_bool(
    "per_layer", False, "Stretch each layer's average to 0..1 before it is multiplied."
)
_LAYERS = flags.DEFINE_list(
    "layers",
    None,
    "Layers whose averages VisualBackProp multiplies, each on every path to the last of them, or "
    "relu, all that a ReLU puts out; left out, those and the poolings.",
)
_CAM_LAYER = flags.DEFINE_string(
    "cam_layer", None, "The layer whose map Grad-CAM weights; left out, the last that has places."
)
_STEPS = flags.DEFINE_bool("steps", False, "Also show the masks layer by layer.")
_CROP_BORDERS = classifier_flags.define_crop_borders()
_ENGINE = engine_flags.define()
_WORKDIR = common.define_workdir("out/attend")
_PRECISION = common.define_precision()


def main():
    """Reads the flags, then TensorFlow, then looks."""
    named = [] if _LAYERS.value == ["relu"] else _LAYERS.value or []
    layers = {_CAM_LAYER.name: _CAM_LAYER.value, _LAYERS.name: ",".join(named)}
    name_checks.check(_NETWORK(), wanted=_CLASS.value, layers=layers)
    engine = engine_flags.chosen(_ENGINE)
    found = pictures.found(_IMAGE.value)
    shared = common.start(
        _WORKDIR, _PRECISION, _SIZE, _STEPS, _PER_LAYER, _CAM_LAYER, _CROP_BORDERS
    )
    from tfvis.experiments import attention

    return attention.run(
        _NETWORK(), found,
        of_class=_CLASS.value, layers=_LAYERS.value, engine=engine, **shared,
    )  # fmt: skip


if __name__ == "__main__":
    common.run(main, "attend")
