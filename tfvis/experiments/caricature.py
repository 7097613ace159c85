"""Caricatures of layers: the pictures, how much more is answered, the sheet."""

import functools
import pathlib

import numpy as np

from tfvis import preimages
from tfvis.experiments import layer_targets, optimization_tasks, outcome, runner, workdirs
from tfvis.experiments.layer_targets import LayerTarget
from tfvis.preimages import caricatures as recipe
from tfvis.report import html_page, manifest, run_page, sheets

FIELDS = {"layer": str, "network": str, "exaggeration": float}
_SEES = (
    "Each caricature is the picture, changed so that what the layer named below it answers to in "
    "it grows, while it stays a natural image (Mahendran & Vedaldi, IJCV 2016)."
)


@workdirs.kept
def run(
    wanted,
    image: np.ndarray,
    layers: list[str] | dict[str, list[str]] | None = None,
    *,
    workdir: pathlib.Path | str,
    settings: preimages.Caricature = preimages.Caricature(),
    seed: int = 0,
    size: int | tuple[int, int] | None = None,
    crop: str = "center",
    precision: str = "auto",
    jit: str = "auto",
    arguments: dict | None = None,
) -> outcome.Outcome:
    """Exaggerates what layers see in a picture, or takes over what was finished before.

    Args, Raises:
        As `inversion.run`; `seed` is of the jitter.

    Returns:
        A record per network and layer. None of a layer that has nothing to exaggerate or that
        nothing wakes, which is said.
    """
    found = layer_targets.chosen(
        wanted, image, layers, settings, recipe.published,
        workdir=workdir, size=size, crop=crop, precision=precision, jit=jit,
    )  # fmt: skip
    records = optimization_tasks.run(
        [_task(one, seed) for one in found], workdir,
        layer_targets.header(found, arguments), FIELDS, target=found[0].image, optional=True,
    )  # fmt: skip
    optimization_tasks.save_pages(workdir, {"sheet": _sheet(found, records, workdir)})
    made = layer_targets.made(found, records)
    page = _page(made, records, workdir)
    return outcome.Outcome(records, _lines(made, records), workdir / "sheet.png", page)


def _task(one: LayerTarget, seed: int) -> optimization_tasks.Task:
    network, layer, settings = one.network, one.layer, one.settings
    return optimization_tasks.Task(
        name=one.name,
        labels=(one.name,),
        keys=(
            runner.key(
                network,
                recipe="caricature",
                target=one.image,
                layer=layer,
                seed=seed,
                settings=settings,
            ),
        ),
        paths=(one.folder / "caricature.png",),
        start=lambda state, marks: recipe.iterate(
            network, one.image, layer, seeds=(seed,), settings=settings, state=state, marks=marks
        ),
        measure=functools.partial(_measure, one),
        about=({"network": one.label, "layer": layer, "seed": seed},),
        steps=settings.total,
        cost=network.cost(layer, *one.image.shape[:2]),
    )


def _measure(one: LayerTarget, pictures: np.ndarray, paths: list[pathlib.Path]) -> list[dict]:
    """Returns the record: how much more the layer answers, by the file as read back."""
    stored = [runner.stored(path, one.network) for path in paths]
    return [
        {"exaggeration": float(answer), "settings": manifest.plain(one.settings)}
        for answer in recipe.exaggerations(one.network, stored, one.image, one.layer)
    ]


def _page(found: list[LayerTarget], records, workdir: pathlib.Path) -> html_page.Page:
    """Returns the page: each caricature over the picture."""
    targets = layer_targets.shown(found, workdir, "the picture")

    def pair(record: dict) -> list[html_page.Pair]:
        after = run_page.linked(workdir, record["file"], title=record["layer"])
        return [layer_targets.pair(found, record, targets, after)]

    text = "On the left the picture, on the right its caricature: pull the line."
    section = run_page.section("The picture and its caricatures", text, records, pair)
    return html_page.Page(
        "What layers see in a picture, exaggerated",
        [section],
        [_SEES, *layer_targets.told_left_out(workdir)],
    )


def _sheet(found: list[LayerTarget], records: list[dict], workdir: pathlib.Path) -> np.ndarray:
    """Returns a row per layer: the start, and per network the result and the difference."""

    def cells(one: LayerTarget) -> list[sheets.Cell]:
        (record,), (picture,) = one.of(records), one.stored(records, workdir)
        # Mid grey where nothing changed; half as strong, so that all of it fits.
        changed = 127.5 + (picture - one.image) / 2
        return [
            sheets.Cell(picture, one.title, f"answers {record['exaggeration']:.1f} x as much"),
            sheets.Cell(changed, "difference", "grey: none"),
        ]

    rows = layer_targets.cells(
        found, records, lambda: [sheets.Cell(found[0].image, "start")], cells
    )
    return sheets.sheet([cell for row in rows for cell in row], len(rows[0]))


def _lines(found: list[LayerTarget], records: list[dict]) -> list[str]:
    """Returns the results in words."""
    return [
        f"{one.label + '/' if one.several else ''}{one.layer:<24} answers "
        f"{record['exaggeration']:5.1f} x as much  {record['seconds']:6.1f} s  {record['file']}"
        for one in found
        for record in one.of(records)
    ]
