"""The two recipes of an inversion: decorrelated colours in display space, and that of MV16.

The published prior is grey: its colour norm pulls every pixel towards the mid colour, so a white
sky comes back darker and of another hue. Here every colour that a file can hold is as good as any
other (a box, 0..255), and what remains of the prior, the total variation, is of decorrelated
colours (Olah et al. 2017), in which the grain of deep layers is dear and an edge of brightness is
not. Such an energy stands still, so L-BFGS goes down it.
"""

import dataclasses
import math

from tfvis.errors import InputError, arg
from tfvis.networks import hog_sift
from tfvis.networks.network import Network
from tfvis.preimages import descent, image_priors
from tfvis.preimages.settings import IMAGE_PRIORS, INVERTED, RECIPES, Inversion

# The total variation's weight as a share of MV16's, and what is optimised, up to a stride. Chosen
# on photographs at 112 px (docs/measurements.md). Pixels and spectrum have the same minimum; the
# spectrum's colours and coarse shapes move first, which counts once a layer sees far. At a stride
# of 16 its sigmoid runs into black, and pixels do not.
_BY_STRIDE = (
    (2, 0.1, "pixels"),
    (4, 0.1, "fourier"),
    (8, 0.3, "fourier"),
    (math.inf, 1.0, "pixels"),
)
# The step in the coordinates of the spectrum: Adam's is lucid's; of L-BFGS the first trial's.
_FOURIER_RATE = 0.05


def resolved(network: Network, layer: str, settings: Inversion) -> Inversion:
    """Returns `settings` with recipe, optimizer, parameterization, prior and its rate filled in.

    Args:
        network: the network.
        layer: a path in it; its stride decides.
        settings: as asked for.

    Raises:
        InputError: a word is none of those there are, or what was asked for does not go together.
    """
    own = image_priors.written(settings.image_prior)
    for name, value, choices, more in (
        ("recipe", settings.recipe, RECIPES, None),
        ("parameterization", settings.parameterization, INVERTED, own),
        ("image_prior", settings.image_prior, IMAGE_PRIORS, None),
    ):
        if value not in (None, *choices, more):
            raise InputError(f"{arg(name)}={value}: expected {' or '.join(choices)}.")
    shallow = network.name in hog_sift.BUILDERS and own is None
    recipe = settings.recipe or ("published" if shallow else "decorrelated")
    settings = dataclasses.replace(settings, recipe=recipe)
    if recipe == "published":
        return _published(settings)
    return _decorrelated(descent.stride(network, layer), settings)


def _published(settings: Inversion) -> Inversion:
    if settings.parameterization == "fourier":
        raise InputError(
            f"{arg('parameterization')}=fourier: the published recipe is of pixels; leave "
            f"{arg('parameterization')} out, or choose {arg('recipe')}=decorrelated."
        )
    if image_priors.written(settings.image_prior):
        raise InputError(
            f"{arg('image_prior')}={settings.image_prior}: the published recipe has its own prior, "
            f"tv, or none; leave {arg('recipe')} out."
        )
    if settings.image_prior == "none":
        settings = image_priors.without_terms(settings)
    return dataclasses.replace(
        settings,
        image_prior=settings.image_prior or "tv",
        parameterization="pixels",
        optimizer=settings.optimizer or "adagrad",
    )


def _decorrelated(stride: int, settings: Inversion) -> Inversion:
    share, chosen = next((tv, way) for most, tv, way in _BY_STRIDE if stride <= most)
    settings = _in_display_space(settings)
    if image_priors.written(settings.image_prior):
        return image_priors.resolved(settings)
    optimizer = settings.optimizer or "lbfgs"
    # Who asks for what only pixels can do, gets pixels.
    if optimizer == "adagrad" or (settings.jitter or 1) > 1:
        chosen = "pixels"
    chosen = settings.parameterization or chosen
    if settings.image_prior == "none":
        settings = image_priors.without_terms(settings)
    prior = settings.prior
    weight = share * prior.weights[1] if prior.tv_weight is None else prior.tv_weight
    settings = dataclasses.replace(
        settings,
        image_prior=settings.image_prior or "tv",
        parameterization=chosen,
        optimizer=optimizer,
        prior=dataclasses.replace(prior, tv_weight=weight),
    )
    if chosen == "pixels":
        return settings
    if optimizer == "adagrad":
        raise InputError(
            f"{arg('optimizer')}=adagrad: a spectrum is optimised by lbfgs or adam; leave "
            f"{arg('optimizer')} out, or choose {arg('parameterization')}=pixels."
        )
    if (settings.jitter or 1) > 1:
        raise InputError(
            f"{arg('jitter')}={settings.jitter}: a spectrum is seen whole; leave {arg('jitter')} "
            f"out, or choose {arg('parameterization')}=pixels and {arg('optimizer')}=adagrad."
        )
    rate = _FOURIER_RATE if settings.rate is None else settings.rate
    return dataclasses.replace(settings, jitter=1, rate=rate)


def _in_display_space(settings: Inversion) -> Inversion:
    """Returns settings whose prior is of decorrelated colours within 0..255."""
    prior = settings.prior
    if math.isfinite(prior.bound if prior.bound is not None else math.inf):
        raise InputError(
            f"{arg('bound')}={prior.bound}: decorrelated keeps every colour in 0..255; leave "
            f"{arg('bound')} out, or choose {arg('recipe')}=published."
        )
    if not prior.alpha_weight and prior.alpha != type(prior).alpha:
        raise InputError(
            f"{arg('alpha')}={prior.alpha}: decorrelated has no colour norm; give it an "
            f"{arg('alpha_weight')}, or choose {arg('recipe')}=published."
        )
    return dataclasses.replace(settings, prior=dataclasses.replace(prior, decorrelated=True))
