"""Convolutions that TensorFlow lacks a CPU kernel for, in terms of those that it has.

Without oneDNN (`hardware.onednn`; TensorFlow leaves it off on CPUs without AVX-512 or VNNI)
it has none for the gradient of a convolution in groups, none for a depthwise one whose
strides differ, and none for a transposed one that is dilated. Keras runs the first by XLA,
which on a CPU takes 20 to 800 times as long as what is here, with oneDNN or without.
`rewiring.twin` puts these in place, so every network that is rewired runs by them.
"""

import functools

import keras
import tensorflow as tf

from tfvis import hardware

# Narrow groups are joined until so many channels wide: 32 groups of 4 channels at 56 px take
# 8.9 ms one by one and 5.3 ms in 8 pieces; groups of 16 are faster as they are.
_WIDE = 16


def grouped(inputs, kernel, strides=(1, 1), padding="VALID", dilations=(1, 1)):
    """`tf.nn.convolution` with value and gradient on every machine, in groups or not.

    Without padding also where both strides and dilations are above 1, which it refuses.

    Args:
        inputs: [batch, height, width, in].
        kernel: [kh, kw, in of a group, out], of the same type.
        strides, padding, dilations: of `tf.nn.convolution`.

    Returns:
        [batch, rows, columns, out].
    """
    if max(strides) > 1 and max(dilations) > 1 and padding == "VALID":
        return _strided_and_dilated(inputs, kernel, strides, dilations)
    kernel = tf.convert_to_tensor(kernel)
    channels, strides = inputs.shape[-1], tuple(strides)
    groups = channels // kernel.shape[2]
    convolve = functools.partial(
        tf.nn.convolution, strides=list(strides), padding=padding, dilations=list(dilations)
    )
    if groups == 1:
        return convolve(inputs, kernel)
    even = len(set(strides)) == 1 and not (max(strides) > 1 and max(dilations) > 1)
    native = hardware.onednn(keras.backend.standardize_dtype(inputs.dtype)) or hardware.gpus()
    if groups == channels and (even or not native):
        kernel = tf.reshape(kernel, [*kernel.shape[:2], channels, kernel.shape[3] // channels])
        return depthwise(inputs, kernel, strides, padding, dilations)
    if native:
        return convolve(inputs, kernel)
    most = max(_WIDE // kernel.shape[2], 1)
    together = max(n for n in range(1, min(most, groups) + 1) if groups % n == 0)
    pieces = groups // together
    kernels = [_side_by_side(part, together) for part in tf.split(kernel, pieces, -1)]
    parts = zip(tf.split(inputs, pieces, -1), kernels, strict=True)
    return tf.concat([convolve(part, piece) for part, piece in parts], -1)


def _strided_and_dilated(inputs, kernel, strides, dilations):
    """Returns the same by way of every place, or of the places that count only."""
    every = (slice(None), *(slice(None, None, stride) for stride in strides))
    if any(d % s for d, s in zip(dilations, strides, strict=True)):
        return grouped(inputs, kernel, dilations=dilations)[every]
    # All entries of a kernel fall on places that are kept.
    rates = [d // s for d, s in zip(dilations, strides, strict=True)]
    return grouped(inputs[every], kernel, dilations=rates)


def _side_by_side(kernel, groups: int):
    """Returns the kernel without groups that does what `kernel` does in `groups`."""
    if groups == 1:
        return kernel
    height, width, into, out = kernel.shape
    separate = tf.reshape(kernel, [height, width, into, groups, out // groups])
    apart = tf.eye(groups, dtype=kernel.dtype)
    together = tf.einsum("hwigo,gn->hwnigo", separate, apart)
    return tf.reshape(together, [height, width, groups * into, out])


def depthwise(inputs, kernel, strides=(1, 1), padding="VALID", dilations=(1, 1)):
    """`tf.nn.depthwise_conv2d` for all strides and dilations.

    Args:
        inputs: [batch, height, width, in].
        kernel: [kh, kw, in, multiplier], of the same type.
        strides, padding, dilations: of rows and columns.

    Returns:
        [batch, rows, columns, in * multiplier].
    """
    convolve = functools.partial(tf.nn.depthwise_conv2d, dilations=list(dilations))
    if max(strides) == 1 or (len(set(strides)) == 1 and max(dilations) == 1):
        return convolve(inputs, kernel, [1, *strides, 1], padding)
    if padding == "SAME":
        sizes = tf.unstack(tf.shape(inputs)[1:3])
        margins = [
            # As TensorFlow pads, the odd pixel behind.
            tf.maximum((-(-size // s) - 1) * s + d * (k - 1) + 1 - size, 0)
            for size, k, s, d in zip(sizes, kernel.shape[:2], strides, dilations, strict=True)
        ]
        inputs = tf.pad(inputs, [[0, 0], *([m // 2, m - m // 2] for m in margins), [0, 0]])
    every = convolve(inputs, kernel, [1, 1, 1, 1], "VALID")
    return every[:, :: strides[0], :: strides[1]]


def dilated(kernel, rates):
    """Returns a kernel with zeros between its entries, [d * (k - 1) + 1, ..., in, out].

    Args:
        kernel: [k, ..., in, out].
        rates: d of each spatial axis.
    """
    for axis, rate in enumerate(rates):
        shape = kernel.shape.as_list()
        kernel = tf.expand_dims(kernel, axis + 1)
        margins = [[0, 0]] * len(kernel.shape)
        margins[axis + 1] = [0, rate - 1]
        shape[axis] *= rate
        kernel = tf.reshape(tf.pad(kernel, margins), shape)
        kernel = kernel[(slice(None),) * axis + (slice(shape[axis] - rate + 1),)]
    return kernel


def everywhere(layer):
    """Returns the layer or operation, made to run where TensorFlow or Keras fails or crawls.

    It keeps its type, settings and variables; other layers stay as they are. Only how it is
    run changes, and only in this object: a file it is saved to is Keras' own.
    """
    if not isinstance(layer, keras.Layer) or getattr(layer, "data_format", "") != "channels_last":
        return layer
    run = None
    lacking = not hardware.onednn(layer.compute_dtype)
    if isinstance(layer, keras.layers.Conv2D) and layer.groups > 1:
        # Not setattr: Keras tracks attributes.
        layer.__dict__["convolution_op"] = functools.partial(_grouped, layer)
    elif isinstance(layer, keras.layers.SeparableConv2D):
        run = _separable if _uneven(layer) and (lacking or hardware.gpus()) else None
    elif isinstance(layer, keras.layers.DepthwiseConv2D):
        run = _depthwise if _uneven(layer) and (lacking or hardware.gpus()) else None
    elif isinstance(layer, (keras.layers.Conv1DTranspose, keras.layers.Conv2DTranspose)):
        run = _transposed if lacking and max(layer.dilation_rate) > 1 else None
    if run:
        layer.__dict__["call"] = functools.partial(_run, layer, run)
    return layer


def _uneven(layer) -> bool:
    return len(set(layer.strides)) > 1


def _run(layer, convolve, inputs):
    """Runs a layer of Keras' with another way to convolve."""
    outputs = convolve(layer, inputs)
    if layer.use_bias:
        outputs = keras.ops.add(outputs, layer.bias)
    return outputs if layer.activation is None else layer.activation(outputs)


def _settings(layer) -> tuple:
    return layer.strides, layer.padding.upper(), layer.dilation_rate


def _grouped(layer, inputs, kernel):
    return grouped(inputs, kernel, *_settings(layer))


def _depthwise(layer, inputs):
    return depthwise(inputs, tf.convert_to_tensor(layer.kernel), *_settings(layer))


def _separable(layer, inputs):
    kernel = tf.convert_to_tensor(layer.depthwise_kernel)
    return keras.ops.conv(depthwise(inputs, kernel, *_settings(layer)), layer.pointwise_kernel)


def _transposed(layer, inputs):
    kernel = dilated(tf.convert_to_tensor(layer.kernel), layer.dilation_rate)
    return keras.ops.conv_transpose(
        inputs, kernel, list(layer.strides), layer.padding, layer.output_padding
    )
