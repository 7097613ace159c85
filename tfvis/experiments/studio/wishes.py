"""What a person asks of a painting, in words of a page, and the constants that stand for it."""

import dataclasses

from tfvis import settings
from tfvis.errors import InputError, arg
from tfvis.settings import field
from tfvis.style.settings import Transfer

# Evaluations of the energy. Of quality 500 are about the work of the published code; after a fifth
# of them a picture of 512 px is painted all over, after half of them hardly anything moves.
_EVALUATIONS = {"quick": 100, "good": 250, "best": 500}
EFFORTS = tuple(_EVALUATIONS)
# Style to content for the middle strength, the published one, and what a level more multiplies.
_MIDDLE, _LEVEL = 3, 10**0.5


@settings.documented
@dataclasses.dataclass(frozen=True)
class Wish:
    """How a photograph is to be painted."""

    strength: int = field(
        3,
        "How much the painting counts: 3 as published, a level more or less is three times.",
        source="1000 to 1 in the code of Gatys et al. 2016; at 100 windows and leaves stay, at "
        "10,000 only large shapes do.",
        least=1,
        most=5,
    )
    strokes: float = field(
        1.0, "Size of the strokes, relative to those of the painting.", least=0.5, most=2.0
    )
    keep_colors: bool = field(
        False, "Paint brightness only, and keep the photograph's colours.",
        source="Gatys et al. 2017, section 5.",
    )  # fmt: skip
    size: int = field(
        512,
        "Side of a square of as many pixels as the picture is to have.",
        source="A minute or two on two cores.",
        least=256,
        most=2048,
    )
    effort: str = field("good", "How long the optimiser works.", choices=EFFORTS)

    def transfer(self) -> Transfer:
        """Returns the constants of `tfvis.style.transfer`."""
        ratio = Transfer().ratio * _LEVEL ** (self.strength - _MIDDLE)
        return Transfer(ratio=ratio, evaluations=_EVALUATIONS[self.effort])

    @property
    def share(self) -> float:
        """How much of a painting in one pass is seen over the photograph, which has no ratio."""
        return min(1.0, self.strength / _MIDDLE)


def checked(**values) -> Wish:
    """Returns a wish, once each value is within its bounds.

    Args:
        **values: fields of `Wish`, as a page sends them.

    Raises:
        InputError: a name or a value that none has.
    """
    known = {one.name: one for one in dataclasses.fields(Wish)}
    found = {}
    for name, value in values.items():
        if name not in known:
            raise InputError(f"{name}: no wish.")
        try:
            found[name] = type(known[name].default)(value)
        except (TypeError, ValueError, OverflowError) as error:
            raise InputError(f"{arg(name)}: expected a number.") from error
        if expected := settings.outside(known[name], found[name]):
            raise InputError(f"{arg(name)}: expected {expected}.")
    return Wish(**found)
