"""Caffe's layers that turn one shape into another, in Keras."""

import itertools
import math

import keras

from tfvis.networks.caffe.layer_names import free, legal
from tfvis.networks.caffe.to_keras.layer_spec import (
    Misfit,
    NeedsSize,
    Spot,
    axis_of,
    caffe_shape,
    count,
)
from tfvis.networks.caffe_layers import convolution_and_shape


def inner_product(spot: Spot) -> list:
    """A Dense, of a vector in Caffe's order."""
    given = spot.layer.inner_product_param
    if given.axis not in (1, 1 - len(spot.input.shape)):
        raise Misfit(f"works along axis {given.axis}, only 1 is supported")
    if not given.num_output:
        raise Misfit("has no num_output")
    # The order of the vector is Caffe's, so that the weights need no reordering.
    x = spot.input
    if len(x.shape) != 2:
        x = _reshaped(x, (count(x),), spot.beside("flat"))
    spot.afford(x.shape[-1] * given.num_output)
    layer = keras.layers.Dense(given.num_output, use_bias=given.bias_term, name=spot.name)
    # For `filling`, which cannot tell from a square matrix.
    layer.caffe_transpose = given.transpose
    return [layer(x)]


def _reshaped(x, target: tuple[int, ...], name: str):
    # Without rows and columns, the order of the axes is no matter.
    if len(target) == 1 and (len(x.shape) == 2 or tuple(x.shape[1:3]) == (1, 1)):
        return keras.layers.Flatten(name=name)(x)
    return convolution_and_shape.CaffeReshape(target, name=name)(x)


def flatten(spot: Spot) -> list:
    """Some axes as one; a map's channel by channel."""
    given, shape = spot.layer.flatten_param, caffe_shape(spot.input)
    rank = len(shape) + 1
    first, last = (a + rank if a < 0 else a for a in (given.axis, given.end_axis))
    if not 0 < first <= last < rank:
        raise Misfit(f"flattens axes {first} to {last} of {rank}, which is not supported")
    count(spot.input)
    target = (*shape[: first - 1], math.prod(shape[first - 1 : last]), *shape[last:])
    return [_reshaped(spot.input, target, spot.name)]


def reshape(spot: Spot) -> list:
    """Any shape of the same size; 0 copies a side, -1 is what is left."""
    given, shape = spot.layer.reshape_param, (0, *caffe_shape(spot.input))
    total, rank = count(spot.input), len(shape)
    start = given.axis + rank + 1 if given.axis < 0 else given.axis
    end = rank if given.num_axes == -1 else start + given.num_axes
    dims = list(given.shape.dim)
    if not 0 <= start <= end <= rank or any(d < -1 for d in dims) or dims.count(-1) > 1:
        raise Misfit(f"reshapes to {dims}, which is not supported")
    if any(d == 0 and start + k >= rank for k, d in enumerate(dims)):
        raise Misfit(f"reshapes to {dims}, but the input has no axis to copy for the last 0")
    dims = [shape[start + k] if d == 0 else d for k, d in enumerate(dims)]
    batch, *target = (*shape[:start], *dims, *shape[end:])
    # Whatever number or -1 stands for the batch, it must be what the rest leaves over.
    known = math.prod(d for d in target if d != -1)
    if -1 in target and known and total % known == 0:
        target[target.index(-1)] = total // known
    if not target or math.prod(target) != total or -1 in target:
        asked = [batch, *target]
        raise Misfit(
            f"reshapes {caffe_shape(spot.input)} to {asked}, across pictures or not at all"
        )
    return [_reshaped(spot.input, tuple(target), spot.name)]


def sliced(spot: Spot) -> list:
    """One layer for each top."""
    given, tops = spot.layer.slice_param, len(spot.layer.top)
    axis = given.slice_dim if given.HasField("slice_dim") else given.axis
    axis = axis_of(spot.input, axis)
    size, points = spot.input.shape[axis], list(given.slice_point)
    if not points and size is None:
        raise NeedsSize
    if not points and size % tops == 0:
        points = [size // tops * k for k in range(1, tops)]
    edges = [0, *points, size]
    known = [edge for edge in edges if edge is not None]
    if len(points) != tops - 1 or any(b <= a for a, b in itertools.pairwise(known)):
        raise Misfit(f"slices {size} at {points} for {tops} tops")
    parts = []
    for top, begin, end in zip(spot.layer.top, edges[:-1], edges[1:], strict=True):
        # A Keras layer has one output to be looked at: each top is one of its own.
        name = free(f"{spot.name}--{legal(top)}", spot.taken)
        parts.append(convolution_and_shape.Slice(axis, begin, end, name=name)(spot.input))
    return parts


def permuted(spot: Spot) -> list:
    """Another order of Caffe's axes; the batch stays the first."""
    order, rank = list(spot.layer.permute_param.order), len(spot.input.shape)
    order += [axis for axis in range(rank) if axis not in order]
    if sorted(order) != list(range(rank)) or order[0] != 0:
        raise Misfit(f"puts the axes in the order {order}, which is not supported")
    # Where each of Caffe's axes lies here, and which of them lies at each place here.
    here = {axis: axis_of(spot.input, axis) for axis in range(1, rank)}
    there = {place: axis for axis, place in here.items()}
    dims = [here[order[there[place]]] for place in range(1, rank)]
    return [keras.layers.Permute(dims, name=spot.name)(spot.input)]
