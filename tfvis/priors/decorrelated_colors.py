"""Colours in components that photographs vary in independently (Olah et al. 2017)."""

import numpy as np
import tensorflow as tf

# Square root of the correlation of colours in ImageNet photographs, RGB by component,
# scaled so that the longest column is 1 (Olah et al. 2017, "Feature Visualization", and
# lucid's optvis/param/color.py).
COLORS = np.array([[0.26, 0.09, 0.02], [0.27, 0.0, -0.05], [0.27, -0.09, 0.03]])
COLORS = (COLORS / np.linalg.norm(COLORS, axis=0).max()).astype(np.float32)
_COMPONENTS = np.linalg.inv(COLORS)


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
