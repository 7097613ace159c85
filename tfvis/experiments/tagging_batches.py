"""Tags of a folder of any size, in shards that several processes share."""

import pathlib
from collections.abc import Iterator

import pyarrow as pa

from tfvis import images
from tfvis.experiments import (
    folders,
    illustration2vec_tagger,
    outcome,
    picture_batches,
    runner,
)
from tfvis.experiments.batch.engine import Engine
from tfvis.experiments.batch.jobs import Job
from tfvis.experiments.illustration2vec_tagger import Tagger
from tfvis.networks import illustration2vec_tags as tagging
from tfvis.report.html_page import Page

MAKER = f"{__name__}:job"
_COLUMNS = pa.schema([
    ("kind", pa.list_(pa.string())), ("tag", pa.list_(pa.string())),
    ("confidence", pa.list_(pa.float32())),
])  # fmt: skip


def run(
    tagger: Tagger,
    given: dict,
    found: folders.Found,
    engine: Engine,
    workdir: pathlib.Path,
    arguments: dict | None,
) -> outcome.Outcome:
    """Tags pictures, and goes on where an earlier run stopped.

    Args:
        tagger: who tags.
        given: `illustration2vec_tagger.plain` of it.
        found: the pictures.
        engine: who does the work.
        workdir: for all results.
        arguments: for the manifest.

    Returns:
        An outcome without records: the tables have them.

    Raises:
        InputError: as `picture_batches.run`.
    """
    done = picture_batches.run(_job(tagger), MAKER, given, found, engine, workdir)
    illustration2vec_tagger.write(workdir / "tags.csv", _results(done))
    done.write_manifest(workdir, arguments, network=runner.described(tagger.network))
    lines = [*done.lines(), f"Tags: {workdir / 'tags.csv'}"]
    return outcome.Outcome([], lines, page=Page("Tags of Illustration2Vec", (), lines))


def job(settings: dict) -> Job:
    """Returns what is done to each picture, made of plain data.

    Args:
        settings: of `illustration2vec_tagger.plain`.
    """
    return _job(illustration2vec_tagger.of_plain(settings))


def _job(tagger: Tagger) -> Job:
    def look(pixels) -> dict:
        rows = [(kind, *one) for kind, some in tagger.tags(pixels).items() for one in some]
        return {
            name: [row[k] for row in rows] for k, name in enumerate(("kind", "tag", "confidence"))
        }

    fingerprint = {"job": "tag", **runner.decided_by(tagger.network), **tagger.fingerprint}
    answers = picture_batches.answers(lambda path: images.read(path, None).pixels, look)
    return Job(fingerprint, _COLUMNS, answers)


def _results(done: picture_batches.Done) -> Iterator[tuple[str, tagging.Found]]:
    for row in done.rows():
        found: tagging.Found = {kind: [] for kind in tagging.KINDS}
        for kind, tag, sure in zip(row["kind"], row["tag"], row["confidence"], strict=True):
            found[kind].append((tag, sure))
        yield row["path"], found
