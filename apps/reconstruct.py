"""Shows what content and what style the layers of a network hold.

    python -m apps.reconstruct --image=painting.jpg

The first figure of Gatys et al. (2015): on one row, images found from noise whose features at
a single layer are those of the picture; on the other, images that share its Gram matrices at
the first layer, at the first two, and so on to all five. Writes to --workdir:

    content/<layer>.png     one per layer
    style/<k>_<layer>.png   one per set of layers, from the first to this one
    sheet.png               both rows
    manifest.json           arguments, versions, weights, terms, measures
    tensorboard/            images and energy terms over the steps

Stopped at any moment, the same command goes on where it was. All ten pictures take four to
ten minutes on two cores.
"""

from absl import flags

from tfvis.style.settings import RECONSTRUCTION_SIZE

from .flags import common, name_checks, paths
from .flags import networks as network_flags
from .flags import style as style_flags

_IMAGE = paths.define(
    "image",
    None,
    paths.each(paths.file),
    "The picture to look at; left out, a painting of our own.",
)
_SIZE = style_flags.define_size(None, RECONSTRUCTION_SIZE)
_NETWORK = network_flags.define_network(pooling="avg")
_WORKDIR, _PRECISION, _SEED, _JIT = common.define_run("out/reconstruct")
_RECIPE = style_flags.define_recipe(False, evaluations=200)
_WHAT = flags.DEFINE_enum("what", "both", ["both", "content", "style"], "Which rows to make.")
_CONTENT_LAYERS = flags.DEFINE_string(
    "content_layers", None, "Layers of the first row; left out, conv1_2 to conv5_2 of VGG."
)
_STYLE_LAYERS = flags.DEFINE_string(
    "style_layers", None, "Layers of the second row; left out, conv1_1 to conv5_1 of VGG."
)


def main():
    """Reads the flags and the picture, then TensorFlow, then reconstructs."""
    rows = (_CONTENT_LAYERS, _STYLE_LAYERS)
    name_checks.check(_NETWORK(), layers=common.named(*rows))
    picture = style_flags.picture(_IMAGE.value, "image", " at a time")
    memory = style_flags.limit(_RECIPE["memory"])
    shared = common.start(_WORKDIR, _SEED, _PRECISION, _JIT, _SIZE)
    from tfvis.experiments import reconstruction

    return reconstruction.run(
        _NETWORK(),
        picture,
        settings=style_flags.settings(_RECIPE),
        rows=("content", "style") if _WHAT.value == "both" else (_WHAT.value,),
        **{row.name: network_flags.layer_words(row) for row in rows},
        memory=memory,
        **shared,
    )


if __name__ == "__main__":
    common.run(main, "reconstruct")
