"""The maps that every path passes, from the image until there are no places any more."""

import dataclasses
from typing import TYPE_CHECKING

import keras

from tfvis.errors import InputError
from tfvis.networks import keras_graph
from tfvis.networks.caffe_layers.lrn import SpatialResponse
from tfvis.networks.keras_graph import sources
from tfvis.networks.padding_layer import Padding
from tfvis.networks.receptive_field import spatial_positions
from tfvis.networks.receptive_field.dominators import dominators
from tfvis.networks.receptive_field.layer_rules import Layout
from tfvis.networks.receptive_field.subgraph_probing import Lost

if TYPE_CHECKING:
    from tfvis.networks.network import Network

# An image that leaves every network in use some places at its end.
ROOM = (320, 320)
# No layers, where papers count.
_BORDERS = (keras.layers.ZeroPadding2D, keras.layers.Cropping2D, Padding)


@dataclasses.dataclass(frozen=True)
class Map:
    """A layer's output that keeps places.

    Attributes:
        path: of the layer.
        layout: where in its output the places lie.
        sizes: (height, width) of them, for an image of `ROOM` or the network's own size.
        alike: whether it was made, place by place, of the one before: normalised, rectified.
    """

    path: str
    layout: Layout
    sizes: tuple[int, int]
    alike: bool


@dataclasses.dataclass(frozen=True)
class Maps:
    """See `maps`.

    Attributes:
        found: in order of computation.
        end: why there are none further on, or None: the output is one itself.
        parting: path of the last layer that every path passes before that; "" for the image.
        after: path of the first output further on that is more than one vector; "" for none.
    """

    found: tuple[Map, ...]
    end: Lost | None
    parting: str
    after: str = ""

    def check_end(self, method: str, network: str) -> None:
        """Raises InputError where maps may follow behind what could not be followed.

        A last map that is none would be a plausible picture of an early layer.
        """
        if self.end and self.end.hidden and self.after:
            raise InputError(
                f"{method}: {self.end}, and what follows in {network} ({self.after}) may be maps "
                f"or not. Name the layers to be looked at, up to {self.parting or 'the image'}."
            )


def maps(network: "Network", output: str | None = None) -> Maps:
    """Returns the maps that every path from the image to an output passes.

    Args:
        network: its graph.
        output: a path; default the network's output.

    Raises:
        InputError: no such path.
    """
    tensors = network.graph.tensors
    walk = spatial_positions.start(network.graph.inputs, network.fixed_size or ROOM)
    found, end, parting, after = [], None, "", ""
    for path in dominators(network, output):
        tensor = tensors[path]
        state = walk.to(tensor)
        if isinstance(state, Lost):
            end = end or state
            more = len(tensor.shape) > 2 and sorted(map(_count, tensor.shape[1:]))[-2] > 1
            after = after or (path if more else "")
            continue
        end, parting, after = None, path, ""
        # A map has channels beside its places.
        if len(tensor.shape) == (3 if state.layout.tokens else 4):
            alike = state.alike and len(sources(tensor)) == 1
            found.append(Map(path, state.layout, walk.sizes(tensor), alike))
    return Maps(tuple(found), end, parting, after)


def _count(size: int | None) -> int:
    return size or 2


def missing(network: "Network", seen: Maps) -> str:
    """Returns why a network has no features that every path passes, as a sentence."""
    ends = f", and {seen.end}" if seen.end else ""
    if network.convolutions_and_poolings():
        where = seen.parting or "the image"
        return f"no spatial layer of it is on every path: they part at {where}{ends}."
    return f"it has no spatial layers{ends}."


def features(network: "Network", seen: Maps) -> list[Map]:
    """Returns the maps that are features, each with what follows it place by place.

    Those that slide over their input or join branches; normalised and rectified they count
    as one, at its end, and `alike` is of all of them: true of an image that only became
    tokens. Borders are none, nor are maps that are scores of classes already, as the last of
    Illustration2Vec's tags.
    """
    scores, found = _scores(network), []
    for one in seen.found:
        if one.path in scores:
            break
        operation = keras_graph.operation(network.graph.tensors[one.path])
        # Normalisation by the places around slides, but belongs to the layer before it.
        within = one.alike or isinstance(operation, SpatialResponse)
        if within and found and one.layout.tokens == found[-1].layout.tokens:
            found[-1] = dataclasses.replace(one, alike=found[-1].alike)
        elif one.layout.tokens or not (within or isinstance(operation, _BORDERS)):
            found.append(one)
    return found


def _scores(network: "Network") -> set[str]:
    """Returns the paths of the logits, and of maps that only poolings are between."""
    found: set[str] = set()
    if not network.logits:
        return found
    tensor = network.graph.tensors[network.classifier.source]
    paths = {id(one): path for path, one in network.graph.tensors.items()}
    poolings = (keras.layers.AveragePooling2D, keras.layers.GlobalAveragePooling2D)
    while id(tensor) in paths:
        operation = keras_graph.operation(tensor)
        pooling = isinstance(operation, poolings)
        if pooling or (getattr(operation, "weights", ()) and not positive(tensor)):
            found.add(paths[id(tensor)])
        if not pooling:
            break
        (tensor,) = sources(tensor)
    return found


def positive(tensor) -> bool:
    """Tells, from the graph, whether no value of a map can be below zero."""
    operation = keras_graph.operation(tensor)
    activation = getattr(operation, "activation", None)
    rectifiers = (keras.activations.relu, keras.activations.relu6, keras.activations.sigmoid)
    if activation in rectifiers or type(operation).__name__ in ("Relu", "Relu6"):
        return True
    if isinstance(operation, keras.layers.ReLU):
        return not operation.negative_slope
    keeps = (keras.layers.MaxPooling2D, keras.layers.AveragePooling2D, keras.layers.Concatenate)
    before = sources(tensor)
    return isinstance(operation, keeps) and bool(before) and all(map(positive, before))
