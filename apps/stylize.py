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

from absl import flags

from apps import common, early, styles, subjects

_PAINTING = styles.define_painting()
_SIZE = styles.define_size(512)
_NETWORK = subjects.define_network()
flags.set_default(_NETWORK["pooling"], "avg")
_WORKDIR = common.define_workdir("out/stylize")
_PRECISION = common.define_precision()
_SEED, _JIT = common.define_run()
_RECIPE = styles.define_recipe(500)


def main() -> None:
    """Reads the flags and the pictures, then TensorFlow, then paints."""

    chosen = ("content_layers", "style_layers")
    early.check(_NETWORK, layers={flag: _PAINTING[flag].value for flag in chosen})
    given = styles.painting(_PAINTING)
    limit = styles.limit(_RECIPE["memory"])
    workdir = common.workdir(_WORKDIR.value)
    common.start_tensorflow()
    from apps import paintings

    network = subjects.only(subjects.networks(_NETWORK), "sweep compares several")
    settings = styles.settings(
        _RECIPE,
        _PRECISION.value,
        _JIT.value,
        ratio=_PAINTING["ratio"].value,
        init=_PAINTING["init"].value,
        guide=_PAINTING["guides"].value,
        **styles.layers(
            network, _PAINTING["content_layers"].value, _PAINTING["style_layers"].value
        ),
    )
    job = paintings.Job(
        network=network,
        size=_SIZE.value,
        settings=settings,
        limit=limit,
        seed=_SEED.value,
        workdir=workdir,
        arguments=common.arguments(),
        **given,
    )
    result = paintings.run(job)
    from apps import stylizations

    common.tell(f"{pathlib.Path(workdir, result['file'])}  {result['seconds']:.0f} s")
    common.tell(stylizations.summary(result))
    common.tell(f"All in one picture: {workdir / 'sheet.png'}")


def run() -> None:
    """The app's entry point."""
    common.run(main, "apps.stylize")


if __name__ == "__main__":
    run()
