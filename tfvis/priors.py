"""Natural-image priors: what makes one pre-image likelier than another.

All of Mahendran & Vedaldi, "Visualizing Deep Convolutional Neural Networks Using
Natural Pre-Images", IJCV 2016 (below: MV16), section 3.2 and the authors' code, which
this follows where the two differ: the total variation is taken per channel, and both
sums are divided by the number of pixels of the canvas.

Images here are *centred*: display space minus the network's mid colour.
"""

import numpy as np
import tensorflow as tf

from tfvis.natural_prior import NO_PRIOR as NO_PRIOR
from tfvis.natural_prior import TYPICAL_COLOR as TYPICAL_COLOR
from tfvis.natural_prior import NaturalPrior as NaturalPrior

# The authors' floor under (dx^2 + dy^2)^(beta/2) in the gradient, which for beta < 2 would
# otherwise grow without bound where the image is flat.
_TV_FLOOR = 1e-6
# Square root of the correlation of colours in ImageNet photographs, RGB by component,
# scaled so that the longest column is 1 (Olah et al. 2017, "Feature Visualization", and
# lucid's optvis/param/color.py).
COLORS = np.array([[0.26, 0.09, 0.02], [0.27, 0.0, -0.05], [0.27, -0.09, 0.03]])
COLORS = (COLORS / np.linalg.norm(COLORS, axis=0).max()).astype(np.float32)
_COMPONENTS = np.linalg.inv(COLORS)


def terms(prior: NaturalPrior, centered: tf.Tensor) -> dict[str, tf.Tensor]:
    """Returns the weighted terms {"alpha", "tv"} of a prior, each float32 [batch].

    One of decorrelated colours without a colour norm has no "alpha".

    Args:
        prior: its constants.
        centered: float32 [batch, height, width, channels].
    """
    alpha_weight, tv_weight = prior.weights
    found = {}
    if alpha_weight != 0 or not prior.decorrelated:
        found["alpha"] = alpha_weight * alpha_norm(centered, prior.alpha)
    varied = decorrelated(centered) if prior.decorrelated else centered
    return found | {"tv": tv_weight * total_variation(varied, prior.beta)}


def decorrelated(image: tf.Tensor) -> tf.Tensor:
    """Returns the colours of an image in components that photographs vary in independently.

    Colour differences, which are small in photographs, count 4 and 8 times there. A picture
    that has not three channels stays as it is.

    Args:
        image: float32 [batch, height, width, channels].
    """
    if image.shape[-1] != len(_COMPONENTS):
        return image
    planes = [image[..., c] for c in range(len(_COMPONENTS))]
    # Channel by channel: a product over a last axis of three is slow on a CPU.
    mixed = [
        tf.add_n([float(f) * p for f, p in zip(row, planes, strict=True)]) for row in _COMPONENTS
    ]
    return tf.stack(mixed, axis=-1)


def alpha_norm(centered: tf.Tensor, alpha: float) -> tf.Tensor:
    """Returns (1/HW) sum over pixels of |colour|_2^alpha, float32 [batch] (MV16 eq. 5).

    Args:
        centered: float32 [batch, height, width, channels].
        alpha: > 0.
    """

    @tf.custom_gradient
    def norm(centered):
        squared = squared_length(centered)
        pixels = tf.cast(tf.shape(centered)[1] * tf.shape(centered)[2], centered.dtype)
        total = tf.reduce_sum(_power(squared, alpha / 2), [1, 2]) / pixels

        def gradient(upstream):
            # (alpha / HW) x |x|^(alpha - 2); alpha < 2 has none at 0, there it is 0.
            slope = _power(squared, alpha / 2 - 1) if alpha != 2 else tf.ones_like(squared)
            slope = tf.where(squared > 0, slope, 0.0) if alpha < 2 else slope
            slope *= (alpha / pixels * upstream)[:, None, None]
            return slope[..., None] * centered

        return total, gradient

    return norm(centered)


def squared_length(centered: tf.Tensor) -> tf.Tensor:
    """Returns |colour|_2^2 of each pixel, [batch, height, width].

    Added up channel by channel, where there are few: a reduction over an axis of three
    is slow on a CPU.
    """
    channels = centered.shape[-1]
    if channels is None or channels > 4:
        return tf.reduce_sum(tf.square(centered), axis=-1)
    return tf.add_n([tf.square(centered[..., c]) for c in range(channels)])


def total_variation(image: tf.Tensor, beta: float) -> tf.Tensor:
    """Returns (1/HW) sum over pixels, channels of (dx^2 + dy^2)^(beta/2), float32 [batch].

    Forward differences, zero at the last row and column (MV16 eq. 6). For beta < 2
    the gradient is that of the authors' code, finite where the image is flat.

    Args:
        image: float32 [batch, height, width, channels].
        beta: > 0.
    """

    @tf.custom_gradient
    def variation(image):
        batch, height, width, channels = tf.unstack(tf.shape(image))
        # Rows as one long axis: slices of three channels cost eight times as much.
        rows = tf.reshape(image, [batch, height, width * channels])
        dy = tf.pad(rows[:, 1:] - rows[:, :-1], [[0, 0], [0, 1], [0, 0]])
        dx = rows[:, :, channels:] - rows[:, :, :-channels]
        dx = tf.pad(dx, [[0, 0], [0, 0], [0, channels]])
        power = tf.square(dy) + tf.square(dx)
        pixels = tf.cast(height * width, image.dtype)
        if beta != 2:
            power = tf.pow(power, beta / 2)
        total = tf.reduce_sum(power, [1, 2]) / pixels

        def gradient(upstream):
            p, q = dy, dx
            if beta != 2:
                slope = beta / 2 * tf.pow(tf.maximum(power, _TV_FLOOR), 1 - 2 / beta)
                p, q = slope * dy, slope * dx
            # Each difference pulls at the pixel it starts from and at the next one.
            above = tf.pad(p[:, :-1], [[0, 0], [1, 0], [0, 0]])
            left = tf.pad(q[:, :, :-channels], [[0, 0], [0, 0], [channels, 0]])
            pull = tf.reshape(above - p + left - q, tf.shape(image))
            return pull * (2 * upstream / pixels)[:, None, None, None]

        return total, gradient

    return variation(image)


def _power(x: tf.Tensor, exponent: float) -> tf.Tensor:
    """x^exponent; small whole exponents by multiplication, which has no slow pow."""
    if exponent == int(exponent) and 1 <= exponent <= 4:
        result = x
        for _ in range(int(exponent) - 1):
            result = result * x
        return result
    return tf.pow(x, exponent)


def project(centered: tf.Tensor, bound: float) -> tf.Tensor:
    """Shortens colour vectors longer than `bound` to it (MV16 section 3.2, the box).

    Args:
        centered: float32 [batch, height, width, channels].
        bound: B+, grey levels; infinity leaves all as it is.
    """
    if bound == float("inf"):
        return centered
    length = tf.sqrt(squared_length(centered))
    return centered * tf.minimum(tf.math.divide_no_nan(bound, length), 1.0)[..., None]


def jittered(
    canvas: tf.Tensor, height: int, width: int, seeds: tf.Tensor, step: tf.Tensor
) -> tf.Tensor:
    """Cuts a window out of each canvas at an offset drawn for this step (MV16 section 3.2).

    Args:
        canvas: float32 [batch, height + J - 1, width + J - 1, channels], J static.
        height, width: size of the window.
        seeds: int32 [batch]; image k's offsets depend on seeds[k] and `step` alone,
            so it moves in a batch exactly as it would alone.
        step: int32 scalar.

    Returns:
        float32 [batch, height, width, channels].
    """
    batch, rows, columns, channels = canvas.shape
    if (rows, columns) == (height, width):
        return canvas
    windows = []
    for k in range(batch):
        draw = tf.random.stateless_uniform([2], [seeds[k], step], dtype=tf.float32)
        room = tf.constant([rows - height + 1, columns - width + 1], tf.float32)
        offset = tf.cast(draw * room, tf.int32)
        begin = tf.concat([offset, [0]], 0)
        windows.append(tf.slice(canvas[k], begin, [height, width, channels]))
    return tf.stack(windows)
