"""What an inversion holds for likely among all images that a layer cannot tell from a picture.

`tv`: total variation, a term of the energy (Mahendran & Vedaldi 2016). `phase`: waves as loud as in
photographs (MACO, Fel et al. 2023). `deep_image`: what an untrained network makes of noise (Ulyanov
et al. 2018). `plug_in`: what survives shifted colours, from coarse to fine (Ghiasi et al. 2022).
`none`: every image of display space, as model metamers have it (Feather et al. 2023).
"""

import dataclasses
import math

from tfvis.errors import InputError, arg
from tfvis.preimages.settings import Inversion

# What is optimised, where it follows from the prior.
_WRITTEN = {"phase": "phase", "deep_image": "network", "plug_in": "pixels"}
# Steps of Adam or the first trial's of L-BFGS, where pixels' would mean nothing: radians; weights.
_RATES = {"phase": 0.1, "deep_image": 0.01}


def written(prior: str | None) -> str | None:
    """Returns the parameterization that a prior has; None where it has none of its own."""
    return _WRITTEN.get(prior or "")


def without_terms(settings: Inversion) -> Inversion:
    """Returns settings of any prior but tv, whose energy is the features' alone.

    Raises:
        InputError: a term of none, or a constant of a term that weighs nothing, was asked for.
    """
    prior, asked = settings.prior, {}
    if settings.image_prior == "none":
        weights = {"alpha_weight": prior.alpha_weight, "tv_weight": prior.tv_weight}
        asked = {name: weight for name, weight in weights.items() if weight}
        if prior.bound is not None and math.isfinite(prior.bound):
            asked["bound"] = prior.bound
    of_terms = [] if prior.alpha_weight else ["alpha"]
    of_terms += [] if prior.tv_weight else ["beta", "gradient_ratio"]
    constants = {name: getattr(prior, name) for name in of_terms}
    asked |= {name: one for name, one in constants.items() if one != getattr(type(prior), name)}
    for name, value in asked.items():
        raise InputError(
            f"{arg(name)}={value}: {arg('image_prior')}={settings.image_prior} has no such term; "
            f"leave {arg(name)} out, or choose {arg('image_prior')}=tv."
        )
    prior = dataclasses.replace(
        prior,
        alpha_weight=prior.alpha_weight or 0.0,
        tv_weight=prior.tv_weight or 0.0,
        # As MV16's ablation has it, `natural_prior.NO_PRIOR`.
        bound=math.inf,
    )
    return dataclasses.replace(settings, prior=prior)


def resolved(settings: Inversion) -> Inversion:
    """Returns settings of phase, deep_image or plug_in with what follows from that filled in.

    Raises:
        InputError: what was asked for does not go together.
    """
    name = settings.image_prior
    assert name is not None
    own, optimizer, jitter = _WRITTEN[name], settings.optimizer or "adam", settings.jitter or 1
    _refuse(settings.parameterization not in (None, own), settings, "parameterization",
            f"writes the image in its own way ({own})")  # fmt: skip
    if name == "plug_in":
        _refuse(
            optimizer == "lbfgs",
            settings,
            "optimizer",
            "shows another view at every step, which lbfgs cannot go down; choose adam",
        )
        _refuse(settings.fine_steps < 1, settings, "fine_steps",
                "needs steps that see the image as it is; choose at least 1")  # fmt: skip
    else:
        _refuse(optimizer == "adagrad", settings, "optimizer", "goes by adam or lbfgs")
        _refuse(jitter > 1, settings, "jitter", "sees the image whole")
        rate = _RATES[name] if settings.rate is None else settings.rate
        settings = dataclasses.replace(settings, jitter=1, rate=rate)
    settings = dataclasses.replace(settings, parameterization=own, optimizer=optimizer)
    return without_terms(settings)


def _refuse(wrong: bool, settings: Inversion, name: str, why: str) -> None:
    if wrong:
        raise InputError(
            f"{arg(name)}={getattr(settings, name)}: {arg('image_prior')}={settings.image_prior} "
            f"{why}. Leave {arg(name)} out, or choose {arg('image_prior')}=tv."
        )
