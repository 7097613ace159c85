"""What a visualisation returns: pictures, how they were found, and how well."""

import dataclasses
import os
from collections.abc import Callable, Iterator

import numpy as np

from tfvis import images, progress_bar
from tfvis.errors import InputError, arg, nearest
from tfvis.optimize.progress import Progress

# Pictures in a row of a notebook's display, and the white pixels between them.
_COLUMNS, _GAP = 6, 4


@dataclasses.dataclass(frozen=True, eq=False, repr=False)
class Result:
    """Pictures that were found, as a notebook shows them.

    Attributes:
        images: float32 [batch, height, width, channels], display space, 0..255.
        history: {term: float32 [steps, batch]}, the energy's terms before each step,
            unweighted, and "energy", what the steps judged by; NaN where a scale lacks a term.
        settings: every constant, as it was derived for this layer.
        title: what is shown, such as "vgg16 block4_conv3".
        seconds: it took.
    """

    images: np.ndarray
    history: dict[str, np.ndarray]
    settings: object
    title: str
    seconds: float

    @property
    def image(self) -> np.ndarray:
        """The first picture, float32 [height, width, channels], 0..255."""
        return self.images[0]

    def save(self, path: os.PathLike | str) -> None:
        """Writes the pictures as 8-bit PNGs.

        Args:
            path: a .png; of several pictures the k-th goes to <path without .png>_<k>.png.

        Raises:
            InputError: another ending, or the folder cannot be written to.
        """
        stem, ending = os.path.splitext(os.fspath(path))
        if ending.lower() != ".png":
            raise InputError(
                f"{arg('path')}={path}: pictures are saved as PNG; let the name end in .png."
            )
        for k, pixels in enumerate(self.images):
            images.save_png(path if len(self.images) == 1 else f"{stem}_{k}{ending}", pixels)

    def numbers(self) -> str:
        """Returns in words what was reached."""
        return ""

    def __repr__(self) -> str:
        count, height, width = self.images.shape[:3]
        shown = f"{count} x {height} x {width}" if count > 1 else f"{height} x {width}"
        parts = [self.title, f"{shown} px", self.numbers(), f"{self.seconds:.1f} s"]
        return f"<{type(self).__name__}: {', '.join(filter(None, parts))}>"

    def _repr_png_(self) -> bytes:
        """Returns the pictures side by side, as IPython displays them."""
        return images.png(_grid(self.images))


def _grid(pictures: np.ndarray) -> np.ndarray:
    """Returns pictures in rows on white, [height, width, channels]."""
    count, height, width, channels = pictures.shape
    columns = min(count, _COLUMNS)
    rows = -(-count // columns)
    shape = (rows * (height + _GAP) - _GAP, columns * (width + _GAP) - _GAP, channels)
    page = np.full(shape, 255, np.float32)
    for k, picture in enumerate(pictures):
        top, left = k // columns * (height + _GAP), k % columns * (width + _GAP)
        page[top : top + height, left : left + width] = picture
    return page


def mean_words(values: np.ndarray, form: str = ".3f") -> str:
    """Returns a number per picture in words: itself, or the range of several."""
    low, high = np.min(values), np.max(values)
    return f"{low:{form}}" if len(values) == 1 else f"{low:{form}} to {high:{form}}"


def collected(
    runs: Iterator[Progress], title: str, callback: Callable[[Progress], object] | None
) -> dict:
    """Runs to the end, with a bar where somebody watches.

    Args:
        runs: progress, as the recipes' `iterate` yield it.
        title: of the bar and the result.
        callback: is called with each progress, if given.

    Returns:
        {"images", "history", "title", "seconds"} of a `Result`.
    """
    terms, last = [], None
    with progress_bar.bar(title, None, delay=0, logged=False) as bar:
        for last in runs:
            snapshot = last.snapshot
            terms.append(snapshot.terms | {"energy": snapshot.energies})
            bar.total = last.total
            bar.update(snapshot.done - bar.n)
            bar.set_postfix_str(f"energy {float(snapshot.energies[-1].mean()):.3g}")
            if callback is not None:
                callback(last)
    assert last is not None  # A run tells of at least one step.
    pictures = last.kept.clip(0, 255)
    pictures.setflags(write=False)
    return {
        "images": pictures,
        "history": _joined(terms),
        "title": title,
        "seconds": last.seconds,
    }


def _joined(chunks: list[dict[str, np.ndarray]]) -> dict[str, np.ndarray]:
    """Returns the terms of all chunks one after another."""
    names = dict.fromkeys(name for chunk in chunks for name in chunk)
    return {
        name: np.concatenate(
            [chunk.get(name, np.full_like(chunk["energy"], np.nan)) for chunk in chunks]
        )
        for name in names
    }


def with_constants(settings, constants: dict[str, object]):
    """Returns settings with some of their constants replaced.

    Args:
        settings: a dataclass.
        constants: {name: value}.

    Raises:
        InputError: it has no constant of that name.
    """
    names = [field.name for field in dataclasses.fields(settings)]
    for name in constants:
        if name not in names:
            raise InputError(
                f"{name}: no constant of {type(settings).__name__}. {nearest(name, names)}"
            )
    return dataclasses.replace(settings, **constants)


def checked_seeds(seeds) -> tuple[int, ...]:
    """Returns seeds as a tuple; a number stands for itself.

    Raises:
        InputError: not whole numbers, or none.
    """
    found = np.asarray(seeds)
    if found.ndim > 1 or not found.size or found.dtype.kind not in "iu":
        raise InputError(f"{arg('seeds')}={seeds}: expected a whole number, or a sequence of them.")
    return tuple(int(seed) for seed in found.reshape(-1))
