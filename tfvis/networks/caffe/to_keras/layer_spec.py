"""A layer of a Caffe network about to be placed in a Keras graph, and what it may not ask for."""

import dataclasses
import math

from tfvis.networks.caffe.layer_names import free
from tfvis.networks.caffe.schema import word

# Of a kernel, stride, pad or dilation. No network comes near; more is a broken file.
LARGEST = 4096
# Numbers in one map: 64 channels of the largest picture take half of it, 4 GiB.
LARGEST_MAP = 2**31
# Numbers in all weights: a protobuf message, and so a .caffemodel, ends at 2 GiB.
MOST_WEIGHTS = 2**29


class NeedsSize(Exception):
    """A map of unknown size was to become a vector of known length."""


class Misfit(ValueError):
    """What a layer asks for is impossible, or not done here; says what, without its name."""


@dataclasses.dataclass(frozen=True)
class Spot:
    """One layer about to be placed.

    Attributes:
        layer: the LayerParameter.
        name: of the Keras layer.
        inputs: the bottoms' symbolic tensors.
        taken: the names of all of the net's own layers.
        room: how many weights it may have: what the layers before it leave of `MOST_WEIGHTS`.
    """

    layer: object
    name: str
    inputs: list
    taken: frozenset[str]
    room: int

    def beside(self, what: str) -> str:
        """Returns a name for a helper of this layer, such as conv1_pad."""
        return free(f"{self.name}_{what}", self.taken)

    @property
    def input(self):
        """The only bottom."""
        if len(self.inputs) != 1:
            raise Misfit(f"has {len(self.inputs)} bottoms, 1 is supported")
        return self.inputs[0]

    def afford(self, weights: int) -> None:
        """Raises Misfit, before memory is spent, where so many weights fit into no file."""
        if weights > self.room:
            total = MOST_WEIGHTS - self.room + weights
            raise Misfit(
                f"brings the weights to {total}, more than a .caffemodel can hold ({MOST_WEIGHTS})"
            )


def axis_of(tensor, axis: int) -> int:
    """Returns where one of Caffe's axes lies in a tensor of ours; not the batch's."""
    rank = len(tensor.shape)
    axis = axis + rank if axis < 0 else axis
    if not 0 < axis < rank:
        raise Misfit(f"works along axis {axis} of {rank}, which is not supported")
    return {1: 3, 2: 1, 3: 2}[axis] if rank == 4 else axis


def channels_of(tensor) -> int:
    """Returns how many channels a tensor has, along Caffe's axis 1.

    NeedsSize where that depends on the picture's: a Permute may lay its rows there.
    """
    channels = tensor.shape[axis_of(tensor, 1)]
    if channels is None:
        raise NeedsSize
    return channels


def caffe_shape(tensor) -> tuple:
    """Returns the shape of a tensor without its batch, its axes in Caffe's order."""
    shape = tuple(tensor.shape[1:])
    return (shape[2], *shape[:2]) if len(shape) == 3 else shape


def map_of(spot: Spot):
    """Returns the only bottom, which has to be a map."""
    if len(spot.input.shape) != 4:
        raise Misfit(f"expects a map, and gets a shape of {caffe_shape(spot.input)}")
    return spot.input


def count(x) -> int:
    """Returns how many numbers of a picture a tensor holds; NeedsSize where that depends."""
    shape = caffe_shape(x)
    if None in shape:
        raise NeedsSize
    return math.prod(shape)


def check_finite(layer) -> None:
    """Raises Misfit where one of a layer's settings is infinite or no number."""
    for field, settings in layer.ListFields():
        if not field.name.endswith("_param"):
            continue
        for inner, value in settings.ListFields():
            if inner.cpp_type != inner.CPPTYPE_FLOAT:
                continue
            numbers = value if inner.is_repeated else (value,)
            if not all(map(math.isfinite, numbers)):
                raise Misfit(f"has settings that are not finite: {inner.name}")


def refuse_training(spot: Spot) -> None:
    """Raises Misfit where a layer runs as in a training, also in a network that is only used."""
    if spot.layer.HasField("phase") and word(spot.layer, "phase") == "TRAIN":
        raise Misfit("is kept in the phase TRAIN, where it computes at random or by the batch")
