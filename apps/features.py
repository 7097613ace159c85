"""Writes the vectors a layer makes of pictures, of a folder of any size.

    python -m apps.features --images=photos --layer=block5_conv3 --workdir=out/features
    python -m apps.features --images=photos --layer=block5_conv3 --workers=4

For search and clustering elsewhere. Writes to --workdir:

    parts/          part-00000.parquet and so on: id, path, vector of each picture
    errors/         id, path, reason, detail of what could not be read
    checksums/      SHA-256 of both, as sha256sum --check reads them
    README.md       how to read them, in two lines of pandas or of pyarrow
    manifest.json   arguments, versions, weights, counts

A part has its name once it is whole. Stopped at any moment, the same command goes on: also with
other --workers, and with the pictures moved elsewhere; other weights, layers, versions or pictures
are refused. At the end every id and every byte is checked. With --precision=bfloat16 a picture of
224 px takes VGG16 up to block5 about 35 ms on two cores of an AMD EPYC that computes it.
"""

from tfvis.experiments.batch.engine import Engine
from tfvis.experiments.features_settings import Features

from .flags import common, fields, name_checks, paths, pictures
from .flags import networks as network_flags

_IMAGES = paths.define(
    "images", None, paths.file_or_folder, "Folder of pictures, and of folders.", required=True
)
_NETWORK = network_flags.define_network()
_FEATURES = fields.define(Features, ("layer", "pool", "size", "crop", "reduced_jpegs"))
_ENGINE = fields.define(Engine, ("engine", "workers"))
_WORKDIR = common.define_workdir("out/features")
_PRECISION = common.define_precision(
    "Arithmetic of the network; auto is float32: vectors are compared."
)


def main():
    """Reads the flags and the folder, then TensorFlow, then looks."""
    settings, engine = fields.values(Features, _FEATURES), fields.values(Engine, _ENGINE)
    engine.check()
    name_checks.check(_NETWORK(), layers={"layer": settings.layer})
    found = pictures.found(_IMAGES.value, "images")
    shared = common.start(_WORKDIR, _PRECISION)
    from tfvis.experiments import features

    return features.run(_NETWORK(), found, settings, engine, **shared)


if __name__ == "__main__":
    common.run(main, "features")
