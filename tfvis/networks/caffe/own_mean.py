"""Whether a Caffe network takes a mean off its pictures itself: Power, Scale, Bias or BatchNorm
in front of its first layer that looks.

A deploy.prototxt does not say what its training subtracted before. Which of the two it was is
told by numbers: the average colour of photographs is to arrive near 0.
"""

import keras
import numpy as np

from tfvis.networks import keras_graph, rewiring
from tfvis.networks.caffe_layers import convolution_and_shape, scale
from tfvis.networks.keras_graph import sources

# What changes each colour by itself, and nothing by where it is.
_KINDS = (
    keras.layers.Rescaling, convolution_and_shape.Power, convolution_and_shape.ChannelScale,
    scale.Affine, keras.layers.BatchNormalization,
)  # fmt: skip
# The average must come this much nearer to 0, as a share; a mere factor leaves it where it was.
_NEARER = 0.5


def first_layers(model: keras.Model) -> tuple[list[str], keras.Model | None]:
    """Returns the names of the layers in front that only change colours, and a model of them."""
    graph = rewiring.rewire(model)
    tensor, names = graph.inputs, []
    while True:
        after = [t for t in graph.tensors.values() if any(s is tensor for s in sources(t))]
        if len(after) != 1 or not isinstance(keras_graph.operation(after[0]), _KINDS):
            break
        (tensor,) = after
        names.append(keras_graph.operation(tensor).name)
    return names, keras.Model(graph.inputs, tensor) if names else None


def taken_by(model: keras.Model, mean: tuple[float, ...]) -> list[str]:
    """Returns the layers of a network that take a mean off, [] where it is to be taken before.

    Args:
        model: with its weights; pictures in blue, green, red.
        mean: of photographs, in red, green, blue.
    """
    names, front = first_layers(model)
    if front is None or front.inputs[0].shape[-1] not in (1, len(mean)):
        return []
    channels = front.inputs[0].shape[-1]
    average = np.array(mean if channels > 1 else [np.mean(mean)], np.float32)[::-1]
    sides = [side or 1 for side in front.inputs[0].shape[1:3]]
    colours = np.stack([average, np.zeros_like(average)])[:, None, None]
    values = front(np.broadcast_to(colours, (2, *sides, channels)).copy(), training=False)
    raw, centred = np.abs(np.asarray(values)[:, sides[0] // 2, sides[1] // 2]).mean(-1)
    return names if np.isfinite(raw) and raw < _NEARER * centred else []
