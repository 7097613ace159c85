"""Attention on a folder of any size, in shards whose archives hold the pictures."""

import pathlib

import pyarrow as pa

from tfvis.experiments import (
    attention_models,
    attention_pictures,
    folders,
    networks,
    outcome,
    picture_batches,
    runner,
)
from tfvis.experiments.attention_models import AttentionModel
from tfvis.experiments.batch.engine import Engine
from tfvis.experiments.batch.jobs import PICTURES, Job
from tfvis.report.html_page import Page

MAKER = f"{__name__}:job"
_COLUMNS = pa.schema([
    ("class", pa.string()), ("answer", pa.float64()), ("label", pa.list_(pa.string())),
    ("value", pa.list_(pa.float64())), ("seen_at", pa.list_(pa.int32())),
    ("empty", pa.list_(pa.string())),
])  # fmt: skip


def run(
    model: AttentionModel,
    chosen: tuple[int, str] | None,
    given: dict,
    found: folders.Found,
    engine: Engine,
    workdir: pathlib.Path,
    arguments: dict | None,
) -> outcome.Outcome:
    """Looks at pictures, and goes on where an earlier run stopped.

    Args:
        model, chosen: as `opened` returns them.
        given: of JSON's types; what `opened` was called with.
        found: the pictures.
        engine: who does the work.
        workdir: for all results.
        arguments: for the manifest.

    Returns:
        An outcome without records: the parts have them.

    Raises:
        InputError: as `picture_batches.run`.
    """
    done = picture_batches.run(
        _job(model, chosen, given), MAKER, given, found, engine, workdir,
        row_bytes=picture_batches.PICTURES_BYTES,
    )  # fmt: skip
    done.write_manifest(
        workdir, arguments, network=runner.described(model.network), attention=model.settings,
        classes=model.classes,
    )  # fmt: skip
    lines = [*done.lines(), f"The pictures: {workdir / 'archives'}"]
    return outcome.Outcome([], lines, page=Page(f"Where {model.name} looks", (), lines))


def opened(
    given: dict, wanted: networks.Wanted | None = None
) -> tuple[AttentionModel, tuple[int, str] | None]:
    """Returns who looks, and the number and name of the class that is meant, if one is.

    Args:
        given: arguments of `attention.run`, of JSON's types, precision that of `devices`.
        wanted: the network in its own words, where these are at hand.

    Raises:
        InputError: as `attention_models.of_wanted` and `class_index`.
    """
    of_class, cam_layer = given["of_class"], given["cam_layer"]
    model = attention_models.of_wanted(
        wanted or networks.of_plain(given["network"]), given["precision"],
        of_class is not None or cam_layer is not None, cam_layer=cam_layer,
        **{name: given[name] for name in ("size", "per_layer", "crop_borders", "layers")},
    )  # fmt: skip
    return model, None if of_class is None else attention_models.class_index(model, of_class)


def job(settings: dict) -> Job:
    """Returns what is done to each picture, made of plain data.

    Args:
        settings: as `opened` takes them.
    """
    return _job(*opened(settings), settings)


def _job(model: AttentionModel, chosen: tuple[int, str] | None, given: dict) -> Job:
    def look(pixels) -> dict:
        record = attention_pictures.look(model, pixels, chosen, given["steps"])
        return {
            **{name: record[name] for name in ("class", "answer", "seen_at", "empty")},
            "label": [label for label, _ in record["top"]],
            "value": [value for _, value in record["top"]],
            PICTURES: record["written"],
        }

    fingerprint = {
        "job": "attend", **runner.decided_by(model.network), **model.settings, "class": chosen,
        "steps": given["steps"], "roots": attention_pictures.ROOTS,
    }  # fmt: skip
    return Job(
        fingerprint, _COLUMNS, picture_batches.answers(picture_batches.whole, look), pictures=True
    )
