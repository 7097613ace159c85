"""How a picture grew: frames at log-spaced steps, a strip and a GIF of them."""

import pathlib

import numpy as np

from tfvis import files, images
from tfvis.report import animation, sheets

# Frames of the GIF, and pictures of the strip.
_FRAMES, _PICTURES = 30, 8
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
        self._frame: int | None = None

    def clear(self) -> None:
        """Forgets all frames."""
        self._path.unlink(missing_ok=True)

    def rewind(self, done: int) -> bool:
        """Drops frames after step `done`; tells whether those up to it are there."""
        if not self.marks:
            return True
        wanted = sum(mark <= done for mark in self.marks)
        try:
            size = self._path.stat().st_size
            with open(self._path, "r+b") as file:
                header = np.frombuffer(file.read(16), np.int32)
                frame = int(np.prod(header))
                file.truncate(16 + wanted * frame)
            return size >= 16 + wanted * frame
        except (OSError, ValueError):
            return False

    def add(self, progress) -> None:
        """Keeps the images if this is one of the steps to show."""
        if progress.snapshot.done not in self.marks:
            return
        levels = images.quantize(progress.images)
        files.make_folder(self._path.parent, "--workdir")
        with open(self._path, "ab") as file:
            if file.tell() == 0:
                file.write(np.array(levels.shape, np.int32).tobytes())
            file.write(levels.tobytes())

    def finish(self, paths: list[pathlib.Path], progress) -> None:
        """Writes `<picture>_growth.png` and `.gif` beside each picture; ends the spool."""
        if not self.marks:
            return
        shape = tuple(np.fromfile(self._path, np.int32, 4))
        # Mapped, not read: frames are looked at one by one.
        frames = np.memmap(self._path, np.uint8, "r", 16).reshape(-1, *shape)
        wanted = log_spaced(self.marks[-1], _PICTURES)
        shown = {min(self.marks, key=lambda mark: abs(mark - step)) for step in wanted}
        for k, path in enumerate(paths):
            # An early end leaves out the last marks; the result stands for them.
            steps = self.marks[: len(frames)]
            cells = [
                sheets.Cell(frames[i, k], f"step {step}")
                for i, step in enumerate(steps)
                if step in shown
            ]
            if steps[-1] != self.marks[-1]:
                cells.append(sheets.Cell(progress.kept[k], f"step {progress.snapshot.done}"))
            strip = sheets.sheet(cells, len(cells))
            images.save_png(path.with_name(f"{path.stem}_growth.png"), strip)
            with animation.Gif(path.with_name(f"{path.stem}_growth.gif")) as gif:
                for frame in frames[:, k]:
                    gif.add(frame, _FRAME_MS)
                gif.add(progress.kept[k], _LAST_MS)
        del frames
        self.clear()
