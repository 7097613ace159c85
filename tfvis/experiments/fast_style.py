"""Painting in one pass: a picture or a folder of them, by a network that was trained to."""

import functools
import pathlib
import time
from collections.abc import Sequence

import numpy as np

from tfvis import files, images
from tfvis.errors import InputError, arg, marked
from tfvis.experiments import (
    fast_style_batches,
    folders,
    optimization_tasks,
    outcome,
    picture_tasks,
    runner,
    style_pages,
    workdirs,
)
from tfvis.experiments.batch.engine import Engine
from tfvis.report import manifest, sheets
from tfvis.style import metrics
from tfvis.style.fast import checkpoint_files, checkpoints

# What a record has, and seconds between two writings of the manifest.
_NEEDED, _SAVE_EVERY_S = {"file": str, "sha256": str, "key": str, "path": str}, 5.0
# Pictures on the sheet, and their side.
_SHOWN, _SIDE = 12, 512


@workdirs.kept
def run(
    content: folders.Found | pathlib.Path | str | None,
    checkpoint: str,
    *,
    workdir: pathlib.Path | str,
    style: Sequence[str] = (),
    style_mix: Sequence[float] = (),
    size: int = 512,
    memory: int | None = None,
    precision: str = "auto",
    engine: Engine | None = None,
    arguments: dict | None = None,
) -> outcome.Outcome:
    """Paints pictures, or takes over those that were finished before.

    Args:
        content: a picture, a folder of them, or None for a demo photograph.
        checkpoint: folder or name of what `fast_style_training` made.
        workdir: for all results; a picture becomes stylized.png, those of a folder are in
            stylized/ under their names.
        style: names of its styles; none are the first, or, with a mix, all.
        style_mix: how much of each; none are equal shares.
        size: side of a square of as many pixels as a picture is to have; its aspect is kept.
        memory: bytes a picture may take; None is more than half of what the machine has.
        precision: "auto" is float32: one pass is short, and a picture of 8 bits shows the rounding
            of bfloat16.
        engine: who shares the work, in shards, whose archives the pictures are in; None is this
            process, which writes a file of each.
        arguments: for the manifest.

    Returns:
        A record of each picture, of those that this process writes a file of.

    Raises:
        InputError: no such checkpoint or style; none of the pictures can be read, or all are too
            large.
    """
    painter = checkpoints.load(checkpoint)
    mix = painter.mix(style, style_mix)
    precision = "float32" if precision == "auto" else precision
    found = _given(content, workdir)
    shares = {name: share for name, share in zip(painter.styles, mix, strict=True) if share}
    words = ", ".join(
        f"{share:.0%} {name}" if share < 1 else name for name, share in shares.items()
    )
    asked = {"mix": mix, "size": size, "memory": memory, "precision": precision}
    if engine is not None:
        given = asked | {"checkpoint": str(checkpoint_files.found(checkpoint).absolute())}
        found = folders.listed(found, workdir)
        return fast_style_batches.run(painter, given, found, engine, workdir, arguments, words)
    # A file is one picture, a folder many, of however few.
    single = content is None or not files.located(content).is_dir()
    inputs = picture_tasks.input_pictures(found)
    paint = functools.partial(fast_style_batches.painted, painter, **asked)
    key = functools.partial(
        manifest.key,
        weights=painter.model.get_weights(), mix=mix, size=size, precision=precision,
        versions=manifest.versions(),
    )  # fmt: skip

    def records(path, earlier, bar) -> list[dict]:
        name = pathlib.PurePosixPath("stylized")
        name = name if single else name / inputs.names[path]
        made = _record(
            found, path, name.with_name(f"{name.name}.png"), workdir, earlier, key, paint
        )
        bar.update(1)
        return made

    parts = [runner.Part((str(path),), 1, functools.partial(records, path)) for path in found.paths]
    header = {
        "arguments": arguments or {},
        "versions": manifest.versions(),
        "checkpoint": {"name": painter.name, "about": painter.about},
        "mix": shares,
    }
    done = runner.run(
        parts, workdir, lambda: header | folders.told(found), "path", _NEEDED,
        word="Painting", every=_SAVE_EVERY_S,
    )  # fmt: skip
    if not done:
        first = marked(next(iter(found.broken.values())).detail)
        raise InputError(
            f"{arg(found.argument)}: none of {len(found.paths)} pictures can be painted; the "
            f"first: {first}"
        )
    folders.report(found)
    optimization_tasks.save_pages(workdir, {"sheet": _sheet(done, workdir, size, shares)})
    seconds = sum(record["seconds"] for record in done)
    where = workdir / done[0]["file"] if single else workdir / "stylized"
    lines = [f"{where}  {len(done)} in {seconds:.1f} s ({words})"]
    page = style_pages.painted(done, workdir, words)
    return outcome.Outcome(done, lines, workdir / "sheet.png", page)


def _given(content, workdir: pathlib.Path) -> folders.Found:
    """Returns the pictures; the demo photograph as a file in the workdir."""
    if content is None:
        content = workdir / "photograph.png"
        images.save_png(content, images.demo())
    return folders.given(content, "content")


def _record(found, path, name, workdir, earlier, key, paint) -> list[dict]:
    """Returns the record of a picture; none if it cannot be read or is too large."""
    try:
        digest = key(picture=files.sha256_of(path), name=name)
        before = earlier[0]
        whole = before and before["key"] == digest
        if whole and runner.unchanged(workdir / before["file"], before["sha256"]):
            return [before]
        pixels = images.read(path, None).pixels
        began = time.perf_counter()
        painted = paint(pixels)
    except InputError as error:
        found.leave_out(path, error)
        return []
    seconds = time.perf_counter() - began
    images.save_png(workdir / name, painted)
    return [
        {
            "path": str(path),
            "file": name.as_posix(),
            "sha256": files.sha256_of(workdir / name),
            "size": list(painted.shape[:2]),
            "seconds": seconds,
            "key": digest,
        }
    ]


def _sheet(records: list[dict], workdir: pathlib.Path, size: int, shares: dict) -> np.ndarray:
    """Returns the page: pictures beside what became of them."""
    side, cells = min(_SIDE, size), []
    chosen = records[:: max(len(records) // _SHOWN, 1)][:_SHOWN]
    for record in chosen:
        before, after = (images.read(p).pixels for p in (record["path"], workdir / record["file"]))
        title = pathlib.Path(record["path"]).name
        cells += [sheets.Cell(metrics.resized(before, side), title)]
        cells += [sheets.Cell(metrics.resized(after, side), " + ".join(shares))]
    return sheets.sheet(cells, 2 if len(chosen) < 3 else 4)
