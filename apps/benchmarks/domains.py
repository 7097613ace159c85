"""Leave one domain out: trained on all sources but one, tested on that one.

The epoch is chosen on a tenth of each source, never on the domain left out: DomainBed's
training-domain validation (Gulrajani & Lopez-Paz 2021), with one recipe for all domains.
"""

import dataclasses
import pathlib

import numpy as np

from tfvis import tables
from tfvis.classifiers import datasets, training
from tfvis.errors import InputError
from tfvis.experiments import evaluation, labelled_pictures, networks
from tfvis.experiments import training as trainings

# Li et al. 2017 hold a tenth of each source out to choose by, and test on all of the target.
_SHARES = (0.9, 0.1, 0.0)
_COLUMNS = ("left_out", "seed", "accuracy", "adapted")


@dataclasses.dataclass(frozen=True)
class Recipe:
    """How every classifier of the table is trained.

    Attributes:
        wanted: the network.
        settings: constants of the trainings; their seed is the first.
        views: of each picture, and further ones as line drawings.
        cut: last frozen layer, or None.
        cache: folder of the trunk's maps, or None.
        size: side of the pictures.
        adapt: epochs of a second training, from the first on, adapting to the source left out;
            0 for none.
        styles: folder of styles that pictures are shown in, workdir or "sources", copies and
            layer, as `training.run` takes them.
    """

    wanted: networks.Wanted
    settings: training.Training
    views: tuple[int, int]
    cut: str | None
    cache: str | None
    size: int
    adapt: int = 0
    styles: tuple[str | None, int | None, str | None] = (None, None, None)


def table_domains(sources: list[str], recipe: Recipe, seeds: int, workdir: pathlib.Path) -> None:
    """Prints the accuracy on each source of classifiers that were trained on the others.

    Args:
        sources: at least two, of the same classes.
        recipe: of all trainings.
        seeds: trainings per source, each with its own split, views and order; the mean and its
            standard error are printed.
        workdir: of the trainings and domains.csv; stopped, the same table goes on where it was.

    Raises:
        InputError: fewer than two sources, or not of the same classes.
    """
    if len(sources) < 2:
        raise InputError("--data: leaving one out needs at least two sources.")
    # An hour of training should not end with an unknown label.
    classes = [datasets.read([source]).classes for source in sources]
    if len(set(classes)) > 1:
        raise InputError(f"--data: {sources[0]} and another source differ in their classes.")
    stems = [pathlib.Path(source).stem for source in sources]
    names = stems if len(set(stems)) == len(stems) else [f"{s}{k}" for k, s in enumerate(stems)]
    kinds = ["accuracy", "adapted"][: 1 + bool(recipe.adapt)]
    print(f"{'left out':<20} {'seed':>4} " + " ".join(f"{kind:>14}" for kind in kinds))
    found = np.full((seeds, len(sources), len(kinds)), np.nan)
    rows = []
    for k in range(seeds):
        seed = recipe.settings.seed + k
        for number, name in enumerate(names):
            folder = workdir / (f"{name}-{seed}" if seed else name)
            found[k, number] = _left_out(sources, number, recipe, seed, folder)
            rows.append((name, seed, *(f"{value:.6f}" for value in found[k, number])))
            print(_row(name, str(seed), found[k, number][None]), flush=True)
            tables.write(workdir / "domains.csv", _COLUMNS[: 2 + len(kinds)], rows)
    if seeds > 1:
        for number, name in enumerate(names):
            print(_row(name, "all", found[:, number]))
    print(_row("mean", "all", found.mean(1)))


def _row(name: str, seed: str, found: np.ndarray) -> str:
    """Returns a line; found: [seeds, kinds]."""
    cells = [f"{100 * value:.1f}" for value in found.mean(0)]
    if len(found) > 1:
        errors = found.std(0, ddof=1) / np.sqrt(len(found))
        cells = [f"{c} +- {100 * e:.1f}" for c, e in zip(cells, errors, strict=True)]
    return f"{name:<20} {seed:>4} " + " ".join(f"{cell:>14}" for cell in cells)


def _left_out(sources, number: int, recipe: Recipe, seed: int, folder: pathlib.Path) -> list[float]:
    """Returns the accuracies on a source of what was trained on the others, then adapted to it."""
    held, others = sources[number], [*sources[:number], *sources[number + 1 :]]
    plain = dataclasses.replace(recipe.settings, seed=seed)
    lent, copies, layer = recipe.styles
    cells = []
    for target in [None, held] if recipe.adapt else [None]:
        there = folder.with_name(folder.name + ("-adapted" if target else ""))
        there.mkdir(parents=True, exist_ok=True)
        trainings.run(
            datasets.read(others),
            # The first training brings its network along.
            networks.Wanted() if target else recipe.wanted,
            init=str(folder) if target else None,
            adapt_to=target, cut=None if target else recipe.cut, views=recipe.views[0],
            drawn=recipe.views[1], shares=_SHARES, cache=recipe.cache,
            size=None if target else recipe.size,
            settings=dataclasses.replace(plain, epochs=recipe.adapt) if target else plain,
            style_augment=lent, stylised=copies, style_layer=layer,
            held_out=(held,) if lent else (),
            workdir=there, precision=plain.precision,
            arguments={"data": ",".join(others)}, command=f"--data={','.join(others)}",
        )  # fmt: skip
        (measures,) = evaluation.run(
            str(there), labelled_pictures.of_checkpoint(str(there), (held,)),
            workdir=there / "left_out", precision=plain.precision, arguments={"data": held},
        ).records  # fmt: skip
        cells.append(measures["accuracy"])
    return cells
