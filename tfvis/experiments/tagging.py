"""Illustration2Vec: its tags of pictures, or its vectors."""

import pathlib
from collections.abc import Callable, Iterator
from typing import TypeVar

import numpy as np

from tfvis import files, images, tables
from tfvis.experiments import (
    devices,
    folders,
    illustration2vec_tagger,
    outcome,
    picture_pages,
    picture_tasks,
    tagging_batches,
    tagging_sheets,
    workdirs,
)
from tfvis.experiments.batch.engine import Engine
from tfvis.experiments.runner import described
from tfvis.experiments.tagging_settings import Tagging
from tfvis.networks import illustration2vec_tags as tagging
from tfvis.networks import network as builder
from tfvis.progress_bar import bar
from tfvis.report import manifest, sheets
from tfvis.report.html_page import Page

# Pictures on the sheet; a folder may hold thousands.
_SHOWN = 30
_COLUMNS = 3
# Characters of a picture's path below it.
_WIDE = 60
T = TypeVar("T")


@workdirs.kept
def tag(
    weights: str,
    found: folders.Found | pathlib.Path | str | None,
    settings: Tagging,
    *,
    workdir: pathlib.Path | str,
    precision: str = "auto",
    engine: Engine | None = None,
    arguments: dict | None = None,
) -> outcome.Outcome:
    """Tags pictures with Illustration2Vec.

    Args:
        weights: of the network: a file, or "random".
        found: the pictures, see `folders.listed`; None is two that come along.
        settings: the file of tags, and which of them are shown.
        workdir: for all results.
        precision: see `devices`.
        engine: who shares the work, in shards; None is this process alone.
        arguments: for the manifest.

    Raises:
        InputError: tags, thresholds or weights that do not fit; no picture can be read.
    """
    precision = devices.precision(precision)
    tagger = illustration2vec_tagger.opened(weights, settings, precision)
    found = folders.listed(found, workdir)
    if engine is not None:
        given = illustration2vec_tagger.plain(weights, settings, precision)
        return tagging_batches.run(tagger, given, found, engine, workdir, arguments)
    results, cells = [], []
    for path, pixels, said in _looked_at(found, tagger.tags):
        results.append((path, said))
        if len(cells) < _SHOWN:
            shown = picture_tasks.short(path, _WIDE)
            cells.append(sheets.Cell(tagging_sheets.card(pixels, said), shown))
    illustration2vec_tagger.write(workdir / "tags.csv", results)
    columns = min(_COLUMNS, len(cells))
    images.save_png(workdir / "sheet.png", sheets.sheet(cells, columns))
    about = [
        {"path": path, **{kind: dict(tags) for kind, tags in said.items()}}
        for path, said in results
    ]
    _manifest(workdir, arguments, tagger.network, results=about)
    lines = [line for path, said in results for line in _lines(path, said)]
    page = picture_pages.tags(about, workdir)
    return outcome.Outcome(about, lines, workdir / "sheet.png", page)


@workdirs.kept
def describe(
    weights: str,
    found: folders.Found | pathlib.Path | str | None,
    *,
    workdir: pathlib.Path | str,
    precision: str = "auto",
    arguments: dict | None = None,
) -> outcome.Outcome:
    """Writes the pictures' vectors; arguments as `tag`.

    Raises:
        InputError: weights that do not fit; no picture can be read.
    """
    # Vectors are kept and compared, also with those of other machines.
    precision = "float32" if precision == "auto" else precision
    network = illustration2vec_tagger.build("illustration2vec_features", weights)
    look = illustration2vec_tagger.looking(network, ("encode1", "encode1neuron"), precision)
    paths, vectors, bits = [], [], []
    for path, _, seen in _looked_at(folders.listed(found, workdir), look):
        paths.append(path)
        vectors.append(seen["encode1"][0])
        bits.append(tagging.packed(seen["encode1neuron"])[0])
    rows = np.stack(vectors)
    _save(workdir / "features.npy", rows)
    _save(workdir / "binary.npy", np.stack(bits))
    tables.write(workdir / "features.csv", ("row", "path"), enumerate(paths))
    _manifest(workdir, arguments, network, pictures=paths)
    lines = [
        f"{len(paths)} vectors of {rows.shape[1]:,} numbers: {workdir / 'features.npy'}",
        f"As bits: {workdir / 'binary.npy'}; which is which: {workdir / 'features.csv'}",
    ]
    page = Page(
        "Pictures as vectors", [],
        ["Vectors of Illustration2Vec (Saito & Matsui 2015); near ones are of like drawings."],
    )  # fmt: skip
    return outcome.Outcome([{"path": path} for path in paths], lines, page=page)


def _looked_at(
    found: folders.Found, look: Callable[[np.ndarray], T]
) -> Iterator[tuple[str, np.ndarray, T]]:
    """Yields (path, pixels, what is seen) of each picture, and reports broken ones."""
    with bar("Looking", len(found.paths)) as progress:
        for path, pixels in folders.pictures(found):
            yield str(path), pixels, look(pixels)
            progress.update(1)
    folders.report(found)


def _save(path: pathlib.Path, array: np.ndarray) -> None:
    with files.replacing(path) as temporary, open(temporary, "wb") as file:
        np.save(file, array, allow_pickle=False)


def _manifest(workdir: pathlib.Path, arguments, network: builder.Network, **rest) -> None:
    manifest.write(
        workdir / "manifest.json",
        {
            "arguments": arguments or {}, "versions": manifest.versions(),
            "network": described(network), **rest,
        },
    )  # fmt: skip


def _lines(path: str, found: tagging.Found) -> list[str]:
    """Returns the table's lines: the picture, then kind, tag, confidence."""
    lines = [path]
    for kind, tags in found.items():
        for k, (name, confidence) in enumerate(tags):
            lines.append(f"  {kind if not k else '':<10} {name:<40} {confidence:6.1%}")
    return lines
