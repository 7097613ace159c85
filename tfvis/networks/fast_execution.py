"""How a truncated network is executed: the same numbers, sooner.

A pre-image is hundreds of forward and backward passes through frozen weights. What decides
the time of one pass on a CPU was measured on VGG16's layers at 224 and 627 x 418 px, forward
and backward; where it does not pay, it is not done:

- oneDNN's forward convolution of one image reads its weights where they lie, while its
  backward one packs them first. A convolution of stride 1 *is* the backward convolution of
  the flipped kernel, so it can use that. In float32, with AVX2, 1.1 to 1.6 times as fast from
  64 channels on; with AVX-512, 1.2 to 1.3 times from 256 and slower below. Not in bfloat16,
  and not without oneDNN: slower in both. (AVX2 is oneDNN's own limit on an AVX-512 machine.)
- Without oneDNN, TensorFlow's gradient of max pooling takes mostly twice as long as ours;
  oneDNN's own takes half of it.
- bfloat16 halves memory traffic, and recent CPUs multiply it in hardware; casting the weights
  once, not at every step, keeps that gain.
"""

import keras
import numpy as np
import tensorflow as tf

from tfvis import hardware
from tfvis.networks import convolutions, keras_graph, rewiring
from tfvis.networks.caffe_layers.convolution_and_shape import GroupedConv2D
from tfvis.networks.receptive_field import layer_rules

PRECISIONS = ("float32", "bfloat16")
# Input channels from which the packed convolution pays, with AVX-512 and without.
PACKED_MIN_CHANNELS, PACKED_MIN_CHANNELS_AVX2 = 256, 64


def plan(
    model: keras.Model,
    paths: dict[str, str],
    precision: str,
    packed: bool,
    ties: bool = False,
    constants: dict | None = None,
) -> keras.Model:
    """Returns a model that computes what `model` does, arranged to run fast.

    Args:
        model: flat functional model, as `rewiring.Graph.truncated` returns.
        paths: {name in the result: name of an output of `model`}.
        precision: "float32", or "bfloat16" for the network's arithmetic; what TensorFlow may
            lack in that (`_exact`) stays in float32.
        packed: use the packed convolution where it pays (no use under XLA, whose
            convolutions differ).
        ties: whether places of a pooling window that share the maximum must share its
            gradient, see `EvenMaxPooling`.
        constants: kernels already cast and packed for the same network, added to; shared, since
            a copy for every question would take a network's size each. None shares none.

    Returns:
        A model with outputs {name: tensor}, in `precision`. Weights are shared, but
        for convolutions whose kernel is packed or cast: those hold a constant copy.
    """
    packed = packed and packs(precision)
    fewest = PACKED_MIN_CHANNELS if hardware.avx512() else PACKED_MIN_CHANNELS_AVX2
    constants = {} if constants is None else constants
    own_pooling = ties or not hardware.onednn(precision)

    def call(layer, path, *args, **kwargs):
        name = layer.name
        if own_pooling and _even_windows(layer):
            return EvenMaxPooling(layer, precision, name=name)(*args, **kwargs)
        kinds = (keras.layers.Conv2D, GroupedConv2D)
        if type(layer) in kinds and layer.data_format == "channels_last":
            pack = packed and _packable(layer) and layer.kernel.shape[2] >= fewest
            if pack or precision == "bfloat16":
                return FrozenConv(layer, precision, pack, constants, name)(*args, **kwargs)
        changes = {}
        if precision == "bfloat16" and _exact(layer):
            return _in_float32(rewiring.twin(layer), precision, args, kwargs)
        # An operation without weights (x / 255.0) is no Layer and has no policy.
        casts = precision == "bfloat16" and isinstance(layer, keras.Layer)
        if casts and layer.dtype_policy.name == "float32":
            changes = {"policy": "mixed_bfloat16"}
        return rewiring.twin(layer, **changes)(*args, **kwargs)

    graph = rewiring.rewire(model, call)
    produced = {path: keras_graph.operation(tensor).name for path, tensor in model.output.items()}
    return keras.Model(
        graph.inputs, {name: graph.tensors[produced[path]] for name, path in paths.items()}
    )


def packs(precision: str) -> bool:
    """Tells whether the packed convolution pays at all on this machine."""
    return precision == "float32" and hardware.onednn()


def _exact(layer) -> bool:
    """Tells what is computed in float32 whatever the precision.

    TensorFlow lacks the gradient of some operations in bfloat16 (`tf.image.resize` antialiased or
    bicubic, `tf.nn.local_response_normalization`), or its values (FFT): code of someone's own,
    resizings, and operations that are not known to do without.
    """
    kind = type(layer)
    if kind.__module__.startswith("tfvis."):
        return False
    if not keras_graph.keras_module(kind) or kind is keras.layers.Lambda:
        return True
    if kind is keras.layers.UpSampling2D:
        return layer.interpolation not in ("nearest", "bilinear")
    if isinstance(layer, keras.Layer):
        return kind is keras.layers.Resizing
    return kind.__name__ not in layer_rules.POINTWISE_OPERATIONS


def _in_float32(layer, precision: str, args, kwargs):
    """Runs a layer or operation on float32, and goes on in the precision that came in."""
    narrow = []

    def widened(x):
        if not isinstance(x, keras.KerasTensor) or x.dtype != precision:
            return x
        narrow.append(x)
        return keras.ops.cast(x, "float32")

    def narrowed(x):
        floats = isinstance(x, keras.KerasTensor) and x.dtype == "float32"
        return keras.ops.cast(x, precision) if floats and narrow else x

    args, kwargs = keras.tree.map_structure(widened, (args, kwargs))
    return keras.tree.map_structure(narrowed, layer(*args, **kwargs))


def _even_windows(layer: keras.Layer) -> bool:
    """Tells max poolings whose windows tile the image: no overlap, no padding."""
    return (
        type(layer) is keras.layers.MaxPooling2D
        and tuple(layer.pool_size) == tuple(layer.strides)
        and layer.padding == "valid"
        and layer.data_format == "channels_last"
    )


def _packable(layer: keras.layers.Conv2D) -> bool:
    return (
        tuple(layer.strides) == (1, 1)
        and tuple(layer.dilation_rate) == (1, 1)
        and layer.groups == 1
        and layer.padding == "same"
        and all(size % 2 for size in layer.kernel_size)
    )


class FrozenConv(keras.layers.Layer):
    """A Conv2D with its weights as constants, cast and packed once; see `plan`."""

    def __init__(self, layer, precision: str, packed: bool, constants: dict, name):
        super().__init__(name=name, dtype=precision, trainable=False)
        self._source = layer
        self._packed = packed

        def constant(variable, change, word):
            # By the variable, which twins of a layer share; held, so that its id stays its own.
            key = (id(variable), precision, word)
            if key not in constants:
                made = tf.cast(tf.constant(change(np.asarray(variable))), precision)
                constants[key] = (variable, made)
            return constants[key][1]

        self._kernel = constant(layer.kernel, lambda kernel: kernel, "as it is")
        self._bias = constant(layer.bias, lambda bias: bias, "as it is") if layer.use_bias else None
        if packed:
            self._flipped = constant(layer.kernel, _flipped, "flipped")

    def compute_output_shape(self, input_shape):
        """As the layer it stands for."""
        return self._source.compute_output_shape(input_shape)

    def call(self, inputs):
        """[batch, height, width, in] to what the layer it stands for returns."""
        if self._packed:
            outputs = _packed_convolution(inputs, self._kernel, self._flipped)
        else:
            source = self._source
            outputs = convolutions.grouped(
                inputs, self._kernel, source.strides, source.padding.upper(), source.dilation_rate
            )
        if self._bias is not None:
            outputs = tf.nn.bias_add(outputs, self._bias)
        activation = self._source.activation
        return outputs if activation is None else activation(outputs)


def _flipped(kernel: np.ndarray) -> np.ndarray:
    """Returns a kernel turned by 180 degrees, [kh, kw, out, in]."""
    return np.ascontiguousarray(kernel[::-1, ::-1].swapaxes(2, 3))


def _packed_convolution(inputs, kernel, flipped):
    """Stride-1 "same" convolution; forward and backward both run as backward ones.

    Args:
        inputs: [batch, height, width, in].
        kernel: [kh, kw, in, out], both sides odd.
        flipped: kernel turned by 180 degrees, [kh, kw, out, in].

    Returns:
        [batch, height, width, out].
    """

    def backward(filters, gradient, channels):
        shape = tf.concat([tf.shape(gradient)[:3], [channels]], 0)
        return tf.nn.conv2d_transpose(gradient, filters, shape, strides=1, padding="SAME")

    @tf.custom_gradient
    def convolve(x):
        y = backward(flipped, x, kernel.shape[3])
        return y, lambda dy: backward(kernel, dy, kernel.shape[2])

    return convolve(inputs)


class EvenMaxPooling(keras.layers.Layer):
    """MaxPooling2D over windows that tile the image, with a gradient of its own.

    Where several values of a window share the maximum, each receives an equal part
    of the gradient (TensorFlow gives all of it to the first); both are valid, and
    behind a ReLU the usual tie, zero, passes nothing on either way.
    """

    def __init__(self, layer: keras.layers.MaxPooling2D, precision: str, name):
        super().__init__(name=name, dtype=precision, trainable=False)
        self._source = layer

    def compute_output_shape(self, input_shape):
        """As the layer it stands for."""
        return self._source.compute_output_shape(input_shape)

    def call(self, inputs):
        """[batch, height, width, in] to what the layer it stands for returns."""
        size = tuple(self._source.pool_size)

        @tf.custom_gradient
        def pool(x):
            y = tf.nn.max_pool2d(x, size, size, "VALID")
            return y, lambda dy: _pooling_gradient(x, y, dy, size)

        return pool(inputs)


def _pooling_gradient(x, y, dy, size):
    """Returns d/dx of max pooling, [batch, height, width, channels]."""
    kh, kw = size
    batch, height, width, channels = tf.unstack(tf.shape(x))
    rows, columns = height // kh, width // kw
    covered = x[:, : rows * kh, : columns * kw]
    windows = tf.reshape(covered, [batch, rows, kh, columns, kw, channels])
    largest = tf.cast(tf.equal(windows, y[:, :, None, :, None, :]), x.dtype)
    # An average pooling counts the ties faster than a reduction over two inner axes.
    ties = tf.nn.avg_pool2d(tf.reshape(largest, tf.shape(covered)), size, size, "VALID")
    share = dy / (ties * tf.cast(kh * kw, x.dtype))
    gradient = tf.reshape(largest * share[:, :, None, :, None, :], tf.shape(covered))
    leftover = [[0, 0], [0, height - rows * kh], [0, width - columns * kw], [0, 0]]
    if x.shape[1] is not None and x.shape[1] % kh == 0 and x.shape[2] % kw == 0:
        return gradient
    return tf.pad(gradient, leftover)
