"""Every constant of the training of a transform network (Johnson et al., ECCV 2016: J16)."""

import dataclasses
from typing import Any

from tfvis import settings
from tfvis.errors import InputError, arg
from tfvis.settings import field, given
from tfvis.style.settings import Transfer

# Steps of a network from the start: those of its first style, and what each further one adds.
_STEPS, _FINE_STEPS, _MORE, _MORE_FINE = 9000, 1500, 1000, 150
# Of new styles on a network that stays: of each.
_OWN_STEPS, _OWN_FINE_STEPS = 1000, 150
# Of a network that goes on learning: half the rate it began with, where 1e-3 first unlearns.
_RATE, _OWN_RATE, _TUNING_RATE = 1e-3, 1e-2, 5e-4

# Pixels by which a picture is continued on each side, by reflection, and which are cut off again.
# Johnson et al. (supplementary material) continue theirs by 40, once, at the entry; a network that
# continues maps before each convolution learns what VGG's own padding asks of a border: over 32
# pictures the style distance there was 1.7 times that of the centre.
MARGIN = 40

# J16 take the style off relu1_2, relu2_2, relu3_3 and relu4_3 of VGG16, their code the content off
# relu3_3. Weights of `quality` count a style by its share of its own strength, so that one ratio
# serves pale and loud styles, of which one network paints several. The ratio by looking at what
# L-BFGS makes small with it, at 160 px: with 1000, the optimiser's own, windows and leaves are
# gone; 150 keeps both; with 40 the style is less.
LOSS = Transfer(
    recipe="quality",
    ratio=100.0,
    content_layers=("block3_conv3",),
    style_layers=("block1_conv2", "block2_conv2", "block3_conv3", "block4_conv3"),
    tv_weight=0.0,
)


@settings.documented
@dataclasses.dataclass(frozen=True)
class FastTraining:
    """Every constant of a training but its loss; None means "by what is trained"."""

    steps: int | None = field(
        None,
        f"Of the first stage, on pictures of half the size; left out, {_STEPS} and {_MORE} more "
        f"for each further style, with `init` {_OWN_STEPS} for each new one, with `fine_tune` "
        "none.",
        source="J16 take 40,000 of 256 px; Johnson has said (fast-neural-style, issue 54) that "
        "10,000 show what comes, and that 128 px do.",
        least=0,
    )
    fine_steps: int | None = field(
        None,
        f"Of the second stage, at full size; left out, {_FINE_STEPS} and {_MORE_FINE} more for "
        f"each further style, with `init` {_OWN_FINE_STEPS} for each new one.",
        least=0,
    )
    size: int = field(
        256, "Side of the pictures at the end, pixels.", source="J16.", least=32, most=1024
    )
    batch: int = field(4, "Pictures of a step.", source="J16.", least=1, most=64)
    rate: float | None = field(
        None,
        f"Of Adam, falling to nothing as a cosine does; left out, {_RATE}, with `init` "
        f"{_OWN_RATE}, with `fine_tune` {_TUNING_RATE}.",
        source="J16, who keep it; falling, a short training ends as far as a longer one.",
        least=1e-6,
        most=1.0,
    )
    stability: float = field(
        2.0,
        "Of the second stage: weight of what changes, beyond the motion, in a picture that is "
        "moved by one to three pixels, squared and as a share of the range; more makes films "
        "flicker less and marks bolder.",
        source="As Gupta et al. 2017 between frames of a film, here between shifts of a "
        "photograph; 0.1 changes nothing, with 2 fine black and white lines nearly lie still.",
        least=0.0,
        most=1000.0,
    )
    style_size: int = field(
        256,
        "Of the styles: as many pixels as a square of this side; strokes become as large as they "
        "are there.",
        source="J16.",
        least=32,
        most=2048,
    )
    width: int = field(
        16,
        "Channels of the first convolution; 32 is the network as published, of four times the "
        "work.",
        source="Half of J16, as Johnson's released models with instance normalisation.",
        least=4,
        most=64,
    )
    blocks: int = field(5, "Residual blocks.", source="J16.", least=1, most=16)
    photographs: int = field(
        2000,
        "How many of the photographs are taken at most; they are kept in memory.",
        source="The loss is of each picture by itself; a thousand are enough to learn it from.",
        least=1,
        most=100_000,
    )
    seed: int = field(0, "Of the weights, and of the order of pictures.", least=0, most=2**31 - 1)
    precision: str = field(
        "float32", "Arithmetic of the networks.", choices=("float32", "bfloat16")
    )


@dataclasses.dataclass(frozen=True)
class Stage:
    """Part of a training.

    Attributes:
        size: side of its pictures, pixels.
        steps: how many.
        margin: pixels of the photograph around them that are painted too, and not looked at; where
            there are any, `stability` counts.
    """

    size: int
    steps: int
    margin: int

    @property
    def painted(self) -> int:
        """Side of what is painted."""
        return self.size + 2 * self.margin


def complete(wanted: FastTraining, styles: int, frozen: bool, tuned: bool = False) -> FastTraining:
    """Returns the settings with numbers in place of every None.

    Args:
        wanted: as given.
        styles: that are trained.
        frozen: whether a network stays as it is, and only they are learnt.
        tuned: whether a network that has been trained goes on.

    Raises:
        InputError: a number is out of its bounds; there are no steps at all.
    """
    for one in dataclasses.fields(wanted):
        value = getattr(wanted, one.name)
        if expected := settings.outside(one, value):
            raise InputError(f"{arg(one.name)}={value}: expected {expected}.")
    if frozen:
        steps, fine, rate = _OWN_STEPS * styles, _OWN_FINE_STEPS * styles, _OWN_RATE
    else:
        steps, fine = _STEPS + _MORE * (styles - 1), _FINE_STEPS + _MORE_FINE * (styles - 1)
        rate = _RATE
    if tuned:
        steps, rate = 0, _TUNING_RATE
    defaults = {"steps": steps, "fine_steps": fine, "rate": rate}
    chosen: dict[str, Any] = {
        name: default if getattr(wanted, name) is None else getattr(wanted, name)
        for name, default in defaults.items()
    }
    if not chosen["steps"] and not chosen["fine_steps"]:
        raise InputError(f"{arg('fine_steps')}: without steps nothing is learnt; expected some.")
    return dataclasses.replace(wanted, **chosen)


def stages(whole: FastTraining) -> list[Stage]:
    """Returns the stages that have steps, of settings that hold no None."""
    coarse = max(whole.size // 2, 32)
    found = [
        Stage(coarse, given(whole.steps), 0),
        Stage(whole.size, given(whole.fine_steps), MARGIN),
    ]
    return [stage for stage in found if stage.steps]
