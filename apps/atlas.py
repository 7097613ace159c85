"""Makes a site of every unit of a network: what it looks for, what it finds; or finds units by one.

    python -m apps.atlas --networks=vgg16,drawings_vgg16 --images=photos --workdir=out/atlas
    python -m apps.atlas --networks=vgg16 --images=photos --layers=block4_conv2 --quick
    python -m apps.atlas --find=photo.jpg --workdir=out/atlas

The site opens from disk and asks nothing of any other place; it may be copied without batches/:

    index.html      all layers; a unit's address is index.html#vgg16/block4_conv2/24
    data/           what is known of each layer
    pictures/       the maximised pictures, a file for each layer
    photographs/    those that excite units most
    found/          with --find, a page for each photograph: which units it excites most
    batches/        what all is made from, as Parquet; the same command goes on with it
    manifest.json   arguments, versions, weights

Of each unit: its maximised picture, the nine spots of --images that excite it most, how its
answers are spread over them, the class (the folder) it answers most and how selectively, whether
its picture takes the path of photographs, and of two networks the unit of the other that is most
like it. Of each layer: its activation atlas. Stopped at any moment, the same command goes on.

How long: docs/measurements.md has what a unit takes; --quick makes one layer, or those named, at
fewer steps and without paths.
"""

import dataclasses

from absl import flags

from tfvis.errors import InputError
from tfvis.experiments.atlas.settings import QUICK, Atlas
from tfvis.experiments.batch.engine import Engine

from .flags import common, fields, name_checks, paths, pictures
from .flags import networks as network_flags

_WANTED = fields.define(
    network_flags.Wanted,
    {"network": "networks", "weights": "weights", "preprocessing": "preprocessing"},
    network_flags.CHECKS,
)
_IMAGES = paths.define(
    "images", None, paths.file_or_folder, "Folder of pictures, and of folders, each of a class."
)
_LAYERS = flags.DEFINE_string(
    "layers",
    None,
    "Layers, such as block3_conv3,block4_conv2; one|another where networks name theirs "
    "differently; left out, all convolutions.",
)
_UNITS = paths.define(
    "units",
    None,
    paths.each(paths.unit),
    "A part: block4_conv2:0-63, separated by commas; left out, all units of the layers.",
)
_QUICK = flags.DEFINE_bool(
    "quick",
    False,
    "One layer where none is named, and fewer steps and pictures, no paths: some ten minutes.",
)
_MADE = fields.define(Atlas, ("count", "size", "steps", "cells", "path_similarity", "seed"))
_ENGINE = fields.define(Engine, ("engine", "workers"))
_FIND = paths.define(
    "find", None, paths.file, "A photograph: tell which units of the atlas in --workdir it excites."
)
_WORKDIR = common.define_workdir("out/atlas")
_PRECISION = common.define_precision()


def main():
    """Reads the flags and the folder, then TensorFlow, then makes the atlas, or looks it up."""
    if _FIND.value:
        workdir = common.start(_WORKDIR)["workdir"]
        from tfvis.experiments.atlas import finding

        return finding.run(_FIND.value, workdir=workdir)
    if not _IMAGES.value:
        raise InputError("--images: must be given, or --find.")
    wanted = fields.values(network_flags.Wanted, _WANTED)
    layers, engine = network_flags.layer_words(_LAYERS), fields.values(Engine, _ENGINE)
    engine.check()
    name_checks.check(wanted, words=layers)
    found = pictures.found(_IMAGES.value, "images")
    named = {name: holder.value for name, holder in _MADE.items() if holder.present}
    settings = dataclasses.replace(QUICK if _QUICK.value else Atlas(), **named)
    shared = common.start(_WORKDIR, _PRECISION)
    from tfvis.experiments.atlas import atlas

    few = _QUICK.value and layers is None and not _UNITS.value
    return atlas.run(wanted, found, layers, _UNITS.value, settings, engine, deepest=few, **shared)


if __name__ == "__main__":
    common.run(main, "atlas")
