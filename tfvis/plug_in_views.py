"""Views of an image in place of a prior: with its colours shifted, from coarse to fine.

Ghiasi et al. 2022, "Plug-In Inversion: Model-Agnostic Inversion for Vision with Data
Augmentations". They invert classes, which have no place; a map says where things are, so there is
no centring here, and shifts are `priors.jittered`. One view a step, where they take the mean over
several.
"""

import dataclasses

import numpy as np
import tensorflow as tf

# Deviation of the colours of ImageNet's photographs, grey levels: the unit of what a network sees.
_DEVIATION = 58.0


@dataclasses.dataclass(frozen=True)
class PlugIn:
    """How views stray from the image; each is drawn anew at every step.

    Attributes:
        steps: for which it is seen so; afterwards it is seen as it is.
        gain: each colour times e^U(-gain, gain), ColorShift's published 1.
        shift: plus U(-shift, shift) deviations, ColorShift's published 1.
        zoom: the first steps see waves up to one over so much of the finest; what can be seen
            opens evenly, in octaves, and is all at `opened`.
        opened: share of `steps`.
    """

    steps: int
    gain: float = 1.0
    shift: float = 1.0
    zoom: float = 8.0
    opened: float = 0.5


def view(images: tf.Tensor, seeds: tf.Tensor, step: tf.Tensor, by: PlugIn) -> tf.Tensor:
    """Returns one view of each image; differentiable.

    Args:
        images: centred, float32 [batch, height, width, channels], static shape.
        seeds: int32 [batch]; image k's view depends on seeds[k] and `step` alone.
        step: int32 scalar.
        by: how far to stray.

    Returns:
        float32, shaped as `images`.
    """
    channels = images.shape[-1]
    # Other numbers than the jitter's, of the same seed and step.
    keys = [[-1 - seed, step] for seed in tf.unstack(seeds)]
    draws = [tf.random.stateless_uniform([2, 1, 1, channels], key, -1, 1) for key in keys]
    draws = tf.stack(draws)
    moment = tf.cast(step, tf.float32) / (by.opened * by.steps)
    seen = tf.where(moment < 1, coarse(images, by.zoom ** (1 - moment)), images)
    shifted = tf.exp(by.gain * draws[:, 0]) * seen + by.shift * _DEVIATION * draws[:, 1]
    return tf.where(step < by.steps, shifted, images)


def coarse(images: tf.Tensor, zoom: tf.Tensor | float) -> tf.Tensor:
    """Returns images without waves finer than `zoom` times the finest (Butterworth's filter).

    Args:
        images: float32 [batch, height, width, channels], static shape.
        zoom: at least 1.
    """
    height, width = images.shape[1:3]
    frequency = np.hypot(np.fft.fftfreq(height)[:, None], np.fft.rfftfreq(width)[None])
    passed = 1 / (1 + tf.pow(tf.constant(2 * frequency, tf.float32) * zoom, 8))
    waves = tf.signal.rfft2d(tf.transpose(images, [0, 3, 1, 2]))
    waves *= tf.cast(passed, tf.complex64)
    return tf.transpose(tf.signal.irfft2d(waves, [height, width]), [0, 2, 3, 1])
