"""Exaggerates in a picture what a layer of a network answers to.

    python -m apps.caricature --image=photo.jpg --layers=block3_conv3,block5_conv3

The picture is changed so that what each layer sees in it grows, while it stays a natural
image (Mahendran & Vedaldi, IJCV 2016; --recipe=published is theirs). Writes to --workdir:

    sheet.png                    per layer the picture, its caricature, and the difference
    <layer>/caricature.png       one per layer
    manifest.json                arguments, versions, weights, exaggerations
    tensorboard/                 images and energy terms over the steps

Stopped at any moment, the same command goes on where it was. A layer of VGG16 at
224 px takes half a minute to two minutes on two cores.
"""

from tfvis import preimages

from .flags import common, descent, fields, name_checks, pictures
from .flags import networks as network_flags

_IMAGE, _SIZE, _CROP = pictures.define_image()
_NETWORK = network_flags.define_network()
_WORKDIR, _PRECISION, _SEED, _JIT = common.define_run("out/caricature")
_LAYERS = network_flags.define_layers("Layers to exaggerate")
_RECIPE = fields.one(preimages.Caricature, "recipe")
_STRENGTH = fields.one(preimages.Caricature, "strength")
_DESCENT = descent.define_descent(preimages.Caricature)


def main():
    """Reads the flags and the picture, then TensorFlow, then exaggerates."""
    layers = network_flags.layer_words(_LAYERS)
    name_checks.check(_NETWORK(), words=layers)
    picture = pictures.picture(_IMAGE.value)
    shared = common.start(_WORKDIR, _SEED, _PRECISION, _JIT, _SIZE, _CROP)
    from tfvis.experiments import caricature

    return caricature.run(
        _NETWORK(),
        picture,
        layers,
        settings=descent.settings(_DESCENT, recipe=_RECIPE.value, strength=_STRENGTH.value),
        **shared,
    )


if __name__ == "__main__":
    common.run(main, "caricature")
