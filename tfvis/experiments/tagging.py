"""Illustration2Vec: its tags of pictures, or its vectors."""

import pathlib
from collections.abc import Callable, Iterator, Sequence

import numpy as np
import scipy.special
import tensorflow as tf

from tfvis import files, images, tables
from tfvis.errors import InputError, arg, marked
from tfvis.experiments import (
    devices,
    folders,
    networks,
    outcome,
    picture_pages,
    picture_tasks,
    tagging_sheets,
    workdirs,
)
from tfvis.experiments.runner import described
from tfvis.experiments.tagging_settings import Tagging
from tfvis.networks import illustration2vec_tags as tagging
from tfvis.networks import network as builder
from tfvis.networks.preprocessing import published_recipes
from tfvis.progress_bar import bar
from tfvis.report import manifest, sheets
from tfvis.report.html_page import Page

COLUMNS = ("path", "kind", "rank", "tag", "confidence")
# Pictures on the sheet; a folder may hold thousands.
_SHOWN = 30
_COLUMNS = 3
# Characters of a picture's path below it.
_WIDE = 60
# The first layers behind the trunk.
_ENDS = ("conv6_4", "encode1")


@workdirs.kept
def tag(
    weights: str,
    found: folders.Found | pathlib.Path | str | None,
    settings: Tagging,
    *,
    workdir: pathlib.Path | str,
    precision: str = "auto",
    arguments: dict | None = None,
) -> outcome.Outcome:
    """Tags pictures with Illustration2Vec.

    Args:
        weights: of the network: a file, or "random".
        found: the pictures, see `folders.listed`; None is two that come along.
        settings: the file of tags, and which of them are shown.
        workdir: for all results.
        precision: see `devices`.
        arguments: for the manifest.

    Raises:
        InputError: tags, thresholds or weights that do not fit; no picture can be read.
    """
    names = tagging.read(settings.tags)
    if settings.thresholds is not None:
        least = tagging.read_thresholds(settings.thresholds, settings.rule or "f1")
    else:
        least = tagging.THRESHOLD if settings.threshold is None else settings.threshold
    network = _build("illustration2vec", weights)
    results, cells = [], []
    # The sigmoid in float32: in bfloat16, certainty has three digits.
    looked = _looked_at(found, workdir, network, ("pool6",), devices.precision(precision))
    for path, pixels, seen in looked:
        confidences = scipy.special.expit(seen["pool6"].reshape(-1))
        said = tagging.plausible(confidences, names, least, settings.top)
        results.append((path, said))
        if len(cells) < _SHOWN:
            shown = picture_tasks.short(path, _WIDE)
            cells.append(sheets.Cell(tagging_sheets.card(pixels, said), shown))
    tables.write(workdir / "tags.csv", COLUMNS, _rows(results))
    columns = min(_COLUMNS, len(cells))
    images.save_png(workdir / "sheet.png", sheets.sheet(cells, columns))
    about = [
        {"path": path, **{kind: dict(tags) for kind, tags in said.items()}}
        for path, said in results
    ]
    _manifest(workdir, arguments, network, results=about)
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
    network = _build("illustration2vec_features", weights)
    paths, vectors, bits = [], [], []
    looked = _looked_at(found, workdir, network, ("encode1", "encode1neuron"), precision)
    for path, _, seen in looked:
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


def _build(name: str, weights: str) -> builder.Network:
    """Returns a network of Illustration2Vec; says what should be known of its weights."""
    try:
        network = builder.build(name, weights=weights, top=True)
    except InputError as error:
        # Both files have the same trunk: the end tells that it is the other one.
        if any(f"layer {end}" in str(error) for end in _ENDS):
            raise InputError(
                f"{marked(error)} {arg('features')} takes the vectors' weights, tags theirs."
            ) from error
        raise
    networks.say_notes(network)
    return network


def _looked_at(
    found: folders.Found | None,
    workdir: pathlib.Path,
    network: builder.Network,
    layers: Sequence[str],
    precision: str,
) -> Iterator[tuple[str, np.ndarray, dict[str, np.ndarray]]]:
    """Yields (path, pixels, {layer: what it says}) of each picture, and reports broken ones."""
    look = _looking(network, layers, precision)
    found = folders.listed(found, workdir)
    with bar("Looking", len(found.paths)) as progress:
        for path, pixels in folders.pictures(found):
            yield str(path), pixels, look(pixels)
            progress.update(1)
    folders.report(found)


def _looking(network, layers, precision) -> Callable[[np.ndarray], dict[str, np.ndarray]]:
    """Returns the function from a picture to what `layers` say of it."""
    taps = network.taps(layers, precision)
    run = tf.function(lambda framed: taps(framed), autograph=False)
    recipe = published_recipes.named("illustration2vec")

    def look(pixels: np.ndarray) -> dict[str, np.ndarray]:
        framed = recipe.framed(pixels[None])
        return {layer: seen.numpy() for layer, seen in run(framed).items()}

    return look


def _rows(results) -> Iterator[tuple]:
    for path, found in results:
        for kind, tags in found.items():
            for rank, (name, confidence) in enumerate(tags, 1):
                yield path, kind, rank, name, f"{confidence:.6f}"


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
