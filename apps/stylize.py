"""Paints a picture in the style of others.

    python -m apps.stylize --content=photo.jpg --style=painting.jpg

The picture keeps what a network sees in the content, and takes the statistics of its
features from the style (Gatys et al., CVPR 2016). Writes to --workdir:

    stylized.png     the picture
    steps/           the picture on its way
    sheet.png        content, styles, result
    stylized.csv     every term of the energy over the steps, in one unit
    manifest.json    arguments, versions, weights, terms, measures
    tensorboard/     images and energy terms over the steps

With --fast=CHECKPOINT a network of apps.train_style paints it in one pass, in a second, or a whole
folder of pictures, each into stylized/, resumed picture by picture. With --workers=N as well,
processes share the work on a folder of any size (0 is this one alone), with --engine=ray the actors
of a cluster; they write, and go on from,

    archives/        pictures-00000.tar and so on: KEY.png, the key of a.jpg being a-jpg, as
                     WebDataset reads them
    parts/           part-00000.parquet and so on: id, path, key, height, width
    errors/          id, path, reason, detail of what could not be painted
    checksums/       SHA-256 of all

Stopped at any moment, the same command goes on where it was. 512 px take two to eight
minutes on two cores.
"""

from tfvis.errors import InputError

from .flags import common, fast_style, name_checks
from .flags import engine as engine_flags
from .flags import networks as network_flags
from .flags import style as style_flags

_PAINTING = style_flags.define_painting()
_SIZE = style_flags.define_size(512)
_NETWORK = network_flags.define_network(pooling="avg")
_WORKDIR, _PRECISION, _SEED, _JIT = common.define_run("out/stylize")
_RECIPE = style_flags.define_recipe()
_FAST, _STYLE_MIX = fast_style.define()
_ENGINE = engine_flags.define()


def main():
    """Reads the flags and the pictures, then TensorFlow, then paints."""
    if _FAST.value:
        return _fast()
    if _STYLE_MIX.value:
        raise InputError("--style_mix: is of --fast; --style_weights blends pictures.")
    if engine_flags.chosen(_ENGINE):
        raise InputError("--workers and --engine: share out a folder of pictures, with --fast.")
    chosen = ("content_layers", "style_layers")
    name_checks.check(_NETWORK(), layers={flag: _PAINTING[flag].value for flag in chosen})
    painting, memory = style_flags.painting(_PAINTING), style_flags.limit(_RECIPE["memory"])
    settings = style_flags.settings(_PAINTING | _RECIPE)
    shared = common.start(_WORKDIR, _SEED, _PRECISION, _JIT, _SIZE)
    from tfvis.experiments import style_transfer

    return style_transfer.run(
        _NETWORK(),
        **painting,
        settings=settings,
        memory=memory,
        **shared,
    )


def _fast():
    """Paints in one pass."""
    engine = engine_flags.chosen(_ENGINE)
    asked, memory = fast_style.asked(common.own_flags()), style_flags.limit(_RECIPE["memory"])
    shared = common.start(_WORKDIR, _PRECISION, _SIZE)
    from tfvis.experiments import fast_style as experiment

    return experiment.run(
        _PAINTING["content"].value, memory=memory, engine=engine, **asked, **shared
    )


if __name__ == "__main__":
    common.run(main, "stylize")
