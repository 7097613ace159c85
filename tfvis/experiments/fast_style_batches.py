"""Painting a folder of any size in one pass each, in shards whose archives hold the pictures."""

import pathlib
from collections.abc import Sequence

import numpy as np
import pyarrow as pa

from tfvis import images
from tfvis.experiments import folders, outcome, picture_batches
from tfvis.experiments.batch.engine import Engine
from tfvis.experiments.batch.jobs import PICTURES, Job
from tfvis.report import manifest
from tfvis.report.html_page import Page
from tfvis.style import metrics
from tfvis.style.fast import checkpoints
from tfvis.style.fast.fast_style import FastStyle

MAKER = f"{__name__}:job"
_COLUMNS = pa.schema([("height", pa.int32()), ("width", pa.int32())])


def run(
    painter: FastStyle,
    given: dict,
    found: folders.Found,
    engine: Engine,
    workdir: pathlib.Path,
    arguments: dict | None,
    words: str,
) -> outcome.Outcome:
    """Paints pictures, and goes on where an earlier run stopped.

    Args:
        painter: who paints.
        given: of JSON's types: `checkpoint`, where it is; `mix`, `size`, `memory` and `precision`
            as of `painted`.
        found: the pictures.
        engine: who does the work.
        workdir: for all results.
        arguments: for the manifest.
        words: in which style.

    Returns:
        An outcome without records: the parts have them.

    Raises:
        InputError: as `picture_batches.run`.
    """
    done = picture_batches.run(
        _job(painter, given), MAKER, given, found, engine, workdir, word="Painting",
        row_bytes=picture_batches.PICTURES_BYTES,
    )  # fmt: skip
    done.write_manifest(
        workdir, arguments, checkpoint={"name": painter.name, "about": painter.about},
        mix=dict(zip(painter.styles, given["mix"], strict=True)),
    )  # fmt: skip
    lines = [*done.lines(), f"The pictures ({words}): {workdir / 'archives'}"]
    return outcome.Outcome([], lines, page=Page(f"Painted in {words}", (), lines))


def painted(
    painter: FastStyle,
    pixels: np.ndarray,
    *,
    mix: Sequence[float],
    size: int,
    memory: int | None,
    precision: str,
) -> np.ndarray:
    """Returns a picture painted at another size; see `FastStyle.paint`.

    Args:
        painter: who paints.
        pixels: float32 [height, width, 3], 0..255.
        mix, memory, precision: as there.
        size: side of a square of as many pixels as the picture is to have.
    """
    return painter.paint(metrics.resized(pixels, size), mix, memory, precision)


def job(settings: dict) -> Job:
    """Returns what is done to each picture, made of plain data.

    Args:
        settings: as `run` takes them.
    """
    return _job(checkpoints.load(settings["checkpoint"]), settings)


def _job(painter: FastStyle, given: dict) -> Job:
    asked = {name: given[name] for name in ("mix", "size", "memory", "precision")}

    def look(pixels: np.ndarray) -> dict:
        made = painted(painter, pixels, **asked)
        height, width = made.shape[:2]
        return {"height": height, "width": width, PICTURES: {"png": images.png(made)}}

    fingerprint = {
        "job": "stylize", "weights": manifest.key(weights=painter.model.get_weights()),
        "versions": manifest.versions(), **asked,
    }  # fmt: skip
    answers = picture_batches.answers(lambda path: images.read(path, None).pixels, look)
    return Job(fingerprint, _COLUMNS, answers, pictures=True)
