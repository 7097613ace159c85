"""Caffe's convolutions and poolings, in Keras."""

import math

import keras

from tfvis.networks.caffe import layers, pooling
from tfvis.networks.caffe.schema import word
from tfvis.networks.caffe.spots import LARGEST, Misfit, Spot, map_of


def _pair(given, default: int, height: str, width: str, both: str) -> tuple[int, int]:
    """Returns one setting for (rows, columns), which Caffe lets one give in three ways."""
    if given.HasField(height) or given.HasField(width):
        pair = (getattr(given, height), getattr(given, width))
    else:
        value = getattr(given, both)
        repeated = [value] if isinstance(value, int) else list(value)
        if not isinstance(value, int) and not repeated:
            repeated = [default]
        if len(repeated) > 2:
            raise Misfit(f"has {len(repeated)} axes of {both}, 2 are supported")
        pair = (repeated[0], repeated[-1])
    if max(pair) > LARGEST:
        raise Misfit(f"has a {both} of {max(pair)}, at most {LARGEST} is supported")
    return pair


def _window(given) -> dict[str, tuple[int, int]]:
    """Returns kernel, stride and pad of a convolution or pooling."""
    kernel = _pair(given, 0, "kernel_h", "kernel_w", "kernel_size")
    stride = _pair(given, 1, "stride_h", "stride_w", "stride")
    pad = _pair(given, 0, "pad_h", "pad_w", "pad")
    for what, pair in (("kernel_size", kernel), ("stride", stride)):
        if min(pair) < 1:
            raise Misfit(f"has a {what} of {min(pair)}, expected at least 1")
    return {"kernel": kernel, "stride": stride, "pad": pad}


def convolution(spot: Spot) -> list:
    """A Conv2D; with a ZeroPadding2D before it where "same" would pad otherwise."""
    given, x = spot.layer.convolution_param, map_of(spot)
    window = _window(given)
    dilation = tuple(given.dilation) or (1,)
    dilation = (dilation[0], dilation[-1])
    if not 1 <= min(dilation) <= max(dilation) <= LARGEST or len(given.dilation) > 2:
        raise Misfit(f"has a dilation of {tuple(given.dilation)}, which is not supported")
    if max(dilation) > 1 and max(window["stride"]) > 1:
        raise Misfit("has a stride and a dilation, which together are not supported")
    channels, group = x.shape[-1], given.group
    if given.axis not in (1, -3):
        raise Misfit(f"works along axis {given.axis}, only 1 is supported")
    if not given.num_output or not group or channels % group or given.num_output % group:
        raise Misfit(f"has group {group}, for {channels} inputs and {given.num_output} outputs")
    spot.afford(math.prod(window["kernel"]) * channels // group * given.num_output)
    # Where "same" pads alike at all sizes, it is what the fast paths know.
    reach = [d * (k - 1) for d, k in zip(dilation, window["kernel"], strict=True)]
    same = window["stride"] == (1, 1) and reach == [2 * pad for pad in window["pad"]]
    if not same and any(window["pad"]):
        margins = [(pad, pad) for pad in window["pad"]]
        x = keras.layers.ZeroPadding2D(margins, name=spot.beside("pad"))(x)
    kind = keras.layers.Conv2D if group == 1 else layers.GroupedConv2D
    layer = kind(
        given.num_output,
        window["kernel"],
        strides=window["stride"],
        padding="same" if same else "valid",
        dilation_rate=dilation,
        groups=group,
        use_bias=given.bias_term,
        name=spot.name,
    )
    return [layer(x)]


def pooled(spot: Spot) -> list:
    """A pooling; Keras' own where it is global."""
    given, x = spot.layer.pooling_param, map_of(spot)
    kind = word(given, "pool")
    if kind == "STOCHASTIC":
        raise Misfit("pools at random, which is not supported")
    if given.global_pooling:
        average, largest = keras.layers.GlobalAveragePooling2D, keras.layers.GlobalMaxPooling2D
        return [(average if kind == "AVE" else largest)(keepdims=True, name=spot.name)(x)]
    window = _window(given)
    average, largest = pooling.CaffeAveragePooling2D, pooling.CaffeMaxPooling2D
    layer = (average if kind == "AVE" else largest)(
        window["kernel"],
        window["stride"],
        window["pad"],
        ceil=word(given, "round_mode") == "CEIL",
        name=spot.name,
    )
    return [layer(x)]
