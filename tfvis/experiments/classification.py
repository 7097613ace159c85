"""What `classify` does: the likeliest classes of pictures, as lines, a table and a sheet."""

import pathlib

from tfvis import images
from tfvis.errors import InputError, arg, marked
from tfvis.experiments import example_pictures, folders, outcome, picture_runner, predictions
from tfvis.experiments.classifying_networks import ImageClassifier
from tfvis.experiments.runner import described
from tfvis.report import manifest, sheets

# Pictures on the sheet; a folder may hold thousands.
_SHOWN = 30
# Classes in its heading, and characters of a class below a picture.
_HEADING, _LABEL = 12, 40
# A path of this many characters leaves room for the rest of the line.
_WIDE = 44


def run(
    classifier: ImageClassifier,
    found: folders.Found | None,
    *,
    workdir: pathlib.Path,
    top: int = 3,
    arguments: dict | None = None,
) -> outcome.Outcome:
    """Looks at the pictures and writes everything.

    Args:
        classifier: see `classifying_networks`.
        found: the pictures, or None for two that come along.
        workdir: exists and is writable.
        top: how many classes of each.
        arguments: for the manifest.

    Raises:
        InputError: no picture can be read.
    """
    looked = found or folders.Found(example_pictures.own_pictures(workdir), "image")
    for path in looked.paths:
        if not str(path).isprintable():  # Not Unicode, or of two lines: no table holds that.
            looked.leave_out(path, InputError(f"{path}: cannot be written down. Rename the file"))
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
    return outcome.Outcome(records, lines, workdir / "sheet.png")


def _heading(classifier: ImageClassifier) -> str:
    classes = classifier.classes
    named = ", ".join(classes) if len(classes) <= _HEADING else f"{len(classes):,} classes"
    return f"{classifier.name}: {named}"


def _cell(pixels, answers, probable: bool) -> sheets.Cell:
    words = [f"{label[:_LABEL]} {_number(value, probable)}" for label, value in answers]
    return sheets.Cell(pixels, words[0], ", ".join(words[1:3]))


def _number(value: float, probable: bool) -> str:
    return f"{value:.1%}" if probable else f"{value:.4g}"


def _lines(path: str, answers, probable: bool) -> list[str]:
    """Returns the table's lines: picture, class, probability or score."""
    shown = picture_runner.short(path, _WIDE)
    wide = max(20, *(len(label) for label, _ in answers))
    return [
        f"{shown if not k else '':<{_WIDE}}  {label:<{wide}} {_number(value, probable):>6}"
        for k, (label, value) in enumerate(answers)
    ]
