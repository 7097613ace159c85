"""What a transform network learns from: squares of photographs, by the seed and the step."""

from collections.abc import Sequence

import numpy as np
import PIL.Image
import tensorflow as tf

from tfvis import images

# The shorter side of a photograph kept, relative to the largest square cut out of it.
_SPARE = 9 / 8
# The smallest square, as a share of the shorter side: scales vary, things stay whole.
_SMALLEST = 0.7
# A long photograph keeps this much of its length.
_LONGEST = 2


def kept(pixels: np.ndarray, size: int) -> np.ndarray:
    """Returns a photograph no larger than squares of it need, uint8 [height, width, 3].

    Args:
        pixels: float32 [height, width, 3], 0..255.
        size: of the largest square that is shown.
    """
    height, width = pixels.shape[:2]
    short = min(height, width)
    rows, columns = (min(side, _LONGEST * short) for side in (height, width))
    top, left = (height - rows) // 2, (width - columns) // 2
    pixels = pixels[top : top + rows, left : left + columns]
    share = min(1.0, size * _SPARE / short)
    return images.quantize(
        images.resize(pixels, max(round(rows * share), 1), max(round(columns * share), 1))
    )


def batch(photographs: Sequence[np.ndarray], seed: int, step: int, count: int, size: int):
    """Returns the squares of a step, float32 [count, size, size, 3]: any step's, at any time.

    Args:
        photographs: what `kept` returned.
        seed, step: decide the squares.
        count: how many.
        size: of each.
    """
    generator = np.random.default_rng([seed, step])
    return np.stack(
        [
            _square(photographs[int(generator.integers(len(photographs)))], generator, size)
            for _ in range(count)
        ]
    ).astype(np.float32)


def batches(
    photographs: Sequence[np.ndarray], seed: int, first: int, count: int, size: int, styles: int
) -> tf.data.Dataset:
    """Returns the steps from `first` on: (squares, int32 [count], which style each takes).

    Styles take turns, so that each gets as many pictures as the others.
    """

    def steps():
        step = first
        while True:
            which = (step * count + np.arange(count, dtype=np.int64)) % styles
            yield batch(photographs, seed, step, count, size), which.astype(np.int32)
            step += 1

    signature = (
        tf.TensorSpec((count, size, size, 3), tf.float32),
        tf.TensorSpec((count,), tf.int32),
    )
    return tf.data.Dataset.from_generator(steps, output_signature=signature).prefetch(2)


def _square(photograph: np.ndarray, generator: np.random.Generator, size: int) -> np.ndarray:
    height, width = photograph.shape[:2]
    short = min(height, width)
    side = generator.uniform(_SMALLEST, 1) * short
    top, left = generator.uniform(0, height - side), generator.uniform(0, width - side)
    square = PIL.Image.fromarray(photograph).resize(
        (size, size), PIL.Image.Resampling.BICUBIC, (left, top, left + side, top + side)
    )
    pixels = np.asarray(square)
    return pixels[:, ::-1] if generator.random() < 0.5 else pixels
