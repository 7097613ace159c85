"""Caricatures for an app: what to make, what to measure, and the sheet."""

import dataclasses
import functools
import pathlib

import numpy as np

from tfvis import files, images, preimages
from tfvis.experiments import devices, inversion, networks, outcome, runner
from tfvis.networks.network import Network
from tfvis.preimages import caricatures as recipe
from tfvis.report import manifest, sheets, tensorboard

FIELDS = {"layer": str, "network": str, "exaggeration": float}


@dataclasses.dataclass(frozen=True)
class Job:
    """What to exaggerate, and where to put it.

    Attributes:
        networks: by label; see `networks.networks`.
        targets: per network, float32 [height, width, channels], display space.
        layers: per network, paths, in the order of the sheet's rows.
        settings: per network; None among them are derived per layer.
        seed: of the jitter.
        workdir: exists and is writable.
        arguments: of the command, for the manifest.
    """

    networks: dict[str, Network]
    targets: dict[str, np.ndarray]
    layers: dict[str, list[str]]
    settings: dict[str, preimages.Caricature]
    seed: int
    workdir: pathlib.Path
    arguments: dict


def run(
    wanted,
    image: np.ndarray,
    layers: list[str] | None = None,
    *,
    workdir: pathlib.Path | str,
    settings: preimages.Caricature = preimages.Caricature(),
    seed: int = 0,
    size: int | None = None,
    crop: str = "center",
    precision: str = "auto",
    jit: str = "auto",
    arguments: dict | None = None,
) -> outcome.Outcome:
    """Exaggerates what layers see in a picture, or takes over what was finished before.

    Args, Raises:
        As `inversion.run`; `seed` is of the jitter.
    """
    workdir = files.make_folder(workdir, "workdir")
    built = networks.given(wanted, layers)
    chosen = networks.layers_of(built, layers)
    targets = {label: networks.target(image, net, size, crop) for label, net in built.items()}
    last = {label: names[-1] for label, names in chosen.items()}
    own = devices.settled(settings, (precision, jit), workdir, built, last, targets)
    job = Job(built, targets, chosen, own, seed, workdir, arguments or {})
    records = make(job)
    return outcome.Outcome(records, lines(job, records), workdir / "sheet.png")


def make(job: Job) -> list[dict]:
    """Exaggerates every layer, or takes it over where it was finished before.

    Returns:
        The manifest's results, one per network and layer.

    Raises:
        InputError: before anything is computed, if one of the layers cannot be done;
            later, if the energy diverges (what was good is saved).
    """
    tasks = [_task(job, label, layer) for label, layers in job.layers.items() for layer in layers]
    with tensorboard.Writer(job.workdir / "tensorboard") as writer:
        writer.images("target", next(iter(job.targets.values()))[None], 0)
        results = runner.run(tasks, job.workdir, inversion.header(job), writer, FIELDS)
        page = sheet(job, results)
        images.save_png(job.workdir / "sheet.png", page)
        writer.images("sheet", page[None], 0)
    return results


def _task(job: Job, label: str, layer: str) -> runner.Task:
    network, target = job.networks[label], job.targets[label]
    size = target.shape[:2]
    settings = recipe.published(network, layer, size, job.settings[label])
    name = layer if len(job.networks) == 1 else f"{label}/{layer}"
    return runner.Task(
        name=name,
        labels=(name,),
        keys=(
            runner.key(
                network,
                recipe="caricature",
                target=target,
                layer=layer,
                seed=job.seed,
                settings=settings,
            ),
        ),
        paths=(runner.folder(job, label, layer) / "caricature.png",),
        start=lambda state, marks: recipe.iterate(
            network, target, layer, seeds=(job.seed,), settings=settings, state=state, marks=marks
        ),
        measure=functools.partial(_measure, job, label, layer, settings),
        about=({"network": label, "layer": layer, "seed": job.seed},),
        steps=settings.total,
        cost=network.cost(layer, *size),
    )


def _measure(job, label, layer, settings, pictures, paths) -> list[dict]:
    """Returns the record: how much more the layer answers, by the file as read back."""
    network, target = job.networks[label], job.targets[label]
    stored = [runner.stored(path, network) for path in paths]
    return [
        {"exaggeration": float(answer), "settings": manifest.plain(settings)}
        for answer in recipe.exaggerations(network, stored, target, layer)
    ]


def sheet(job: Job, results: list[dict]) -> np.ndarray:
    """Returns a row per layer: the start, and per network the result and the difference."""
    several = len(job.networks) > 1
    found = {(result["network"], result["layer"]): result for result in results}
    first = next(iter(job.targets.values()))
    cells = []
    for at in range(len(next(iter(job.layers.values())))):
        cells.append(sheets.Cell(first, "start"))
        for label, layers in job.layers.items():
            result = found[label, layers[at]]
            picture = runner.stored(job.workdir / result["file"], job.networks[label])
            title = f"{label} {layers[at]}" if several else layers[at]
            note = f"answers {result['exaggeration']:.1f} x as much"
            cells.append(sheets.Cell(picture, title, note))
            # Mid grey where nothing changed; half as strong, so that all of it fits.
            changed = 127.5 + (picture - job.targets[label]) / 2
            cells.append(sheets.Cell(changed, "difference", "grey: none"))
    return sheets.sheet(cells, 1 + 2 * len(job.networks))


def lines(job: Job, results: list[dict]) -> list[str]:
    """Returns what an app prints of its results."""
    several = len(job.networks) > 1
    return [
        f"{result['network'] + '/' if several else ''}{result['layer']:<24} answers "
        f"{result['exaggeration']:5.1f} x as much  {result['seconds']:6.1f} s  {result['file']}"
        for result in results
    ]
