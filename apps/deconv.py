"""Shows which images excite a unit most, and what in them does.

    python -m apps.deconv --images=photos --units=block5_conv3:0-5 --top=9

For each unit the images that excite it most are found, and its activation in each is
taken back to the pixels: by a deconvnet (Zeiler & Fergus, ECCV 2014), or with --method by
guided backpropagation (Springenberg 2015), the plain gradient, saliency (Simonyan 2014) or
SmoothGrad (Smilkov 2017). Writes to --workdir:

    sheet.png                      all units
    <layer>/<unit>.png             the projections, beside the patches they come from
    <layer>/<unit>/<k>_*.png       each projection and patch at full size
    manifest.json                  arguments, versions, weights, files and activations

With --workers=N processes share the looking through a folder of any size (0 is this one alone),
with --engine=ray the actors of a cluster. They write, and go on from,

    strongest_images/parts/        part-00000.parquet and so on: which units each image of a shard
                                   is among the strongest of, there, and where
    strongest_images/errors/, checksums/    what could not be read, and why; SHA-256 of both

An image takes VGG16 half a second to look through on two cores, and one more to project.
Stopped at any moment, the same command goes on where it was.
"""

from absl import flags

from .flags import common, name_checks, paths, pictures, units
from .flags import engine as engine_flags
from .flags import networks as network_flags

_IMAGES = paths.define(
    "images",
    None,
    paths.file_or_folder,
    "Folder of images, or one image; left out, two photographs that come with scikit-learn.",
)
_SIZE, _CROP = pictures.define_square()
_NETWORK = network_flags.define_network()
_WORKDIR = common.define_workdir("out/deconv")
_UNITS = units.define_units()
_TOP = flags.DEFINE_integer("top", 9, "Images per unit.", lower_bound=1, upper_bound=100)
_ENGINE = engine_flags.define()
_METHOD = flags.DEFINE_enum(
    "method",
    "deconvnet",
    ["deconvnet", "guided", "gradient", "saliency", "smoothgrad"],
    "How to go back to the pixels.",
)
_SEED = flags.DEFINE_integer(
    "seed", 0, "Seed of smoothgrad's noise.", lower_bound=0, upper_bound=2**31 - 1
)


def main():
    """Reads the flags, then TensorFlow, then looks and projects."""
    name_checks.check(_NETWORK(), unit_holders=_UNITS)
    engine = engine_flags.chosen(_ENGINE)
    found = pictures.found(_IMAGES.value, "images")
    shared = common.start(_WORKDIR, _SEED, _SIZE, _CROP, _TOP, _METHOD)
    from tfvis.experiments import deconvnet

    return deconvnet.run(
        _NETWORK(), _UNITS["units"].value, found,
        labels=_UNITS["labels"].value, engine=engine, **shared,
    )  # fmt: skip


if __name__ == "__main__":
    common.run(main, "deconv")
