"""A walk from style to style of a transform network, as one animated picture.

    python -m tools.style_walk --fast=eight_styles --output=docs/fast_style.webp

A photograph that comes with scikit-learn is painted in each style of the checkpoint, and in mixes
of two on the way from one to the next; a corner shows whose. Half a minute.
"""

import argparse
import os
import pathlib

import numpy as np
import PIL.Image
import sklearn.datasets

from tfvis import files, images
from tfvis.errors import InputError
from tfvis.style.fast import checkpoint_files, checkpoints
from tfvis.style.fast.fast_style import FastStyle

# Pixels across, of a picture and of the corner that shows its style; the white around that.
_WIDTH, _CORNER, _EDGE = 480, 96, 3
# Mixes between two styles, how long each of them and each style is shown, milliseconds.
_MIXES, _PASSING, _STAYING = 4, 90, 1100
# Of the file: 2 MB are to hold eight styles.
_QUALITY = 68


def walk(
    style: FastStyle, photograph: np.ndarray, thumbnails: list[np.ndarray]
) -> tuple[list[np.ndarray], list[int]]:
    """Paints a photograph in all styles, one after the other, and between them.

    Args:
        style: the network.
        photograph: float32 [height, width, 3], 0..255.
        thumbnails: of its styles, float32 [side, side, 3], 0..255.

    Returns:
        Frames, uint8 [height, width, 3], and how long each is shown, milliseconds.
    """
    count = len(style.styles)
    one = np.eye(count, dtype=np.float32)
    frames, times = [], []
    for k in range(count):
        for share in np.linspace(0, 1, _MIXES + 2)[:-1]:
            mix = (1 - share) * one[k] + share * one[(k + 1) % count]
            painted = style.paint(photograph, mix)
            corner = (1 - share) * thumbnails[k] + share * thumbnails[(k + 1) % count]
            place = slice(-_CORNER - 2 * _EDGE, None)
            painted[place, place] = 255.0
            place = slice(-_CORNER - _EDGE, -_EDGE)
            painted[place, place] = corner
            frames.append(images.quantize(painted))
            times.append(_PASSING if share else _STAYING)
    return frames, times


def write(path: pathlib.Path, frames: list[np.ndarray], times: list[int]) -> None:
    """Writes a WebP that repeats for ever, whole or not at all."""
    first, *others = map(PIL.Image.fromarray, frames)
    with files.replacing(path) as temporary:
        first.save(
            temporary, format="WEBP", save_all=True, append_images=others, duration=times,
            loop=0, quality=_QUALITY, method=6,
        )  # fmt: skip


def main():
    """Reads the flags, paints, writes."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--fast", required=True, help="The checkpoint.")
    parser.add_argument("--output", type=pathlib.Path, required=True, help="The file to write.")
    parser.add_argument("--photograph", default="china.jpg", help="Of scikit-learn's.")
    given = parser.parse_args()
    try:
        style = checkpoints.load(given.fast)
    except InputError as error:
        parser.error(str(error))
    folder, _ = checkpoint_files.named(given.fast)
    thumbnails = [
        images.resize(
            images.crop(images.load(checkpoint_files.picture(folder, name), None)),
            _CORNER, _CORNER,
        )
        for name in style.styles
    ]  # fmt: skip
    whole = sklearn.datasets.load_sample_image(given.photograph).astype(np.float32)
    height = round(_WIDTH * whole.shape[0] / whole.shape[1])
    frames, times = walk(style, images.resize(whole, height, _WIDTH), thumbnails)
    write(given.output, frames, times)
    print(f"{given.output}: {len(frames)} frames, {os.path.getsize(given.output) / 1e6:.2f} MB")


if __name__ == "__main__":
    main()
