"""Receptive fields: which pixels of the image a unit of a layer can see.

The graph is walked once with the sizes of a concrete image, because the padding "same"
is asymmetric in a way that depends on them. Two answers are kept per axis: an affine one
that knows no border (its width is the receptive field of the literature), and for every
unit the exact first and last pixel inside the image.
"""

import dataclasses
import functools
import math
from collections.abc import Callable
from fractions import Fraction

import keras
import numpy as np

from tfvis.errors import InputError
from tfvis.networks import surgery
from tfvis.networks.caffe import layers as caffe
from tfvis.networks.caffe import normalizing, pooling
from tfvis.networks.network import Network
from tfvis.networks.padding import Padding

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
}
# The same of operations without weights: x / 255, keras.ops.relu(x), x + y.
_POINTWISE_OPERATIONS = {
    "Abs", "Absolute", "Add", "BatchNorm", "Celu", "Clip", "Concatenate", "Divide", "Elu", "Exp",
    "Gelu", "HardSigmoid", "HardSilu", "HardTanh", "LayerNorm", "LeakyRelu", "Log", "LogSigmoid",
    "LogSoftmax", "Maximum", "Minimum", "Mish", "Multiply", "Negative", "Power", "ReLU", "Relu",
    "Relu6", "RMSNorm", "Selu", "Sigmoid", "Silu", "Softmax", "Softplus", "Softsign", "Sqrt",
    "Square", "Subtract", "Tanh", "TrueDivide",
}
# The same of Caffe networks.
_POINTWISE_CAFFE = {
    caffe.ChannelScale, caffe.Power, caffe.WeightedSum, normalizing.ChannelResponse,
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


@dataclasses.dataclass(frozen=True, eq=False)
class Axis:
    """What the units along one axis of a map see, in pixels of the image.

    Attributes:
        jump: pixels between what neighbours see; a fraction after upsampling, 0 where
            all see the same.
        low, high: unit i sees pixels low + jump * i .. high + jump * i, both included,
            not clipped to the image (where the map grows: at most these).
        first, last: the same for each unit of this image's map, clipped and exact;
            first > last where a unit sees padding only. None where all see everything.
    """

    jump: Fraction
    low: Fraction
    high: Fraction
    first: np.ndarray | None
    last: np.ndarray | None


@dataclasses.dataclass(frozen=True, eq=False)
class Field:
    """The receptive field of a layer, see `receptive_field`.

    Attributes:
        rows, columns: per axis.
        image: (height, width) of the image.
    """

    rows: Axis
    columns: Axis
    image: tuple[int, int]

    @property
    def everything(self) -> bool:
        """Whether each unit sees the whole image."""
        return self.rows.first is None

    @property
    def size(self) -> tuple[int, int]:
        """(rows, columns) of pixels a unit far from every border sees."""
        return tuple(math.floor(axis.high - axis.low) + 1 for axis in (self.rows, self.columns))

    def box(self, row: int, column: int) -> tuple[int, int, int, int]:
        """Returns (top, left, bottom, right) of what one unit sees, half-open, in the image.

        The smallest box around it: a dilated convolution leaves gaps within. (0, 0, 0, 0)
        where a unit sees padding only.

        Raises:
            InputError: the map has no such unit.
        """
        if self.everything:
            return (0, 0, *self.image)
        edges = []
        for name, axis, index in (("row", self.rows, row), ("column", self.columns, column)):
            if not 0 <= index < len(axis.first):
                raise InputError(
                    f"Expected a {name} of 0 to {len(axis.first) - 1}, the map's. Received: {index}"
                )
            edges.append((int(axis.first[index]), int(axis.last[index]) + 1))
        (top, bottom), (left, right) = edges
        if top >= bottom or left >= right:
            return (0, 0, 0, 0)
        return (top, left, bottom, right)


def receptive_field(network: Network, layer: str, height: int, width: int) -> Field:
    """Returns what the units of `layer` see of an image of height x width pixels.

    Convolutions, poolings, paddings, croppings and upsamplings are followed, branches are
    united. Whatever is not known to keep to its place (global pooling, flattening,
    attention, a Lambda layer), and all that follows it, is taken to see everything.

    Args:
        network: which network; one of fixed size sees the image resized, as its taps do.
        layer: a path, or "logits".
        height, width: in pixels.

    Raises:
        InputError: an unknown layer, or an image too small to reach it.
    """
    network.check([layer])
    axes = _fields(network, int(height), int(width))[network.path(layer)]
    if axes is None:
        whole = (
            Axis(Fraction(0), Fraction(0), Fraction(n - 1), None, None) for n in (height, width)
        )
        return Field(*whole, (height, width))
    if 0 in (len(axis.first) for axis in axes):
        raise InputError(
            f"--size={height}: {network.name} cannot take an image of {height} x {width} pixels "
            f"up to {layer}. Try a larger one, a multiple of 32."
        )
    return Field(*axes, (height, width))


@functools.lru_cache(maxsize=16)
def _fields(network: Network, height: int, width: int) -> dict[str, tuple[Axis, Axis] | None]:
    """Returns the axes of every path; None for "everything"."""
    graph = network.graph
    axes = (_pixels(height), _pixels(width))
    if network.fixed_size and network.fixed_size != (height, width):
        pairs = zip((height, width), network.fixed_size, strict=True)
        axes = _seen(axes, [_resized(given, wanted) for given, wanted in pairs])
    known = {id(graph.inputs): axes}
    # By hand, not by recursion: a DenseNet is deeper than Python's stack.
    stack = list(graph.tensors.values())
    while stack:
        tensor = stack[-1]
        history = tensor._keras_history
        sources = history.operation._inbound_nodes[history.node_index].input_tensors
        missing = [source for source in sources if id(source) not in known]
        if id(tensor) not in known and missing:
            stack.extend(missing)
            continue
        if id(tensor) not in known:
            known[id(tensor)] = _step(tensor, sources, [known[id(s)] for s in sources])
        stack.pop()
    return {path: known[id(tensor)] for path, tensor in graph.tensors.items()}


def _step(tensor, sources, given) -> tuple[Axis, Axis] | None:
    """Returns the axes of one output from those of the inputs it was made of."""
    operation = surgery.operation(tensor)
    if not given or None in given or len(tensor.shape) != 4:
        return None
    empty = next((axes for axes in given if not all(len(a.first) for a in axes)), None)
    if empty:
        return empty
    if pointwise(operation):
        return tuple(map(_united, zip(*given, strict=True)))
    sizes = tuple(len(axis.first) for axis in given[0])
    found = windows(operation, sizes, sources[0].shape[-1])
    return found and _seen(given[0], found)


def windows(operation, sizes: tuple[int, int], channels: int) -> list[Window] | None:
    """Returns what each output of a sliding operation sees of its input, per axis.

    Args:
        operation: a layer.
        sizes: (height, width) of its input.
        channels: of its input.

    Returns:
        None where it is not known to slide.
    """
    found = _WINDOWS.get(type(operation))
    if not found or getattr(operation, "data_format", "channels_last") != "channels_last":
        return None
    return found(operation, sizes, channels)


def pointwise(operation) -> bool:
    """Tells operations whose output at a place depends on their inputs there only."""
    kind = type(operation)
    layer = isinstance(operation, keras.Layer)
    if kind in _POINTWISE_CAFFE:
        return True
    if not kind.__module__.startswith("keras.src."):
        # A class of the user's may bear any name.
        return False
    if kind.__name__ not in (_POINTWISE_LAYERS if layer else _POINTWISE_OPERATIONS):
        return False
    if kind.__name__ in ("BatchNormalization", "Normalization", "BatchNorm"):
        # Statistics that were learnt, not those of this image.
        return True
    axis = getattr(operation, "axis", -1)
    return set(axis if isinstance(axis, (list, tuple)) else [axis]) <= {-1, 3}


def _pixels(size: int) -> Axis:
    """Returns the axis of the image itself."""
    indices = np.arange(size)
    return Axis(Fraction(1), Fraction(0), Fraction(0), indices, indices)


def _seen(axes: tuple[Axis, Axis], windows) -> tuple[Axis, Axis]:
    """Returns what is seen through a window per axis."""
    return tuple(_through(axis, window) for axis, window in zip(axes, windows, strict=True))


def _through(axis: Axis, window: Window) -> Axis:
    # What sees nothing keeps a span that any union replaces.
    first = np.full(window.size, np.iinfo(np.int64).max // 2)
    last = np.full(window.size, -1)
    for offset in range(window.low, window.high + 1, window.gap):
        index, rest = np.divmod(window.step * np.arange(window.size) + offset, window.parts)
        seen = (rest == 0) & (index >= 0) & (index < len(axis.first))
        first[seen] = np.minimum(first[seen], axis.first[index[seen]])
        last[seen] = np.maximum(last[seen], axis.last[index[seen]])
    scale = axis.jump / window.parts
    low, high = axis.low + scale * window.low, axis.high + scale * window.high
    return Axis(scale * window.step, low, high, first, last)


def _united(axes: tuple[Axis, ...]) -> Axis:
    """Returns what is seen through any of several maps that are combined in place."""
    size = max(len(axis.first) for axis in axes)
    # A map of one place is added to every place of another.
    axes = [_through(a, Window(size, step=0)) if len(a.first) == 1 < size else a for a in axes]
    if len({len(axis.first) for axis in axes}) > 1:
        nothing = np.zeros(0, int)
        return Axis(Fraction(0), Fraction(0), Fraction(0), nothing, nothing)
    first = np.min([axis.first for axis in axes], axis=0)
    last = np.max([axis.last for axis in axes], axis=0)
    jumps = {axis.jump for axis in axes}
    if len(jumps) > 1:
        # No affine rule fits; this one holds for every unit.
        return Axis(Fraction(0), Fraction(int(first.min())), Fraction(int(last.max())), first, last)
    low, high = min(axis.low for axis in axes), max(axis.high for axis in axes)
    return Axis(jumps.pop(), low, high, first, last)


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
        return [_resized(size, size * factor) for size, factor in per_axis]
    return None


def _resized(given: int, wanted: int) -> Window:
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
    normalizing.SpatialResponse: _responding,
    pooling.CaffeMaxPooling2D: _ceil_pooling,
    pooling.CaffeAveragePooling2D: _ceil_pooling,
}
