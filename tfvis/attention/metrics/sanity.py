"""The sanity check: does a map change when the network forgets what it learnt?

Adebayo et al., "Sanity Checks for Saliency Maps" (NeurIPS 2018), section 3.2: weights are
randomised layer by layer, from the scores down, each step keeping those above random. A map
that stays as it was shows the picture, not the network.
"""

import dataclasses
from collections.abc import Iterator

import keras
import numpy as np

from tfvis.errors import InputError, arg
from tfvis.networks import keras_graph, rewiring
from tfvis.networks.network import Network


def weighted(network: Network) -> tuple[str, ...]:
    """Returns the layers with weights on the way to the scores, those nearest to them first."""
    model = network.graph.truncated([network.logits])
    used = {id(operation) for operation in model.operations}
    operations = {path: keras_graph.operation(t) for path, t in network.graph.tensors.items()}
    return tuple(
        path
        for path, layer in reversed(operations.items())
        if isinstance(layer, keras.Layer) and layer.weights and id(layer) in used
    )


def cascade(
    network: Network, stages: int | None = None, seed: int = 0
) -> Iterator[tuple[str, Network]]:
    """Yields networks of which more and more layers, from the scores down, are randomised.

    A layer's weights are those it had in an order that is drawn, tensor by tensor: as large as
    before, so that no map fades out, and without anything learnt. (Adebayo et al. draw them as
    the layer was initialised, which a network of another's making does not tell.) The network
    given stays as it is.

    Args:
        network: with a classifier.
        stages: how many, evenly spaced, the first the scores alone and the last all layers;
            None is one for each layer, as in the paper.
        seed: of the draws.

    Yields:
        (the lowest layer that is randomised, the network).

    Raises:
        InputError: no classifier; `stages` below 1; a layer that cannot be made anew.
    """
    if not network.logits:
        raise InputError(
            f"{arg('network')}={network.name}: the check is of a class; it has no classifier."
        )
    layers = weighted(network)
    count = len(layers) if stages is None else min(stages, len(layers))
    if count < 1:
        raise InputError(f"{arg('stages')}={stages}: expected 1 or more.")
    for last in np.unique(np.linspace(0, len(layers) - 1, count).round().astype(int)):
        yield layers[last], _randomised(network, layers[: last + 1], seed)


def _randomised(network: Network, chosen: tuple[str, ...], seed: int) -> Network:
    names = {keras_graph.operation(network.graph.tensors[path]).name for path in chosen}
    made: dict[tuple[int, ...], keras.Layer] = {}

    def place(layer, name, *args, **kwargs):
        if name in names:
            # A layer that is used twice is one, and stays one.
            own = tuple(map(id, layer.weights))
            if own not in made:
                made[own] = _shuffled(layer, args, (seed, len(made)))
            layer = made[own]
        return rewiring.run_twin(layer, name, *args, **kwargs)

    graph = rewiring.replaced(network.graph, place)
    variant = (*network.variant, ("randomised", f"{len(chosen)} layers, seed {seed}"))
    return dataclasses.replace(network, graph=graph, variant=variant, constants={})


def _shuffled(layer: keras.Layer, inputs, seed: tuple[int, int]) -> keras.Layer:
    """Returns a layer of its own weights, those of another in an order that is drawn."""
    generator = np.random.default_rng(seed)
    try:
        fresh = type(layer).from_config(layer.get_config())
        fresh(*inputs)
        fresh.set_weights(
            [generator.permutation(one.ravel()).reshape(one.shape) for one in layer.get_weights()]
        )
    except (TypeError, ValueError, NotImplementedError) as error:
        raise InputError(
            f"{layer.name}: a {type(layer).__name__} cannot be made anew with other weights: "
            f"{error}"
        ) from error
    return fresh
