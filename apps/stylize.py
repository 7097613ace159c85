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

from apps import common, styles, subjects
from tfvis.errors import InputError

_CONTENT = flags.DEFINE_string(
    "content", None, "Picture to be painted; left out, a demo photograph."
)
_STYLE = styles.define_style()
_STYLE_WEIGHTS = flags.DEFINE_string(
    "style_weights", None, "Of each style in the blend, such as 0.7,0.3; left out, equal."
)
_SIZE = styles.define_size(512)
_NETWORK = subjects.define_network()
flags.set_default(_NETWORK["pooling"], "avg")
_WORKDIR = common.define_workdir("out/stylize")
_PRECISION = common.define_precision()
_SEED, _JIT = common.define_run()
_RECIPE = styles.define_recipe(500)
_RATIO = flags.DEFINE_float(
    "ratio", 1000, "Of style to content; published: 1000. Less keeps more.", lower_bound=1e-3
)
_CONTENT_LAYERS = flags.DEFINE_string(
    "content_layers", None, "Layers whose features are kept; left out, block4_conv2."
)
_STYLE_LAYERS = flags.DEFINE_string(
    "style_layers", None, "Layers whose statistics are taken; left out, block1_conv1 to 5_conv1."
)
_INIT = flags.DEFINE_enum(
    "init", "content", ["content", "noise", "style"], "What the picture starts as."
)
_STYLE_SCALE = flags.DEFINE_float(
    "style_scale",
    1.0,
    "Size of the styles, relative to the picture's: more makes larger strokes.",
    lower_bound=0.1,
    upper_bound=4,
)
_FINE_STYLE = flags.DEFINE_string(
    "fine_style",
    None,
    "Picture whose fine texture (brush strokes) replaces that of --style, whose coarse "
    "structure is kept.",
)
_COLOR = flags.DEFINE_enum(
    "color",
    "none",
    ["none", "match", "luminance"],
    "Colours of the content: styles are recoloured before (match), or only brightness is painted.",
)
_CONTENT_MASK = flags.DEFINE_string(
    "content_mask", None, "Picture whose colours mark regions, each of which takes its own style."
)
_STYLE_MASK = flags.DEFINE_string(
    "style_mask",
    None,
    "A mask for each style; a region takes what has its colour there. Left out, the regions "
    "from dark to light take the styles in their order.",
)
_GUIDES = flags.DEFINE_enum(
    "guides",
    "simple",
    ["simple", "inside"],
    "How masks go down the network: shrunk, or only units that see nothing else.",
)


def main() -> None:
    """Reads the flags and the pictures, then TensorFlow, then paints."""
    from tfvis import files

    content = styles.content(_CONTENT.value)
    found = styles.pictures(_STYLE.value, "style")
    weights = styles.weights(_STYLE_WEIGHTS.value, len(found))
    limit = styles.limit(_RECIPE["memory"])
    if _STYLE_MASK.value and not _CONTENT_MASK.value:
        raise InputError("--style_mask: needs a --content_mask whose colours it shares.")
    mask = styles.pictures(_CONTENT_MASK.value, "content_mask") if _CONTENT_MASK.value else None
    masks = styles.pictures(_STYLE_MASK.value, "style_mask") if _STYLE_MASK.value else []
    fine = styles.pictures(_FINE_STYLE.value, "fine_style") if _FINE_STYLE.value else None
    workdir = files.make_folder(_WORKDIR.value, "--workdir")
    common.start_tensorflow()
    from apps import paintings

    built = subjects.networks(_NETWORK)
    if len(built) > 1:
        raise InputError("--network: one at a time; sweep compares several.")
    (network,) = built.values()
    settings = styles.settings(
        _RECIPE,
        _PRECISION.value,
        _JIT.value,
        ratio=_RATIO.value,
        init=_INIT.value,
        guide=_GUIDES.value,
        **styles.layers(network, _CONTENT_LAYERS.value, _STYLE_LAYERS.value),
    )
    job = paintings.Job(
        network=network,
        content=content,
        styles=tuple(found),
        weights=weights,
        size=_SIZE.value,
        style_scale=_STYLE_SCALE.value,
        color=_COLOR.value,
        mask=mask[0] if mask else None,
        style_masks=tuple(masks),
        fine=fine[0] if fine else None,
        settings=settings,
        limit=limit,
        seed=_SEED.value,
        workdir=workdir,
        arguments=common.arguments(),
    )
    result = paintings.run(job)
    from apps import stylizations

    print(f"{pathlib.Path(workdir, result['file'])}  {result['seconds']:.0f} s")
    print(stylizations.summary(result))
    print(f"All in one picture: {workdir / 'sheet.png'}")


def run() -> None:
    """The app's entry point."""
    common.run(main, "apps.stylize")


if __name__ == "__main__":
    run()
