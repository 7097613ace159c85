"""Average poolings in place of max poolings, in a network that is already built."""

import dataclasses
import functools

from tfvis.networks import rewiring
from tfvis.networks.network import Network


@functools.lru_cache(maxsize=16)
def averaged(network: Network) -> Network:
    """Returns the network with each max pooling as an average of the same windows.

    Gatys et al. 2016, section 2: gradients flow better, and pictures are a little nicer.

    Args:
        network: stays as it is; the weights are shared.
    """
    variant = {**dict(network.variant), "pooling": "avg"}
    graph = rewiring.replaced(network.graph, rewiring.calling("avg"))
    return dataclasses.replace(network, graph=graph, variant=tuple(variant.items()))
