"""The loss that a transform network is trained on: that of neural style, of several styles at once.

Terms, unit and weights are those of `tfvis.style.losses`, so that what a network reaches and what
an optimiser reaches in a picture are the same number.
"""

from collections.abc import Sequence

import numpy as np
import tensorflow as tf

from tfvis import images, priors
from tfvis.networks import differentiable
from tfvis.networks.network import Network
from tfvis.style import losses, targets, transfer
from tfvis.style.gram import Moments
from tfvis.style.settings import Transfer, resolved
from tfvis.style.targets import Goal, Target


class StyleLoss:
    """Pictures, what they are of, and the style of each, to energies.

    Args:
        network: that looks.
        styles: float32 [height, width, channels] each, 0..255, as large as strokes are to be.
        photographs: float32 [height, width, channels], 0..255, of one size: a style's energies
            are divided by theirs, so that 1 is a photograph not painted at all, and no style
            counts for more than another.
        settings: of the loss: recipe, layers, their weights, ratio, tv_weight; the precision of
            the network.

    Attributes:
        terms: names of the terms, unweighted, in the unit.
    """

    def __init__(
        self,
        network: Network,
        styles: Sequence[np.ndarray],
        photographs: Sequence[np.ndarray],
        settings: Transfer,
    ):
        settings = resolved(settings)
        network = transfer.prepared(network, settings)
        layers, precision = (settings.content_layers, settings.style_layers), settings.precision
        differentiable.check(network, tuple(dict.fromkeys(sum(layers, ()))), styles[0].shape[:2])
        differentiable.check_alive(network, settings.style_layers, [*styles])
        goals = [
            targets.goal(network, photographs[0], [style], *layers, precision=precision)
            for style in styles
        ]
        self._content = network.taps(settings.content_layers, precision)
        self._taps = network.taps(goals[0].layers, precision)
        self._moments = {
            layer: Moments(*(tf.concat(parts, 0) for parts in zip(
                *(goal.style[layer].moments for goal in goals), strict=True
            )))
            for layer in settings.style_layers
        }  # fmt: skip
        self._scales = losses.scales_of(network, goals[0], settings)
        self._smooth = settings.tv_weight
        weights = [losses.weighed(goal, settings, self._scales) for goal in goals]
        self._weights = {
            term: tf.constant([one[term] for one in weights], tf.float32) for term in weights[0]
        }
        if self._smooth:
            smooth = [losses.smoothness(goal, settings) for goal in goals]
            self._weights["tv"] = tf.constant(smooth, tf.float32)
        self.terms = tuple(self._weights)
        self._whole = tf.ones([len(styles)])
        self._whole = self._unpainted(photographs)

    def _unpainted(self, photographs) -> tf.Tensor:
        """Returns the mean energy of photographs as they are, of each style, float32 [styles]."""
        found = []
        run = tf.function(lambda x, which: self(x, x, which)[0], autograph=False)
        for style in range(len(self._whole)):
            energies = [run(tf.constant(p[None]), tf.constant([style])) for p in photographs]
            found.append(float(np.mean(energies)))
        return tf.constant(found, tf.float32)

    def weights(self, style: int) -> dict[str, float]:
        """Returns {term: weight} of one style, with which the terms make its energy."""
        whole = float(self._whole[style])
        return {term: float(weight[style]) / whole for term, weight in self._weights.items()}

    def features(self, contents: tf.Tensor) -> dict[str, tf.Tensor]:
        """Returns {layer: features} of what pictures are to be of."""
        return self._content(contents)

    def measured(self, pictures, features, which) -> dict[str, tf.Tensor]:
        """Returns {term: float32 [batch]}, unweighted.

        Args:
            pictures: float32 [batch, height, width, channels], 0..255.
            features: of what they are of.
            which: int32 [batch], the style of each.
        """
        style = {
            layer: Target(Moments(*(tf.gather(one, which) for one in moments)), None)
            for layer, moments in self._moments.items()
        }
        goal = Goal(features, style)
        terms = losses.terms(targets.sums(self._taps(pictures), goal), goal, self._scales)
        if self._smooth:
            terms["tv"] = priors.total_variation(pictures, 2.0)
        return terms

    def __call__(self, pictures, contents, which) -> tuple[tf.Tensor, dict[str, tf.Tensor]]:
        """Returns energies, float32 [batch], and the terms; arguments as of `measured`.

        Args:
            contents: what the pictures are of, shaped as they are.
        """
        terms = self.measured(pictures, self.features(contents), which)
        weights = {term: tf.gather(weight, which) for term, weight in self._weights.items()}
        energies = tf.add_n([weights[term] * value for term, value in terms.items()])
        return energies / tf.gather(self._whole, which), terms


def fitted(styles: Sequence[np.ndarray], size: int, channels: int) -> list[np.ndarray]:
    """Returns styles as large as their strokes are to be, as a file of 8 bits holds them.

    Args:
        styles: float32 [height, width, 3], 0..255.
        size: as many pixels as a square of this side has.
        channels: of the result, 3 or the network's.
    """
    levels = (images.quantize(images.of_area(style, size)) for style in styles)
    return [images.with_channels(one.astype(np.float32), channels) for one in levels]
