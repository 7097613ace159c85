"""Every constant of a style transfer (Gatys, Ecker & Bethge, CVPR 2016: G16, and their code)."""

import dataclasses

from tfvis import settings
from tfvis.errors import InputError, arg
from tfvis.settings import field
from tfvis.style import arguments

RECIPES = ("quality", "gatys")
OPTIMIZERS = ("lbfgs", "adam")
STARTS = ("content", "noise", "style")
GUIDES = ("simple", "inside")
# Style over content in the code of Gatys et al., and the factor in the unit of `losses`.
UNIT = 1e3
# Sides of squares of as many pixels as pictures have by default.
TEXTURE_SIZE, RECONSTRUCTION_SIZE = 256, 224
# Crowson's Adam: 0.02 on a scale of 0..1.
_ADAM_RATE = 0.02 * 255
# None in G16. With a little, skies of quality have less grain and no worms, at a hundredth more
# of the style distance; 0.5 cost a twentieth.
_TV_WEIGHTS = {"gatys": 0.0, "quality": 0.1}
# L-BFGS: the largest change of its first trial, in grey levels. Of 1, 4, 16 and 64 the last
# came nearest in 150 evaluations of gatys; a scale of quality begins near its end.
_LBFGS_RATES = {"gatys": 64.0, "quality": 16.0}


@settings.documented
@dataclasses.dataclass(frozen=True)
class Transfer:
    """Every constant of a transfer; None means "by the recipe"."""

    recipe: str = field(
        "quality",
        "Coarse to fine with statistics of all depths, or as Gatys et al. published it.",
        choices=RECIPES,
    )
    content_layers: tuple[str, ...] = field(
        ("block4_conv2",),
        "Layers whose features are kept; left out, VGG's block4_conv2 or one of like depth.",
        source="G16: conv4_2.",
    )
    style_layers: tuple[str, ...] = field(
        tuple(f"block{k}_conv1" for k in range(1, 6)),
        "Layers of the statistics; left out, VGG's block1_conv1 to 5_conv1 or those of like "
        "depths (CaffeNet's relu1 to relu5).",
        source="G16: conv1_1 to conv5_1.",
    )
    content_layer_weights: tuple[float, ...] = field(
        (),
        "Of each layer of the content, such as 1,0.5; left out, 1 each.",
        source="G16 has one layer.",
    )
    style_layer_weights: tuple[float, ...] = field(
        (),
        "Of each layer of the statistics, such as 1,1,1,0.2,0; left out, 1 each.",
        source="w_l of G16, equation 5, equal there; they multiply what the recipe has.",
    )
    ratio: float = field(
        UNIT,
        "Of style to content; less keeps more.",
        source="1000 in the code of Gatys et al.",
        least=1e-3,
    )
    evaluations: int = field(
        500,
        "Of the energy; more come nearer.",
        source="500 in the code of Gatys et al. Of quality, about as much work.",
        least=1,
    )
    optimizer: str | None = field(
        "lbfgs",
        "L-BFGS in 0..255, or Adam with an average of its steps, which takes less memory.",
        source="L-BFGS came twice as near at the same work as Crowson's Adam, with moments "
        "handed from scale to scale, which needs a tenth of the memory.",
        choices=OPTIMIZERS,
    )
    init: str = field("content", "What the picture starts as.", source="G16.", choices=STARTS)
    tv_weight: float | None = field(
        None,
        "Weight of the total variation; left out, a little or none.",
        source="None in G16; the mean over pixels of the sum over channels of its squared "
        "differences.",
        least=0,
    )
    rate: float | None = field(
        None,
        "First step, levels; left out, 16 (gatys 64, adam 5.1).",
        source="Of lbfgs, its first trial.",
        least=0.01,
    )
    history: int = field(
        20,
        "Pairs L-BFGS remembers.",
        source="20 in the code of Gatys et al. 2015.",
        least=1,
        most=100,
    )
    guide: str = field(
        "simple",
        "How masks go down the network: shrunk, or only units that see nothing else.",
        source="Gatys et al. 2017.",
        choices=GUIDES,
    )
    tile: int | None = field(None, "Core of a tile, pixels; None does the picture at once.")
    precision: str = field("float32", "Arithmetic of the network.", choices=("float32", "bfloat16"))
    exact: float = field(
        0.25,
        "Share of gatys' evaluations, the last ones, that are in float32 all the same.",
        source="Where Gram matrices agree to half a percent, the rounding of bfloat16 shows, 8 % "
        "of the energy after 150 evaluations.",
    )
    jit: bool = field(False, "Compile with XLA.")


def resolved(settings: Transfer) -> Transfer:
    """Returns the settings with the recipe's choice in place of every None.

    Raises:
        InputError: a setting is out of range.
    """
    for name, known in (("recipe", RECIPES), ("init", STARTS)):
        if getattr(settings, name) not in known:
            raise InputError(f"{arg(name)}={getattr(settings, name)}: expected {', '.join(known)}.")
    optimizer = settings.optimizer or "lbfgs"
    if optimizer not in OPTIMIZERS:
        raise InputError(f"{arg('optimizer')}={optimizer}: expected {', '.join(OPTIMIZERS)}.")
    for layers in ("content_layers", "style_layers"):
        given, argument = getattr(settings, layers), layers.replace("layers", "layer_weights")
        arguments.weights(getattr(settings, argument), len(given), argument, layers)
    rate, tv_weight = settings.rate, settings.tv_weight
    for name, value, least in (
        ("evaluations", settings.evaluations, 1),
        ("ratio", settings.ratio, 1e-12),
        ("history", settings.history, 1),
        ("rate", rate, 1e-6),
        ("tv_weight", tv_weight, 0),
    ):
        if value is not None and not least <= value < float("inf"):
            raise InputError(f"{arg(name)}={value}: expected a number of at least {least:g}.")
    return dataclasses.replace(
        settings,
        optimizer=optimizer,
        rate=(_LBFGS_RATES[settings.recipe] if optimizer == "lbfgs" else _ADAM_RATE)
        if rate is None
        else rate,
        tv_weight=_TV_WEIGHTS[settings.recipe] if tv_weight is None else tv_weight,
    )


def texture_shape(shape: tuple[int, int]) -> tuple[int, int]:
    """Returns the (height, width) of a texture as it is.

    Raises:
        InputError: fewer than 32 px, of which the deepest layers leave nothing, or more than 4096.
    """
    if min(shape) < 32 or max(shape) > 4096:
        raise InputError(f"{arg('shape')}={shape[0]},{shape[1]}: expected sides of 32 to 4096 px.")
    return shape
