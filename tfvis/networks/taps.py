"""Taps: a network as a function from images to what some of its layers put out."""

import functools
import typing

import tensorflow as tf

from tfvis.errors import InputError
from tfvis.networks import fast_execution

if typing.TYPE_CHECKING:
    from tfvis.networks.network import Network

# Pixels beyond which an image keeps all cores busy by itself.
_FILLS_A_CPU = 96 * 96


class Taps:
    """A compiled-in view of a network: display images to {layer: output}.

    Convolutions are held as constants (`fast_execution.plan`): weights changed afterwards are not
    seen; wrap the model again.
    """

    def __init__(self, network: "Network", layers, precision: str, packed: bool):
        self.layers = layers
        self.network = network
        self._on_cpu = not tf.config.list_physical_devices("GPU")
        paths = {layer: network.path(layer) for layer in layers}
        # A deconvnet goes back through windows of zeros, where a maximum is every place's.
        ties = ("rectifiers", "deconvnet") in network.variant
        self.model = fast_execution.plan(
            network.graph.truncated(sorted(set(paths.values()))),
            paths,
            precision,
            packed,
            ties,
            network.constants,
        )

    def __repr__(self) -> str:
        named = self.layers[0] if len(self.layers) == 1 else f"{len(self.layers)} layers"
        return f"<Taps of {self.network.name}: {named}>"

    def __call__(self, images: tf.Tensor) -> dict[str, tf.Tensor]:
        """Runs the network up to the deepest layer asked for.

        Args:
            images: float32 [batch, height, width, channels], display space. A model
                of fixed size is given an antialiased bilinear resize of them.

        Returns:
            {layer: float32 [batch, ...]}.
        """
        batch, height, width, _ = images.shape
        # On a CPU one large image fills all cores. A batch taken image by image costs the
        # same, and its convolutions round as they do for an image alone.
        large = None not in (height, width) and height * width > _FILLS_A_CPU
        if self._on_cpu and large and batch and batch > 1:
            parts = [self._run(one[None]) for one in tf.unstack(images)]
            return {layer: tf.concat([p[layer] for p in parts], 0) for layer in self.layers}
        return self._run(images)

    def _run(self, images: tf.Tensor) -> dict[str, tf.Tensor]:
        network = self.network
        x = network.preprocessing(images, network.channels)
        if network.fixed_size and tuple(x.shape[1:3]) != network.fixed_size:
            x = tf.image.resize(x, network.fixed_size, antialias=True)
        outputs = self.model(x, training=False)
        for layer, y in outputs.items():
            self._check(layer, y.shape)
        return {layer: tf.cast(y, tf.float32) for layer, y in outputs.items()}

    def _check(self, layer: str, shape: tf.TensorShape) -> None:
        """Raises InputError where a layer does not do what the graph was laid out for."""
        expected = self.network.graph.tensors[self.network.path(layer)].shape
        # A batch may be fixed in a model, and is not here.
        if not shape[1:].is_compatible_with(expected[1:]):
            made, said = ("x".join(map(str, sides[1:])) for sides in (shape, expected))
            raise InputError(
                f"{layer} of {self.network.name} makes {made} of a picture where the model says "
                f"{said}: a layer before it, such as RandomCrop, does one thing in training and "
                "another when asked. Save the model without it."
            )


@functools.lru_cache(maxsize=16)
def of(network: "Network", layers, precision: str, packed: bool) -> Taps:
    """Returns one Taps per question, so that asking twice costs one rewiring."""
    return Taps(network, layers, precision, packed)
