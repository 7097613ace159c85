"""The terms of the natural-image prior, weighted."""

import tensorflow as tf

from tfvis.natural_prior import NaturalPrior
from tfvis.priors.alpha_norm import alpha_norm
from tfvis.priors.decorrelated_colors import decorrelated
from tfvis.priors.total_variation import total_variation


def terms(prior: NaturalPrior, centered: tf.Tensor) -> dict[str, tf.Tensor]:
    """Returns the weighted terms {"alpha", "tv"} of a prior, each float32 [batch].

    One of decorrelated colours without a colour norm has no "alpha".

    Args:
        prior: its constants.
        centered: float32 [batch, height, width, channels].
    """
    alpha_weight, tv_weight = prior.weights
    found = {}
    if alpha_weight != 0 or not prior.decorrelated:
        found["alpha"] = alpha_weight * alpha_norm(centered, prior.alpha)
    varied = decorrelated(centered) if prior.decorrelated else centered
    return found | {"tv": tv_weight * total_variation(varied, prior.beta)}
