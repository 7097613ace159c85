"""How a picture grew: frames at log-spaced steps, a strip and a GIF of them."""

import itertools
import os
import pathlib

import numpy as np

from tfvis import files, images
from tfvis.report import gif, sheets

# Frames of the GIF, and pictures of the strip.
_FRAMES, _PICTURES = 30, 8
# Bytes before the first frame: the shape of a batch.
_HEADER = 16
# Milliseconds a frame is shown; the last one stays.
_FRAME_MS, _LAST_MS = 100, 2000


def log_spaced(steps: int, count: int) -> list[int]:
    """Returns at most `count` steps from 0 to `steps`, evenly spaced in their logarithm."""
    spaced = np.geomspace(1, steps, max(count - 1, 1)).round().astype(int)
    return sorted({0, steps} | {int(step) for step in spaced})


class Spool:
    """Frames of a run on disk, where an interrupted run finds them again.

    Args:
        path: of the file.
        task: whose frames; without `growth` nothing is kept.
    """

    def __init__(self, path: pathlib.Path, task):
        self._path = path
        self.marks = log_spaced(task.steps, _FRAMES) if task.growth else []

    def clear(self) -> None:
        """Forgets all frames."""
        self._path.unlink(missing_ok=True)

    def rewind(self, done: int) -> bool:
        """Drops frames after step `done`; tells whether there are others."""
        if not self.marks:
            return True
        try:
            frames = self._frames()
            kept = int((frames["step"] <= done).sum())
            size = frames.dtype.itemsize
            del frames
            os.truncate(self._path, _HEADER + kept * size)
            return kept > 0
        except (OSError, ValueError):
            return False

    def _frames(self) -> np.ndarray:
        """Returns the file, mapped, not read: frames are looked at one by one."""
        shape = tuple(int(n) for n in np.fromfile(self._path, np.int32, 4))
        if len(shape) != 4 or min(shape) < 1:
            raise ValueError("Expected the shape of a batch of images.")
        kind = np.dtype([("step", np.int32), ("images", np.uint8, shape)])
        whole = (self._path.stat().st_size - _HEADER) // kind.itemsize
        return np.memmap(self._path, kind, "r", _HEADER, (whole,))

    def add(self, progress) -> None:
        """Keeps the images if this is one of the steps to show."""
        step = progress.snapshot.done
        if step not in self.marks:
            return
        levels = images.quantize(progress.images)
        header = b"" if self._path.exists() else np.array(levels.shape, np.int32).tobytes()
        files.append(self._path, header + np.int32(step).tobytes() + levels.tobytes())

    def finish(self, paths: list[pathlib.Path], pictures: np.ndarray) -> None:
        """Writes `<picture>_growth.png` and `.gif` beside each picture.

        Args:
            paths: of the pictures.
            pictures: what the run ended with, as saved.
        """
        if not self.marks:
            return
        frames = self._frames()
        steps = [int(step) for step in frames["step"]]
        wanted = log_spaced(self.marks[-1], _PICTURES)
        # The last one is the result itself.
        shown = {min(steps, key=lambda step: abs(step - mark)) for mark in wanted[:-1]}
        for k, path in enumerate(paths):
            cells = [
                sheets.Cell(frames[i]["images"][k], f"step {step}")
                for i, step in enumerate(steps)
                if step in shown
            ]
            cells.append(sheets.Cell(pictures[k], "result"))
            strip = sheets.sheet(cells, len(cells))
            images.save_png(path.with_name(f"{path.stem}_growth.png"), strip)
            grown = itertools.chain((frame["images"][k] for frame in frames), [pictures[k]])
            times = [_FRAME_MS] * len(frames) + [_LAST_MS]
            gif.write(path.with_name(f"{path.stem}_growth.gif"), grown, times)
