"""What a network learnt to see behind one of its layers."""

import typing

from tfvis.networks import keras_graph

if typing.TYPE_CHECKING:
    from tfvis.networks.network import Network


def behind(network: "Network", layer: str) -> tuple[str, ...]:
    """Returns the layers behind one that learnt to look at places, as the attention of a ViT.

    A head has weights as well, but what it puts out is one vector of each picture.

    Args:
        network: its graph.
        layer: a path.

    Returns:
        Names, in order of computation.
    """
    graph = network.graph
    start, end = graph.tensors[layer], graph.tensors[graph.output or network.paths[-1]]
    order, parents = keras_graph.ordered(end)
    reached, found = {id(start)}, {}
    for tensor in order:
        if not reached.intersection(map(id, parents[id(tensor)])):
            continue
        reached.add(id(tensor))
        made_by = keras_graph.operation(tensor)
        # One number along all axes but the last is a vector, however many axes there are.
        if _mixes(made_by) and any(side != 1 for side in tensor.shape[1:-1]):
            found[made_by.name] = None
    return tuple(found)


def _mixes(operation) -> bool:
    """Tells layers with kernels from those that scale each channel by itself."""
    return any(
        sum(side > 1 for side in weight.shape) > 1 for weight in getattr(operation, "weights", ())
    )
