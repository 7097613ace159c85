"""Caffe's nonlinearities, in Keras: one small function per type of layer."""

from collections.abc import Callable

import keras

from tfvis.networks.caffe.to_keras.layer_spec import Spot
from tfvis.networks.caffe_layers import activations


def activation(function: str) -> Callable[[Spot], list]:
    """Returns the maker of one of Keras' own functions."""
    return lambda spot: [keras.layers.Activation(function, name=spot.name)(spot.input)]


def relu(spot: Spot) -> list:
    """A ReLU; Keras' own but for slopes below 0."""
    slope = spot.layer.relu_param.negative_slope
    if slope < 0:
        return [activations.SlopedReLU(slope, name=spot.name)(spot.input)]
    return [keras.layers.ReLU(negative_slope=slope, name=spot.name)(spot.input)]


def relu6(spot: Spot) -> list:
    """A ReLU that ends at 6."""
    return [keras.layers.ReLU(max_value=6.0, name=spot.name)(spot.input)]


def absolute(spot: Spot) -> list:
    """|x|."""
    return [activations.SlopedReLU(-1.0, name=spot.name)(spot.input)]


def elu(spot: Spot) -> list:
    """x, or alpha (exp(x) - 1) below 0."""
    return [keras.layers.ELU(spot.layer.elu_param.alpha, name=spot.name)(spot.input)]


def swish(spot: Spot) -> list:
    """x times its sigmoid."""
    return [activations.Swish(spot.layer.swish_param.beta, name=spot.name)(spot.input)]
