"""What each type of Caffe layer is in Keras: one small function per type.

Each takes a `Spot` and returns its tops. What is not said in a file is Caffe's default.
"""

from collections.abc import Callable

import keras

from tfvis.networks.caffe.schema import word
from tfvis.networks.caffe.to_keras import (
    activations,
    convolution_and_pooling,
    crop_and_interp,
    normalization,
    reshaping,
    scale,
)
from tfvis.networks.caffe.to_keras.layer_spec import (
    LARGEST,
    Misfit,
    Spot,
    axis_of,
    caffe_shape,
    channels_of,
    map_of,
    refuse_training,
)
from tfvis.networks.caffe_layers import convolution_and_shape, lrn


def _lrn(spot: Spot) -> list:
    given = spot.layer.lrn_param
    settings = {"size": given.local_size, "alpha": given.alpha, "beta": given.beta}
    if given.local_size > LARGEST:
        raise Misfit(f"has a local_size of {given.local_size}, at most {LARGEST} is supported")
    if word(given, "norm_region") == "WITHIN_CHANNEL":
        return [lrn.SpatialResponse(**settings, name=spot.name)(map_of(spot))]
    channels_of(map_of(spot))
    return [lrn.ChannelResponse(**settings, k=given.k, name=spot.name)(spot.input)]


def _prelu(spot: Spot) -> list:
    shared = set(range(1, len(spot.input.shape)))
    if not spot.layer.prelu_param.channel_shared:
        channels_of(spot.input)
        shared.remove(axis_of(spot.input, 1))
    return [keras.layers.PReLU(shared_axes=sorted(shared) or None, name=spot.name)(spot.input)]


def _shuffled(spot: Spot) -> list:
    group, channels = spot.layer.shuffle_channel_param.group, channels_of(map_of(spot))
    if not group or channels % group:
        raise Misfit(f"has group {group}, for {channels} channels")
    return [convolution_and_shape.ShuffleChannels(group, name=spot.name)(spot.input)]


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
        return [convolution_and_shape.WeightedSum(coefficients, name=spot.name)(inputs)]
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
    layer = convolution_and_shape.Power(given.power, given.scale, given.shift, name=spot.name)
    return [layer(spot.input)]


MAKERS: dict[str, Callable[[Spot], list]] = {
    "AbsVal": activations.absolute,
    "Axpy": scale.axpy,
    "BN": normalization.segnet,
    "BNLL": activations.activation("softplus"),
    "BatchNorm": normalization.batch_norm,
    "Bias": scale.bias,
    "Concat": _concat,
    "Convolution": convolution_and_pooling.convolution,
    "ConvolutionDepthWise": convolution_and_pooling.depthwise,
    "ConvolutionDepthwise": convolution_and_pooling.depthwise,
    "Crop": crop_and_interp.crop,
    "Deconvolution": convolution_and_pooling.deconvolution,
    "DepthwiseConvolution": convolution_and_pooling.depthwise,
    "Dropout": _dropout,
    "ELU": activations.elu,
    "Eltwise": _eltwise,
    "Flatten": reshaping.flatten,
    "HardSwish": activations.activation("hard_silu"),
    "InnerProduct": reshaping.inner_product,
    "Interp": crop_and_interp.interp,
    "LRN": _lrn,
    "MVN": normalization.mvn,
    "Normalize": normalization.unit_norm,
    "PReLU": _prelu,
    "Permute": reshaping.permuted,
    "Pooling": convolution_and_pooling.pooled,
    "Power": _power,
    "ReLU": activations.relu,
    "ReLU6": activations.relu6,
    "Reshape": reshaping.reshape,
    "Scale": scale.scale,
    "ShuffleChannel": _shuffled,
    "Sigmoid": activations.activation("sigmoid"),
    "Slice": reshaping.sliced,
    "Softmax": _softmax,
    "Split": _split,
    "Swish": activations.swish,
    "TanH": activations.activation("tanh"),
    "Upsample": crop_and_interp.upsample,
}
