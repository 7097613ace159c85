"""What `classify` does: the likeliest classes of pictures, as lines, a table and a sheet."""

import dataclasses
import pathlib

import numpy as np

from apps import art, places, predictions
from apps.runs import described
from tfvis import images
from tfvis.art import checkpoints, datasets, pictures
from tfvis.report import manifest, sheets

# Pictures on the sheet; a folder may hold thousands.
_SHOWN = 30
_THUMBNAIL = 224
# A path of this many characters leaves room for the rest of the line.
_WIDE = 44


@dataclasses.dataclass(frozen=True)
class Job:
    """Pictures to name, as the flags of `classify` have them.

    Attributes:
        checkpoint: folder or name.
        paths: of the pictures, or None for two that come along.
        top: how many classes of each.
        crop_borders: whether to take off charts and rulers; None is as in training.
        precision: of the arithmetic.
        workdir: exists and is writable.
        arguments: for the manifest.
    """

    checkpoint: str
    paths: tuple[str, ...] | None
    top: int
    crop_borders: bool | None
    precision: str
    workdir: pathlib.Path
    arguments: dict


def run(job: Job) -> list[str]:
    """Looks at the pictures and writes everything; returns lines to print.

    Raises:
        InputError: no such checkpoint, or no picture can be read.
    """
    classifier = checkpoints.load(job.checkpoint)
    paths = job.paths or tuple(str(path) for path in art.own_pictures(job.workdir))
    examples = [datasets.Example(path, -1, None, 0) for path in paths]
    borders = art.crop_borders(classifier, job.crop_borders)
    chosen, rows, broken = predictions.probabilities(classifier, examples, job.precision, borders)
    art.report(broken)
    paths = [paths[k] for k in chosen]
    predictions.write(job.workdir / "predictions.csv", paths, rows, classifier.classes, job.top)
    found = [predictions.ranked(row, classifier.classes, job.top) for row in rows]
    cells = [
        _cell(examples[k], borders, answers)
        for k, answers in zip(chosen[:_SHOWN], found, strict=False)
    ]
    heading = f"{classifier.name}: {', '.join(classifier.classes[:12])}"
    images.save_png(job.workdir / "sheet.png", sheets.sheet(cells, heading=heading))
    manifest.write(
        job.workdir / "manifest.json",
        {
            "arguments": job.arguments, "versions": manifest.versions(),
            "network": described(classifier.network), "classes": classifier.classes,
            "results": [
                {"path": path, "probabilities": dict(answers)}
                for path, answers in zip(paths, found, strict=True)
            ],
        },
    )  # fmt: skip
    return [
        line for path, answers in zip(paths, found, strict=True) for line in _lines(path, answers)
    ]


def _cell(example: datasets.Example, borders: bool, answers) -> sheets.Cell:
    words = [f"{label} {probability:.1%}" for label, probability in answers]
    return sheets.Cell(
        np.asarray(pictures.load(example, _THUMBNAIL, borders)), words[0], ", ".join(words[1:3])
    )


def _lines(path: str, answers) -> list[str]:
    """Returns the table's lines: picture, class, probability."""
    shown = places.short(path, _WIDE)
    return [
        f"{shown if not k else '':<{_WIDE}}  {label:<20} {probability:6.1%}"
        for k, (label, probability) in enumerate(answers)
    ]
