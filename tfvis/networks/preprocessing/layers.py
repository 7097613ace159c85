"""Networks that take a picture as it comes from a file: their preprocessing is in them.

The steps of a `published_recipes.Recipe` as layers before the network's own: scale, resize, crop,
split in red, green and blue, subtract the mean of each, join as blue, green, red. One
.keras file then holds all there is to classifying a picture, and opens with Keras'
`safe_mode` where tfvis is imported.
"""

import re
import typing

import keras
import tensorflow as tf

from tfvis import images
from tfvis.errors import InputError, arg
from tfvis.networks import keras_graph, rewiring
from tfvis.networks.preprocessing import contracts, published_recipes, steps_from_file

if typing.TYPE_CHECKING:
    from tfvis.networks.network import Network

_registered = keras.saving.register_keras_serializable("tfvis")


def end_to_end(network: "Network", recipe: published_recipes.Recipe | None = None) -> keras.Model:
    """Returns a model from pictures of any size to what the network puts out.

    Args:
        network: any Network; its layers keep their names, and share their weights.
        recipe: how pictures become its input; default `published_recipes.fitting`.

    Returns:
        A functional model of one input, [batch, height, width, 3], RGB: uint8 or float
        in 0..255 (0..1 with `recipe.unit`), all pictures of a batch of one size. It can
        be saved as one .keras file.

    Raises:
        InputError: the network takes neither 1 nor 3 channels, or insists on another size
            than the recipe cuts out.
    """
    if recipe is None:
        recipe = published_recipes.fitting(
            network.name, network.preprocessing, network.fixed_size, network.side
        )
    if network.fixed_size not in (None, steps_from_file.pair(recipe.crop)):
        height, width = network.fixed_size
        raise InputError(
            f"{network.name} takes {width}x{height} px. Received: a recipe of crop={recipe.crop}"
        )
    if network.channels not in (1, 3):
        raise InputError(
            f"{arg('network')}={network.name}: takes {network.channels} channels, and a picture "
            "file has 3."
        )
    graph = network.graph
    # Names are the network's own first.
    taken = {layer.name for layer in graph.truncated([graph.output]).layers}
    inputs = keras.Input((None, None, 3), name=_free("picture", taken))
    ready = _prepared(inputs, recipe, network.channels, taken)
    outputs = _continued(graph, ready)
    stem = re.sub(r"[^\w.-]", "_", network.name.replace("\\", "/").rsplit("/", 1)[-1])
    # Not by the network's name, which it is no longer.
    return keras.Model(inputs, outputs, name=f"end_to_end_{stem}")


def prepares(network: "Network") -> bool:
    """Tells whether a network does all this itself: it came from `end_to_end`, or its file."""
    return any(isinstance(layer, Resize) for layer in network.graph.layers.values())


def _prepared(x, recipe: published_recipes.Recipe, channels: int, taken: set[str]):
    """Runs the layers of a recipe: pictures to the network's input."""

    def named(name: str) -> str:
        return _free(name, taken)

    if recipe.unit:
        x = keras.layers.Rescaling(255.0, name=named("scale"))(x)
    x = Resize(recipe.resize, recipe.aspect, recipe.antialias, recipe.keep, name=named("resize"))(x)
    if steps_from_file.pair(recipe.crop) != steps_from_file.pair(recipe.resize) or recipe.aspect:
        x = Crop(recipe.crop, name=named("crop"))(x)
    if channels == 1:
        x = Luma(name=named("luma"))(x)
    contract = recipe.contract
    plain = contract.mean == (0.0,) and contract.scale == (1.0,)
    if plain and not contract.bgr:
        return x
    colors = ("red", "green", "blue") if channels == 3 else ("grey",)
    planes = Split(name=named("split"))(x) if channels == 3 else [x]
    planes = [
        _centered(plane, contract, index, channels, named(color))
        for index, (color, plane) in enumerate(zip(colors, planes, strict=True))
    ]
    if channels == 1:
        return planes[0]
    order = planes[::-1] if contract.bgr else planes
    return keras.layers.Concatenate(name=named("join"))(order)


def _centered(plane, contract: contracts.Preprocessing, index: int, channels: int, name: str):
    """Runs the layer that subtracts one channel's mean, and scales it."""
    scale = float(contracts.per_channel(contract.scale, channels)[index])
    if isinstance(contract, contracts.MeanImage):
        image = contract.plane(channels)[..., index : index + 1]
        if image.shape[:2] == tuple(plane.shape[1:3]):
            layer = SubtractPlane(image.shape[:2], scale, name=name)
            subtracted = layer(plane)
            layer.set_weights([image])
            return subtracted
    mean = float(contracts.per_channel(contract.mean, channels)[index])
    return keras.layers.Rescaling(scale, -mean * scale, name=name)(plane)


def _continued(graph: rewiring.Graph, tensor):
    """Runs the twins of a graph's layers on another input; returns the output."""
    model = graph.truncated([graph.output])
    produced = {}

    def call(layer, *args, **kwargs):
        produced[layer.name] = rewiring.twin(layer)(*args, **kwargs)
        return produced[layer.name]

    keras.models.clone_model(
        model, input_tensors=tensor, clone_function=lambda layer: layer, call_function=call
    )
    # The clone's own output is a copy cut off from `tensor`.
    return produced[keras_graph.operation(graph.tensors[graph.output]).name]


def _free(name: str, taken: set[str]) -> str:
    """Returns a name that no layer has yet, and takes it."""
    while name in taken:
        name += "_"
    taken.add(name)
    return name


class _Float32(keras.layers.Layer):
    """A step on pictures: 0..255 does not fit into bfloat16, whatever the policy."""

    def __init__(self, **kwargs):
        fixed = {"dtype": "float32", "autocast": False, "trainable": False}
        super().__init__(**(kwargs | fixed))
        # XLA has no resize that antialiases.
        self.supports_jit = False


@_registered
class Resize(_Float32):
    """`steps_from_file.resized` as a layer.

    Args:
        size: as there, as are the others.
        aspect: whether to keep the shape.
        antialias: whether all pixels count.
        keep: the most that is computed.
    """

    def __init__(self, size, aspect=True, antialias=True, keep=None, **kwargs):
        super().__init__(**kwargs)
        self.size = steps_from_file.pair(size)
        self.aspect = aspect
        self.antialias = antialias
        self.keep = keep and steps_from_file.pair(keep)

    def call(self, inputs):
        """[batch, any height, any width, channels] to the same of the size."""
        return steps_from_file.resized(
            inputs, self.size, aspect=self.aspect, antialias=self.antialias, keep=self.keep
        )

    def compute_output_shape(self, input_shape):
        """Of sizes that are known, the size; else None."""
        batch, height, width, channels = input_shape
        if not self.aspect:
            return (batch, *self.size, channels)
        if None in (height, width):
            return (batch, None, None, channels)
        sides = steps_from_file.within(
            steps_from_file.covering(height, width, self.size), self.keep
        )
        return (batch, *sides, channels)

    def get_config(self):
        """Keras', and all arguments."""
        own = ("size", "aspect", "antialias", "keep")
        return super().get_config() | {name: getattr(self, name) for name in own}


@_registered
class Crop(_Float32):
    """`steps_from_file.cropped` as a layer.

    Args:
        size: as there.
    """

    def __init__(self, size, **kwargs):
        super().__init__(**kwargs)
        self.size = steps_from_file.pair(size)

    def call(self, inputs):
        """[batch, height, width, channels] to the same of the size."""
        return steps_from_file.cropped(inputs, self.size)

    def compute_output_shape(self, input_shape):
        """The size, whatever comes."""
        return (input_shape[0], *self.size, input_shape[-1])

    def get_config(self):
        """Keras', and the size."""
        return super().get_config() | {"size": self.size}


@_registered
class Luma(_Float32):
    """Red, green and blue to one channel of grey, as `images.LUMA` weighs them."""

    def call(self, inputs):
        """[batch, height, width, 3] to [batch, height, width, 1]."""
        return tf.tensordot(inputs, tf.constant(images.LUMA), 1)[..., None]

    def compute_output_shape(self, input_shape):
        """One channel."""
        return (*input_shape[:-1], 1)


@_registered
class Split(_Float32):
    """Channels to one picture each."""

    def call(self, inputs):
        """[batch, height, width, channels] to as many [batch, height, width, 1]."""
        return tf.split(inputs, inputs.shape[-1], axis=-1)

    def compute_output_shape(self, input_shape):
        """Of one channel each."""
        return [(*input_shape[:-1], 1)] * input_shape[-1]


@_registered
class SubtractPlane(_Float32):
    """Subtracts one channel of a mean image, which is its weight, then scales.

    Args:
        size: (height, width) of the image, and of all that comes.
        scale: multiplied afterwards.
    """

    def __init__(self, size, scale=1.0, **kwargs):
        super().__init__(**kwargs)
        self.size = steps_from_file.pair(size)
        self.scale = scale

    def build(self, input_shape):
        """Makes room for the image."""
        self.plane = self.add_weight(
            name="plane", shape=(*self.size, 1), initializer="zeros", trainable=False
        )

    def call(self, inputs):
        """[batch, height, width, 1] to the same."""
        return (inputs - self.plane) * self.scale

    def compute_output_shape(self, input_shape):
        """As it comes."""
        return input_shape

    def get_config(self):
        """Keras', and all arguments."""
        return super().get_config() | {"size": self.size, "scale": self.scale}
