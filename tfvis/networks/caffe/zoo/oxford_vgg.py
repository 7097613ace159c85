"""Oxford's VGG in Caffe (VGG_ILSVRC_16_layers, _19_layers), for keras.applications' VGG."""

import re

import keras
import numpy as np

from tfvis.errors import InputError, arg

_DENSE = {"fc1": "fc6", "fc2": "fc7", "predictions": "fc8"}


def is_vgg(model: keras.Model) -> bool:
    """Tells whether a model names its layers as Keras' VGG does."""
    return any(layer.name == "block1_conv1" for layer in model.layers)


def arrays(
    model: keras.Model, blobs: dict[str, list[np.ndarray]], path
) -> dict[str, list[np.ndarray]]:
    """Returns Caffe's numbers in Keras' layout, by Keras' names; BGR as both are.

    Args:
        model: Keras' VGG16 or VGG19, with or without its classifier.
        blobs: {layer: [kernel, bias]} in Caffe's layout.
        path: for messages.

    Raises:
        InputError: a dense layer is of another size than the model's.
    """
    result = {}
    for layer in model.layers:
        match = re.fullmatch(r"block(\d)_(conv\d)", layer.name)
        source = f"conv{match[1]}_{match[2][4:]}" if match else _DENSE.get(layer.name)
        if source not in blobs:
            continue
        kernel, *rest = blobs[source]
        if match:
            kernel = kernel.transpose(2, 3, 1, 0) if kernel.ndim == 4 else kernel
        else:
            # Of old files (1, 1, out, in).
            kernel = kernel.reshape(kernel.shape[-2:])
            want = tuple(layer.kernel.shape)
            if kernel.shape != want[::-1]:
                raise InputError(
                    f"{arg('weights')}={path}: layer {layer.name} takes {want[::-1]}, {source} in "
                    f"the file holds {kernel.shape}."
                )
            if layer.name == "fc1":
                # Caffe counts channel by channel, Keras pixel by pixel.
                height, width, channels = model.get_layer("flatten").input.shape[1:]
                kernel = kernel.reshape(-1, channels, height, width).transpose(0, 2, 3, 1)
            kernel = kernel.reshape(want[1], want[0]).T
        result[layer.name] = [kernel, *(bias.reshape(-1) for bias in rest)]
    return result
