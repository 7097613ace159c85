"""Pictures that show the same, though not a byte of their files need be alike.

Two pictures are near duplicates if, shrunk to `SIDE` px and grey, they correlate by `ALIKE`. Among
700 pictures of each domain of PACS no two that differ correlate by more than 0.974; copies of half
the size, or saved as JPEG of quality 40, do by 0.994 and more. Difference hashes of that many
pixels do not part them: sketches are nearer to each other than photographs to their brighter
copies. Cropped copies are not found.
"""

from collections.abc import Sequence

import numpy as np

from tfvis import images

SIDE, ALIKE = 17, 0.98


def fingerprints(pictures: Sequence[np.ndarray]) -> np.ndarray:
    """Returns float32 [pictures, SIDE * SIDE], of mean 0 and length 1; of a plain picture zeros.

    Args:
        pictures: float32 [height, width, 3] each, 0..255.
    """
    small = [images.resize(picture, SIDE, SIDE) for picture in pictures]
    grey = np.stack([one @ np.asarray(images.LUMA, np.float32) for one in small])
    grey = grey.reshape(len(grey), -1) - grey.mean((1, 2))[:, None]
    length = np.linalg.norm(grey, axis=1, keepdims=True)
    # A grey level of difference is the least that a file can hold.
    return np.where(length > SIDE, grey / np.maximum(length, 1), 0).astype(np.float32)


def pairs(some: np.ndarray, others: np.ndarray) -> list[tuple[int, int]]:
    """Returns (number among some, number among others) of all near duplicates, in order.

    Args:
        some, others: of `fingerprints`.
    """
    return [(int(i), int(j)) for i, j in np.argwhere(some @ others.T >= ALIKE)]
