"""Tables over many photographs. They take hours; each keeps a CSV and goes on from it."""

import collections
import csv
import io
import pathlib
from collections.abc import Iterator

import numpy as np

from tfvis import activation_statistics, files, images, objectives, preimages
from tfvis.errors import InputError
from tfvis.experiments import devices, folders, runner
from tfvis.networks import network as networks
from tfvis.networks.network import Network
from tfvis.preimages import activation_maximization, inversion
from tfvis.report import manifest, plots

# CVPR 2015, table of shallow representations: mean error, standard deviation, %.
_PUBLISHED_SHALLOW = {"hog": (28.1, 7.9), "hogb": (10.67, 5.2), "dsift": (10.89, 7.5)}
# Of the same table: inverting HOG with HOGgle (Vondrick et al. 2013).
_PUBLISHED_HOGGLE = (66.2, 13.7)
# Where the units of the activation table lie: shallow, middle and deep.
_UNIT_LAYERS = ("block2_conv2", "block3_conv3", "block4_conv2", "block5_conv3")
_UNITS_PER_LAYER = 16


def chosen(found: folders.Found | None, count: int) -> folders.Found:
    """Returns `count` photographs, evenly spaced in the order of their names.

    Raises:
        InputError: no --images, or fewer than asked for.
    """
    if found is None:
        raise InputError("--images: this table needs a folder of photographs.")
    paths = found.paths
    if len(paths) < count:
        raise InputError(f"--images: {len(paths)} images, but {count} are asked for (--count).")
    picked = [paths[i * len(paths) // count] for i in range(count)]
    return folders.Found(picked, "images")


class Rows:
    """A CSV of results by name, appended to as they come.

    Args:
        path: of the file, whose name gets a digest of `about` added; rows of an earlier
            run about the same are taken over.
        columns: names of the columns; the last is the number.
        about: all that decides the numbers, besides the columns.
    """

    def __init__(self, path: pathlib.Path, columns: tuple[str, ...], **about):
        path = path.with_name(f"{path.stem}-{manifest.key(**about)[:8]}{path.suffix}")
        self._path, self._columns = path, columns
        self.values: dict[tuple[str, ...], float] = {}
        if path.exists():
            with open(path, newline="", encoding="utf-8") as file:
                rows = list(csv.reader(file))[1:]
            # A row may be cut short, where a run was killed while it wrote.
            whole = [row for row in rows if len(row) == len(columns)]
            self.values = {tuple(row[:-1]): float(row[-1]) for row in whole}
            if len(whole) < len(rows):
                files.write_text(path, _text([columns, *whole]))

    def add(self, name: tuple[str, ...], value: float) -> None:
        """Appends a row."""
        rows = [] if self._path.exists() else [self._columns]
        written = f"{value:.5f}"
        files.append(self._path, _text([*rows, [*name, written]]).encode())
        # As whoever goes on from the file will read it, so that its tables are the same.
        self.values[name] = float(written)


def _text(rows) -> str:
    text = io.StringIO(newline="")
    csv.writer(text).writerows(rows)
    return text.getvalue()


def table_layers(network: Network, found, count: int, size: int, workdir: pathlib.Path) -> None:
    """Prints relative errors of all convolutions and poolings over photographs."""
    layers = network.convolutions_and_poolings()
    settings = preimages.Inversion(precision=devices.precision("auto"))
    rows = Rows(
        workdir / "layers.csv",
        ("photograph", "layer", "relative_error"),
        network=runner.key(network, size=size, settings=settings),
    )
    for path, picture in folders.pictures(chosen(found, count)):
        target = images.fitted(picture, size, size, network.channels)
        for layer in layers:
            if (str(path), layer) not in rows.values:
                picture_found = _last(inversion.iterate(network, target, layer, settings=settings))
                rows.add((str(path), layer), _error(network, layer, target, picture_found.kept[0]))
    errors = collections.defaultdict(list)
    for (_, layer), error in rows.values.items():
        errors[layer].append(error)
    print(f"Relative error (MV16) at {size} px, default settings, {settings.precision}")
    print(f"{'layer':<16} {'mean':>7} {'error of it':>12} {'photographs':>12}")
    means, spreads = [], []
    for layer in layers:
        values = np.array(errors[layer])
        means.append(values.mean())
        spreads.append(values.std(ddof=1) / np.sqrt(len(values)) if len(values) > 1 else 0.0)
        print(f"{layer:<16} {means[-1]:7.4f} {spreads[-1]:12.4f} {len(values):12d}")
    print(f"mean over layers {np.mean(means):.4f}, largest {np.max(means):.4f}")
    plot = plots.lines({"": (list(layers), means)}, "layer", "relative error", [spreads])
    images.save_png(workdir / "layers.png", plot)


def table_shallow(found, count: int, size: int, workdir: pathlib.Path) -> None:
    """Prints CVPR15 errors of HOG, HOGb and DSIFT beside the published ones.

    |phi(x*) - phi0|^2 over its mean among all pairs of the photographs, unlike the
    relative error of MV16, which stands beside it under its own name.
    """
    rows = Rows(workdir / "shallow.csv", ("photograph", "network", "measure", "value"), size=size)
    picked = chosen(found, count)
    print(f"Shallow representations at {size} px, {count} photographs, mean (deviation)")
    print(f"{'':<8} {'CVPR15 error %':>16} {'published %':>16} {'MV16 relative error':>20}")
    print(f"{'hoggle':<8} {'':>16} {_PUBLISHED_HOGGLE[0]:9.1f} ({_PUBLISHED_HOGGLE[1]:.1f})")
    built = {name: networks.build(name) for name in _PUBLISHED_SHALLOW}
    features = collections.defaultdict(list)
    for name, network in built.items():
        for _, picture in folders.pictures(picked):
            target = images.fitted(picture, size, size, network.channels)
            phi = preimages.features(network, name, target[None])
            features[name].append(phi.numpy().ravel().astype(np.float64))
    for k, (path, picture) in enumerate(folders.pictures(picked)):
        for name, network in built.items():
            if (str(path), name, "relative_error") in rows.values:
                continue
            target = images.fitted(picture, size, size, network.channels)
            result = images.stretched(_last(inversion.iterate(network, target, name)).kept[0])
            images.save_png(workdir / name / f"{path.stem}.png", result)
            stored = images.quantize(result)[None].astype(np.float32)
            phi, phi0 = preimages.features(network, name, stored), features[name][k]
            squared = np.square(phi.numpy().ravel().astype(np.float64) - phi0).sum()
            rows.add((str(path), name, "squared_distance"), squared)
            relative = np.sqrt(squared / np.square(phi0).sum())
            rows.add((str(path), name, "relative_error"), relative)
    for name, published in _PUBLISHED_SHALLOW.items():
        pairwise = _mean_squared_distance(np.stack(features[name]))
        names = [str(path) for path in picked.paths if path not in picked.broken]
        ours = np.array([rows.values[n, name, "squared_distance"] for n in names]) / pairwise
        relative = np.array([rows.values[n, name, "relative_error"] for n in names])
        print(
            f"{name:<8} {100 * ours.mean():9.2f} ({100 * ours.std():.1f}) "
            f"{published[0]:9.2f} ({published[1]:.1f}) {relative.mean():13.4f}",
            flush=True,
        )


def _mean_squared_distance(features: np.ndarray) -> float:
    """Returns the mean over all pairs, each with itself too, of |a - b|^2."""
    # mean |a - b|^2 = 2 (mean |a|^2 - |mean a|^2), over ordered pairs.
    return 2 * (np.square(features).sum(1).mean() - np.square(features.mean(0)).sum())


def table_activation(network: Network, found, count: int, workdir: pathlib.Path) -> None:
    """Prints how much more maximised units answer than to any of `count` photographs."""
    picked = chosen(found, count)
    settings = preimages.Maximization(precision=devices.precision("auto"))
    rows = Rows(
        workdir / "activation.csv",
        ("layer", "unit", "measure", "value"),
        network=runner.key(network, settings=settings, photographs=folders.digest(picked)),
    )
    statistics = activation_statistics.kept(
        network,
        _UNIT_LAYERS,
        folders.digest(picked),
        lambda first: folders.numbered_squares(picked, 224, 224, network.channels, first),
    )
    largest = {layer: one.largest for layer, one in statistics.items()}
    generator = np.random.default_rng(0)
    print(f"Activation of saved pictures over the largest on {count} photographs")
    every = []
    for layer in _UNIT_LAYERS:
        # Units that no photograph excites have no ratio.
        alive = np.flatnonzero(largest[layer] > 0)
        units = sorted(generator.choice(alive, _UNITS_PER_LAYER, replace=False).tolist())
        size = activation_maximization.canvas(network, layer)
        chosen_largest = activation_statistics.floored(largest[layer], layer)
        for unit in units:
            if (layer, str(unit), "ratio") in rows.values:
                continue
            bare = activation_maximization.unit(network, layer, [unit], size)
            weighted = activation_maximization.normalized(
                network, bare, layer, size, chosen_largest[[unit]], settings.strength
            )
            result = _last(
                activation_maximization.iterate(network, weighted, size=size, settings=settings)
            )
            images.save_png(workdir / layer / f"{unit}.png", result.kept[0])
            stored = images.quantize(result.kept).astype(np.float32)
            answer = float(bare(network.taps([layer])(stored))[0])
            rows.add((layer, str(unit), "ratio"), answer / float(largest[layer][unit]))
        ratios = [rows.values[layer, str(unit), "ratio"] for unit in units]
        every += ratios
        print(
            f"{layer:<14} median {np.median(ratios):6.2f}  least {min(ratios):6.2f}  "
            f"most {max(ratios):6.2f}",
            flush=True,
        )
    print(f"median of {len(every)} units: {np.median(every):.2f}")


def _last(runs: Iterator[preimages.Progress]) -> preimages.Progress:
    return collections.deque(runs, maxlen=1).pop()


def _error(network: Network, layer: str, target: np.ndarray, picture: np.ndarray) -> float:
    """Returns the relative error of a picture as 8 bits hold it."""
    stored = images.quantize(picture).astype(np.float32)
    phi0 = preimages.features(network, layer, target[None])
    return float(
        objectives.relative_error(preimages.features(network, layer, stored[None]), phi0)[0]
    )
