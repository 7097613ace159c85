"""What `judge` does: how right the maps of all explainers are, on pictures with labels or boxes."""

import dataclasses
import functools
import itertools
import os
import pathlib
from collections.abc import Sequence

import numpy as np
import tensorflow as tf

from tfvis import files, images
from tfvis.attention import boxes, explainer
from tfvis.attention.boxes import Box
from tfvis.attention.explainer import Explainer
from tfvis.attention.explainers import KINDS
from tfvis.attention.metrics import (
    class_sensitivity,
    grid_pointing,
    perturbation,
    road,
    sanity,
    similarity,
)
from tfvis.attention.smoothgrad import SAMPLES
from tfvis.classifiers import datasets
from tfvis.classifiers.checkpoints import Classifier
from tfvis.errors import InputError, arg, marked
from tfvis.experiments import (
    devices,
    folders,
    judging_measures,
    judging_reports,
    labelled_pictures,
    messages,
    networks,
    outcome,
    picture_pages,
    picture_tasks,
    predictions,
    workdirs,
)
from tfvis.experiments.judging_measures import METRICS
from tfvis.networks.network import Network


@dataclasses.dataclass(frozen=True, eq=False)
class LabelledPicture:
    """A picture and what is known of it.

    Attributes:
        label: number of its class.
        boxes: true ones, in pixels of the file.
        least: the class that the network finds least likely.
        right: whether it finds the class likeliest.
        grid: paths of the pictures of a grid, its own among them; () without one.
    """

    label: int
    boxes: tuple[Box, ...]
    least: int
    right: bool
    grid: tuple[str, ...] = ()


@dataclasses.dataclass(frozen=True, eq=False)
class Evaluation:
    """What is measured of what.

    Attributes:
        classifier: whose explanations.
        names: of the explainers.
        metrics: of `METRICS`.
        pictures: by their paths.
        steps: of deletion and insertion.
        percentages: of ROAD.
        stages: of the sanity check.
        samples: of SmoothGrad.
        precision: of the looks at changed pictures, and of SmoothGrad.
    """

    classifier: Classifier
    names: tuple[str, ...]
    metrics: tuple[str, ...]
    pictures: dict[pathlib.Path, LabelledPicture]
    steps: int
    percentages: tuple[float, ...]
    stages: int
    samples: int
    precision: str

    @functools.cached_property
    def explainers(self) -> dict[str, Explainer]:
        """Of the network as it is."""
        return self._made(self.classifier.network)

    @functools.cached_property
    def randomised(self) -> dict[str, dict[str, Explainer]]:
        """{the lowest layer that is random: explainers of that network}."""
        found = sanity.cascade(self.classifier.network, self.stages)
        return {layer: self._made(network) for layer, network in found}

    def scores(self, number: int, pictures: np.ndarray) -> np.ndarray:
        """Returns the probabilities of a class."""
        # One by one: one shape is compiled, and on a CPU it is as fast.
        rows = (
            self.classifier.probabilities(tf.constant(one[None]), self.precision)
            for one in pictures
        )
        return np.array([row[0, number] for row in rows])

    def _made(self, network: Network) -> dict[str, Explainer]:
        own = {"smoothgrad": {"samples": self.samples, "precision": self.precision}}
        return {name: KINDS[name].make(network, **own.get(name, {})) for name in self.names}


@workdirs.kept
def run(
    checkpoint: str,
    dataset: datasets.Dataset,
    *,
    workdir: pathlib.Path | str,
    part: str = "all",
    count: int = 20,
    explainers: Sequence[str] | None = None,
    metrics: Sequence[str] = tuple(METRICS),
    steps: int = 56,
    percentages: Sequence[float] = road.PERCENTAGES,
    stages: int = 3,
    samples: int = SAMPLES,
    seed: int = 0,
    precision: str = "auto",
    arguments: dict | None = None,
) -> outcome.Outcome:
    """Measures explainers on pictures and writes everything; a run that stopped goes on.

    Each picture is asked about its own class. Deletion, insertion and ROAD count only where the
    network names it: elsewhere there is no answer whose fall would mean anything. A map that is
    the same everywhere has no measures; how many there are is said.

    Args:
        checkpoint: folder or name of the classifier.
        dataset: as `labelled_pictures.of_checkpoint` reads it; boxes in it are the true ones.
        workdir: for all results.
        part: "all", or of the split that the checkpoint was trained with.
        count: of pictures, of all classes alike but the negative one, drawn by `seed`.
        explainers: of `explainers.KINDS`; None is all that the network can have.
        metrics: of `METRICS`; boxes without any and grids of fewer than four classes are left out.
        steps: of deletion and insertion; RISE's 224 take four times as long.
        percentages: of the pixels that ROAD removes.
        stages: of the sanity check, see `sanity.cascade`; 3 are the scores, half of the layers,
            and all. Each holds as many copies of the network as there are explainers.
        samples: of SmoothGrad.
        seed: of the draws of pictures and grids.
        precision: "auto", "float32" or "bfloat16": of the looks at changed pictures and of
            SmoothGrad; all other maps are made in float32.
        arguments: for the manifest.

    Raises:
        InputError: no such checkpoint, explainer or metric; no labelled pictures of it; none of the
            metrics can be had of these.
    """
    if explainers is not None:
        _check_words("explainers", explainers, KINDS)
    _check_words("metrics", metrics, METRICS)
    classifier = networks.classifier(checkpoint)
    dataset = labelled_pictures.part_of(dataset, classifier, part)
    chosen = _chosen(dataset, classifier, count, seed)
    pictures = _labelled(classifier, chosen, dataset, "grid" in metrics, seed)
    metrics = _possible(metrics, list(pictures.values()))
    evaluation = Evaluation(
        classifier, _fit(classifier.network) if explainers is None else tuple(explainers),
        metrics, pictures, steps, tuple(map(float, percentages)), stages, samples,
        devices.precision(precision),
    )  # fmt: skip
    root = pathlib.Path(os.path.commonpath([path.parent for path in pictures]))
    found = folders.listed(folders.Found(list(pictures), "data", root), workdir)
    inputs = picture_tasks.input_pictures(found)
    records = picture_tasks.run(
        inputs, classifier.network, workdir, arguments,
        functools.partial(_asked, evaluation),
        lambda path, pixels: _one(evaluation, path, pixels),
        classes=classifier.classes,
    )  # fmt: skip
    lines = judging_reports.write(records, evaluation.names, workdir)
    lines.append(f"Table: {workdir / 'summary.csv'}")
    page = picture_pages.judging(records, workdir, classifier.name)
    return outcome.Outcome(records, lines, workdir / "sheet.png", page)


def _check_words(name: str, words: Sequence[str], known) -> None:
    for word in words:
        if word not in known:
            raise InputError(f"{arg(name)}={word}: expected some of {', '.join(known)}.")
    if not words:
        raise InputError(f"{arg(name)}: name one or more of {', '.join(known)}.")


def _possible(metrics: Sequence[str], pictures: Sequence[LabelledPicture]) -> tuple[str, ...]:
    """Returns the metrics that pictures can have; says of the others why not."""
    found = tuple(metrics)
    for name, possible, why, what in (
        (
            "boxes", any(one.boxes for one in pictures), f"no true boxes in {arg('data')}",
            "Name a CSV file with the columns x0, y0, x1, y1",
        ),
        (
            "grid", any(one.grid for one in pictures),
            "the network names pictures of fewer than four classes right",
            f"Raise {arg('count')}, or give pictures of more classes",
        ),
    ):  # fmt: skip
        if name not in found or possible:
            continue
        found = tuple(one for one in found if one != name)
        if not found:
            raise InputError(f"{arg('metrics')}={name}: {why}. {what}, or choose others.")
        messages.note(f"{why}: the metric {name} is left out.")
    return found


def _fit(network: Network) -> tuple[str, ...]:
    """Returns the explainers that a network can have; says of the others why not."""
    names = []
    for name, kind in KINDS.items():
        try:
            kind.make(network)
        except InputError as error:
            messages.note(f"{kind.title} is left out: {marked(error)}")
        else:
            names.append(name)
    return tuple(names)


def _chosen(dataset, classifier: Classifier, count: int, seed: int) -> list[datasets.Example]:
    """Returns a picture of each class in turn, without their boxes."""
    first = {}
    for example in dataset.examples:
        if classifier.classes[example.label] != datasets.NEGATIVE:
            first.setdefault(example.path, dataclasses.replace(example, box=None))
    decks: dict[int, list] = {}
    for path in np.random.default_rng(seed).permutation(sorted(first)):
        decks.setdefault(first[path].label, []).append(first[path])
    if not decks:
        raise InputError(f"{arg('data')}: all pictures are of the class none, which is nowhere.")
    turns = itertools.zip_longest(*(decks[label] for label in sorted(decks)))
    return [one for turn in turns for one in turn if one is not None][:count]


def _labelled(
    classifier: Classifier, chosen, dataset, grids: bool, seed: int
) -> dict[pathlib.Path, LabelledPicture]:
    """Returns the pictures with what the network says of them, and the grids they stand in."""
    numbers, rows, broken = predictions.probabilities(classifier, chosen, "float32")
    labelled_pictures.report(dataset, broken)
    readable = [chosen[k] for k in numbers]
    labels = np.array([example.label for example in readable])
    right = rows.argmax(-1) == labels
    known: dict[tuple[str, int], list[Box]] = {}
    for example in dataset.examples:
        if example.box is not None:
            known.setdefault((example.path, example.label), []).append(Box(*example.box))
    found = {}
    for k, (example, row) in enumerate(zip(readable, rows, strict=True)):
        others = np.delete(np.arange(len(row)), example.label)
        found[pathlib.Path(example.path)] = LabelledPicture(
            label=int(example.label),
            boxes=tuple(known.get((example.path, example.label), ())),
            least=int(others[row[others].argmin()]),
            right=bool(right[k]),
            grid=_grid(k, readable, labels, right, seed) if grids and right[k] else (),
        )
    return found


def _grid(k: int, readable, labels, right, seed: int) -> tuple[str, ...]:
    """Returns a picture and three of other classes, in any order; () without so many classes."""
    generator = np.random.default_rng((seed, k))
    others = [label for label in np.unique(labels[right]) if label != labels[k]]
    if len(others) < grid_pointing.CELLS - 1:
        return ()
    classes = generator.choice(others, grid_pointing.CELLS - 1, replace=False)
    four = [k, *(generator.choice(np.flatnonzero(right & (labels == one))) for one in classes)]
    return tuple(str(pathlib.Path(readable[place].path)) for place in generator.permutation(four))


def _asked(evaluation: Evaluation, path: pathlib.Path) -> dict:
    """Returns all that decides a picture's numbers, besides itself and the network."""
    labelled = evaluation.pictures[path]
    return {
        "app": "judge", "explainers": evaluation.names, "metrics": evaluation.metrics,
        "steps": evaluation.steps, "percentages": evaluation.percentages,
        "stages": evaluation.stages, "samples": evaluation.samples,
        "precision": evaluation.precision, "labelled": labelled,
        "grid": [files.sha256_of(pathlib.Path(one)) for one in labelled.grid],
    }  # fmt: skip


def _one(evaluation: Evaluation, path: pathlib.Path, pixels: np.ndarray) -> dict:
    """Measures the maps of a picture; returns what to tell of it."""
    labelled, side = evaluation.pictures[path], evaluation.classifier.size
    channels = evaluation.classifier.network.channels
    image = images.with_channels(images.resize(pixels, side, side), channels)
    question = judging_measures.Question(
        scores=perturbation.remembered(functools.partial(evaluation.scores, labelled.label)),
        image=image,
        color=evaluation.classifier.network.preprocessing.center(channels).numpy(),
        boxes=[boxes.scaled(box, pixels.shape[:2], (side, side)) for box in labelled.boxes],
        steps=evaluation.steps,
        percentages=evaluation.percentages,
        right=labelled.right,
    )
    grid = _grid_picture(evaluation, labelled)
    measures, shown, empty = {}, [], []
    for name, explain in evaluation.explainers.items():
        maps, root = explain(image, labelled.label), KINDS[name].root
        values = np.asarray(maps[0])
        evened = explainer.shown(explain, maps, image, labelled.label)
        shown.append(np.asarray(evened[0]) ** root)
        if np.ptp(values) == 0:
            empty.append(name)
            continue
        found = judging_measures.of_map(question, values, root, evaluation.metrics)
        if grid is not None:
            asked = explain(grid, labelled.label)[0]
            found |= judging_measures.of_grid(np.asarray(asked), labelled.grid.index(str(path)))
        if "classes" in evaluation.metrics:
            found |= _compared(
                "class",
                lambda explain=explain, values=values: class_sensitivity.between_classes(
                    explain, image, labelled.label, labelled.least, values
                ),
            )
        if "sanity" in evaluation.metrics:
            for layer, made in evaluation.randomised.items():
                found |= _compared(
                    f"random_to_{layer}",
                    lambda name=name, made=made, values=values: similarity.similarity(
                        values, np.asarray(made[name](image, labelled.label)[0])
                    ),
                )
        measures[name] = found
    drawn = judging_reports.maps(image, evaluation.names, shown)
    return {
        "class": evaluation.classifier.classes[labelled.label],
        "right": labelled.right,
        "boxes": len(labelled.boxes),
        "measures": measures,
        "empty": empty,
        "written": {"maps.png": images.png(drawn)},
    }


def _grid_picture(evaluation: Evaluation, labelled: LabelledPicture) -> np.ndarray | None:
    if not labelled.grid:
        return None
    side = evaluation.classifier.size
    four = [images.resize(images.read(path, None).pixels, side, side) for path in labelled.grid]
    return images.with_channels(
        grid_pointing.grid(np.stack(four)), evaluation.classifier.network.channels
    )


def _compared(name: str, compare) -> dict[str, float]:
    """Returns how alike two maps are; nothing where one is the same everywhere."""
    try:
        found = compare()
    except InputError:
        return {}
    return {f"{name}_spearman": found.spearman, f"{name}_ssim": found.ssim}
