"""Saliency: how a class score changes with each pixel.

Simonyan et al., "Deep Inside Convolutional Networks" (2014), section 3.
"""

import numpy as np

from tfvis.attention import backward, deconvnet, explainer
from tfvis.attention.backward import Units
from tfvis.networks.network import Network


def gradients(
    network: Network, images: np.ndarray, unit: Units, layer: str = "logits"
) -> np.ndarray:
    """Returns dS/dx, signed, float32 [n, height, width, c]; arguments as `saliency`."""
    return deconvnet.project(network, layer, images, unit, policy="gradient")


def saliency(
    network: Network, images: np.ndarray, class_or_unit: Units, layer: str = "logits"
) -> np.ndarray:
    """Returns max over colours of |dS/dx| (Simonyan et al. 2014, section 3).

    S is a score before any softmax: the score after it would also rise by lowering others.

    Args:
        network: any.
        images: float32 [n, height, width, c], display space.
        class_or_unit: a class, or (channel, row, column) in a map; or one per image.
        layer: a path, or "logits".

    Returns:
        float32 [n, height, width], 0 or more; score per grey level.

    Raises:
        InputError: no classifier, a softmax, or a unit that does not exist.
    """
    return backward.over_colours(gradients(network, images, class_or_unit, layer))


class Saliency(explainer.OfScores):
    """Maps of saliency; see `explainer.Explainer`."""

    def _maps(self, images: np.ndarray, classes: np.ndarray) -> np.ndarray:
        return saliency(self.network, images, classes, self.network.logits)
