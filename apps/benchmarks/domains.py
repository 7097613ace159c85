"""Leave one domain out: trained on all sources but one, tested on that one."""

import dataclasses
import pathlib

from tfvis.classifiers import datasets, training
from tfvis.errors import InputError
from tfvis.experiments import evaluation, labelled_pictures, networks
from tfvis.experiments import training as trainings

# Li et al. 2017 hold a tenth of each source out to choose by, and test on all of the target.
_SHARES = (0.9, 0.1, 0.0)


def table_domains(
    sources: list[str],
    wanted: networks.Wanted,
    settings: training.Training,
    views: tuple[int, int],
    cut: str | None,
    cache: str | None,
    adapt: int,
    workdir: pathlib.Path,
) -> None:
    """Prints the accuracy on each source of a classifier that was trained on the others.

    Args:
        sources: at least two, of the same classes.
        wanted: the network.
        settings: constants of the trainings.
        views: of each picture, and further ones as line drawings.
        cut: last frozen layer, or None.
        cache: folder of the trunk's maps, or None.
        adapt: epochs of a second training, from the first on, adapting to the source left out;
            0 for none.
        workdir: of the trainings; stopped, the same table goes on where it was.

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
    print(f"{'left out':<20} {'accuracy':>9}" + (f" {'adapted':>9}" if adapt else ""))
    sums = [0.0, 0.0]
    for held, name in zip(sources, names, strict=True):
        others = [source for source in sources if source != held]
        cells = []
        for k, target in enumerate([None, held] if adapt else [None]):
            folder = workdir / (name + ("-adapted" if target else ""))
            folder.mkdir(parents=True, exist_ok=True)
            trainings.run(
                datasets.read(others),
                # The first training brings its network along.
                networks.Wanted() if target else wanted,
                init=str(workdir / name) if target else None,
                adapt_to=target, cut=None if target else cut, views=views[0],
                drawn=views[1], shares=_SHARES, cache=cache,
                settings=dataclasses.replace(settings, epochs=adapt) if target else settings,
                workdir=folder, precision=settings.precision,
                arguments={"data": ",".join(others)}, command=f"--data={','.join(others)}",
            )  # fmt: skip
            (measures,) = evaluation.run(
                str(folder), labelled_pictures.of_checkpoint(str(folder), (held,)),
                workdir=folder / "left_out", precision=settings.precision,
                arguments={"data": held},
            ).records  # fmt: skip
            cells.append(measures["accuracy"])
            sums[k] += cells[-1]
        row = " ".join(f"{cell:9.1%}" for cell in cells)
        print(f"{name:<20} {row}", flush=True)
    row = " ".join(f"{total / len(sources):9.1%}" for total in sums[: 1 + bool(adapt)])
    print(f"{'mean':<20} {row}")
