"""Every constant of the pre-images (Mahendran & Vedaldi, IJCV 2016: MV16)."""

import dataclasses
import typing

from tfvis import settings
from tfvis.errors import InputError, arg
from tfvis.natural_prior import NaturalPrior
from tfvis.optimize.stopping import Stop
from tfvis.settings import changed, field

if typing.TYPE_CHECKING:
    from tfvis import transforms

OPTIMIZERS = ("adagrad", "adam", "lbfgs")
RECIPES = ("decorrelated", "published")
PARAMETERIZATIONS = ("pixels", "fourier", "phase")
# Those of an inversion.
INVERTED = PARAMETERIZATIONS[:2]
IMAGE_PRIORS = ("tv", "phase", "deep_image", "plug_in", "none")


def _views():
    # Here, since flags are made from these fields before TensorFlow is imported.
    from tfvis import transforms

    return transforms.Transforms()


def _crops():
    from tfvis import transforms

    return transforms.Crops()


@settings.documented
@dataclasses.dataclass(frozen=True)
class Descent:
    """Every constant of the way down; None means "as published for this layer"."""

    prior: NaturalPrior = field(NaturalPrior(), "The regulariser and its bound.")
    steps: int = field(300, "Steps with jitter at full rate.", source="MV16: 300.", least=1)
    fine_steps: int = field(0, "Steps after them, without jitter, at a lower rate.", least=0)
    fine_rate: float = field(0.1, "Their rate, as a share of `rate`.", source="MV16.", least=1e-6)
    optimizer: str = field(
        "adagrad",
        "Step rule: the published one, Adam, or L-BFGS (without jitter, colours in 0..255).",
        source="MV16's is adagrad. L-BFGS needs an energy that stands still: it runs without "
        "jitter, steps and fine_steps together, with display space as its box.",
        choices=OPTIMIZERS,
    )
    rate: float | None = field(
        None,
        "Step rate; left out, the published one (adam, lbfgs: 4 grey levels).",
        source="MV16: 0.05 B^2 / alpha times the image's pixels; of lbfgs it is the first trial's.",
        least=0,
    )
    leak: float = field(
        0.9, "Share of the squared gradients adagrad keeps.", source="MV16.", least=0, most=1
    )
    momentum: float = field(
        0.9, "Share of the last change adagrad keeps.", source="MV16.", least=0, most=1
    )
    jitter: int | None = field(
        None,
        "J, shifts of 0 to J - 1 px; left out, a quarter of the layer's stride as published, "
        "all of it for a caricature's waves, none with L-BFGS.",
        source="MV16; the canvas exceeds the image by J - 1 px.",
        least=1,
        most=256,
    )
    stop: Stop = field(Stop(), "When to end early.", source="By default never, as published.")
    precision: str = field(
        "float32",
        "Arithmetic of the network; image, energy and rule are float32 in any.",
        choices=("float32", "bfloat16"),
    )
    jit: bool = field(False, "Compile with XLA.")

    @property
    def total(self) -> int:
        """Steps of all stages."""
        return self.steps + self.fine_steps


@settings.documented
@dataclasses.dataclass(frozen=True)
class Inversion(Descent):
    """Every constant of an inversion; None means "by the recipe, for this layer"."""

    recipe: str | None = field(
        None,
        "The prior and the way down: every colour of display space and the variation of "
        "decorrelated colours, by L-BFGS; or those of Mahendran & Vedaldi 2016. Left out, "
        "decorrelated; for hog, hogb and dsift published.",
        source="See `inversion_recipes`.",
        choices=RECIPES,
    )
    image_prior: str | None = field(
        None,
        "What is likely among images that are the same to the layer: of little total variation; "
        "waves as loud as in photographs, of which the phases are sought (MACO); made from noise "
        "by an untrained network (deep image prior); what survives shifted colours, from coarse "
        "to fine (plug-in inversion); or anything within 0..255. Left out, tv.",
        source="Mahendran & Vedaldi 2016, Fel et al. 2023, Ulyanov et al. 2018, Ghiasi et al. "
        "2022, Feather et al. 2023; see `image_priors`.",
        choices=IMAGE_PRIORS,
    )
    optimizer: str | None = changed(  # type: ignore[assignment]  # Its recipe fills it in.
        Descent,
        "optimizer",
        None,
        source="adam for phase, deep_image and plug_in, else lbfgs for decorrelated, adagrad for "
        "published.",
    )
    parameterization: str | None = field(
        None,
        "What is optimised: pixels, or a spectrum of decorrelated colours; left out, by the "
        "layer's stride.",
        source="See `inversion_recipes`.",
        choices=INVERTED,
    )
    fine_steps: int = changed(Descent, "fine_steps", 50, source="MV16: 50.")
    strength: float | None = field(
        None,
        "C, the features against the prior; left out, by the layer's depth.",
        source="See `inversion.default_strength`.",
        least=0,
    )
    mask_channels: tuple[int, ...] | None = field(
        None, "Match these channels only, such as 0-31,40."
    )
    mask_window: tuple[int, int, int, int] | None = field(
        None, "Match this part of the map only: top,left,height,width."
    )


@settings.documented
@dataclasses.dataclass(frozen=True)
class Caricature(Descent):
    """Every constant of a caricature; None means "by the recipe, for this layer"."""

    recipe: str = field(
        "decorrelated",
        "What is changed: waves of decorrelated colours, brightness finer than colour; or pixels, "
        "as Mahendran & Vedaldi 2016 published it.",
        choices=RECIPES,
    )
    optimizer: str | None = changed(  # type: ignore[assignment]  # Its recipe fills it in.
        Descent, "optimizer", None, source="adam for decorrelated, adagrad for published."
    )
    strength: float | None = field(
        None,
        "Weight of what the layer sees against the prior; left out, by the layer's depth.",
        source="See `caricatures.default_strength`; W is 1 in MV16's code.",
        least=0,
    )


@settings.documented
@dataclasses.dataclass(frozen=True)
class Maximization(Descent):
    """Every constant of a maximisation; None means "chosen for this layer"."""

    optimizer: str | None = changed(  # type: ignore[assignment]  # Its recipe fills it in.
        Descent, "optimizer", None, source="adagrad for pixels, adam for fourier."
    )
    parameterization: str | None = field(
        None,
        "What is optimised: pixels seen through jitter; a spectrum of decorrelated colours "
        "seen in random shifts, scales and turns; or the phases alone of a spectrum as "
        "photographs have it, seen in random crops (MACO); left out, pixels up to a stride of 4, "
        "fourier above.",
        source="MV16, Olah et al. 2017, Fel et al. 2023.",
        choices=PARAMETERIZATIONS,
    )
    transparency: bool | None = field(
        None,
        "Add up how much each pixel changes the unit's answer at each step, and show the picture "
        "as transparent where it hardly does; left out, for phase alone.",
        source="Fel et al. 2023.",
    )
    diversity: int = field(
        1,
        "Pictures of each unit, pushed apart by how alike their features' Gram matrices are.",
        source="Olah et al. 2017, section on diversity; their figures have 4.",
        least=1,
        most=16,
    )
    diversity_weight: float = field(
        2.0,
        "What a picture is worth that is wholly unlike the others, in activations of M.",
        source="Lucid's notebook weighs it 100 beside a channel's mean activation.",
        least=0,
    )
    strength: float = field(
        3e4,
        "C of the unit's weight C / (M rf^2): M its largest activation on photographs, rf its "
        "receptive field.",
        source="MV16's code has 100^2; with three times that the pictures are clearer, and units "
        "of VGG16's middle layers answer three to five times what photographs get from them, "
        "not two to three.",
        least=0,
    )
    views: "transforms.Transforms" = dataclasses.field(
        default_factory=_views,
        metadata={
            "help": 'The random views of "fourier", a `transforms.Transforms`.',
            "source": "",
        },
    )
    crops: "transforms.Crops" = dataclasses.field(
        default_factory=_crops,
        metadata={"help": 'The random crops of "phase", a `transforms.Crops`.', "source": ""},
    )


def seeds(first: int, restarts: int) -> tuple[int, ...]:
    """Returns the seeds of restarts: first, first + 1, ...

    Raises:
        InputError: larger than a seed can be.
    """
    if first + restarts > 2**31 - 1:
        raise InputError(f"{arg('seed')}: too large for that many {arg('restarts')}.")
    return tuple(range(first, first + restarts))
