"""The flags of the way down an energy, the same in every app that goes it."""

import dataclasses

from absl import flags

from tfvis.natural_prior import NO_PRIOR, NaturalPrior
from tfvis.optimize.stopping import Stop

from . import fields

_STEPS = ("steps", "fine_steps", "fine_rate", "optimizer", "rate", "leak", "momentum", "jitter")
_CHOSEN = "image_prior"
_STOP = {"change": "stop", "window": "stop_window"}
_PRIOR = ("alpha", "alpha_weight", "beta", "tv_weight", "color", "gradient_ratio", "bound")


def define_descent(kind: type) -> dict:
    """Defines --steps to --bound; --prior names one of several where the kind has a choice.

    Args:
        kind: `preimages.Inversion`, `Maximization` or `Caricature`, whose defaults they have.

    Returns:
        What `settings` takes.
    """
    way = fields.define(kind, _STEPS)
    stop = fields.define(Stop, _STOP)
    wanted = None
    if _CHOSEN in {field.name for field in dataclasses.fields(kind)}:
        way |= fields.define(kind, {_CHOSEN: "prior"})
    else:
        wanted = flags.DEFINE_bool(
            "prior", True, "The natural-image prior; --no-prior for the ablation."
        )
    names = {name: "tv_beta" if name == "beta" else name for name in _PRIOR}
    prior = fields.define(NaturalPrior, names)
    return {"kind": kind, "way": way, "stop": stop, "wanted": wanted, "prior": prior}


def settings(defined: dict, **more):
    """Returns the settings the flags describe.

    Args:
        defined: what `define_descent` returned.
        more: fields of the kind of its own.
    """
    without = defined["wanted"] is not None and not defined["wanted"].value
    prior = NO_PRIOR if without else fields.values(NaturalPrior, defined["prior"])
    stop = fields.values(Stop, defined["stop"])
    return fields.values(defined["kind"], defined["way"], prior=prior, stop=stop, **more)
