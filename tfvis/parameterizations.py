"""What is optimised in place of "an image": its pixels, or its spectrum.

Both give *centred* images, display space minus the network's mid colour.
"""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import tensorflow as tf

from tfvis import priors

# Square root of the correlation of colours in ImageNet photographs, RGB by component,
# scaled so that the longest column is 1 (Olah et al. 2017, "Feature Visualization", and
# lucid's optvis/param/color.py).
_COLORS = np.array([[0.26, 0.09, 0.02], [0.27, 0.0, -0.05], [0.27, -0.09, 0.03]])
_COLORS = (_COLORS / np.linalg.norm(_COLORS, axis=0).max()).astype(np.float32)
# Lucid's: the standard deviation of the first coefficients, and what divides the image
# before the sigmoid so that its slope is neither flat nor steep.
_SPREAD, _DIVISOR = 0.01, 4.0


class Parameterization(NamedTuple):
    """A way to write an image down.

    Attributes:
        start: float32 [batch, ...], the variable.
        image: variable -> centred image, float32 [batch, height, width, channels].
        project: variable -> variable, back into what is allowed.
    """

    start: np.ndarray
    image: Callable[[tf.Tensor], tf.Tensor]
    project: Callable[[tf.Tensor], tf.Tensor]


def pixels(start: np.ndarray, bound: float) -> Parameterization:
    """Returns the image itself, its colours no longer than `bound` (MV16 section 3.2).

    Args:
        start: centred, float32 [batch, height, width, channels].
        bound: B+, grey levels.
    """

    def project(x):
        return priors.project(x, bound)

    return Parameterization(start, _same, project)


def _same(x: tf.Tensor) -> tf.Tensor:
    return x


def fourier(
    seeds: tuple[int, ...],
    height: int,
    width: int,
    center: np.ndarray,
    decay: float = 1.0,
) -> Parameterization:
    """Returns the spectrum of decorrelated colours; a sigmoid keeps pixels in 0..255.

    A step in these coordinates moves all frequencies, and all colours, by what is
    natural for them: the same energy, another metric (Olah et al. 2017, section on
    preconditioning).

    Args:
        seeds: one per image.
        height, width: of one image.
        center: float32 [channels], the network's mid colour, display space.
        decay: d, amplitude over frequency^d; photographs have 1 (Field 1987).
    """
    channels = len(center)
    frequency = np.hypot(np.fft.fftfreq(height)[:, None], np.fft.rfftfreq(width)[None])
    scale = np.sqrt(width * height) / np.maximum(frequency, 1 / max(width, height)) ** decay
    scale = tf.constant(scale, tf.float32)
    start = np.stack(
        [
            tf.random.stateless_normal([2, channels, *scale.shape], [seed, -2], stddev=_SPREAD)
            for seed in seeds
        ]
    )
    middle = tf.constant(center, tf.float32)

    def image(spectrum):
        waves = tf.complex(spectrum[:, 0] * scale, spectrum[:, 1] * scale)
        planes = tf.signal.irfft2d(waves, [height, width]) / _DIVISOR
        if channels == 3:
            # Channel by channel: a product over a last axis of three is slow on a CPU.
            mixed = tf.einsum("bchw,dc->bdhw", planes, tf.constant(_COLORS))
        else:
            mixed = planes
        return 255 * tf.sigmoid(tf.transpose(mixed, [0, 2, 3, 1])) - middle

    return Parameterization(start, image, _same)


def natural_noise(
    seeds: tuple[int, ...], height: int, width: int, channels: int, color: float
) -> np.ndarray:
    """Returns the starting noise of MV16's code: uniform, as bright as photographs are.

    Each sample of U(-1, 1) is divided by its own 0.95 quantile and multiplied by
    B / sqrt(3).

    Args:
        seeds: one per image; the same seed gives the same image in any batch.
        height, width, channels: of one image.
        color: B, grey levels.

    Returns:
        float32 [len(seeds), height, width, channels], centred on 0.
    """
    images = []
    for seed in seeds:
        sample = tf.random.stateless_uniform(
            [height, width, channels], [seed, -1], minval=-1, maxval=1
        ).numpy()
        images.append(sample * np.float32(color / np.sqrt(3) / np.quantile(sample, 0.95)))
    return np.stack(images)
