"""What networks of a comparison answer among the classes of the folders."""

import dataclasses
from collections.abc import Iterable, Mapping, Sequence

import numpy as np

from tfvis import images
from tfvis.comparison import responses
from tfvis.errors import InputError, arg
from tfvis.experiments.comparison_study import Study
from tfvis.networks import labels
from tfvis.networks.network import Network


def named(built: Mapping[str, Network], files: Sequence[str]) -> dict[str, Network]:
    """Returns networks with the names of their classes as files have them.

    Args:
        built: by label.
        files: one for all that bring no names, or one for each; an empty one leaves it as it is.

    Raises:
        InputError: another number of files; one for a network that names its classes, or has none;
            as `labels.read`.
    """
    takers = [
        label
        for label, network in built.items()
        # "no" and "yes" are put in for names that are lacking.
        if network.classifier and (not network.classes or network.classifier.kind == "binary")
    ]
    if len(files) not in (1, len(built)):
        raise InputError(
            f"{arg('labels')}: expected one file, or one for each of {len(built)} networks. "
            f"Received: {len(files)}."
        )
    each = files if len(files) > 1 else [files[0] if label in takers else "" for label in built]
    chosen = {label: file for label, file in zip(built, each, strict=True) if file}
    wrong = [label for label in chosen or built if label not in takers]
    if wrong:
        raise InputError(
            f"{arg('labels')}: {' and '.join(wrong)} {'are' if wrong[1:] else 'is'} no classifier, "
            "or one that brings the names of its classes. Leave it out."
        )
    found = dict(built)
    for label, file in chosen.items():
        network = built[label]
        names = labels.unique(labels.read(file, network.classifier.classes))
        found[label] = dataclasses.replace(network, classes=names)
    return found


def places(network: Network, classes: Sequence[str]) -> np.ndarray | None:
    """Returns where each class stands among a network's scores; None where it lacks one."""
    if not network.logits or not classes or not set(classes) <= set(network.classes):
        return None
    return np.array([network.classes.index(name) for name in classes])


def knowing(study: Study, labels: Iterable[str]) -> list[str]:
    """Returns those of the networks that know all classes of the folders.

    Raises:
        InputError: the folders name no classes.
    """
    classes = study.pictures.classes
    if not classes:
        raise InputError(f"{arg('images')}: it needs folders that name classes, a folder of each.")
    return [label for label in labels if places(study.networks[label], classes) is not None]


def largest(study: Study, label: str) -> np.ndarray:
    """Returns the largest score of each class among all pictures, float32 [classes]."""
    network, classes = study.networks[label], study.pictures.classes
    found = [study.scores(label, domain) for domain in study.domains]
    return np.concatenate(found)[:, places(network, classes)].max(0)


def rightly(study: Study, domain: str) -> np.ndarray:
    """Returns how many of the two name each picture of a domain rightly, int [pictures]."""
    found, pictures = np.zeros(study.pictures.count, int), study.pictures
    for label in knowing(study, study.pair):
        among = places(study.networks[label], pictures.classes)
        found += study.scores(label, domain)[:, among].argmax(-1) == pictures.labels
    return found


def decided(study: Study, label: str, pictures: Iterable[np.ndarray]) -> np.ndarray:
    """Returns which of the folders' classes a network that knows them says, int64 [pictures].

    Classes that the folders have not are no answer, as in Geirhos et al. 2019.

    Args:
        study: of which the classes are.
        label: of the network.
        pictures: [height, width, 3] each, 0..255, of one size.
    """
    network = study.networks[label]
    shown = [
        # Of another shape than the network takes, the middle.
        images.with_channels(
            images.crop(np.float32(one), shape=network.fixed_size or one.shape[:2]),
            network.channels,
        )
        for one in pictures
    ]
    _, scores = responses.responses(
        network, (), shown, np.zeros((len(shown), 1, 2)), study.precision
    )
    return scores[:, places(network, study.pictures.classes)].argmax(-1)
