"""What `sweep` measures: every cell by the same layers, so that cells compare."""

import dataclasses
import pathlib

import numpy as np
import tensorflow as tf

from tfvis import images, priors
from tfvis.experiments import style_runs
from tfvis.networks.network import Network
from tfvis.networks.padding import padded
from tfvis.style import color, losses, metrics, targets
from tfvis.style.transfer import Transfer


@dataclasses.dataclass(frozen=True)
class Ruler:
    """Where all cells of a grid are measured.

    Attributes:
        judge: the network that looks at all of them at one size; what different networks say
            of pictures does not compare.
        content: layers that some cell keeps the features of.
        style: layers that some cell takes the statistics of.
    """

    judge: Network
    content: tuple[str, ...]
    style: tuple[str, ...]

    def layers(self, network: Network) -> metrics.Layers:
        """Returns the layers of a network: its usual ones and those of the cells, by depth."""
        usual = metrics.layers_for(network)

        def joined(layers):
            return tuple(layer for layer in network.paths if layer in layers)

        return dataclasses.replace(
            usual,
            content=joined({*usual.content, *self.content}),
            style=joined({*usual.style, *self.style}),
        )

    def measure(self, piece: style_runs.Piece, paths: list[pathlib.Path]) -> list[dict]:
        """Returns of each picture of a piece, as its file has it:

        "unit": the energy's distances at the picture's own size, by the network that made
            it: "unit content LAYER", "unit style LAYER", their sums "unit content" and "unit
            style"; "tv", the total variation.
        "measures": of `metrics.measure` by the judge; "content" is the sum of contents.
        """
        layers = self.layers(piece.network)
        network = piece.network
        if piece.settings.recipe == "quality":  # Its borders are seen as the run saw them.
            network = padded(network, "replicate")
        scene, tile = piece.scene, piece.settings.tile
        goal = targets.goal(
            network,
            scene.content,
            scene.styles,
            layers.content,
            layers.style,
            style_weights=scene.weights,
            regions=scene.regions,
            guide=piece.settings.guide,
            shape=scene.size,
            tile=tile,
        )

        def sums(taps, window):
            return targets.sums(taps, goal, window)

        found = []
        for path in paths:
            pixels = images.read(path).pixels
            # The network saw no colours of a picture that got them afterwards.
            seen = color.luminance(pixels) if piece.about.get("color") == "luminance" else pixels
            seen = images.with_channels(seen, network.channels)
            terms = targets.measured(network, seen, sums, goal.layers, tile, "float32")
            unit = {f"unit {k}": float(v[0]) for k, v in losses.unit(terms, goal).items()}
            for kind in ("content", "style"):
                unit[f"unit {kind}"] = _sum(unit, f"unit {kind} ")
            unit["tv"] = float(priors.total_variation(tf.constant(seen[None]), 2.0)[0])
            found.append({"unit": unit, "measures": self._judged(piece, pixels)})
        return found

    def _judged(self, piece: style_runs.Piece, pixels: np.ndarray) -> dict[str, float]:
        content, *styles = (images.with_channels(p, 3) for p in (piece.judged[0], *piece.judged[1]))
        found = metrics.measure(
            self.judge,
            images.with_channels(pixels, 3),
            content,
            styles,
            style_weights=piece.scene.weights,
            layers=self.layers(self.judge),
        )
        return {"content": _sum(found, "content ")} | found


def ruler(cells: list[tuple[Network, Transfer]]) -> Ruler:
    """Returns the ruler of a grid: the first cell's network, the layers of all."""

    def layers(field):
        found = (layer for _, settings in cells for layer in getattr(settings, field))
        return tuple(dict.fromkeys(found))

    return Ruler(cells[0][0], layers("content_layers"), layers("style_layers"))


def _sum(numbers: dict[str, float], start: str) -> float:
    return sum(value for name, value in numbers.items() if name.startswith(start))
