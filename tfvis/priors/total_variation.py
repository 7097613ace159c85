"""The total variation of an image (MV16 eq. 6)."""

import tensorflow as tf

# The authors' floor under (dx^2 + dy^2)^(beta/2) in the gradient, which for beta < 2 would
# otherwise grow without bound where the image is flat.
_TV_FLOOR = 1e-6


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
