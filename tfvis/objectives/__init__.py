"""What an image is asked to do to a network: pure functions of its taps, with algebra."""

from tfvis.objectives.distances import (
    diversity,
    feature_distance,
    inner_product,
    relative_error,
)
from tfvis.objectives.objective import Objective, Taps, resolve
from tfvis.objectives.units import (
    channel,
    channel_mean,
    direction,
    layer_norm,
    logit,
    neuron,
)

__all__ = [
    "Objective",
    "Taps",
    "channel",
    "channel_mean",
    "direction",
    "diversity",
    "feature_distance",
    "inner_product",
    "layer_norm",
    "logit",
    "neuron",
    "relative_error",
    "resolve",
]
