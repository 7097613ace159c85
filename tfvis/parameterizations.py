"""What is optimised in place of "an image": here, its pixels."""

import numpy as np
import tensorflow as tf


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
