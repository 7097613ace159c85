"""The flags of the way down an energy, the same in every app that goes it."""

import pathlib

from absl import flags

from tfvis.natural_prior import NO_PRIOR, NaturalPrior
from tfvis.optimize.stopping import Stop

from . import fields

_STEPS = ("steps", "fine_steps", "fine_rate", "optimizer", "rate", "leak", "momentum", "jitter")
_STOP = {"change": "stop", "window": "stop_window"}
_PRIOR = ("alpha", "alpha_weight", "beta", "tv_weight", "color", "gradient_ratio", "bound")


def define_descent(kind: type) -> dict:
    """Defines --steps to --bound.

    Args:
        kind: `preimages.Inversion`, `Maximization` or `Caricature`, whose defaults they have.

    Returns:
        What `settings` takes.
    """
    way = fields.define(kind, _STEPS)
    stop = fields.define(Stop, _STOP)
    wanted = flags.DEFINE_bool(
        "prior", True, "The natural-image prior; --no-prior for the ablation."
    )
    names = {name: "tv_beta" if name == "beta" else name for name in _PRIOR}
    prior = fields.define(NaturalPrior, names)
    return {"kind": kind, "way": way, "stop": stop, "wanted": wanted, "prior": prior}


def settings(
    defined: dict, network, target, layer: str, workdir: pathlib.Path,
    precision: str, jit: str, **more,
):  # fmt: skip
    """Returns the settings the flags describe.

    Args:
        defined: what `define_descent` returned.
        network, target, layer: what --jit=auto is measured on; target may be None.
        workdir: of the run.
        precision, jit: the flags' words.
        more: fields of the kind of its own.
    """
    from tfvis.experiments import devices

    prior = fields.values(NaturalPrior, defined["prior"]) if defined["wanted"].value else NO_PRIOR
    return fields.values(
        defined["kind"],
        defined["way"],
        prior=prior,
        stop=fields.values(Stop, defined["stop"]),
        precision=devices.precision(precision),
        jit=devices.jit(jit, workdir, network, target, layer),
        **more,
    )
