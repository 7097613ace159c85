"""Negative pictures: what lies beside the objects of labelled pictures, as boxes of `none`.

A classifier of a few classes names one of them in any picture, until it has learnt what shows
none. The backgrounds of its own pictures are of the same hands, papers and places as its objects,
so that nothing but the object tells the two apart.
"""

import dataclasses
import itertools
import math
import os
import pathlib

import numpy as np
import scipy.ndimage
import tensorflow as tf

from tfvis import images, progress_bar, tables
from tfvis.attention.boxes import Box
from tfvis.attention.grad_cam import GradCam
from tfvis.classifiers import datasets
from tfvis.classifiers.datasets import NEGATIVE, Dataset, Example
from tfvis.errors import InputError, arg
from tfvis.experiments import (
    attention_models,
    devices,
    labelled_pictures,
    messages,
    networks,
    outcome,
    workdirs,
)
from tfvis.image_files.folders import LeftOut, left_out
from tfvis.report import manifest, sheets
from tfvis.report.html_page import Page

# Where `localize` cuts Grad-CAM: there its boxes fit objects best, heads and bodies.
_MARKED = 0.05
# Cells along a side, each marked if anything in it is: as fine as the deepest maps of 224 px.
_CELLS = 14
# A background narrower than this share of its picture shows too little; longer than this many
# times its width, it is squeezed to something else when it is made square.
_NARROWEST, _LONGEST = 0.3, 2.0
# Paper without a mark on it (deviation of its brightness, grey levels) teaches nothing.
_PLAIN = 8.0
# The object is taken to reach into it where its class is as likely as so many times chance; of two
# classes, of which one has to be likely, at this probability.
_TIMES_CHANCE, _LIKELY = 2.0, 0.75
_COLUMNS = ("path", "label", "x0", "y0", "x1", "y1")
# All are to be looked at: a sheet of as many cells is still opened.
_SHOWN, _THUMBNAIL = 600, 128


@workdirs.kept
def run(
    checkpoint: str,
    dataset: Dataset,
    *,
    workdir: pathlib.Path | str,
    per_class: int | None = 60,
    seed: int = 0,
    precision: str = "auto",
    arguments: dict | None = None,
) -> outcome.Outcome:
    """Writes a table per source, of its pictures and of what lies beside the objects in some.

    All boxes of a picture stay in one part of a split, so that no background is learnt from whose
    picture is tested on.

    Args:
        checkpoint: folder or name of a classifier, which says where the objects are.
        dataset: as `labelled_pictures.of_checkpoint` reads it.
        workdir: for all results.
        per_class: pictures of each class and source that are looked at, at most; None is all.
        seed: which of them.
        precision: see `devices`.
        arguments: for the manifest.

    Returns:
        A record per background.

    Raises:
        InputError: no such checkpoint; no picture can be read; none shows anything beside its
            object.
    """
    classifier = networks.classifier(checkpoint)
    cam = GradCam(classifier.network, None, devices.precision(precision))
    chosen = _chosen(dataset, per_class, seed)
    found: dict[Example, Box] = {}
    broken: list[LeftOut] = []
    seen: dict[Example, np.ndarray] = {}
    with progress_bar.bar("Looking beside", len(chosen)) as bar:
        for example in chosen:
            bar.update(1)
            try:
                pixels = images.read(example.path, None, shrink=False).pixels
            except InputError as error:
                broken.append(left_out(example.path, error))
                continue
            box = _background(classifier, cam, example, pixels)
            if box is not None:
                found[example] = box
                if len(seen) < _SHOWN:
                    cut = attention_models.cut(pixels, box)
                    seen[example] = images.resize(cut, _THUMBNAIL, _THUMBNAIL)
    labelled_pictures.report(dataset, broken)
    if not found:
        raise InputError(
            f"{arg('data')}: none of {len(chosen)} pictures shows anything beside its object."
        )
    written: list[pathlib.Path] = []
    lines_of: dict[Example, int] = {}
    for number in range(len(dataset.domains)):
        path, of_source = _write(workdir, dataset, number, found)
        written.append(path)
        lines_of |= of_source
    records = [
        {"path": one.path, "label": dataset.classes[one.label], "box": list(_corners(box))}
        for one, box in found.items()
    ]
    heading = f"Beside what {classifier.name} sees: {len(found)} of {len(chosen)} pictures"
    cells = [
        sheets.Cell(
            picture, f"{written[one.domain].name}, line {lines_of[one]}",
            f"beside {dataset.classes[one.label]}",
        )
        for one, picture in seen.items()
    ]  # fmt: skip
    images.save_png(workdir / "sheet.png", sheets.sheet(cells, heading=heading))
    manifest.write(
        workdir / "manifest.json",
        {
            "arguments": arguments or {}, "versions": manifest.versions(),
            "checkpoint": classifier.name, "looked_at": len(chosen), "results": records,
        },
    )  # fmt: skip
    lines = [
        f"{len(found)} backgrounds of {len(chosen)} pictures. Tables to learn from:",
        f"  {','.join(str(path) for path in written)}",
    ]
    messages.note(
        "look through them: in a third or so, a part of the object shows, such as legs or an ear. "
        f"{workdir / 'sheet.png'} names the line to delete; begin with the last, or lines move up."
    )
    about = (
        f"{heading}. Look through them, and delete the lines of those that show a part of the "
        "object, such as legs or an ear: of PACS a third. The tables are to learn from."
    )
    page = Page("Pictures of nothing that is looked for", [], [about])
    return outcome.Outcome(records, lines, workdir / "sheet.png", page)


def emptiest(marked: np.ndarray) -> tuple[int, int, int, int] | None:
    """Returns the largest rectangle without a marked cell, as shares of neither side too narrow.

    Args:
        marked: bool [rows, columns].

    Returns:
        (x0, y0, x1, y1) in cells, ends exclusive, no longer than twice its width (in cells); or
        None where all are narrower than `_NARROWEST` of a side.
    """
    rows, columns = marked.shape
    sums = np.pad(marked.astype(int).cumsum(0).cumsum(1), ((1, 0), (1, 0)))
    least = [math.ceil(_NARROWEST * side) for side in (rows, columns)]
    sizes = sorted(
        itertools.product(range(least[0], rows + 1), range(least[1], columns + 1)),
        key=lambda size: (-size[0] * size[1], size),
    )
    for down, across in sizes:
        if max(down, across) > _LONGEST * min(down, across):
            continue
        inside = (
            sums[down:, across:] - sums[:-down, across:] - sums[down:, :-across]
            + sums[:-down, :-across]
        )  # fmt: skip
        free = np.argwhere(inside == 0)
        if len(free):
            y0, x0 = map(int, free[0])
            return x0, y0, x0 + across, y0 + down
    return None


def _chosen(dataset: Dataset, per_class: int | None, seed: int) -> list[Example]:
    """Returns pictures to look at, so many of each class and source.

    Those with boxes are left out: what lies beside one may be another.
    """
    boxed = {one.path for one in dataset.examples if one.box is not None}
    whole = [
        one
        for one in dataset.examples
        if one.path not in boxed and dataset.classes[one.label] != NEGATIVE
    ]
    if per_class is None:
        return whole
    kept: list[Example] = []
    for domain in range(len(dataset.domains)):
        own = tuple(one for one in whole if one.domain == domain)
        kept += datasets.at_most(
            dataclasses.replace(dataset, examples=own), per_class, seed
        ).examples
    return kept


def _background(classifier, cam: GradCam, example: Example, pixels: np.ndarray) -> Box | None:
    """Returns the box beside the object of a picture, in its pixels, or None."""
    size = classifier.size
    squeezed = tf.constant(images.resize(pixels, size, size)[None])
    heat = cam(squeezed, [example.label])[0].numpy()
    side = size // _CELLS * _CELLS
    cells = heat[:side, :side].reshape(_CELLS, side // _CELLS, _CELLS, -1).max((1, 3))
    if not heat.max():
        return None
    # One cell more all around: feet and tails are seldom what is looked at.
    marked = scipy.ndimage.binary_dilation(cells > _MARKED * heat.max(), np.ones((3, 3)))
    free = emptiest(marked)
    if free is None:
        return None
    height, width = pixels.shape[:2]
    x0, y0, x1, y1 = free
    found = Box(
        round(x0 * width / _CELLS), round(y0 * height / _CELLS),
        round(x1 * width / _CELLS), round(y1 * height / _CELLS),
    )  # fmt: skip
    cut = attention_models.cut(pixels, found)
    if (cut @ np.asarray(images.LUMA, np.float32)).std() < _PLAIN:
        return None
    said = classifier.probabilities(tf.constant(images.resize(cut, size, size)[None]))[0]
    there = min(_TIMES_CHANCE / len(classifier.classes), _LIKELY)
    return found if float(said[example.label]) < there else None


def _corners(box: Box) -> tuple[int, int, int, int]:
    return int(box.x0), int(box.y0), int(box.x1), int(box.y1)


def _write(
    workdir, dataset: Dataset, number: int, found: dict[Example, Box]
) -> tuple[pathlib.Path, dict[Example, int]]:
    """Writes the table of a source, its pictures and backgrounds; returns it and their lines."""
    name = dataset.domains[number].replace("/", "-")
    rows, lines = [], {}
    for one in dataset.examples:
        if one.domain != number:
            continue
        path = os.path.relpath(one.path, workdir)
        box = one.box or ("",) * 4
        rows.append((path, dataset.classes[one.label], *box))
        if one in found:
            rows.append((path, NEGATIVE, *_corners(found[one])))
            # The first line has the names of the columns.
            lines[one] = len(rows) + 1
    path = workdir / f"{name}.csv"
    tables.write(path, _COLUMNS, rows)
    return path, lines
