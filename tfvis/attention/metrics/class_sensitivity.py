"""Class sensitivity: is the map of another class another map?

What makes the same map for every class explains no decision for one of them. Nie et al. 2018
("A Theoretical Explanation for Perplexing Behaviors of Backpropagation-based Visualizations")
saw it of deconvnet and guided backpropagation, and Sixt et al. 2020 proved why: they ignore the
parameters of later layers. VisualBackProp has no class in its formula, so it fails by
construction.
"""

import numpy as np

from tfvis.attention.explainer import Explainer
from tfvis.attention.metrics.similarity import Similarity, similarity
from tfvis.errors import InputError


def between_classes(
    explain: Explainer,
    image: np.ndarray,
    number: int,
    other: int,
    own: np.ndarray | None = None,
) -> Similarity:
    """Returns how alike the maps of two classes are; 1 is what knows no class.

    Args:
        explain: of a network.
        image: [height, width, channels], 0..255.
        number: the class that the picture has.
        other: another; the network's least likely is the usual one.
        own: the map of `number`, where it is known already.

    Raises:
        InputError: the same class twice; a map that is the same everywhere.
    """
    if number == other:
        raise InputError(f"Expected two classes. Received: {number} twice.")
    first = explain(image[None], [number])[0] if own is None else own
    return similarity(np.asarray(first), np.asarray(explain(image[None], [other])[0]))
