"""Every constant of a training."""

import dataclasses

from tfvis import settings
from tfvis.settings import field

# Gulrajani & Lopez-Paz 2021 (DomainBed), Sabatelli 2018: none to 0.5; the pictures are few.
DROPOUT = 0.5

# Tenfold lower a rate hardly changes VGG's last block, tenfold higher forgets what it knew.
_FINE_TUNING = {"epochs": 8, "head_epochs": 30, "rate": 1e-4, "patience": 3}
# A head on maps by chance would learn nothing that holds. Adam's own rate; a thousand pictures are
# learnt in some 1100 steps, and the loss of a hundred others rises and falls on the way there, so
# that none ends it early.
_FROM_SCRATCH = {"epochs": 45, "head_epochs": 0, "rate": 1e-3, "patience": 45}


def _left_out(name: str, what: str) -> str:
    """Returns the help of a field whose default depends on what the network knows."""
    return f"{what}; left out, {_FINE_TUNING[name]:g}; of random weights {_FROM_SCRATCH[name]:g}."


@settings.documented
@dataclasses.dataclass(frozen=True)
class Training:
    """Every constant of a training; None means "by what the network knows before"."""

    epochs: int | None = field(
        None,
        _left_out("epochs", "Of fine-tuning; 0 trains the head alone"),
        least=0,
        most=10_000,
    )
    head_epochs: int | None = field(None, _left_out("head_epochs", "At most, of the head"))
    rate: float | None = field(
        None,
        _left_out("rate", "Of fine-tuning, at its start"),
        source="It falls along a cosine.",
        least=1e-9,
        most=1.0,
    )
    head_rate: float = field(1e-3, "Of the head.", source="Adam's own default.")
    batch: int = field(
        32, "Pictures a step.", source="Sabatelli et al. 2018: 32.", least=2, most=4096
    )
    patience: int | None = field(
        None,
        _left_out("patience", "Epochs without a lower validation loss before the end"),
        least=1,
        most=10**4,
    )
    smoothing: float = field(
        0.1,
        "Of labels, lest a few pictures be learnt by heart.",
        source="Szegedy et al. 2016: 0.1.",
    )
    decay: float = field(1e-3, "Of weights, per step and rate.", source="DomainBed: up to 1e-2.")
    dropout: float = field(DROPOUT, "Of averaged features.", source="DomainBed: none to 0.5.")
    averaging: float = field(
        1.0,
        "Epochs over which weights are averaged, exponentially; 0 keeps the last ones.",
        source="Averages are right on unseen domains more often than any one step (Cha et al. "
        "2021, Arpit et al. 2022).",
    )
    floor: float = field(
        0.3,
        "Share of the rate that is left at the end.",
        source="An average is of steps that still move.",
    )
    mixing: bool = field(
        False,
        "Let pictures lend each other the statistics of their maps at the cut, so that more "
        "manners of drawing are learnt from than there are (MixStyle); best with an early "
        "`cut` and several domains.",
        source="Zhou et al. 2021, see `mixstyle`.",
    )
    adapt_weight: float = field(
        1.0, "Of telling domains apart.", source="Ganin et al. 2016: 1.", least=0.0, most=1000.0
    )
    precision: str = field("float32", "Arithmetic of the tail.", choices=("float32", "bfloat16"))
    seed: int = field(0, "Seed of the split, the views, the order.", least=0, most=2**31 - 1)


def complete(training: Training, scratch: bool) -> Training:
    """Returns a training whose None are filled in.

    Args:
        training: as it was asked for.
        scratch: whether it begins with random weights.
    """
    defaults = _FROM_SCRATCH if scratch else _FINE_TUNING
    lacking = {name: value for name, value in defaults.items() if getattr(training, name) is None}
    return dataclasses.replace(training, **lacking)
