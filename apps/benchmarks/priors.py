"""Priors of an inversion, beside each other on photographs of known classes.

All go down from noise to the features of the same photographs, in one batch. They are compared at
the end and at equal feature error: for each photograph the largest of what the priors reach at
best, each prior at the first mark at which it is as near. By how far they are off in pixels and in
shallow features, and by whether another network names in them what the photograph shows (model
metamers, Feather et al. 2023).
"""

import dataclasses
import pathlib
import time

import numpy as np
import tensorflow as tf

from tfvis import files, images, objectives, preimages
from tfvis.comparison import decisions
from tfvis.errors import InputError
from tfvis.experiments import labelled_pictures, runner, second_network
from tfvis.networks.network import Network
from tfvis.preimages import descent, inversion, null_distribution
from tfvis.preimages.settings import IMAGE_PRIORS
from tfvis.report import sheets

# Steps between two looks at the pictures.
_EVERY = 10
# Of all steps, those that come after the first rate: 50 of 350 by default.
_FINE = 7
# Pictures whose features are held at a time.
_BATCH = 16
# Rows of the sheet.
_SHOWN = 2
_SHALLOW = ("block1_conv2", "block2_conv2")


@dataclasses.dataclass(frozen=True, eq=False)
class Run:
    """Pre-images of all photographs as they grew under one prior.

    Attributes:
        steps: int [marks].
        pictures: uint8 [marks, photographs, height, width, channels].
        errors: float64 [marks, photographs], relative errors of these files.
        seconds: of the descent.
    """

    steps: np.ndarray
    pictures: np.ndarray
    errors: np.ndarray
    seconds: float


def table_priors(
    network: Network,
    photographs: list[tuple[np.ndarray, str]],
    layers: list[str],
    evaluations: int,
    precision: str,
    second: str,
    workdir: pathlib.Path,
) -> None:
    """Prints what each prior keeps, layer by layer; what was made goes on from the workdir.

    Args:
        network: that is inverted.
        photographs: float32 [size, size, channels] each, and the class it shows.
        layers: of it.
        evaluations: steps.
        precision: of the arithmetic.
        second: a classifier of these classes, another network.
        workdir: exists.

    Raises:
        InputError: the second network is the one that is inverted, or names other classes.
    """
    asked = second_network.opened(second)
    assert asked is not None
    if asked.network.name == network.name:
        raise InputError(f"--checkpoint={second}: it is inverted; name another network to ask.")
    targets = np.stack([picture for picture, _ in photographs])
    classes = [name for _, name in photographs]
    size, count = targets.shape[1], len(targets)
    named = [asked.says(one)["class"] for one in targets]
    print(
        f"{count} photographs at {size} px, {evaluations} evaluations, {precision}; {asked.name} "
        f"names the class of {_named(named, classes)} photographs"
    )
    for layer in layers:
        runs = {
            prior: _kept(network, targets, layer, prior, evaluations, precision, workdir)
            for prior in IMAGE_PRIORS
        }
        least = np.max([run.errors.min(0) for run in runs.values()], 0)
        moments = {
            "at the end": {p: np.full(count, len(run.steps) - 1) for p, run in runs.items()},
            "at equal feature error": {
                p: np.argmax(run.errors <= least, 0) for p, run in runs.items()
            },
        }
        null = null_distribution.null_distribution(
            network, layer, count, targets.__getitem__, preimages.Inversion()
        )
        shallow = [_shallow(network, target) for target in targets]
        for words, chosen in moments.items():
            print(f"\n{layer}, {words}")
            print(f"{'prior':<11} {'steps':>5} {'error':>13} {'pixels':>13} {'shallow':>15} "
                  f"{'pairs':>5}  named")  # fmt: skip
            for prior, run in runs.items():
                found = run.pictures[chosen[prior], np.arange(count)].astype(np.float32)
                errors = run.errors[chosen[prior], np.arange(count)]
                pixels = np.sqrt(np.square(found - targets).mean((1, 2, 3)))
                far = [
                    _apart(_shallow(network, one), kept)
                    for one, kept in zip(found, shallow, strict=True)
                ]
                pairs = "-" if null is None else f"{np.mean([null.nearer(e) for e in errors]):.0f}"
                said = [asked.says(one)["class"] for one in found]
                steps = np.median(run.steps[chosen[prior]])
                print(
                    f"{prior:<11} {steps:5.0f} {_mean(errors, 3):>13} "
                    f"{_mean(pixels, 1):>13} {_mean(far, 3):>15} {pairs:>5}  "
                    f"{_named(said, classes)}",
                    flush=True,
                )
        print("seconds: " + ", ".join(f"{p} {run.seconds:.0f}" for p, run in runs.items()))
        images.save_png(workdir / f"{layer}.png", _sheet(targets, classes, runs))


def examples(place: list[str], checkpoint: str, part: str, count: int, size: int, channels: int):
    """Returns photographs of a part of labelled sources, evenly taken, and what they show.

    Raises:
        InputError: see `labelled_pictures.part_of`; a picture cannot be read.
    """
    from tfvis.classifiers import checkpoints, example_images

    classifier = checkpoints.load(checkpoint)
    found = labelled_pictures.of_checkpoint(checkpoint, place)
    chosen = labelled_pictures.part_of(found, classifier, part).examples
    count = min(count, len(chosen))
    chosen = [chosen[k * len(chosen) // count] for k in range(count)]
    return [
        (
            images.with_channels(example_images.load(one, size), channels),
            classifier.classes[one.label],
        )
        for one in chosen
    ]


def _kept(network, targets, layer, prior, evaluations, precision, workdir) -> Run:
    """Returns a run, of an earlier call where there was the same."""
    fine = evaluations // _FINE
    settings = preimages.Inversion(
        image_prior=prior, steps=evaluations - fine, fine_steps=fine, precision=precision
    )
    settings = inversion.published(network, layer, targets.shape[1:3], settings)
    key = runner.key(network, targets=targets, layer=layer, settings=settings)
    path = workdir / f"{layer}_{prior}_{key[:8]}.npz"
    if not path.exists():
        began = time.perf_counter()
        way = inversion.descending(network, targets, layer, tuple(range(len(targets))), settings)
        grown = {
            shown.snapshot.done: images.quantize(shown.kept)
            for shown in descent.run(layer, way, settings, None, ())
            if shown.snapshot.done % _EVERY == 0 or shown.snapshot.done == evaluations
        }
        seconds = time.perf_counter() - began
        pictures = np.stack(list(grown.values()))
        errors = _errors(network, layer, targets, pictures)
        files.write_npz(
            path,
            {"steps": np.array(list(grown)), "pictures": pictures, "errors": errors,
             "seconds": np.array(seconds)},
        )  # fmt: skip
    with np.load(path, allow_pickle=False) as stored:
        return Run(**{name: stored[name] for name in ("steps", "pictures", "errors", "seconds")})


def _errors(network: Network, layer: str, targets, pictures) -> np.ndarray:
    """Returns relative errors, [marks, photographs]."""
    phi0 = [preimages.features(network, layer, one[None]) for one in targets]
    errors = np.zeros(pictures.shape[:2])
    for k, kept in enumerate(phi0):
        for first in range(0, len(pictures), _BATCH):
            batch = pictures[first : first + _BATCH, k].astype(np.float32)
            phi = preimages.features(network, layer, batch)
            errors[first : first + _BATCH, k] = objectives.relative_error(phi, kept)
    return errors


def _shallow(network: Network, picture: np.ndarray) -> list[np.ndarray]:
    """Returns shallow features, each place of unit length over its channels, as LPIPS has them."""
    layers = [layer for layer in _SHALLOW if layer in network.paths] or network.paths[:2]
    found = network.taps(layers)(tf.constant(picture[None], tf.float32))
    return [tf.math.l2_normalize(found[layer], -1, 1e-10).numpy()[0] for layer in layers]


def _apart(one: list[np.ndarray], other: list[np.ndarray]) -> float:
    """Returns the squared distance of features, mean over places and layers (Zhang et al. 2018).

    Without their weights, which were learnt of people: 0 to 2.
    """
    return float(
        np.mean([np.square(a - b).sum(-1).mean() for a, b in zip(one, other, strict=True)])
    )


def _named(said: list[str], classes: list[str]) -> decisions.Share:
    return decisions.share(sum(a == b for a, b in zip(said, classes, strict=True)), len(said))


def _mean(values, digits: int) -> str:
    values = np.asarray(values)
    error = values.std(ddof=1) / np.sqrt(len(values))
    return f"{values.mean():.{digits}f} ± {error:.{digits}f}"


def _sheet(targets, classes, runs: dict[str, Run]) -> np.ndarray:
    """Returns photographs, evenly taken, and how they come back under each prior."""
    cells = []
    for k in range(0, len(targets), max(-(-len(targets) // _SHOWN), 1)):
        cells.append(sheets.Cell(_twice(targets[k]), classes[k]))
        cells += [
            sheets.Cell(_twice(run.pictures[-1, k]), prior, f"error {run.errors[-1, k]:.3f}")
            for prior, run in runs.items()
        ]
    return sheets.sheet(cells, 1 + len(runs))


def _twice(picture: np.ndarray) -> np.ndarray:
    return picture.repeat(2, 0).repeat(2, 1).astype(np.float32)
