"""The head of a trained classifier, on the map of another network.

The mean over the last map keeps the classifier readable: its class activation maps are one
matrix product away (Zhou et al. 2016), and pictures of any shape fit.
"""

import keras
import numpy as np

from tfvis.errors import InputError
from tfvis.networks import rewiring
from tfvis.networks.files import kernel_differences
from tfvis.networks.files.checkpoint_files import CLASSES, MEAN


def classifier(
    graph: rewiring.Graph,
    cut: str,
    last: str,
    weights: dict[str, list[np.ndarray]],
    name: str,
    differences: dict[str, list[np.ndarray]] | None = None,
) -> keras.Model:
    """Returns the whole classifier: pictures -> probabilities.

    Args:
        graph: a network; its layers between cut and last are given their weights, in place.
        cut: path of the last output that stayed as it was.
        last: path of the map that is averaged.
        weights: {layer: arrays} of those layers, and of `CLASSES`.
        name: for messages.
        differences: {layer: what its kernel differs by}; `weights` then lack the kernel.

    Raises:
        InputError: weights are missing or do not fit; no path from cut to last.
    """
    try:
        tail = keras.Model(graph.tensors[cut], graph.tensors[last])
    except ValueError as error:
        raise InputError(f"{name}: nothing leads from {cut} to {last} alone.") from error
    for layer in tail.layers:
        if not layer.weights:
            continue
        if differences and layer.name in differences:
            kernel = kernel_differences.applied(
                layer.get_weights()[0], differences[layer.name], f"{name}: layer {layer.name}"
            )
            weights = weights | {layer.name: [kernel, *weights.get(layer.name, [])]}
        _set(layer, weights, name)
    shapes = [array.shape for array in weights.get(CLASSES, [])]
    classes = shapes[0][-1] if shapes and shapes[0] else 0
    head = keras.layers.Dense(max(classes, 1), activation="softmax", name=CLASSES)
    mean = keras.layers.GlobalAveragePooling2D(name=MEAN)(graph.tensors[last])
    whole = keras.Model(graph.inputs, head(mean))
    _set(head, weights, name)
    return whole


def _set(layer: keras.Layer, weights: dict[str, list[np.ndarray]], name: str) -> None:
    want = [tuple(w.shape) for w in layer.weights]
    have = [tuple(w.shape) for w in weights.get(layer.name, [])]
    if want != have:
        raise InputError(
            f"{name}: layer {layer.name} takes weights {want}, the checkpoint holds {have}."
        )
    layer.set_weights([np.asarray(w, np.float32) for w in weights[layer.name]])
