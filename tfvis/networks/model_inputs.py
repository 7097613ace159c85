"""What a model takes: pictures, or it is refused before it is asked anything."""

import keras

from tfvis.errors import InputError


def check(model: keras.Model) -> None:
    """Raises InputError where a model takes one input that is no picture.

    One of several inputs, or that is no graph, is told of where its graph is looked at.

    Args:
        model: whose channels are last.
    """
    taken = getattr(model, "inputs", None) or ()
    if len(taken) != 1:
        return
    shape = tuple(taken[0].shape)
    if len(shape) != 4 or shape[-1] is None:
        raise InputError(
            f"Expected a model whose input is [batch, height, width, channels]. Received: {shape}"
        )
    if (shape[1] is None) != (shape[2] is None):
        raise InputError(
            "Expected a model whose input is fixed in height and width, or in neither. "
            f"Received: {shape}"
        )
