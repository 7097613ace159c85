"""Transparent pictures beside those that were found, of what was of importance to the unit."""

import pathlib

import numpy as np

from tfvis import files, images
from tfvis.preimages import transparency


class Watcher:
    """Keeps how much each pixel changed the objective, if it is told, and saves it.

    See `optimization_tasks.Watcher`; the sum itself is part of the run's state.
    """

    def __init__(self):
        self.marks: list[int] = []
        self._importance: np.ndarray | None = None

    def clear(self) -> None:
        """Forgets all."""
        self._importance = None

    def rewind(self, done: int) -> bool:
        """Can go on from anywhere."""
        del done
        return True

    def add(self, progress) -> None:
        """Keeps the sum so far."""
        self._importance = progress.importance

    def finish(self, paths: list[pathlib.Path], pictures: np.ndarray) -> None:
        """Writes `<picture>_transparent.png` beside each picture.

        Nothing of silent units, nor where it was not asked for; those of an earlier run go.
        """
        for path in paths:
            beside(path).unlink(missing_ok=True)
        if self._importance is not None:
            for path, pixels in zip(
                paths, transparency.transparent(pictures, self._importance), strict=True
            ):
                # A PNG has no grey with an alpha channel here.
                images.save_png(beside(path), _coloured(pixels))


def _coloured(pixels: np.ndarray) -> np.ndarray:
    grey = pixels.shape[-1] == 2
    return np.concatenate([pixels[..., :1]] * 3 + [pixels[..., 1:]], -1) if grey else pixels


def beside(path: pathlib.Path) -> pathlib.Path:
    """Returns the name of a picture's transparent one."""
    return path.with_name(f"{path.stem}_transparent.png")


def record(path: pathlib.Path) -> dict:
    """Returns what the manifest says of a picture's transparent one; nothing if there is none."""
    found = beside(path)
    return {"transparent_sha256": files.sha256_of(found)} if found.is_file() else {}


def whole(paths: list[pathlib.Path], record: dict) -> bool:
    """Tells whether the transparent picture that a record tells of is as it was.

    Args:
        paths: of the pictures that are made together.
        record: of one of them.
    """
    digest = record.get("transparent_sha256")
    found = [beside(path) for path in paths]
    return digest is None or any(p.is_file() and files.sha256_of(p) == digest for p in found)
