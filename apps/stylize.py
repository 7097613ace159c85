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

Stopped at any moment, the same command goes on where it was. 512 px take two to eight
minutes on two cores.
"""

import pathlib

from tfvis.experiments import networks

from .flags import common, name_checks
from .flags import networks as network_flags
from .flags import style as style_flags

_PAINTING = style_flags.define_painting()
_SIZE = style_flags.define_size(512)
_NETWORK = network_flags.define_network(pooling="avg")
_WORKDIR = common.define_workdir("out/stylize")
_PRECISION = common.define_precision()
_SEED, _JIT = common.define_run()
_RECIPE = style_flags.define_recipe()


def main() -> None:
    """Reads the flags and the pictures, then TensorFlow, then paints."""

    chosen = ("content_layers", "style_layers")
    name_checks.check(_NETWORK(), layers={flag: _PAINTING[flag].value for flag in chosen})
    given = style_flags.painting(_PAINTING)
    limit = style_flags.limit(_RECIPE["memory"])
    workdir = common.workdir(_WORKDIR.value)
    common.start_tensorflow()
    from tfvis.experiments import style_transfer

    network = networks.only(networks.networks(_NETWORK()), "sweep compares several")
    settings = style_flags.settings(
        _RECIPE,
        network,
        workdir,
        _PRECISION.value,
        _JIT.value,
        ratio=_PAINTING["ratio"].value,
        init=_PAINTING["init"].value,
        guide=_PAINTING["guides"].value,
        **style_flags.layers(
            network, _PAINTING["content_layers"].value, _PAINTING["style_layers"].value
        ),
    )
    job = style_transfer.Job(
        network=network,
        size=_SIZE.value,
        settings=settings,
        limit=limit,
        seed=_SEED.value,
        workdir=workdir,
        arguments=common.arguments(),
        **given,
    )
    result = style_transfer.run(job)
    from tfvis.experiments import style_runs

    common.tell(f"{pathlib.Path(workdir, result['file'])}  {result['seconds']:.0f} s")
    common.tell(style_runs.summary(result))
    common.tell(f"All in one picture: {workdir / 'sheet.png'}")


def run() -> None:
    """The app's entry point."""
    common.run(main, "stylize")


if __name__ == "__main__":
    run()
