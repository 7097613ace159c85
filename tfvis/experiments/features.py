"""Features: the vectors a layer makes of pictures, of a folder of any size."""

import dataclasses
import pathlib
from collections.abc import Callable

import numpy as np
import pyarrow as pa
import tensorflow as tf

from tfvis import files, images
from tfvis.errors import InputError, arg, marked
from tfvis.experiments import (
    devices,
    folders,
    messages,
    networks,
    outcome,
    picture_batches,
    runner,
    workdirs,
)
from tfvis.experiments.batch.engine import Engine
from tfvis.experiments.batch.jobs import Job
from tfvis.experiments.features_settings import Features
from tfvis.networks import behind
from tfvis.networks.network import Network
from tfvis.report.html_page import Page

MAKER = f"{__name__}:job"


@workdirs.kept
def run(
    wanted: networks.Wanted,
    found: folders.Found | pathlib.Path | str,
    settings: Features = Features(),
    engine: Engine = Engine(),
    *,
    workdir: pathlib.Path | str,
    precision: str = "auto",
    arguments: dict | None = None,
) -> outcome.Outcome:
    """Writes a vector of each picture, as Parquet files; goes on where an earlier run stopped.

    Args:
        wanted: the one network.
        found: the pictures: a folder, or what `folders.find` returned.
        settings: the layer, and what is made of its map.
        engine: who does the work.
        workdir: for all results.
        precision: of the network; "auto" is float32, as vectors are compared, also with those
            of other machines.
        arguments: for the manifest.

    Returns:
        An outcome without records: the tables have them.

    Raises:
        InputError: no such network or layer; no picture can be read; the workdir holds vectors of
            other pictures or settings; see `batches.run`.
    """
    found = folders.listed(found, workdir)
    given = {
        "network": networks.plain(wanted),
        "features": dataclasses.asdict(settings),
        "precision": "float32" if precision == "auto" else devices.precision(precision),
    }
    engine.check()
    made = prepared(given)
    if not settings.layer and (names := behind.behind(made.network, made.settings.layer)):
        messages.note(
            f"behind {made.settings.layer}, the last convolution, {made.network.name} has learnt "
            f"more ({names[-1]} is its last); name a layer with {arg('layer')}."
        )
    done = picture_batches.run(
        made.job, MAKER, given, found, engine, workdir, row_bytes=4 * made.length
    )
    files.write_text(workdir / "README.md", _readme(made, done.verified))
    done.write_manifest(
        workdir, arguments, network=runner.described(made.network), features=made.settings,
        precision=given["precision"], numbers=made.length,
    )  # fmt: skip
    lines = done.lines()
    lines.append(
        f"{made.length:,} numbers a picture, of {made.settings.layer}; how to read them: "
        f"{workdir / 'README.md'}"
    )
    page = Page(f"Vectors of {done.verified.rows:,} pictures", (), lines)
    return outcome.Outcome([], lines, page=page)


def job(settings: dict) -> Job:
    """Returns what is done to each picture, made of plain data, for a process that shares the work.

    Args:
        settings: as `run` writes them.

    Raises:
        InputError: as `run`.
    """
    return prepared(settings).job


@dataclasses.dataclass(frozen=True, eq=False)
class Prepared:
    """What a run works with.

    Attributes:
        job: what is done to each picture.
        row: the same, of one file, in this thread.
        network: that looks.
        settings: with the layer that is meant.
        length: of a vector.
    """

    job: Job
    row: Callable[[str], dict]
    network: Network
    settings: Features
    length: int


def prepared(given: dict) -> Prepared:
    """Returns what a run works with; `given` and exceptions as of `job`."""
    settings = Features(**given["features"])
    wanted = networks.of_plain(given["network"])
    words = [settings.layer] if settings.layer else []
    network = networks.only(
        networks.networks(wanted, words=words), f"give each a {arg('workdir')} of its own"
    )
    layer = settings.layer or networks.depths(network)[-1]
    try:
        network.check([layer])
    except InputError as error:
        raise InputError(f"{arg('layer')}: {marked(error)}") from error
    settings = dataclasses.replace(settings, layer=layer)
    taps = network.taps([layer], given["precision"])
    look = tf.function(lambda batch: taps(batch)[layer], autograph=False)

    def square(pixels: np.ndarray) -> np.ndarray:
        return networks.target(pixels, network, settings.size, settings.crop)

    def vector(shown: np.ndarray) -> dict:
        return {"vector": pooled(look(tf.constant(shown[None]))[0].numpy(), settings.pool)}

    sides = network.fixed_size or (settings.size or network.side or 224,)
    least = images.REDUCED * max(sides) if settings.reduced_jpegs else None

    def read(path: str) -> np.ndarray:
        return square(images.read(path, None, least=least).pixels)

    answers = picture_batches.answers(read, vector)
    # Traced before a shard is begun, and refused here if it is to be.
    length = len(vector(square(np.zeros((256, 256, 3), np.float32)))["vector"])
    fingerprint = {
        "job": "features", **runner.decided_by(network), **dataclasses.asdict(settings),
        "precision": given["precision"],
    }  # fmt: skip
    columns = pa.schema([("vector", pa.list_(pa.float32(), length))])
    job = Job(fingerprint, columns, answers)
    return Prepared(job, lambda path: vector(read(path)), network, settings, length)


def pooled(output: np.ndarray, pool: str) -> np.ndarray:
    """Returns one vector of what a layer puts out for one picture.

    Args:
        output: float32 [..., channels].
        pool: "mean" or "max" over all places, or "none".

    Returns:
        float32 [numbers].
    """
    if pool == "none" or output.ndim < 2:
        return output.reshape(-1)
    places = output.reshape(-1, output.shape[-1])
    # In float64: the same in whatever order the places are added.
    return places.max(0) if pool == "max" else places.mean(0, dtype=np.float64).astype(np.float32)


def _readme(made: Prepared, found) -> str:
    """Returns how to read the files, for whoever finds them."""
    what = {"mean": "mean over all places", "max": "max over all places", "none": "whole output"}
    return f"""# Vectors of {found.rows:,} pictures

`parts/` has them as Parquet files, a row for each picture: `id`, `path` (below the folder of
pictures) and `vector`, {made.length:,} float32: the {what[made.settings.pool]} of
{made.settings.layer} of {made.network.name}. Of {found.errors:,} pictures there is none, and
`errors/` says why.

With pandas:

    table = pandas.read_parquet("parts")
    vectors = numpy.stack(table["vector"])

With pyarrow, without a copy of each row:

    table = pyarrow.parquet.read_table("parts").combine_chunks()
    vectors = table["vector"].chunk(0).flatten().to_numpy().reshape(len(table), -1)

`sha256sum -c checksums/*` tells whether a file has changed since.
"""
