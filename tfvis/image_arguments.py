"""Pictures as they are handed to the library: arrays, checked before anything begins."""

import os

import numpy as np

from tfvis import images
from tfvis.errors import InputError, arg


def picture(pixels, channels: int, name: str = "image") -> np.ndarray:
    """Returns one picture as the network takes it, float32 [height, width, channels].

    Args:
        pixels: [height, width, 3], or the network's channels, 0..255, of any kind of number.
        channels: of the network.
        name: of the argument, for messages.

    Raises:
        InputError: no array of that shape, values that are not finite or outside 0..255, or
            of 0..1, which is nearly black.
    """
    pixels = _numbers(pixels, name)
    if pixels.ndim != 3 or pixels.shape[-1] not in (1, 3, channels) or 0 in pixels.shape:
        raise InputError(
            f"{arg(name)}: expected an array [height, width, 3], as tfvis.load returns it. "
            f"Received: {pixels.shape}"
        )
    return images.with_channels(_in_range(pixels, name), channels)


def batch(pixels, channels: int, name: str = "images") -> np.ndarray:
    """Returns pictures as the network takes them, float32 [batch, height, width, channels].

    Args:
        pixels: [height, width, 3] or [batch, height, width, 3]; else as `picture`.
        channels: of the network.
        name: of the argument, for messages.

    Raises:
        InputError: as `picture`.
    """
    pixels = _numbers(pixels, name)
    if pixels.ndim == 3:
        pixels = pixels[None]
    if pixels.ndim != 4 or pixels.shape[-1] not in (1, 3, channels) or 0 in pixels.shape:
        raise InputError(
            f"{arg(name)}: expected an array [height, width, 3], as tfvis.load returns it, or a "
            f"batch of them. Received: {pixels.shape}"
        )
    return images.with_channels(_in_range(pixels, name), channels)


def sides(size, least: int, expected: str) -> tuple[int, int]:
    """Returns a size as (height, width); a number is the side of a square.

    Args:
        size: whole numbers.
        least: of either side, px.
        expected: what the message says of them.

    Raises:
        InputError: something else.
    """
    found = np.asarray(size)
    if found.shape not in ((), (2,)) or found.dtype.kind not in "iu" or found.min() < least:
        raise InputError(f"{arg('size')}={size}: expected {expected}.")
    height, width = map(int, np.broadcast_to(found, 2))
    return height, width


def _numbers(pixels, name: str) -> np.ndarray:
    if isinstance(pixels, str | os.PathLike):
        raise InputError(f"{arg(name)}={pixels}: expected pixels; tfvis.load reads a file.")
    pixels = np.asarray(pixels)
    if pixels.dtype.kind not in "uif":
        raise InputError(f"{arg(name)}: expected numbers of 0 to 255. Received: {pixels.dtype}")
    return pixels


def _in_range(pixels: np.ndarray, name: str) -> np.ndarray:
    low, high = float(pixels.min()), float(pixels.max())
    # NaN fails both. Half a level beyond is the rounding of who computed it.
    if not (low >= -0.5 and high <= 255.5):
        raise InputError(
            f"{arg(name)}: expected numbers of 0 to 255, as one sees them. Received: {low:g} to "
            f"{high:g}"
        )
    if pixels.dtype.kind == "f" and 0 < high <= 1:
        raise InputError(
            f"{arg(name)}: expected numbers of 0 to 255. Received: {low:g} to {high:g}; where "
            "these are shares, multiply by 255."
        )
    return pixels.astype(np.float32)
