"""Who names pictures: a checkpoint, or any network that ends in a classifier."""

import contextlib
import dataclasses
from collections.abc import Callable, Iterator, Sequence

import numpy as np
import tensorflow as tf

from tfvis import images, read_ahead
from tfvis.classifiers import borders, datasets, example_images
from tfvis.errors import InputError, arg
from tfvis.experiments import classifier_answers, labelled_pictures, networks
from tfvis.networks import labels, registry
from tfvis.networks.network import Network
from tfvis.networks.preprocessing import layers, published_recipes, steps_from_file

# Side of a picture on the sheet.
_THUMBNAIL = 224
_SQUEEZED = published_recipes.Recipe(_THUMBNAIL, _THUMBNAIL, aspect=False)
Read = np.ndarray | InputError


@dataclasses.dataclass(frozen=True, eq=False)
class ImageClassifier:
    """A classifier and the way it is shown pictures.

    Attributes:
        name: of the checkpoint or network.
        network: whole.
        classes: names, no two alike, in the order of the probabilities.
        reads: from paths to (number, the picture as the network takes it, or why not).
        answer: from these, float32 [batch, height, width, 3], to probabilities [batch, classes].
        probable: whether they are; else scores of what may be no classes.
        seen: from a path to what of the picture is looked at, float32 [height, width, 3].
    """

    name: str
    network: Network
    classes: tuple[str, ...]
    reads: Callable[[Sequence[str]], Iterator[tuple[int, Read]]]
    answer: Callable[[tf.Tensor], tf.Tensor]
    seen: Callable[[str], np.ndarray]
    probable: bool = True


def opened(
    wanted: networks.Wanted,
    names: str | None,
    precision: str,
    crop_borders: bool | None,
    reduced_jpegs: bool = False,
) -> ImageClassifier:
    """Returns a classifier: `of_checkpoint` where its name is that of one, else `of_network`.

    Args, Raises:
        As these.
    """
    if registry.checkpoint(wanted.network):
        networks.as_trained(wanted.network, wanted, names)
        return of_checkpoint(wanted.network, precision, crop_borders, reduced=reduced_jpegs)
    return of_network(wanted, names, precision, bool(crop_borders), reduced_jpegs)


def of_checkpoint(
    name: str,
    precision: str,
    crop_borders: bool | None,
    argument: str = "checkpoint",
    reduced: bool = False,
) -> ImageClassifier:
    """Returns a trained classifier; the whole picture is squeezed, as it learnt them.

    Args:
        name: folder or name.
        precision: of the arithmetic.
        crop_borders: whether charts and rulers are taken off first; None is as in training.
        argument: that named it, for messages.
        reduced: whether JPEGs may be decoded at a fraction of their size, see `example_images`.

    Raises:
        InputError: as `checkpoints.load`; `reduced`, where borders are looked for.
    """
    classifier = networks.classifier(name, argument)
    cut = labelled_pictures.crop_borders(classifier, crop_borders)
    _check_reduced(reduced, cut)
    return ImageClassifier(
        classifier.name,
        classifier.network,
        classifier.classes,
        reads=lambda paths: example_images.load_all(
            map(_example, paths), classifier.size, cut, reduced=reduced
        ),
        answer=lambda batch: classifier.probabilities(batch, precision),
        seen=lambda path: example_images.load(_example(path), _THUMBNAIL, cut),
    )


def of_network(
    wanted: networks.Wanted,
    names: str | None,
    precision: str,
    crop_borders: bool,
    reduced: bool = False,
) -> ImageClassifier:
    """Returns a network by its name, shown pictures by its recipe.

    Args:
        wanted: the one network.
        names: file with the names of its classes; None is ImageNet's of 1000 classes, else
            "class 0" and so on.
        precision: of the arithmetic.
        crop_borders: whether charts and rulers are taken off first.
        reduced: whether JPEGs may be decoded at a fraction of their size; not where the network
            resizes by itself.

    Raises:
        InputError: as `networks.networks` and `labels.read`; several networks; no classifier;
            `reduced`, where borders are looked for.
    """
    _check_reduced(reduced, crop_borders)
    network = networks.only(networks.networks(wanted, top=True), "name the one to ask")
    recipe = published_recipes.fitting(
        network.name, network.preprocessing, network.fixed_size, network.side
    )
    # A mean image is cut to what is looked at.
    network = dataclasses.replace(network, preprocessing=recipe.contract)
    probable = names is not None or classifier_answers.percentages(network)
    classifier_answers.check_probabilities(network, probable)
    if names is None:
        classes = classifier_answers.class_names(network)
    else:
        classes = labels.unique(labels.read(names, network.classifier.classes))
    taps = network.taps([network.logits], precision)

    # Pictures of all sizes come to what prepares them itself.
    @tf.function(autograph=False, reduce_retracing=True)
    def answer(batch: tf.Tensor) -> tf.Tensor:
        found = taps(batch)[network.logits]
        return network.probabilities(found) if probable else found

    whole = layers.prepares(network)
    side = max(steps_from_file.pair(recipe.resize))
    least = images.REDUCED * side if reduced and not whole else None

    def read(path: str) -> np.ndarray:
        pixels = images.read(path, None, least=least).pixels
        if crop_borders:
            x0, y0, x1, y1 = borders.crop_borders(pixels)
            pixels = pixels[y0:y1, x0:x1]
        return pixels if whole else recipe.framed(pixels[None])[0].numpy()

    def seen(path: str) -> np.ndarray:
        return _SQUEEZED.framed(read(path)[None])[0].numpy() if whole else read(path)

    def reads(paths: Sequence[str]) -> Iterator[tuple[int, Read]]:
        made = read_ahead.ahead(read, paths)
        with contextlib.closing(made):
            yield from enumerate(made)

    return ImageClassifier(network.name, network, classes, reads, answer, seen, probable)


def _check_reduced(reduced: bool, crop_borders: bool) -> None:
    if reduced and crop_borders:
        raise InputError(
            f"{arg('reduced_jpegs')}: {arg('crop_borders')} looks at every pixel. Choose one of "
            "the two."
        )


def _example(path: str) -> datasets.Example:
    return datasets.Example(path, -1, None, 0)
