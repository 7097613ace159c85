"""Makes more of a texture: a new picture with the statistics of a given one.

    python -m apps.texture --style=pebbles.jpg --tileable

From noise, a picture is sought whose features have the same Gram matrices at several depths
of a network (Gatys et al., NIPS 2015), coarse to fine. Writes to --workdir:

    texture.png      the texture
    tiled.png        with --tileable, two by two of it, which shows no seam
    steps/           the texture on its way
    sheet.png        the source and the texture
    texture.csv      every term of the energy over the steps
    manifest.json    arguments, versions, weights, terms, measures
    tensorboard/     images and energy terms over the steps

Stopped at any moment, the same command goes on where it was. 256 px take one to two minutes
on two cores.
"""

from absl import flags

from tfvis import words
from tfvis.style.settings import TEXTURE_SIZE, Transfer, texture_shape

from .flags import common, fields, name_checks
from .flags import networks as network_flags
from .flags import style as style_flags

_STYLE = style_flags.define_style(several=False)
_SIZE = style_flags.define_size(None, TEXTURE_SIZE)
_NETWORK = network_flags.define_network(pooling="avg")
_WORKDIR, _PRECISION, _SEED, _JIT = common.define_run("out/texture")
_RECIPE = style_flags.define_recipe()
_LAYERS = flags.DEFINE_string(
    "layers", None, "Layers whose statistics are taken; left out, those of neural style."
)
_LAYER_WEIGHTS = fields.define(
    Transfer, {"style_layer_weights": "layer_weights"}, style_layer_weights=None
)
_SHAPE = flags.DEFINE_string(
    "shape", None, "height,width of the texture in pixels; left out, --size squared."
)
_TILEABLE = flags.DEFINE_bool(
    "tileable", False, "Make it go around, so that copies side by side show no seam."
)


def main():
    """Reads the flags and the picture, then TensorFlow, then makes the texture."""
    name_checks.check(_NETWORK(), layers=common.named(_LAYERS))
    shape = words.numbers(_SHAPE.value, "shape", exactly=2)
    shape = shape and texture_shape(shape)
    style = style_flags.picture(_STYLE.value, "style", "; stylize blends several")
    memory = style_flags.limit(_RECIPE["memory"])
    settings = style_flags.settings(_RECIPE | _LAYER_WEIGHTS)
    shared = common.start(_WORKDIR, _SEED, _PRECISION, _JIT, _SIZE, _TILEABLE)
    from tfvis.experiments import texture

    return texture.run(
        _NETWORK(),
        style,
        settings=settings,
        layers=network_flags.layer_words(_LAYERS),
        shape=shape,
        memory=memory,
        **shared,
    )


if __name__ == "__main__":
    common.run(main, "texture")
