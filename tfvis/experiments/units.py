"""The units an experiment is about, as a person names them."""

import re
from collections.abc import Mapping, Sequence

from tfvis.experiments import networks
from tfvis.objectives.parsing import Unit, parse, wants_logits
from tfvis.words import words

Named = str | Mapping[str, Sequence[Unit]]


def built(wanted, text: Named | None) -> dict:
    """Returns networks as `networks.given`, with classifiers where a unit is of one.

    Args, Raises:
        As `networks.given`; `text` names units, None leaves them out. Units that are given as
        such are of networks that are, too.
    """
    if isinstance(text, Mapping):
        return networks.given(wanted)
    named = words(text or "")
    # A number alone, or a range, belongs to the layer before it.
    layers = [re.sub(r":[^:]*$", "", word) for word in named if re.search("[A-Za-z]", word)]
    layers = [layer for layer in dict.fromkeys(layers) if layer not in ("logit", "logits")]
    return networks.given(wanted, layers, top=wants_logits(text or ""))


def chosen(found: dict, text: Named | None, labels: str | None, each: int) -> dict[str, list[Unit]]:
    """Returns the units of each network.

    Args:
        found: networks by label.
        text: units as `parse` takes them, or of each network; None is some channels at several
            depths.
        labels: file with the names of classes, or None.
        each: channels of each depth where `text` is None.

    Raises:
        InputError: see `parse`.
    """
    if isinstance(text, Mapping):
        return {label: list(text[label]) for label in found}
    return {
        label: parse(_at_depths(network, each) if text is None else text, network, labels)
        for label, network in found.items()
    }


def _at_depths(network, each: int) -> str:
    """Returns the first channels of the depths but the first, whose units are edges."""
    layers = networks.depths(network)
    layers = layers[1:] or layers
    counts = [min(each, network.channels_of(layer)) for layer in layers]
    return ",".join(f"{layer}:0-{n - 1}" for layer, n in zip(layers, counts, strict=True))
