"""Transform networks on disk; nothing in a file of one is executed.

What lies in the folder: `checkpoint_files`. Weights stay float32: half a million of them are 2 MB.
"""

import json
import pathlib

import keras
import numpy as np

from tfvis import files
from tfvis.errors import InputError, arg
from tfvis.networks.files import weight_files
from tfvis.style.fast import checkpoint_files, transform_network
from tfvis.style.fast.fast_style import FastStyle
from tfvis.style.fast.transform_network import Architecture


def save(
    folder: pathlib.Path,
    model: keras.Model,
    architecture: Architecture,
    styles: tuple[str, ...],
    size: int,
    about: dict,
) -> None:
    """Writes a checkpoint but for its card; `about` is of JSON's types."""
    description = {
        "format": checkpoint_files.FORMAT,
        "width": architecture.width,
        "blocks": architecture.blocks,
        "size": size,
        "styles": list(styles),
        "about": about,
    }
    weight_files.save_npz(model, folder / checkpoint_files.WEIGHTS)
    files.write_text(
        folder / checkpoint_files.DESCRIPTION, json.dumps(description, indent=2) + "\n"
    )


def load(checkpoint: str, argument: str = "fast") -> FastStyle:
    """Opens a checkpoint.

    Args:
        checkpoint: its folder, or the name of one in `$TFVIS_HOME/checkpoints` or shipped.
        argument: that named it, for messages.

    Raises:
        InputError: no such checkpoint, or damaged.
    """
    folder, said = checkpoint_files.named(checkpoint, argument)
    label = f"{arg(argument)}={checkpoint}"
    architecture = Architecture(said["width"], said["blocks"])
    with weight_files.explained(label, f"{checkpoint_files.WEIGHTS} cannot be used"):
        arrays = weight_files.read_npz(folder / checkpoint_files.WEIGHTS)
        # Before a network is made as large as its description says.
        held = {name: [one.shape for one in found] for name, found in arrays.items()}
        if held != transform_network.shapes(len(said["styles"]), architecture):
            raise InputError("it holds no weights of the network described")
        model = transform_network.build(len(said["styles"]), architecture)
        weight_files.assign(model, arrays, folder / checkpoint_files.WEIGHTS)
        if not all(np.isfinite(array).all() for found in arrays.values() for array in found):
            raise InputError("its weights hold NaN or infinity")
    return FastStyle(
        folder.resolve().name, model, architecture, tuple(said["styles"]), said["size"],
        said["about"],
    )  # fmt: skip


def extended(before: FastStyle, styles: int, precision: str) -> keras.Model:
    """Returns the network of a checkpoint, frozen, with scales and shifts of new styles to learn.

    They begin at the mean of its styles.

    Args:
        before: stays as it is.
        styles: new ones.
        precision: see `transform_network.build`.
    """
    model = transform_network.build(styles, before.architecture, precision)
    for layer in model.layers:
        found = before.model.get_layer(layer.name).get_weights() if layer.weights else []
        if isinstance(layer, keras.layers.Conv2D):
            layer.set_weights(found)
            layer.trainable = False
        elif found:
            layer.set_weights([np.tile(array.mean(0), (styles, 1)) for array in found])
    return model


def continued(before: FastStyle, added: int, precision: str) -> keras.Model:
    """Returns the network of a checkpoint to go on learning, with all its styles and new ones.

    Args:
        before: stays as it is.
        added: styles that are new; they begin at the mean of its own.
        precision: see `transform_network.build`.
    """
    model = transform_network.build(len(before.styles) + added, before.architecture, precision)
    whole = joined(before, extended(before, added, "float32")) if added else before.model
    model.set_weights(whole.get_weights())
    return model


def joined(before: FastStyle, learnt: keras.Model) -> keras.Model:
    """Returns the network with all its styles: those it had, then those of `extended`."""
    added = learnt.input_shape[1][-1]
    model = transform_network.build(len(before.styles) + added, before.architecture)
    for layer in model.layers:
        if not layer.weights:
            continue
        old = before.model.get_layer(layer.name).get_weights()
        if not isinstance(layer, keras.layers.Conv2D):
            new = learnt.get_layer(layer.name).get_weights()
            old = [np.concatenate(pair) for pair in zip(old, new, strict=True)]
        layer.set_weights(old)
    return model
