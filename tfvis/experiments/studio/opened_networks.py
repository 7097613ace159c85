"""Networks of a studio, each opened when it is first needed, and kept."""

import threading
from collections.abc import Callable
from typing import Any

from tfvis.experiments import attention_models, devices, networks
from tfvis.experiments.studio import optimizer_painting, wishes
from tfvis.networks.network import Network
from tfvis.style import sketches


class Networks:
    """The networks that paint and are looked into.

    Args:
        network: of styles, layers and units, as `networks.Wanted` names it.
        checkpoint: a classifier, whose eyes are shown.
    """

    def __init__(self, network: str = "vgg16", checkpoint: str = "pacs_none_vgg16"):
        self.network, self.checkpoint = network, checkpoint
        self._opened: dict[str, Any] = {}
        self._lock = threading.Lock()

    def style(self) -> Network:
        """Returns the network of styles: with average poolings, as Gatys et al. 2016 have it."""
        return self._once("style", lambda: self._built("avg"))

    def sketcher(self) -> sketches.Sketcher:
        """Returns what sketches with the network of styles, traced."""
        network = self.style()
        settings = optimizer_painting.settings_of(wishes.Wish(), network)
        return self._once("sketcher", lambda: sketches.Sketcher(network, settings))

    def plain(self) -> Network:
        """Returns the network as it was published, whose layers are inverted."""
        return self._once("plain", lambda: self._built("max"))

    def eyes(self) -> attention_models.AttentionModel:
        """Returns the classifier, and the ways it is asked where it looks."""
        wanted = networks.Wanted(network=self.checkpoint)
        return self._once(
            "eyes", lambda: attention_models.of_wanted(wanted, devices.precision("auto"), True)
        )

    def _built(self, pooling: str) -> Network:
        wanted = networks.Wanted(network=self.network, pooling=pooling)
        return networks.only(wanted, "name the one to look into")

    def _once(self, word: str, make: Callable[[], Any]) -> Any:
        with self._lock:
            if word not in self._opened:
                self._opened[word] = make()
            return self._opened[word]
