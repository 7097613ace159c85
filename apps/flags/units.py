"""The flags of units, and of the names of classes."""

import re

from absl import flags

from tfvis.experiments import networks as experiment_networks
from tfvis.experiments.networks import Wanted
from tfvis.objectives.parsing import Unit, parse, wants_logits
from tfvis.words import words as split_words

from . import paths


def define_units() -> dict[str, flags.FlagHolder]:
    """Defines --units and --labels."""
    holders = (
        paths.define(
            "units",
            None,
            paths.each(paths.unit),
            "What to look at: layer:channel, layer:0-24, layer:7@3x5 (the neuron at row 3, "
            "column 5), logit:guitar or logit:402 (a class), layer:vector.npy (a direction), "
            "or a layer as a whole; separated by commas. Left out, some channels at several "
            "depths.",
        ),
        paths.define(
            "labels",
            None,
            paths.file,
            "File with the names of the classes: one per line, Caffe's synset_words.txt, or JSON; "
            "left out, a checkpoint's own, or ImageNet's where there are 1000 classes.",
        ),
    )
    return {holder.name: holder for holder in holders}


def chosen(built: dict, holders: dict[str, flags.FlagHolder], each: int) -> dict[str, list[Unit]]:
    """Returns the units of each network that the flags name.

    Args:
        built: networks by label.
        holders: what `define_units` returned.
        each: channels of each depth where --units is left out.

    Raises:
        InputError: see `parse`.
    """
    text, labels = holders["units"].value, holders["labels"].value
    return {
        label: parse(_at_depths(network, each) if text is None else text, network, labels)
        for label, network in built.items()
    }


def _at_depths(network, each: int) -> str:
    """Returns the first channels of the depths but the first, whose units are edges."""
    layers = experiment_networks.depths(network)
    layers = layers[1:] or layers
    counts = [min(each, network.channels_of(layer)) for layer in layers]
    return ",".join(f"{layer}:0-{n - 1}" for layer, n in zip(layers, counts, strict=True))


def networks(wanted: Wanted, unit_holders: dict) -> dict:
    """Builds the networks the flags describe, with classifiers where a unit is of one.

    Args, Raises:
        As `tfvis.experiments.networks.networks`; `unit_holders` is what `define_units` returned.
    """
    text = unit_holders["units"].value or ""
    words = split_words(text)
    # A number alone, or a range, belongs to the layer before it.
    layers = [re.sub(r":[^:]*$", "", word) for word in words if re.search("[A-Za-z]", word)]
    layers = [layer for layer in dict.fromkeys(layers) if layer not in ("logit", "logits")]
    return experiment_networks.networks(wanted, wants_logits(text), layers)
