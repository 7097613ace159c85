"""The constants of the natural-image prior of Mahendran & Vedaldi, IJCV 2016 (MV16)."""

import dataclasses

from tfvis import settings
from tfvis.settings import field

# MV16: B, the typical length of a colour vector; V = B / 6.5, of its gradient.
TYPICAL_COLOR = 80.0
TYPICAL_GRADIENT_RATIO = 6.5


@settings.documented
@dataclasses.dataclass(frozen=True)
class NaturalPrior:
    """The weights of MV16's regulariser, derived from B and V so that each term is 1
    for a typical image."""

    alpha: float = field(
        6.0,
        "Exponent of the colour norm.",
        source="6 in MV16: flat below B, a wall above.",
        least=0.5,
    )
    alpha_weight: float | None = field(None, "Its weight; left out, 1 / B^alpha.", least=0)
    beta: float = field(
        2.0,
        "Exponent of the total variation.",
        source="2 in MV16; 1 allows sharp edges.",
        least=0.1,
    )
    tv_weight: float | None = field(None, "Its weight; left out, 1 / V^beta.", least=0)
    color: float = field(
        TYPICAL_COLOR,
        "B, the typical length of a colour vector, in grey levels.",
        source="MV16.",
        least=1,
    )
    gradient_ratio: float = field(
        TYPICAL_GRADIENT_RATIO,
        "B / V, V being the typical length of a gradient.",
        source="MV16.",
        least=0.1,
    )
    bound: float | None = field(
        None,
        "Longest colour vector allowed; left out, 2 B.",
        source="B+ of MV16; infinity for none.",
        least=1,
    )
    decorrelated: bool = field(
        False,
        "Variation of decorrelated colours, and 0..255 as the bound.",
        source="Olah et al. 2017; MV16's is of RGB.",
    )

    @property
    def longest(self) -> float:
        """B+, the longest colour vector allowed, in grey levels."""
        return 2 * self.color if self.bound is None else self.bound

    @property
    def weights(self) -> tuple[float, float]:
        """(lambda_alpha, lambda_beta): 3.8147e-12 and 6.6016e-3 by default."""
        alpha_weight, tv_weight = self.alpha_weight, self.tv_weight
        if alpha_weight is None and self.decorrelated:
            # Its bound is display space, in which no colour is better than another.
            alpha_weight = 0.0
        if alpha_weight is None:
            alpha_weight = self.color**-self.alpha
        if tv_weight is None:
            tv_weight = (self.gradient_ratio / self.color) ** self.beta
        return alpha_weight, tv_weight


# MV16's ablation: neither regulariser nor bound.
NO_PRIOR = NaturalPrior(alpha_weight=0.0, tv_weight=0.0, bound=float("inf"))
