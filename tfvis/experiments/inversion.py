"""Inversions of layers: the pictures, their errors, the sheet."""

import functools
import itertools
import pathlib

import numpy as np
import tensorflow as tf

from tfvis import images, preimages, priors
from tfvis.experiments import (
    folders,
    layer_targets,
    optimization_tasks,
    outcome,
    preimage_numbers,
    runner,
    workdirs,
)
from tfvis.experiments import second_network as asking
from tfvis.experiments.layer_targets import LayerTarget
from tfvis.networks import hog_sift
from tfvis.preimages import inversion
from tfvis.preimages.settings import seeds as seeds_of
from tfvis.report import html_page, manifest, run_page, sheets

# What the sheet and the lines of an app need of a record.
FIELDS = {"layer": str, "network": str, "restart": int, "relative_error": float}
_KEEPS = (
    "Each pre-image is an image whose features, at the layer named below it, are those of the "
    "picture (Mahendran & Vedaldi, IJCV 2016). Shallow layers keep nearly every pixel. Deeper ones "
    "keep shapes and let go of exact places and colours; what they forgot, a natural-image prior "
    "filled in."
)
# The standard deviation of pixels is some 10 to 40 grey levels; so it can be seen.
_DEVIATION_SHOWN = 4


@workdirs.kept
def run(
    wanted,
    image: np.ndarray,
    layers: list[str] | dict[str, list[str]] | None = None,
    *,
    workdir: pathlib.Path | str,
    settings: preimages.Inversion = preimages.Inversion(),
    restarts: int = 1,
    seed: int = 0,
    size: int | tuple[int, int] | None = None,
    crop: str = "center",
    stretch: str = "auto",
    references: folders.Found | pathlib.Path | str | None = None,
    second_network: str | None = None,
    precision: str = "auto",
    jit: str = "auto",
    arguments: dict | None = None,
) -> outcome.Outcome:
    """Inverts layers of networks, or takes over what was finished before.

    Writes <layer>/preimage_<k>.png (below <network>/ if there are several), sheet.png,
    manifest.json, TensorBoard events.

    Args:
        wanted: a network, {label: network}, or `networks.Wanted`.
        image: float32 [height, width, 3], RGB, 0..255.
        layers: see `networks.layers_of`; None is five depths; by label of networks by label.
        workdir: for all results.
        settings: constants; None among them are derived per layer.
        restarts: pre-images per layer, from noise of seed, seed + 1, ...
        seed: of the first.
        size: side of the square that is looked at, or (height, width); None is the network's own,
            or 224.
        crop: see `images.crop`.
        stretch: "on", "off", or "auto": pictures of what ignores contrast are stretched.
        references: natural pictures whose random pairs the errors are measured by, see
            `folders.given`; None is pieces of the two photographs that come with scikit-learn.
        second_network: a classifier that says what it sees in picture and pre-images, or None.
        precision, jit: see `devices`.
        arguments: for the manifest.

    Returns:
        A record per network, layer and restart; see `preimage_numbers`. None of a layer that has
        nothing to invert or that nothing wakes, which is said.

    Raises:
        InputError: before anything is computed, if one of the layers has no map at this size; all
            layers are left out; the energy diverges (what was good is saved).
    """
    references = preimage_numbers.enough(folders.given(references, "references"))
    seeds = seeds_of(seed, restarts)
    found = layer_targets.chosen(
        wanted, image, layers, settings, inversion.published,
        workdir=workdir, size=size, crop=crop, precision=precision, jit=jit,
    )  # fmt: skip
    second = asking.opened(second_network)
    records = optimization_tasks.run(
        [_task(one, seeds, stretch) for one in found], workdir,
        layer_targets.header(found, arguments), FIELDS, target=found[0].image, optional=True,
    )  # fmt: skip
    made = layer_targets.made(found, records)
    records = preimage_numbers.added(made, records, workdir, references, second)
    apart = {one.name: _spread(one, records, workdir) for one in made if restarts > 1}
    page = _sheet(found, records, apart, workdir)
    optimization_tasks.save_pages(workdir, {"sheet": page})
    if references is not None:
        folders.report(references)
    return outcome.Outcome(
        records,
        _lines(made, records, apart),
        workdir / "sheet.png",
        _page(made, records, workdir),
    )


def _task(one: LayerTarget, seeds: tuple[int, ...], stretch: str) -> optimization_tasks.Task:
    network, layer, size = one.network, one.layer, one.image.shape[:2]
    stretched = stretch == "on" or (stretch == "auto" and network.name in hog_sift.BUILDERS)
    restarts = range(len(seeds))
    return optimization_tasks.Task(
        name=one.name,
        labels=tuple(one.name if len(seeds) == 1 else f"{one.name}/{k}" for k in restarts),
        keys=tuple(
            runner.key(
                network,
                recipe="inversion",
                target=one.image,
                layer=layer,
                seed=seed,
                settings=one.settings,
                # Rounding may depend on the batch an image is computed in.
                batch=seeds,
                stretch=stretched,
            )
            for seed in seeds
        ),
        paths=tuple(one.folder / f"preimage_{k}.png" for k in restarts),
        start=lambda state, marks: inversion.iterate(
            network, one.image, layer,
            seeds=seeds, settings=one.settings, state=state, marks=marks,
        ),
        measure=functools.partial(_measure, one),
        about=tuple(
            {"network": one.label, "layer": layer, "restart": k, "seed": seeds[k]}
            for k in restarts
        ),
        steps=one.settings.total,
        cost=network.cost(layer, *size),
        finish=_stretched if stretched else lambda pictures: pictures,
    )  # fmt: skip


def _stretched(pictures: np.ndarray) -> np.ndarray:
    return np.stack([images.stretched(picture) for picture in pictures])


def _measure(one: LayerTarget, pictures: np.ndarray, paths: list[pathlib.Path]) -> list[dict]:
    """Returns the records: errors of the files as read back, energies of the images."""
    network, settings = one.network, one.settings
    center = network.preprocessing.center(network.channels)
    stored = [runner.stored(path, network) for path in paths]
    errors = inversion.relative_errors(
        network, [*stored, *pictures], one.image, one.layer, settings
    )
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


def _spread(one: LayerTarget, records: list[dict], workdir: pathlib.Path) -> tuple[float, float]:
    """Returns how far the restarts of a layer lie apart: what the layer forgot (MV16).

    Of pixels: the standard deviation over the restarts, root mean square over the image, grey
    levels. Of features: the same, as a share of the target's length. A layer that forgot has a
    large first and a small second.
    """
    pictures = np.stack(one.stored(records, workdir))
    phi = preimages.features(one.network, one.layer, pictures).numpy().astype(np.float64)
    phi0 = preimages.features(one.network, one.layer, one.image[None]).numpy()
    apart = np.sqrt(np.square(phi - phi.mean(0)).sum() / len(phi))
    pixels = np.sqrt(pictures.var(0, dtype=np.float64).mean())
    return float(pixels), float(apart / np.linalg.norm(phi0.astype(np.float64)))


def _sheet(found: list[LayerTarget], records, apart, workdir: pathlib.Path) -> np.ndarray:
    """Returns the sheet: the target, then the pre-images and their errors.

    With several restarts, one row per layer that ends with their mean and standard
    deviation; with several networks, one row per layer, networks side by side.

    Args:
        found: the layers.
        records: of all.
        apart: {name of a layer: what `_spread` returned}; empty without restarts.
        workdir: of the files.
    """
    first, several = found[0], found[0].several
    said = ["" if several else first.label, preimage_numbers.of_picture(records)]
    target = sheets.Cell(first.image, "target", "\n".join(filter(None, said)))
    heading = preimage_numbers.heading(records)

    def cells(one: LayerTarget) -> list[sheets.Cell]:
        pictures = one.stored(records, workdir)
        return _cells(one, one.of(records), pictures, apart.get(one.name))

    if not apart and not several:
        layers = map(cells, layer_targets.made(found, records))
        return sheets.sheet([target, *itertools.chain(*layers)], heading=heading)
    rows = layer_targets.cells(found, records, lambda: [target], cells)
    return sheets.sheet([cell for row in rows for cell in row], len(rows[0]), heading)


def _page(found: list[LayerTarget], records, workdir: pathlib.Path) -> html_page.Page:
    """Returns the page: each pre-image over its target."""
    targets = layer_targets.shown(found, workdir, "the picture")

    def pair(record: dict) -> list[html_page.Pair]:
        after = run_page.linked(workdir, record["file"], title=record["layer"])
        notes = " ".join(preimage_numbers.notes(record | {"random_pairs": None}))
        return [layer_targets.pair(found, record, targets, after, notes)]

    text = "On the left the picture, on the right what was found from noise: pull the line."
    section = run_page.section("The picture and its pre-images", text, records, pair)
    return html_page.Page(
        "What layers keep of a picture", [section], [_KEEPS, *layer_targets.told_left_out(workdir)]
    )


def _cells(one: LayerTarget, records, pictures, apart=None) -> list[sheets.Cell]:
    """Returns the pre-images of a layer; of restarts also their mean and how far they differ."""
    cells = [
        sheets.Cell(picture, one.title, "\n".join([error, *preimage_numbers.notes(record)]))
        for record, picture in zip(records, pictures, strict=True)
        for error in [f"relative error {record['relative_error']:.3f}"]
    ]
    if apart:
        pixels, features = apart
        mean, deviation = np.mean(pictures, 0), np.std(pictures, 0)
        cells += [
            sheets.Cell(mean, "mean", f"{features:.3f} apart in features"),
            sheets.Cell(
                _DEVIATION_SHOWN * deviation,
                f"deviation, x {_DEVIATION_SHOWN}",
                f"{pixels:.1f} grey levels",
            ),
        ]
    return cells


def _lines(found: list[LayerTarget], records: list[dict], apart) -> list[str]:
    """Returns the results in words; arguments as `_sheet`."""
    width = max(len(one.name) for one in found)
    text = [
        f"{one.name:<{width}}  relative error {record['relative_error']:.3f}  "
        f"{record['seconds']:6.1f} s  {record['file']}  {preimage_numbers.words(record)}".rstrip()
        for one in found
        for record in one.of(records)
    ]
    if apart:
        text.append("Spread over the restarts: what the layer has forgotten")
    return text + [
        f"{name:<{width}}  pixels {pixels:5.1f} grey levels  "
        f"features {features:.3f} of the target's"
        for name, (pixels, features) in apart.items()
    ]
