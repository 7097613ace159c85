"""Classification of a folder of any size, in shards that several processes share."""

import collections
import pathlib
from collections.abc import Iterator, Sequence

import pyarrow as pa
import pyarrow.parquet as pq
import tensorflow as tf

from tfvis import files, tables
from tfvis.errors import InputError
from tfvis.experiments import (
    classifying_networks,
    devices,
    folders,
    networks,
    outcome,
    predictions,
    runner,
    workdirs,
)
from tfvis.experiments.batch import batches, shards
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
    arguments: dict | None = None,
) -> outcome.Outcome:
    """Names what pictures show, and goes on where an earlier run stopped.

    Args:
        engine: who does the work.
        wanted, found, workdir, labels, top, crop_borders, precision, arguments: as of
            `classification.run`.

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
        "precision": devices.precision(precision),
    }  # fmt: skip
    classifier = _opened(given)
    plan, verified = batches.run(
        _job(classifier, given), MAKER, given, batches.items(looked), engine, folder=workdir,
        word="Looking",
    )  # fmt: skip
    batches.report(looked, plan, verified)
    counts: collections.Counter[str] = collections.Counter()
    tables.write(
        workdir / "predictions.csv", predictions.columns(classifier.probable), _rows(plan, counts)
    )
    manifest.write(
        workdir / "manifest.json",
        {
            "arguments": arguments or {}, "versions": manifest.versions(),
            "network": runner.described(classifier.network), "classes": classifier.classes,
            "fingerprint": plan.fingerprint, "pictures": verified.items,
            "answers": verified.rows, "errors": verified.errors, "likeliest": dict(counts),
            **folders.told(looked),
        },
    )  # fmt: skip
    lines = batches.lines(plan, verified)
    lines += [f"  {count:,} {label}" for label, count in counts.most_common(_COUNTED)]
    if len(counts) > _COUNTED:
        lines.append(f"  and {len(counts) - _COUNTED:,} more classes: predictions.csv")
    page = Page(f"What {classifier.name} names", (), lines[:1])
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
        given["crop_borders"],
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
        **{name: given[name] for name in ("top", "crop_borders", "precision")},
    }  # fmt: skip
    columns = pa.schema([("label", pa.list_(pa.string())), (value, pa.list_(pa.float32()))])
    return Job(fingerprint, columns, answers)


def _rows(plan, counts: collections.Counter) -> Iterator[tuple]:
    """Yields the rows of predictions.csv, a shard in memory at a time; counts the likeliest."""
    root = pathlib.Path(plan.root)
    for number in range(plan.shards):
        found = pq.read_table(shards.part(plan, number))
        for name, labels, values in zip(*(column.to_pylist() for column in found.columns[1:]),
                                        strict=True):  # fmt: skip
            counts[labels[0]] += 1
            for rank, (label, value) in enumerate(zip(labels, values, strict=True), 1):
                yield str(root / name), rank, label, f"{value:.6f}"
