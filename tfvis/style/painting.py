"""The painting that comes along, a style that is free to ship; `tools/painting.py` paints it."""

import pathlib

import numpy as np

from tfvis import images

SHIPPED = pathlib.Path(__file__).with_name("painting.jpg")


def shipped() -> np.ndarray:
    """Returns the painting in the package: float32 [512, 512, 3], RGB, 0..255.

    Raises:
        InputError: the file is missing or damaged.
    """
    return images.read(SHIPPED).pixels
