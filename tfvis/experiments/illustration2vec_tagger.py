"""The networks of Illustration2Vec as they look at pictures, and the tags that are shown of one."""

import dataclasses
import pathlib
from collections.abc import Callable, Iterable, Iterator, Sequence

import numpy as np
import scipy.special
import tensorflow as tf

from tfvis import files, tables
from tfvis.errors import InputError, arg, marked
from tfvis.experiments import networks
from tfvis.experiments.tagging_settings import Tagging
from tfvis.networks import illustration2vec_tags as tagging
from tfvis.networks import network as builder
from tfvis.networks.network import Network
from tfvis.networks.preprocessing import published_recipes
from tfvis.report import manifest

COLUMNS = ("path", "kind", "rank", "tag", "confidence")
# The first layers behind the trunk.
_ENDS = ("conv6_4", "encode1")


@dataclasses.dataclass(frozen=True, eq=False)
class Tagger:
    """Who tags, and what of it is shown.

    Attributes:
        network: that looks.
        fingerprint: of what is shown.
        tags: from pixels, float32 [height, width, 3], 0..255, to the tags that are shown.
    """

    network: Network
    fingerprint: dict[str, object]
    tags: Callable[[np.ndarray], tagging.Found]


def opened(weights: str, settings: Tagging, precision: str) -> Tagger:
    """Returns who tags.

    Args:
        weights: of the network: a file, or "random".
        settings: the file of tags, and which of them are shown.
        precision: of the network.

    Raises:
        InputError: tags, thresholds or weights that do not fit.
    """
    names = tagging.read(settings.tags)
    if settings.thresholds is not None:
        least = tagging.read_thresholds(settings.thresholds, settings.rule or "f1")
    else:
        least = tagging.THRESHOLD if settings.threshold is None else settings.threshold
    network = build("illustration2vec", weights)
    look = looking(network, ("pool6",), precision)

    def tags(pixels: np.ndarray) -> tagging.Found:
        # The sigmoid in float32: in bfloat16, certainty has three digits.
        confidences = scipy.special.expit(look(pixels)["pool6"].reshape(-1))
        return tagging.plausible(confidences, names, least, settings.top)

    shown = {"tags": manifest.key(tags=names), "least": manifest.key(least=least)}
    return Tagger(network, {**shown, "top": settings.top, "precision": precision}, tags)


def plain(weights: str, settings: Tagging, precision: str) -> dict:
    """Returns arguments of `opened` of JSON's types, files by their whole paths."""

    def whole(path: str | None) -> str | None:
        return path and str(files.located(path).absolute())

    paths = {name: whole(getattr(settings, name)) for name in ("tags", "thresholds")}
    return {
        "weights": weights if weights == "random" else whole(weights), "precision": precision,
        "settings": dataclasses.asdict(settings) | paths,
    }  # fmt: skip


def of_plain(given: dict) -> Tagger:
    """Returns `opened` of what `plain` made of its arguments."""
    return opened(given["weights"], Tagging(**given["settings"]), given["precision"])


def build(name: str, weights: str) -> Network:
    """Returns a network of Illustration2Vec; says what should be known of its weights."""
    try:
        network = builder.build(name, weights=weights, top=True)
    except InputError as error:
        # Both files have the same trunk: the end tells that it is the other one.
        if any(f"layer {end}" in str(error) for end in _ENDS):
            raise InputError(
                f"{marked(error)} {arg('features')} takes the vectors' weights, tags theirs."
            ) from error
        # A whole model is what people have trained themselves.
        if weights.endswith((".keras", ".h5")) or "no weights for layer" in str(error):
            raise InputError(
                f"{marked(error)} Expected weights of Illustration2Vec; of another network, "
                "classify tells the classes and features the vectors."
            ) from error
        raise
    networks.say_notes(network)
    return network


def looking(
    network: Network, layers: Sequence[str], precision: str
) -> Callable[[np.ndarray], dict[str, np.ndarray]]:
    """Returns the function from a picture to what `layers` say of it."""
    taps = network.taps(layers, precision)
    run = tf.function(lambda framed: taps(framed), autograph=False)
    recipe = published_recipes.named("illustration2vec")

    def look(pixels: np.ndarray) -> dict[str, np.ndarray]:
        framed = recipe.framed(pixels[None])
        return {layer: seen.numpy() for layer, seen in run(framed).items()}

    return look


def write(path: pathlib.Path, results: Iterable[tuple[str, tagging.Found]]) -> None:
    """Writes tags.csv, whole or not at all.

    Args:
        path: of the table.
        results: (path, tags) of each picture.
    """
    tables.write(path, COLUMNS, _rows(results))


def _rows(results: Iterable[tuple[str, tagging.Found]]) -> Iterator[tuple]:
    for path, found in results:
        for kind, tags in found.items():
            for rank, (name, confidence) in enumerate(tags, 1):
                yield path, kind, rank, name, f"{confidence:.6f}"
