"""One classifier of several: the mean of the weights of trainings that began alike.

Trainings that begin with the same network end in one valley of the loss, and the mean of their
weights is about as good as the mean of their answers, at the price of one network (Wortsman et al.,
"Model soups", ICML 2022).
"""

import dataclasses
import operator
from collections.abc import Sequence

import numpy as np

from tfvis.classifiers import backbone, learnt_pictures
from tfvis.classifiers.checkpoints import Classifier
from tfvis.errors import InputError, arg

_ALIKE = {
    "another network": lambda found: found.parts.network.architecture,
    "another cut": lambda found: (found.parts.cut, found.parts.last),
    "other frozen weights": lambda found: found.parts.trunk_fingerprint(),
    "other classes": operator.attrgetter("classes"),
    "another size of pictures": operator.attrgetter("size"),
}


def averaged(found: Sequence[Classifier], argument: str = "init") -> Classifier:
    """Returns the classifier whose weights are the means of those of several.

    Heads are averaged as they are kept, each with its own temperature.

    Args:
        found: trained from the same network; the first one's layers are given the means.
        argument: that named them, for messages.

    Returns:
        As the first; it tells of the pictures that any of them has learnt from.

    Raises:
        InputError: one of them has another network, cut, classes or size than the first.
    """
    first, *others = found
    if not others:
        return first
    for what, of in _ALIKE.items():
        expected = of(first)
        for other in others:
            if of(other) != expected:
                raise InputError(
                    f"{arg(argument)}: {other.name} has {what} than {first.name}; weights are "
                    "averaged of trainings that began with the same network, for the same classes."
                )
    # Not the frozen layers, whose means might differ from them by rounding.
    learnt = [
        (*one.parts.tail().layers, one.network.graph.layers[backbone.CLASSES]) for one in found
    ]
    for alike in zip(*learnt, strict=True):
        weights = zip(*(layer.get_weights() for layer in alike), strict=True)
        alike[0].set_weights([np.mean(arrays, 0, np.float64) for arrays in weights])
    told = [learnt_pictures.told(one.about) for one in found]
    about = first.about | {
        "learnt_from": sorted({digest for digests, _ in told for digest in digests}),
        "learnt_from_complete": all(complete for _, complete in told),
    }
    name = ", ".join(one.name for one in found)
    return dataclasses.replace(first, name=name, about=about)
