"""Descriptors of a collection's styles, made in one pass and kept in the workdir.

One file per layer with a row for each picture that could be read; stopped at any moment, the same
pictures go on where they were.
"""

import contextlib
import dataclasses
import json
import os
import pathlib
import shutil
import time
from collections.abc import Sequence

import numpy as np

from tfvis import bounds, files, images
from tfvis.errors import InputError, arg
from tfvis.experiments import folders, runner
from tfvis.networks.network import Network
from tfvis.progress_bar import bar
from tfvis.style import color_histograms, descriptors
from tfvis.style.descriptors import Sketch
from tfvis.style.style_distance import Layer

# Side of the small pictures of sheets and pages, px.
THUMBNAIL = 128
_PAPER = (250, 250, 248)
# A kill costs at most so many seconds of looking.
_SAVE_EVERY_S = 10.0


@dataclasses.dataclass(frozen=True, eq=False)
class Collection:
    """What is known of the pictures that could be read.

    Attributes:
        paths: of the files.
        layers: vectors of each layer, on disk.
        sketches: how they were made.
        colors: float32 [pictures, 512], see `color_histograms`.
        thumbnails: uint8 [pictures, THUMBNAIL, THUMBNAIL, 3], on disk.
    """

    paths: tuple[pathlib.Path, ...]
    layers: tuple[Layer, ...]
    sketches: tuple[Sketch, ...]
    colors: np.ndarray
    thumbnails: np.ndarray

    @property
    def exact(self) -> bool:
        """Whether distances are those of whole Gram matrices."""
        return all(sketch.exact for sketch in self.sketches)


def described(
    network: Network,
    layers: Sequence[str],
    found: folders.Found,
    size: int,
    precision: str,
    workdir: pathlib.Path,
) -> Collection:
    """Returns the descriptors of all pictures, computing those that are not yet on disk.

    Args:
        network: the network.
        layers: of it, all maps.
        found: the pictures; those that cannot be read are left out, and remembered in it.
        size: each is looked at with as many pixels as a square of this side has.
        precision: of the network's arithmetic.
        workdir: where they are kept, in descriptors/.

    Raises:
        InputError: none can be read, or the disk has no room.
    """
    sketches = descriptors.sketches(network, layers, len(found.paths))
    digest = runner.key(
        network, layers=list(layers), pictures=folders.digest(found), size=size,
        precision=precision, sketches=sketches, thumbnail=THUMBNAIL,
    )  # fmt: skip
    store = _Store(workdir / "descriptors" / digest[:24], len(found.paths), sketches)
    for number, why in store.broken.items():
        found.leave_out(found.paths[number], InputError(why))
    if store.next < len(found.paths):
        store.open()
        _fill(store, descriptors.grams(network, layers, precision), found, size)
    paths = tuple(found.paths[number] for number in store.rows)
    return Collection(paths, *store.read())


def _fill(store: "_Store", look, found: folders.Found, size: int) -> None:
    """Looks at what was not yet looked at."""
    numbers = {path: number for number, path in enumerate(found.paths)}
    saved, first = time.perf_counter(), store.next
    try:
        with bar("Describing styles", len(found.paths) - first) as progress:
            for path, pixels in folders.pictures(found, first):
                picture = descriptors.resized(pixels, size)
                vectors = [of(gram) for of, gram in zip(store.sketches, look(picture), strict=True)]
                if not all(np.isfinite(vector).all() for vector in vectors):
                    found.leave_out(path, InputError(f"{path}: its statistics are not finite"))
                    continue
                store.add(numbers[path], vectors, color_histograms.roots(picture), _small(pixels))
                progress.update(store.next - first - progress.n)
                if time.perf_counter() - saved > _SAVE_EVERY_S:
                    store.save(_broken(found, numbers, store.next))
                    saved = time.perf_counter()
        store.next = len(found.paths)
    finally:
        if store.rows:
            store.save(_broken(found, numbers, store.next))
        else:
            store.remove()


def _broken(found: folders.Found, numbers: dict, before: int) -> dict[int, str]:
    """Returns {number: why} of those before a number that cannot be read."""
    every = {numbers[path]: str(one.detail) for path, one in found.broken.items()}
    return {number: why for number, why in every.items() if number < before}


def _small(pixels: np.ndarray) -> np.ndarray:
    """Returns the whole picture in a small square, uint8."""
    height, width = pixels.shape[:2]
    scale = THUMBNAIL / max(height, width)
    inner = images.resize(pixels, *(max(1, round(side * scale)) for side in (height, width)))
    square = np.full((THUMBNAIL, THUMBNAIL, 3), _PAPER, np.uint8)
    top, left = (THUMBNAIL - inner.shape[0]) // 2, (THUMBNAIL - inner.shape[1]) // 2
    square[top : top + inner.shape[0], left : left + inner.shape[1]] = images.quantize(inner)
    return square


class _Store:
    """Files with a row for each picture, and a note of how far they have come."""

    def __init__(self, folder: pathlib.Path, count: int, sketches: tuple[Sketch, ...]):
        self.sketches, self._folder = sketches, folder
        self._shapes = {"lengths": ((count, len(sketches)), np.float32)}
        self._shapes["colors"] = ((count, color_histograms.LENGTH), np.float32)
        self._shapes["thumbnails"] = ((count, THUMBNAIL, THUMBNAIL, 3), np.uint8)
        # Directions have length 1: half precision has three digits of all that matters in them.
        for k, sketch in enumerate(sketches):
            kind = np.float32 if sketch.exact else np.float16
            self._shapes[f"layer{k}"] = ((count, sketch.length), kind)
        self._arrays: dict[str, np.ndarray] = {}
        self.next, self.rows, self.broken = self._note(count)

    def _note(self, count: int) -> tuple[int, list[int], dict[int, str]]:
        try:
            path = self._folder / "progress.json"
            note = json.loads(files.read_bytes(path, str(path), bounds.MANIFEST))
            good = all(
                (array := np.load(self._path(name), mmap_mode="r", allow_pickle=False)).shape
                == shape and array.dtype == kind
                for name, (shape, kind) in self._shapes.items()
            )  # fmt: skip
            rows = [int(row) for row in note["rows"]]
            broken = {int(row): str(why) for row, why in note["broken"].items()}
            if good and 0 <= note["next"] <= count and len(rows) <= note["next"]:
                return int(note["next"]), rows, broken
        except (OSError, EOFError, ValueError, KeyError, TypeError, AttributeError):
            pass
        return 0, [], {}

    def _path(self, name: str) -> pathlib.Path:
        return self._folder / f"{name}.npy"

    def open(self) -> None:
        """Opens the files for writing, made at their full size where there are none."""
        mode = "r+" if self.next else "w+"
        needed = sum(int(np.prod(s)) * np.dtype(kind).itemsize for s, kind in self._shapes.values())
        files.make_folder(self._folder, "workdir")
        if not self.next and needed > 0.95 * shutil.disk_usage(self._folder).free:
            raise InputError(
                f"The descriptors take {needed / 2**30:,.1f} GiB, which {self._folder} has not. "
                f"Name another {arg('workdir')}."
            )
        for name, (shape, kind) in self._shapes.items():
            path = self._path(name)
            self._arrays[name] = np.lib.format.open_memmap(
                path, mode, *((kind, shape) if mode == "w+" else ())
            )
            if mode == "w+" and hasattr(os, "posix_fallocate"):
                # Or a disk that runs full while a map of it is written ends the process.
                with path.open("r+b") as file:
                    os.posix_fallocate(file.fileno(), 0, path.stat().st_size)

    def add(self, number: int, vectors, colors: np.ndarray, thumbnail: np.ndarray) -> None:
        """Keeps what is known of a picture, whose number among the paths is given."""
        row = len(self.rows)
        for k, vector in enumerate(vectors):
            length = float(np.linalg.norm(vector))
            self._arrays["lengths"][row, k] = length
            self._arrays[f"layer{k}"][row] = vector / max(length, 1e-30)
        self._arrays["colors"][row], self._arrays["thumbnails"][row] = colors, thumbnail
        self.rows.append(number)
        self.next = number + 1

    def save(self, broken: dict[int, str]) -> None:
        """Writes down how far it has come."""
        for array in self._arrays.values():
            array.flush()
        self.broken = broken
        note = {"next": self.next, "rows": self.rows, "broken": broken}
        with contextlib.suppress(FileNotFoundError):
            files.write_text(self._folder / "progress.json", json.dumps(note))

    def remove(self) -> None:
        """Removes the files, in which there is nothing."""
        self._arrays.clear()
        shutil.rmtree(self._folder, ignore_errors=True)
        with contextlib.suppress(OSError):
            self._folder.parent.rmdir()

    def read(self) -> tuple:
        """Returns (layers, sketches, colours, thumbnails), of as many rows as there are."""
        self._arrays.clear()
        count = len(self.rows)
        found = {name: np.load(self._path(name), mmap_mode="r")[:count] for name in self._shapes}
        layers = tuple(
            Layer(found[f"layer{k}"], np.array(found["lengths"][:, k]))
            for k in range(len(self.sketches))
        )
        return layers, self.sketches, np.array(found["colors"]), found["thumbnails"]
