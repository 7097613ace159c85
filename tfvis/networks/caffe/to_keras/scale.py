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
    covered = _covered(spot, given)
    if covered == _channels(spot):
        return [convolution_and_shape.ChannelScale(given.bias_term, name=spot.name)(spot.input)]
    return [scaling.Affine(covered, True, given.bias_term, name=spot.name)(spot.input)]


def bias(spot: Spot) -> list:
    """Plus what was learnt, or plus the second bottom."""
    given = spot.layer.bias_param
    if len(spot.inputs) == 2:
        return [scaling.ShiftedBy(name=spot.name)(_pair(spot, given.axis))]
    covered = _covered(spot, given)
    return [scaling.Affine(covered, False, True, name=spot.name)(spot.input)]


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


def _channels(spot: Spot) -> list[bool]:
    rank = len(spot.input.shape)
    return [axis == axis_of(spot.input, 1) for axis in range(1, rank)]


def _covered(spot: Spot, given) -> list[bool]:
    """Returns for each axis here, behind the batch, whether what was learnt has it."""
    rank = len(spot.input.shape)
    first = given.axis + rank if given.axis < 0 else given.axis
    count = rank - first if given.num_axes == -1 else given.num_axes
    if count == 0:
        return [False] * (rank - 1)
    if first < 1 or count < 0 or first + count > rank:
        raise Misfit(f"works on {count} axes from {given.axis} on, which is not supported")
    axes = {axis_of(spot.input, axis) for axis in range(first, first + count)}
    if any(spot.input.shape[axis] is None for axis in axes):
        raise NeedsSize
    return [axis in axes for axis in range(1, rank)]
