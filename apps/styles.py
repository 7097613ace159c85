"""Finds the styles among a folder of pictures: clusters, their medoids, outliers.

    python -m apps.styles --images=paintings --workdir=out/styles

Pictures are as far apart as their Gram matrices at several depths of a network (the style term of
Gatys et al., CVPR 2016); clusters are HDBSCAN's, or with --method=dbscan those of DBSCAN, whose eps
is the knee of the k-distances. Writes to --workdir:

    styles.csv          path, cluster or -1, distance to its medoid (of an outlier to the nearest),
                        whether it is the medoid
    medoids/            a picture of each cluster, the one that is nearest to all others
    sheet.png           a cluster a row, its medoid first; the outliers last
    map.png             the pictures on the plane that shows most of their distances
    k_distances.png     how far the neighbours are, and eps
    agreement.csv       of pictures in sub-folders, how clusters agree with these, and how those of
                        colour histograms do
    index.html          all of it on a page
    descriptors/        what pictures are compared by; other flags of the clusters find it again
    manifest.json       arguments, versions, weights, clusters
    tensorboard/        sheet, map, curve, medoids

A picture takes about a third of a second on two cores; of more than 870, Gram matrices of VGG are
sketched, within 2 % of their distances. Stopped at any moment, the same command goes on.
"""

from absl import flags

from tfvis import words
from tfvis.style.clustering_settings import Clustering

from .flags import common, fields, name_checks, paths, pictures
from .flags import networks as network_flags

_IMAGES = paths.define(
    "images", None, paths.file_or_folder, "Folder of pictures, and of folders.", required=True
)
_SIZE = flags.DEFINE_integer(
    "size",
    224,
    "Pictures are looked at with as many pixels as a square of this side has; their aspect is "
    "kept.",
    lower_bound=32,
    upper_bound=4096,
)
_NETWORK = network_flags.define_network()
_LAYERS = flags.DEFINE_string(
    "layers", None, "Layers whose statistics are compared; left out, those of neural style."
)
_CLUSTERING = fields.define(
    Clustering,
    ("layer_weights", "scaling", "method", "min_samples", "min_cluster_size", "eps"),
    layer_weights=None,
)
_WORKDIR = common.define_workdir("out/styles")
_PRECISION = common.define_precision(
    "Arithmetic of the network; auto is float32: descriptors are compared."
)


def main():
    """Reads the flags and the folder, then TensorFlow, then compares."""
    name_checks.check(_NETWORK(), layers=common.named(_LAYERS))
    weights = words.floats(_CLUSTERING["layer_weights"].value, "layer_weights")
    settings = fields.values(Clustering, _CLUSTERING, layer_weights=weights)
    found = pictures.found(_IMAGES.value, "images")
    settings.check(len(found.paths))
    shared = common.start(_WORKDIR, _SIZE, _PRECISION)
    from tfvis.experiments import style_clusters

    layers = network_flags.layer_words(_LAYERS)
    return style_clusters.run(_NETWORK(), found, settings, layers=layers, **shared)


if __name__ == "__main__":
    common.run(main, "styles")
