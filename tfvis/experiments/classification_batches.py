"""Classification of a folder of any size, in shards that several processes share."""

import collections
import pathlib
from collections.abc import Iterator, Sequence

import pyarrow as pa
import tensorflow as tf

from tfvis import files, tables
from tfvis.errors import InputError
from tfvis.experiments import (
    classifying_networks,
    devices,
    folders,
    networks,
    outcome,
    picture_batches,
    predictions,
    runner,
    workdirs,
)
from tfvis.experiments.batch.engine import Engine
from tfvis.experiments.batch.jobs import Job
from tfvis.experiments.classifying_networks import ImageClassifier
from tfvis.report import manifest
from tfvis.report.html_page import Page

MAKER = f"{__name__}:job"
# Classes that are counted in words; the table has all.
_COUNTED = 12


@workdirs.kept
def run(
    wanted: networks.Wanted,
    found: folders.Found | pathlib.Path | str | None,
    engine: Engine,
    *,
    workdir: pathlib.Path | str,
    labels: str | None = None,
    top: int = 3,
    crop_borders: bool | None = None,
    precision: str = "auto",
    reduced_jpegs: bool = False,
    arguments: dict | None = None,
) -> outcome.Outcome:
    """Names what pictures show, and goes on where an earlier run stopped.

    Args:
        engine: who does the work.
        wanted, found, workdir, labels, top, crop_borders, precision, reduced_jpegs, arguments: as
            of `classification.run`.

    Returns:
        An outcome without records: the tables have them.

    Raises:
        InputError: as `classification.run` and `batches.run`.
    """
    engine.check()
    looked = folders.listed(found, workdir)
    given = {
        "network": networks.plain(wanted), "top": top, "crop_borders": crop_borders,
        "labels": labels and str(files.located(labels).absolute()),
        "precision": devices.precision(precision), "reduced_jpegs": reduced_jpegs,
    }  # fmt: skip
    classifier = _opened(given)
    done = picture_batches.run(_job(classifier, given), MAKER, given, looked, engine, workdir)
    counts: collections.Counter[str] = collections.Counter()
    columns = predictions.columns(classifier.probable)
    tables.write(workdir / "predictions.csv", columns, _rows(done, columns[-1], counts))
    done.write_manifest(
        workdir, arguments, network=runner.described(classifier.network),
        classes=classifier.classes, likeliest=dict(counts),
    )  # fmt: skip
    lines = done.lines()
    page = Page(f"What {classifier.name} names", (), lines[:1])
    lines += [f"  {count:,} {label}" for label, count in counts.most_common(_COUNTED)]
    if len(counts) > _COUNTED:
        lines.append(f"  and {len(counts) - _COUNTED:,} more classes: predictions.csv")
    return outcome.Outcome([], lines, page=page)


def job(settings: dict) -> Job:
    """Returns what is done to each picture, made of plain data.

    Args:
        settings: as `run` writes them.
    """
    return _job(_opened(settings), settings)


def _opened(given: dict) -> ImageClassifier:
    return classifying_networks.opened(
        networks.of_plain(given["network"]), given["labels"], given["precision"],
        given["crop_borders"], given["reduced_jpegs"],
    )  # fmt: skip


def _job(classifier: ImageClassifier, given: dict) -> Job:
    value = predictions.columns(classifier.probable)[-1]

    def answers(paths: Sequence[str]) -> Iterator[dict | InputError]:
        for _, read in classifier.reads(paths):
            if isinstance(read, InputError):
                yield read
                continue
            row = classifier.answer(tf.constant(read[None]))[0].numpy()
            names, values = zip(
                *predictions.ranked(row, classifier.classes, given["top"]), strict=True
            )
            yield {"label": names, value: values}

    fingerprint = {
        "job": "classify", **runner.decided_by(classifier.network),
        "classes": manifest.key(classes=classifier.classes),
        **{name: given[name] for name in ("top", "crop_borders", "precision", "reduced_jpegs")},
    }  # fmt: skip
    columns = pa.schema([("label", pa.list_(pa.string())), (value, pa.list_(pa.float32()))])
    return Job(fingerprint, columns, answers)


def _rows(
    done: picture_batches.Done, value: str, counts: collections.Counter[str]
) -> Iterator[tuple]:
    """Yields the rows of predictions.csv; counts the likeliest."""
    for row in done.rows():
        counts[row["label"][0]] += 1
        for rank, (label, sure) in enumerate(zip(row["label"], row[value], strict=True), 1):
            yield row["path"], rank, label, f"{sure:.6f}"
