"""What one operation sees of its input where that is known, as rules per kind of layer.

Where none is, `probing` asks the operation itself.
"""

import dataclasses
from collections.abc import Callable, Iterator

import keras
import numpy as np

from tfvis.networks import keras_graph
from tfvis.networks.caffe_layers import convolution_and_shape as caffe
from tfvis.networks.caffe_layers import lrn, pooling, unpooling
from tfvis.networks.padding_layer import Padding

# fmt: off
# A layer that treats each place of the map alike and alone. Some normalise along an axis
# of their own; those are checked where they are met.
_POINTWISE_LAYERS = {
    "Activation", "ActivityRegularization", "Add", "AlphaDropout", "Average",
    "BatchNormalization", "Concatenate", "CustomScaleLayer", "Dense", "Dropout", "ELU",
    "GaussianDropout", "GaussianNoise", "Identity", "LayerNormalization", "LayerScale",
    "LeakyReLU", "Maximum", "Minimum", "Multiply", "Normalization", "PReLU", "RMSNormalization",
    "ReLU", "Rescaling", "Softmax", "SpatialDropout2D", "StochasticDepth", "Subtract",
    "UnitNormalization",
    # Of training only.
    "RandomBrightness", "RandomColorDegeneration", "RandomColorJitter", "RandomContrast",
    "RandomElasticTransform", "RandomErasing", "RandomFlip", "RandomGaussianBlur",
    "RandomGrayscale", "RandomHue", "RandomInvert", "RandomPerspective", "RandomPosterization",
    "RandomRotation", "RandomSaturation", "RandomSharpness", "RandomShear", "RandomTranslation",
    "RandomZoom", "SpatialDropout1D",
}
# The same of operations without weights: x / 255, keras.ops.relu(x), x + y.
POINTWISE_OPERATIONS = {
    "Abs", "Absolute", "Add", "BatchNorm", "Celu", "Clip", "Concatenate", "Divide", "Elu", "Exp",
    "Gelu", "HardSigmoid", "HardSilu", "HardTanh", "LayerNorm", "LeakyRelu", "Log", "LogSigmoid",
    "LogSoftmax", "Maximum", "Minimum", "Mish", "Multiply", "Negative", "Power", "ReLU", "Relu",
    "Relu6", "RMSNorm", "Selu", "Sigmoid", "Silu", "Softmax", "Softplus", "Softsign", "Sqrt",
    "Square", "Subtract", "Tanh", "TrueDivide",
}
# Those without an `axis` of their own that work along the last one.
_ALONG_LAST = {"Dense"}
_SCALED = {
    "GroupNormalization", "LayerNorm", "LayerNormalization", "LogSoftmax", "Normalize", "RMSNorm",
    "RMSNormalization", "Softmax", "UnitNormalization",
}
_GLOBAL = {
    "GlobalAveragePooling1D", "GlobalAveragePooling2D", "GlobalMaxPooling1D", "GlobalMaxPooling2D",
}
_ATTENTIONS = {"AdditiveAttention", "Attention", "GroupedQueryAttention", "MultiHeadAttention"}
# As the first two, of Caffe networks.
_POINTWISE_CAFFE = {
    caffe.ChannelScale, caffe.Power, caffe.WeightedSum, lrn.ChannelResponse,
}
# fmt: on


@dataclasses.dataclass(frozen=True)
class Window:
    """Output i sees the inputs (step * i + n) / parts, n = low, low + gap, .. high.

    Of these, the whole numbers that are places of the map.

    Attributes:
        size: how many outputs there are.
        step, low, high, parts, gap: as above; `parts` is above 1 where the map grows,
            `gap` where a convolution is dilated.
    """

    size: int
    step: int = 1
    low: int = 0
    high: int = 0
    parts: int = 1
    gap: int = 1

    def pairs(self, inputs: int) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        """Yields outputs and the input each sees, once for every n; of so many inputs."""
        for n in range(self.low, self.high + 1, self.gap):
            index, rest = np.divmod(self.step * np.arange(self.size) + n, self.parts)
            inside = (rest == 0) & (index >= 0) & (index < inputs)
            yield np.flatnonzero(inside), index[inside]

    @property
    def identity(self) -> bool:
        """Whether each output sees the input of its number only."""
        return (self.step, self.low, self.high, self.parts) == (1, 0, 0, 1)


@dataclasses.dataclass(frozen=True, eq=False)
class Support:
    """Output i sees the inputs where seen[i].

    Attributes:
        seen: bool [outputs, inputs].
    """

    seen: np.ndarray

    @property
    def size(self) -> int:
        """How many outputs there are."""
        return len(self.seen)

    @property
    def identity(self) -> bool:
        """Whether each output sees the input of its number only."""
        return np.array_equal(self.seen, np.eye(len(self.seen), dtype=bool))

    def pairs(self, inputs: int) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        """Yields outputs and inputs that they see, an output at most once each time."""
        for column in range(inputs):
            outputs = np.flatnonzero(self.seen[:, column])
            yield outputs, np.full(len(outputs), column)


@dataclasses.dataclass(frozen=True)
class Layout:
    """Where in a tensor [batch, ...] the places of a map lie.

    Attributes:
        rows, columns: axes of the tensor. Equal for tokens: then the places lie one after
            another along one axis, row by row.
        before, after: how many entries along that axis are no places: a class token.
    """

    rows: int = 1
    columns: int = 2
    before: int = 0
    after: int = 0

    @property
    def tokens(self) -> bool:
        """Whether the places lie along one axis."""
        return self.rows == self.columns


def windows(
    operation, sizes: tuple[int, int], channels: int, layout: Layout = Layout()
) -> tuple[Window, Window] | None:
    """Returns what each output of a sliding operation sees of its input, rows and columns.

    Args:
        operation: a layer.
        sizes: (height, width) of its input.
        channels: of its input.
        layout: of its input, and of its output.

    Returns:
        None where no rule is known.
    """
    found = _WINDOWS.get(type(operation))
    first = getattr(operation, "data_format", "channels_last") == "channels_first"
    axes = (layout.rows, layout.columns)
    if not found or sorted(axes) != ([2, 3] if first else [1, 2]):
        return None
    turned = layout.rows > layout.columns
    seen = found(operation, sizes[::-1] if turned else sizes, channels)
    return seen and tuple(seen[::-1] if turned else seen)


def pointwise(operation, layout: Layout = Layout(), rank: int = 4) -> bool:
    """Tells operations whose output at a place depends on their inputs there only.

    Args:
        operation: a layer or an operation.
        layout: of its inputs, and of its output.
        rank: how many axes its output has.
    """
    kind = type(operation)
    if kind in _POINTWISE_CAFFE:
        return True
    if not _kerases(operation):
        return False
    layer = isinstance(operation, keras.Layer)
    if kind.__name__ not in (_POINTWISE_LAYERS if layer else POINTWISE_OPERATIONS):
        return False
    if kind.__name__ in ("BatchNormalization", "Normalization", "BatchNorm"):
        # Statistics that were learnt, not those of this image.
        return True
    along = getattr(operation, "axis", -1 if kind.__name__ in _ALONG_LAST else None)
    along = along if isinstance(along, (list, tuple)) else [] if along is None else [along]
    return not {axis % rank for axis in along} & {layout.rows, layout.columns}


def scaled(operation) -> bool:
    """Tells normalisations by statistics of the image itself.

    What they put out at a place is what came in there, but for a few numbers that are the
    same for many places: it sees everything, and keeps its place.
    """
    return _kerases(operation) and type(operation).__name__ in _SCALED


def joins_all(operation, layout: Layout) -> bool:
    """Tells operations that are known to leave no places, or to mix all of them alike."""
    named = _kerases(operation) and type(operation).__name__
    return named in _GLOBAL or (layout.tokens and named in _ATTENTIONS)


def goes_around(operation) -> bool:
    """Tells paddings that continue a map with its other side, so that all of it is near."""
    return type(operation) is Padding and operation.mode == "circular"


def _kerases(operation) -> bool:
    return bool(keras_graph.keras_module(type(operation)))


def _sliding(size: int, kernel: int, stride: int, dilation: int, padding: str) -> Window:
    """A convolution or pooling; "same" pads as TensorFlow does, the odd pixel behind."""
    reach = (kernel - 1) * dilation
    if padding == "same":
        outputs = -(-size // stride)
        before = max((outputs - 1) * stride + reach + 1 - size, 0) // 2
        return Window(outputs, stride, -before, reach - before, gap=dilation)
    return Window(max((size - reach - 1) // stride + 1, 0), stride, 0, reach, gap=dilation)


def _convolution(layer, sizes, channels) -> list[Window]:
    per_axis = zip(sizes, layer.kernel_size, layer.strides, layer.dilation_rate, strict=True)
    return [_sliding(*numbers, layer.padding) for numbers in per_axis]


def _pooling(layer, sizes, channels) -> list[Window]:
    per_axis = zip(sizes, layer.pool_size, layer.strides, strict=True)
    return [_sliding(size, pool, stride, 1, layer.padding) for size, pool, stride in per_axis]


def _ceil_pooling(layer, sizes, channels) -> list[Window]:
    per_axis = zip(sizes, layer.pool_size, layer.strides, layer.margin, strict=True)
    return [
        Window(max(pooling.outputs(n, k, s, m, layer.ceil), 0), s, -m, k - 1 - m)
        for n, k, s, m in per_axis
    ]


def _masking(layer, sizes, channels) -> list[Window]:
    return _ceil_pooling(layer.pooling, sizes, channels)


def _unpooling(layer, sizes, channels) -> list[Window]:
    """A value goes somewhere within the window of the pooling that its mask is of."""
    outputs = layer.compute_output_shape([(1, *sizes, channels)])[1:3]
    factors = layer.scale if layer.size is None else _ratios(outputs, sizes)
    return [Window(n, 1, 1 - k, 0, k) for n, k in zip(outputs, factors, strict=True)]


def _ratios(larger, smaller) -> list[int]:
    return [-(-n // m) for n, m in zip(larger, smaller, strict=True)]


def _responding(layer, sizes, channels) -> list[Window]:
    return [Window(size, 1, -(layer.size // 2), layer.size // 2) for size in sizes]


def _slicing(layer, sizes, channels) -> list[Window]:
    windows = [Window(size) for size in sizes]
    if layer.axis < 3:
        rest = range(sizes[layer.axis - 1])[layer.begin : layer.end]
        windows[layer.axis - 1] = Window(len(rest), 1, layer.begin, layer.begin)
    return windows


def _transposed(layer, sizes, channels) -> list[Window]:
    """The places that a convolution of the output, with the same window, would feed."""
    outputs = layer.compute_output_shape((1, *sizes, channels))[1:3]
    windows = []
    per_axis = (sizes, outputs, layer.kernel_size, layer.strides, layer.dilation_rate)
    for size, output, kernel, stride, dilation in zip(*per_axis, strict=True):
        reach, before = (kernel - 1) * dilation, 0
        if layer.padding == "same":
            before = max((size - 1) * stride + reach + 1 - output, 0) // 2
        windows.append(Window(output, 1, before - reach, before, stride, dilation))
    return windows


def _padding(layer, sizes, channels) -> list[Window]:
    per_axis = zip(sizes, layer.padding, strict=True)
    return [Window(size + sum(pad), 1, -pad[0], -pad[0]) for size, pad in per_axis]


def _bordering(layer, sizes, channels) -> list[Window] | None:
    # A repeated border pixel is seen as itself already; around the picture, all is seen.
    return None if layer.mode == "circular" else _padding(layer, sizes, channels)


def _cropping(layer, sizes, channels) -> list[Window]:
    per_axis = zip(sizes, layer.cropping, strict=True)
    return [Window(max(size - sum(cut), 0), 1, cut[0], cut[0]) for size, cut in per_axis]


def _upsampling(layer, sizes, channels) -> list[Window] | None:
    per_axis = list(zip(sizes, layer.size, strict=True))
    if layer.interpolation == "nearest":
        # floor(i / factor): one of so many neighbours is divisible.
        return [Window(size * factor, 1, 1 - factor, 0, factor) for size, factor in per_axis]
    if layer.interpolation == "bilinear":
        return [resized(size, size * factor) for size, factor in per_axis]
    return None


def resized(given: int, wanted: int) -> Window:
    """A bilinear resize, antialiased where it shrinks: a triangle between pixel centres."""
    centre, radius = given - wanted, 2 * max(given, wanted)
    # At its feet the triangle is 0, so that they are not seen.
    return Window(wanted, 2 * given, centre - radius + 1, centre + radius - 1, 2 * wanted)


_WINDOWS: dict[type, Callable] = {
    keras.layers.Conv2D: _convolution,
    keras.layers.DepthwiseConv2D: _convolution,
    keras.layers.SeparableConv2D: _convolution,
    keras.layers.MaxPooling2D: _pooling,
    keras.layers.AveragePooling2D: _pooling,
    keras.layers.Conv2DTranspose: _transposed,
    keras.layers.ZeroPadding2D: _padding,
    Padding: _bordering,
    keras.layers.Cropping2D: _cropping,
    keras.layers.UpSampling2D: _upsampling,
    caffe.GroupedConv2D: _convolution,
    caffe.Slice: _slicing,
    lrn.SpatialResponse: _responding,
    pooling.CaffeMaxPooling2D: _ceil_pooling,
    pooling.CaffeAveragePooling2D: _ceil_pooling,
    unpooling.PoolingMask: _masking,
    unpooling.Unpooling: _unpooling,
}
