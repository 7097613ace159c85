"""A picture in the style of others within seconds: small, in few evaluations, traced once for all.

What `transfer` makes small, of pictures of which colours, large shapes and strokes are all that is
told. `transfer` traces its step for each picture, which takes longer than a sketch may.
"""

import dataclasses
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
import tensorflow as tf

from tfvis import images, priors
from tfvis.errors import InputError
from tfvis.networks.network import Network
from tfvis.optimize import lbfgs
from tfvis.settings import given
from tfvis.style import color, losses, targets, transfer
from tfvis.style.gram import Moments
from tfvis.style.targets import Goal, Target
from tfvis.style.transfer import Scene, Transfer

# (side of a square of as many pixels, evaluations) of each scale. With a start in the colours of
# the style this ended at 0.31 of the distance from it of 24 evaluations at 128 px, the same work
# (Tuebingen as The Scream, at 256 px); with the content's own colours at 0.45.
SCALES = ((96, 16), (192, 7))
SIDE, TOTAL = SCALES[-1][0], sum(evaluations for _, evaluations in SCALES)
# A picture on its way is yielded so often. So few evaluations make few pairs worth remembering.
_EACH, _HISTORY = 8, 10


class _Asked(NamedTuple):
    """What a picture is asked to match, all of it tensors: that of the next has the same trace."""

    content: dict[str, tf.Tensor]
    style: dict[str, Moments]
    weights: dict[str, tf.Tensor]


class Sketcher:
    """A network that sketches; its making traces, which takes a second or two.

    Args:
        network: as `transfer.iterate` takes it.
        settings: as `transfer.resolved` returns them; `tile`, `evaluations`, `init`, `history` and
            the optimiser do not count.
    """

    def __init__(self, network: Network, settings: Transfer):
        self._network, self._settings = transfer.prepared(network, settings), settings
        layers = tuple(dict.fromkeys([*settings.content_layers, *settings.style_layers]))
        self._taps = self._network.taps(layers, settings.precision)
        grey = np.full((48, 64, network.channels), 128, np.float32)
        asked = self._asked(Scene(grey, (grey,)), settings.ratio)
        features = {
            layer: tf.TensorSpec([1, None, None, one.shape[-1]])
            for layer, one in asked.content.items()
        }
        self._gradient = tf.function(self._differentiated, autograph=False).get_concrete_function(
            tf.TensorSpec([1, None, None, network.channels]), asked._replace(content=features)
        )

    def __repr__(self) -> str:
        return f"<Sketcher of {self._network.name}>"

    def sketch(self, scene: Scene, ratio: float) -> Iterator[tuple[int, np.ndarray]]:
        """Sketches, coarse to fine.

        Args:
            scene: with a content, without regions; of any size.
            ratio: of style to content, see `Transfer`.

        Yields:
            (evaluations done of `TOTAL`, float32 [height, width, channels], 0..255); the last one
            is the result, of about `SIDE`^2 pixels.

        Raises:
            InputError: a layer has no map of so small a picture; there is no finite energy.
        """
        before, picture = 0, None
        for side, evaluations in SCALES:
            own = _at(scene, side)
            start = (
                _colored(own) if picture is None
                else transfer.enlarged(picture, own.content, own.size)
            )  # fmt: skip
            for done, picture in self._scale(start, own, ratio, evaluations):
                yield before + done, picture
            before += evaluations

    def _scale(self, start, scene: Scene, ratio: float, evaluations: int):
        """Yields (evaluations, picture) of one scale."""
        asked = self._asked(scene, ratio)
        rule = lbfgs.lbfgs(0.0, 255.0, _HISTORY)
        x, rate = tf.constant(start[None], tf.float32), given(self._settings.rate)
        slots = rule.init(x)
        for step in range(1, evaluations + 1):
            energy, gradient = self._gradient(x, asked)
            x, slots = rule.apply(x, energy, gradient, slots, tf.constant(rate), step)
            if not np.isfinite(np.sum(x)):
                raise InputError("The optimiser lost its way. Choose less strength.")
            if step % _EACH == 0 or step == evaluations:
                yield step, rule.result(x, slots).numpy()[0]

    def _asked(self, scene: Scene, ratio: float) -> _Asked:
        settings = self._settings
        goal = targets.goal(
            self._network,
            scene.content,
            scene.styles,
            settings.content_layers,
            settings.style_layers,
            style_weights=scene.weights,
            precision=settings.precision,
        )
        scales = losses.scales_of(self._network, goal, settings)
        weights = losses.weighed(goal, dataclasses.replace(settings, ratio=ratio), scales)
        weights["tv"] = losses.smoothness(goal, settings)
        return _Asked(
            goal.content,
            {layer: target.moments for layer, target in goal.style.items()},
            {term: tf.constant(weight, tf.float32) for term, weight in weights.items()},
        )

    def _differentiated(self, canvas: tf.Tensor, asked: _Asked) -> tuple[tf.Tensor, tf.Tensor]:
        """Returns the energy, float32 [1], and its gradient."""
        style = {layer: Target(one, None) for layer, one in asked.style.items()}
        goal = Goal(asked.content, style)
        scales = losses.scales_of(self._network, goal, self._settings)
        with tf.GradientTape() as tape:
            tape.watch(canvas)
            found = losses.terms(targets.sums(self._taps(canvas), goal), goal, scales)
            found["tv"] = priors.total_variation(canvas, 2.0)
            energy = tf.add_n([asked.weights[term] * value for term, value in found.items()])
        return energy, tape.gradient(energy, canvas)


def _at(scene: Scene, side: int) -> Scene:
    """Returns the scene with a picture of about side^2 pixels, its styles in proportion."""
    factor = side / np.prod(scene.size) ** 0.5
    styles = tuple(
        images.of_area(style, max(round(factor * np.prod(style.shape[:2]) ** 0.5), 32))
        for style in scene.styles
    )
    content = images.of_area(given(scene.content), side)
    return dataclasses.replace(scene, content=content, styles=styles)


def _colored(scene: Scene) -> np.ndarray:
    """Returns the content in the colours of the styles: what takes most evaluations to change."""
    content = given(scene.content)
    if content.shape[-1] != 3:
        return content
    each = [color.match(content, style) for style in scene.styles]
    return np.average(each, 0, scene.weights or None).astype(np.float32)
