"""Activation maximisations: the pictures, their activations, the sheets."""

import dataclasses
import functools
import itertools
import pathlib

import numpy as np

from tfvis import images, preimages
from tfvis.errors import InputError, arg
from tfvis.experiments import (
    devices,
    folders,
    optimization_tasks,
    outcome,
    runner,
    transparency,
    unit_answers,
    unit_numbers,
    unit_pages,
    workdirs,
)
from tfvis.experiments import units as naming
from tfvis.networks.network import Network
from tfvis.objectives import Objective
from tfvis.objectives.parsing import Unit
from tfvis.preimages import (
    activation_maximization,
    crop_answers,
    feature_visualization,
    natural_activations,
    normalization,
)
from tfvis.report import manifest, sheets

# Pictures smaller than this are shown magnified.
_SHOWN = 96
# White pixels between a picture and its transparent one.
_GAP = 4

FIELDS = {
    "layer": str, "network": str, "unit": str, "activation": float, "raised": bool, "rose": bool,
    "photographs": int,
}  # fmt: skip


@dataclasses.dataclass(frozen=True)
class _Batch:
    """Units of a layer that are raised together.

    Attributes:
        label, network, layer: theirs.
        several: whether there are units of other networks.
        units: one of each picture.
        size: (height, width) of what the network is shown: the images, or crops of them.
        settings: constants, none of them None.
        objective: what is raised.
        largest: M of each unit, which the objective is divided by.
        natural: what photographs get from each, which the picture is measured by.
        weighted: the objective, divided by M.
        seed: of the noise, one for all units, so that a unit's picture does not depend on which
            others are made; of several pictures of a unit it is the first's.
        magnitude: of the waves of "phase"; see `activation_maximization.iterate`.
        everywhere: whether means over maps are raised.
    """

    label: str
    network: Network
    layer: str
    several: bool
    units: list[Unit]
    size: tuple[int, int]
    settings: preimages.Maximization
    objective: Objective
    largest: np.ndarray
    natural: natural_activations.Natural
    weighted: Objective
    seed: int
    magnitude: np.ndarray | None
    everywhere: bool

    @property
    def numbers(self) -> list[int]:
        """Which picture of its unit each is, from 0."""
        return [k % self.settings.diversity for k in range(len(self.units))]

    @property
    def seeds(self) -> tuple[int, ...]:
        """Of the noise of each picture."""
        return tuple(self.seed + number for number in self.numbers)

    @property
    def names(self) -> list[str]:
        """Of each picture within its layer."""
        if self.settings.diversity == 1:
            return [unit.name for unit in self.units]
        pairs = zip(self.units, self.numbers, strict=True)
        return [f"{unit.name}_{number + 1}" for unit, number in pairs]


@workdirs.kept
def run(
    wanted,
    named: naming.Named | None = None,
    *,
    workdir: pathlib.Path | str,
    settings: preimages.Maximization = preimages.Maximization(),
    size: int | None = None,
    most: int | None = None,
    everywhere: bool | None = None,
    seed: int = 0,
    references: folders.Found | pathlib.Path | str | None = None,
    growth: bool = True,
    labels: str | None = None,
    precision: str = "auto",
    jit: str = "auto",
    arguments: dict | None = None,
) -> outcome.Outcome:
    """Raises units of networks, or takes over what was finished before.

    Args:
        wanted: a network, {label: network}, or `networks.Wanted`.
        named: units, such as "block5_conv3:110,block4_conv2:0-24", or {label: units}; None takes
            some channels at several depths.
        workdir: for all results.
        settings: constants; None among them are derived per layer.
        size: side of the images, or None for the units' own.
        most: side that the units' own is cut to where it is longer, or None.
        everywhere: raise means over maps, not the neurons at their centres; None does of "phase"
            alone, see `activation_maximization.raises_means`.
        seed: of the noise.
        references: photographs that M, and of "phase" the spectrum, are taken from, see
            `folders.given`; None is two that come with scikit-learn, and 1 / f.
        growth: whether to show how the pictures grew.
        labels: file with the names of classes, or None.
        precision, jit: see `devices`.
        arguments: for the manifest.

    Returns:
        A record per unit.

    Raises:
        InputError: before anything is computed, if a unit cannot be raised; later, if
            the energy diverges, or once all is written, if no unit at all was raised.
    """
    references = folders.given(references, "references")
    everywhere = activation_maximization.raises_means(settings, everywhere)
    built = naming.built(wanted, named)
    chosen = naming.chosen(built, named, labels, each=4)
    last = {label: units[-1].layer for label, units in chosen.items()}
    own = devices.settled(settings, (precision, jit), workdir, built, last)
    several, tasks, beside = len(built) > 1, [], []
    for label, network in built.items():
        units = chosen[label]
        sizes = {unit.layer: _size(network, unit.layer, size, most) for unit in units}
        for unit in units:
            normalization.check_position(network, unit, sizes[unit.layer])
        reference = _reference(references, network)
        seen = normalization.statistics(network, units, reference)
        largest = normalization.largest(seen, units, everywhere)
        beside += unit_numbers.raised(label, network, units, seen)
        for layer, side in sizes.items():
            constants = activation_maximization.published(network, layer, side, own[label])
            waves = None if references is None else reference
            magnitude = normalization.magnitude(network, waves, side, constants)
            alike = [unit for unit in units if unit.layer == layer]
            for batch in _batches(alike, side, constants):
                objective, m = normalization.activation(
                    network, batch, side, largest, reference, everywhere
                )
                sought, scale = activation_maximization.filling(
                    network, objective, layer, m, constants
                )
                weighted = activation_maximization.normalized(
                    network, sought, layer, side, scale, constants.strength
                )
                weighted = activation_maximization.diverse(
                    network, weighted, layer, side, constants
                )
                natural = natural_activations.natural(
                    network, batch, reference, seen, m, everywhere
                )
                one = _Batch(
                    label, network, layer, several, batch, side, constants, objective, m, natural,
                    weighted, seed, magnitude, everywhere,
                )  # fmt: skip
                tasks.append(_task(one, workdir, growth))
    xla = {label: one.jit for label, one in own.items()}
    header = runner.header(built, arguments) | {"jit": devices.decided(built, xla)}
    records = optimization_tasks.run(tasks, workdir, header, FIELDS)
    records = unit_numbers.added(records, beside, references, workdir)
    optimization_tasks.save_pages(workdir, _pages(records, workdir))
    unit_answers.tell_of_silent(records, workdir)
    if references is not None:
        folders.report(references)
    page = unit_pages.maximization(records, workdir)
    return outcome.Outcome(records, unit_answers.lines(records), workdir / "sheet.png", page)


def _size(network: Network, layer: str, asked: int | None, most: int | None) -> tuple[int, int]:
    size = (asked, asked) if asked else activation_maximization.canvas(network, layer)
    if most and not network.fixed_size:
        size = tuple(min(side, most) for side in size)
    if asked and network.fixed_size and size != network.fixed_size:
        height, width = network.fixed_size
        raise InputError(
            f"{arg('size')}={asked}: {network.name} takes {height} x {width} px only; leave it out."
        )
    if 0 in network.trace(layer, *size):
        raise InputError(
            f"{arg('size')}={size[0]}: too small for {layer}, whose map would have no pixel. "
            "Choose a larger size or an earlier layer."
        )
    return size


def _batches(units: list[Unit], size: tuple[int, int], settings: preimages.Maximization):
    """Yields units of one kind, as many as are to be optimised together, one of each picture."""
    diversity, views = settings.diversity, settings.crops.count
    most = max(feature_visualization.most_at_once(size) // (diversity * views), 1)
    # A named place is a neuron also where channels are raised everywhere.
    for (kind, _), group in itertools.groupby(units, lambda u: (u.kind, u.position is None)):
        # Directions and whole layers go one by one: each is an objective of its own.
        alike, count = list(group), most if kind == "channel" else 1
        for i in range(0, len(alike), count):
            yield [unit for unit in alike[i : i + count] for _ in range(diversity)]


def _reference(found: folders.Found | None, network: Network) -> normalization.References:
    """Returns the reference set, its pictures not read yet."""
    if found is None:
        return normalization.demo_references(network)
    height, width = network.fixed_size or (224, 224)
    return normalization.References(
        folders.digest(found),
        lambda first: folders.numbered_squares(found, height, width, network.channels, first),
        lambda: len(found.paths) - len(found.broken),
    )


def _task(one: _Batch, workdir: pathlib.Path, growth: bool) -> optimization_tasks.Task:
    names = [f"{one.layer}:{name}" for name in one.names]
    names = [f"{one.label}/{name}" for name in names] if one.several else names
    folder = runner.folder(one.label, one.layer, one.several)
    paths = tuple(folder / f"{runner.safe_name(name)}.png" for name in one.names)
    return optimization_tasks.Task(
        name=names[0] if len(names) == 1 else f"{names[0]}..{one.names[-1]}",
        labels=tuple(name.replace(":", "/") for name in names),
        keys=tuple(
            runner.key(
                one.network,
                recipe="maximization",
                size=one.size,
                everywhere=one.everywhere,
                units=[dataclasses.asdict(unit) for unit in one.units],
                place=k,
                largest=one.largest,
                natural=one.natural,
                seed=one.seed,
                settings=one.settings,
                magnitude=one.magnitude,
                growth=growth,
            )
            for k in range(len(names))
        ),
        paths=paths,
        start=lambda state, marks: activation_maximization.iterate(
            one.network, one.weighted,
            size=one.size, seeds=one.seeds, settings=one.settings, magnitude=one.magnitude,
            state=state, marks=marks,
        ),
        measure=functools.partial(_measure, one),
        about=tuple(
            {
                "network": one.label, "layer": one.layer, "unit": unit.name, "picture": number + 1,
                "seed": seed,
            }
            for unit, number, seed in zip(one.units, one.numbers, one.seeds, strict=True)
        ),
        steps=one.settings.total,
        cost=one.network.cost(one.layer, *one.size) * len(names) * one.settings.crops.count,
        growth=growth,
        silent=True,
        watchers=(transparency.Watcher(),),
        whole=functools.partial(transparency.whole, [workdir / path for path in paths]),
    )  # fmt: skip


def _measure(one: _Batch, pictures: np.ndarray, paths: list[pathlib.Path]) -> list[dict]:
    """Returns the records: activations on the files as read back; see `normalization.raised`."""
    network = one.network
    stored = np.stack([runner.stored(path, network) for path in paths])
    noise = activation_maximization.beginning(
        network, one.size, one.seeds, one.settings, one.magnitude
    )
    answers, began = (
        crop_answers.answers(network, one.objective, pictures, one.size, one.units, one.everywhere)
        for pictures in (stored, noise)
    )
    # A vector has no places to take a mean of.
    means = normalization.of_means(one.layer, one.units, one.everywhere)
    means = means and len(network.trace(one.layer, *one.size)) > 1
    # Of a direction or a whole layer there is one M for all pictures.
    largest = np.broadcast_to(one.largest, len(paths))
    most = np.broadcast_to(one.natural.largest, len(paths))
    raised, rose = normalization.raised(answers, began, largest)
    times = natural_activations.ratios(answers, raised, most)
    return [
        {
            "activation": float(answers[k]),
            "raised": bool(raised[k]),
            "rose": bool(rose[k]),
            "began": float(began[k]),
            "divided_by": float(largest[k]),
            "photographs": one.natural.photographs,
            "largest_in_photographs": float(most[k]),
            "times_largest": None if np.isnan(times[k]) else float(times[k]),
            "shown": list(one.size),
            "means": means,
            "settings": manifest.plain(one.settings),
        }
        | transparency.record(paths[k])
        for k in range(len(paths))
    ]


def _pages(records: list[dict], workdir: pathlib.Path) -> dict[str, np.ndarray]:
    """Returns a sheet of each layer, and one of all units.

    With several networks, units down and networks across.
    """
    several, pages = unit_answers.several(records), {}
    # Several pictures of a unit are a row.
    each = max(record["picture"] for record in records)
    each = None if each == 1 else each
    cells = [_cell(record, workdir) for record in records]
    groups: dict[tuple[str, str], list[int]] = {}
    for k, record in enumerate(records):
        groups.setdefault((record["network"], record["layer"]), []).append(k)
    for (label, layer), found in groups.items():
        folder = runner.folder(label, layer, several)
        pages[f"{folder}/sheet"] = sheets.sheet([cells[k] for k in found], each)
    if not several:
        return pages | {"sheet": sheets.sheet(cells, each)}
    columns: dict[str, list[sheets.Cell]] = {}
    for cell, record in zip(cells, records, strict=True):
        titled = dataclasses.replace(cell, title=f"{record['network']} {cell.title}")
        columns.setdefault(record["network"], []).append(titled)
    rows = zip(*columns.values(), strict=True)
    whole = sheets.sheet([cell for row in rows for cell in row], len(columns))
    return pages | {"sheet": whole}


def _cell(record: dict, workdir: pathlib.Path) -> sheets.Cell:
    pixels = images.read(workdir / record["file"]).pixels
    factor = max(1, -(-_SHOWN // pixels.shape[0]))
    if "transparent_sha256" in record:
        # As an image is read, transparency shows white.
        shown = images.read(transparency.beside(workdir / record["file"])).pixels
        gap = np.full_like(pixels[:, :_GAP], 255)
        pixels = np.concatenate([pixels, gap, shown], 1)
    pixels = pixels.repeat(factor, 0).repeat(factor, 1)
    # In two lines: a picture is not as wide as the sentence.
    note = "\n".join(
        [unit_answers.answer(record).replace(" of ", "\nof ", 1), *unit_numbers.notes(record)]
    )
    pixels = unit_numbers.beside(record, pixels, workdir)
    return sheets.Cell(pixels, unit_answers.title(record), note)
