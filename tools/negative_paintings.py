"""Paintings of nothing in particular, for classifiers that are to know when there is nothing.

    python -m tools.negative_paintings --images=FOLDER --output=FOLDER

The brushes of `tools.painting` paint each photograph of FOLDER, every other one in the colours of
the painting that comes along, and scenes of their own. Writes, each a source of
`apps.train --data`:

    painted/none/NAME.jpg    the photographs, by their own names, so that a split puts them where
                             the photograph is
    flows/none/SEED.jpg      scenes

A second or two each on one core.
"""

import argparse
import dataclasses
import pathlib

import numpy as np
import PIL.Image
import scipy.ndimage
import tqdm

from tfvis import images
from tools import painting

_SIZE = 224
_FIRST_SEED = 100
# Pixels over which the direction of strokes is the same, and tones of a palette.
_SMOOTH, _TONES = 6.0, 9


@dataclasses.dataclass(frozen=True, eq=False)
class Photograph:
    """A photograph to paint: strokes run along its edges, tones are its brightness.

    Attributes:
        brightness: float64 [height, width], ranks of 0 to 1.
        along: float64 [height, width, 2], unit vectors (y, x) along edges.
    """

    brightness: np.ndarray
    along: np.ndarray

    def direction(self, points: np.ndarray) -> np.ndarray:
        """See `painting.Subject`."""
        return self.along[self._places(points)]

    def tone(self, points: np.ndarray) -> np.ndarray:
        """See `painting.Subject`."""
        return self.brightness[self._places(points)]

    def _places(self, points: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        size = np.array(self.brightness.shape)
        found = np.clip((points * size).astype(int), 0, size - 1)
        return found[..., 0], found[..., 1]


def photograph(pixels: np.ndarray) -> tuple[Photograph, np.ndarray]:
    """Returns a photograph, float32 [height, width, 3] of 0..255, as subject and palette."""
    grey = pixels @ np.asarray(images.LUMA, np.float32)
    order = grey.ravel().argsort(kind="stable")
    ranks = np.empty(len(order))
    ranks[order] = np.linspace(0, 1, len(order))
    parts = np.array_split(pixels.reshape(-1, 3)[order], _TONES)
    palette = np.stack([part.mean(0) for part in parts]).astype(np.float32)
    # The structure tensor's smaller axis: an edge has one direction, whichever side is bright.
    dy, dx = np.gradient(scipy.ndimage.gaussian_filter(grey, 1.0))
    yy, xy, xx = (scipy.ndimage.gaussian_filter(p, _SMOOTH) for p in (dy * dy, dy * dx, dx * dx))
    across = 0.5 * np.arctan2(2 * xy, xx - yy)
    along = np.stack([np.cos(across), -np.sin(across)], -1)
    return Photograph(ranks.reshape(grey.shape), along), palette


def main() -> None:
    """Paints."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--images", type=pathlib.Path, required=True, help="photographs")
    parser.add_argument("--output", type=pathlib.Path, required=True, help="for the sources")
    parser.add_argument("--scenes", type=int, default=120, help="how many")
    given = parser.parse_args()
    output = given.output
    for name in ("painted", "flows"):
        (output / name / "none").mkdir(parents=True, exist_ok=True)
    paths = sorted(p for p in given.images.iterdir() if p.suffix == ".jpg")
    for number, path in enumerate(tqdm.tqdm(paths)):
        pixels = images.resize(images.read(path).pixels, _SIZE, _SIZE)
        subject, palette = photograph(pixels)
        if number % 2:
            palette = painting.PALETTE
        _save(output / "painted" / "none" / path.name, number, subject, palette)
    for seed in tqdm.tqdm(range(_FIRST_SEED, _FIRST_SEED + given.scenes)):
        _save(output / "flows" / "none" / f"{seed}.jpg", seed, None, painting.PALETTE)


def _save(path: pathlib.Path, seed: int, subject, palette: np.ndarray) -> None:
    if path.exists():
        return
    picture = images.quantize(painting.paint(_SIZE, seed, subject, palette))
    PIL.Image.fromarray(picture).save(path, quality=92)


if __name__ == "__main__":
    main()
