"""Localization on a folder of any size, in shards whose archives hold the pictures."""

import pathlib
from collections.abc import Iterator

import pyarrow as pa

from tfvis.attention.boxes import Box
from tfvis.experiments import (
    box_files,
    folders,
    localization_pictures,
    outcome,
    picture_batches,
    runner,
)
from tfvis.experiments.batch.engine import Engine
from tfvis.experiments.batch.jobs import PICTURES, Job
from tfvis.experiments.localization_pictures import Search
from tfvis.report.html_page import Page

MAKER = f"{__name__}:job"
_COLUMNS = pa.schema([
    ("label", pa.string()), ("probability", pa.float64()), ("top", pa.list_(pa.string())),
    ("top_probability", pa.list_(pa.float64())), ("windows", pa.int32()),
    ("frame", pa.list_(pa.float64())), ("canvas", pa.list_(pa.int32())),
    ("boxes", pa.list_(pa.list_(pa.float64()))),
])  # fmt: skip


def run(
    search: Search,
    given: dict,
    found: folders.Found,
    engine: Engine,
    workdir: pathlib.Path,
    arguments: dict | None,
) -> outcome.Outcome:
    """Looks for boxes in pictures, and goes on where an earlier run stopped.

    Args:
        search: as `localization_pictures.opened` returns it.
        given: of JSON's types; what that was called with.
        found: the pictures.
        engine: who does the work.
        workdir: for all results.
        arguments: for the manifest.

    Returns:
        An outcome without records: the parts have them.

    Raises:
        InputError: as `picture_batches.run`.
    """
    model = search.model
    done = picture_batches.run(
        _job(search), MAKER, given, found, engine, workdir,
        row_bytes=picture_batches.PICTURES_BYTES,
    )  # fmt: skip
    box_files.write(workdir / "boxes.csv", _boxes(done))
    done.write_manifest(
        workdir, arguments, network=runner.described(model.network), attention=model.settings,
        classes=model.classes,
    )  # fmt: skip
    lines = [*done.lines(), f"Boxes: {workdir / 'boxes.csv'}"]
    lines.append(f"The pictures: {workdir / 'archives'}")
    return outcome.Outcome([], lines, page=Page(f"Where {model.name} finds things", (), lines))


def job(settings: dict) -> Job:
    """Returns what is done to each picture, made of plain data.

    Args:
        settings: as `localization_pictures.opened` takes them.
    """
    return _job(localization_pictures.opened(settings))


def _job(search: Search) -> Job:
    def look(pixels) -> dict:
        record = localization_pictures.look(search, "", pixels, {})
        same = ("label", "probability", "windows", "frame", "canvas", "boxes")
        return {
            **{name: record[name] for name in same},
            "top": [label for label, _ in record["top"]],
            "top_probability": [share for _, share in record["top"]],
            PICTURES: record["written"],
        }

    fingerprint = {
        "job": "localize", **runner.decided_by(search.model.network), **search.settings()
    }  # fmt: skip
    return Job(
        fingerprint, _COLUMNS, picture_batches.answers(picture_batches.whole, look), pictures=True
    )


def _boxes(done: picture_batches.Done) -> Iterator[box_files.Row]:
    for row in done.rows():
        for box in row["boxes"]:
            yield box_files.Row(row["path"], row["label"], Box(*box))
