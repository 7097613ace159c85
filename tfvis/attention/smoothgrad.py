"""SmoothGrad: saliency, averaged over noisy copies of the image.

Smilkov et al., "SmoothGrad: removing noise by adding noise" (2017).
"""

import functools

import numpy as np
import tensorflow as tf

from tfvis.attention import backward, explainer
from tfvis.attention.backward import Units
from tfvis.errors import InputError, arg
from tfvis.networks.network import Network

# Copies; Smilkov et al., section 3.2, see little change beyond.
SAMPLES = 50


def smoothgrad(
    network: Network,
    images: np.ndarray,
    class_or_unit: Units,
    layer: str = "logits",
    samples: int = SAMPLES,
    noise: float = 0.2,
    seed: int = 0,
    precision: str = "float32",
) -> np.ndarray:
    """Returns max over colours of |mean of dS/dx| over noisy copies (Smilkov et al. 2017).

    What is averaged is the signed gradient; its absolute value is taken afterwards. The
    noise is Gaussian of standard deviation `noise` * (max - min) of each image; an image
    meets the same draws in any batch. Copies are made and forgotten one by one.

    Args:
        network, images, class_or_unit, layer: as in `saliency`.
        samples: copies per image, at least 1.
        noise: 0 or more; the paper's 10 % to 20 %.
        seed: of the draws.
        precision: "float32" or "bfloat16", arithmetic of the network; the mean is in float32.

    Returns:
        float32 [n, height, width].

    Raises:
        InputError: as in `saliency`; no samples or negative noise.
    """
    if samples < 1:
        raise InputError(f"{arg('samples')}={samples}: expected 1 or more noisy copies.")
    if not noise >= 0:
        raise InputError(
            f"{arg('noise')}={noise}: expected a share of the image's range, 0 or more."
        )
    backward.check_scores(network, layer)
    images, units = backward.checked(network, layer, images, class_or_unit)
    mean = _smooth(network, layer, precision)
    count, seed = tf.constant(samples), tf.constant(seed)
    spreads = [tf.constant(noise) * (tf.reduce_max(i) - tf.reduce_min(i)) for i in images]
    found = [mean(*own, seed, count) for own in zip(images, units, spreads, strict=True)]
    return backward.over_colours(np.stack([one.numpy() for one in found]))


class SmoothGrad(explainer.OfScores):
    """Maps of SmoothGrad; see `explainer.Explainer`.

    Args:
        network: with a classifier.
        samples, noise, seed, precision: see `smoothgrad`.
    """

    def __init__(
        self,
        network: Network,
        samples: int = SAMPLES,
        noise: float = 0.2,
        seed: int = 0,
        precision: str = "float32",
    ):
        super().__init__(network)
        self._options = {"samples": samples, "noise": noise, "seed": seed, "precision": precision}

    def _maps(self, images: np.ndarray, classes: np.ndarray) -> np.ndarray:
        return smoothgrad(self.network, images, classes, self.network.logits, **self._options)


@functools.lru_cache(maxsize=16)
def _smooth(network: Network, layer: str, precision: str):
    """Returns (image, unit, spread, seed, count) -> the mean gradient, [height, width, c]."""
    taps = network.taps([layer], precision)

    @tf.function
    def mean(image, unit, spread, seed, count):
        total = tf.zeros_like(image)
        for sample in tf.range(count):
            draw = tf.random.stateless_normal(image.shape, tf.stack([seed, sample]))
            total += backward.gradient(taps, layer, image + spread * draw, unit, False)
        return total / tf.cast(count, tf.float32)

    return mean
