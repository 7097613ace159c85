"""Evaluation: a classifier's answers beside the labels."""

import pathlib
import time

from tfvis.classifiers import datasets
from tfvis.experiments import (
    classifier_reports,
    devices,
    labelled_pictures,
    networks,
    outcome,
    predictions,
    workdirs,
)
from tfvis.experiments.runner import described
from tfvis.image_files.folders import counts
from tfvis.report import manifest, run_page, tensorboard
from tfvis.report.html_page import Page


@workdirs.kept
def run(
    checkpoint: str,
    dataset: datasets.Dataset,
    *,
    workdir: pathlib.Path | str,
    part: str = "all",
    crop_borders: bool | None = None,
    precision: str = "auto",
    arguments: dict | None = None,
) -> outcome.Outcome:
    """Holds a classifier's answers beside the labels of pictures.

    Args:
        checkpoint: folder or name.
        dataset: as `labelled_pictures.of_checkpoint` reads it.
        workdir: for all results.
        part: "all", or of the split that the checkpoint was trained with.
        crop_borders: whether to take off charts and rulers; None is as in training.
        precision: see `devices`.
        arguments: for the manifest.

    Returns:
        The measures, as one record.

    Raises:
        InputError: no such checkpoint, no picture can be read.
    """
    began = time.perf_counter()
    classifier = networks.classifier(checkpoint)
    dataset = labelled_pictures.part_of(dataset, classifier, part)
    borders = labelled_pictures.crop_borders(classifier, crop_borders)
    chosen, rows, broken = predictions.probabilities(
        classifier, dataset.examples, devices.precision(precision), borders
    )
    labelled_pictures.report(dataset, broken)
    report = classifier_reports.Report(workdir, dataset, chosen, rows, classifier.size, borders)
    with tensorboard.Writer(workdir / "tensorboard") as writer:
        report.pictures(writer, 0)
    paths = [example.path for example in report.examples]
    predictions.write(
        workdir / "predictions.csv", paths, rows, classifier.classes, len(classifier.classes)
    )
    measures = report.measures()
    manifest.write(
        workdir / "manifest.json",
        {
            "arguments": arguments or {}, "versions": manifest.versions(),
            "network": described(classifier.network), "classes": classifier.classes,
            "measures": measures, "left_out": counts([*dataset.broken, *broken]),
            "seconds": time.perf_counter() - began,
        },
    )  # fmt: skip
    lines = [*report.lines(), f"Table: {workdir / 'predictions.csv'}"]
    about = ["The classifier's answers beside the labels: what is taken for what, and the surest "
             "mistakes."]  # fmt: skip
    page = Page(f"How well {classifier.name} names", [], about, run_page.numbers(measures))
    return outcome.Outcome([measures], lines, page=page)
