"""What a transfer is given, looked at before anything is computed: layers, pictures, weights."""

import math
from collections.abc import Iterable, Sequence

from tfvis.errors import InputError, arg, marked


def maps(network, layers: Iterable[str], argument: str) -> tuple[str, ...]:
    """Returns the paths of layers whose features or statistics are taken.

    Args:
        network: theirs.
        layers: names.
        argument: that named them, for messages.

    Raises:
        InputError: there is no such layer, or it is no map.
    """
    for name in (layers := tuple(layers)):
        try:
            network.check([name])
        except InputError as error:
            raise InputError(f"{arg(argument)}: {marked(error)}") from error
        if len(network.graph.tensors[network.path(name)].shape) != 4:
            raise InputError(
                f"{arg(argument)}: {name} is no map. Choose a convolution or a pooling."
            )
    return tuple(map(network.path, layers))


def not_flat(pixels, label: str):
    """Returns a picture, if it is not of one colour.

    Args:
        pixels: [height, width, channels], 0..255.
        label: the argument that named it, for the message.

    Raises:
        InputError: it is.
    """
    if float(pixels.max() - pixels.min()) < 1:
        raise InputError(f"{label}: is of one colour. There is nothing in it to be taken.")
    return pixels


def weights(
    given: Sequence[float], count: int, argument: str = "style_weights", of: str = "style"
) -> tuple[float, ...]:
    """Returns the weights of a blend, or of layers; none are equal ones.

    Args:
        given: a number for each, or none.
        count: of the styles, or the layers.
        argument, of: that name the weights, and what they are of, for messages.

    Raises:
        InputError: not as many as there are, or none above 0.
    """
    found = tuple(map(float, given))
    said = f"{arg(argument)}={','.join(f'{weight:g}' for weight in found)}"
    if found and len(found) != count:
        raise InputError(
            f"{said}: expected {count} number{'s' * (count != 1)}, one for each {arg(of)}. "
            f"Received: {len(found)}."
        )
    if found and (not all(0 <= one < math.inf for one in found) or not sum(found) > 0):
        raise InputError(f"{said}: expected finite numbers, none below 0 and not all 0.")
    return found
