"""A network that computes no more than some places of a layer are made of.

A neuron sees a part of each map before it: the deeper the map, the smaller its share. Whoever
raises one neuron needs no more, and the numbers are the same.
"""

import itertools

import keras
import numpy as np

from tfvis.networks import keras_graph, rewiring
from tfvis.networks.caffe_layers.convolution_and_shape import GroupedConv2D
from tfvis.networks.caffe_layers.pooling import CaffeAveragePooling2D, CaffeMaxPooling2D
from tfvis.networks.receptive_field import layer_rules
from tfvis.networks.receptive_field.spatial_positions import Layout, Sizes, State, Walk

# (First, last) row and the same of columns, both included.
Box = tuple[tuple[int, int], tuple[int, int]]
_CONVOLUTIONS = (
    keras.layers.Conv2D,
    keras.layers.DepthwiseConv2D,
    keras.layers.SeparableConv2D,
    GroupedConv2D,
)
_CAFFE = (CaffeMaxPooling2D, CaffeAveragePooling2D)
_POOLINGS = (keras.layers.MaxPooling2D, keras.layers.AveragePooling2D, *_CAFFE)
_SLIDING = (*_CONVOLUTIONS, *_POOLINGS, keras.layers.ZeroPadding2D)
_LAYOUT = Layout()


def graph(
    whole: rewiring.Graph, path: str, size: tuple[int, int], box: Box
) -> rewiring.Graph | None:
    """Returns a graph of one tensor, as in `whole` within a box of places, 0 beside it.

    Args:
        whole: flat; it stays as it is.
        path: of a map in it.
        size: (height, width) of the image, the only one the new graph takes.
        box: of the map.

    Returns:
        None where an operation on the way needs more than its neighbourhood, or no rule tells
        what it needs: global pooling, attention, layers of someone's own.
    """
    found = _Needed.of(whole, path, size, box)
    if found is None:
        return None
    model = keras.Model(whole.inputs, whole.tensors[path])
    new = rewiring.rewire(model, found.run, size)
    (top, bottom), (left, right) = box
    height, width = found.sizes[keras_graph.operation(whole.tensors[path]).name]
    margins = ((top, height - 1 - bottom), (left, width - 1 - right))
    beside = keras.layers.ZeroPadding2D(margins, name=rewiring.legal(f"{path}_in_its_map"))
    end = beside(new.tensors[new.output])
    return rewiring.Graph(new.inputs, {path: end}, {path: beside}, "")


class _Needed:
    """Which box of each map is needed, and how each operation is run on it.

    Attributes:
        boxes: {operation: box of its output}.
        sizes: {operation: (height, width) of its whole output}.
    """

    def __init__(self, size: tuple[int, int], boxes: dict[str, Box], sizes: dict[str, tuple]):
        self.boxes, self.sizes = boxes, sizes
        self._image = tuple((0, side - 1) for side in size)
        # {id of a tensor: it, its box, the size of its whole}; the input is not in it.
        self._made: dict[int, tuple] = {}
        self._size = size

    @classmethod
    def of(cls, whole, path: str, size: tuple[int, int], box: Box) -> "_Needed | None":
        end = whole.tensors[path]
        walk = Walk(whole.inputs, State(_LAYOUT, *size), Sizes(), strict=True, ask=False)
        order, parents = keras_graph.ordered(end)
        states = [walk.to(tensor) for tensor in order]
        if any(not isinstance(s, State) or s.layout != _LAYOUT for s in states):
            return None
        sizes = {id(tensor): walk.sizes(tensor) for tensor in order}
        if _clipped(box, sizes[id(end)]) != box:
            return None  # Whoever looks there is told so.
        boxes = {id(end): box}
        for tensor in reversed(order):
            if parents[id(tensor)] and not _alike(tensor):
                return None
            for source in parents[id(tensor)]:
                asked = _asked(
                    keras_graph.operation(tensor), sizes[id(source)], sizes[id(tensor)],
                    boxes[id(tensor)], source.shape[-1],
                )  # fmt: skip
                if asked is None:
                    return None
                needed = _clipped(asked, sizes[id(source)])
                boxes[id(source)] = _united(boxes.get(id(source), needed), needed)
        names = {id(tensor): keras_graph.operation(tensor).name for tensor in order}
        return cls(
            size,
            {names[key]: own for key, own in boxes.items()},
            {names[key]: own for key, own in sizes.items()},
        )

    def run(self, layer, path: str, *args, **kwargs):
        """Runs one operation on what is needed; a `rewiring.CallFunction`."""
        box, numbered = self.boxes[layer.name], itertools.count()

        def cut(x):
            if not isinstance(x, keras.KerasTensor):
                return x
            _, own, size = self._made.get(id(x), (x, self._image, self._size))
            asked = _asked(layer, size, self.sizes[layer.name], box, x.shape[-1])
            needed = _clipped(asked, size)
            name = f"{path}_needs_{next(numbered)}"
            margins = _between(own, needed)
            if any(map(any, margins)):
                x = keras.layers.Cropping2D(margins, name=rewiring.legal(name))(x)
            margins = _between(asked, needed)
            if any(map(any, margins)):
                # Beyond the border a convolution sees zeros.
                x = keras.layers.ZeroPadding2D(margins, name=rewiring.legal(f"{name}_edge"))(x)
            return x

        args, kwargs = keras.tree.map_structure(cut, (args, kwargs))
        if isinstance(layer, keras.layers.ZeroPadding2D):
            # Done above; a tensor of its own, since its places are counted otherwise.
            made = keras.layers.Identity(name=rewiring.legal(path))(*args)
        elif isinstance(layer, (*_CONVOLUTIONS, *_POOLINGS)):
            margin = {"margin": (0, 0)} if isinstance(layer, _CAFFE) else {}
            made = rewiring.twin(layer, padding="valid", **margin)(*args, **kwargs)
        else:
            made = rewiring.twin(layer)(*args, **kwargs)
        self._made[id(made)] = (made, box, self.sizes[layer.name])
        return made


def _alike(tensor) -> bool:
    """Tells whether what made a map does the same at all of its places, and not by their number.

    A PReLU may have a slope for each place, and a picture's mean may be taken off as a picture.
    """
    operation = keras_graph.operation(tensor)
    if isinstance(operation, (*_SLIDING, keras.layers.Dense)):
        return True  # Their kernels go from place to place.
    axes = np.ravel(getattr(operation, "axis", None) or -1) % len(tensor.shape)
    if any(0 < axis < len(tensor.shape) - 1 for axis in axes):
        return False
    sides = [side for shape in keras_graph.shapes_beside(tensor) for side in shape[-3:-1]]
    return all(side == 1 for side in sides)


def _asked(
    operation, size: tuple[int, int], out: tuple[int, int], box: Box, channels: int
) -> Box | None:
    """Returns what an operation looks at for a box of its output, also beyond its input's border.

    Args:
        operation: a layer or an operation.
        size: (height, width) of one of its inputs.
        out: the same of its output.
        box: of its output.
        channels: of that input.

    Returns:
        None where that is not known, or where beyond the border are no zeros.
    """
    if layer_rules.pointwise(operation, _LAYOUT, 4):
        # A map of one place goes with every place of another.
        pairs = zip(size, out, box, strict=True)
        return tuple(own if one == many else (0, 0) for one, many, own in pairs)
    if type(operation) not in _SLIDING:
        return None
    windows = layer_rules.windows(operation, size, channels, _LAYOUT)
    if windows is None:
        return None
    asked = tuple(
        (window.step * first + window.low, window.step * last + window.high)
        for window, (first, last) in zip(windows, box, strict=True)
    )
    inside = _clipped(asked, size)
    if any(first > last for first, last in inside):
        return None
    return None if isinstance(operation, _POOLINGS) and inside != asked else asked


def _clipped(box: Box, size: tuple[int, int]) -> Box:
    pairs = zip(box, size, strict=True)
    return tuple((max(first, 0), min(last, side - 1)) for (first, last), side in pairs)


def _united(one: Box, other: Box) -> Box:
    pairs = zip(one, other, strict=True)
    return tuple((min(a, c), max(b, d)) for (a, b), (c, d) in pairs)


def _between(outer: Box, inner: Box) -> tuple[tuple[int, int], tuple[int, int]]:
    """Returns how far one box goes beyond another, ((above, below), (left, right))."""
    pairs = zip(outer, inner, strict=True)
    return tuple((c - a, b - d) for (a, b), (c, d) in pairs)
