"""An atlas of networks: every unit of every layer, what it looks for and what it finds."""

import dataclasses
import pathlib
from collections.abc import Iterator, Sequence

from tfvis.errors import InputError, arg
from tfvis.experiments import devices, folders, networks, outcome, runner, workdirs
from tfvis.experiments.atlas import (
    activation_grid,
    answers,
    descents,
    grid_pictures,
    layers,
    partners,
    site,
    unit_pictures,
)
from tfvis.experiments.atlas.layer_tables import Layer
from tfvis.experiments.atlas.settings import Atlas
from tfvis.experiments.batch import batches
from tfvis.experiments.batch.engine import Engine
from tfvis.experiments.batch.plans import Items
from tfvis.networks.network import Network
from tfvis.report import atlas_page, manifest

# Of the workdir: what all is made from, and goes on from.
BATCHES = "batches"


@dataclasses.dataclass(frozen=True, eq=False)
class _Part:
    """A network of an atlas.

    Attributes:
        label: its short name.
        network, wanted: it, and how it is asked for.
        units: {layer: channels}.
        folder: of its batches.
    """

    label: str
    network: Network
    wanted: networks.Wanted
    units: layers.Units
    folder: pathlib.Path

    @property
    def looked(self) -> pathlib.Path:
        """The folder of what its layers answered; layers that are added need another."""
        return self.folder / f"answers-{manifest.key(layers=list(self.units))[:8]}"


@workdirs.kept
def run(
    wanted: networks.Wanted,
    found: folders.Found | pathlib.Path | str,
    layer_words: Sequence[str] | None = None,
    units: str | None = None,
    settings: Atlas = Atlas(),
    engine: Engine = Engine(),
    *,
    workdir: pathlib.Path | str,
    deepest: bool = False,
    precision: str = "auto",
    arguments: dict | None = None,
) -> outcome.Outcome:
    """Makes an atlas, a site that opens from disk; goes on where an earlier run stopped.

    Args:
        wanted: one network, or two and more, whose units are then matched.
        found: the pictures that units are measured by: a folder, or what `folders.find` returned.
        layer_words, units, deepest: see `layers.chosen`.
        settings: how much is made.
        engine: who does the work.
        workdir: for all results; the page is index.html.
        precision: of the network while pictures are made, see `devices`; it looks at pictures in
            float32.
        arguments: for the manifest.

    Returns:
        An outcome with a record for each layer of each network.

    Raises:
        InputError: no such network, layer or unit; no picture can be read; the workdir holds an
            atlas of other pictures or settings; see `batches.run`.
    """
    engine.check()
    if not atlas_page.ours(workdir / atlas_page.NAME):
        raise InputError(
            f"{arg('workdir')}={workdir}: its {atlas_page.NAME} is no atlas; choose another folder."
        )
    found = _evenly(folders.listed(found, workdir), settings.count)
    built = networks.networks(wanted, words=list(layer_words) if layer_words else None)
    chosen = layers.chosen(built, layer_words, units, deepest)
    parts = [
        _Part(label, network, one, chosen[label],
              workdir / BATCHES / runner.safe_name(label).as_posix())
        for (label, network), one in zip(built.items(), networks.apart(wanted), strict=True)
    ]  # fmt: skip
    precision = devices.precision(precision)
    for part in parts:
        _answer(part, found, engine)
    records: list[dict] = []
    made = {
        part.label: list(_layers(parts, part, found, settings, engine, precision, records))
        for part in parts
    }
    about = {"title": _title(parts), "pictures": _pictures(made), "paths": settings.path_similarity}
    told = site.write(workdir, made, found.root, settings.size, about)
    manifest.write(
        workdir / "manifest.json",
        runner.header(built, arguments)
        | {
            "atlas": {
                "networks": [
                    one | {"wanted": networks.plain(part.wanted),
                           "answers": part.looked.relative_to(workdir).as_posix()}
                    for part, one in zip(parts, told, strict=True)
                ],
                "settings": settings, "precision": precision,
            },
            "results": records, **folders.told(found),
        },
    )  # fmt: skip
    lines = [
        f"{record['network']} {record['layer']:<24} {record['units']:>5,} units, "
        f"{record['raised']:,} raised; {record['cells']} cells"
        for record in records
    ]
    return outcome.Outcome(records, lines, index=workdir / atlas_page.NAME)


def _evenly(found: folders.Found, count: int) -> folders.Found:
    usable = [path for path in found.paths if path not in found.broken]
    step = max(1.0, len(usable) / count)
    chosen = [usable[int(k * step)] for k in range(min(count, len(usable)))]
    return dataclasses.replace(found, paths=chosen or found.paths)


def _answer(part: _Part, found: folders.Found, engine: Engine) -> None:
    """Has a network look at all pictures, where it has not yet."""
    part.looked.mkdir(parents=True, exist_ok=True)
    todo = list(part.units)
    plan, verified = batches.run(
        answers.of_network(part.network, todo), answers.MAKER, answers.settings(part.wanted, todo),
        batches.items(found), engine, folder=part.looked, word=f"{part.label} looks",
        row_bytes=answers.row_bytes(part.network, todo),
    )  # fmt: skip
    batches.report(found, plan, verified)


def _layers(parts, part: _Part, found, settings: Atlas, engine, precision, records) -> Iterator:
    """Yields the layers of a network, their pictures made; adds a record of each."""
    other = next((one for one in parts if one is not part), None)
    for k, (layer, channels) in enumerate(part.units.items()):
        looked = answers.read(part.looked, list(part.units), layer)
        given = unit_pictures.settings(
            part.wanted, list(part.units), layer, settings, precision, part.looked, found.root
        )
        pictures = _units(part, layer, channels, given, engine)
        beside = other and _at(other, k)
        # Of two networks, the first's layout: the same place is the same activations.
        grid = activation_grid.laid_out(
            looked if beside is None or parts[0] is part else beside, settings.cells, settings.seed
        )
        cells = _cells(part, layer, grid, given, engine) if grid and grid.filled else {}
        matches = None if beside is None else partners.best(looked, beside)
        records.append(
            {
                "network": part.label, "layer": layer, "units": len(channels),
                "raised": sum(row["raised"] for row in pictures.values()), "cells": len(cells),
            }
        )  # fmt: skip
        yield Layer(part.network, layer, channels, looked, pictures, grid, cells, matches)


def _at(part: _Part, k: int) -> answers.Answered | None:
    """Returns what a network's layer at a place answered; None where it has none there."""
    own = list(part.units)
    return answers.read(part.looked, own, own[k]) if k < len(own) else None


def _units(part: _Part, layer: str, channels, given: dict, engine: Engine) -> dict[int, dict]:
    folder = f"units-{_name(layer)}-{manifest.key(channels=list(channels))[:8]}"
    return _made(unit_pictures, part, channels, given, engine, folder, "")


def _cells(part: _Part, layer: str, grid, given: dict, engine: Engine) -> dict[int, bytes]:
    given, folder = grid_pictures.settings(given, grid), f"grid-{_name(layer)}-{grid.side}"
    return _made(grid_pictures, part, grid.filled, given, engine, folder, ", its map")


def _name(layer: str) -> str:
    """Returns a layer's name as one of a folder."""
    return runner.safe_name(layer).as_posix().replace("/", "~")


def _made(pictures, part: _Part, numbers, given: dict, engine: Engine, name: str, word: str):
    """Returns what `pictures`, a module, reads of a batch of its pictures, one of each number."""
    layer, folder = given["layer"], part.folder / name
    folder.mkdir(parents=True, exist_ok=True)
    names = [f"{layer}/{number}" for number in numbers]
    batches.run(
        pictures.of_network(part.network, given), pictures.MAKER, given,
        Items(str(folder.absolute()), names, [0] * len(names)), engine, folder=folder,
        word=f"{part.label} {layer}{word}",
        shard=descents.at_once(descents.side(part.network, layer, given["size"])),
    )  # fmt: skip
    return pictures.read(folder)


def _title(parts: Sequence[_Part]) -> str:
    return " and ".join(part.label for part in parts)


def _pictures(made: dict[str, list[Layer]]) -> int:
    return max(len(layer.looked.names) for found in made.values() for layer in found)
