"""Convolutions whose border is not black: a picture that continues, or goes around.

A "same" convolution pads with zeros, which in a network's input space is the mid colour:
every picture has an edge there, and pictures made from features show it.
"""

import dataclasses
import functools

import keras
import tensorflow as tf

from tfvis.errors import InputError
from tfvis.networks import surgery
from tfvis.networks.network import Network

MODES = ("zero", "replicate", "circular")


def padded(network: Network, mode: str) -> Network:
    """Returns the network with another padding of its convolutions, sharing its weights.

    Args:
        network: stays as it is.
        mode: "zero" leaves all; "replicate" repeats the border pixel at the first
            convolution only, as Crowson's style transfer does (deeper ones then see no edge
            that the picture has not); "circular" lets every convolution go around, so that
            what is made tiles the plane.

    Raises:
        InputError: another word.
    """
    if mode not in MODES:
        raise InputError(f"Expected a padding of {', '.join(MODES)}. Received: {mode}")
    return network if mode == "zero" else _padded(network, mode)


@functools.lru_cache(maxsize=16)
def _padded(network: Network, mode: str) -> Network:
    """See `padded`; kept so that its taps are kept, too."""
    chosen = None
    if mode == "replicate":
        # By the name in the graph, which of a nested model is not the path.
        first = network.convolutions()[:1]
        chosen = {surgery.operation(network.graph.tensors[path]).name for path in first}

    def place(layer, path, *args, **kwargs):
        same = getattr(layer, "padding", "") == "same"
        if not (type(layer) is keras.layers.Conv2D and same and (chosen is None or path in chosen)):
            return surgery.twin(layer)(*args, **kwargs)
        if tuple(layer.strides) != (1, 1):
            # "Same" pads by the size then, which goes around nothing.
            return surgery.twin(layer)(*args, **kwargs)
        margins = [
            (d * (k - 1) // 2, d * (k - 1) - d * (k - 1) // 2)
            for k, d in zip(layer.kernel_size, layer.dilation_rate, strict=True)
        ]
        wider = Padding(mode, margins, name=f"{layer.name}_padding")(*args)
        return surgery.twin(layer, padding="valid")(wider, **kwargs)

    graph = surgery.replaced(network.graph, place)
    return dataclasses.replace(network, graph=graph, variant=(*network.variant, ("padding", mode)))


class Padding(keras.layers.Layer):
    """Adds a border to [batch, height, width, channels].

    Args:
        mode: "replicate" or "circular".
        margins: ((above, below), (left, right)), pixels.
    """

    def __init__(self, mode: str, margins, **kwargs):
        super().__init__(trainable=False, **kwargs)
        self.mode, self.padding = mode, tuple(margins)

    def compute_output_shape(self, input_shape):
        """[batch, height + above + below, width + left + right, channels]."""
        batch, height, width, channels = input_shape
        (above, below), (left, right) = self.padding
        return (
            batch,
            None if height is None else height + above + below,
            None if width is None else width + left + right,
            channels,
        )

    def call(self, x):
        """See `compute_output_shape`."""
        for axis, (before, after) in zip((1, 2), self.padding, strict=True):
            if self.mode == "circular":
                head, tail = _part(x, axis, -before, None), _part(x, axis, 0, after)
            else:
                # One by one: a gather's gradient is a slow scatter.
                head = tf.concat([_part(x, axis, 0, 1)] * before, axis) if before else None
                tail = tf.concat([_part(x, axis, -1, None)] * after, axis) if after else None
            parts = [head if before else None, x, tail if after else None]
            x = tf.concat([part for part in parts if part is not None], axis)
        return x


def _part(x, axis, begin, end):
    return x[:, begin:end] if axis == 1 else x[:, :, begin:end]
