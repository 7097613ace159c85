"""Exact energies of pictures that do not fit into memory, tile by tile.

A Gram matrix is a sum over places, so it can be added up over tiles; and its gradient at a
place needs only that place's features and the whole sum. So one pass over the tiles adds
up, a second one takes the gradient back, and no seam can arise: both are those of the whole
picture, but for rounding. Each tile brings as much of its surroundings (the halo) as its
units can see.
"""

import dataclasses
import math
from collections.abc import Callable, Sequence

import numpy as np
import tensorflow as tf

from tfvis.errors import InputError, arg
from tfvis.networks.network import Network
from tfvis.networks.receptive_field.receptive_field import Axis, receptive_field


@dataclasses.dataclass(frozen=True, eq=False)
class Tiling:
    """How an image is cut; `plan` makes one.

    Attributes:
        image: (height, width).
        crop: (height, width) of every tile with its halo: one shape, one trace.
        starts: int32 [tiles, 2], top left of each crop.
        cells: {layer: int32 [tiles, 2, 3]}, per axis the place in the whole map where the
            crop's map begins, and where, counted from there, its core begins and ends.
        shapes: {layer: (height, width) of the whole map}.
        sizes: {layer: (height, width) of a crop's map}.
    """

    image: tuple[int, int]
    crop: tuple[int, int]
    starts: np.ndarray
    cells: dict[str, np.ndarray]
    shapes: dict[str, tuple[int, int]]
    sizes: dict[str, tuple[int, int]]


class Window:
    """One tile inside a graph: where it lies in each layer's map.

    Args:
        tiling: the cut.
        index: int32 scalar tensor, of the tile.
    """

    def __init__(self, tiling: Tiling, index: tf.Tensor):
        self._tiling, self._index = tiling, index
        self.start = tf.constant(tiling.starts)[index]

    def places(self, layer: str) -> int:
        """Returns how many places the whole map has."""
        return math.prod(self._tiling.shapes[layer])

    def mask(self, layer: str) -> tf.Tensor:
        """Returns 1 in the core, else 0: float32 [height, width] of the crop's map."""
        cells = tf.constant(self._tiling.cells[layer])[self._index]
        inside = []
        for axis, size in enumerate(self._tiling.sizes[layer]):
            place = tf.range(size)
            inside.append((place >= cells[axis, 1]) & (place < cells[axis, 2]))
        return tf.cast(inside[0][:, None] & inside[1][None], tf.float32)

    def of(self, layer: str, whole: tf.Tensor) -> tf.Tensor:
        """Returns the crop's part of a map [height, width, ...] of the whole image."""
        begin = tf.constant(self._tiling.cells[layer])[self._index][:, 0]
        rest = len(whole.shape) - 2
        sizes = [*self._tiling.sizes[layer], *whole.shape[2:]]
        return tf.slice(whole, tf.concat([begin, [0] * rest], 0), sizes)

    def placed(self, layer: str, features: tf.Tensor) -> tf.Tensor:
        """Returns the core of [batch, height, width, channels] in a whole map of zeros."""
        begin = tf.constant(self._tiling.cells[layer])[self._index][:, 0]
        after = [
            whole - size - begin[axis]
            for axis, (whole, size) in enumerate(
                zip(self._tiling.shapes[layer], self._tiling.sizes[layer], strict=True)
            )
        ]
        core = features * self.mask(layer)[..., None]
        return tf.pad(core, [[0, 0], [begin[0], after[0]], [begin[1], after[1]], [0, 0]])


def plan(
    network: Network, layers: Sequence[str], height: int, width: int, core: int | None
) -> Tiling | None:
    """Returns the cut of an image, or None where it is done at once.

    Args:
        network: the network.
        layers: what is tapped.
        height, width: of the image.
        core: side of a tile without its halo, pixels, rounded up to a multiple of the
            largest stride; None for no tiles.

    Raises:
        InputError: a layer's units see the whole image, or around it; the network resizes it.
    """
    if core is None:
        return None
    if network.fixed_size:
        raise InputError(
            f"{arg('tile')}: {network.name} takes pictures of one size only, which are not made "
            f"in tiles. Give more {arg('memory')}."
        )
    fields = {
        layer: receptive_field(network, layer, height, width, by_rule=True) for layer in layers
    }
    for layer, field in fields.items():
        if field.everything:
            raise InputError(
                f"{arg('tile')}: {layer} sees the whole picture ({field.layout}), which cannot "
                f"be made in tiles. Choose a smaller {arg('size')}, or more {arg('memory')}."
            )
    axes = [
        _axis({k: getattr(f, name) for k, f in fields.items()}, length, core)
        for name, length in (("rows", height), ("columns", width))
    ]
    if all(len(axis.starts) == 1 for axis in axes):
        return None
    pairs = [(i, j) for i in range(len(axes[0].starts)) for j in range(len(axes[1].starts))]
    crop = (axes[0].crop, axes[1].crop)
    return Tiling(
        image=(height, width),
        crop=crop,
        starts=np.array([[axes[0].starts[i], axes[1].starts[j]] for i, j in pairs], np.int32),
        cells={
            layer: np.array([[axes[0].cells[layer][i], axes[1].cells[layer][j]] for i, j in pairs],
                            np.int32)
            for layer in layers
        },
        shapes={k: (len(f.rows.first), len(f.columns.first)) for k, f in fields.items()},
        sizes={layer: network.shape(layer, *crop)[:2] for layer in layers},
    )  # fmt: skip


@dataclasses.dataclass(frozen=True)
class _Cut:
    """One axis: length of the crops, their starts, per layer and crop its cells."""

    crop: int
    starts: list[int]
    cells: dict[str, list[tuple[int, int, int]]]


def _axis(axes: dict[str, Axis], length: int, core: int) -> _Cut:
    jumps = {layer: int(axis.jump) for layer, axis in axes.items()}
    if any(axis.jump != jumps[layer] or axis.jump < 1 for layer, axis in axes.items()):
        raise InputError(f"{arg('tile')}: a layer that enlarges its map cannot be made in tiles.")
    stride = math.lcm(*jumps.values())
    core = math.ceil(core / stride) * stride
    # What the first place of a core sees before it, the last one after it.
    reach = max(max(-axis.low, axis.high - axis.jump + 1) for axis in axes.values())
    halo = math.ceil(reach / stride) * stride
    # A crop that ends at the border must end where the whole image's maps do.
    crop = core + 2 * halo + length % stride
    if crop >= length:
        counts = {k: [(0, 0, len(axis.first))] for k, axis in axes.items()}
        return _Cut(length, [0], counts)
    begins = list(range(0, length // stride * stride, core))
    starts = [max(min(begin - halo, length - crop), 0) for begin in begins]
    cells = {}
    for layer, axis in axes.items():
        jump, cells[layer] = jumps[layer], []
        for k, (begin, start) in enumerate(zip(begins, starts, strict=True)):
            last = k + 1 == len(begins)
            end = len(axis.first) if last else begins[k + 1] // jump
            first = start // jump
            cells[layer].append((first, begin // jump - first, end - first))
    return _Cut(crop, starts, cells)


def summed(
    function: Callable[[tf.Tensor, Window | None], object], tiling: Tiling | None
) -> Callable[[tf.Tensor], object]:
    """Returns image -> the sum of `function` over the tiles, differentiable.

    Args:
        function: (crop [batch, height, width, channels], window) -> a structure of float32
            tensors that add up over the cores of the tiles; window None is the whole image.
        tiling: the cut, or None.
    """
    if tiling is None:
        return lambda image: function(image, None)
    count = len(tiling.starts)

    def crop_of(image, window):
        begin = tf.concat([[0], window.start, [0]], 0)
        sizes = [image.shape[0], *tiling.crop, image.shape[-1]]
        return tf.slice(image, begin, sizes)

    def flat(crop, index):
        return tf.nest.flatten(function(crop, Window(tiling, index)))

    def total(image):
        shaped = function(crop_of(image, Window(tiling, 0)), Window(tiling, 0))

        @tf.custom_gradient
        def add(image):
            def step(index, *sums):
                parts = flat(crop_of(image, Window(tiling, index)), index)
                return (index + 1, *(a + b for a, b in zip(sums, parts, strict=True)))

            zeros = [tf.zeros_like(part) for part in tf.nest.flatten(shaped)]
            # One at a time: two would need the memory of two.
            _, *sums = tf.while_loop(
                lambda index, *_: index < count, step, (0, *zeros), parallel_iterations=1
            )

            def gradient(*upstream, variables=()):
                def back(index, whole):
                    window = Window(tiling, index)
                    with tf.GradientTape(watch_accessed_variables=False) as tape:
                        crop = crop_of(image, window)
                        tape.watch(crop)
                        parts = flat(crop, index)
                    part = tape.gradient(parts, crop, output_gradients=list(upstream))
                    for axis in (1, 2):
                        part = _laid(part, axis, window.start[axis - 1], image.shape[axis])
                    return index + 1, whole + part

                start = (0, tf.zeros_like(image))
                loop = tf.while_loop(lambda i, _: i < count, back, start, parallel_iterations=1)
                # The network's own weights are not asked about.
                return (loop[1], [None] * len(variables)) if variables else loop[1]

            return sums, gradient

        return tf.nest.pack_sequence_as(shaped, add(image))

    return total


def _laid(part: tf.Tensor, axis: int, begin: tf.Tensor, length: int) -> tf.Tensor:
    """Returns `part` with zeros around it, `length` long, beginning at `begin` of the axis."""
    # XLA knows no padding by a tensor, but slices at one.
    room = length - part.shape[axis]
    wide = tf.pad(part, [[room, room] if a == axis else [0, 0] for a in range(4)])
    start = [room - begin if a == axis else 0 for a in range(4)]
    return tf.slice(wide, start, [length if a == axis else n for a, n in enumerate(part.shape)])
