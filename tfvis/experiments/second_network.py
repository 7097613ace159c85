"""What another network calls a picture: whether it sees in a pre-image what it sees in the picture.

Model metamers (Feather et al., NeurIPS 2019; Nature Neuroscience 2023): what one network cannot
tell from the picture may be anything to another network, and to a person.
"""

import dataclasses
import math

import numpy as np
import tensorflow as tf

from tfvis import images
from tfvis.errors import InputError, Text, arg, marked
from tfvis.experiments import classifier_answers, networks
from tfvis.networks.network import Network
from tfvis.networks.preprocessing import published_recipes

# Characters of a class below a picture.
_LABEL = 16


@dataclasses.dataclass(frozen=True, eq=False)
class SecondNetwork:
    """A classifier that is asked about pictures; `opened` makes one."""

    network: Network
    classes: tuple[str, ...]

    @property
    def name(self) -> str:
        """Short, for sheets."""
        from tfvis.networks import registry

        return registry.label(self.network.name)

    def says(self, picture: np.ndarray) -> dict:
        """Returns {"class", "probability"} of what is likeliest.

        Args:
            picture: float32 [height, width, channels], display space. It is shown as the network
                learnt pictures: squeezed as a whole, or of what has another shape the middle.
        """
        network = self.network
        size = network.fixed_size or (network.side or 224,) * 2
        recipe = published_recipes.fitting(
            network.name, network.preprocessing, network.fixed_size, network.side
        )
        where = "center" if recipe.aspect else "none"
        shown = images.fitted(picture, *size, network.channels, where)
        taps = network.taps([network.logits])
        scores = taps(tf.constant(shown[None], tf.float32))[network.logits]
        found = network.probabilities(scores).numpy()[0]
        best = int(np.argmax(found))
        return {"class": self.classes[best], "probability": float(found[best])}


def opened(name: str | None) -> SecondNetwork | None:
    """Opens a classifier by its name, file or folder; None stays None.

    Raises:
        InputError: there is none of that name, or it names no classes by probabilities.
    """
    if name is None:
        return None
    try:
        wanted = networks.Wanted(network=name)
        network = networks.only(networks.networks(wanted, top=True), "name the one to ask")
        classifier_answers.check_probabilities(network, classifier_answers.percentages(network))
        if not classifier_answers.percentages(network):
            raise InputError(
                f"{arg('network')}={name}: nothing says that its numbers are probabilities of "
                "classes. Name a classifier that does, such as pacs_vgg16."
            )
    except InputError as error:
        said = marked(error).replace(arg("network"), arg("second_network"))
        raise InputError(Text(said)) from error
    return SecondNetwork(network, classifier_answers.class_names(network))


def compared(of_picture: dict, of_preimage: dict) -> str:
    """Returns in words what is said of a pre-image, beside what is said of its picture."""
    same = of_picture["class"] == of_preimage["class"]
    return said(of_preimage) + (", as the picture" if same else f", not {_short(of_picture)}")


def said(answer: dict) -> str:
    """Returns an answer in words."""
    return f"{_short(answer)} {math.floor(100 * answer['probability'])} %"


def _short(answer: dict) -> str:
    label = answer["class"]
    return label if len(label) <= _LABEL else label[: _LABEL - 3] + "..."
