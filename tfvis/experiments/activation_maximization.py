"""Activation maximisations for an app: what to make, what to measure, and the sheets."""

import dataclasses
import functools
import itertools
import pathlib

import numpy as np
import tensorflow as tf

from tfvis import files, images, preimages
from tfvis.errors import InputError, arg
from tfvis.experiments import devices, folders, inversion, messages, outcome, runner
from tfvis.experiments import units as naming
from tfvis.networks.network import Network
from tfvis.objectives.parsing import Unit
from tfvis.preimages import activation_maximization, feature_visualization, normalization
from tfvis.report import manifest, sheets, tensorboard

# Pictures smaller than this are shown magnified.
_SHOWN = 96
# Less than this share of the largest would be printed as none of it.
_LEAST = 0.1

FIELDS = {
    "layer": str, "network": str, "unit": str, "activation": float, "raised": bool, "rose": bool,
}  # fmt: skip


@dataclasses.dataclass(frozen=True)
class Job:
    """What to raise, and where to put it.

    Attributes:
        networks: by label.
        units: of each network.
        settings: of each network; None among them are derived per layer.
        size: side of the images, or None for the units' own.
        largest: side that the units' own is cut to where it is longer, or None.
        everywhere: raise means over maps, not the neurons at their centres.
        seed: of the noise, one for all units, so that a unit's picture does not depend
            on which others are made.
        references: images M is taken from, or None.
        growth: whether to show how the pictures grew.
        workdir: exists and is writable.
        arguments: of the command, for the manifest.
    """

    networks: dict[str, Network]
    units: dict[str, list[Unit]]
    settings: dict[str, preimages.Maximization]
    size: int | None
    everywhere: bool
    seed: int
    references: folders.Found | None
    growth: bool
    workdir: pathlib.Path
    arguments: dict
    largest: int | None = None


def run(
    wanted,
    named: str | None = None,
    *,
    workdir: pathlib.Path | str,
    settings: preimages.Maximization = preimages.Maximization(),
    size: int | None = None,
    everywhere: bool = False,
    seed: int = 0,
    references: folders.Found | None = None,
    growth: bool = True,
    labels: str | None = None,
    precision: str = "auto",
    jit: str = "auto",
    arguments: dict | None = None,
) -> outcome.Outcome:
    """Raises units of networks, or takes over what was finished before; see `make`.

    Args:
        wanted: a network, {label: network}, or `networks.Wanted`.
        named: units, such as "block5_conv3:110,block4_conv2:0-24"; None takes some channels
            at several depths.
        workdir: for all results.
        settings: constants; None among them are derived per layer.
        size, everywhere, seed, references, growth: see `Job`.
        labels: file with the names of classes, or None.
        precision, jit: see `devices`.
        arguments: for the manifest.

    Raises:
        InputError: see `make`.
    """
    workdir = files.make_folder(workdir, "workdir")
    built = naming.built(wanted, named)
    chosen = naming.chosen(built, named, labels, each=4)
    last = {label: units[-1].layer for label, units in chosen.items()}
    job = Job(
        networks=built,
        units=chosen,
        settings=devices.settled(settings, (precision, jit), workdir, built, last),
        size=size,
        everywhere=everywhere,
        seed=seed,
        references=references,
        growth=growth,
        workdir=workdir,
        arguments=arguments or {},
    )
    records = make(job)
    if references is not None:
        folders.report(references)
    return outcome.Outcome(records, lines(job, records), workdir / "sheet.png")


def make(job: Job) -> list[dict]:
    """Raises every unit, or takes it over where it was finished before.

    Returns:
        The manifest's results, one per unit.

    Raises:
        InputError: before anything is computed, if a unit cannot be raised; later, if
            the energy diverges, or once all is written, if no unit at all was raised.
    """
    tasks = []
    for label, units in job.units.items():
        sizes = {unit.layer: _size(job, label, unit.layer) for unit in units}
        for unit in units:
            normalization.check_place(job.networks[label], unit, sizes[unit.layer])
        network = job.networks[label]
        references = _references(job, network)
        largest = normalization.largest(network, units, references, job.everywhere)
        for layer in sizes:
            group = [unit for unit in units if unit.layer == layer]
            for batch in _batches(group, sizes[layer]):
                tasks.append(_task(job, label, layer, batch, sizes[layer], largest))
    with tensorboard.Writer(job.workdir / "tensorboard") as writer:
        results = runner.run(tasks, job.workdir, inversion.header(job), writer, FIELDS)
        for label, layer in dict.fromkeys((r["network"], r["layer"]) for r in results):
            group = [r for r in results if (r["network"], r["layer"]) == (label, layer)]
            page = sheets.sheet([_cell(job, result) for result in group])
            images.save_png(job.workdir / runner.folder(job, label, layer) / "sheet.png", page)
            writer.images(f"{label}/{layer}/sheet", page[None], 0)
        images.save_png(job.workdir / "sheet.png", sheet(job, results))
    _tell_of_silent(job, results)
    return results


def _tell_of_silent(job: Job, results: list[dict]) -> None:
    """Says which units nothing raised, and which only rose to an answer that is none yet.

    Raises:
        InputError: none rose at all.
    """
    still = [r for r in results if not r["raised"] and not r["rose"]]
    short = [_name(job, r) for r in results if not r["raised"] and r["rose"]]
    names = [_name(job, r) for r in still]
    if results and len(still) == len(results):
        raise InputError(
            f"Nothing raised {_some(names)}: the pictures in {job.workdir} show what noise and "
            f"prior leave, not what was looked for. Choose other {arg('units')}, or more "
            f"{arg('steps')}."
        )
    if names:
        messages.say(f"Nothing raised {_some(names)}; the sheet says so.")
    if short:
        messages.say(
            f"Not raised above 0: {_some(short)}; the sheet says so. More {arg('steps')} may do it."
        )


def _some(names: list[str]) -> str:
    return ", ".join(names[:8]) + (f" and {len(names) - 8} more" if len(names) > 8 else "")


def _name(job: Job, result: dict) -> str:
    name = f"{result['layer']}:{result['unit']}"
    return f"{result['network']}/{name}" if len(job.networks) > 1 else name


def _size(job: Job, label: str, layer: str) -> tuple[int, int]:
    network = job.networks[label]
    size = (job.size, job.size) if job.size else activation_maximization.canvas(network, layer)
    if job.largest and not network.fixed_size:
        size = tuple(min(side, job.largest) for side in size)
    if job.size and network.fixed_size and size != network.fixed_size:
        height, width = network.fixed_size
        raise InputError(
            f"{arg('size')}={job.size}: {network.name} takes {height} x {width} px only; leave it "
            "out."
        )
    if 0 in network.trace(layer, *size):
        raise InputError(
            f"{arg('size')}={size[0]}: too small for {layer}, whose map would have no pixel. "
            "Choose a larger size or an earlier layer."
        )
    return size


def _batches(units: list[Unit], size: tuple[int, int]):
    """Yields units of one kind, as many as are to be optimised together."""
    most = feature_visualization.most_at_once(size)
    # A named place is a neuron also where channels are raised everywhere.
    for (kind, _), group in itertools.groupby(units, lambda u: (u.kind, u.place is None)):
        # Directions and whole layers go one by one: each is an objective of its own.
        alike, count = list(group), most if kind == "channel" else 1
        yield from (alike[i : i + count] for i in range(0, len(alike), count))


def _references(job: Job, network: Network) -> normalization.References:
    """Returns the reference set, its pictures not read yet."""
    if job.references is None:
        return normalization.demo_references(network)
    height, width = network.fixed_size or (224, 224)
    return normalization.References(
        folders.digest(job.references),
        lambda: folders.squares(job.references, height, width, network.channels),
    )


def _task(job, label, layer, units, size, largest) -> runner.Task:
    network = job.networks[label]
    settings = activation_maximization.published(network, layer, size, job.settings[label])
    objective, chosen = normalization.activation(
        network, units, size, largest, _references(job, network), job.everywhere
    )
    weighted = activation_maximization.normalized(
        network, objective, layer, size, chosen, settings.strength
    )
    seeds = (job.seed,) * len(units)
    names = [f"{layer}:{unit.name}" for unit in units]
    names = names if len(job.networks) == 1 else [f"{label}/{name}" for name in names]
    folder = runner.folder(job, label, layer)
    return runner.Task(
        name=names[0] if len(units) == 1 else f"{names[0]}..{units[-1].name}",
        labels=tuple(name.replace(":", "/") for name in names),
        keys=tuple(
            runner.key(
                network,
                recipe="maximization",
                size=size,
                everywhere=job.everywhere,
                units=[dataclasses.asdict(unit) for unit in units],
                place=k,
                largest=chosen,
                seed=job.seed,
                settings=settings,
                growth=job.growth,
            )
            for k in range(len(units))
        ),
        paths=tuple(folder / f"{runner.safe_name(unit.name)}.png" for unit in units),
        start=lambda state, marks: activation_maximization.iterate(
            network, weighted, size=size, seeds=seeds, settings=settings, state=state, marks=marks
        ),
        measure=functools.partial(
            _measure, job, label, layer, units, chosen, objective, settings, size
        ),
        about=tuple(
            {"network": label, "layer": layer, "unit": unit.name, "seed": job.seed}
            for unit in units
        ),
        steps=settings.total,
        cost=network.cost(layer, *size) * len(units),
        growth=job.growth,
        silent=True,
    )


def _measure(job, label, layer, units, largest, objective, settings, size, pictures, paths):
    """Returns the records: activations on the files as read back; see `normalization.raised`."""
    network = job.networks[label]
    taps = network.taps([layer])
    stored = np.stack([runner.stored(path, network) for path in paths])
    answers = objective(taps(tf.constant(stored))).numpy()
    noise = activation_maximization.beginning(network, size, (job.seed,) * len(paths), settings)
    began = objective(taps(tf.constant(noise, tf.float32))).numpy()
    raised, rose = normalization.raised(answers, began, largest)
    return [
        {
            "activation": float(answers[k]),
            "raised": bool(raised[k]),
            "rose": bool(rose[k]),
            "began": float(began[k]),
            "largest_in_photographs": float(largest[k]),
            "times_largest": float(answers[k] / largest[k]) if raised[k] else None,
            "settings": manifest.plain(settings),
        }
        for k in range(len(units))
    ]


def _cell(job: Job, result: dict) -> sheets.Cell:
    pixels = images.read(job.workdir / result["file"]).pixels
    factor = max(1, -(-_SHOWN // pixels.shape[0]))
    pixels = pixels.repeat(factor, 0).repeat(factor, 1)
    note = answer(result)
    title = f"{result['layer']}:{result['unit']}"
    return sheets.Cell(pixels, title, note)


def sheet(job: Job, results: list[dict]) -> np.ndarray:
    """Returns all units; with several networks, units down and networks across."""
    cells = [_cell(job, result) for result in results]
    if len(job.networks) == 1:
        return sheets.sheet(cells)
    titled = [
        dataclasses.replace(cell, title=f"{result['network']} {cell.title}")
        for cell, result in zip(cells, results, strict=True)
    ]
    columns = [
        [cell for cell, result in zip(titled, results, strict=True) if result["network"] == label]
        for label in job.networks
    ]
    return sheets.sheet([cell for row in zip(*columns, strict=True) for cell in row], len(columns))


def lines(job: Job, results: list[dict]) -> list[str]:
    """Returns what an app prints of its results."""
    return [
        f"{_name(job, result):<28} activation {result['activation']:9.1f}  {answer(result):>18}  "
        f"{result['seconds']:6.1f} s  {result['file']}"
        for result in results
    ]


def answer(result: dict) -> str:
    """Returns how a unit answers its picture beside photographs, in words."""
    if not result["raised"]:
        return "not above 0 yet" if result["rose"] else "nothing raised it"
    if result["times_largest"] is None:
        return "photographs: none"
    if result["times_largest"] < _LEAST:
        return f"below {_LEAST} x photographs"
    return f"{result['times_largest']:5.1f} x photographs".lstrip()
