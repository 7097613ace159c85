"""Caffe's convolutions and poolings, in Keras."""

import math

import keras

from tfvis.networks.caffe.layer_names import free, legal
from tfvis.networks.caffe.schema import word
from tfvis.networks.caffe.to_keras.layer_spec import LARGEST, Misfit, Spot, channels_of, map_of
from tfvis.networks.caffe_layers import (
    convolution_and_shape,
    pooling,
    strided_dilated_convolution,
    unpooling,
)
from tfvis.networks.caffe_layers import deconvolution as deconvolutions


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


def _dilation(given) -> tuple[int, int]:
    """Returns how far apart a kernel's entries are, (rows, columns)."""
    dilation = tuple(given.dilation) or (1,)
    if not 1 <= min(dilation) <= max(dilation) <= LARGEST or len(dilation) > 2:
        raise Misfit(f"has a dilation of {dilation}, which is not supported")
    return (dilation[0], dilation[-1])


def convolution(spot: Spot, group: int | None = None) -> list:
    """A Conv2D; with a ZeroPadding2D before it where "same" would pad otherwise.

    Args:
        spot: the layer.
        group: into how many groups its channels fall; None as the file says.
    """
    given, x = spot.layer.convolution_param, map_of(spot)
    window = _window(given)
    dilation = _dilation(given)
    channels, group = channels_of(x), given.group if group is None else group
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
    kind = keras.layers.Conv2D if group == 1 else convolution_and_shape.GroupedConv2D
    if max(dilation) > 1 and max(window["stride"]) > 1:
        kind = strided_dilated_convolution.StridedDilatedConv2D
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


def depthwise(spot: Spot) -> list:
    """A convolution of each channel by itself, as forks of Caffe name one."""
    given, channels = spot.layer.convolution_param, channels_of(map_of(spot))
    if given.num_output != channels or given.group not in (1, channels):
        raise Misfit(
            f"has num_output {given.num_output} and group {given.group}, for {channels} channels"
        )
    return convolution(spot, channels)


def deconvolution(spot: Spot) -> list:
    """The gradient of a convolution."""
    given, x = spot.layer.convolution_param, map_of(spot)
    window, dilation = _window(given), _dilation(given)
    channels, group = channels_of(x), given.group
    if given.axis not in (1, -3):
        raise Misfit(f"works along axis {given.axis}, only 1 is supported")
    if not given.num_output or not group or channels % group or given.num_output % group:
        raise Misfit(f"has group {group}, for {channels} inputs and {given.num_output} outputs")
    spot.afford(math.prod(window["kernel"]) * channels // group * given.num_output)
    layer = deconvolutions.CaffeDeconvolution2D(
        given.num_output,
        window["kernel"],
        window["stride"],
        window["pad"],
        dilation,
        group,
        given.bias_term,
        given.weight_filler.type == "bilinear",
        name=spot.name,
    )
    return [layer(x)]


def pooled(spot: Spot) -> list:
    """A pooling; Keras' own where it is global."""
    given, x = spot.layer.pooling_param, map_of(spot)
    kind = word(given, "pool")
    if kind == "STOCHASTIC":
        raise Misfit("pools at random, which is not supported")
    if given.global_pooling and len(spot.layer.top) > 1:
        raise Misfit("has a mask of a global pooling, which is not supported")
    if given.global_pooling:
        average, largest = keras.layers.GlobalAveragePooling2D, keras.layers.GlobalMaxPooling2D
        return [(average if kind == "AVE" else largest)(keepdims=True, name=spot.name)(x)]
    window = _window(given)
    average, largest = pooling.CaffeAveragePooling2D, pooling.CaffeMaxPooling2D
    settings = (window["kernel"], window["stride"], window["pad"])
    ceil = word(given, "round_mode") == "CEIL" and given.ceil_mode
    layer = (average if kind == "AVE" else largest)(*settings, ceil=ceil, name=spot.name)
    if len(spot.layer.top) < 2 or kind == "AVE":
        return [layer(x)]
    # The second top says where the maxima lay.
    name = free(f"{spot.name}--{legal(spot.layer.top[1])}", spot.taken)
    return [layer(x), unpooling.PoolingMask(*settings, ceil=ceil, name=name)(x)]
