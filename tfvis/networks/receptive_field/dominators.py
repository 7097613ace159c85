"""The layers that every path from a network's input to its output passes.

In graph theory's word, the dominators of the output. A chain is all dominators; of a residual
network they are the ends of its blocks, of Inception and DenseNet the concatenations.
"""

import typing

from tfvis.networks.keras_graph import ordered

if typing.TYPE_CHECKING:
    from tfvis.networks.network import Network


def dominators(network: "Network", output: str | None = None) -> tuple[str, ...]:
    """Returns the paths of the dominators of an output, in order of computation.

    Args:
        network: its graph.
        output: a path, itself the last of them; default the network's output.

    Raises:
        InputError: no such path.
    """
    output = output or network.graph.output or network.paths[-1]
    network.check([output])
    tensors = network.graph.tensors
    names = {id(tensor): path for path, tensor in tensors.items()}
    found = passed(tensors[network.path(output)])
    return tuple(
        names[id(tensor)]
        for tensor in found
        if id(tensor) in names and tensor is not network.graph.inputs
    )


def passed(output) -> list:
    """Returns the symbolic tensors that every path to one passes, itself the last."""
    order, parents = ordered(output)
    place = {id(tensor): k for k, tensor in enumerate(order)}
    # In any order of computation, a layer is on every path exactly if no edge leaps over it:
    # an edge that does lies on a path around it, since everything here leads from the input
    # to the output.
    furthest, found = 0, []
    children: dict[int, int] = {}
    for k, tensor in enumerate(order):
        for source in parents[id(tensor)]:
            at = place[id(source)]
            children[at] = max(children.get(at, 0), k)
    for k, tensor in enumerate(order):
        if furthest <= k:
            found.append(tensor)
        furthest = max(furthest, children.get(k, k))
    return found
