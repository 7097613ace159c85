"""What is optimised in place of "an image": its pixels, or its spectrum.

Its phases alone are in `phase_parameterization`. All give *centred* images, display space minus
the network's mid colour.
"""

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
import tensorflow as tf

from tfvis import priors

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


def boxed(start: np.ndarray, center: np.ndarray) -> Parameterization:
    """Returns the image itself, each of its colours in display space, 0..255.

    Args:
        start: centred, float32 [batch, height, width, channels].
        center: float32 [channels], the network's mid colour, display space.
    """

    def project(x):
        return tf.clip_by_value(x, -center, 255 - center)

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
    scale = tf.constant(natural_scale(height, width, decay), tf.float32)
    shape = [2, channels, *scale.shape]
    start = np.stack(
        [tf.random.stateless_normal(shape, [seed, -2], stddev=_SPREAD) for seed in seeds]
    )
    middle = tf.constant(center, tf.float32)

    def image(spectrum):
        waves = tf.complex(spectrum[:, 0] * scale, spectrum[:, 1] * scale)
        return displayed(tf.signal.irfft2d(waves, [height, width]) / _DIVISOR) - middle

    return Parameterization(start, image, _same)


def changes(
    pictures: np.ndarray, center: np.ndarray, finest: Sequence[float], color: float
) -> Parameterization:
    """Returns what is added to the spectra of pictures, of decorrelated colours; as `fourier`.

    It begins as nothing. A change finer than `finest` is held back by a filter (Butterworth's, of
    order 8), while what is as fine in the picture itself stays.

    Args:
        pictures: display space [batch, height, width, channels]; see `decorrelated`.
        center: float32 [channels], the network's mid colour, display space.
        finest: cycles per pixel, of each decorrelated colour, the first of which is brightness.
        color: what a step changes the others by, as a share of what it changes brightness by.
    """
    height, width, channels = np.shape(pictures)[1:]
    frequency = _frequency(height, width)
    passed = np.stack([1 / (1 + (frequency / most) ** 8) for most in finest[:channels]])
    passed[1:] *= color
    scale = tf.constant(natural_scale(height, width, 1.0) * passed / _DIVISOR, tf.float32)
    planes = tf.constant(decorrelated(pictures), tf.float32)
    middle = tf.constant(center, tf.float32)
    start = np.zeros([len(pictures), 2, channels, height, width // 2 + 1], np.float32)

    def image(spectrum):
        waves = tf.complex(spectrum[:, 0] * scale, spectrum[:, 1] * scale)
        return displayed(planes + tf.signal.irfft2d(waves, [height, width])) - middle

    return Parameterization(start, image, _same)


def displayed(planes: tf.Tensor) -> tf.Tensor:
    """Returns the display image of decorrelated colours, through a sigmoid.

    Args:
        planes: float32 [batch, channels, height, width], of any size; 0 is mid grey.

    Returns:
        float32 [batch, height, width, channels], 0..255.
    """
    if planes.shape[1] == 3:
        # Channel by channel: a product over a last axis of three is slow on a CPU.
        planes = tf.einsum("bchw,dc->bdhw", planes, tf.constant(priors.COLORS))
    return 255 * tf.sigmoid(tf.transpose(planes, [0, 2, 3, 1]))


def decorrelated(pictures: np.ndarray) -> np.ndarray:
    """Returns the decorrelated colours of pictures: the inverse of `displayed`.

    Args:
        pictures: display space [batch, height, width, channels]; what is nearer to black or
            white than one grey level, which the sigmoid reaches at infinity, counts as that.

    Returns:
        float64 [batch, channels, height, width].
    """
    shares = np.clip(np.asarray(pictures, np.float64), 1, 254) / 255
    logits = np.log(shares / (1 - shares))
    if logits.shape[-1] == 3:
        logits = logits @ np.linalg.inv(priors.COLORS.astype(np.float64)).T
    return logits.transpose(0, 3, 1, 2)


def natural_scale(height: int, width: int, decay: float) -> np.ndarray:
    """Returns the amplitudes 1 / frequency^decay, [height, width // 2 + 1]; see `fourier`."""
    slowest = 1 / max(width, height)
    return np.sqrt(width * height) / np.maximum(_frequency(height, width), slowest) ** decay


def _frequency(height: int, width: int) -> np.ndarray:
    """Returns the cycles per pixel of each wave, [height, width // 2 + 1]."""
    return np.hypot(np.fft.fftfreq(height)[:, None], np.fft.rfftfreq(width)[None])


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
