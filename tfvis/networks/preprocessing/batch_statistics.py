"""Which contract a network learnt with, by the statistics that its batch normalisations keep.

A moving mean and variance say what arrived there in training. Photographs shown by each contract
arrive with statistics of their own; those of the right one agree.
"""

import math

import keras
import numpy as np

from tfvis import images
from tfvis.errors import InputError
from tfvis.networks import rewiring
from tfvis.networks.keras_graph import sources
from tfvis.networks.preprocessing import contracts

# The first layers that keep statistics; later ones have forgotten the range.
_LAYERS = 3
_SIDE = 224
# What is compared; the others of `CONTRACTS` are as "caffe" but for a few levels.
_TRIED = ("none", "unit", "tf", "torch", "caffe")
# Nats by which photographs may be unlike what was learnt, as a mean over channels of the logarithm
# of one and the divergence, and the factor by which every other contract must be more unlike.
LIKE, _CLEAR = 0.5, 2.0


def measured(graph: rewiring.Graph) -> tuple[str, dict[str, float]]:
    """Returns the contract whose statistics agree, "" if that is not clear, and how unlike each is.

    Args:
        graph: of a network that takes pixels as they are given.
    """
    found = unlikeness(graph)
    if len(found) < 2:
        return "", found
    best, second, *_ = sorted(found, key=found.get)
    clear = found[best] <= LIKE and found[second] >= max(_CLEAR * found[best], found[best] + 0.1)
    # Of blue, green, red only "caffe" is known here.
    return (best if clear and best in contracts.CONTRACTS else ""), found


def unlikeness(graph: rewiring.Graph) -> dict[str, float]:
    """Returns {contract: how unlike what was learnt photographs are by it}, empty if unknown.

    Divergence of two normal distributions of each channel (Kullback & Leibler 1951), log(1 + x)
    of it, mean over channels and layers. "caffe" in another order of channels is among them.
    """
    channels = graph.inputs.shape[-1]
    kept = [
        (sources(tensor)[0], layer)
        for path, tensor in graph.tensors.items()
        if isinstance(layer := graph.layers[path], keras.layers.BatchNormalization)
        and _learnt(layer) and len(tensor.shape) == 4
    ][:_LAYERS]  # fmt: skip
    if not kept or channels not in (1, 3):
        return {}
    model = keras.Model(graph.inputs, [tensor for tensor, _ in kept])
    sides = [_SIDE if side is None else side for side in graph.inputs.shape[1:3]]
    photographs = np.stack(
        [images.fitted(picture, *sides, channels) for picture in images.demo_set()]
    ).astype(np.float32)
    found = {}
    for name, contract in _hypotheses(channels).items():
        try:
            arrived = model(contract(keras.ops.convert_to_tensor(photographs), channels))
        except (InputError, ValueError):
            return {}
        each = [
            _divergence(np.asarray(keras.ops.convert_to_numpy(x), np.float64), layer)
            for x, (_, layer) in zip(keras.tree.flatten(arrived), kept, strict=True)
        ]
        found[name] = float(np.mean(each))
    return found if all(map(math.isfinite, found.values())) else {}


def _hypotheses(channels: int) -> dict[str, contracts.Preprocessing]:
    found = {name: contracts.CONTRACTS[name] for name in _TRIED}
    if channels == 3:
        name = "caffe, RGB"
        found[name] = contracts.Preprocessing(name, mean=contracts.IMAGENET_MEAN)
    return found


def _learnt(layer: keras.layers.BatchNormalization) -> bool:
    """Tells whether a layer has seen anything: it starts at 0 and 1."""
    mean, variance = (np.asarray(w) for w in (layer.moving_mean, layer.moving_variance))
    return bool(np.abs(mean).max() > 1e-3 or np.abs(variance - 1).max() > 1e-3)


def _divergence(arrived: np.ndarray, layer: keras.layers.BatchNormalization) -> float:
    axis = layer.axis % 4 if not isinstance(layer.axis, list | tuple) else layer.axis[0] % 4
    others = tuple(k for k in range(4) if k != axis)
    mean, variance = (
        np.asarray(w, np.float64).ravel() for w in (layer.moving_mean, layer.moving_variance)
    )
    # A channel that never varied says nothing.
    says = variance > 1e-8 * max(variance.max(), 1e-30)
    mean, variance = mean[says], variance[says]
    seen, spread = arrived.mean(others)[says], arrived.var(others)[says] + 1e-12
    ratio = spread / variance
    nats = 0.5 * (ratio + (seen - mean) ** 2 / variance - 1 - np.log(ratio))
    return float(np.log1p(np.maximum(nats, 0)).mean())
