"""Running inversions for an app: progress, resuming, pictures, manifest, TensorBoard."""

import dataclasses
import pathlib
import sys
import time
import urllib.parse

import numpy as np
import tensorflow as tf
import tqdm

from apps import common
from tfvis import files, images, objectives, preimages
from tfvis.networks import fast
from tfvis.networks.network import Network
from tfvis.optimize import loop
from tfvis.report import manifest, sheets, tensorboard

# TensorBoard gets a picture every so many steps, and at the end.
IMAGE_EVERY = 50
# A kill costs at most this much work.
SAVE_EVERY_S = 5.0


@dataclasses.dataclass(frozen=True)
class Job:
    """What to invert, and where to put it.

    Attributes:
        network: the network.
        target: float32 [height, width, channels], display space.
        layers: paths, in the order of the sheet.
        seeds: one per restart.
        settings: constants; None among them are derived per layer.
        workdir: exists and is writable.
        arguments: of the command, for the manifest.
    """

    network: Network
    target: np.ndarray
    layers: list[str]
    seeds: tuple[int, ...]
    settings: preimages.Inversion
    workdir: pathlib.Path
    arguments: dict


def run(job: Job) -> list[dict]:
    """Inverts every layer, or takes it over where the same was finished before.

    Writes <layer>/preimage_<k>.png, sheet.png, manifest.json, TensorBoard events.

    Returns:
        The manifest's results, one per layer and restart.

    Raises:
        InputError: before anything is computed, if one of the layers cannot be done;
            later, if the energy diverges (what was good is saved).
    """
    size = job.target.shape[:2]
    resolved = {
        layer: preimages.published(job.network, layer, size, job.settings) for layer in job.layers
    }
    path = job.workdir / "manifest.json"
    earlier = _earlier(path)
    results: list[dict] = []
    steps = job.settings.steps + job.settings.fine_steps
    costs = {layer: job.network.cost(layer, *size) for layer in job.layers}
    with (
        tensorboard.Writer(job.workdir / "tensorboard") as writer,
        tqdm.tqdm(
            total=sum(costs.values()) * steps,
            bar_format="{desc} {percentage:3.0f}%|{bar}| {elapsed}<{remaining}{postfix}",
            mininterval=0.2 if sys.stderr.isatty() else 15,
            file=sys.stderr,
        ) as bar,
    ):
        writer.images("target", job.target[None], 0)
        for layer in job.layers:
            keys = _keys(job, layer, resolved[layer])
            if all(_finished(job, earlier.get(key)) for key in keys):
                results += [earlier[key] for key in keys]
                bar.update(costs[layer] * steps)
            else:
                results += _one(job, layer, resolved[layer], keys, writer, bar, costs[layer])
            manifest.write(path, _manifest(job, results, earlier))
        page = sheet(job, results)
        images.save_png(job.workdir / "sheet.png", page)
        writer.images("sheet", page[None], 0)
    return results


def _one(job, layer, settings, keys, writer, bar, cost) -> list[dict]:
    """Inverts one layer; saves its state as it goes and its pictures at the end."""
    saved = job.workdir / folder_of(layer) / ".state.npz"
    state, spent = _load_state(saved, keys)
    before, began, last_save = 0, time.perf_counter(), time.perf_counter()
    if state is not None:
        before = sum([settings.steps, settings.fine_steps][: state.stage]) + state.step
    bar.update(cost * before)
    try:
        for progress in preimages.invert(
            job.network, job.target, layer, seeds=job.seeds, settings=settings, state=state
        ):
            done, terms = progress.snapshot.done, progress.snapshot.terms
            energy = float(sum(term[-1] for term in terms.values()).mean())
            bar.set_description_str(f"{layer} {done}/{progress.total}", refresh=False)
            bar.set_postfix_str(f"energy {energy:.3g}", refresh=False)
            bar.update(cost * (done - before))
            before = done
            _log(job, layer, writer, progress)
            if time.perf_counter() - last_save > SAVE_EVERY_S and done < progress.total:
                last_save = time.perf_counter()
                _save_state(saved, keys, progress.snapshot.state, spent + last_save - began)
    except loop.DivergedError as error:
        last = preimages.images_of(job.network, error.state, job.target.shape[:2])
        kept = _save_pictures(job, layer, last)
        raise common.InputError(
            f"{layer}: the energy is not finite at step {error.step}; the last good image "
            f"is kept as {kept[0]}. Lower --rate or --strength."
        ) from error
    pictures = progress.images
    seconds = spent + time.perf_counter() - began
    paths = _save_pictures(job, layer, pictures)
    results = _measure(job, layer, settings, keys, pictures, paths, seconds)
    saved.unlink(missing_ok=True)
    return results


def _picture(job: Job, layer: str, restart: int) -> pathlib.Path:
    return job.workdir / folder_of(layer) / f"preimage_{restart}.png"


def _save_pictures(job: Job, layer: str, pictures: np.ndarray) -> list[pathlib.Path]:
    paths = [_picture(job, layer, k) for k in range(len(pictures))]
    for path, pixels in zip(paths, pictures, strict=True):
        images.save_png(path, pixels)
    return paths


def _measure(job, layer, settings, keys, pictures, paths, seconds) -> list[dict]:
    """Returns the results: errors of the files as read back, energies of the images."""
    network = job.network
    phi0 = preimages.features(network, layer, job.target[None])
    mask = preimages.mask(tuple(phi0.shape[1:]), settings)
    mask = np.float32(1) if mask is None else mask
    center = network.preprocessing.center(network.channels)
    results = []
    for k, path in enumerate(paths):
        stored = images.with_channels(images.read(path).pixels, network.channels)
        errors = [
            objectives.relative_error(
                preimages.features(network, layer, pixels[None]) * mask, phi0 * mask
            )[0]
            for pixels in (stored, pictures[k])
        ]
        prior = settings.prior.terms(tf.constant(pictures[k : k + 1]) - center)
        results.append(
            {
                "layer": layer,
                "restart": k,
                "seed": job.seeds[k],
                "steps": settings.steps + settings.fine_steps,
                # A batch is computed together; its images share the time.
                "seconds": round(seconds / len(paths), 2),
                "relative_error": float(errors[0]),
                "energy": {
                    "objective": float(settings.strength * errors[1] ** 2),
                    **{name: float(term[0]) for name, term in prior.items()},
                },
                "file": path.relative_to(job.workdir).as_posix(),
                "sha256": files.sha256_of(path),
                "settings": manifest.plain(settings),
                "key": keys[k],
            }
        )
    return results


def _log(job, layer: str, writer, progress: preimages.Progress) -> None:
    """Sends a chunk's energies, and now and then the pictures, to TensorBoard."""
    done = progress.snapshot.done
    for k in range(len(job.seeds)):
        name = layer if len(job.seeds) == 1 else f"{layer}/{k}"
        terms = progress.snapshot.terms.items()
        values = {f"{name}/energy/{term}": float(v[-1, k]) for term, v in terms}
        writer.scalars(values, done)
    before = done - len(next(iter(progress.snapshot.terms.values())))
    if done // IMAGE_EVERY > before // IMAGE_EVERY or done == progress.total:
        writer.images(f"{layer}/preimage", progress.images, done)
        writer.flush()


def _keys(job: Job, layer: str, settings: preimages.Inversion) -> list[str]:
    """Returns, per restart, the digest of all that decides its bits."""
    network = job.network
    return [
        manifest.key(
            target=job.target,
            layer=layer,
            seed=seed,
            settings=settings,
            weights=network.record.fingerprint,
            preprocessing=network.preprocessing,
            variant=network.variant,
            versions=manifest.versions(),
            # Rounding may depend on the batch an image is computed in.
            batch=job.seeds,
        )
        for seed in job.seeds
    ]


def folder_of(layer: str) -> pathlib.PurePosixPath:
    """Returns the folder of a layer's pictures, relative to the workdir, never outside.

    A layer's name comes out of a model file and may be anything: "..", or the name of
    one of the run's own files.
    """
    parts = [urllib.parse.quote(part, safe="+, ") for part in layer.split("/")]
    parts = [part.replace(".", "%2E") if not part.strip(".") else part for part in parts]
    if parts[0] in ("tensorboard", "manifest.json", "sheet.png", "index.html"):
        parts[0] = "layer-" + parts[0]
    return pathlib.PurePosixPath(*parts)


def _earlier(path: pathlib.Path) -> dict[str, dict]:
    """Returns {key: result} of an earlier manifest, leaving out what is malformed."""
    results = manifest.read(path).get("results")
    needed = {"key": str, "layer": str, "restart": int, "file": str, "sha256": str}
    needed |= {"relative_error": float, "seconds": float}
    return {
        result["key"]: result
        for result in (results if isinstance(results, list) else [])
        if isinstance(result, dict)
        and all(isinstance(result.get(name), kind) for name, kind in needed.items())
    }


def _finished(job: Job, result: dict | None) -> bool:
    if not result:
        return False
    path = _picture(job, result["layer"], result["restart"])
    return path.is_file() and files.sha256_of(path) == result["sha256"]


def _save_state(path: pathlib.Path, keys, state: loop.State, seconds: float) -> None:
    arrays = {f"slot{i}": slot for i, slot in enumerate(state.slots)}
    arrays |= {"canvas": state.canvas, "place": np.array([state.stage, state.step])}
    arrays |= {"keys": np.array(keys), "seconds": np.array(seconds)}
    with files.replacing(path) as temporary, open(temporary, "wb") as file:
        np.savez(file, digest=np.array(manifest.key(**arrays)), **arrays)


def _load_state(path: pathlib.Path, keys) -> tuple[loop.State | None, float]:
    """Returns the state of an interrupted run with the same keys, and its seconds."""
    try:
        with np.load(path, allow_pickle=False) as stored:
            arrays = {name: stored[name] for name in stored.files}
        whole = str(arrays.pop("digest")) == manifest.key(**arrays)
        if not whole or arrays["keys"].tolist() != keys:
            return None, 0.0
        slots = tuple(arrays[f"slot{i}"] for i in range(len(arrays) - 4))
        stage, step = arrays["place"].tolist()
        return loop.State(arrays["canvas"], slots, stage, step), float(arrays["seconds"])
    except Exception:  # Any damage means the same: begin this layer again.
        return None, 0.0


def _manifest(job: Job, results: list[dict], earlier: dict[str, dict]) -> dict:
    """Returns the manifest; what an earlier one had finished stays until it is replaced."""
    done = {(result["layer"], result["restart"]) for result in results}
    kept = [
        result
        for result in earlier.values()
        if result["layer"] in job.layers
        and result["restart"] < len(job.seeds)
        and (result["layer"], result["restart"]) not in done
        and _finished(job, result)
    ]
    return {
        "arguments": job.arguments,
        "versions": manifest.versions(),
        "network": {
            "name": job.network.name,
            "preprocessing": job.network.preprocessing.name,
            **dict(job.network.variant),
        },
        "weights": dataclasses.asdict(job.network.record),
        "jit": job.settings.jit,
        "results": results + kept,
    }


def sheet(job: Job, results: list[dict]) -> np.ndarray:
    """Returns the sheet: the target, then each layer's first pre-image and error.

    With several restarts, one row per layer.
    """
    target = sheets.Cell(job.target, "target", f"{job.network.name}")
    restarts = len(job.seeds)
    cells = [target]
    for result in results:
        if restarts > 1 and result["restart"] == 0 and len(cells) > 1:
            cells.append(target)
        pixels = images.read(job.workdir / result["file"]).pixels
        note = f"relative error {result['relative_error']:.3f}"
        cells.append(sheets.Cell(pixels, result["layer"], note))
    return sheets.sheet(cells, restarts + 1 if restarts > 1 else None)


def precision(word: str) -> str:
    """Returns the precision a flag stands for on this machine."""
    if word != "auto":
        return word
    return "bfloat16" if fast.native_bfloat16() else "float32"


def jit(word: str, workdir: pathlib.Path, network: Network, target, layer: str) -> bool:
    """Returns whether a --jit flag means XLA on this machine.

    On a CPU a convolution inside an XLA loop takes a naive path, some 18 times as slow,
    so auto leaves it off there. On a GPU it measures, unless an earlier run in this
    workdir did: XLA changes the bits, and that run must be able to go on.
    """
    if word != "auto":
        return word == "on"
    if not tf.config.list_physical_devices("GPU"):
        return False
    decided = manifest.read(workdir / "manifest.json").get("jit")
    if isinstance(decided, bool):
        return decided
    return seconds_per_step(network, target, layer, True) < seconds_per_step(
        network, target, layer, False
    )


def seconds_per_step(network: Network, target, layer: str, with_xla: bool) -> float:
    """Returns the time of a float32 inversion step, compilation not counted."""
    settings = preimages.Inversion(steps=4 * loop.CHUNK, fine_steps=0, jit=with_xla)
    marks = [
        progress.seconds for progress in preimages.invert(network, target, layer, settings=settings)
    ]
    return (marks[-1] - marks[0]) / (3 * loop.CHUNK)
