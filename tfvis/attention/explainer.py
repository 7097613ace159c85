"""The one protocol of what says where a network looks: `Explainer(network)(images, target)`."""

from collections.abc import Sequence
from typing import Protocol, runtime_checkable

import numpy as np
import tensorflow as tf

from tfvis import image_arguments
from tfvis.errors import InputError, arg, marked
from tfvis.networks.network import Network
from tfvis.objectives import parsing

# A class by its name or number, one for all images or one each; None is the likeliest of each.
Target = str | int | Sequence[str | int] | None


class Explainer(Protocol):
    """Made of a network, it is called with images and returns maps of their size."""

    def __call__(self, images, target: Target = None) -> tf.Tensor:
        """Returns the maps, float32 [batch, height, width], 0 or more.

        Args:
            images: [height, width, 3] or a batch of them, 0..255.
            target: a class by its name or number, one for all images or one each; None is the
                class that the network finds likeliest in each. What knows no class, as
                VisualBackProp, leaves it out of account.

        Raises:
            InputError: not such images, or a class the network does not have.
        """


@runtime_checkable
class Evened(Explainer, Protocol):
    """An explainer whose maps of some networks have a grid of dots, by its definition."""

    def dotted(self, size: tuple[int, int]) -> bool:
        """Returns whether the maps of images of (height, width) have one."""

    def evened(self, images, target: Target = None) -> tf.Tensor:
        """Returns the maps without it, for the eye; see `Explainer`."""


def shown(explain: Explainer, maps: tf.Tensor, images, target: Target = None) -> tf.Tensor:
    """Returns maps as they are to be looked at; what is measured is of the maps themselves.

    Args:
        explain: the explainer.
        maps: float32 [batch, height, width], which it has made of images and target.
        images: see `Explainer`.
        target: see there.
    """
    if not isinstance(explain, Evened) or not explain.dotted(tuple(maps.shape[1:3])):
        return maps
    return explain.evened(images, target)


class OfScores:
    """An explainer that goes back from the scores of classes.

    Args:
        network: with a classifier.

    Raises:
        InputError: it has none.
    """

    def __init__(self, network: Network):
        if not network.logits:
            why = f" ({marked(network.no_classifier)})" if network.no_classifier else ""
            raise InputError(
                f"{arg('network')}={network.name}: {type(self).__name__} is of a class, and it has "
                f"no classifier{why}. Use a checkpoint, or build it with top=True."
            )
        self.network = network

    def __call__(self, images, target: Target = None) -> tf.Tensor:
        """See `Explainer`."""
        return tf.constant(self._maps(*self._asked(images, target)))

    def _asked(self, images, target: Target) -> tuple[np.ndarray, np.ndarray]:
        """Returns a batch of images, and the number of the class that is asked about in each."""
        images = image_arguments.batch(images, self.network.channels)
        return images, classes(self.network, images, target)

    def _maps(self, images: np.ndarray, classes: np.ndarray) -> np.ndarray:
        raise NotImplementedError

    def __repr__(self) -> str:
        return f"<{type(self).__name__} of {self.network.name}>"


def classes(network: Network, images: np.ndarray, target: Target) -> np.ndarray:
    """Returns the number of the class that is asked about in each image, int [batch].

    Args:
        network: with a classifier.
        images: float32 [batch, height, width, channels], display space.
        target: see `Explainer`.

    Raises:
        InputError: a class the network does not have, or not one for each image.
    """
    if target is None:
        scores = network.taps([network.logits])(tf.constant(images, tf.float32))[network.logits]
        return np.argmax(scores.numpy(), -1)
    alone = isinstance(target, str) or np.ndim(target) == 0
    words = [target] * len(images) if alone else list(target)
    if len(words) != len(images):
        raise InputError(
            f"{arg('target')}={target}: expected a class, or one for each of {len(images)} images."
        )
    return np.array([_number(network, word) for word in words])


def _number(network: Network, word: str | int) -> int:
    if isinstance(word, str) and word in network.classes:
        return network.classes.index(word)
    return parsing.one_class(str(word), network, "target").channel
