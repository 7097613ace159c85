"""The flags of networks and layers."""

from collections.abc import Callable

from absl import flags

from tfvis.experiments.networks import Wanted
from tfvis.words import split

from . import fields, paths

CHECKS = {"network": paths.each(paths.network), "weights": paths.each(paths.weights)}


def define_ends() -> tuple[flags.FlagHolder, ...]:
    """Defines --stage and --until, which say how much of a Caffe network is wanted."""
    return tuple(fields.define(Wanted, ("stage", "until")).values())


def define_network(**defaults: str) -> Callable[[], Wanted]:
    """Defines --network, --weights, --pooling, --activation, --preprocessing, --output, --stage,
    --until.

    Args:
        **defaults: the app's, where they are not those of `Wanted`.

    Returns:
        What gives the networks the flags describe, once they are parsed.
    """
    names = ("network", "weights", "pooling", "activation", "preprocessing", "output")
    holders = fields.define(Wanted, (*names, "stage", "until"), CHECKS, **defaults)
    return lambda: fields.values(Wanted, holders, stage=tuple(holders["stage"].value))


def define_second(shown: str) -> flags.FlagHolder:
    """Defines --second_network.

    Args:
        shown: what it is asked about.
    """
    return paths.define(
        "second_network",
        None,
        paths.network,
        f"A classifier that says what it sees in {shown}, such as pacs_vgg16 or a .keras file.",
    )


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
