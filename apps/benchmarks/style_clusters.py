"""Whether styles are found where they are known: in manners of drawing, and in folders."""

import pathlib

import numpy as np
import tensorflow as tf

from tfvis import images
from tfvis.errors import InputError
from tfvis.experiments import folders, style_descriptor_files
from tfvis.experiments.style_descriptor_files import Collection
from tfvis.progress_bar import bar
from tfvis.style import cluster_agreement, clusters, descriptors, metrics, style_distance
from tfvis.style.clustering_settings import METHODS, SCALINGS, Clustering
from tfvis.style.descriptors import Sketch
from tfvis.style.style_distance import Layer

from . import painting_manners

# Pairs of pictures whose sketched distances are held against the exact ones.
_PAIRS = 500
# Places a side, on which maps of pictures of any shape are compared.
_GRID = 7
# Pictures, and the style of each.
Pictures = tuple[folders.Found, dict[pathlib.Path, str]]


def drawings(
    photographs: folders.Found | None, count: int, size: int, workdir: pathlib.Path
) -> Pictures:
    """Draws photographs in all manners, each a file; takes over those that are there.

    Args:
        photographs: a folder of them.
        count: how many are taken, evenly out of all.
        size: of their squares, px.
        workdir: in which they are written.

    Raises:
        InputError: no folder, fewer than two that can be read.
    """
    if photographs is None:
        raise InputError("--images: this table draws photographs; name a folder of them.")
    contents = []
    for path in _evenly(photographs.paths, count):
        try:
            square = images.crop(images.read(path).pixels)
        except InputError as error:
            photographs.leave_out(path, error)
            continue
        contents.append(images.resize(square, size, size))
    if len(contents) < 2:
        raise InputError("--images: expected two or more photographs that can be read.")
    styles = {}
    for manner in painting_manners.MANNERS:
        for number, content in enumerate(contents):
            path = workdir / f"drawn-{size}" / manner.__name__ / f"{number:03}-of-{count}.png"
            # Descriptors are of files that stay as they are.
            if not path.exists():
                images.save_png(path, painting_manners.drawn(content, manner, number))
            styles[path] = manner.__name__
    return folders.Found(list(styles), "images"), styles


def of_folders(places: list[str], count: int) -> Pictures:
    """Returns pictures of folders, whose names are their styles.

    Args:
        places: two folders or more.
        count: of each, evenly out of all.

    Raises:
        InputError: fewer than two; one that has no pictures.
    """
    if len(places) < 2:
        raise InputError("--data: expected two or more folders, each of a style.")
    styles = {}
    for place in places:
        for path in _evenly(folders.find(place, "data").paths, count):
            styles[path] = place
    return folders.Found(list(styles), "data"), styles


def _evenly(paths: list[pathlib.Path], count: int) -> list[pathlib.Path]:
    chosen = np.unique(np.linspace(0, len(paths) - 1, min(count, len(paths))).astype(int))
    return [paths[k] for k in chosen]


def table_style_clusters(network, pictures: Pictures, size: int, workdir: pathlib.Path) -> None:
    """Prints how clusters agree with known styles, by every scaling and method.

    Args:
        network: the network.
        pictures: and their styles.
        size: they are looked at with as many pixels as a square of this side has.
        workdir: where descriptors are kept.

    Raises:
        InputError: none can be read.
    """
    found, styles = pictures
    layers = metrics.layers_for(network).style
    collection = style_descriptor_files.described(network, layers, found, size, "float32", workdir)
    folders.report(found)
    names = np.array([styles[path] for path in collection.paths])
    print(f"{len(names)} pictures of {len(set(names))} styles, {size} px")
    print(f"{'distance':<24} {'method':<8} {'clusters':>8} {'outliers':>8} {'ARI':>6} {'NMI':>6} "
          f"{'1-NN':>6}")  # fmt: skip
    content = network.convolutions()[-1]
    contents = _contents(network, content, collection, size)
    of = {f"style, {scaling}": (collection.layers, scaling) for scaling in SCALINGS}
    of |= {
        f"{what}, {scaling}": ((Layer.of(vectors),), scaling)
        for what, vectors in contents.items()
        for scaling in ("cosine", "raw")
    }
    of["colour histograms"] = ((Layer.of(collection.colors),), "raw")
    for title, (vectors, scaling) in of.items():
        apart = style_distance.distances(vectors, style_distance.factors(vectors, (), scaling))
        for method in METHODS:
            print(f"{title:<24} {method:<8} {_row(names, apart, method)}", flush=True)
    print(f"averages and map ({_GRID} x {_GRID} places): of {content}")
    if collection.exact:
        mean, most = _sketched(collection)
        print(f"of {_PAIRS} distances, sketches of {descriptors.SKETCHED:,} numbers a layer are "
              f"{mean:.2%} off on average, {most:.2%} at most")  # fmt: skip


def _row(names: np.ndarray, apart: np.ndarray, method: str) -> str:
    usual = Clustering()
    if method == "hdbscan":
        labels = clusters.hdbscan(apart, usual.min_samples, usual.min_cluster_size)
    else:
        eps = clusters.knee(clusters.k_distances(apart, usual.min_samples))
        labels = clusters.dbscan(apart, eps, usual.min_samples)
    held = cluster_agreement.agreement(names, labels, apart)
    outliers = float(np.mean(labels < 0))
    return (
        f"{labels.max() + 1:>8} {outliers:>8.1%} {held.ari:>6.3f} {held.nmi:>6.3f} "
        f"{held.nearest:>6.1%}"
    )


def _contents(network, layer: str, collection: Collection, size: int) -> dict[str, np.ndarray]:
    """Returns what a layer sees of each picture.

    Returns:
        {"averages": wherever it is, [pictures, channels]; "map": where it is, on a grid,
        [pictures, places * channels]}, float32.
    """
    taps, found = network.taps((layer,)), []
    shape = tf.TensorSpec([1, None, None, network.channels], tf.float32)

    def both(picture):
        seen = taps(picture)[layer]
        grid = tf.image.resize(seen, (_GRID, _GRID), tf.image.ResizeMethod.AREA)
        return tf.reduce_mean(seen, [0, 1, 2]), tf.reshape(grid, [-1])

    look = tf.function(both, [shape], autograph=False)
    for path in bar("Looking at contents", len(collection.paths), collection.paths):
        picture = descriptors.resized(images.read(path).pixels, size)
        picture = images.with_channels(picture, network.channels)
        found.append([one.numpy() for one in look(tf.constant(picture[None], tf.float32))])
    averages, maps = zip(*found, strict=True)
    return {"averages": np.stack(averages), "map": np.stack(maps)}


def _sketched(collection: Collection) -> tuple[float, float]:
    """Returns the mean and largest relative error of raw distances that are sketched."""
    count = len(collection.paths)
    generator = np.random.default_rng(0)
    first = generator.integers(0, count, _PAIRS)
    second = (first + generator.integers(1, count, _PAIRS)) % count
    exact, sketched = np.zeros(_PAIRS), np.zeros(_PAIRS)
    for layer, whole in zip(collection.layers, collection.sketches, strict=True):
        sketch = Sketch(whole.channels, descriptors.SKETCHED)
        vectors = layer.directions * layer.lengths[:, None]
        made = np.stack([sketch.of_entries(vector) for vector in vectors])
        for squared, of in ((exact, vectors), (sketched, made)):
            # In float64, a pair at a time.
            squared += [
                np.sum(np.square(of[a].astype(np.float64) - of[b]))
                for a, b in zip(first, second, strict=True)
            ]
    apart = exact > 0
    errors = np.abs(np.sqrt(sketched[apart] / exact[apart]) - 1)
    return float(errors.mean()), float(errors.max())
