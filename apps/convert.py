"""Makes one .keras file of a Caffe network.

    python -m apps.convert --prototxt=deploy.prototxt --caffemodel=net.caffemodel \\
        --mean=mean.binaryproto --output=net.keras
    python -m apps.convert --network=vgg_cnn_s --caffemodel=VGG_CNN_S.caffemodel \\
        --end_to_end --output=vgg_cnn_s.keras
    python -m apps.convert --fast=out/train_style --output=painter.onnx

Every app takes the file as --network=net.keras and finds in it what pictures must become, so
that --preprocessing stays auto. With --end_to_end the file takes pictures of any size as they
come from a file, and answers; keras.models.load_model opens it wherever tfvis.networks.network
is imported. With --fast it writes a network of apps.train_style as ONNX, or as LiteRT (.tflite),
for pictures of any size, and checks that it paints the same.
"""

from absl import flags

from tfvis.errors import InputError

from .flags import common, paths
from .flags import networks as network_flags

_PROTOTXT = paths.define("prototxt", None, paths.file, "The layers: a deploy.prototxt.")
_NETWORK = paths.define(
    "network",
    None,
    paths.network,
    "A network whose layers are known, in place of --prototxt: vgg_cnn_s, vgg_cnn_m, vgg_cnn_f, "
    "caffenet, alexnet, illustration2vec, illustration2vec_features; or a checkpoint.",
)
_CAFFEMODEL = paths.define(
    "caffemodel",
    None,
    paths.weights,
    "The weights: .caffemodel, or .onnx, .npz; random, to see the layers only. Left out, the "
    "file of the prototxt's name beside it, or of a network's name in the cache.",
)
_MEAN = paths.define(
    "mean",
    None,
    paths.file,
    "What to subtract: .binaryproto, or .npy (3, height, width) or (3,) in blue, green, red; "
    "left out, the network's mean pixel, of one unknown that of ImageNet.",
)
_PREPROCESSING = flags.DEFINE_string(
    "preprocessing",
    "auto",
    "What pictures must become, where it is not caffe (BGR minus mean): ilsvrc, "
    "illustration2vec, tf, torch, unit, none; auto knows named networks.",
)
_FAST = flags.DEFINE_string(
    "fast", None, "In place of a network that looks, one that paints: a checkpoint of train_style."
)
_TRUNK = flags.DEFINE_bool(
    "trunk", False, "Without its classifier, so that it takes pictures of any size."
)
_STAGE, _UNTIL = network_flags.define_ends()
_END_TO_END = flags.DEFINE_bool("end_to_end", False, "Put the preprocessing in as layers.")
_OUTPUT = paths.define(
    "output",
    None,
    paths.written,
    "The file to write, NAME.keras; with --fast NAME.onnx or NAME.tflite.",
)
_WORKDIR = paths.define(
    "workdir", None, paths.made, "In place of --output, a folder: the file there has its own name."
)


def main():
    """Reads the flags, then TensorFlow, then converts."""
    from tfvis.experiments import converted_file
    from tfvis.networks import registry

    if _FAST.value is not None:
        return _fast()
    if (_PROTOTXT.value is None) == (_NETWORK.value is None):
        raise InputError("--prototxt: name one, or a known network with --network, not both.")
    if _PROTOTXT.value is not None and not _PROTOTXT.value.endswith(".prototxt"):
        raise InputError(f"--prototxt={_PROTOTXT.value}: expected a name that ends in .prototxt.")
    name = _PROTOTXT.value or _NETWORK.value
    registry.check(name)
    converted_file.path(name, _OUTPUT.value, _WORKDIR.value)
    common.start_tensorflow()
    from tfvis.experiments import conversion

    return conversion.run(
        name,
        _OUTPUT.value,
        weights=_CAFFEMODEL.value,
        **common.named(_WORKDIR, _MEAN, _PREPROCESSING, _TRUNK, _END_TO_END, _STAGE, _UNTIL),
    )


def _fast():
    """Writes a network that paints."""
    from tfvis.experiments import converted_file
    from tfvis.style.fast import checkpoint_files

    for flag in common.own_flags():
        if flag.present and flag.name not in ("fast", "output"):
            raise InputError(f"--{flag.name}: is of networks that look; leave it out with --fast.")
    checkpoint_files.named(_FAST.value)
    converted_file.of_painter(_OUTPUT.value)
    common.start_tensorflow()
    from tfvis.experiments import fast_style_export

    return fast_style_export.run(_FAST.value, _OUTPUT.value)


if __name__ == "__main__":
    common.run(main, "convert")
