"""Shows what units of a network look for, by raising their activations.

    python -m apps.maximize --network=vgg16 --units=block5_conv3:110,block4_conv2:0-24

For each unit an image is sought, from noise, on which it answers as much as it can while
the image stays a natural one (Mahendran & Vedaldi, IJCV 2016; with
--parameterization=fourier, Olah et al., Feature Visualization, 2017; =phase, MACO of Fel et al.,
2023). Writes to --workdir:

    sheet.png                      all units, and what they answer beside photographs; with
                                   two or more --reference_images those that excite each most,
                                   nine at most, with twelve whether its picture takes their path
    <layer>/<unit>.png             one per unit, at the size of what the unit can see
    <layer>/<unit>_transparent.png with --transparency or phase, opaque where it mattered
    <layer>/<unit>_growth.gif|png  how it grew from noise
    <layer>/sheet.png              the units of a layer
    manifest.json                  arguments, versions, weights, activations
    tensorboard/                   images and energy terms over the steps

Stopped at any moment, the same command goes on where it was. A unit of block4 takes
some ten seconds on two cores, one of block5 a minute.
"""

from absl import flags

from tfvis import preimages

from .flags import common, descent, fields, name_checks, pictures, units
from .flags import networks as network_flags

_SIZE = flags.DEFINE_integer(
    "size",
    None,
    "Side of the square images, in pixels; left out, what the unit can see of an image. With "
    "--parameterization=phase, of their crops: images are twice as large.",
    lower_bound=1,
    upper_bound=4096,
)
_NETWORK = network_flags.define_network()
_WORKDIR, _PRECISION, _SEED, _JIT = common.define_run("out/maximize")
_UNITS = units.define_units()
_PARAMETERIZATION = fields.one(preimages.Maximization, "parameterization")
_PICTURES = fields.define(preimages.Maximization, ("transparency", "diversity", "diversity_weight"))
_WHERE = flags.DEFINE_enum(
    "where",
    None,
    ["center", "everywhere"],
    "Raise a channel at the centre of the map, or its mean over the map; left out, its mean with "
    "--parameterization=phase, else at the centre.",
)
_STRENGTH = fields.one(preimages.Maximization, "strength")
_REFERENCE = pictures.define_references(
    "that M, and the spectrum of --parameterization=phase, are taken from, and pictures are "
    "measured by; left out, two that come with scikit-learn, the spectrum 1 / f, and for known "
    "networks what was measured on 2,049"
)
_GROWTH = flags.DEFINE_bool("growth", True, "Show how each picture grew, as a strip and a GIF.")
_DESCENT = descent.define_descent(preimages.Maximization)


def main():
    """Reads the flags, then TensorFlow, then raises the units."""
    name_checks.check(_NETWORK(), unit_holders=_UNITS)
    references = pictures.found(_REFERENCE.value, "reference_images")
    shared = common.start(_WORKDIR, _SEED, _PRECISION, _JIT, _SIZE, _GROWTH)
    from tfvis.experiments import activation_maximization

    return activation_maximization.run(
        _NETWORK(),
        _UNITS["units"].value,
        settings=descent.settings(
            _DESCENT,
            strength=_STRENGTH.value,
            parameterization=_PARAMETERIZATION.value,
            **{name: holder.value for name, holder in _PICTURES.items()},
        ),
        everywhere=None if _WHERE.value is None else _WHERE.value == "everywhere",
        references=references,
        labels=_UNITS["labels"].value,
        **shared,
    )


if __name__ == "__main__":
    common.run(main, "maximize")
