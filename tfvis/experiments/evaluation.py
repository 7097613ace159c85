"""What `evaluate` does: a classifier's answers beside the labels."""

import dataclasses
import pathlib
import time

from tfvis.classifiers import datasets
from tfvis.experiments import classifier_reports, labelled_pictures, networks, predictions
from tfvis.experiments.runner import described
from tfvis.image_files.folders import counts
from tfvis.report import manifest, tensorboard


@dataclasses.dataclass(frozen=True)
class Job:
    """An evaluation, as the flags of `evaluate` name it.

    Attributes:
        checkpoint: folder or name.
        sources: of labelled pictures.
        part: "all", or of the split that the checkpoint was trained with.
        crop_borders: whether to take off charts and rulers; None is as in training.
        precision: of the arithmetic.
        workdir: exists and is writable.
        arguments: for the manifest.
    """

    checkpoint: str
    sources: tuple[str, ...]
    part: str
    crop_borders: bool | None
    precision: str
    workdir: pathlib.Path
    arguments: dict


def run(job: Job) -> tuple[dict, list[str]]:
    """Looks at the pictures and writes everything.

    Returns:
        The measures, and lines to print.

    Raises:
        InputError: no such checkpoint, labels unknown to it, nothing can be read.
    """
    began = time.perf_counter()
    classifier = networks.classifier(job.checkpoint)
    dataset = datasets.read(job.sources, classifier.classes)
    dataset = labelled_pictures.part_of(dataset, classifier, job.part)
    borders = labelled_pictures.crop_borders(classifier, job.crop_borders)
    chosen, rows, broken = predictions.probabilities(
        classifier, dataset.examples, job.precision, borders
    )
    labelled_pictures.report(dataset, broken)
    report = classifier_reports.Report(job.workdir, dataset, chosen, rows, classifier.size, borders)
    with tensorboard.Writer(job.workdir / "tensorboard") as writer:
        report.pictures(writer, 0)
    paths = [example.path for example in report.examples]
    predictions.write(
        job.workdir / "predictions.csv", paths, rows, classifier.classes, len(classifier.classes)
    )
    measures = report.measures()
    manifest.write(
        job.workdir / "manifest.json",
        {
            "arguments": job.arguments, "versions": manifest.versions(),
            "network": described(classifier.network), "classes": classifier.classes,
            "measures": measures, "left_out": counts([*dataset.broken, *broken]),
            "seconds": time.perf_counter() - began,
        },
    )  # fmt: skip
    return measures, [*report.lines(), f"Table: {job.workdir / 'predictions.csv'}"]
