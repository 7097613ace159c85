"""What each type of Caffe layer is in Keras: one small function per type.

Each takes a `Spot` and returns its tops. What is not said in a file is Caffe's default.
"""

from collections.abc import Callable

import keras

from tfvis.networks.caffe import (
    layers,
    normalizations,
    normalizing,
    pointwise,
    resizings,
    scalings,
    shaping,
    sliding,
)
from tfvis.networks.caffe.schema import word
from tfvis.networks.caffe.spots import (
    LARGEST,
    Misfit,
    Spot,
    axis_of,
    caffe_shape,
    map_of,
    refuse_training,
)


def _lrn(spot: Spot) -> list:
    given = spot.layer.lrn_param
    settings = {"size": given.local_size, "alpha": given.alpha, "beta": given.beta}
    if given.local_size > LARGEST:
        raise Misfit(f"has a local_size of {given.local_size}, at most {LARGEST} is supported")
    if word(given, "norm_region") == "WITHIN_CHANNEL":
        return [normalizing.SpatialResponse(**settings, name=spot.name)(map_of(spot))]
    return [normalizing.ChannelResponse(**settings, k=given.k, name=spot.name)(spot.input)]


def _prelu(spot: Spot) -> list:
    rank = len(spot.input.shape)
    last = rank if spot.layer.prelu_param.channel_shared else rank - 1
    shared = list(range(1, last)) or None
    return [keras.layers.PReLU(shared_axes=shared, name=spot.name)(spot.input)]


def _shuffled(spot: Spot) -> list:
    group, channels = spot.layer.shuffle_channel_param.group, map_of(spot).shape[-1]
    if not group or channels % group:
        raise Misfit(f"has group {group}, for {channels} channels")
    return [layers.ShuffleChannels(group, name=spot.name)(spot.input)]


def _softmax(spot: Spot) -> list:
    axis = axis_of(spot.input, spot.layer.softmax_param.axis)
    # -1, which the rest of the library knows as over channels or classes.
    axis = -1 if axis == len(spot.input.shape) - 1 else axis
    return [keras.layers.Softmax(axis=axis, name=spot.name)(spot.input)]


def _dropout(spot: Spot) -> list:
    rate = spot.layer.dropout_param.dropout_ratio
    refuse_training(spot)
    if not spot.layer.dropout_param.scale_train:
        raise Misfit("scales at the test (scale_train: false), which is not supported")
    return [keras.layers.Dropout(rate, name=spot.name)(spot.input)]


def _concat(spot: Spot) -> list:
    given = spot.layer.concat_param
    axis = given.concat_dim if given.HasField("concat_dim") else given.axis
    axis = axis_of(spot.inputs[0], axis)
    if len(spot.inputs) == 1:
        return [keras.layers.Identity(name=spot.name)(spot.input)]
    return [keras.layers.Concatenate(axis=axis, name=spot.name)(spot.inputs)]


def _eltwise(spot: Spot) -> list:
    given, inputs = spot.layer.eltwise_param, spot.inputs
    operation, coefficients = word(given, "operation"), tuple(given.coeff)
    if len({tuple(x.shape) for x in inputs}) > 1:
        shapes = ", ".join(str(caffe_shape(x)) for x in inputs)
        raise Misfit(f"combines shapes that differ: {shapes}")
    if coefficients and (operation != "SUM" or len(coefficients) != len(inputs)):
        raise Misfit(f"has {len(coefficients)} coefficients for a {operation} of {len(inputs)}")
    if set(coefficients) - {1.0}:
        return [layers.WeightedSum(coefficients, name=spot.name)(inputs)]
    kinds = {
        "PROD": keras.layers.Multiply,
        "SUM": keras.layers.Add,
        "MAX": keras.layers.Maximum,
    }
    return [kinds[operation](name=spot.name)(inputs)]


def _split(spot: Spot) -> list:
    return [keras.layers.Identity(name=spot.name)(spot.input)] * len(spot.layer.top)


def _power(spot: Spot) -> list:
    given = spot.layer.power_param
    if given.power == 1.0:
        return [keras.layers.Rescaling(given.scale, given.shift, name=spot.name)(spot.input)]
    layer = layers.Power(given.power, given.scale, given.shift, name=spot.name)
    return [layer(spot.input)]


MAKERS: dict[str, Callable[[Spot], list]] = {
    "AbsVal": pointwise.absolute,
    "Axpy": scalings.axpy,
    "BN": normalizations.segnet,
    "BNLL": pointwise.activation("softplus"),
    "BatchNorm": normalizations.batch_norm,
    "Bias": scalings.bias,
    "Concat": _concat,
    "Convolution": sliding.convolution,
    "ConvolutionDepthWise": sliding.depthwise,
    "ConvolutionDepthwise": sliding.depthwise,
    "Crop": resizings.crop,
    "Deconvolution": sliding.deconvolution,
    "DepthwiseConvolution": sliding.depthwise,
    "Dropout": _dropout,
    "ELU": pointwise.elu,
    "Eltwise": _eltwise,
    "Flatten": shaping.flatten,
    "HardSwish": pointwise.activation("hard_silu"),
    "InnerProduct": shaping.inner_product,
    "Interp": resizings.interp,
    "LRN": _lrn,
    "MVN": normalizations.mvn,
    "Normalize": normalizations.unit_norm,
    "PReLU": _prelu,
    "Permute": shaping.permuted,
    "Pooling": sliding.pooled,
    "Power": _power,
    "ReLU": pointwise.relu,
    "ReLU6": pointwise.relu6,
    "Reshape": shaping.reshape,
    "Scale": scalings.scale,
    "ShuffleChannel": _shuffled,
    "Sigmoid": pointwise.activation("sigmoid"),
    "Slice": shaping.sliced,
    "Softmax": _softmax,
    "Split": _split,
    "Swish": pointwise.swish,
    "TanH": pointwise.activation("tanh"),
    "Upsample": resizings.upsample,
}
