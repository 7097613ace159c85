"""Jitter: each step sees its images through windows that move (MV16 section 3.2)."""

import tensorflow as tf


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
