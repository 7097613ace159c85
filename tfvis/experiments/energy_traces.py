"""What a run leaves of its way: energy terms as a CSV, and pictures at chosen steps."""

import csv
import io
import pathlib

from tfvis import bounds, files, images


class Trace:
    """The terms of an energy over the steps of a run, in a CSV that survives interruptions.

    Args:
        path: of the file; its columns are the step, the whole energy, and the terms.
        marks: steps to be seen besides the ends of chunks.
    """

    def __init__(self, path: pathlib.Path, marks=()):
        self._path, self.marks = path, list(marks)

    def clear(self) -> None:
        """Forgets all."""
        self._path.unlink(missing_ok=True)

    def rewind(self, done: int) -> bool:
        """Drops rows after step `done`; tells whether the rest reaches it."""
        rows = [row for row in self.rows() if row["step"] <= done]
        if not rows or rows[-1]["step"] != done:
            return False
        with files.replacing(self._path) as temporary, open(temporary, "w", newline="") as file:
            writer = csv.DictWriter(file, list(rows[0]))
            writer.writeheader()
            writer.writerows(_written(row) for row in rows)
        return True

    def add(self, progress) -> None:
        """Appends a row: the last step of a chunk, mean over the batch."""
        terms = progress.snapshot.terms
        if not terms:
            return
        row = {"step": progress.snapshot.done}
        row["energy"] = float(progress.snapshot.energies[-1].mean())
        row |= {name: float(values[-1].mean()) for name, values in terms.items()}
        text = io.StringIO(newline="")
        writer = csv.DictWriter(text, list(row))
        if not self._path.exists():
            writer.writeheader()
        writer.writerow(_written(row))
        files.append(self._path, text.getvalue().encode())

    def finish(self, paths, pictures) -> None:
        """Leaves the file, which is a result."""

    def rows(self) -> list[dict]:
        """Returns the rows, numbers as numbers; none where the file is missing or damaged."""
        try:
            text = files.read_bytes(self._path, str(self._path), bounds.TABLE).decode()
            return [
                {k: int(v) if k == "step" else float(v) for k, v in row.items()}
                for row in csv.DictReader(io.StringIO(text, newline=""))
            ]
        except (TypeError, ValueError):
            return []


def _written(row: dict) -> dict:
    """Returns a row as the file has it, whether or not it was read from there."""
    return {name: f"{value:.6g}" if name != "step" else value for name, value in row.items()}


class Stills:
    """The picture at chosen steps, as PNG files.

    Args:
        folder: gets <step>.png.
        marks: the steps.
        finish: what is done to a picture before it is saved.
    """

    def __init__(self, folder: pathlib.Path, marks, finish=lambda pictures: pictures):
        self._folder, self.marks, self._finish = folder, sorted(set(marks)), finish

    def path(self, step: int) -> pathlib.Path:
        """Returns the file of a step."""
        return self._folder / f"{step:05d}.png"

    def clear(self) -> None:
        """Forgets all."""
        for mark in self.marks:
            self.path(mark).unlink(missing_ok=True)

    def rewind(self, done: int) -> bool:
        """Tells whether all pictures up to step `done` are there."""
        return all(self.path(mark).exists() for mark in self.marks if mark <= done)

    def add(self, progress) -> None:
        """Saves the picture if this is one of the steps."""
        if progress.snapshot.done in self.marks:
            images.save_png(self.path(progress.snapshot.done), self._finish(progress.images)[0])

    def finish(self, paths, pictures) -> None:
        """Leaves the files, which are results."""
