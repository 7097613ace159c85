"""Styles among a folder of pictures: clusters under the style distance, their medoids, outliers."""

import dataclasses
import pathlib
from collections.abc import Sequence

import numpy as np

from tfvis import hardware, images, tables
from tfvis.errors import InputError, arg
from tfvis.experiments import (
    attention_models,
    devices,
    folders,
    messages,
    networks,
    outcome,
    runner,
    style_cluster_pictures,
    style_descriptor_files,
    workdirs,
)
from tfvis.experiments.style_cluster_pictures import Clustered
from tfvis.report import manifest, tensorboard
from tfvis.style import (
    arguments as checks,
)
from tfvis.style import (
    cluster_agreement,
    clusters,
    descriptors,
    metrics,
    multidimensional_scaling,
    style_distance,
)
from tfvis.style.clustering_settings import Clustering
from tfvis.style.style_distance import Layer

COLUMNS = ("path", "cluster", "distance_to_medoid", "medoid")
AGREEMENT = ("of", "clusters", "outliers", "ari", "nmi", "homogeneity", "completeness", "nearest")
# How eps is varied, to see what hangs on it.
_FACTORS = (0.8, 1.0, 1.25)
# The longer side of a medoid's file: enough for a style picture.
_SIDE = 512
# Clusters and outliers that are named in words; the table has all.
_NAMED = 12
# Of the machine's memory, what the distances may take.
_SHARE = 0.6


@workdirs.kept
def run(
    wanted,
    found: folders.Found | pathlib.Path | str,
    settings: Clustering = Clustering(),
    *,
    workdir: pathlib.Path | str,
    layers: Sequence[str] | None = None,
    size: int = 224,
    precision: str = "auto",
    arguments: dict | None = None,
) -> outcome.Outcome:
    """Finds the styles among pictures, with their descriptors made or taken over.

    Args:
        wanted: the one network, or `networks.Wanted`.
        found: the pictures: a folder, or what `folders.find` returned.
        settings: the distance, and what makes a cluster.
        workdir: for all results.
        layers: whose Gram matrices are compared; None is those of neural style.
        size: pictures are looked at with as many pixels as a square of this side has.
        precision: of the network; "auto" is float32, as descriptors are compared.
        arguments: for the manifest.

    Returns:
        An outcome with a record of each cluster.

    Raises:
        InputError: settings that do not fit; too few pictures, or none that can be read; pictures
            of one style only, where eps is to be read off their distances; no memory.
    """
    found = folders.listed(found, workdir)
    settings.check(len(found.paths) - len(found.broken))
    _check_memory(len(found.paths))
    network = networks.only(wanted, f"give each a {arg('workdir')} of its own")
    layers = metrics.layers_for(network).style if layers is None else layers
    layers = checks.maps(network, layers, "layers")
    weights = checks.weights(settings.layer_weights, len(layers), "layer_weights", "layers")
    precision = "float32" if precision == "auto" else devices.precision(precision)
    collection = style_descriptor_files.described(network, layers, found, size, precision, workdir)
    folders.report(found)
    settings.check(len(collection.paths))
    messages.say("Comparing styles ...")
    distances = style_distance.distances(
        collection.layers, style_distance.factors(collection.layers, weights, settings.scaling)
    )
    grouped = _grouped(distances, settings)
    clustered = _clustered(collection, found, distances, grouped.labels)
    names = _folder_names(clustered.names)
    compared = _compared(names, grouped, distances, collection.colors, settings)
    lines = [
        *_lines(clustered, settings, collection.exact),
        *grouped.lines,
        *_agreement_lines(names, compared),
    ]
    plane = multidimensional_scaling.plane(distances)
    pictures = {
        "sheet": style_cluster_pictures.sheet(clustered),
        "map": style_cluster_pictures.mapped(clustered, plane),
        "k_distances": style_cluster_pictures.curve(
            grouped.k_distances, grouped.eps, settings.min_samples
        ),
    }
    _write_files(workdir, collection.paths, clustered, pictures, compared)
    about = [lines[0], *grouped.lines]
    page = style_cluster_pictures.page(workdir, clustered, about, plane, compared)
    records = _records(clustered)
    manifest.write(
        workdir / "manifest.json",
        {
            "arguments": arguments or {}, "versions": manifest.versions(),
            "network": runner.described(network), "layers": list(layers), "size": size,
            "precision": precision, "settings": settings, "exact": collection.exact,
            "knee": grouped.knee, "eps": grouped.eps if settings.method == "dbscan" else None,
            "clusters_at": grouped.at, "agreement": [dict(zip(AGREEMENT, row, strict=True))
                                                     for row in compared[1:]],
            "results": records, **folders.told(found),
        },
    )  # fmt: skip
    return outcome.Outcome(records, lines, workdir / "sheet.png", page)


@dataclasses.dataclass(frozen=True, eq=False)
class _Grouped:
    """Labels, and what they were read off.

    Attributes:
        labels: int [pictures].
        k_distances: of all pictures.
        knee: of them.
        eps: that is marked: the one used, or the knee.
        at: {eps: clusters}, of dbscan.
        lines: that say so.
    """

    labels: np.ndarray
    k_distances: np.ndarray
    knee: float
    eps: float
    at: dict[str, int]
    lines: tuple[str, ...] = ()


def _check_memory(count: int) -> None:
    needed, limit = 4 * count**2, int(_SHARE * hardware.memory())
    if needed > limit:
        raise InputError(
            f"{arg('images')}: the distances of {count:,} pictures take {needed / 2**30:.1f} GiB, "
            f"and {limit / 2**30:.1f} are to be used. Name a smaller folder."
        )


def _grouped(distances: np.ndarray, settings: Clustering) -> _Grouped:
    """Returns the clusters, by the method of the settings."""
    near = clusters.k_distances(distances, settings.min_samples)
    bend = clusters.knee(near)
    if settings.method == "hdbscan":
        labels = clusters.hdbscan(distances, settings.min_samples, settings.min_cluster_size)
        return _Grouped(labels, near, bend, bend, {})
    eps = _eps(bend, settings)
    tried = [clusters.dbscan(distances, factor * eps, settings.min_samples) for factor in _FACTORS]
    at = {
        f"{factor * eps:.4g}": int(labels.max()) + 1
        for factor, labels in zip(_FACTORS, tried, strict=True)
    }
    said = ", ".join(f"{count} at {value}" for value, count in at.items())
    source = "the knee of k_distances.png" if settings.eps is None else "as given"
    line = f"eps {eps:.4g} ({source}); clusters at {', '.join(map(str, _FACTORS))} times it: {said}"
    return _Grouped(tried[1], near, bend, eps, at, (f"{line}.",))


def _eps(bend: float, settings: Clustering) -> float:
    """Returns the eps of the settings, or the knee of the k-distances."""
    eps = bend if settings.eps is None else settings.eps
    if not eps > 0:
        raise InputError(
            f"{arg('eps')}: cannot be read off distances of which most are 0, as of copies of one "
            "picture. Give it."
        )
    return eps


def _labels(distances: np.ndarray, settings: Clustering) -> np.ndarray:
    """Returns the clusters alone, as `_grouped` finds them."""
    if settings.method == "hdbscan":
        return clusters.hdbscan(distances, settings.min_samples, settings.min_cluster_size)
    bend = clusters.knee(clusters.k_distances(distances, settings.min_samples))
    return clusters.dbscan(distances, _eps(bend, settings), settings.min_samples)


def _clustered(
    collection: style_descriptor_files.Collection,
    found: folders.Found,
    distances: np.ndarray,
    labels: np.ndarray,
) -> Clustered:
    """Returns the clusters with their medoids."""
    medoids = clusters.medoids(distances, labels)
    to_medoid = np.full(len(labels), np.nan)
    if len(medoids):
        to_all = distances[:, medoids]
        own = to_all[np.arange(len(labels)), labels]
        to_medoid = np.where(labels >= 0, own, to_all.min(1)).astype(np.float64)
    names = tuple(path.relative_to(found.root).as_posix() for path in collection.paths)
    return Clustered(names, collection.thumbnails, labels, medoids, to_medoid)


def _folder_names(names: Sequence[str]) -> np.ndarray | None:
    """Returns the folder of each picture, "" of one in none; None where they say nothing.

    They do where there are two or more, one of them with two pictures.
    """
    first = np.array([name.partition("/")[0] if "/" in name else "" for name in names])
    known, counts = np.unique(first[first != ""], return_counts=True)
    return first if len(known) > 1 and counts.max() > 1 else None


def _compared(
    names: np.ndarray | None,
    grouped: _Grouped,
    distances: np.ndarray,
    colors: np.ndarray,
    settings: Clustering,
) -> list[tuple]:
    """Returns the table against the folders, `AGREEMENT` first; empty where they say nothing."""
    if names is None:
        return []
    one = [Layer.of(colors)]
    by_color = style_distance.distances(one, style_distance.factors(one, (), "raw"))
    plain = dataclasses.replace(settings, eps=None)
    rows: list[tuple] = [AGREEMENT]
    for of, apart in (("style", distances), ("colour histograms", by_color)):
        try:
            labels = grouped.labels if of == "style" else _labels(apart, plain)
        except InputError:  # All of one colour: their eps is 0.
            continue
        kept = np.flatnonzero(names != "")
        among = apart if len(kept) == len(names) else apart[np.ix_(kept, kept)]
        found = cluster_agreement.agreement(names[kept], labels[kept], among)
        measures = [round(value, 4) for value in dataclasses.astuple(found)]
        if labels.max() < 0:  # Of no clusters there is nothing to be said but the last.
            measures[:-1] = [None] * (len(measures) - 1)
        rows.append((of, int(labels.max()) + 1, int(np.sum(labels < 0)), *measures))
    return rows


def _agreement_lines(names: np.ndarray | None, rows: list[tuple]) -> list[str]:
    """Returns the same in words."""
    if names is None or not rows:
        return []
    count = len(set(names) - {""})
    lines = [f"Against the {count} folders, outliers as one more cluster:"]
    for of, number, outliers, ari, nmi, pure, complete, nearest in rows[1:]:
        measures = (
            f"ARI {ari:.2f} (1 is the same parts, 0 chance), NMI or V-measure {nmi:.2f} "
            f"(homogeneity {pure:.2f}, completeness {complete:.2f}); "
            if number
            else ""
        )
        lines.append(
            f"  {of}, {number} clusters, {outliers} outliers: {measures}the nearest other is of "
            f"the same folder for {nearest:.0%}"
        )
    return lines


def _lines(found: Clustered, settings: Clustering, exact: bool) -> list[str]:
    """Returns what was found, in words."""
    count, outliers = len(found.labels), int(np.sum(found.labels < 0))
    how = {"hdbscan": "HDBSCAN", "dbscan": "DBSCAN"}[settings.method]
    of = "of whole Gram matrices" if exact else (
        f"of sketches of {descriptors.SKETCHED:,} numbers a layer, whose standard error is 0.5 %"
    )  # fmt: skip
    lines = [
        f"{count} pictures, {len(found.medoids)} styles by {how}, {outliers} outliers "
        f"({outliers / count:.0%}); distances {of}."
    ]
    if not len(found.medoids):
        fewer = "a larger eps" if settings.method == "dbscan" else "a smaller min_cluster_size"
        lines.append(f"  No place is dense enough: try {fewer}, or a smaller min_samples.")
    for cluster, medoid in enumerate(found.medoids[:_NAMED]):
        lines.append(f"  {found.heading(cluster)} pictures, medoid {found.names[medoid]}")
    if len(found.medoids) > _NAMED:
        lines.append(f"  and {len(found.medoids) - _NAMED} smaller ones: styles.csv")
    if outliers:
        named = [found.names[k] for k in np.flatnonzero(found.labels < 0)[:_NAMED]]
        more = ", ..." if outliers > _NAMED else ""
        lines.append(f"  outliers: {', '.join(named)}{more}")
    return lines


def _records(found: Clustered) -> list[dict]:
    """Returns the manifest's results."""
    return [
        {
            "cluster": cluster,
            "pictures": int(np.sum(found.labels == cluster)),
            "medoid": found.names[medoid],
            "file": f"medoids/{style_cluster_pictures.medoid_file(cluster)}",
        }
        for cluster, medoid in enumerate(found.medoids)
    ]


def _write_files(
    workdir: pathlib.Path,
    paths: Sequence[pathlib.Path],
    found: Clustered,
    pictures: dict[str, np.ndarray],
    compared: list[tuple],
) -> None:
    """Writes tables, medoids, pictures and summaries."""
    medoids = set(found.medoids.tolist())
    tables.write(
        workdir / "styles.csv",
        COLUMNS,
        (
            (str(path), int(label), None if np.isnan(apart) else f"{apart:.6g}", int(k in medoids))
            for k, (path, label, apart) in enumerate(
                zip(paths, found.labels, found.to_medoid, strict=True)
            )
        ),
    )
    if compared:
        tables.write(workdir / "agreement.csv", compared[0], compared[1:])
    else:
        (workdir / "agreement.csv").unlink(missing_ok=True)
    made = {}
    for cluster, medoid in enumerate(found.medoids):
        pixels = images.read(paths[medoid]).pixels
        file = style_cluster_pictures.medoid_file(cluster)
        made[file] = attention_models.thumbnail(pixels, _SIDE)
    for name, pixels in made.items():
        images.save_png(workdir / "medoids" / name, pixels)
    for path in (workdir / "medoids").glob("cluster_*.png"):
        if path.name not in made:  # Of an earlier run.
            path.unlink()
    for name, pixels in pictures.items():
        images.save_png(workdir / f"{name}.png", pixels)
    with tensorboard.Writer(workdir / "tensorboard") as writer:
        for name, pixels in pictures.items():
            writer.images(name, pixels[None], 0)
        for name, pixels in made.items():
            writer.images(f"medoids/{name.removesuffix('.png')}", pixels[None], 0)
