"""Classification: the likeliest classes of pictures, as lines, a table and a sheet."""

import pathlib

from tfvis import images
from tfvis.errors import InputError, arg, marked
from tfvis.experiments import (
    classifying_networks,
    devices,
    folders,
    outcome,
    picture_pages,
    picture_tasks,
    predictions,
    workdirs,
)
from tfvis.experiments.classifying_networks import ImageClassifier
from tfvis.experiments.runner import described
from tfvis.report import manifest, sheets

# Pictures on the sheet; a folder may hold thousands.
_SHOWN = 30
# Classes in its heading, and characters of a class below a picture.
_HEADING, _LABEL = 12, 40
# A path of this many characters leaves room for the rest of the line.
_WIDE = 44


@workdirs.kept
def run(
    wanted,
    found: folders.Found | pathlib.Path | str | None = None,
    *,
    workdir: pathlib.Path | str,
    labels: str | None = None,
    top: int = 3,
    crop_borders: bool | None = None,
    precision: str = "auto",
    reduced_jpegs: bool = False,
    arguments: dict | None = None,
) -> outcome.Outcome:
    """Names what pictures show.

    Args:
        wanted: a classifier as `networks.Wanted`, which may name a checkpoint.
        found: the pictures, see `folders.listed`; None is two that come along.
        workdir: for all results.
        labels: file with the names of the classes of a network that is no checkpoint, or None.
        top: how many classes of each picture.
        crop_borders: whether to take off charts and rulers; None is as in training.
        precision: see `devices`.
        reduced_jpegs: whether JPEGs may be decoded at a fraction of their size; see `Features`.
        arguments: for the manifest.

    Raises:
        InputError: no such classifier; no picture can be read.
    """
    precision = devices.precision(precision)
    classifier = classifying_networks.opened(wanted, labels, precision, crop_borders, reduced_jpegs)
    looked = folders.listed(found, workdir)
    paths = [str(path) for path in looked.paths if path not in looked.broken]
    if not paths:
        raise InputError(f"{arg('image')}={marked(next(iter(looked.broken.values())).detail)}.")
    chosen, rows, broken = predictions.collected(classifier.reads(paths), paths, classifier.answer)
    looked.broken.update((pathlib.Path(one.path), one) for one in broken)
    folders.report(looked)
    paths = [paths[k] for k in chosen]
    table = workdir / "predictions.csv"
    predictions.write(table, paths, rows, classifier.classes, top, classifier.probable)
    named = [predictions.ranked(row, classifier.classes, top) for row in rows]
    cells = [
        _cell(classifier.seen(path), answers, classifier.probable)
        for path, answers in zip(paths[:_SHOWN], named, strict=False)
    ]
    heading = _heading(classifier)
    images.save_png(workdir / "sheet.png", sheets.sheet(cells, heading=heading))
    key = "probabilities" if classifier.probable else "scores"
    records = [
        {"path": path, key: dict(answers)} for path, answers in zip(paths, named, strict=True)
    ]
    manifest.write(
        workdir / "manifest.json",
        {
            "arguments": arguments or {}, "versions": manifest.versions(),
            "network": described(classifier.network), "classes": classifier.classes,
            **folders.told(looked),
            "results": records,
        },
    )  # fmt: skip
    lines = [
        line
        for path, answers in zip(paths, named, strict=True)
        for line in _lines(path, answers, classifier.probable)
    ]
    page = picture_pages.answers(
        records, workdir, f"What {classifier.name} names", heading, key, classifier.probable,
    )  # fmt: skip
    return outcome.Outcome(records, lines, workdir / "sheet.png", page)


def _heading(classifier: ImageClassifier) -> str:
    classes = classifier.classes
    named = ", ".join(classes) if len(classes) <= _HEADING else f"{len(classes):,} classes"
    return f"{classifier.name}: {named}"


def _cell(pixels, answers, probable: bool) -> sheets.Cell:
    words = [f"{label[:_LABEL]} {predictions.words(value, probable)}" for label, value in answers]
    return sheets.Cell(pixels, words[0], ", ".join(words[1:3]))


def _lines(path: str, answers, probable: bool) -> list[str]:
    """Returns the table's lines: picture, class, probability or score."""
    shown = picture_tasks.short(path, _WIDE)
    wide = max(20, *(len(label) for label, _ in answers))
    sure = [predictions.words(value, probable) for _, value in answers]
    return [
        f"{shown if not k else '':<{_WIDE}}  {label:<{wide}} {sure[k]:>6}"
        for k, (label, _) in enumerate(answers)
    ]
