"""Shows what a layer still knows of a picture, by inverting it.

    python -m apps.invert --image=photo.jpg --layers=block1_conv2,block5_conv3

For each layer a new image is sought, from noise, whose features are those of the
picture; what the layer has forgotten, a natural-image prior fills in (Mahendran &
Vedaldi, IJCV 2016). Writes to --workdir:

    sheet.png                    the picture, then each layer, its relative error, and how many
                                 random pairs of photographs are less alike
    numbers.csv                  the same, and what --second_network sees
    <layer>/preimage_<k>.png     one per layer and restart
    manifest.json                arguments, versions, weights, errors, energies
    tensorboard/                 images and energy terms over the steps

Stopped at any moment, the same command goes on where it was. A layer of VGG16 at
224 px takes half a minute to three minutes on two cores.
"""

from absl import flags

from tfvis import preimages, words
from tfvis.preimages.settings import seeds

from .flags import common, descent, fields, name_checks, pictures
from .flags import networks as network_flags

_IMAGE, _SIZE, _CROP = pictures.define_image()
_NETWORK = network_flags.define_network()
_WORKDIR, _PRECISION, _SEED, _JIT = common.define_run("out/invert")
_DESCENT = descent.define_descent(preimages.Inversion)
_LAYERS = network_flags.define_layers("Layers to invert")
_RESTARTS = flags.DEFINE_integer(
    "restarts",
    1,
    "Pre-images per layer, from noise of seed, seed + 1, ...; how far they lie apart shows "
    "what the layer has forgotten.",
    lower_bound=1,
    upper_bound=256,
)
_RECIPE = fields.define(preimages.Inversion, ("recipe", "parameterization"))
_STRENGTH = fields.one(preimages.Inversion, "strength")
_STRETCH = flags.DEFINE_enum(
    "stretch",
    "auto",
    ["auto", "on", "off"],
    "Save pictures with their contrast stretched; auto: for hog, hogb and dsift, which ignore it.",
)
_MASK_CHANNELS = fields.one(preimages.Inversion, "mask_channels")
_MASK_WINDOW = fields.one(preimages.Inversion, "mask_window")
_REFERENCE = pictures.define_references(
    "whose random pairs errors are measured by, at least 15; left out, pieces of the two that come "
    "with scikit-learn"
)
_SECOND = network_flags.define_second("the picture and each pre-image")


def main():
    """Reads the flags and the picture, then TensorFlow, then inverts."""
    layers = network_flags.layer_words(_LAYERS)
    name_checks.check(_NETWORK(), words=layers)
    name_checks.one(_SECOND.value, "second_network")
    window = words.numbers(_MASK_WINDOW.value, "mask_window", exactly=4)
    channels = words.numbers(_MASK_CHANNELS.value, "mask_channels")
    seeds(_SEED.value, _RESTARTS.value)
    picture = pictures.picture(_IMAGE.value)
    references = pictures.found(_REFERENCE.value, "reference_images")
    shared = common.start(_WORKDIR, _SEED, _PRECISION, _JIT, _SIZE, _CROP, _RESTARTS, _STRETCH)
    from tfvis.experiments import inversion

    return inversion.run(
        _NETWORK(),
        picture,
        layers,
        settings=descent.settings(
            _DESCENT,
            strength=_STRENGTH.value,
            mask_channels=channels,
            mask_window=window,
            **{name: holder.value for name, holder in _RECIPE.items()},
        ),
        references=references,
        second_network=_SECOND.value,
        **shared,
    )


if __name__ == "__main__":
    common.run(main, "invert")
