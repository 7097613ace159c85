"""What both VisualBackProp and Grad-CAM mark: fine as the one, of a class as the other."""

import numpy as np
import tensorflow as tf

from tfvis.attention import explainer
from tfvis.attention.grad_cam import GradCam
from tfvis.attention.visual_backprop import VisualBackProp
from tfvis.networks.network import Network


class Product(explainer.OfScores):
    """Maps of the product; see `explainer.Explainer`.

    Args:
        network: convolutional, with a classifier.
        precision: "float32" or "bfloat16", arithmetic of the network.

    Raises:
        InputError: as `GradCam` and `VisualBackProp`.
    """

    def __init__(self, network: Network, precision: str = "float32"):
        super().__init__(network)
        self._cam = GradCam(network, precision=precision)
        self._backprop = VisualBackProp(network, precision=precision)

    def dotted(self, size: tuple[int, int]) -> bool:
        """See `explainer.Evened`."""
        return self._backprop.dotted(size)

    def evened(self, images, target: explainer.Target = None) -> tf.Tensor:
        """See `explainer.Evened`."""
        images, classes = self._asked(images, target)
        return tf.constant(self._of(self._backprop.evened(images), images, classes))

    def _maps(self, images: np.ndarray, classes: np.ndarray) -> np.ndarray:
        return self._of(self._backprop(images), images, classes)

    def _of(self, masks: tf.Tensor, images: np.ndarray, classes: np.ndarray) -> np.ndarray:
        cams = self._cam(images, classes).numpy()
        return np.stack([product(*pair) for pair in zip(masks.numpy(), cams, strict=True)])


def product(mask: np.ndarray, cam: np.ndarray) -> np.ndarray:
    """Returns what both a mask and a class map mark, stretched to 0..1.

    VisualBackProp is as fine as the picture and knows no class, Grad-CAM knows the class and
    is as coarse as the last map: as Guided Grad-CAM (Selvaraju et al. 2017, section 3.2),
    with VisualBackProp in guided backpropagation's place.
    """
    both = mask * cam
    return both / both.max() if both.any() else both
