"""Class-seeded VisualBackProp: as fine as VisualBackProp, and of a class.

VisualBackProp begins with the average of the deepest map, in which no class has a part. Here it
begins with what speaks for one class there, and goes down as before. Two things had to change
for the result to be of the class; docs/measurements.md has the numbers:

- the seed is the map weighted by the class (Grad-CAM's weights; of networks that end in a mean
  and one layer, CAM's, Zhou et al. 2016), times its margin over the strongest other class at the
  place, both where positive: the weighted map alone is positive on other classes' things, too.
- on the way down a unit shares what it has among the places it sees, in proportion to their
  averages (`VisualBackProp.spread`). A product of all averages, as VisualBackProp takes, would
  be won by whichever thing in the picture has the strongest edges.
"""

import numpy as np
import tensorflow as tf

from tfvis.attention import explainer
from tfvis.attention.grad_cam import GradCam
from tfvis.attention.multiplied_maps import maps
from tfvis.attention.visual_backprop import Attention, VisualBackProp
from tfvis.networks.network import Network

# The other classes that count, the likeliest of the picture: with the class itself the five
# that ImageNet's networks are judged by. Each costs a pass through what follows the deepest map.
_RIVALS = 4

# As `visual_backprop.ROOT`; sums that are shared span half as many orders as a product.
ROOT = 0.5


class ClassVisualBackProp(explainer.OfScores):
    """Maps of classes; see `explainer.Explainer`.

    Args:
        network: convolutional, with a classifier.
        precision: "float32" or "bfloat16", arithmetic of the network.

    Raises:
        InputError: as `GradCam` and `VisualBackProp`.
    """

    def __init__(self, network: Network, precision: str = "float32"):
        super().__init__(network)
        self._cam = GradCam(network, precision=precision)
        known = maps(network)
        layers = known[: known.index(network.path(self._cam.layer)) + 1]
        extra = (network.logits, self._cam.layer)
        self._backprop = VisualBackProp(network, layers, extra=extra, precision=precision)

    def dotted(self, size: tuple[int, int]) -> bool:
        """See `explainer.Evened`."""
        return self._backprop.dotted(size)

    def evened(self, images, target: explainer.Target = None) -> tf.Tensor:
        """See `explainer.Evened`."""
        return self._of(*self._asked(images, target), shown=True)

    def _maps(self, images: np.ndarray, classes: np.ndarray) -> np.ndarray:
        return self._of(images, classes, shown=False).numpy()

    def _of(self, images: np.ndarray, classes: np.ndarray, shown: bool) -> tf.Tensor:
        seen = self._backprop.attend(images)
        return of_pass(self._backprop, self._cam, seen, classes, images.shape[1:3], shown)


def of_pass(
    backprop: VisualBackProp,
    cam: GradCam,
    seen: Attention,
    classes: np.ndarray,
    size,
    shown: bool = False,
) -> tf.Tensor:
    """Returns the maps of classes from one forward pass of `VisualBackProp`.

    Args:
        backprop: its layers hold that of `cam`, its extra ones that and the logits.
        cam: of the same network.
        seen: by `backprop`.
        classes: int [batch].
        size: (height, width) of the images.
        shown: without a grid of dots, as `Attention.shown`.

    Returns:
        float32 [batch, height, width], 0 or more, of the images' size; their sums are those of
        the seed, as Grad-CAM's are not normalised.

    Raises:
        InputError: as `GradCam.of_map`.
    """
    deep, scores = seen.taps[cam.layer], seen.taps[backprop.network.logits]
    seeds = [
        _seed(cam, one[None], own.numpy(), int(number), size)
        for one, own, number in zip(deep, scores, classes, strict=True)
    ]
    path = backprop.network.path(cam.layer)
    return backprop.spread(tf.stack(seeds), path, seen.averages, size, shown)


def _seed(cam: GradCam, deep: tf.Tensor, scores: np.ndarray, number: int, size) -> tf.Tensor:
    """Returns a class's evidence times its margin over all others, float32 [h, w]."""
    order = [k for k in np.argsort(-scores, kind="stable") if k != number]
    asked = [number, *order[:_RIVALS]]
    own, *others = cam.evidence(tf.repeat(deep, len(asked), 0), asked, size)
    strongest = tf.reduce_max(others, 0) if others else 0.0
    return tf.nn.relu(own) * tf.nn.relu(own - strongest)
