"""Names what pictures show.

    python -m apps.classify --checkpoint=pacs_vgg16 --image=PATH_OR_FOLDER --top=3
    python -m apps.classify --network=vgg_cnn_s --weights=VGG_CNN_S.caffemodel --image=PATH

Prints the likeliest classes of each picture: of a classifier trained here, which is shown the
whole picture squeezed into its square; or of any network that ends in one, which is shown the
centre, as networks of its kind learnt (the shortest side to 256 px, 224 of them cut out).
Writes to --workdir:

    predictions.csv    path, rank, label, probability
    sheet.png          the pictures and their likeliest classes
    manifest.json      arguments, versions, weights, the probabilities

Without --image, the demo photograph and a painting that come along.
"""

from absl import flags

from tfvis.errors import InputError
from tfvis.experiments import networks

from .flags import classifier as classifier_flags
from .flags import common, name_checks, paths, pictures
from .flags import networks as network_flags

_IMAGE = pictures.define_images()
_CHECKPOINT = classifier_flags.define_checkpoint("pacs_vgg16")
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
_WORKDIR = common.define_workdir("out/classify")
_PRECISION = common.define_precision()


def main() -> None:
    """Reads the flags, then TensorFlow, then looks."""
    from tfvis.experiments import folders

    flag, name = _checkpoint()
    if name:
        name_checks.checkpoint(name, flag)
    else:
        name_checks.check(_NETWORK())
    found = folders.find(_IMAGE.value, "image") if _IMAGE.value is not None else None
    workdir = common.workdir(_WORKDIR.value)
    common.start_tensorflow()
    from tfvis.experiments import classification, classifying_networks, devices

    precision = devices.precision(_PRECISION.value)
    if name:
        classifier = classifying_networks.of_checkpoint(name, precision, _CROP_BORDERS.value, flag)
    else:
        classifier = classifying_networks.of_network(
            _NETWORK(), _LABELS.value, precision, bool(_CROP_BORDERS.value)
        )
    done = classification.run(
        classifier, found, workdir=workdir, top=_TOP.value, arguments=common.arguments()
    )
    common.tell_all(done.lines, done.sheet)


def _checkpoint() -> tuple[str, str | None]:
    """Returns the flag that names the classifier, and the checkpoint's name if it is one.

    Raises:
        InputError: two are named, or flags of a network come with a checkpoint.
    """
    from tfvis.networks import registry

    wanted = _NETWORK()
    if not flags.FLAGS["network"].present:
        networks.as_trained(_CHECKPOINT.value, wanted, _LABELS.value)
        return "checkpoint", _CHECKPOINT.value
    if _CHECKPOINT.present:
        raise InputError("--checkpoint and --network: one of them names the classifier; choose.")
    if not registry.checkpoint(wanted.network):
        return "network", None
    networks.as_trained(wanted.network, wanted, _LABELS.value)
    return "network", wanted.network


def run() -> None:
    """The app's entry point."""
    common.run(main, "classify")


if __name__ == "__main__":
    run()
