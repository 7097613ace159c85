"""Inversions for an app: what to make, what to measure, and the sheet."""

import dataclasses
import functools
import pathlib

import numpy as np
import tensorflow as tf

from tfvis import files, images, preimages, priors
from tfvis.experiments import devices, networks, outcome, runner
from tfvis.networks import hog_sift
from tfvis.networks.network import Network
from tfvis.preimages import inversion
from tfvis.report import manifest, sheets, tensorboard

# What the sheet and the lines of an app need of a record.
FIELDS = {"layer": str, "network": str, "restart": int, "relative_error": float}
# The standard deviation of pixels is some 10 to 40 grey levels; so it can be seen.
_DEVIATION_SHOWN = 4


@dataclasses.dataclass(frozen=True)
class Job:
    """What to invert, and where to put it.

    Attributes:
        networks: label and network each; see `networks.networks`.
        targets: per network, float32 [height, width, channels], display space.
        layers: per network, paths, in the order of the sheet's rows.
        settings: per network; None among them are derived per layer.
        seeds: one per restart.
        stretch: per network, whether to save pictures with their contrast stretched.
        workdir: exists and is writable.
        arguments: of the command, for the manifest.
        spreads: what `spread` found, by the keys of the results; sheet and lines ask the same.
    """

    networks: dict[str, Network]
    targets: dict[str, np.ndarray]
    layers: dict[str, list[str]]
    settings: dict[str, preimages.Inversion]
    seeds: tuple[int, ...]
    workdir: pathlib.Path
    arguments: dict
    stretch: dict[str, bool] = dataclasses.field(default_factory=dict)
    spreads: dict = dataclasses.field(default_factory=dict, repr=False)


def run(
    wanted,
    image: np.ndarray,
    layers: list[str] | None = None,
    *,
    workdir: pathlib.Path | str,
    settings: preimages.Inversion = preimages.Inversion(),
    restarts: int = 1,
    seed: int = 0,
    size: int | None = None,
    crop: str = "center",
    stretch: str = "auto",
    precision: str = "auto",
    jit: str = "auto",
    arguments: dict | None = None,
) -> outcome.Outcome:
    """Inverts layers of networks, or takes over what was finished before; see `make`.

    Args:
        wanted: a network, {label: network}, or `networks.Wanted`.
        image: float32 [height, width, 3], RGB, 0..255.
        layers: see `networks.layers_of`; None is five depths.
        workdir: for all results.
        settings: constants; None among them are derived per layer.
        restarts: pre-images per layer, from noise of seed, seed + 1, ...
        seed: of the first.
        size: side of the square that is looked at; None is the network's own, or 224.
        crop: see `images.crop`.
        stretch: "on", "off", or "auto": pictures of what ignores contrast are stretched.
        precision, jit: see `devices`.
        arguments: for the manifest.

    Raises:
        InputError: see `make`.
    """
    workdir = files.make_folder(workdir, "workdir")
    built = networks.given(wanted, layers)
    chosen = networks.layers_of(built, layers)
    targets = {label: networks.target(image, net, size, crop) for label, net in built.items()}
    last = {label: names[-1] for label, names in chosen.items()}
    job = Job(
        networks=built,
        targets=targets,
        layers=chosen,
        settings=devices.settled(settings, (precision, jit), workdir, built, last, targets),
        seeds=tuple(range(seed, seed + restarts)),
        workdir=workdir,
        arguments=arguments or {},
        stretch={
            label: stretch == "on" or (stretch == "auto" and net.name in hog_sift.BUILDERS)
            for label, net in built.items()
        },
    )
    records = make(job)
    return outcome.Outcome(records, lines(job, records), workdir / "sheet.png")


def make(job: Job) -> list[dict]:
    """Inverts every layer of every network, or takes it over where it was finished before.

    Writes <layer>/preimage_<k>.png (below <network>/ if there are several), sheet.png,
    manifest.json, TensorBoard events.

    Returns:
        The manifest's results, one per network, layer and restart.

    Raises:
        InputError: before anything is computed, if one of the layers cannot be done;
            later, if the energy diverges (what was good is saved).
    """
    tasks = [_task(job, label, layer) for label, layers in job.layers.items() for layer in layers]
    with tensorboard.Writer(job.workdir / "tensorboard") as writer:
        writer.images("target", next(iter(job.targets.values()))[None], 0)
        results = runner.run(tasks, job.workdir, header(job), writer, FIELDS)
        page = sheet(job, results)
        images.save_png(job.workdir / "sheet.png", page)
        writer.images("sheet", page[None], 0)
    return results


def header(job) -> dict:
    """Returns what the manifest of a run with settings says besides its results."""
    jit = {label: settings.jit for label, settings in job.settings.items()}
    return runner.header(job) | {"jit": devices.decided(job.networks, jit)}


def _task(job: Job, label: str, layer: str) -> runner.Task:
    network, target = job.networks[label], job.targets[label]
    size = target.shape[:2]
    settings = inversion.published(network, layer, size, job.settings[label])
    name = layer if len(job.networks) == 1 else f"{label}/{layer}"
    restarts = range(len(job.seeds))
    return runner.Task(
        name=name,
        labels=tuple(name if len(job.seeds) == 1 else f"{name}/{k}" for k in restarts),
        keys=tuple(
            runner.key(
                network,
                recipe="inversion",
                target=target,
                layer=layer,
                seed=seed,
                settings=settings,
                # Rounding may depend on the batch an image is computed in.
                batch=job.seeds,
                stretch=job.stretch.get(label, False),
            )
            for seed in job.seeds
        ),
        paths=tuple(runner.folder(job, label, layer) / f"preimage_{k}.png" for k in restarts),
        start=lambda state, marks: inversion.iterate(
            network, target, layer, seeds=job.seeds, settings=settings, state=state, marks=marks
        ),
        measure=functools.partial(_measure, job, label, layer, settings),
        about=tuple(
            {"network": label, "layer": layer, "restart": k, "seed": job.seeds[k]} for k in restarts
        ),
        steps=settings.total,
        cost=network.cost(layer, *size),
        finish=_stretched if job.stretch.get(label) else lambda pictures: pictures,
    )


def _stretched(pictures: np.ndarray) -> np.ndarray:
    return np.stack([images.stretched(picture) for picture in pictures])


def _measure(job, label, layer, settings, pictures, paths) -> list[dict]:
    """Returns the records: errors of the files as read back, energies of the images."""
    network, target = job.networks[label], job.targets[label]
    center = network.preprocessing.center(network.channels)
    stored = [runner.stored(path, network) for path in paths]
    errors = inversion.relative_errors(network, [*stored, *pictures], target, layer, settings)
    records = []
    for k, (of_file, of_image) in enumerate(errors.reshape(2, -1).T):
        prior = priors.terms(settings.prior, tf.constant(pictures[k : k + 1]) - center)
        records.append(
            {
                "relative_error": float(of_file),
                "energy": {
                    "objective": float(settings.strength * of_image**2),
                    **{name: float(term[0]) for name, term in prior.items()},
                },
                "settings": manifest.plain(settings),
            }
        )
    return records


def spread(job: Job, results: list[dict]) -> list[dict]:
    """Returns how far the restarts of each layer lie apart: what the layer forgot (MV16).

    "pixels": the standard deviation of a pixel over the restarts, root mean square over
    the image, grey levels. "features": the same of the features, as a share of the
    target's length. A layer that forgot has a large first and a small second.
    """
    of = tuple((result["file"], result["key"]) for result in results)
    if of not in job.spreads:
        job.spreads[of] = _spread(job, results)
    return job.spreads[of]


def _spread(job: Job, results: list[dict]) -> list[dict]:
    found = []
    for label, layers in job.layers.items():
        network = job.networks[label]
        for layer in layers:
            pictures = np.stack(_pictures(job, results, label, layer))
            phi = preimages.features(network, layer, pictures).numpy().astype(np.float64)
            phi0 = preimages.features(network, layer, job.targets[label][None]).numpy()
            apart = np.sqrt(np.square(phi - phi.mean(0)).sum() / len(phi))
            found.append(
                {
                    "network": label,
                    "layer": layer,
                    "pixels": float(np.sqrt(pictures.var(0, dtype=np.float64).mean())),
                    "features": float(apart / np.linalg.norm(phi0.astype(np.float64))),
                }
            )
    return found


def _pictures(job: Job, results: list[dict], label: str, layer: str) -> list[np.ndarray]:
    return [
        runner.stored(job.workdir / result["file"], job.networks[label])
        for result in results
        if (result["network"], result["layer"]) == (label, layer)
    ]


def sheet(job: Job, results: list[dict]) -> np.ndarray:
    """Returns the sheet: the target, then the pre-images and their errors.

    With several restarts, one row per layer that ends with their mean and standard
    deviation; with several networks, one row per layer, networks side by side.
    """
    several = len(job.networks) > 1
    restarts = len(job.seeds)
    target = sheets.Cell(next(iter(job.targets.values())), "target", "" if several else
                         next(iter(job.networks)))  # fmt: skip
    errors = {(r["network"], r["layer"], r["restart"]): r["relative_error"] for r in results}
    apart = {(s["network"], s["layer"]): s for s in spread(job, results)} if restarts > 1 else {}
    rows = []
    for at in range(max(len(layers) for layers in job.layers.values())):
        cells = []
        for label, layers in job.layers.items():
            layer = layers[at]
            pictures = _pictures(job, results, label, layer)
            title = f"{label} {layer}" if several and label != layer else layer
            cells += [
                sheets.Cell(p, title, f"relative error {errors[label, layer, k]:.3f}")
                for k, p in enumerate(pictures)
            ]
            if restarts > 1:
                far = apart[label, layer]
                mean, deviation = np.mean(pictures, 0), np.std(pictures, 0)
                cells += [
                    sheets.Cell(mean, "mean", f"{far['features']:.3f} apart in features"),
                    sheets.Cell(
                        _DEVIATION_SHOWN * deviation,
                        f"deviation, x {_DEVIATION_SHOWN}",
                        f"{far['pixels']:.1f} grey levels",
                    ),
                ]
        rows.append(cells)
    if restarts == 1 and not several:
        return sheets.sheet([target] + [cell for cells in rows for cell in cells])
    columns = 1 + len(rows[0])
    return sheets.sheet([cell for cells in rows for cell in [target, *cells]], columns)


def lines(job: Job, results: list[dict]) -> list[str]:
    """Returns what an app prints of its results."""
    several = len(job.networks) > 1
    width = max(len(_name(result, several)) for result in results)
    text = [
        f"{_name(result, several):<{width}}  relative error {result['relative_error']:.3f}  "
        f"{result['seconds']:6.1f} s  {result['file']}"
        for result in results
    ]
    if len(job.seeds) > 1:
        text.append("Spread over the restarts: what the layer has forgotten")
        text += [
            f"{_name(far, several):<{width}}  pixels {far['pixels']:5.1f} grey levels  "
            f"features {far['features']:.3f} of the target's"
            for far in spread(job, results)
        ]
    return text


def _name(record: dict, several: bool) -> str:
    return f"{record['network']}/{record['layer']}" if several else record["layer"]
