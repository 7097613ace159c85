"""Caffe's Scale, Bias and Axpy, in Keras: one small function per type of layer."""

from tfvis.networks.caffe.to_keras.layer_spec import Misfit, NeedsSize, Spot, axis_of, caffe_shape
from tfvis.networks.caffe_layers import convolution_and_shape
from tfvis.networks.caffe_layers import scale as scaling


def scale(spot: Spot) -> list:
    """Times what was learnt, or times the second bottom."""
    given = spot.layer.scale_param
    if len(spot.inputs) == 2:
        if given.bias_term:
            raise Misfit("adds a bias of the size of its second bottom, which is not supported")
        return [scaling.ScaledBy(name=spot.name)(_pair(spot, given.axis))]
    return [affine(spot, covered(spot, given.axis, given.num_axes), given.bias_term)]


def affine(spot: Spot, axes: list[bool], bias: bool):
    """Returns the input times what was learnt, perhaps plus more, along axes as `covered` says."""
    if axes == [axis == len(axes) for axis in range(1, len(axes) + 1)]:
        return convolution_and_shape.ChannelScale(bias, name=spot.name)(spot.input)
    return scaling.Affine(axes, True, bias, name=spot.name)(spot.input)


def bias(spot: Spot) -> list:
    """Plus what was learnt, or plus the second bottom."""
    given = spot.layer.bias_param
    if len(spot.inputs) == 2:
        return [scaling.ShiftedBy(name=spot.name)(_pair(spot, given.axis))]
    axes = covered(spot, given.axis, given.num_axes)
    return [scaling.Affine(axes, False, True, name=spot.name)(spot.input)]


def axpy(spot: Spot) -> list:
    """A map times one number for each channel, plus another map."""
    if len(spot.inputs) != 3:
        raise Misfit(f"has {len(spot.inputs)} bottoms, expected 3: a, x, y")
    factor, x, y = spot.inputs
    if tuple(x.shape) != tuple(y.shape) or len(x.shape) != 4:
        raise Misfit(f"adds {caffe_shape(x)} and {caffe_shape(y)}")
    sides = caffe_shape(factor)
    if sides[0] != x.shape[-1] or set(sides[1:]) - {1}:
        raise Misfit(f"scales {caffe_shape(x)} by {sides}")
    return [scaling.Axpy(name=spot.name)([factor, x, y])]


def _pair(spot: Spot, axis: int) -> list:
    """Returns both bottoms; the second has the first axes of the first, the batch among them."""
    x, other = spot.inputs
    if axis not in (0, -len(x.shape)):
        raise Misfit(
            f"has a second bottom for the axes from {axis} on, without the batch; only 0 is "
            "supported"
        )
    mine, theirs = caffe_shape(x), caffe_shape(other)
    if len(theirs) > len(mine) or theirs != mine[: len(theirs)]:
        raise Misfit(f"combines {mine} with {theirs}, which are not its first sides")
    return [x, other]


def covered(spot: Spot, axis: int, num_axes: int) -> list[bool]:
    """Returns for each axis here, behind the batch, whether what was learnt has it.

    Args:
        spot: the layer.
        axis, num_axes: Caffe's: the first, and how many, -1 for all from there on.
    """
    rank = len(spot.input.shape)
    first = axis + rank if axis < 0 else axis
    count = rank - first if num_axes == -1 else num_axes
    if count == 0:
        return [False] * (rank - 1)
    if first < 1 or count < 0 or first + count > rank:
        raise Misfit(f"works on {count} axes from {axis} on, which is not supported")
    axes = {axis_of(spot.input, axis) for axis in range(first, first + count)}
    if any(spot.input.shape[axis] is None for axis in axes):
        raise NeedsSize
    return [axis in axes for axis in range(1, rank)]
