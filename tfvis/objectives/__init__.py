"""What an image is asked to do to a network: pure functions of its taps, with algebra."""

import typing

from tfvis import lazy

if typing.TYPE_CHECKING:  # As types, which a lazy name cannot be.
    from tfvis.objectives.objective import Objective, Taps  # noqa: F401

__getattr__, __dir__, __all__ = lazy.attach(
    __name__,
    {
        "Objective": "objective",
        "Taps": "objective",
        "aligned": "units",
        "channel": "units",
        "channel_mean": "units",
        "direction": "units",
        "diversity": "distances",
        "feature_distance": "distances",
        "inner_product": "distances",
        "layer_norm": "units",
        "layers_of": "objective",
        "logarithm": "objective",
        "logit": "units",
        "mean_over_views": "objective",
        "neuron": "units",
        "relative_error": "distances",
        "resolve": "objective",
    },
)
