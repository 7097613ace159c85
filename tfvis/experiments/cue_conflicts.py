"""Cue conflicts: pictures with the shape of one class and the texture of another.

Geirhos et al., "ImageNet-trained CNNs are biased towards texture", ICLR 2019: photographs in the
style of photographs of another class, by the algorithm of Gatys et al.
"""

import dataclasses
import pathlib

import numpy as np

from tfvis import files, images
from tfvis.experiments import comparison_answers, style_runs
from tfvis.experiments.comparison_study import Study
from tfvis.networks import network as builder
from tfvis.networks.network import Network
from tfvis.style.transfer import Scene, Transfer

# Style over content: with the 1000 of the code of Gatys et al. no outline was left of a dark dog.
_RATIO = 200
# Of a style's sides what is left of it, centred: the thing rather than what surrounds it.
_MIDDLE = 0.7


@dataclasses.dataclass(frozen=True, eq=False)
class CueConflicts:
    """Pictures in which shape and texture say different things.

    Attributes:
        pixels: float32 [n, height, width, 3], as their files have them.
        contents, styles: int64 [n], which pictures of the first domain they are of.
        maker: the network they were made by, in words.
    """

    pixels: np.ndarray
    contents: np.ndarray
    styles: np.ndarray
    maker: str


def pairs(labels: np.ndarray, count: int, rank: np.ndarray) -> list[tuple[int, int]]:
    """Returns (content, style) of pictures of different classes, every pair of classes as often.

    Where a class has as many pictures as there are others, each is content once at most.

    Args:
        labels: int [pictures], classes.
        count: of pairs, at most.
        rank: [pictures]; those of a class that have more come first.
    """
    order = np.argsort(-rank, kind="stable")
    of_class = [order[labels[order] == name] for name in np.unique(labels)]
    classes, found = len(of_class), []
    rounds = max(min(map(len, of_class)) // max(classes - 1, 1), 1)
    for turn in range(rounds):
        for shift in range(1, classes):
            number = turn * (classes - 1) + shift - 1
            for k, own in enumerate(of_class):
                other = of_class[(k + shift) % classes]
                found.append((int(own[number % len(own)]), int(other[number % len(other)])))
    return found[:count]


def made(study: Study, steps: int | None, seed: int) -> CueConflicts:
    """Makes cue conflicts of the first domain's pictures, or takes over what was finished.

    Args:
        study: of classes.
        steps: evaluations of each picture's energy; None is the extent's.
        seed: of the run.

    Raises:
        InputError: no classes; the network cannot stylise.
    """
    # What both name rightly shows its class: Geirhos et al. take no other pictures.
    rank = comparison_answers.rightly(study, study.domains[0])
    network, maker = _maker(study)
    workdir = files.make_folder(study.workdir / "cue_conflicts", "workdir")
    pictures = study.pictures.pixels[study.domains[0]].astype(np.float32)
    if study.extent.side:
        pictures = np.stack([images.of_area(one, study.extent.side) for one in pictures])
    steps = steps or study.extent.conflict_steps
    settings = Transfer("gatys", evaluations=steps, ratio=_RATIO, exact=0.0)
    settings = style_runs.settled(settings, network, workdir, study.precision, "auto")
    chosen = pairs(study.pictures.labels, study.extent.conflicts, rank)
    pieces = [
        _piece(network, pictures, content, style, settings, study.pictures, k)
        for k, (content, style) in enumerate(chosen)
    ]
    records = style_runs.run(pieces, workdir, None, seed, {"maker": maker})
    contents, styles = np.array(chosen).T
    shown = [images.read(workdir / record["file"]).pixels for record in records]
    return CueConflicts(np.stack(shown), contents, styles, maker)


def _piece(network, pictures, content: int, style: int, settings, of, number: int):
    shape, texture = (of.classes[of.labels[k]] for k in (content, style))
    height, width = pictures.shape[1:3]
    down, right = (round(side * (1 - _MIDDLE) / 2) for side in (height, width))
    middle = pictures[style][down : height - down, right : width - right]
    scene = Scene(
        images.with_channels(pictures[content], network.channels),
        (images.with_channels(middle, network.channels),),
    )
    return style_runs.Piece(
        name=f"{number}: {shape} of {texture}",
        path=pathlib.PurePosixPath(f"{number:02}.png"),
        network=network,
        scene=scene,
        settings=settings,
        about={"shape": shape, "texture": texture, "content": content, "style": style},
    )


def _maker(study: Study) -> tuple[Network, str]:
    """Returns the network that pictures are made by, and what to say of it.

    VGG16 as published, which is at hand where one of the networks stands on it; else the first.
    """
    first = study.pair[0]
    for one in study.networks.values():
        if one.base == "vgg16" or _published(one):
            own = any(_published(study.networks[label]) for label in study.pair)
            said = f"vgg16, which is {'one' if own else 'neither'} of the two"
            return builder.build("vgg16", pooling="avg"), said
    return study.networks[first], f"{first}, which is one of the two"


def _published(network: Network) -> bool:
    return network.name == "vgg16" and bool(network.record.published)
