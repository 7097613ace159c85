"""How large a network's maps are at an image's size, how far apart they look, what they cost."""

import functools
import math
import typing

import tensorflow as tf

from tfvis.errors import InputError, arg
from tfvis.networks.receptive_field import receptive_field

if typing.TYPE_CHECKING:
    from tfvis.networks.network import Network


def shape(network: "Network", layer: str, height: int, width: int) -> tuple[int | None, ...]:
    """Returns the shape of one image's output at `layer`, without the batch.

    A size that leaves nothing (a map of 0 pixels) is reported as such, not raised.
    """
    model = network.graph.truncated([network.path(layer)])
    if network.fixed_size:
        height, width = network.fixed_size
    try:
        shapes = model.compute_output_shape((1, height, width, network.channels))
    except ValueError:
        # Keras' word for a window larger than the map it slides over.
        return (0, 0, 0)
    return tuple(shapes[network.path(layer)][1:])


@functools.lru_cache(maxsize=256)
def trace(network: "Network", path: str, height: int, width: int) -> tuple[int, ...]:
    """Returns the shape of one image's output, as TensorFlow itself works it out.

    Slower than `shape`, and certain: nothing is computed, but every operation up to
    the layer must accept its inputs. Kept, since apps ask about a layer more than once.

    Raises:
        InputError: one does not, at this size.
    """
    spec = tf.TensorSpec((1, height, width, network.channels), tf.float32)
    taps = network.taps([path])
    # Not autograph: it would wrap what is refused on the way in errors of its own.
    run = tf.function(lambda images: taps(images)[path], autograph=False)
    try:
        found = run.get_concrete_function(spec).structured_outputs.shape
    except InputError:
        raise
    except (ValueError, tf.errors.InvalidArgumentError) as error:
        lines = [line.strip() for line in str(error).splitlines() if line.strip()]
        raise InputError(
            f"{network.name} cannot take an image of {height} x {width} pixels up to {path} "
            f"({lines[-1][:200] if lines else type(error).__name__}). Try another {arg('size')}, a "
            "multiple of 32."
        ) from error
    return tuple(found[1:])


def stride(network: "Network", layer: str) -> int:
    """Returns how many input pixels apart neighbouring outputs of `layer` look.

    Measured on the shapes: the growth of the input over that of the map. 1 where
    the map does not grow with the input (after a global pooling). Of a network of
    fixed size by its windows, or, where they are not known, input over map.
    """
    if network.fixed_size:
        jump = receptive_field.receptive_field(network, layer, *network.fixed_size).rows.jump
        if jump:
            return max(round(jump), 1)
        size = shape(network, layer, *network.fixed_size)
        return max(round(network.fixed_size[0] / size[0]), 1) if len(size) == 3 else 1
    # Multiples of every stride in use (32, and 36 for VGG-S) tell it exactly.
    small, large = (shape(network, layer, side, side) for side in (576, 1152))
    if len(small) != 3 or large[0] == small[0]:
        return 1
    return max(round(576 / (large[0] - small[0])), 1)


def cost(network: "Network", layer: str, height: int, width: int) -> float:
    """Returns how many multiplications the convolutions up to `layer` take.

    For one image; each entry of a kernel counts once per place of its layer's map.
    """
    paths = network.paths[: network.paths.index(network.path(layer)) + 1]
    if network.fixed_size:
        height, width = network.fixed_size
    model = network.graph.truncated(paths)
    shapes = model.compute_output_shape((1, height, width, network.channels))
    total = 1.0
    for path in paths:
        variables = getattr(network.graph.layers[path], "weights", ())
        kernels = [math.prod(w.shape) for w in variables if w.ndim > 1]
        total += sum(kernels) * math.prod(shapes[path][1:-1])
    return total
