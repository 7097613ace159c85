"""The same class raised through both networks, and what each calls the other's picture."""

import dataclasses

import numpy as np

from tfvis import images, preimages
from tfvis.comparison import decisions
from tfvis.errors import InputError, arg
from tfvis.experiments import activation_maximization, comparison_answers
from tfvis.experiments.comparison_sections import Section, number, sentences
from tfvis.experiments.comparison_study import Study, evenly
from tfvis.objectives.parsing import Unit
from tfvis.report import html_page, sheets

# A sheet of more at the width of a page is too small to look at, and takes longer to make.
_CLASSES = 7
# Side of the pictures where a network takes any: half the work of 224 px, and classes are in it.
_SIDE = 160


def maximization(study: Study, steps: int | None, seed: int) -> Section:
    """Pictures of classes by both: how much they get, and what the other network calls them.

    Args:
        study: of classes that both networks know.
        steps: of each picture; None is the extent's.
        seed: of the noise and the views.

    Raises:
        InputError: no classes; a network that does not know them.
    """
    known, classes = comparison_answers.knowing(study, study.pair), study.pictures.classes
    if strangers := [label for label in study.pair if label not in known]:
        raise InputError(f"{arg('networks')}: {strangers[0]} does not know the folders' classes")
    chosen = evenly(len(classes), _CLASSES)
    count = len(study.domains) * study.pictures.count
    rows, cells, said = [], [], []
    for label, (pictures, answers) in _made(study, chosen, steps, seed).items():
        (other,) = set(study.pair) - {label}
        own, its = (comparison_answers.decided(study, one, pictures) for one in (label, other))
        times = _times(answers, comparison_answers.largest(study, label)[chosen])
        for k, which in enumerate(chosen):
            name, called = classes[which], classes[its[k]]
            rows.append(
                (label, name, number(answers[k]), number(times[k]), classes[own[k]], called)
            )
            much = "" if np.isnan(times[k]) else f"{times[k]:.1f} x the most\n"
            cells.append(sheets.Cell(pictures[k], name, f"by {label}\n{much}{other}: {called}"))
        known = times[~np.isnan(times)]
        if known.size:
            said.append(
                f"{label}'s pictures of {known.size} classes get {np.median(known):.1f} times "
                f"(median; {known.min():.1f} to {known.max():.1f}) the most that any of "
                f"{count} pictures gets"
            )
        share = decisions.share(int((its == chosen).sum()), len(chosen))
        said.append(f"{other} calls {share} of {label}'s pictures by their class")
    figure = html_page.Figure(
        sheets.sheet(cells, len(chosen)), "The same classes, raised through both",
        f"beside the most that any of {count} pictures gets; and what the other network calls it",
        wide=True,
    )  # fmt: skip
    columns = (
        "network", "class", "activation", "times the most of pictures", "its network says",
        "the other says",
    )  # fmt: skip
    return Section(
        "maximization", "What a class is to each", sentences(said), columns, rows, (figure,)
    )


def _made(study: Study, chosen: list[int], steps: int | None, seed: int) -> dict:
    """Returns {network: (its pictures as their files have them, its answers to them)}."""
    settings = dataclasses.replace(
        preimages.Maximization(), steps=steps or study.extent.class_steps
    )
    units = {}
    for label in study.pair:
        network = study.networks[label]
        at = comparison_answers.places(network, study.pictures.classes)[chosen]
        units[label] = [
            Unit("logits", int(k), name=f"{k} {network.classes[k]}") for k in at.tolist()
        ]
    side = min(study.pictures.pixels[study.domains[0]].shape[1:3])
    workdir = study.workdir / "maximization"
    done = activation_maximization.run(
        {label: study.networks[label] for label in study.pair}, units, workdir=workdir,
        settings=settings, most=min(study.extent.side or side, _SIDE), seed=seed, growth=False,
        precision=study.precision,
    )  # fmt: skip
    made = {}
    for label in study.pair:
        of = [record for record in done.records if record["network"] == label]
        pictures = [images.read(workdir / record["file"]).pixels for record in of]
        made[label] = pictures, np.array([record["activation"] for record in of])
    return made


def _times(answers: np.ndarray, most: np.ndarray) -> np.ndarray:
    """Returns how many times the most of pictures answers are; nan where either is not above 0."""
    known = (answers > 0) & (most > 0)
    return np.where(known, answers / np.where(known, most, 1), np.nan)
