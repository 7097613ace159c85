"""An image by the phases of its waves alone, whose magnitudes stay those of photographs.

MACO of Fel et al. 2023, "Unlocking Feature Visualization for Deeper Networks with MAgnitude
Constrained Optimization". No frequency can grow louder than it is in nature, so that the grain
that other parameterizations hold down by a regulariser cannot arise.
"""

from collections.abc import Iterable

import numpy as np
import tensorflow as tf

from tfvis import images, parameterizations
from tfvis.parameterizations import Parameterization

# Standard deviation of decorrelated colours at which a picture deviates by 61 grey levels from its
# mean, as photographs do (docs/measurements.md). At 1, the authors', it is 35, and grey.
SPREAD = 2.1


def phase(
    seeds: tuple[int, ...], center: np.ndarray, magnitude: np.ndarray, width: int
) -> Parameterization:
    """Returns the phases, radians, of waves of decorrelated colours.

    They begin anywhere on the circle and are free, as in the paper's equation 3; the authors'
    code begins with a normal distribution and divides the phases by their standard deviation at
    every step, which slows them down as they grow, and keeps the picture's mean grey, as here.

    Args:
        seeds: one per image.
        center: float32 [channels], the network's mid colour, display space.
        magnitude: of the waves, [channels, height, width // 2 + 1]; see `natural_magnitude` and
            `mean_magnitude`.
        width: of one image.
    """
    height = magnitude.shape[1]
    amplitude, middle = tf.constant(magnitude, tf.float32), tf.constant(center, tf.float32)
    start = np.stack(
        [tf.random.stateless_uniform(magnitude.shape, [seed, -3], -np.pi, np.pi) for seed in seeds]
    )
    # Waves that stand for themselves and their mirror image: of a real image, the phases of the
    # two are opposite, and of others the inverse transform takes the mean, a smaller magnitude.
    own = _own(width)

    def image(phases):
        mirrored = tf.roll(tf.reverse(phases, [2]), 1, 2)
        phases = tf.where(own, (phases - mirrored) / 2, phases)
        waves = tf.complex(amplitude * tf.cos(phases), amplitude * tf.sin(phases))
        return parameterizations.displayed(tf.signal.irfft2d(waves, [height, width])) - middle

    return Parameterization(start, image, lambda phases: phases)


def _own(width: int) -> np.ndarray:
    """Tells which columns of a spectrum hold their mirror images too, bool [width // 2 + 1]."""
    own = np.zeros(width // 2 + 1, bool)
    own[[0, -1] if width % 2 == 0 else [0]] = True
    return own


def natural_magnitude(channels: int, height: int, width: int, spread: float = SPREAD) -> np.ndarray:
    """Returns magnitudes over frequency as photographs have them in the mean, 1 / f.

    Of decorrelated colours, each of which ImageNet's photographs have as much of as of the others
    (`parameterizations.displayed`). The mean is mid grey.

    Args:
        channels, height, width: of an image.
        spread: standard deviation of the colours together.

    Returns:
        float32 [channels, height, width // 2 + 1]. Field 1987; Tolhurst et al. 1992.
    """
    magnitude = parameterizations.natural_scale(height, width, 1.0)
    magnitude[0, 0] = 0
    return _scaled(np.repeat(magnitude[None], channels, 0), width, spread)


def _scaled(magnitude: np.ndarray, width: int, spread: float) -> np.ndarray:
    """Returns magnitudes of waves scaled so that colours have variance spread^2, float32."""
    # Parseval; waves between the first and the last column stand for their mirror image as well.
    twice = np.where(_own(width), 1.0, 2.0)
    variance = np.sum(twice * np.square(magnitude)) / (magnitude.shape[1] * width) ** 2
    variance /= len(magnitude)
    # Of pictures of one colour there are no waves.
    return (magnitude * spread / np.sqrt(variance or 1.0)).astype(np.float32)


def mean_magnitude(pictures: Iterable[np.ndarray], height: int, width: int) -> np.ndarray:
    """Returns the mean magnitudes of pictures, of decorrelated colours; the mean is mid grey.

    They are as strong together as those of `natural_magnitude`, whatever the pictures': what is
    black or white in a picture has colours without bound here, which would leave no other.
    A window (von Hann's, of the same energy) spares the picture the cross that left and right,
    top and bottom borders, which do not meet, leave in a spectrum.

    Args:
        pictures: display space [height, width, channels] each, resized to what is asked for; at
            least one.
        height, width: of the image.

    Returns:
        float32 [channels, height, width // 2 + 1].
    """
    window = np.outer(np.hanning(height + 2)[1:-1], np.hanning(width + 2)[1:-1])
    window /= np.sqrt(np.mean(np.square(window)))
    total, count = 0.0, 0
    for picture in pictures:
        (planes,) = parameterizations.decorrelated(images.resize(picture, height, width)[None])
        planes -= planes.mean((1, 2), keepdims=True)
        total, count = total + np.abs(np.fft.rfft2(window * planes)), count + 1
    magnitude = np.asarray(total) / count
    magnitude[:, 0, 0] = 0
    return _scaled(magnitude, width, SPREAD)
